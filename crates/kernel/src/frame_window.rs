//! A window on an input, in which whole frames are found.
//!
//! Whoever reads the input fills the window, and takes the frames out of it: a thread from a file, a task
//! from bytes that are pushed to it.

use distil_json::{Framer, Frames, Step};
use distil_plan::{BadPart, Error, Reason, Result};

/// What comes next of an input.
#[derive(Debug)]
pub enum Framed {
    /// Whole frames: [`FrameWindow::bytes`] from `start` to `end`.
    Slice {
        /// First byte in the window.
        start: usize,
        /// End in the window.
        end: usize,
        /// Offset in the input of the first byte.
        offset: u64,
        /// Where the frames are.
        frames: Frames,
    },
    /// A bad record that was too long to keep, or a bad range.
    Bad(BadPart),
    /// The window holds no more whole frames: [`FrameWindow::room`] must be filled, or the end told.
    More,
    /// The input is done.
    Done,
}

/// The bytes of an input that no frame was made of yet.
#[derive(Debug)]
pub struct FrameWindow {
    input: usize,
    path: String,
    framer: Framer,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    eof: bool,
}

impl FrameWindow {
    /// A window at the beginning of what `framer` frames; `filled` are the first bytes of it.
    pub fn new(input: usize, path: String, framer: Framer, filled: Vec<u8>) -> Self {
        let end = filled.len();
        Self { input, path, framer, buffer: filled, start: 0, end, eof: false }
    }

    /// The bytes that [`Framed::Slice`] is a range of, until the window is filled again.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The framer.
    pub fn framer(&self) -> &Framer {
        &self.framer
    }

    /// Bytes of the window that are not done with.
    pub fn pending(&self) -> usize {
        self.end - self.start
    }

    /// The next frames.
    ///
    /// # Errors
    /// An input error if the input is not what the plan says, with its place.
    pub fn advance(&mut self) -> Result<Framed> {
        loop {
            let window = &self.buffer[self.start..self.end];
            let offset = self.framer.offset();
            match self.framer.step(window, self.eof) {
                Step::Slice { end, used, frames } => {
                    let start = self.start;
                    self.start += used;
                    return Ok(Framed::Slice { start, end: start + end, offset, frames });
                }
                Step::Bad { used, offset, length, reason, detail } => {
                    self.start += used;
                    let input = self.input;
                    let at = (reason == Reason::BrokenRange).then_some(offset);
                    let (raw, added) = (None, Vec::new());
                    let part = BadPart { input, offset, length, reason, detail, at, raw, added };
                    return Ok(Framed::Bad(part));
                }
                Step::Skip { used } => self.start += used,
                Step::More if self.eof => {
                    return Err(Error::bug("the framer asks for more at the end of an input")
                        .at(self.path.clone(), None));
                }
                Step::More => return Ok(Framed::More),
                Step::Done => return Ok(Framed::Done),
                Step::Fail(mut error) => {
                    match &mut error.place {
                        Some(place) => place.path.clone_from(&self.path),
                        None => error = error.at(self.path.clone(), None),
                    }
                    return Err(error.with_file(&self.path));
                }
            }
        }
    }

    /// Room for at least one and at most `most` bytes after those that are pending, in a window of at
    /// least `least` bytes. Ranges of earlier slices are void.
    pub fn room(&mut self, least: usize, most: usize) -> &mut [u8] {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let least = least.max(self.end + 1);
        if self.buffer.len() < least {
            self.buffer.resize(least, 0);
        }
        let limit = self.buffer.len().min(self.end + most.max(1));
        &mut self.buffer[self.end..limit]
    }

    /// Says how many bytes were put into the room.
    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }

    /// Says that the input ends here; `broken` says why, where it ends early (a compressed stream is cut).
    pub fn end(&mut self, broken: Option<&str>) {
        self.eof = true;
        if let Some(why) = broken {
            self.framer.cut(why);
        }
    }
}
