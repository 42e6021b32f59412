//! Input without a record: an error, unless the plan says otherwise.

use distil_plan::{Code, Error, Hint, InputFormat, ResolvedPlan, Result};

/// Checks that input of `records` records, bad ones included, and `ranges` bad ranges is enough for the plan. Rows
/// of Parquet may be none, as their columns are known without them.
///
/// # Errors
/// An input error that says what was looked at. A plan that allows empty input has it where no schema is declared
/// as well, since nothing can be written then.
pub fn require_records(plan: &ResolvedPlan, records: u64, ranges: u64) -> Result<()> {
    let given = &plan.plan;
    let is_allowed = given.allow_empty && given.schema.declared.is_some();
    if records + ranges > 0 || is_allowed || given.format == InputFormat::Parquet {
        return Ok(());
    }
    let source = match given.sources.as_slice() {
        [one] if one == "-" => "standard input".to_owned(),
        [one] => one.clone(),
        all => format!("{} sources", all.len()),
    };
    let verb = if given.sources.len() == 1 { "holds" } else { "hold" };
    let what = match plan.inputs.as_slice() {
        [input] if given.sources.len() == 1 && input.display() == given.sources[0] => {
            "none".to_owned()
        }
        [] => "0 files".to_owned(),
        [_] => "1 file, and no record".to_owned(),
        all => format!("{} files, and no record", all.len()),
    };
    Err(Error::input(format!("no records: {source} {verb} {what}"))
        .coded(Code::NoRecords)
        .help("check that the sources are those that are meant")
        .help(Hint::choose(
            "or, where there may be nothing to do, let that be no error",
            "allow_empty",
        )))
}
