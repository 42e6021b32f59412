//! The second half of a run: partitions to row groups, and these to files.
//!
//! Threads reduce partitions and encode row groups, in whatever order they come to it; row groups are cut
//! and written in the order of the partitions.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};

use arrow_array::RecordBatch;
use distil_json::digest::Digest;
use distil_kernel::conflicts::conflicts;
use distil_kernel::encode::{ColumnChunk, EncodedRowGroup, Encoder};
use distil_kernel::reduce::Policy;
use distil_kernel::reduce_partition::{ReducedPartition, SHOWN, Tally};
use distil_kernel::row_groups::{ROW_GROUP_BYTES, RowGroup, RowGroupCutter, Wanted};
use distil_kernel::rows::PackedTable;
use distil_output::footer::Footer;
use distil_output::row_group_writer::{RowGroupWriter, Totals};
use distil_plan::{
    Cancel, ColumnPath, Conflict, Error, Events, Layout, Plan, Request, Result, Schema,
};
use distil_storage::Storage;

use super::ordered::OrderedOutput;
use crate::exchange::{Partition, Scratch};
use crate::threads;

/// The second half of a run.
pub(crate) struct WritePhase<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) storage: &'a dyn Storage,
    pub(crate) request: &'a Request<'a>,
    pub(crate) policy: Policy,
    pub(crate) schema: &'a Schema,
    /// The columns that are written.
    pub(crate) written: &'a Schema,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) table: Option<Arc<PackedTable>>,
    pub(crate) threads: usize,
}

/// What a run has written.
pub(crate) struct Written {
    pub(crate) totals: Totals,
    pub(crate) tally: Tally,
    pub(crate) conflicts: Vec<Conflict>,
}

/// Work that is under way.
struct State {
    next_partition: usize,
    reduced: BTreeMap<usize, ReducedPartition>,
    assembled: usize,
    cutters: Vec<RowGroupCutter>,
    ready: VecDeque<Share>,
    /// Row row_groups that are cut, but not encoded yet: while there are some, more shares may come.
    open: usize,
    /// Row row_groups by cutter and ordinal.
    underway: BTreeMap<(Wanted, usize), Underway>,
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
    wanted: Wanted,
    ordinal: usize,
    rows: u64,
    work: Work,
}

/// Packed rows hold their columns side by side; all others are read in batches first.
enum Work {
    Read(Arc<RowGroup>, usize),
    Write(Arc<Vec<RecordBatch>>, usize),
    WritePacked(Arc<RowGroup>, usize),
}

/// What is there of a row group that is being encoded.
#[derive(Default)]
struct Underway {
    digest: u128,
    /// Batches, and the chunks of columns, each with its ordinal.
    batches: Vec<(usize, RecordBatch)>,
    columns: Vec<(usize, Vec<ColumnChunk>)>,
}

/// Values in the order of their ordinals.
fn in_order<T>(mut values: Vec<(usize, T)>) -> impl Iterator<Item = T> {
    values.sort_by_key(|(ordinal, _)| *ordinal);
    values.into_iter().map(|(_, value)| value)
}

impl State {
    /// Nothing is begun.
    fn new(cutters: Vec<RowGroupCutter>) -> Self {
        Self {
            next_partition: 0,
            reduced: BTreeMap::new(),
            assembled: 0,
            cutters,
            ready: VecDeque::new(),
            open: 0,
            underway: BTreeMap::new(),
            tally: Tally::default(),
            conflicts: Vec::new(),
            flushed: false,
            failed: None,
        }
    }
}

impl WritePhase<'_> {
    /// Reduces, encodes and writes all partitions.
    ///
    /// # Errors
    /// Environment errors of spilled runs and outputs; bugs.
    pub(crate) fn run(&self) -> Result<Written> {
        let dedup = self.plan.dedup.as_ref();
        let columns: Option<&[ColumnPath]> = self.plan.columns.as_deref();
        let encoder = Encoder::new(self.schema, dedup, columns, &self.plan.sink, self.plan.digest)?;
        let (outputs, cutters) = self.outputs(&encoder).into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
        let state = Mutex::new(State::new(cutters));
        self.work(&encoder, &outputs, &state)?;
        let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.failed {
            return Err(error);
        }
        if state.assembled < self.partitions.len() {
            return Err(Error::bug("a thread of the engine died"));
        }
        let mut totals = Vec::new();
        for output in &outputs {
            totals.push(lock(output).finish()?);
        }
        let conflicts = conflicts(dedup, self.schema, &state.conflicts)?;
        let totals = totals.first().copied().unwrap_or_default();
        Ok(Written { totals, tally: state.tally, conflicts })
    }

    /// The output, and the file of dropped rows if there is one, each with what cuts its row groups.
    fn outputs<'a>(
        &'a self,
        encoder: &'a Encoder,
    ) -> Vec<(Mutex<OrderedOutput<'a>>, RowGroupCutter)> {
        let sink = &self.plan.sink;
        let staging = self.request.staging;
        let output = |wanted, most_rows, footer, path: &Path, layout| {
            let writer = RowGroupWriter::new(self.storage, encoder, footer, path, sink, layout);
            let cutter = RowGroupCutter::new(wanted, most_rows, ROW_GROUP_BYTES);
            (Mutex::new(OrderedOutput::new(writer)), cutter)
        };
        let footer = Footer {
            schema: self.written.clone(),
            dedup: self.plan.dedup.clone(),
            selected: self.plan.columns.is_some(),
            rows: None,
            digest: self.plan.digest.then_some(Digest(0)),
        };
        // Losers are many to a key: their file does not claim to be deduplicated.
        let of_dropped = Footer { dedup: None, digest: None, selected: true, ..footer.clone() };
        let most_rows = sink.row_group_rows.min(sink.max_file_rows.unwrap_or(u64::MAX));
        let kept = output(Wanted::Kept, most_rows, footer, &staging.output, sink.layout);
        let dropped = staging.dropped.as_ref().map(|path| {
            output(Wanted::Dropped, sink.row_group_rows, of_dropped, path, Layout::File)
        });
        [kept].into_iter().chain(dropped).collect()
    }

    /// Has all threads work until nothing is left, or one failed.
    fn work(
        &self,
        encoder: &Encoder,
        outputs: &[Mutex<OrderedOutput<'_>>],
        state: &Mutex<State>,
    ) -> Result<()> {
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            let (written, files) = mpsc::channel();
            let workers = (0..self.threads).map(|_| {
                let worker = Worker {
                    phase: self,
                    state,
                    changed: &changed,
                    outputs,
                    encoder,
                    written: written.clone(),
                };
                move || worker.work()
            });
            threads::start(scope, workers)?;
            // The disk writes while the workers compute. Without a thread for it the last sync takes longer.
            drop(written);
            let write_back =
                move || files.iter().for_each(|path: PathBuf| self.storage.write_back(&path));
            let _ = threads::start(scope, std::iter::once(write_back));
            Ok(())
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One thread of the second half.
struct Worker<'a, 'o> {
    phase: &'a WritePhase<'a>,
    state: &'a Mutex<State>,
    changed: &'a Condvar,
    outputs: &'a [Mutex<OrderedOutput<'o>>],
    encoder: &'a Encoder,
    /// Files that have more to be written to the disk.
    written: mpsc::Sender<PathBuf>,
}

impl<'o> Worker<'_, 'o> {
    fn work(&self) {
        let mut scratch = Scratch::default();
        while let Some(task) = self.next() {
            let done = match task {
                Task::Reduce(partition) => self.reduce(partition, &mut scratch),
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

    /// Row row_groups first: they free memory.
    fn next(&self) -> Option<Task> {
        let mut state = lock(self.state);
        loop {
            if state.failed.is_some() {
                return None;
            }
            if let Some(share) = state.ready.pop_front() {
                return Some(Task::Encode(share));
            }
            if state.next_partition < self.phase.partitions.len() {
                state.next_partition += 1;
                return Some(Task::Reduce(state.next_partition - 1));
            }
            if state.assembled == self.phase.partitions.len() {
                if !state.flushed {
                    state.flushed = true;
                    let State { cutters, ready, open, .. } = &mut *state;
                    for cutter in cutters {
                        let last = cutter.finish();
                        *open += usize::from(last.is_some());
                        ready.extend(
                            last.into_iter()
                                .flat_map(|row_group| self.shares(cutter.wanted(), row_group)),
                        );
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
        self.phase.request.watch.cancel
    }

    fn output(&self, wanted: Wanted) -> &Mutex<OrderedOutput<'o>> {
        &self.outputs[usize::from(wanted == Wanted::Dropped)]
    }

    fn events(&self) -> &dyn Events {
        self.phase.request.watch.events
    }

    fn reduce(&self, partition: usize, scratch: &mut Scratch) -> Result<()> {
        self.cancel().check()?;
        let table = self.phase.table.as_ref();
        let outcome = self.phase.partitions[partition].reduce(self.phase.policy, table, scratch)?;
        let mut state = lock(self.state);
        state.reduced.insert(partition, outcome);
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
            let State { cutters, ready, open, .. } = &mut *state;
            for rows in outcome.rows.into_iter().map(Arc::new) {
                for cutter in &mut *cutters {
                    let row_groups = cutter.push(&rows)?;
                    *open += row_groups.len();
                    ready.extend(
                        row_groups
                            .into_iter()
                            .flat_map(|row_group| self.shares(cutter.wanted(), row_group)),
                    );
                }
            }
        }
    }

    /// All threads work at one row group, then at the next: none waits for another at the last one, and
    /// few row groups are in memory.
    fn shares(&self, wanted: Wanted, (ordinal, row_group): (usize, RowGroup)) -> Vec<Share> {
        let packed = self.encoder.takes_packed(&row_group);
        let (rows, row_group) = (row_group.rows, Arc::new(row_group));
        let share = |work| Share { wanted, ordinal, rows, work };
        if packed {
            let columns = self.encoder.columns().into_iter();
            columns.map(|column| share(Work::WritePacked(Arc::clone(&row_group), column))).collect()
        } else {
            let batches = 0..Encoder::batches(&row_group);
            batches.map(|batch| share(Work::Read(Arc::clone(&row_group), batch))).collect()
        }
    }

    fn encode(&self, share: Share) -> Result<()> {
        self.cancel().check()?;
        let Share { wanted, ordinal, rows, work } = share;
        let key = (wanted, ordinal);
        let (column, chunks) = match work {
            Work::Read(row_group, batch) => {
                let read = self.encoder.read(wanted, &row_group, batch)?;
                self.keep_batch(key, &row_group, batch, read);
                return Ok(());
            }
            Work::Write(batches, column) => (column, self.encoder.write(&batches, rows, column)?),
            Work::WritePacked(row_group, column) => {
                (column, self.encoder.write_packed(&row_group, column)?)
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
        let encoded = EncodedRowGroup::new(chunks, rows, Digest(digest));
        if let Some(path) = lock(self.output(wanted)).push(ordinal, encoded)? {
            // Nobody listens where no thread could be had.
            let _ = self.written.send(path);
        }
        self.events().advance(rows, rows);
        Ok(())
    }

    /// Keeps a batch; with the last one the columns may be written, before any other row_group.
    fn keep_batch(
        &self,
        key: (Wanted, usize),
        row_group: &RowGroup,
        ordinal: usize,
        (batch, digest): (RecordBatch, Digest),
    ) {
        let mut state = lock(self.state);
        let underway = state.underway.entry(key).or_default();
        underway.digest = underway.digest.wrapping_add(digest.0);
        underway.batches.push((ordinal, batch));
        if underway.batches.len() < Encoder::batches(row_group) {
            return;
        }
        let batches = Arc::new(in_order(std::mem::take(&mut underway.batches)).collect());
        for column in self.encoder.columns().into_iter().rev() {
            let work = Work::Write(Arc::clone(&batches), column);
            let (wanted, ordinal) = key;
            state.ready.push_front(Share { wanted, ordinal, rows: row_group.rows, work });
        }
    }
}
