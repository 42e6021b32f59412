//! Texts that stand for null without a column: which inferred columns they are of, all the data say.

use distil_plan::{Error, Hint, ResolvedPlan, Result, Watch};

use crate::admit::Scan;

/// Names the inferred columns in which texts stand for null that the plan gives without a column; a plan that
/// leaves nothing open stays as it is.
///
/// # Errors
/// A usage error if an input can be read only once; as [`Scan::null_text_columns`].
pub fn settle(
    resolved: &mut ResolvedPlan,
    scan: Option<&dyn Scan>,
    watch: Watch<'_>,
) -> Result<()> {
    if resolved.plan.is_settled() {
        return Ok(());
    }
    let by_column = || Hint::new("name the columns, as in price=NA");
    if let Some(stream) = resolved.inputs.iter().find(|input| input.bytes.is_none()) {
        return Err(Error::usage(format!(
            "which columns the null texts are of is known once all data were read, and {} can be read \
             only once",
            stream.display()
        ))
        .help("save it to a file first")
        .help(by_column()));
    }
    let scan = scan.ok_or_else(|| {
        Error::usage("null texts without a column need a native scan, and there is none here")
            .help(by_column())
    })?;
    let columns = scan.null_text_columns(resolved, watch)?;
    resolved.plan.settle(columns);
    Ok(())
}
