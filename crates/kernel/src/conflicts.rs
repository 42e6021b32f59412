//! The first conflicts of a job, as people see them.

use distil_json::{RowForm, RowReader};
use distil_plan::{Conflict, Key, ResolvedPlan, Result, Schema};

use crate::arrow::row_images;
use crate::reduce_partition::ShownRow;

/// Pairs of encoded rows, a survivor and the first that lost to it, with all columns of both. A key of the
/// whole record has none.
///
/// # Errors
/// A bug if a row does not fit the schema.
pub fn conflicts(
    plan: &ResolvedPlan,
    schema: &Schema,
    rows: &[(ShownRow, ShownRow)],
) -> Result<Vec<Conflict>> {
    let dedup = plan.plan.dedup.as_ref();
    if rows.is_empty() || dedup.is_none_or(|dedup| dedup.key == Key::Record) {
        return Ok(Vec::new());
    }
    let mut reader = RowReader::new(schema, &RowForm::of(plan), None, 2 * rows.len())?;
    for (kept, dropped) in rows {
        reader.append(&kept.0, kept.1)?;
        reader.append(&dropped.0, dropped.1)?;
    }
    let mut images = row_images(&reader.finish()?, schema)?.into_iter();
    let mut conflicts = Vec::new();
    while let (Some(kept), Some(dropped)) = (images.next(), images.next()) {
        conflicts.push(Conflict { kept, dropped });
    }
    Ok(conflicts)
}
