//! Sorted runs of quarantined lines in the scratch directory.

use std::path::Path;
use std::vec::IntoIter;

use distil_plan::{Error, Hint, Result};
use distil_storage::{InputFile, OutputFile, Storage};

/// Bytes read or written at once.
const CHUNK: usize = 1 << 16;
/// Bytes before the text of a line: input, offset, length of the text.
const HEADER: usize = 20;

/// A line of the quarantine file with its place. The text comes last in the order, so that parts at
/// one offset (a record and an empty range) have one order too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) input: u64,
    pub(crate) offset: u64,
    pub(crate) text: Vec<u8>,
}

/// Writes a run.
pub(crate) struct RunWriter {
    file: Box<dyn OutputFile>,
    pending: Vec<u8>,
    written: u64,
}

impl RunWriter {
    pub(crate) fn new(file: Box<dyn OutputFile>) -> Self {
        Self { file, pending: Vec::with_capacity(CHUNK), written: 0 }
    }

    pub(crate) fn push(&mut self, line: &Line) -> Result<()> {
        let length = u32::try_from(line.text.len())
            .map_err(|_| Error::bug("a quarantined line is longer than 4 GiB"))?;
        self.pending.extend_from_slice(&line.input.to_le_bytes());
        self.pending.extend_from_slice(&line.offset.to_le_bytes());
        self.pending.extend_from_slice(&length.to_le_bytes());
        self.pending.extend_from_slice(&line.text);
        if self.pending.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// Writes what is pending and returns the bytes of the run. Scratch is not synced: it need not
    /// outlive the run.
    pub(crate) fn finish(mut self) -> Result<u64> {
        self.flush()?;
        Ok(self.written)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.pending)?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

/// Reads a run, from a file or from memory.
pub(crate) enum RunReader {
    Memory(IntoIter<Line>),
    File { file: Box<dyn InputFile>, offset: u64, buffer: Vec<u8>, at: usize },
}

impl RunReader {
    pub(crate) fn in_memory(sorted: Vec<Line>) -> Self {
        Self::Memory(sorted.into_iter())
    }

    pub(crate) fn open(storage: &dyn Storage, path: &Path) -> Result<Self> {
        Ok(Self::File { file: storage.open(path)?, offset: 0, buffer: Vec::new(), at: 0 })
    }

    /// The next line, or nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Line>> {
        if let Self::Memory(lines) = self {
            return Ok(lines.next());
        }
        let Some(header) = self.take(HEADER)? else { return Ok(None) };
        let (input, rest) = header.split_at(8);
        let (offset, length) = rest.split_at(8);
        let (input, offset, length) =
            (little_endian(input), little_endian(offset), little_endian(length));
        let length = usize::try_from(length).map_err(|_| cut())?;
        let text = self.take(length)?.ok_or_else(cut)?.to_vec();
        Ok(Some(Line { input, offset, text }))
    }

    /// The next `count` bytes, or `None` if the run ends here.
    fn take(&mut self, count: usize) -> Result<Option<&[u8]>> {
        let Self::File { file, offset, buffer, at } = self else { return Ok(None) };
        while buffer.len() - *at < count {
            buffer.drain(..*at);
            *at = 0;
            let filled = buffer.len();
            buffer.resize(filled + CHUNK, 0);
            let read = file.read_at(*offset, &mut buffer[filled..])?;
            buffer.truncate(filled + read);
            *offset += read as u64;
            if read == 0 {
                return if buffer.is_empty() { Ok(None) } else { Err(cut()) };
            }
        }
        *at += count;
        Ok(Some(&buffer[*at - count..*at]))
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn cut() -> Error {
    Error::environment("a temporary file of quarantined records is shorter than it was written")
        .help(Hint::choose("keep temporary files where nothing else changes them", "temp_dir"))
}
