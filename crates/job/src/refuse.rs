//! What the plan asks for against what the backend supports.

use distil_plan::{Backend, Error, Need, ResolvedPlan, Result};

/// Refuses a plan that asks the backend for something that it does not support. Starts or reaches
/// what the backend stands on, whatever the plan asks for.
///
/// # Errors
/// A usage error that names everything that is not supported, for people and as data; as
/// [`Backend::check`].
pub(crate) fn refuse(plan: &ResolvedPlan, backend: &dyn Backend) -> Result<()> {
    backend.check()?;
    let mut refused: Vec<(Need, &'static str)> = Vec::new();
    for need in plan.needs() {
        if let Some(why) = backend.supports(&need)?.why_not() {
            refused.push((need, why));
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(Error::unsupported(backend.name(), &refused))
}
