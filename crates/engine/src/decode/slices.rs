//! One input as slices of whole frames.

use distil_json::{Framer, Separator, Step};
use distil_plan::{BadPart, Error, Input, InputCompression, Result, Shape};
use distil_storage::Storage;

use super::source::Source;

/// Bytes of the smallest window; room enough to see that nothing follows.
const SMALL: usize = 4 << 10;

/// What comes next of an input.
#[derive(Debug)]
pub(crate) enum Framed {
    /// Whole frames: a range of [`SliceReader::bytes`].
    Slice {
        start: usize,
        end: usize,
        /// Offset in the input of the first byte.
        offset: u64,
        separator: Separator,
    },
    /// A bad record that was too long to keep, or a bad range.
    Bad(BadPart),
    /// The input is done, and did not change while it was read.
    Done,
}

/// Reads an input.
pub(crate) struct SliceReader<'a> {
    storage: &'a dyn Storage,
    ordinal: usize,
    path: String,
    stream: Source,
    framer: Framer,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    eof: bool,
    chunk: usize,
}

impl<'a> SliceReader<'a> {
    /// Opens an input; `prefix` are bytes of it that were read before from `stream`.
    pub(crate) fn new(
        storage: &'a dyn Storage,
        ordinal: usize,
        input: &Input,
        shape: &Shape,
        max_record: u64,
        chunk: usize,
        (stream, prefix): (Source, Vec<u8>),
    ) -> Self {
        let end = prefix.len();
        Self {
            storage,
            ordinal,
            path: input.display(),
            stream,
            framer: Framer::new(shape, max_record),
            buffer: prefix,
            start: 0,
            end,
            eof: false,
            chunk,
        }
    }

    /// The bytes that slices are ranges of, until the next call of [`SliceReader::next`].
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The shape that the input turned out to have.
    pub(crate) fn framer(&self) -> &Framer {
        &self.framer
    }

    pub(crate) fn stream(&self) -> &Source {
        &self.stream
    }

    /// The next piece.
    ///
    /// # Errors
    /// An environment error when reading fails, an input error when the file is not what the plan says
    /// or changed while it was read.
    pub(crate) fn next(&mut self) -> Result<Framed> {
        loop {
            let window = &self.buffer[self.start..self.end];
            let offset = self.framer.offset();
            match self.framer.step(window, self.eof) {
                Step::Slice { end, used, separator } => {
                    let start = self.start;
                    self.start += used;
                    return Ok(Framed::Slice { start, end: start + end, offset, separator });
                }
                Step::Bad { used, offset, length, reason, detail } => {
                    self.start += used;
                    let input = self.ordinal;
                    return Ok(Framed::Bad(BadPart {
                        input,
                        offset,
                        length,
                        reason,
                        detail,
                        raw: None,
                    }));
                }
                Step::Skip { used } => self.start += used,
                Step::More => self.more()?,
                Step::Done => {
                    self.stream.finish(self.storage)?;
                    return Ok(Framed::Done);
                }
                Step::Fail(mut error) => {
                    match &mut error.place {
                        Some(place) => place.path.clone_from(&self.path),
                        None => error = error.at(self.path.clone(), None),
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Adds bytes to the window.
    fn more(&mut self) -> Result<()> {
        if self.eof {
            return Err(Error::bug("the framer asks for more at the end of a file")
                .at(self.path.clone(), None));
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        // Doubling keeps the cost of a long record linear. A small file gets a small window, as clearing
        // a large one would cost more than reading it.
        let rest = match (self.stream.size(), self.stream.compression()) {
            (Some(size), InputCompression::None) => size.saturating_sub(self.stream.position()),
            _ => u64::MAX,
        };
        let rest = usize::try_from(rest).unwrap_or(usize::MAX);
        let wanted = (self.end * 2).max(self.chunk.min(rest.saturating_add(SMALL)));
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let limit = self.buffer.len().min(self.end + self.chunk.max(self.end));
        let count = self.stream.read(&mut self.buffer[self.end..limit])?;
        self.end += count;
        if count == 0 {
            self.eof = true;
            if let Some(why) = self.stream.broken() {
                self.framer.cut(why);
            }
        }
        Ok(())
    }
}
