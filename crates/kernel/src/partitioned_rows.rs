//! Encoded rows in the partitions of their keys: pushed in any order, reduced in place.

use distil_plan::{Cancel, Result};

use crate::reduce::{Policy, reduced};
use crate::rows::{Row, RowBuffers};
use crate::splitters::Splitters;

/// Rows by partition, on their way to where their partition is reduced.
pub struct PartitionedRows<'a> {
    splitters: &'a Splitters,
    policy: Policy,
    partitions: Vec<RowBuffers>,
    /// Bytes of memory that the rows of each partition take, and all.
    held: Vec<u64>,
    bytes: u64,
    cancel: Cancel,
}

impl<'a> PartitionedRows<'a> {
    /// Holds no row.
    pub fn new(splitters: &'a Splitters, policy: Policy) -> Self {
        let mut partitions = Vec::new();
        partitions.resize_with(splitters.partitions(), RowBuffers::default);
        let held = vec![0; partitions.len()];
        Self { splitters, policy, partitions, held, bytes: 0, cancel: Cancel::new() }
    }

    /// The same rows, which are reduced no further once `cancel` is set.
    #[must_use]
    pub fn stopped_by(self, cancel: &Cancel) -> Self {
        Self { cancel: cancel.clone(), ..self }
    }

    /// Takes a row. Returns its partition and what that takes of memory, if it took more.
    pub fn push(&mut self, row: &Row<'_>) -> Option<(usize, u64)> {
        let partition = self.splitters.partition(row.key());
        let taken = self.partitions[partition].push(row);
        self.held[partition] += taken;
        self.bytes += taken;
        (taken > 0).then_some((partition, self.held[partition]))
    }

    /// Bytes of memory that the rows take.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes all rows, reduced in runs: for each partition rows in order, one row of each key and its witness. What
    /// becomes a run takes about `most` bytes, since its rows are in memory twice meanwhile.
    ///
    /// # Errors
    /// A bug if a row can't be read; that the job is asked to stop, which is looked at before each run.
    pub fn take_runs(&mut self, most: u64) -> Result<Vec<Vec<RowBuffers>>> {
        (0..self.partitions.len()).map(|at| self.take_runs_of(at, most)).collect()
    }

    fn take_runs_of(&mut self, partition: usize, most: u64) -> Result<Vec<RowBuffers>> {
        let buffers = std::mem::take(&mut self.partitions[partition]).full;
        self.count(partition);
        let (mut runs, mut next, mut bytes) = (Vec::new(), Vec::new(), 0);
        for buffer in buffers {
            bytes += buffer.capacity() as u64;
            next.push(buffer);
            if bytes >= most {
                self.cancel.check()?;
                runs.push(reduced(&std::mem::take(&mut next), self.policy)?);
                bytes = 0;
            }
        }
        if !next.is_empty() {
            self.cancel.check()?;
            runs.push(reduced(&next, self.policy)?);
        }
        Ok(runs)
    }

    /// Puts runs of a partition back: rows in no order.
    pub fn put_back(&mut self, partition: usize, runs: Vec<RowBuffers>) {
        self.extend(partition, |rows| rows.full.extend(runs.into_iter().flat_map(|run| run.full)));
    }

    /// Reduces one partition, as [`PartitionedRows::take_runs`] does; returns what it takes of memory then.
    ///
    /// # Errors
    /// As [`PartitionedRows::take_runs`].
    pub fn reduce_one(&mut self, partition: usize, most: u64) -> Result<u64> {
        let runs = self.take_runs_of(partition, most)?;
        self.put_back(partition, runs);
        Ok(self.held[partition])
    }

    /// Adds rows to a partition by other means.
    pub fn extend<R>(&mut self, partition: usize, add: impl FnOnce(&mut RowBuffers) -> R) -> R {
        let result = add(&mut self.partitions[partition]);
        self.count(partition);
        result
    }

    /// Counts the memory of a partition anew.
    fn count(&mut self, partition: usize) {
        let held = self.partitions[partition].capacity();
        self.bytes = self.bytes - self.held[partition] + held;
        self.held[partition] = held;
    }

    /// The buffers of each partition in turn, which is then empty.
    pub fn take(&mut self) -> impl Iterator<Item = (usize, Vec<Vec<u8>>)> {
        self.bytes = 0;
        self.held.fill(0);
        let taken = |buffers: &mut RowBuffers| std::mem::take(buffers).full;
        self.partitions.iter_mut().map(taken).enumerate()
    }
}
