//! Packed rows on disk: raw segments of words.

use std::path::Path;
use std::sync::Arc;

use arrow_buffer::ToByteSlice as _;
use distil_kernel::rows::PackedBuffers;
use distil_plan::Result;
use distil_storage::{InputFile, Storage};

/// Packed rows of one partition on disk, in no order.
#[derive(Clone)]
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
        let mut bytes = vec![0; self.words * 8];
        let mut filled = 0;
        while filled < bytes.len() {
            let count = self.file.read_at(self.offset + filled as u64, &mut bytes[filled..])?;
            if count == 0 {
                return Err(super::spill::shortened());
            }
            filled += count;
        }
        let (words, _) = bytes.as_chunks::<8>();
        out.extend(words.iter().map(|word| u64::from_ne_bytes(*word)));
        Ok(())
    }
}

/// Writes the rows of all partitions to a new file; they are gone from memory then. Returns the segments,
/// each with its partition, and the bytes written.
///
/// # Errors
/// An environment error with the path.
pub(crate) fn spill(
    storage: &dyn Storage,
    path: &Path,
    partitions: &mut [PackedBuffers],
) -> Result<(Vec<(usize, PackedSegment)>, u64)> {
    let mut output = storage.create_new(path)?;
    let mut places = Vec::new();
    let mut written = 0;
    for (partition, buffers) in partitions.iter_mut().enumerate() {
        let buffers = std::mem::take(buffers);
        let words = buffers.words();
        if words == 0 {
            continue;
        }
        for buffer in buffers.iter() {
            output.write_all(buffer.as_slice().to_byte_slice())?;
        }
        places.push((partition, written, words));
        written += words as u64 * 8;
    }
    drop(output);
    let file: Arc<dyn InputFile> = Arc::from(storage.open(path)?);
    let segments = places.into_iter().map(|(partition, offset, words)| {
        (partition, PackedSegment { file: Arc::clone(&file), offset, words })
    });
    Ok((segments.collect(), written))
}
