//! The first conflicts of a job, as people see them.

use distil_json::{RowReader, SortColumn};
use distil_plan::{Conflict, Dedup, Key, Result, Schema};

use crate::arrow::row_images;

/// Pairs of encoded rows, a survivor and the first that lost to it, with all columns of both. A key of the
/// whole record has none.
///
/// # Errors
/// A bug if a row does not fit the schema.
pub fn conflicts(
    dedup: Option<&Dedup>,
    schema: &Schema,
    rows: &[(Vec<u8>, Vec<u8>)],
) -> Result<Vec<Conflict>> {
    if rows.is_empty() || dedup.is_none_or(|dedup| dedup.key == Key::Record) {
        return Ok(Vec::new());
    }
    let (sort_columns, rest_reversed) = SortColumn::of(dedup);
    let mut reader = RowReader::new(schema, &sort_columns, rest_reversed, None)?;
    for (kept, dropped) in rows {
        reader.append(kept)?;
        reader.append(dropped)?;
    }
    let mut images = row_images(&reader.finish()?, schema)?.into_iter();
    let mut conflicts = Vec::new();
    while let (Some(kept), Some(dropped)) = (images.next(), images.next()) {
        conflicts.push(Conflict { kept, dropped });
    }
    Ok(conflicts)
}
