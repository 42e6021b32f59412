//! Plan to resolved plan.

use distil_plan::{Backend, Capability, Error, Input, Plan, ResolvedPlan, Result};
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

/// Lists the inputs of a plan, as far as `backend` needs it.
///
/// A backend that resolves by itself ([`Capability::Resolve`]) recognises compression and shape and
/// infers the schema while it reads, so nothing is read here. Any other backend must get inputs that
/// are sniffed and a settled schema.
///
/// # Errors
/// As [`discover`]; a usage error for a backend that does not resolve by itself.
pub fn resolve(storage: &dyn Storage, plan: Plan, backend: &dyn Backend) -> Result<Resolved> {
    let discovery = discover(storage, &plan.sources)?;
    if !backend.capabilities().contains(&Capability::Resolve) {
        return Err(Error::usage(format!(
            "the backend {} needs inputs whose shape and schema are settled before it runs, which \
             this version of distil can't do",
            backend.name()
        ))
        .help("use --backend native"));
    }
    let inputs = discovery
        .inputs
        .iter()
        .map(|found| Input {
            path: found.path.clone(),
            bytes: found.bytes,
            compression: None,
            shape: None,
        })
        .collect();
    let schema = plan.schema.declared.clone();
    Ok(Resolved { plan: ResolvedPlan { plan, inputs, schema, admitted: false }, discovery })
}
