//! Plan to resolved plan.

use distil_plan::{
    Error, Hint, Input, InputFormat, Plan, ResolvedPlan, Result, hive_columns, is_place,
};
use distil_storage::Storage;

use crate::discover::{Discovery, discover};

/// A resolved plan, and what was found on the way.
#[derive(Debug)]
pub struct Resolved {
    /// What the backend gets.
    pub plan: ResolvedPlan,
    /// The inputs as they were found, and warnings.
    pub discovery: Discovery,
}

/// Lists the inputs of a plan.
///
/// Nothing is read here. A backend that supports [`distil_plan::Need::BadRecords`] recognises
/// compression and shape and infers the schema while it reads; for any other,
/// [`crate::admit::admit`] does it.
///
/// # Errors
/// As [`discover`]; an input error for directories that give one column twice, or one that the plan adds.
pub fn resolve(storage: &dyn Storage, plan: Plan) -> Result<Resolved> {
    // Names and first bytes tell JSON alone.
    let all_files = plan.all_files || plan.format == InputFormat::Parquet;
    let mut discovery = discover(storage, &plan.sources, all_files)?;
    let inputs: Vec<Input> = discovery
        .inputs
        .iter()
        .map(|found| Input {
            path: found.path.clone().into(),
            bytes: found.bytes,
            version: found.stamp.map_or(0, |stamp| stamp.version),
            compression: None,
            shape: None,
        })
        .collect();
    if plan.hive {
        check_hive(&plan, &inputs, &mut discovery.warnings)?;
    }
    let schema = plan.schema.declared.clone();
    Ok(Resolved { plan: ResolvedPlan { plan, inputs, schema, admitted: false }, discovery })
}

/// Looks at the columns that the directories of inputs give.
fn check_hive(plan: &Plan, inputs: &[Input], warnings: &mut Vec<String>) -> Result<()> {
    let added: Vec<&str> = plan.added_columns().collect();
    let mut found = false;
    for input in inputs {
        let columns = hive_columns(&input.display())?;
        found |= !columns.is_empty();
        let is_added = |name: &str| added.contains(&name) || (plan.origin && is_place(name));
        if let Some(column) = columns.iter().find(|column| is_added(&column.name)) {
            let what = format!("a directory gives the column {}, which the plan adds", column.name);
            return Err(Error::input(what)
                .at(input.display(), None)
                .help(Hint::choose("give the added column another name", "add")));
        }
    }
    if !found && !inputs.is_empty() {
        warnings.push("no directory of an input gives a column, as year=2024 would".to_owned());
    }
    Ok(())
}
