//! A run from inputs to staged files: the wiring of the stages.
//!
//! Decoding ends before anything is encoded, because only all records together tell the schema.

use std::sync::Arc;

use distil_json::{Dictionary, EncodedRow, PackedLayout};
use distil_kernel::no_records::require_records;
use distil_kernel::reduce::Policy;
use distil_kernel::rows::Row;
use distil_output::quarantine::{Quarantine, SetAside};
use distil_plan::{Error, Phase, Report, Request, Result, Schema};
use distil_storage::Storage;

use crate::decode::{Decoded, Inputs, RowSink, decode};
use crate::exchange::{Exchange, Sample, Shard, packed_table, partitions, sample};
use crate::report::Clock;
use crate::write::{WritePhase, Written};
use crate::{EngineOptions, budget, report, stores};

/// Runs a resolved plan.
pub(crate) fn run(
    storage: &Arc<dyn Storage>,
    options: &EngineOptions,
    request: &Request<'_>,
) -> Result<Report> {
    let plan = &request.plan.plan;
    budget::check(options.memory, request.plan)?;
    let storage = &stores::of_run(storage, options, request.plan, request.watch.cancel);
    let quarantine = Quarantine::new(
        request.plan,
        Arc::clone(storage),
        request.staging.quarantine.clone(),
        request.staging.scratch.clone(),
    )
    .stopped_by(request.watch.cancel);
    if !plan.is_settled() {
        return Err(Error::bug("null texts came to the engine without their columns"));
    }
    let policy = Policy::of(plan);
    let options = &EngineOptions { row_bytes: budget::rows(options.row_bytes, policy), ..*options };
    let inputs = Inputs {
        storage,
        plan: request.plan,
        options,
        quarantine: &quarantine,
        watch: request.watch,
        surveys: false,
    };
    let mut report = Report::new("native");
    let mut clock = Clock::start();

    let exchanged = exchange(&inputs, request, policy)?;
    require_records(request.plan, exchanged.decoded.read, exchanged.set_aside.counts.ranges)?;
    let schema = schema(&exchanged.decoded, &exchanged.set_aside)?;
    exchanged.decoded.seen.require_chosen(plan, &schema)?;
    report.resources.spilled_bytes = exchanged.spilled_bytes + quarantine.spilled_bytes();
    report.resources.threads = options.threads as u64;
    let (bytes, records) = (exchanged.decoded.bytes, exchanged.decoded.read);
    tracing::info!(records, bytes, spilled = report.resources.spilled_bytes, "decoded all input");
    report.stages.push(clock.lap("decode", bytes, records));

    let columns = match &plan.columns {
        Some(columns) => schema.project(columns),
        None => schema.clone(),
    };
    let Exchanged { mut decoded, set_aside, rows, .. } = exchanged;
    let dictionaries = std::mem::take(&mut decoded.dictionaries);
    request.watch.events.begin(Phase::Encode, Some(decoded.read - set_aside.counts.records));
    let written = write(&inputs, request, policy, dictionaries, rows, &schema, &columns)?;
    let (rows, bytes) = (written.totals.rows, written.totals.bytes);
    tracing::info!(rows, bytes, "encoded all rows");
    report.stages.push(clock.lap("encode", written.totals.bytes, written.totals.rows));
    report::fill(&mut report, plan, decoded, set_aside, written, &columns)?;
    Ok(report)
}

/// What is there when all input is read.
struct Exchanged {
    decoded: Decoded,
    set_aside: SetAside,
    rows: ExchangedRows,
    spilled_bytes: u64,
}

/// The rows of all workers, by worker and partition.
struct ExchangedRows {
    shards: Vec<Vec<Shard>>,
    /// The layout of packed rows, if rows were packed.
    packed: Option<Arc<PackedLayout>>,
}

/// Decodes all inputs, and scatters their rows into partitions.
fn exchange(inputs: &Inputs<'_>, request: &Request<'_>, policy: Policy) -> Result<Exchanged> {
    let options = inputs.options;
    request
        .watch
        .events
        .begin(Phase::Decode, request.plan.inputs.iter().map(|input| input.bytes).sum());
    // Losers that are wanted are encoded rows.
    let Sample { splitters, layout, opened } = sample(inputs, policy == Policy::Keep)?;
    let packed = layout.clone().filter(|layout| layout.packs);
    let (partitions, packs) = (splitters.partitions(), packed.is_some());
    tracing::debug!(partitions, packs, "sampled the input");
    let mut workers: Vec<Scatter<'_>> = (0..options.threads)
        .map(|worker| Scatter {
            exchange: Exchange::new(
                inputs.storage.as_ref(),
                &request.staging.scratch,
                &splitters,
                packed.as_ref(),
                policy,
                options.shares(),
                worker,
            )
            .stopped_by(request.watch.cancel),
        })
        .collect();
    let decoded = decode(inputs, &mut workers, layout.as_ref(), opened)?;
    let set_aside = inputs
        .quarantine
        .finish(&decoded.totals())
        .map_err(|error| inputs.quarantine.prefer_missing_key(error, &decoded.seen))?;
    let to_disk = workers.iter().any(|worker| worker.exchange.has_spilled());
    let (mut shards, mut spilled_bytes) = (Vec::new(), 0);
    for worker in workers {
        let (of_worker, spilled) = worker.exchange.finish(to_disk)?;
        spilled_bytes += spilled;
        shards.push(of_worker);
    }
    Ok(Exchanged { decoded, set_aside, rows: ExchangedRows { shards, packed }, spilled_bytes })
}

/// The schema that all records together have.
fn schema(decoded: &Decoded, set_aside: &SetAside) -> Result<Schema> {
    let explain = |error| Quarantine::explain(error, decoded.read, &set_aside.counts);
    decoded.seen.schema().map_err(explain)
}

/// Reduces the partitions of records of `schema`, and writes their `columns`.
fn write(
    inputs: &Inputs<'_>,
    request: &Request<'_>,
    policy: Policy,
    dictionaries: Vec<Vec<Dictionary>>,
    ExchangedRows { shards, packed }: ExchangedRows,
    schema: &Schema,
    columns: &Schema,
) -> Result<Written> {
    let options = inputs.options;
    let most = options.shares().partition();
    let partitions = partitions(shards, policy, packed.as_deref(), most, request.watch.cancel)?;
    let table = packed
        .map(|layout| packed_table(&layout, &dictionaries, schema, options.threads))
        .transpose()?
        .map(Arc::new);
    drop(dictionaries);
    WritePhase {
        plan: &request.plan.plan,
        storage: inputs.storage,
        request,
        policy,
        schema,
        written: columns,
        partitions,
        table,
        threads: options.threads,
        shares: options.shares(),
    }
    .run()
}

/// A worker's way from decoder to exchange.
struct Scatter<'a> {
    exchange: Exchange<'a>,
}

impl RowSink for Scatter<'_> {
    fn row(&mut self, row: &EncodedRow<'_>) -> Result<()> {
        self.exchange.push(&Row::of(row))
    }

    fn packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()> {
        self.exchange.push_packed(rows, dictionaries)
    }
}
