//! An input of Parquet as its row groups, each of which any thread can decode.

use std::collections::HashMap;
use std::sync::Arc;

use distil_kernel::arrow::record_schema;
use distil_output::reader::PartFile;
use distil_plan::{Error, Field, Input, Plan, Result};
use distil_storage::Storage;

use super::known;

/// A row group on its way to a worker.
pub(crate) struct RowGroup {
    pub(crate) input: usize,
    pub(crate) part: Arc<PartFile>,
    /// Which of the file.
    pub(crate) group: usize,
    /// The first of its rows, counted in the file.
    pub(crate) first_row: u64,
}

/// Opens a file of the columns that the plan declares, or of some of them.
///
/// # Errors
/// An input error for anything else, an environment error if it can't be read.
pub(crate) fn open(storage: &dyn Storage, plan: &Plan, input: &Input) -> Result<PartFile> {
    let part = PartFile::open_known(storage, &input.path, known(input))?;
    check_columns(&part, plan).map_err(|error| error.at(input.display(), None))?;
    Ok(part)
}

fn check_columns(part: &PartFile, plan: &Plan) -> Result<()> {
    let declared = plan.schema.declared.clone().unwrap_or_default();
    let by_name: HashMap<&str, &Field> =
        declared.fields.iter().map(|field| (field.name.as_str(), field)).collect();
    for found in record_schema(part.schema(), Some(&declared))?.fields {
        let expected = by_name.get(found.name.as_str());
        if expected.is_none_or(|field| field.data_type != found.data_type) {
            let said = match expected {
                Some(field) => format!("a column of the type {}", field.data_type),
                None => "no such column".to_owned(),
            };
            let (name, data_type) = (&found.name, &found.data_type);
            return Err(Error::input(format!(
                "its column {name} has the type {data_type}, where the plan has {said}"
            ))
            .help("read files of the same columns together, others apart"));
        }
    }
    Ok(())
}

/// The row groups of an input, in order.
pub(crate) fn row_groups(input: usize, part: PartFile) -> Vec<RowGroup> {
    let part = Arc::new(part);
    let mut first_row = 0;
    (0..part.row_groups())
        .map(|group| {
            let row_group = RowGroup { input, part: Arc::clone(&part), group, first_row };
            first_row += part.group_rows(group);
            row_group
        })
        .collect()
}
