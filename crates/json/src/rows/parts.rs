//! The parts of key and order of a row, and the row that they make with the rest.

use distil_plan::NullKeys;

use crate::types::sort_column::SortColumn;
use crate::values::encoding::{self, Flip};

/// The values of the sort columns of one record, each encoded by itself.
///
/// A row is these parts, the key's first, and then all other columns as the members of an object and its
/// end (see [`crate::encoding`]). So the bytes of the key are equal exactly when the keys are, and the smallest
/// of the rows of one key is the survivor. Without sort columns the whole row is the key.
pub struct RowParts {
    columns: Vec<(SortColumn, Vec<u8>)>,
    key_parts: usize,
    null_keys: NullKeys,
}

/// A part of a key is null, and the plan does not allow it: which one, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NullKey(pub String);

impl RowParts {
    /// The parts of a plan with these sort columns.
    pub fn new(columns: Vec<SortColumn>, null_keys: NullKeys) -> Self {
        let key_parts = columns.iter().filter(|column| column.key).count();
        let columns = columns.into_iter().map(|column| (column, Vec::new())).collect();
        Self { columns, key_parts, null_keys }
    }

    /// Begins a record: all parts are null.
    pub fn clear(&mut self) {
        for (_, part) in &mut self.columns {
            part.clear();
        }
    }

    /// Where the part of a sort column, by its ordinal, is encoded, and in which direction.
    pub fn part(&mut self, ordinal: usize) -> (&mut Vec<u8>, Flip) {
        let (column, part) = &mut self.columns[ordinal];
        (part, Flip::reversed(column.reversed))
    }

    /// Whether the part of this ordinal belongs to the key.
    pub(crate) fn is_key(&self, ordinal: usize) -> bool {
        self.columns.get(ordinal).is_some_and(|(column, _)| column.key)
    }

    /// Puts the parts before `rest`: the row, and how many bytes of it are the key.
    ///
    /// # Errors
    /// The key has a null that the plan does not allow.
    pub fn assemble(&self, rest: Vec<u8>) -> Result<(Vec<u8>, usize), NullKey> {
        if self.columns.is_empty() {
            let key_length = rest.len();
            return Ok((rest, key_length));
        }
        let mut key_length = 0;
        let mut row = Vec::with_capacity(rest.len() + 64);
        for (ordinal, (column, part)) in self.columns.iter().enumerate() {
            if part.is_empty() {
                if column.key && self.null_keys == NullKeys::Error {
                    let path = &column.path;
                    return Err(NullKey(format!("the key column {path} is null or missing")));
                }
                encoding::null(&mut row);
            } else {
                row.extend_from_slice(part);
            }
            if ordinal + 1 == self.key_parts {
                key_length = row.len();
            }
        }
        row.extend_from_slice(&rest);
        Ok((row, key_length))
    }
}
