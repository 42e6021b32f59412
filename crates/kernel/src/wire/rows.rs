//! Rows as Arrow batches.

use std::sync::Arc;

use arrow_array::builder::{LargeBinaryBuilder, UInt8Builder, UInt32Builder, UInt64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use distil_plan::{Error, Origin, Result};

use crate::decode::Run;
use crate::reduce::Policy;
use crate::rows::{Counts, Row, RowBuffers, places};

/// What a row of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A survivor so far; where nothing is reduced, any row.
    Row,
    /// The first that lost to a survivor and differs, to be shown: it counts no record.
    Witness,
    /// A record that lost and is wanted.
    Dropped,
}

/// The columns of a batch of rows. Bytes of `row` compare as records do, the first `key_length` of them as
/// keys; `copies` and `conflicting` travel with the row and are never compared, and so do `input` and `offset`, the
/// place of the first record, where the plan wants to know.
pub fn row_schema() -> SchemaRef {
    let column = |name, data_type| Field::new(name, data_type, false);
    Arc::new(Schema::new(vec![
        column("partition", DataType::UInt32),
        column("role", DataType::UInt8),
        column("row", DataType::LargeBinary),
        column("key_length", DataType::UInt32),
        column("value_bytes", DataType::UInt32),
        column("copies", DataType::UInt64),
        column("conflicting", DataType::UInt64),
        Field::new("input", DataType::UInt32, true),
        Field::new("offset", DataType::UInt64, true),
    ]))
}

/// Makes batches of rows.
#[derive(Debug, Default)]
pub struct RowBatches {
    partition: UInt32Builder,
    role: UInt8Builder,
    row: LargeBinaryBuilder,
    key_length: UInt32Builder,
    value_bytes: UInt32Builder,
    copies: UInt64Builder,
    conflicting: UInt64Builder,
    input: UInt32Builder,
    offset: UInt64Builder,
}

impl RowBatches {
    /// Appends a row.
    pub fn push(&mut self, partition: u32, role: Role, row: &Row<'_>) {
        self.partition.append_value(partition);
        self.role.append_value(role as u8);
        self.row.append_value(row.bytes);
        self.key_length.append_value(row.key_length as u32);
        self.value_bytes.append_value(row.value_bytes);
        self.copies.append_value(row.counts.copies);
        self.conflicting.append_value(row.counts.conflicting);
        self.input.append_option(row.origin.map(|origin| origin.input));
        self.offset.append_option(row.origin.map(|origin| origin.offset));
    }

    /// Bytes of the rows appended.
    pub fn bytes(&self) -> usize {
        self.row.values_slice().len()
    }

    /// The rows appended, as a batch; more may follow.
    ///
    /// # Errors
    /// A bug if the columns do not make a batch.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.partition.finish()),
            Arc::new(self.role.finish()),
            Arc::new(self.row.finish()),
            Arc::new(self.key_length.finish()),
            Arc::new(self.value_bytes.finish()),
            Arc::new(self.copies.finish()),
            Arc::new(self.conflicting.finish()),
            Arc::new(self.input.finish()),
            Arc::new(self.offset.finish()),
        ];
        RecordBatch::try_new(row_schema(), columns)
            .map_err(|error: ArrowError| Error::bug(format!("rows do not make a batch: {error}")))
    }
}

/// The rows of runs as batches of about `bytes` bytes; a larger row is a batch of its own.
///
/// # Errors
/// A bug if a row can't be read.
pub fn row_batches(runs: &[Run], policy: Policy, bytes: usize) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    let mut open = RowBatches::default();
    for run in runs {
        let mut before: Option<&[u8]> = None;
        for (_, row) in places(&run.rows) {
            let again = before == Some(row.key());
            before = Some(row.key());
            let role = match policy {
                _ if row.counts.copies == 0 => Role::Witness,
                Policy::KeepLosers if again => Role::Dropped,
                _ => Role::Row,
            };
            open.push(run.partition, role, &row);
            if open.bytes() >= bytes {
                batches.push(open.finish()?);
            }
        }
    }
    let last = open.finish()?;
    if last.num_rows() > 0 {
        batches.push(last);
    }
    Ok(batches)
}

/// Reads the rows of a batch, in any order of partitions, as runs.
///
/// # Errors
/// An environment error if the batch is not one of rows.
pub fn read_rows(batch: &RecordBatch) -> Result<Vec<Run>> {
    if batch.schema_ref().fields() != row_schema().fields() {
        return Err(broken());
    }
    let column = |at: usize| batch.column(at);
    let partition = column(0).as_primitive::<UInt32Type>();
    let rows = column(2).as_binary::<i64>();
    let key_length = column(3).as_primitive::<UInt32Type>();
    let value_bytes = column(4).as_primitive::<UInt32Type>();
    let copies = column(5).as_primitive::<UInt64Type>();
    let conflicting = column(6).as_primitive::<UInt64Type>();
    let input = column(7).as_primitive::<UInt32Type>();
    let offset = column(8).as_primitive::<UInt64Type>();
    let origin = |at: usize| match (input.is_valid(at), offset.is_valid(at)) {
        (true, true) => Ok(Some(Origin { input: input.value(at), offset: offset.value(at) })),
        (false, false) => Ok(None),
        _ => Err(broken()),
    };
    let mut runs: Vec<Run> = Vec::new();
    let mut open = RowBuffers::default();
    for at in 0..batch.num_rows() {
        let bytes = rows.value(at);
        let row = Row {
            bytes,
            key_length: key_length.value(at) as usize,
            value_bytes: value_bytes.value(at),
            counts: Counts { copies: copies.value(at), conflicting: conflicting.value(at) },
            origin: origin(at)?,
        };
        // The top bit of a length is a flag of the form in memory.
        if row.key_length > bytes.len() || bytes.len() > i32::MAX as usize {
            return Err(broken());
        }
        open.push(&row);
        if at + 1 == batch.num_rows() || partition.value(at + 1) != partition.value(at) {
            let rows = std::mem::take(&mut open).full;
            runs.push(Run { partition: partition.value(at), rows });
        }
    }
    Ok(runs)
}

fn broken() -> Error {
    Error::environment("a batch between parts of the job does not hold rows of distil")
        .help("install the same version of distil on all nodes")
}
