//! Plan to resolved plan.

use distil_plan::{Input, InputFormat, Plan, ResolvedPlan, Result};
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
/// As [`discover`].
pub fn resolve(storage: &dyn Storage, plan: Plan) -> Result<Resolved> {
    // Names and first bytes tell JSON alone.
    let all_files = plan.all_files || plan.format == InputFormat::Parquet;
    let discovery = discover(storage, &plan.sources, all_files)?;
    let inputs = discovery
        .inputs
        .iter()
        .map(|found| Input {
            path: found.path.clone().into(),
            bytes: found.bytes,
            compression: None,
            shape: None,
        })
        .collect();
    let schema = plan.schema.declared.clone();
    Ok(Resolved { plan: ResolvedPlan { plan, inputs, schema, admitted: false }, discovery })
}
