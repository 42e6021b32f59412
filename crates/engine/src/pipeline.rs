//! A run from inputs to staged files: the wiring of the stages.
//!
//! Decoding ends before anything is encoded, because only all records together tell the schema. Then
//! threads reduce ranges and encode row groups, in whatever order they come to it; groups are cut and
//! written in the order of the ranges.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use distil_job::head::row_images;
use distil_job::quarantine::Quarantine;
use distil_json::digest::Digest;
use distil_json::{Interner, Part, RowReader, Seen};
use distil_plan::{
    Cancel, ColumnPath, Conflict, Error, Events, Key, Layout, Plan, RecordCounts, Report, Request,
    Result, Schema, Stage, StageReport,
};
use distil_storage::Storage;

use crate::Options;
use crate::decode::{Decoded, Inputs, RowSink, decode, more_to_the_point};
use crate::dedup::Policy;
use crate::encode::{Batch, EncodedGroup, Encoder, Group, Lane};
use crate::exchange::{Exchange, Held};
use crate::output::{Description, Output, Totals};
use crate::packed::{PackedScratch, Packing};
use crate::ranges::{Outcome, Range, SHOWN, Tally, ranges};
use crate::rows::{Row, SINGLE};
use crate::sample::{Sample, sample};
use crate::threads;

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
    let mut workers: Vec<Scatter<'_>> = (0..options.threads)
        .map(|worker| Scatter {
            exchange: Exchange::new(
                storage.as_ref(),
                &request.staging.scratch,
                &splitters,
                layout.as_ref(),
                policy,
                options.row_bytes,
                worker,
            ),
        })
        .collect();
    let decoded = decode(&inputs, &mut workers, layout.as_ref(), opened)?;
    let quarantined =
        quarantine.finish(decoded.read).map_err(|error| more_to_the_point(error, &decoded.seen))?;
    let mut held: Vec<Vec<Held>> = Vec::new();
    let to_disk = workers.iter().any(|worker| worker.exchange.has_spilled());
    for worker in workers {
        let (kept, spilled) = worker.exchange.finish(to_disk)?;
        report.resources.spilled_bytes += spilled;
        held.push(kept);
    }
    report.resources.spilled_bytes += quarantine.spilled_bytes();
    let schema = decoded.seen.schema()?;
    check_columns(plan, &decoded.seen, &schema)?;
    report.stages.push(clock.lap("decode", decoded.bytes, decoded.read));

    let written =
        plan.columns.as_ref().map_or_else(|| schema.clone(), |columns| schema.project(columns));
    // What is read back at once, sorted and encoded by one thread.
    let range_bytes = (options.row_bytes / 8).min(RANGE_BYTES);
    let ranges = ranges(held, layout.as_deref(), range_bytes);
    let packing = layout
        .map(|layout| Packing::new(layout, &decoded.dictionaries, &schema, options.threads))
        .transpose()?;
    let finale = Finale {
        plan,
        storage: storage.as_ref(),
        request,
        policy,
        schema: &schema,
        written: &written,
        ranges,
        packing,
        threads: options.threads,
    };
    let accepted = decoded.read - quarantined.records;
    request.events.begin(Stage::Encode, Some(accepted));
    let finished = finale.run()?;
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

    fn packed(&mut self, rows: &[u64], dictionaries: &[Interner]) -> Result<()> {
        self.exchange.push_packed(rows, dictionaries)
    }
}

/// The second half of a run.
struct Finale<'a> {
    plan: &'a Plan,
    storage: &'a dyn Storage,
    request: &'a Request<'a>,
    policy: Policy,
    schema: &'a Schema,
    written: &'a Schema,
    ranges: Vec<Range>,
    packing: Option<Packing>,
    threads: usize,
}

struct Finished {
    totals: Totals,
    tally: Tally,
    conflicts: Vec<Conflict>,
}

/// Work that is under way.
struct State {
    next_range: usize,
    reduced: BTreeMap<usize, Outcome>,
    assembled: usize,
    lanes: Vec<Lane>,
    ready: VecDeque<(usize, usize, Group)>,
    tally: Tally,
    conflicts: Vec<(Vec<u8>, Vec<u8>)>,
    flushed: bool,
    failed: Option<Error>,
}

enum Task {
    Reduce(usize),
    Encode(usize, usize, Group),
}

impl Finale<'_> {
    fn run(&self) -> Result<Finished> {
        let sink = &self.plan.sink;
        let columns: Option<&[ColumnPath]> = self.plan.columns.as_deref();
        let dedup = self.plan.dedup.as_ref();
        let encoder = Encoder::new(self.schema, dedup, columns, sink, self.plan.digest)?;
        let description = Description {
            schema: self.written.clone(),
            dedup: self.plan.dedup.clone(),
            selected: self.plan.columns.is_some(),
            digest: self.plan.digest,
        };
        let staging = self.request.staging;
        let mut outputs = vec![Mutex::new(Output::new(
            self.storage,
            &encoder,
            description.clone(),
            staging.output.clone(),
            sink,
            sink.layout,
        ))];
        let most_rows = sink.row_group_rows.min(sink.max_file_rows.unwrap_or(u64::MAX));
        let mut lanes = vec![Lane::new(0, most_rows)];
        if let Some(path) = &staging.dropped {
            // Losers are many to a key: their file does not claim to be deduplicated.
            let description =
                Description { dedup: None, digest: false, selected: true, ..description };
            outputs.push(Mutex::new(Output::new(
                self.storage,
                &encoder,
                description,
                path.clone(),
                sink,
                Layout::File,
            )));
            lanes.push(Lane::new(1, sink.row_group_rows));
        }
        let state = Mutex::new(State {
            next_range: 0,
            reduced: BTreeMap::new(),
            assembled: 0,
            lanes,
            ready: VecDeque::new(),
            tally: Tally::default(),
            conflicts: Vec::new(),
            flushed: false,
            failed: None,
        });
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            let crew = || {
                Crew {
                    finale: self,
                    state: &state,
                    changed: &changed,
                    outputs: &outputs,
                    encoder: &encoder,
                }
                .work()
            };
            threads::start(scope, std::iter::repeat_n(crew, self.threads)).map(drop)
        })?;
        let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.failed {
            return Err(error);
        }
        if state.assembled < self.ranges.len() {
            return Err(Error::bug("a thread of the engine died"));
        }
        let mut totals = Totals::default();
        for (which, output) in outputs.iter().enumerate() {
            let finished = lock(output).finish()?;
            if which == 0 {
                totals = finished;
            }
        }
        let conflicts = self.conflicts(&state.conflicts)?;
        Ok(Finished { totals, tally: state.tally, conflicts })
    }

    /// Conflicts in all columns, written or not.
    fn conflicts(&self, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<Vec<Conflict>> {
        let dedup = self.plan.dedup.as_ref();
        if rows.is_empty() || dedup.is_none_or(|dedup| dedup.key == Key::Record) {
            return Ok(Vec::new());
        }
        let (parts, rest_reversed) = Part::of(dedup);
        let mut reader = RowReader::new(self.schema, &parts, rest_reversed, None)?;
        for (kept, dropped) in rows {
            reader.append(kept)?;
            reader.append(dropped)?;
        }
        let images = row_images(&reader.finish()?, self.schema)?;
        let mut images = images.into_iter();
        let mut conflicts = Vec::new();
        while let (Some(kept), Some(dropped)) = (images.next(), images.next()) {
            conflicts.push(Conflict { kept, dropped });
        }
        Ok(conflicts)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One thread of the second half.
struct Crew<'a, 'o> {
    finale: &'a Finale<'a>,
    state: &'a Mutex<State>,
    changed: &'a Condvar,
    outputs: &'a [Mutex<Output<'o>>],
    encoder: &'a Encoder,
}

impl Crew<'_, '_> {
    fn work(&self) {
        let mut scratch = PackedScratch::default();
        while let Some(task) = self.next() {
            let done = match task {
                Task::Reduce(range) => self.reduce(range, &mut scratch),
                Task::Encode(lane, ordinal, group) => self.encode(lane, ordinal, &group),
            };
            let mut state = lock(self.state);
            if let Err(error) = done {
                state.failed.get_or_insert(error);
            }
            drop(state);
            self.changed.notify_all();
        }
        self.changed.notify_all();
    }

    /// Row groups first: they free memory.
    fn next(&self) -> Option<Task> {
        let mut state = lock(self.state);
        loop {
            if state.failed.is_some() {
                return None;
            }
            if let Some((lane, ordinal, group)) = state.ready.pop_front() {
                return Some(Task::Encode(lane, ordinal, group));
            }
            if state.next_range < self.finale.ranges.len() {
                state.next_range += 1;
                return Some(Task::Reduce(state.next_range - 1));
            }
            if state.assembled == self.finale.ranges.len() {
                if state.flushed {
                    return None;
                }
                state.flushed = true;
                let State { lanes, ready, .. } = &mut *state;
                for lane in lanes {
                    ready.extend(
                        lane.finish().map(|(ordinal, group)| (lane.which(), ordinal, group)),
                    );
                }
                continue;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn cancel(&self) -> &Cancel {
        self.finale.request.cancel
    }

    fn events(&self) -> &dyn Events {
        self.finale.request.events
    }

    fn reduce(&self, range: usize, scratch: &mut PackedScratch) -> Result<()> {
        self.cancel().check()?;
        let packing = self.finale.packing.as_ref();
        let outcome = self.finale.ranges[range].reduce(self.finale.policy, packing, scratch)?;
        let mut state = lock(self.state);
        state.reduced.insert(range, outcome);
        // Ranges become row groups in their order, whoever reduced them.
        loop {
            let assembled = state.assembled;
            let Some(outcome) = state.reduced.remove(&assembled) else { return Ok(()) };
            state.assembled += 1;
            state.tally.written += outcome.counts.written;
            state.tally.identical += outcome.counts.identical;
            state.tally.conflicting += outcome.counts.conflicting;
            let room = SHOWN - state.conflicts.len();
            state.conflicts.extend(outcome.conflicts.into_iter().take(room));
            let batch: Arc<Batch> = Arc::new(outcome.batch);
            let State { lanes, ready, .. } = &mut *state;
            for lane in lanes {
                let groups = lane.push(&batch, packing)?;
                ready.extend(
                    groups.into_iter().map(|(ordinal, group)| (lane.which(), ordinal, group)),
                );
            }
        }
    }

    fn encode(&self, lane: usize, ordinal: usize, group: &Group) -> Result<()> {
        let encoded: EncodedGroup =
            self.encoder
                .encode(lane, group, self.finale.packing.as_ref(), &|| self.cancel().check())?;
        lock(&self.outputs[lane]).push(ordinal, encoded)?;
        self.events().advance(group.rows, group.rows);
        Ok(())
    }
}
