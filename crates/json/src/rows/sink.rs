//! Where a decoder's rows and bad records go.

use distil_plan::{BadPart, Result};

use crate::packed::dictionary::Dictionary;

/// Receives what a slice holds, in order.
pub trait Sink {
    /// An accepted record: its row, how many bytes of it are the key, and the bytes of its values (8 for
    /// a number, 1 for a boolean, the length of a string as it is spelled).
    ///
    /// # Errors
    /// Whatever keeps the row from being kept; decoding stops.
    fn row(&mut self, row: &[u8], key_length: usize, value_bytes: u32) -> Result<()>;

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
