//! Sorted runs on disk. They know nothing about keys but where in them to begin to read.

use std::path::Path;
use std::sync::Arc;

use distil_plan::{Error, Hint, Result};
use distil_storage::{InputFile, OutputFile, Storage};

use distil_kernel::rows::Row;

/// Bytes between two marks of a segment: about the least that is read of it.
const BLOCK: u64 = 64 << 10;

/// A row where reading may begin.
#[derive(Clone, Debug)]
struct Mark {
    key: Vec<u8>,
    offset: u64,
}

/// A file being written.
pub(crate) struct SpillWriter {
    output: Box<dyn OutputFile>,
    written: u64,
    /// For each segment: its partition, its marks, its end.
    segments: Vec<(usize, Vec<Mark>, u64)>,
}

impl SpillWriter {
    /// Creates a file in the scratch directory.
    ///
    /// # Errors
    /// An environment error with the path.
    pub(crate) fn create(storage: &dyn Storage, path: &Path) -> Result<Self> {
        Ok(Self { output: storage.create_new(path)?, written: 0, segments: Vec::new() })
    }

    /// Writes the rows of a partition, which are in order.
    ///
    /// # Errors
    /// An environment error, for a full disk among others.
    pub(crate) fn write(&mut self, partition: usize, buffers: &[Vec<u8>]) -> Result<()> {
        let mut marks: Vec<Mark> = Vec::new();
        for buffer in buffers {
            let mut at = 0;
            while let Some(row) = Row::read(buffer, at) {
                let offset = self.written + at as u64;
                if marks.last().is_none_or(|mark| offset - mark.offset >= BLOCK) {
                    marks.push(Mark { key: row.key().to_vec(), offset });
                }
                at += row.stored_length();
            }
            self.output.write_all(buffer)?;
            self.written += buffer.len() as u64;
        }
        if !marks.is_empty() {
            self.segments.push((partition, marks, self.written));
        }
        Ok(())
    }

    /// Ends writing: the segments, each with its partition, and the bytes of the file.
    ///
    /// # Errors
    /// An environment error with the path.
    pub(crate) fn finish(
        self,
        storage: &dyn Storage,
        path: &Path,
    ) -> Result<(Vec<(usize, Segment)>, u64)> {
        drop(self.output);
        let file: Arc<dyn InputFile> = Arc::from(storage.open(path)?);
        let segments = self.segments.into_iter().map(|(partition, marks, end)| {
            (partition, Segment { file: Arc::clone(&file), marks, end })
        });
        Ok((segments.collect(), self.written))
    }
}

/// A sorted run of one partition.
#[derive(Clone)]
pub(crate) struct Segment {
    file: Arc<dyn InputFile>,
    marks: Vec<Mark>,
    end: u64,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment").field("marks", &self.marks.len()).finish_non_exhaustive()
    }
}

impl Segment {
    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.end - self.marks.first().map_or(self.end, |mark| mark.offset)
    }

    /// Keys about [`BLOCK`] bytes apart.
    pub(crate) fn mark_keys(&self) -> impl Iterator<Item = &[u8]> {
        self.marks.iter().map(|mark| mark.key.as_slice())
    }

    /// The rows whose keys are at least `low` and less than `high`, as one buffer.
    ///
    /// # Errors
    /// An environment error when reading fails; a bug if the file is not what was written.
    pub(crate) fn read(&self, low: Option<&[u8]>, high: Option<&[u8]>) -> Result<Vec<u8>> {
        // The last mark below `low` may begin a block that reaches into what is wanted; a key may begin
        // in the block before the first mark that has it.
        let first = low.map_or(0, |low| {
            self.marks.partition_point(|mark| mark.key.as_slice() < low).saturating_sub(1)
        });
        let last = high.map_or(self.marks.len(), |high| {
            self.marks.partition_point(|mark| mark.key.as_slice() < high)
        });
        if first >= last {
            return Ok(Vec::new());
        }
        let begin = self.marks[first].offset;
        let end = self.marks.get(last).map_or(self.end, |mark| mark.offset);
        let mut buffer = vec![0; (end - begin) as usize];
        let mut filled = 0;
        while filled < buffer.len() {
            let count = self.file.read_at(begin + filled as u64, &mut buffer[filled..])?;
            if count == 0 {
                return Err(shortened());
            }
            filled += count;
        }
        let (mut start, mut stop) = (None, buffer.len());
        let mut at = 0;
        while at < buffer.len() {
            let row = Row::read(&buffer, at)
                .ok_or_else(|| Error::bug("a spilled row can't be read back"))?;
            if start.is_none() && low.is_none_or(|low| row.key() >= low) {
                start = Some(at);
            }
            if high.is_some_and(|high| row.key() >= high) {
                stop = at;
                break;
            }
            at += row.stored_length();
        }
        buffer.truncate(stop);
        buffer.drain(..start.unwrap_or(stop).min(stop));
        Ok(buffer)
    }
}

/// The error for a spill file that lost bytes.
pub(crate) fn shortened() -> Error {
    Error::environment("a temporary file is shorter than what was written to it")
        .help(Hint::choose("keep temporary files where nothing else changes them", "temp_dir"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use distil_kernel::rows::{RowBuffers, SINGLE};
    use distil_storage::Memory;

    #[test]
    fn every_range_of_a_segment_reads_back_exactly() {
        let storage = Memory::new();
        storage.put_dir("scratch");
        let path = Path::new("scratch/rows");
        let keys: Vec<Vec<u8>> =
            (0..4000u32).map(|n| format!("{:06}", n / 3).into_bytes()).collect();
        let mut buffers = RowBuffers::default();
        for (n, key) in keys.iter().enumerate() {
            let bytes = [key.as_slice(), &[b'x'; 100][..n % 100]].concat();
            buffers.push(&Row { bytes: &bytes, key_length: 6, value_bytes: 1, counts: SINGLE });
        }
        let mut writer = SpillWriter::create(&storage, path).unwrap();
        writer.write(7, &buffers.full).unwrap();
        let (segments, bytes) = writer.finish(&storage, path).unwrap();
        let (partition, segment) = &segments[0];
        assert_eq!((*partition, segment.bytes()), (7, bytes));
        assert!(segment.mark_keys().count() > 2);
        let mut bounds: Vec<Option<&[u8]>> = vec![None, Some(b"0"), Some(b"000500"), Some(b"9")];
        bounds.extend(segment.mark_keys().map(Some));
        for low in &bounds {
            for high in &bounds {
                let buffer = segment.read(*low, *high).unwrap();
                let found: Vec<Vec<u8>> = distil_kernel::rows::places(&[buffer])
                    .map(|(_, row)| row.key().to_vec())
                    .collect();
                let inside = |key: &&Vec<u8>| {
                    low.is_none_or(|low| key.as_slice() >= low)
                        && high.is_none_or(|high| key.as_slice() < high)
                };
                let expected: Vec<Vec<u8>> = keys.iter().filter(inside).cloned().collect();
                assert_eq!(found, expected);
            }
        }
    }
}
