//! The schema of inputs, from all the data, without keeping a row.

use std::path::PathBuf;
use std::sync::Arc;

use distil_json::{Dictionary, EncodedRow, Fix, PackedLayout, RecordTally, Why};
use distil_kernel::no_records::require_records;
use distil_kernel::reduce::Policy;
use distil_kernel::splitters::Splitters;
use distil_output::quarantine::Quarantine;
use distil_plan::{
    ColumnPath, ColumnReading, InputReport, Phase, ResolvedPlan, Result, Schema, TypeNote, Watch,
};
use distil_storage::Storage;

use crate::decode::{Decoded, Inputs, RowSink, decode};
use crate::exchange::{Sample, sample};
use crate::{EngineOptions, stores};

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
    /// Counts of the accepted ones.
    pub tally: RecordTally,
    /// What was read otherwise than it stands, by column.
    pub readings: Vec<ColumnReading>,
    /// What a user should know: files that were passed over ...
    pub warnings: Vec<String>,
}

struct Nothing;

impl RowSink for Nothing {
    fn row(&mut self, _: &EncodedRow<'_>) -> Result<()> {
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
    let decoded = scan(storage, options, plan, watch, false)?;
    let schema = decoded.seen.schema()?;
    decoded.seen.require_chosen(&plan.plan, &schema)?;
    Ok(Inferred {
        schema,
        reasons: decoded.seen.reasons(),
        type_notes: decoded.seen.type_notes(),
        readings: decoded.seen.readings(&decoded.inputs),
        tally: decoded.seen.tally,
        inputs: decoded.inputs,
        records: decoded.read,
        warnings: Vec::new(),
    })
}

/// What a survey of all values says.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// Hints that make columns hold the types of most of their values.
    pub fixes: Vec<Fix>,
    /// The inferred columns in which the texts that the plan gives without a column stand for null.
    pub null_text_columns: Vec<ColumnPath>,
}

/// Reads all inputs of a plan and counts the values of inferred columns by what they are.
///
/// # Errors
/// As [`infer`], but for what the schema would not allow.
pub fn survey(
    storage: &Arc<dyn Storage>,
    options: &EngineOptions,
    plan: &ResolvedPlan,
    watch: Watch<'_>,
) -> Result<Surveyed> {
    let seen = scan(storage, options, plan, watch, true)?.seen;
    Ok(Surveyed { fixes: seen.fixes(), null_text_columns: seen.null_text_columns() })
}

/// Where the partitions of a plan's rows end, and what its records are like, from pieces all over its inputs.
///
/// # Errors
/// An environment error if an input can't be read.
pub fn sample_inputs(
    storage: &Arc<dyn Storage>,
    options: &EngineOptions,
    plan: &ResolvedPlan,
    watch: Watch<'_>,
) -> Result<(Splitters, Option<PackedLayout>)> {
    let storage = &stores::of_run(storage, options, plan, watch.cancel);
    let quarantine = Quarantine::new(plan, Arc::clone(storage), None, PathBuf::new());
    let quarantine = quarantine.stopped_by(watch.cancel);
    let inputs = Inputs { storage, plan, options, quarantine: &quarantine, watch, surveys: false };
    // Losers that are wanted are encoded rows.
    let Sample { splitters, layout, .. } = sample(&inputs, Policy::of(&plan.plan) == Policy::Keep)?;
    Ok((splitters, layout.map(Arc::unwrap_or_clone)))
}

fn scan(
    storage: &Arc<dyn Storage>,
    options: &EngineOptions,
    plan: &ResolvedPlan,
    watch: Watch<'_>,
    surveys: bool,
) -> Result<Decoded> {
    let storage = &stores::of_run(storage, options, plan, watch.cancel);
    let sets_aside = surveys && plan.plan.quarantine.path.is_some();
    let quarantine = match sets_aside {
        true => Quarantine::passing_over(plan, Arc::clone(storage)),
        false => Quarantine::new(plan, Arc::clone(storage), None, PathBuf::new()),
    }
    .stopped_by(watch.cancel);
    let inputs = Inputs { storage, plan, options, quarantine: &quarantine, watch, surveys };
    watch.events.begin(Phase::Decode, plan.inputs.iter().map(|input| input.bytes).sum());
    let mut sinks: Vec<Nothing> = (0..options.threads).map(|_| Nothing).collect();
    let decoded = decode(&inputs, &mut sinks, None, Vec::new())?;
    let quarantined = quarantine
        .finish(&decoded.totals())
        .map_err(|error| quarantine.prefer_missing_key(error, &decoded.seen))?;
    require_records(plan, decoded.read, quarantined.counts.ranges)?;
    Ok(decoded)
}
