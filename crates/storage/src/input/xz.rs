//! xz, stream by stream. The decoder holds one dictionary, as large as the stream says.

use distil_plan::{Error, Result};
use liblzma::stream::{Action, Error as Flaw, Status, Stream};

use super::Step;
use super::limit::WindowLimit;
use super::window::Window;

/// What every stream begins with.
pub(super) const MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];

/// Streams may be followed by zeros, four at a time.
const PADDING: [u8; 4] = [0; 4];

/// What a decoder takes beside its dictionary, at most.
const OVERHEAD: u64 = 1 << 20;

/// The state of decoding.
pub(super) struct Xz {
    /// The stream; `None` between streams.
    stream: Option<Stream>,
    /// The dictionary of the stream, rounded up, once it turned out to be over the limit.
    over: Option<u64>,
    written: u64,
    /// No more of a dictionary may be filled.
    pub(super) limit: WindowLimit,
}

impl Xz {
    pub(super) fn new() -> Self {
        Self { stream: None, over: None, written: 0, limit: WindowLimit::NONE }
    }

    /// Decodes on into `output`, which is not empty.
    pub(super) fn step(&mut self, window: &mut Window, output: &mut [u8]) -> Result<Step> {
        loop {
            let Some(stream) = &mut self.stream else {
                match window.peek(MAGIC.len())? {
                    [] => return Ok(Step::End),
                    magic if *magic == MAGIC => {}
                    padding if padding.starts_with(&PADDING) => {
                        window.consume(PADDING.len());
                        continue;
                    }
                    cut if MAGIC.starts_with(cut) || PADDING.starts_with(cut) => {
                        return Ok(cut_short());
                    }
                    _ => return Ok(garbage()),
                }
                let most = self.limit.bytes.saturating_add(OVERHEAD);
                let stream = Stream::new_stream_decoder(most, 0).map_err(|e| memory(e, window))?;
                self.stream = Some(stream);
                self.over = None;
                self.written = 0;
                continue;
            };
            let input = window.available()?;
            let at_end = input.is_empty();
            let (read, written) = (stream.total_in(), stream.total_out());
            let status = stream.process(input, output, Action::Run);
            // Also of a failed call: what came out before the break counts.
            let read = (stream.total_in() - read) as usize;
            let written = (stream.total_out() - written) as usize;
            window.consume(read);
            self.written += written as u64;
            match status {
                Ok(Status::StreamEnd) => self.stream = None,
                Ok(_) if at_end && written == 0 => return Ok(cut_short()),
                Ok(_) => {}
                // A dictionary that is asked for takes no memory before it is filled.
                Err(Flaw::MemLimit) => {
                    let least = self.over.unwrap_or(self.limit.bytes).max(1 << 16);
                    let next = (least + 1).checked_next_power_of_two().unwrap_or(u64::MAX);
                    self.over = Some(next);
                    stream
                        .set_memlimit(next.saturating_add(OVERHEAD))
                        .or_else(|e| if e == Flaw::MemLimit { Ok(()) } else { Err(e) })
                        .map_err(|e| memory(e, window))?;
                    continue;
                }
                Err(flaw @ Flaw::Mem) => return Err(memory(flaw, window)),
                Err(flaw) => return Ok(corrupt(written, flaw)),
            }
            if let Some(dictionary) = self.over
                && self.written > self.limit.bytes
            {
                return Err(self.limit.exceeded(dictionary, window));
            }
            if written > 0 {
                return Ok(Step::Wrote(written));
            }
        }
    }
}

fn cut_short() -> Step {
    Step::Broken(0, "the xz stream is cut short".to_owned())
}

fn garbage() -> Step {
    Step::Broken(0, "other bytes follow the end of the xz stream".to_owned())
}

fn corrupt(written: usize, flaw: Flaw) -> Step {
    let why = match flaw {
        Flaw::Options => "it uses a filter or an option that is not known",
        _ => "its data is invalid, or does not fit its checksum",
    };
    Step::Broken(written, format!("the xz stream is corrupt: {why}"))
}

/// Want of memory is no fault of the input.
fn memory(flaw: Flaw, window: &Window) -> Error {
    Error::environment(format!("cannot decompress: {flaw}"))
        .at(window.source().path().display().to_string(), None)
        .help("the file may have been compressed with a large dictionary (`xz -9`): it needs as much memory")
}
