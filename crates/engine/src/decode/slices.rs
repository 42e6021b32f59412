//! One input as slices of whole frames.

use distil_json::Framer;
use distil_kernel::frame_window::{FrameWindow, Framed};
use distil_plan::{Cancel, Input, InputCompression, Result, Shape};
use distil_storage::Storage;

use super::source::Source;
use super::workers::Inputs;

/// Bytes of the smallest window; room enough to see that nothing follows.
const SMALL: usize = 4 << 10;

/// Reads an input.
pub(crate) struct SliceReader<'a> {
    storage: &'a dyn Storage,
    cancel: &'a Cancel,
    stream: Source,
    window: FrameWindow,
    read_size: usize,
}

impl<'a> SliceReader<'a> {
    /// Opens an input; `prefix` are bytes of it that were read before from `stream`.
    pub(crate) fn new(
        inputs: &'a Inputs<'_>,
        ordinal: usize,
        (stream, prefix): (Source, Vec<u8>),
    ) -> Self {
        let plan = &inputs.plan.plan;
        let input: &Input = &inputs.plan.inputs[ordinal];
        let shape: &Shape = input.shape.as_ref().unwrap_or(&plan.shape);
        let framer = Framer::of(plan, shape);
        let window = FrameWindow::new(ordinal, input.display(), framer, prefix);
        let (storage, cancel) = (inputs.storage.as_ref(), inputs.watch.cancel);
        Self { storage, cancel, stream, window, read_size: inputs.options.read_chunk.max(1) }
    }

    /// The bytes that slices are ranges of, until the next call of [`SliceReader::next`].
    pub(crate) fn bytes(&self) -> &[u8] {
        self.window.bytes()
    }

    /// The shape that the input turned out to have.
    pub(crate) fn framer(&self) -> &Framer {
        self.window.framer()
    }

    pub(crate) fn stream(&self) -> &Source {
        &self.stream
    }

    /// What comes next, never [`Framed::More`].
    ///
    /// # Errors
    /// An environment error when reading fails, an input error when the file is not what the plan says
    /// or changed while it was read; that of the cancelled run.
    pub(crate) fn next(&mut self) -> Result<Framed> {
        loop {
            // A record may be long, and a little of a compressed file may be much of it.
            self.cancel.check()?;
            match self.window.advance()? {
                Framed::More => self.more()?,
                Framed::Done => {
                    self.stream.finish(self.storage)?;
                    return Ok(Framed::Done);
                }
                framed => return Ok(framed),
            }
        }
    }

    /// Adds bytes to the window.
    fn more(&mut self) -> Result<()> {
        // Doubling keeps the cost of a long record linear. A small file gets a small window, as clearing
        // a large one would cost more than reading it.
        let rest = match (self.stream.size(), self.stream.compression()) {
            (Some(size), InputCompression::None) => size.saturating_sub(self.stream.position()),
            _ => u64::MAX,
        };
        let rest = usize::try_from(rest).unwrap_or(usize::MAX);
        let pending = self.window.pending();
        let least = (pending * 2).max(self.read_size.min(rest.saturating_add(SMALL)));
        let count = self.stream.read(self.window.room(least, self.read_size.max(pending)))?;
        self.window.filled(count);
        if count == 0 {
            self.window.end(self.stream.broken());
        }
        Ok(())
    }
}
