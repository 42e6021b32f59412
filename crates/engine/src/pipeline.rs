//! A run from inputs to staged files: the wiring of the stages.
//!
//! Decoding ends before anything is encoded, because only all records together tell the schema.

use std::sync::Arc;
use std::time::Instant;

use distil_json::digest::Digest;
use distil_json::{Dictionary, Seen};
use distil_kernel::reduce::Policy;
use distil_kernel::rows::{Row, SINGLE};
use distil_output::quarantine::Quarantine;
use distil_plan::{Error, Plan, RecordCounts, Report, Request, Result, Schema, Stage, StageReport};
use distil_storage::Storage;

use crate::Options;
use crate::decode::{Decoded, Inputs, RowSink, decode, prefer_missing_key};
use crate::exchange::{Exchange, Sample, Shard, packed_table, partitions, sample};
use crate::write::WritePhase;

/// Bytes of rows from which on a range is split, however large the memory: ranges are meant to fit a
/// cache, and one that does not keeps one thread busy while the others wait.
const RANGE_BYTES: u64 = 8 << 20;

/// Runs a resolved plan.
pub(crate) fn run(
    storage: &Arc<dyn Storage>,
    options: &Options,
    request: &Request<'_>,
) -> Result<Report> {
    if options.memory < Options::MIN_MEMORY {
        return Err(Error::usage(format!(
            "{} of memory are too little, the least is {}",
            distil_plan::format_bytes(options.memory),
            distil_plan::format_bytes(Options::MIN_MEMORY)
        )));
    }
    let plan = &request.plan.plan;
    let quarantine = Quarantine::new(
        request.plan,
        Arc::clone(storage),
        request.staging.quarantine.clone(),
        request.staging.scratch.clone(),
    );
    let inputs = Inputs {
        storage,
        plan: request.plan,
        options,
        quarantine: &quarantine,
        events: request.events,
        cancel: request.cancel,
    };
    let policy = match (&plan.dedup, &plan.dropped) {
        (None, _) => Policy::All,
        (Some(_), Some(_)) => Policy::KeepLosers,
        (Some(_), None) => Policy::Keep,
    };
    let mut report = Report::new("native");

    let mut clock = Clock::start();
    request.events.begin(Stage::Decode, request.plan.inputs.iter().map(|input| input.bytes).sum());
    // Losers that are wanted are encoded rows.
    let Sample { splitters, layout, opened } = sample(&inputs, policy == Policy::Keep)?;
    let packed = layout.as_ref().filter(|layout| layout.packs);
    let mut workers: Vec<Scatter<'_>> = (0..options.threads)
        .map(|worker| Scatter {
            exchange: Exchange::new(
                storage.as_ref(),
                &request.staging.scratch,
                &splitters,
                packed,
                policy,
                options.row_bytes,
                worker,
            ),
        })
        .collect();
    let decoded = decode(&inputs, &mut workers, layout.as_ref(), opened)?;
    let quarantined = quarantine
        .finish(decoded.read)
        .map_err(|error| prefer_missing_key(error, &decoded.seen))?;
    let mut held: Vec<Vec<Shard>> = Vec::new();
    let to_disk = workers.iter().any(|worker| worker.exchange.has_spilled());
    for worker in workers {
        let (kept, spilled) = worker.exchange.finish(to_disk)?;
        report.resources.spilled_bytes += spilled;
        held.push(kept);
    }
    report.resources.spilled_bytes += quarantine.spilled_bytes();
    let accepted = decoded.read - quarantined.records;
    let schema = decoded.seen.schema().map_err(|error| match (accepted, decoded.read) {
        (0, 1..) => error.help(
            "no record is good: without --quarantine the run tells what is wrong with the first",
        ),
        _ => error,
    })?;
    check_columns(plan, &decoded.seen, &schema)?;
    report.stages.push(clock.lap("decode", decoded.bytes, decoded.read));

    let written =
        plan.columns.as_ref().map_or_else(|| schema.clone(), |columns| schema.project(columns));
    // What is read back at once, sorted and encoded by one thread.
    let range_bytes = (options.row_bytes / 8).min(RANGE_BYTES);
    let partitions = partitions(held, packed.map(Arc::as_ref), range_bytes);
    let table = packed
        .map(|layout| packed_table(layout, &decoded.dictionaries, &schema, options.threads))
        .transpose()?
        .map(Arc::new);
    let phase = WritePhase {
        plan,
        storage: storage.as_ref(),
        request,
        policy,
        schema: &schema,
        written: &written,
        partitions,
        table,
        threads: options.threads,
    };
    request.events.begin(Stage::Encode, Some(accepted));
    let finished = phase.run()?;
    report.stages.push(clock.lap("encode", finished.totals.bytes, finished.totals.rows));

    let Decoded { seen, inputs, read, .. } = decoded;
    report.records = RecordCounts {
        read,
        accepted,
        written: finished.tally.written,
        duplicates: distil_plan::Duplicates {
            identical: finished.tally.identical,
            conflicting: finished.tally.conflicting,
        },
        quarantined,
        ignored_members: seen.tally.ignored_members,
        rounded: seen.tally.rounded,
    };
    if finished.totals.rows != finished.tally.written {
        return Err(Error::bug(format!(
            "{} rows survive, but {} were encoded",
            finished.tally.written, finished.totals.rows
        )));
    }
    report.inputs = inputs;
    report.conflicts = finished.conflicts;
    report.set_schema(&written);
    report.output.files = finished.totals.files;
    report.output.bytes = finished.totals.bytes;
    report.output.row_groups = finished.totals.row_groups;
    report.output.digest = plan.digest.then(|| Digest(finished.totals.digest).to_string());
    report.resources.threads = options.threads as u64;
    Ok(report)
}

/// Columns that the plan names outside key and order must be there, too.
pub(crate) fn check_columns(plan: &Plan, seen: &Seen, schema: &Schema) -> Result<()> {
    let columns = plan.columns.iter().flatten().chain(&plan.sink.bloom);
    for path in columns {
        seen.require(schema, path)?;
    }
    Ok(())
}

/// Time of the stages: of the clock, and of the processors.
struct Clock {
    wall: Instant,
    cpu: f64,
}

impl Clock {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu_seconds() }
    }

    fn lap(&mut self, name: &str, bytes: u64, rows: u64) -> StageReport {
        let now = Self::start();
        let stage = StageReport {
            name: name.to_owned(),
            seconds: now.wall.duration_since(self.wall).as_secs_f64(),
            cpu_seconds: now.cpu - self.cpu,
            bytes,
            rows,
        };
        *self = now;
        stage
    }
}

fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A worker's way from decoder to exchange.
struct Scatter<'a> {
    exchange: Exchange<'a>,
}

impl RowSink for Scatter<'_> {
    fn row(&mut self, row: &[u8], key_length: usize, value_bytes: u32) -> Result<()> {
        self.exchange.push(&Row { bytes: row, key_length, value_bytes, counts: SINGLE })
    }

    fn packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()> {
        self.exchange.push_packed(rows, dictionaries)
    }
}
