//! The second half of a run: ranges to row groups, and these to files.
//!
//! Threads reduce ranges and encode row groups, in whatever order they come to it; groups are cut and
//! written in the order of the ranges.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};

use arrow_array::RecordBatch;
use distil_job::head::row_images;
use distil_json::digest::Digest;
use distil_json::{RowReader, SortColumn};
use distil_plan::{
    Cancel, ColumnPath, Conflict, Error, Events, Key, Layout, Plan, Request, Result, Schema,
};
use distil_storage::Storage;

use crate::dedup::Policy;
use crate::encode::{EncodedGroup, Encoder};
use crate::groups::{Group, Lane, ROW_GROUP_BYTES};
use crate::output::{Description, Output, Totals};
use crate::packed::Packing;
use crate::ranges::{Outcome, Range, SHOWN, Scratch, Tally};
use crate::threads;
use crate::writers::ColumnChunk;

/// The second half of a run.
pub(crate) struct Finale<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) storage: &'a dyn Storage,
    pub(crate) request: &'a Request<'a>,
    pub(crate) policy: Policy,
    pub(crate) schema: &'a Schema,
    /// The columns that are written.
    pub(crate) written: &'a Schema,
    pub(crate) ranges: Vec<Range>,
    pub(crate) packing: Option<Packing>,
    pub(crate) threads: usize,
}

/// What a run has written.
pub(crate) struct Finished {
    pub(crate) totals: Totals,
    pub(crate) tally: Tally,
    pub(crate) conflicts: Vec<Conflict>,
}

/// Work that is under way.
struct State {
    next_range: usize,
    reduced: BTreeMap<usize, Outcome>,
    assembled: usize,
    lanes: Vec<Lane>,
    ready: VecDeque<Share>,
    /// Row groups that are cut, but not encoded yet: while there are some, more shares may come.
    open: usize,
    /// Row groups by lane and ordinal.
    underway: BTreeMap<(usize, usize), Underway>,
    tally: Tally,
    conflicts: Vec<(Vec<u8>, Vec<u8>)>,
    flushed: bool,
    failed: Option<Error>,
}

enum Task {
    Reduce(usize),
    Encode(Share),
}

/// A share of a row group's encoding.
struct Share {
    lane: usize,
    ordinal: usize,
    rows: u64,
    work: Work,
}

/// Packed rows hold their columns side by side; all others are read in slices first.
enum Work {
    Read(Arc<Group>, usize),
    Write(Arc<Vec<RecordBatch>>, usize),
    WritePacked(Arc<Group>, usize),
}

/// What is there of a row group that is being encoded.
#[derive(Default)]
struct Underway {
    digest: u128,
    /// Slices, and the chunks of columns, each with its ordinal.
    slices: Vec<(usize, RecordBatch)>,
    columns: Vec<(usize, Vec<ColumnChunk>)>,
}

/// Values in the order of their ordinals.
fn in_order<T>(mut values: Vec<(usize, T)>) -> impl Iterator<Item = T> {
    values.sort_by_key(|(ordinal, _)| *ordinal);
    values.into_iter().map(|(_, value)| value)
}

impl Finale<'_> {
    /// Reduces, encodes and writes all ranges.
    ///
    /// # Errors
    /// Environment errors of spilled runs and outputs; bugs.
    pub(crate) fn run(&self) -> Result<Finished> {
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
        let mut lanes = vec![Lane::new(0, most_rows, ROW_GROUP_BYTES)];
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
            lanes.push(Lane::new(1, sink.row_group_rows, ROW_GROUP_BYTES));
        }
        let state = Mutex::new(State {
            next_range: 0,
            reduced: BTreeMap::new(),
            assembled: 0,
            lanes,
            ready: VecDeque::new(),
            open: 0,
            underway: BTreeMap::new(),
            tally: Tally::default(),
            conflicts: Vec::new(),
            flushed: false,
            failed: None,
        });
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            let (written, files) = mpsc::channel();
            let crew = (0..self.threads).map(|_| {
                let crew = Crew {
                    finale: self,
                    state: &state,
                    changed: &changed,
                    outputs: &outputs,
                    encoder: &encoder,
                    written: written.clone(),
                };
                move || crew.work()
            });
            threads::start(scope, crew)?;
            // The disk writes while the crew computes. Without a thread for it the last sync takes longer.
            drop(written);
            let write_back =
                move || files.iter().for_each(|path: PathBuf| self.storage.write_back(&path));
            let _ = threads::start(scope, std::iter::once(write_back));
            Ok::<_, Error>(())
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
        let (sort_columns, rest_reversed) = SortColumn::of(dedup);
        let mut reader = RowReader::new(self.schema, &sort_columns, rest_reversed, None)?;
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
    /// Files that have more to be written to the disk.
    written: mpsc::Sender<PathBuf>,
}

impl Crew<'_, '_> {
    fn work(&self) {
        let mut scratch = Scratch::default();
        while let Some(task) = self.next() {
            let done = match task {
                Task::Reduce(range) => self.reduce(range, &mut scratch),
                Task::Encode(share) => self.encode(share),
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
            if let Some(share) = state.ready.pop_front() {
                return Some(Task::Encode(share));
            }
            if state.next_range < self.finale.ranges.len() {
                state.next_range += 1;
                return Some(Task::Reduce(state.next_range - 1));
            }
            if state.assembled == self.finale.ranges.len() {
                if !state.flushed {
                    state.flushed = true;
                    let State { lanes, ready, open, .. } = &mut *state;
                    for lane in lanes {
                        let last = lane.finish();
                        *open += usize::from(last.is_some());
                        ready.extend(last.into_iter().flat_map(|group| self.shares(lane, group)));
                    }
                    self.changed.notify_all();
                    continue;
                }
                if state.open == 0 {
                    return None;
                }
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

    fn reduce(&self, range: usize, scratch: &mut Scratch) -> Result<()> {
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
            let State { lanes, ready, open, .. } = &mut *state;
            for batch in outcome.batches.into_iter().map(Arc::new) {
                for lane in &mut *lanes {
                    let groups = lane.push(&batch, packing)?;
                    *open += groups.len();
                    ready.extend(groups.into_iter().flat_map(|group| self.shares(lane, group)));
                }
            }
        }
    }

    /// All threads work at one group, then at the next: none waits for another at the last one, and
    /// few groups are in memory.
    fn shares(&self, lane: &Lane, (ordinal, group): (usize, Group)) -> Vec<Share> {
        let packed = self.encoder.takes_packed(&group, self.finale.packing.as_ref());
        let (lane, rows, group) = (lane.which(), group.rows, Arc::new(group));
        let share = |work| Share { lane, ordinal, rows, work };
        if packed {
            let columns = self.encoder.columns().into_iter();
            columns.map(|column| share(Work::WritePacked(Arc::clone(&group), column))).collect()
        } else {
            let slices = 0..Encoder::slices(&group);
            slices.map(|slice| share(Work::Read(Arc::clone(&group), slice))).collect()
        }
    }

    fn encode(&self, share: Share) -> Result<()> {
        self.cancel().check()?;
        let Share { lane, ordinal, rows, work } = share;
        let packing = self.finale.packing.as_ref();
        let key = (lane, ordinal);
        let (column, chunks) = match work {
            Work::Read(group, slice) => {
                let read = self.encoder.read(lane, &group, packing, slice)?;
                self.keep_slice(key, &group, slice, read);
                return Ok(());
            }
            Work::Write(slices, column) => (column, self.encoder.write(&slices, rows, column)?),
            Work::WritePacked(group, column) => {
                (column, self.encoder.write_packed(&group, packing, column)?)
            }
        };
        let mut state = lock(self.state);
        let underway = state.underway.entry(key).or_default();
        underway.columns.push((column, chunks));
        if underway.columns.len() < self.encoder.columns().len() {
            return Ok(());
        }
        let Underway { columns, digest, .. } = state.underway.remove(&key).unwrap_or_default();
        state.open -= 1;
        drop(state);
        let chunks = in_order(columns).flatten().collect();
        let encoded = EncodedGroup::new(chunks, rows, Digest(digest));
        if let Some(path) = lock(&self.outputs[lane]).push(ordinal, encoded)? {
            // Nobody listens where no thread could be had.
            let _ = self.written.send(path);
        }
        self.events().advance(rows, rows);
        Ok(())
    }

    /// Keeps a slice; with the last one the columns may be written, before any other group.
    fn keep_slice(
        &self,
        key: (usize, usize),
        group: &Group,
        slice: usize,
        (batch, digest): (RecordBatch, Digest),
    ) {
        let mut state = lock(self.state);
        let underway = state.underway.entry(key).or_default();
        underway.digest = underway.digest.wrapping_add(digest.0);
        underway.slices.push((slice, batch));
        if underway.slices.len() < Encoder::slices(group) {
            return;
        }
        let slices = Arc::new(in_order(std::mem::take(&mut underway.slices)).collect());
        for column in self.encoder.columns().into_iter().rev() {
            let work = Work::Write(Arc::clone(&slices), column);
            let (lane, ordinal) = key;
            state.ready.push_front(Share { lane, ordinal, rows: group.rows, work });
        }
    }
}
