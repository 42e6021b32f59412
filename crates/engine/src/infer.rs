//! The schema of inputs, from all the data, without keeping a row.

use std::path::PathBuf;
use std::sync::Arc;

use distil_json::{Dictionary, Why};
use distil_output::quarantine::Quarantine;
use distil_plan::{InputReport, Phase, ResolvedPlan, Result, Schema, TypeNote, Watch};
use distil_storage::Storage;

use crate::EngineOptions;
use crate::decode::{Inputs, RowSink, decode};

/// What inputs hold.
#[derive(Clone, Debug)]
pub struct Inferred {
    /// The schema.
    pub schema: Schema,
    /// Why each column has its type.
    pub reasons: Vec<Why>,
    /// Columns whose type a few values decided.
    pub type_notes: Vec<TypeNote>,
    /// The inputs.
    pub inputs: Vec<InputReport>,
    /// Records found.
    pub records: u64,
    /// Members outside a declared schema that the plan leaves out.
    pub ignored_members: u64,
    /// Values that are rounded to a declared `float32` or `float64`.
    pub rounded: u64,
}

struct Nothing;

impl RowSink for Nothing {
    fn row(&mut self, _: &[u8], _: usize, _: u32) -> Result<()> {
        Ok(())
    }

    fn packed(&mut self, _: &[u64], _: &[Dictionary]) -> Result<()> {
        Ok(())
    }
}

/// Reads all inputs of a plan and infers their schema.
///
/// # Errors
/// As a run: bad records (the plan's quarantine is not written), a column that is not there, no schema.
pub fn infer(
    storage: &Arc<dyn Storage>,
    options: &EngineOptions,
    plan: &ResolvedPlan,
    watch: Watch<'_>,
) -> Result<Inferred> {
    let quarantine = Quarantine::new(plan, Arc::clone(storage), None, PathBuf::new());
    let inputs = Inputs { storage, plan, options, quarantine: &quarantine, watch };
    watch.events.begin(Phase::Decode, plan.inputs.iter().map(|input| input.bytes).sum());
    let mut sinks: Vec<Nothing> = (0..options.threads).map(|_| Nothing).collect();
    let decoded = decode(&inputs, &mut sinks, None, Vec::new())?;
    quarantine
        .finish(decoded.read)
        .map_err(|error| quarantine.prefer_missing_key(error, &decoded.seen))?;
    let schema = decoded.seen.schema()?;
    decoded.seen.require_chosen(&plan.plan, &schema)?;
    Ok(Inferred {
        schema,
        reasons: decoded.seen.reasons(),
        type_notes: decoded.seen.type_notes(),
        inputs: decoded.inputs,
        records: decoded.read,
        ignored_members: decoded.seen.tally.ignored_members,
        rounded: decoded.seen.tally.rounded,
    })
}
