//! The bytes of an input as they are stored, with a look ahead.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use distil_plan::{Error, Result};

use crate::InputFile;

/// Bytes of a compressed input that are read at once.
const CAPACITY: usize = 256 * 1024;

/// Where the bytes come from.
pub(super) struct Source {
    from: From,
    path: PathBuf,
    position: u64,
}

enum From {
    File(Box<dyn InputFile>),
    Reader(Box<dyn Read + Send>),
}

impl Source {
    pub(super) fn file(file: Box<dyn InputFile>, path: PathBuf) -> Self {
        Self { from: From::File(file), path, position: 0 }
    }

    pub(super) fn reader(reader: Box<dyn Read + Send>, path: PathBuf) -> Self {
        Self { from: From::Reader(reader), path, position: 0 }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file, if its stamp means something.
    pub(super) fn regular_file(&self) -> Option<&dyn InputFile> {
        match &self.from {
            From::File(file) if !file.is_stream() => Some(file.as_ref()),
            _ => None,
        }
    }

    /// Reads on; 0 only at the end or into an empty buffer.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = match &mut self.from {
            From::File(file) => file.read_at(self.position, buffer)?,
            From::Reader(reader) => loop {
                match reader.read(buffer) {
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    result => {
                        break result.map_err(|e| Error::io("read", self.path.display(), &e))?;
                    }
                }
            },
        };
        self.position += count as u64;
        Ok(count)
    }
}

/// A source with the bytes that were read from it but not consumed yet.
pub(super) struct Window {
    source: Source,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Window {
    pub(super) fn new(source: Source) -> Self {
        Self { source, buffer: Vec::new(), start: 0, end: 0 }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Bytes consumed.
    pub(super) fn position(&self) -> u64 {
        self.source.position - (self.end - self.start) as u64
    }

    /// Moves bytes to `buffer`; past those that were looked at, straight from the source.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.start == self.end {
            return self.source.read(buffer);
        }
        let count = buffer.len().min(self.end - self.start);
        buffer[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
        self.start += count;
        Ok(count)
    }

    /// The next `count` bytes (a few), or fewer at the end.
    pub(super) fn peek(&mut self, count: usize) -> Result<&[u8]> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            self.buffer.resize(self.buffer.len().max(count), 0);
            while self.end < count && self.fill()? {}
        }
        Ok(&self.buffer[self.start..self.end.min(self.start + count)])
    }

    /// Everything at hand, at least one byte unless the source is at its end.
    pub(super) fn available(&mut self) -> Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.buffer.resize(CAPACITY, 0);
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Takes bytes that were seen.
    pub(super) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.end - self.start, "only what was seen can be consumed");
        self.start += count;
    }

    /// Reads once into the free end of the buffer; false at the end of the source.
    fn fill(&mut self) -> Result<bool> {
        let count = self.source.read(&mut self.buffer[self.end..])?;
        self.end += count;
        Ok(count > 0)
    }
}
