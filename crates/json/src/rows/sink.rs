//! Where a decoder's rows and bad records go.

use distil_plan::{BadPart, Origin, Result};

use crate::packed::dictionary::Dictionary;

/// An accepted record.
#[derive(Clone, Copy, Debug)]
pub struct EncodedRow<'a> {
    /// Key, order, rest: comparing bytes compares records.
    pub bytes: &'a [u8],
    /// How many of the bytes are the key.
    pub key_length: usize,
    /// Bytes of its values: 8 for a number, 1 for a boolean, the length of a string as it is spelled.
    pub value_bytes: u32,
    /// Where it lies, if the plan wants to know.
    pub origin: Option<Origin>,
}

/// Receives what a slice holds, in order.
pub trait Sink {
    /// An accepted record.
    ///
    /// # Errors
    /// Whatever keeps the row from being kept; decoding stops.
    fn row(&mut self, row: &EncodedRow<'_>) -> Result<()>;

    /// Accepted records as rows of the decoder's layout, one after another, and the dictionaries of
    /// their codes.
    ///
    /// # Errors
    /// As [`Sink::row`].
    fn packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()>;

    /// A bad record.
    ///
    /// # Errors
    /// Once the run must stop.
    fn bad(&mut self, part: BadPart) -> Result<()>;
}
