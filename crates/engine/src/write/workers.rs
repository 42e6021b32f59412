//! The second half of a run: partitions to row groups, and these to files.
//!
//! Threads reduce partitions and encode row groups, in whatever order they come to it; row groups are cut
//! and written in the order of the partitions.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

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
use distil_plan::{Cancel, ColumnPath, Conflict, Events, Layout, Plan, Request, Result, Schema};
use distil_storage::Storage;

use super::ordered::OrderedOutput;
use crate::exchange::{Partition, Scratch};
use crate::threads;
use crate::work_queue::{Next, WorkQueue};

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
struct State<'e> {
    encoder: &'e Encoder,
    partitions: usize,
    next_partition: usize,
    reduced: BTreeMap<usize, ReducedPartition>,
    assembled: usize,
    cutters: Vec<RowGroupCutter>,
    ready: VecDeque<Share>,
    /// Row groups that are cut, but not encoded yet: while there are some, more shares may come.
    open: usize,
    /// Row groups by cutter and ordinal.
    underway: BTreeMap<(Wanted, usize), Underway>,
    tally: Tally,
    conflicts: Vec<(Vec<u8>, Vec<u8>)>,
    flushed: bool,
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

impl<'e> State<'e> {
    /// Nothing is begun.
    fn new(encoder: &'e Encoder, partitions: usize, cutters: Vec<RowGroupCutter>) -> Self {
        Self {
            encoder,
            partitions,
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
        }
    }

    /// Row groups first: they free memory.
    fn next(&mut self) -> Next<Task> {
        if let Some(share) = self.ready.pop_front() {
            return Next::Do(Task::Encode(share));
        }
        if self.next_partition < self.partitions {
            self.next_partition += 1;
            return Next::Do(Task::Reduce(self.next_partition - 1));
        }
        if self.assembled < self.partitions {
            return Next::Wait;
        }
        if !self.flushed {
            self.flushed = true;
            for at in 0..self.cutters.len() {
                let last = self.cutters[at].finish();
                self.share_out(at, last);
            }
            return Next::Changed;
        }
        if self.open == 0 { Next::Done } else { Next::Wait }
    }

    /// Takes a reduced partition. Partitions become row groups in their order, whoever reduced them.
    fn assemble(&mut self, partition: usize, reduced: ReducedPartition) -> Result<()> {
        self.reduced.insert(partition, reduced);
        while let Some(outcome) = self.reduced.remove(&self.assembled) {
            self.assembled += 1;
            self.tally.written += outcome.counts.written;
            self.tally.identical += outcome.counts.identical;
            self.tally.conflicting += outcome.counts.conflicting;
            let room = SHOWN - self.conflicts.len();
            self.conflicts.extend(outcome.conflicts.into_iter().take(room));
            for rows in outcome.rows.into_iter().map(Arc::new) {
                for at in 0..self.cutters.len() {
                    let row_groups = self.cutters[at].push(&rows)?;
                    self.share_out(at, row_groups);
                }
            }
        }
        Ok(())
    }

    /// Cuts row groups of a cutter into shares. All threads work at one row group, then at the next: none
    /// waits for another at the last one, and few row groups are in memory.
    fn share_out(
        &mut self,
        cutter: usize,
        row_groups: impl IntoIterator<Item = (usize, RowGroup)>,
    ) {
        let wanted = self.cutters[cutter].wanted();
        for (ordinal, row_group) in row_groups {
            self.open += 1;
            let packed = self.encoder.takes_packed(&row_group);
            let (rows, row_group) = (row_group.rows, Arc::new(row_group));
            let share = |work| Share { wanted, ordinal, rows, work };
            if packed {
                let columns = self.encoder.columns().iter().copied();
                let work = |column| Work::WritePacked(Arc::clone(&row_group), column);
                self.ready.extend(columns.map(|column| share(work(column))));
            } else {
                let batches = 0..Encoder::batches(&row_group);
                let work = |batch| Work::Read(Arc::clone(&row_group), batch);
                self.ready.extend(batches.map(|batch| share(work(batch))));
            }
        }
    }

    /// Keeps a batch; with the last one the columns may be written, before any other row group.
    fn keep_batch(
        &mut self,
        key: (Wanted, usize),
        row_group: &RowGroup,
        ordinal: usize,
        (batch, digest): (RecordBatch, Digest),
    ) {
        let underway = self.underway.entry(key).or_default();
        underway.digest = underway.digest.wrapping_add(digest.0);
        underway.batches.push((ordinal, batch));
        if underway.batches.len() < Encoder::batches(row_group) {
            return;
        }
        let batches = Arc::new(in_order(std::mem::take(&mut underway.batches)).collect());
        for column in self.encoder.columns().iter().rev().copied() {
            let work = Work::Write(Arc::clone(&batches), column);
            let (wanted, ordinal) = key;
            self.ready.push_front(Share { wanted, ordinal, rows: row_group.rows, work });
        }
    }

    /// Keeps the chunks of a column; with the last one the row group is complete.
    fn keep_column(
        &mut self,
        key: (Wanted, usize),
        column: usize,
        chunks: Vec<ColumnChunk>,
    ) -> Option<Underway> {
        let underway = self.underway.entry(key).or_default();
        underway.columns.push((column, chunks));
        if underway.columns.len() < self.encoder.columns().len() {
            return None;
        }
        self.open -= 1;
        self.underway.remove(&key)
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
        let queue = WorkQueue::new(State::new(&encoder, self.partitions.len(), cutters));
        self.work(&encoder, &outputs, &queue)?;
        let (state, result) = queue.finish();
        result?;
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
    fn work<'e>(
        &self,
        encoder: &'e Encoder,
        outputs: &[Mutex<OrderedOutput<'e>>],
        queue: &WorkQueue<State<'e>>,
    ) -> Result<()> {
        std::thread::scope(|scope| {
            let (written, files) = mpsc::channel();
            let workers = (0..self.threads).map(|_| {
                let written = written.clone();
                let worker = Worker { phase: self, queue, outputs, encoder, written };
                move || worker.work()
            });
            let threads = threads::start(scope, workers)?;
            // The disk writes while the workers compute. Without a thread for it the last sync takes longer.
            drop(written);
            let write_back =
                move || files.iter().for_each(|path: PathBuf| self.storage.write_back(&path));
            let _ = threads::start(scope, std::iter::once(write_back));
            // A thread that died has said so to the queue.
            threads.into_iter().for_each(|thread| drop(thread.join()));
            Ok(())
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One thread of the second half.
struct Worker<'a, 'e> {
    phase: &'a WritePhase<'a>,
    queue: &'a WorkQueue<State<'e>>,
    outputs: &'a [Mutex<OrderedOutput<'e>>],
    encoder: &'e Encoder,
    /// Files that have more to be written to the disk.
    written: mpsc::Sender<PathBuf>,
}

impl<'e> Worker<'_, 'e> {
    fn work(&self) {
        let mut scratch = Scratch::default();
        self.queue.work(State::next, |task| match task {
            Task::Reduce(partition) => self.reduce(partition, &mut scratch),
            Task::Encode(share) => self.encode(share),
        });
    }

    fn cancel(&self) -> &Cancel {
        self.phase.request.watch.cancel
    }

    fn output(&self, wanted: Wanted) -> &Mutex<OrderedOutput<'e>> {
        &self.outputs[usize::from(wanted == Wanted::Dropped)]
    }

    fn events(&self) -> &dyn Events {
        self.phase.request.watch.events
    }

    fn reduce(&self, partition: usize, scratch: &mut Scratch) -> Result<()> {
        self.cancel().check()?;
        let table = self.phase.table.as_ref();
        let reduced = self.phase.partitions[partition].reduce(self.phase.policy, table, scratch)?;
        self.queue.change(|state| state.assemble(partition, reduced))
    }

    fn encode(&self, share: Share) -> Result<()> {
        self.cancel().check()?;
        let Share { wanted, ordinal, rows, work } = share;
        let key = (wanted, ordinal);
        let (column, chunks) = match work {
            Work::Read(row_group, batch) => {
                let read = self.encoder.read(wanted, &row_group, batch)?;
                self.queue.change(|state| state.keep_batch(key, &row_group, batch, read));
                return Ok(());
            }
            Work::Write(batches, column) => (column, self.encoder.write(&batches, rows, column)?),
            Work::WritePacked(row_group, column) => {
                (column, self.encoder.write_packed(&row_group, column)?)
            }
        };
        let complete = self.queue.change(|state| state.keep_column(key, column, chunks));
        let Some(Underway { columns, digest, .. }) = complete else { return Ok(()) };
        let chunks = in_order(columns).flatten().collect();
        let encoded = EncodedRowGroup::new(chunks, rows, Digest(digest));
        if let Some(path) = lock(self.output(wanted)).push(ordinal, encoded)? {
            // Without a thread for it there is no receiver.
            let _ = self.written.send(path);
        }
        self.events().advance(rows, rows);
        Ok(())
    }
}
