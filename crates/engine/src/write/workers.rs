//! The second half of a run: partitions to row groups, and these to files.
//!
//! Threads reduce partitions and encode row groups, in whatever order they come to it; row groups are cut
//! and written in the order of the partitions.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use distil_kernel::conflicts::conflicts;
use distil_kernel::encode::{ColumnChunk, EncodedRowGroup, Encoder};
use distil_kernel::reduce::Policy;
use distil_kernel::reduce_partition::{Scratch, Tally};
use distil_kernel::row_groups::{ROW_GROUP_BYTES, RowBatch, RowGroupCutter, Wanted};
use distil_kernel::rows::PackedTable;
use distil_output::footer::Footer;
use distil_output::row_group_writer::{RowGroupWriter, Totals};
use distil_plan::{Conflict, Layout, Plan, Request, Result, Schema};
use distil_storage::Storage;

use super::ordered::OrderedOutput;
use super::schedule::{Complete, RowGroupKey, Schedule, Task};
use super::spool::Spool;
use crate::budget::Shares;
use crate::exchange::Partition;
use crate::threads;
use crate::work_queue::WorkQueue;

/// The second half of a run.
pub(crate) struct WritePhase<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) storage: &'a Arc<dyn Storage>,
    pub(crate) request: &'a Request<'a>,
    pub(crate) policy: Policy,
    pub(crate) schema: &'a Schema,
    /// The columns that are written.
    pub(crate) written: &'a Schema,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) table: Option<Arc<PackedTable>>,
    pub(crate) threads: usize,
    pub(crate) shares: Shares,
}

/// What a run has written.
pub(crate) struct Written {
    pub(crate) totals: Totals,
    pub(crate) tally: Tally,
    pub(crate) conflicts: Vec<Conflict>,
    pub(crate) spilled_bytes: u64,
}

impl WritePhase<'_> {
    /// Reduces, encodes and writes all partitions.
    ///
    /// # Errors
    /// Environment errors of spilled runs and outputs; bugs.
    pub(crate) fn run(&self) -> Result<Written> {
        let scratch = self.request.staging.scratch.clone();
        let cancel = self.request.watch.cancel;
        let waiting = self.shares.waiting(self.threads);
        let spool = Spool::new(self.storage, scratch, waiting, cancel);
        let encoder =
            Encoder::new(self.request.plan, self.schema)?.with_pages(Arc::new(spool.clone()));
        let (outputs, cutters) = self.outputs(&encoder).into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
        let ahead = self.shares.ahead();
        let schedule = Schedule::new(encoder.leaves(), self.partitions.len(), cutters, ahead);
        let queue = WorkQueue::new(schedule);
        self.work(&encoder, &spool, &outputs, &queue)?;
        let (done, result) = queue.finish();
        result?;
        let mut totals = Vec::new();
        for output in &outputs {
            totals.push(lock(output).finish()?);
        }
        let conflicts = conflicts(self.request.plan, self.schema, &done.conflicts)?;
        let totals = totals.first().copied().unwrap_or_default();
        let spilled_bytes = spool.spilled_bytes();
        Ok(Written { totals, tally: done.tally, conflicts, spilled_bytes })
    }

    /// The output, and the file of dropped rows if there is one, each with what cuts its row groups.
    fn outputs<'a>(
        &'a self,
        encoder: &'a Encoder,
    ) -> Vec<(Mutex<OrderedOutput<'a>>, RowGroupCutter)> {
        let sink = &self.plan.sink;
        let staging = self.request.staging;
        let output = |wanted, most_rows, footer, path: &Path, layout| {
            let storage = self.storage.as_ref();
            let writer = RowGroupWriter::new(storage, encoder, footer, path, sink, layout);
            let packed = self.shares.packed_row_group(self.threads);
            let packed = if encoder.takes_packed() { packed } else { 0 };
            let cutter = RowGroupCutter::new(wanted, encoder.leaves(), most_rows, ROW_GROUP_BYTES);
            let cutter = cutter.keeping_packed(packed);
            (Mutex::new(OrderedOutput::new(writer)), cutter)
        };
        let footer = Footer::of(self.plan, self.written.clone());
        let of_dropped = footer.of_dropped();
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
        spool: &Spool,
        outputs: &[Mutex<OrderedOutput<'e>>],
        queue: &WorkQueue<Schedule>,
    ) -> Result<()> {
        std::thread::scope(|scope| {
            let (written, files) = mpsc::channel();
            let workers = (0..self.threads).map(|_| {
                let written = written.clone();
                let worker = Worker { phase: self, queue, outputs, encoder, spool, written };
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
    queue: &'a WorkQueue<Schedule>,
    outputs: &'a [Mutex<OrderedOutput<'e>>],
    encoder: &'e Encoder,
    spool: &'a Spool,
    /// Files that have more to be written to the disk.
    written: mpsc::Sender<PathBuf>,
}

impl<'e> Worker<'_, 'e> {
    fn work(&self) {
        let mut scratch = Scratch::default();
        self.queue.work(Schedule::next, |task| {
            self.phase.request.watch.cancel.check()?;
            match task {
                Task::Reduce(partition) => self.reduce(partition, &mut scratch),
                Task::Read(key, ordinal, batch) => self.read(key, ordinal, &batch),
                Task::Write(key, leaf, rows, arrays) => {
                    // A chunk takes all values of a column of its row group, before it has a page.
                    let cancel = self.phase.request.watch.cancel;
                    let arrays = arrays.iter().map(|array| {
                        cancel.check()?;
                        array.read()
                    });
                    self.keep(key, leaf, self.encoder.write(leaf, rows, arrays)?)
                }
                Task::WritePacked(key, leaf, packed) => {
                    self.keep(key, leaf, self.encoder.write_packed(&packed, leaf)?)
                }
            }
        });
    }

    fn reduce(&self, partition: usize, scratch: &mut Scratch) -> Result<()> {
        let table = self.phase.table.as_ref();
        let cancel = self.phase.request.watch.cancel;
        let partition_rows = &self.phase.partitions[partition];
        let reduced = partition_rows.reduce(self.phase.policy, table, scratch, cancel)?;
        self.queue.change(|schedule| schedule.assemble(partition, reduced))
    }

    fn read(&self, key: RowGroupKey, ordinal: usize, batch: &RowBatch) -> Result<()> {
        let (arrays, digest) = self.encoder.read(key.0, batch)?;
        let leaves = self.spool.keep_all(arrays)?;
        self.queue.change(|schedule| schedule.keep_batch(key, ordinal, leaves, digest));
        Ok(())
    }

    /// Keeps a chunk; writes the row group with the last one.
    fn keep(&self, key: RowGroupKey, leaf: usize, chunk: ColumnChunk) -> Result<()> {
        let complete = self.queue.change(|schedule| schedule.keep_chunk(key, leaf, chunk));
        let Some(Complete { chunks, rows, digest }) = complete else { return Ok(()) };
        let (wanted, ordinal) = key;
        let output = &self.outputs[usize::from(wanted == Wanted::Dropped)];
        let encoded = EncodedRowGroup::new(chunks, rows, digest);
        if let Some(path) = lock(output).push(ordinal, encoded)? {
            // Without a thread for it there is no receiver.
            let _ = self.written.send(path);
        }
        self.phase.request.watch.events.advance(rows, rows);
        Ok(())
    }
}
