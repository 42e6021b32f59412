//! Encoded rows in the partitions of their keys: pushed in any order, reduced in place.

use distil_plan::Result;

use crate::reduce::{Policy, reduced};
use crate::rows::{Row, RowBuffers};
use crate::splitters::Splitters;

/// Rows by partition, on their way to where their partition is reduced.
pub struct PartitionedRows<'a> {
    splitters: &'a Splitters,
    policy: Policy,
    partitions: Vec<RowBuffers>,
    bytes: u64,
}

impl<'a> PartitionedRows<'a> {
    /// Holds no row.
    pub fn new(splitters: &'a Splitters, policy: Policy) -> Self {
        let mut partitions = Vec::new();
        partitions.resize_with(splitters.partitions(), RowBuffers::default);
        Self { splitters, policy, partitions, bytes: 0 }
    }

    /// Takes a row.
    pub fn push(&mut self, row: &Row<'_>) {
        let partition = self.splitters.partition(row.key());
        self.bytes += self.partitions[partition].push(row);
    }

    /// Bytes of memory that the rows take.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reduces each partition: its rows are in order then, one row of each key and its witness.
    ///
    /// # Errors
    /// A bug if a row can't be read.
    pub fn reduce(&mut self) -> Result<()> {
        for buffers in &mut self.partitions {
            *buffers = reduced(&buffers.full, self.policy)?;
        }
        self.bytes = self.partitions.iter().map(RowBuffers::capacity).sum();
        Ok(())
    }

    /// Adds rows to a partition by other means.
    pub fn extend<R>(&mut self, partition: usize, add: impl FnOnce(&mut RowBuffers) -> R) -> R {
        let buffers = &mut self.partitions[partition];
        self.bytes -= buffers.capacity();
        let result = add(buffers);
        self.bytes += buffers.capacity();
        result
    }

    /// The buffers of each partition in turn, which is then empty.
    pub fn take(&mut self) -> impl Iterator<Item = (usize, Vec<Vec<u8>>)> {
        self.bytes = 0;
        let taken = |buffers: &mut RowBuffers| std::mem::take(buffers).full;
        self.partitions.iter_mut().map(taken).enumerate()
    }
}
