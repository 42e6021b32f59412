//! What the plan asks for against what the backend supports.

use distil_plan::{Backend, Error, Need, ResolvedPlan, Result};

use crate::admit::Scanned;

/// Refuses a plan that asks the backend for something that it does not support, or whose records do, by
/// what a scan found. Starts or reaches what the backend stands on, whatever the plan asks for.
///
/// # Errors
/// A usage error that names everything that is not supported, for people and as data; as
/// [`Backend::check`].
pub(crate) fn refuse(
    plan: &ResolvedPlan,
    scanned: Option<&Scanned>,
    backend: &dyn Backend,
) -> Result<()> {
    backend.check()?;
    let mut refused: Vec<(Need, &'static str)> = Vec::new();
    let mut needs = plan.needs();
    if scanned.is_some_and(Scanned::is_respelled) && !needs.contains(&Need::Respelled) {
        needs.push(Need::Respelled);
    }
    for need in needs {
        if let Some(why) = backend.supports(&need)?.why_not() {
            refused.push((need, why));
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let mut error = Error::unsupported(backend.name(), &refused);
    if error.is_refusal_of(&Need::Respelled)
        && let Some(reading) = scanned.and_then(|scanned| scanned.readings.first())
        && let Some(first) = reading.converted.as_ref().or(reading.nulled.as_ref())
    {
        let (column, at) = (&reading.column, first.offset);
        error = error.detail(format!("{column}: first at {} byte {at}", first.file));
    }
    Err(error)
}
