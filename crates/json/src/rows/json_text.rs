//! JSON text as a value without a schema.

use crate::parse::tape::Tape;
use crate::rows::record::Bad;
use crate::rows::value::ValueEncoder;
use crate::values::encoding::Flip;

/// Encodes the values of `json` columns that are there as text.
#[derive(Default)]
pub struct JsonText {
    tape: Tape,
    values: ValueEncoder,
}

impl JsonText {
    /// Appends the encoding of one JSON value; returns its bytes as a value: 8 for a number, 1 for a boolean,
    /// the length of a string, and the sum for what is in a list or an object. The text by itself nests as deep
    /// as a record may.
    ///
    /// # Errors
    /// What is wrong with the text, for people: it is not one JSON value, or has a member twice.
    pub fn encode(&mut self, text: &str, out: &mut Vec<u8>, flip: Flip) -> Result<u64, String> {
        let bytes = text.as_bytes();
        self.tape
            .parse_frame(bytes, 0, bytes.len())
            .map_err(|flaw| format!("{} at byte {} of the text", flaw.what, flaw.at))?;
        self.values.value_bytes = 0;
        self.values
            .encode(&self.tape, bytes, 0, out, flip)
            .map_err(|duplicate| Bad::from(duplicate).detail)?;
        Ok(self.values.value_bytes)
    }
}
