//! Packed rows on disk: raw segments of words.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_buffer::ToByteSlice as _;
use distil_kernel::rows::PackedBuffers;
use distil_plan::Result;
use distil_storage::{InputFile, OutputFile, Storage};

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Packed rows of one partition on disk, in no order.
pub(crate) struct PackedSegment {
    file: Arc<dyn InputFile>,
    offset: u64,
    pub(crate) words: usize,
}

impl std::fmt::Debug for PackedSegment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackedSegment").field("words", &self.words).finish_non_exhaustive()
    }
}

impl PackedSegment {
    /// Appends the words to `out`.
    ///
    /// # Errors
    /// An environment error when reading fails.
    pub(crate) fn read(&self, out: &mut Vec<u64>) -> Result<()> {
        out.reserve(self.words);
        let mut bytes = vec![0; READ_BYTES.min(self.words * 8)];
        let (mut at, end) = (self.offset, self.offset + self.words as u64 * 8);
        while at < end {
            let wanted = bytes.len().min((end - at) as usize);
            let mut filled = 0;
            while filled < wanted {
                match self.file.read_at(at + filled as u64, &mut bytes[filled..wanted])? {
                    0 => return Err(super::spill::shortened()),
                    count => filled += count,
                }
            }
            let (words, _) = bytes[..wanted].as_chunks::<8>();
            out.extend(words.iter().map(|word| u64::from_ne_bytes(*word)));
            at += wanted as u64;
        }
        Ok(())
    }
}

/// A file of packed rows, one for a worker, however often it spills.
pub(crate) struct PackedSpillFile {
    path: PathBuf,
    output: Box<dyn OutputFile>,
    written: u64,
    /// The partition of each segment, where it begins, and its words.
    places: Vec<(usize, u64, usize)>,
}

impl PackedSpillFile {
    /// Creates a file in the scratch directory.
    ///
    /// # Errors
    /// An environment error with the path.
    pub(crate) fn create(storage: &dyn Storage, path: PathBuf) -> Result<Self> {
        let output = storage.create_new(&path)?;
        Ok(Self { path, output, written: 0, places: Vec::new() })
    }

    /// Writes the rows of all partitions; they are gone from memory then.
    ///
    /// # Errors
    /// An environment error, for a full disk among others.
    pub(crate) fn write(&mut self, partitions: &mut [PackedBuffers]) -> Result<()> {
        for (partition, buffers) in partitions.iter_mut().enumerate() {
            let buffers = std::mem::take(buffers);
            let words = buffers.words();
            if words == 0 {
                continue;
            }
            for buffer in buffers.iter() {
                self.output.write_all(buffer.as_slice().to_byte_slice())?;
            }
            self.places.push((partition, self.written, words));
            self.written += words as u64 * 8;
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
    ) -> Result<(Vec<(usize, PackedSegment)>, u64)> {
        drop(self.output);
        let file: Arc<dyn InputFile> = Arc::from(storage.open(&self.path)?);
        let segments = self.places.into_iter().map(|(partition, offset, words)| {
            (partition, PackedSegment { file: Arc::clone(&file), offset, words })
        });
        Ok((segments.collect(), self.written))
    }
}
