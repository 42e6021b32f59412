//! Where a record lies, as columns of it.

/// The column of the path of the file that a record lies in.
pub const FILE_COLUMN: &str = "_file";
/// The column of the offset of a record in its file, decompressed.
pub const POSITION_COLUMN: &str = "_position";

/// Whether a column is one of these.
pub fn is_place(name: &str) -> bool {
    name == FILE_COLUMN || name == POSITION_COLUMN
}

/// Where a record lies. Inputs are in the order of their paths, so that an earlier one is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Ordinal of the input.
    pub input: u32,
    /// Offset of its first byte in the decompressed input.
    pub offset: u64,
}
