//! The rows of a group until all of them have come: in memory, and from a bound on in a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use arrow_buffer::ToByteSlice as _;
use distil_kernel::wire::PartitionRows;
use distil_plan::{Error, Result};

/// The rows of one partition, in the order in which they came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Buffers of encoded rows.
    pub(crate) encoded: Vec<Vec<u8>>,
    /// Buffers of packed rows.
    pub(crate) packed: Vec<Vec<u64>>,
}

/// Rows by partition.
pub(crate) struct GroupRows {
    held: BTreeMap<u32, Rows>,
    bytes: u64,
    bound: u64,
    temp_dir: PathBuf,
    spilled: Option<Spilled>,
}

/// A file that has no name any more: nothing of it is left, however the process ends.
struct Spilled {
    file: File,
    length: u64,
    /// Where the buffers of each partition lie.
    places: BTreeMap<u32, Vec<Place>>,
}

/// Where a buffer lies.
struct Place {
    offset: u64,
    length: u64,
    packed: bool,
}

impl GroupRows {
    /// No rows. Beyond `bound` bytes they go to a file in the directory for temporary files.
    pub(crate) fn new(bound: u64, temp_dir: &Path) -> Self {
        let temp_dir = temp_dir.to_owned();
        Self { held: BTreeMap::new(), bytes: 0, bound, temp_dir, spilled: None }
    }

    /// Adds rows of one partition.
    ///
    /// # Errors
    /// An environment error if the file can't be written.
    pub(crate) fn push(&mut self, partition: u32, rows: PartitionRows) -> Result<()> {
        let held = self.held.entry(partition).or_default();
        match rows {
            PartitionRows::Encoded(rows) => {
                self.bytes += rows.iter().map(|buffer| buffer.len() as u64).sum::<u64>();
                held.encoded.extend(rows);
            }
            PartitionRows::Packed(rows) => {
                self.bytes += rows.len() as u64 * 8;
                held.packed.push(rows);
            }
        }
        if self.bytes > self.bound { self.spill() } else { Ok(()) }
    }

    /// The partitions that have rows, in order.
    pub(crate) fn partitions(&self) -> Vec<u32> {
        let spilled = self.spilled.iter().flat_map(|spilled| spilled.places.keys());
        let mut partitions: Vec<u32> = self.held.keys().chain(spilled).copied().collect();
        partitions.sort_unstable();
        partitions.dedup();
        partitions
    }

    /// Takes all rows of a partition.
    ///
    /// # Errors
    /// An environment error if the file can't be read.
    pub(crate) fn take(&mut self, partition: u32) -> Result<Rows> {
        let mut rows = Rows::default();
        if let Some(Spilled { file, places, .. }) = &mut self.spilled {
            for Place { offset, length, packed } in places.remove(&partition).unwrap_or_default() {
                let mut buffer = vec![0; length as usize];
                file.seek(SeekFrom::Start(offset))
                    .and_then(|_| file.read_exact(&mut buffer))
                    .map_err(|cause| failed("read", &self.temp_dir, &cause))?;
                if packed {
                    let words = buffer.as_chunks::<8>().0;
                    rows.packed.push(words.iter().map(|word| u64::from_ne_bytes(*word)).collect());
                } else {
                    rows.encoded.push(buffer);
                }
            }
        }
        let held = self.held.remove(&partition).unwrap_or_default();
        rows.encoded.extend(held.encoded);
        rows.packed.extend(held.packed);
        Ok(rows)
    }

    /// Bytes that went to the file.
    pub(crate) fn spilled_bytes(&self) -> u64 {
        self.spilled.as_ref().map_or(0, |spilled| spilled.length)
    }

    fn spill(&mut self) -> Result<()> {
        if self.spilled.is_none() {
            let file = tempfile::tempfile_in(&self.temp_dir)
                .map_err(|cause| failed("create", &self.temp_dir, &cause))?;
            self.spilled = Some(Spilled { file, length: 0, places: BTreeMap::new() });
        }
        let Some(Spilled { file, length, places }) = &mut self.spilled else { return Ok(()) };
        for (partition, rows) in std::mem::take(&mut self.held) {
            let packed = rows.packed.iter().map(|buffer| (buffer.as_slice().to_byte_slice(), true));
            let encoded = rows.encoded.iter().map(|buffer| (buffer.as_slice(), false));
            for (buffer, packed) in packed.chain(encoded) {
                file.write_all(buffer).map_err(|cause| failed("write", &self.temp_dir, &cause))?;
                let place = Place { offset: *length, length: buffer.len() as u64, packed };
                places.entry(partition).or_default().push(place);
                *length += buffer.len() as u64;
            }
        }
        self.bytes = 0;
        Ok(())
    }
}

fn failed(doing: &str, directory: &Path, cause: &std::io::Error) -> Error {
    Error::io(&format!("{doing} a temporary file"), directory.to_string_lossy(), cause)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn rows_come_back_in_the_order_in_which_they_came_whatever_is_held() {
        for bound in [0, 5, 1000] {
            let mut rows = GroupRows::new(bound, &std::env::temp_dir());
            for at in 0..10u8 {
                let partition = u32::from(at % 3);
                let encoded = PartitionRows::Encoded(vec![vec![at; 2], vec![at]]);
                rows.push(partition, encoded).unwrap();
                rows.push(partition, PartitionRows::Packed(vec![at.into(); 3])).unwrap();
            }
            assert_eq!(rows.partitions(), [0, 1, 2]);
            assert_eq!(rows.spilled_bytes() > 0, bound < 1000);
            for partition in [2u8, 0, 1] {
                let of_partition = || (0..10).filter(|at| at % 3 == partition);
                let expected = Rows {
                    encoded: of_partition().flat_map(|at| [vec![at; 2], vec![at]]).collect(),
                    packed: of_partition().map(|at| vec![at.into(); 3]).collect(),
                };
                assert_eq!(rows.take(partition.into()).unwrap(), expected);
            }
            assert_eq!(rows.take(0).unwrap(), Rows::default());
        }
    }
}
