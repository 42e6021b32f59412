//! What tasks hand on: bytes, and what they are.

use std::io::Cursor;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use distil_kernel::wire::PackedBatch;
use distil_plan::{Error, Result};

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows of one group of partitions, packed or as an Arrow stream.
    Rows,
    /// Facts and accounts of a task.
    Message,
    /// Bad records, as an Arrow stream.
    BadRecords,
    /// The error that ended a task, as JSON.
    Error,
    /// What a task that wrote parts says of them.
    Written,
    /// What a task used, as JSON of a [`distil_plan::NodeReport`].
    Used,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Rows, Self::Message, Self::BadRecords, Self::Error, Self::Written, Self::Used];

    /// Its number, for whoever carries payloads.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The kind of this number.
    ///
    /// # Errors
    /// An environment error if there is none.
    pub fn of(number: u8) -> Result<Self> {
        Self::ALL.get(usize::from(number)).copied().ok_or_else(|| {
            Error::environment("a payload between tasks is none of distil")
                .help("install the same version of distil on all nodes")
        })
    }
}

/// Bytes on their way from a task to another, or to the driver.
#[derive(Clone, Debug)]
pub struct Payload {
    /// What they are.
    pub kind: Kind,
    /// The group of partitions that the rows belong to; 0 for all else.
    pub group: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What the bytes of packed rows begin with; an Arrow stream begins with four bytes of ones.
const PACKED: &[u8] = b"packed";

/// The payload of packed rows.
pub(crate) fn of_packed(rows: &mut PackedBatch) -> Vec<u8> {
    let mut bytes = PACKED.to_vec();
    bytes.extend(rows.finish());
    bytes
}

/// The bytes of packed rows in a payload; `None` if it is an Arrow stream.
pub(crate) fn packed(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(PACKED)
}

/// Batches as an Arrow stream, compressed: Spark copies a payload half a dozen times on its way, and half of what stands
/// beside the rows is zeros.
///
/// # Errors
/// A bug if they do not make one.
pub(crate) fn to_stream(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(first) = batches.first() else { return Ok(bytes) };
    let failed = |error| Error::bug(format!("batches do not make a stream: {error}"));
    let options = IpcWriteOptions::default()
        .try_with_compression(Some(CompressionType::LZ4_FRAME))
        .map_err(failed)?;
    let mut writer = StreamWriter::try_new_with_options(&mut bytes, first.schema_ref(), options)
        .map_err(failed)?;
    for batch in batches {
        writer.write(batch).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    drop(writer);
    Ok(bytes)
}

/// The batches of an Arrow stream.
///
/// # Errors
/// An environment error if it is none.
pub(crate) fn of_stream(bytes: &[u8]) -> Result<Vec<RecordBatch>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |error| Error::environment(format!("a payload between tasks is broken: {error}"));
    let batches = StreamReader::try_new(Cursor::new(bytes), None).map_err(failed)?;
    batches.map(|batch| batch.map_err(failed)).collect()
}
