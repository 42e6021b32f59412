//! The first rows of an output.

use std::path::Path;

use distil_kernel::arrow::{Member, columns_of, row_image};
use distil_plan::{Result, RowImage, Schema};
use distil_storage::Storage;

use crate::reader::open_output;

/// The beginning of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The names of the columns, in their order, and their types: distil's, or those that a file of
    /// others has.
    pub columns: Vec<(String, String)>,
    /// The first rows, each as a JSON object with the columns in their order; null columns are left
    /// out. Numbers keep all digits, instants are RFC 3339, binary is base64.
    pub rows: Vec<RowImage>,
    /// All rows of the output.
    pub total: u64,
}

/// Reads the first `count` rows of an output.
///
/// # Errors
/// As [`open_output`]; an input error for a type that distil does not read.
pub fn head(storage: &dyn Storage, path: &Path, count: usize) -> Result<Head> {
    let parts = open_output(storage, path)?;
    let mut rows = Vec::new();
    let mut columns = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let schema = part.footer()?.map(|footer| footer.schema);
        if at == 0 {
            columns = describe(schema.as_ref(), part.schema());
        }
        if rows.len() >= count {
            continue;
        }
        for batch in part.batches(None)? {
            let batch = batch?;
            let members = columns_of(&batch, schema.as_ref())
                .map_err(|error| error.at(part.path().to_string_lossy(), None))?;
            let in_order = file_order(&members, &columns);
            for row in 0..batch.num_rows().min(count - rows.len()) {
                rows.push(row_image(&in_order, row)?);
            }
            if rows.len() >= count {
                break;
            }
        }
    }
    let total = parts.iter().map(|part| part.rows()).sum();
    Ok(Head { columns, rows, total })
}

fn describe(schema: Option<&Schema>, found: &arrow_schema::Schema) -> Vec<(String, String)> {
    match schema {
        Some(schema) => {
            schema.fields.iter().map(|f| (f.name.clone(), f.data_type.to_string())).collect()
        }
        None => {
            found.fields().iter().map(|f| (f.name().clone(), f.data_type().to_string())).collect()
        }
    }
}

/// The members, which are sorted by name, in the order of the columns.
fn file_order<'a>(members: &'a [Member], columns: &[(String, String)]) -> Vec<&'a Member> {
    let member = |name: &String| members.binary_search_by(|member| member.name.cmp(name));
    columns.iter().filter_map(|(name, _)| member(name).ok().map(|at| &members[at])).collect()
}
