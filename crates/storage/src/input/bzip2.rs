//! bzip2, stream by stream. The decoder holds one block, of 900 kB at most, and four bytes for each byte of it.

use bzip2::{Decompress, Status};
use distil_plan::Result;

use super::Step;
use super::window::Window;

/// What every stream begins with; the digit after it is the size of its blocks.
const MAGIC: &[u8] = b"BZh";

/// Whether a stream begins with these bytes, four of them or more.
pub(super) fn is_magic(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && matches!(bytes.get(3), Some(b'1'..=b'9'))
}

/// The state of decoding.
#[derive(Default)]
pub(super) enum Bzip2 {
    /// Before a stream, or at the end.
    #[default]
    Between,
    /// In a stream.
    Stream(Box<Decompress>),
}

impl Bzip2 {
    /// Decodes on into `output`, which is not empty.
    pub(super) fn step(&mut self, window: &mut Window, output: &mut [u8]) -> Result<Step> {
        loop {
            let Self::Stream(stream) = self else {
                match window.peek(4)? {
                    [] => return Ok(Step::End),
                    magic if is_magic(magic) => {}
                    cut if cut.len() < 4 && MAGIC.starts_with(cut) => return Ok(cut_short(0)),
                    _ => return Ok(garbage()),
                }
                *self = Self::Stream(Box::new(Decompress::new(false)));
                continue;
            };
            let input = window.available()?;
            let at_end = input.is_empty();
            let (read, written) = (stream.total_in(), stream.total_out());
            let status = stream.decompress(input, output);
            // Also of a failed call: what came out before the break counts.
            let read = (stream.total_in() - read) as usize;
            let written = (stream.total_out() - written) as usize;
            window.consume(read);
            match status {
                Ok(Status::StreamEnd) => *self = Self::Between,
                Ok(_) if at_end && written == 0 => return Ok(cut_short(written)),
                Ok(_) => {}
                Err(_) => return Ok(corrupt(written)),
            }
            if written > 0 {
                return Ok(Step::Wrote(written));
            }
        }
    }
}

fn cut_short(written: usize) -> Step {
    Step::Broken(written, "the bzip2 stream is cut short".to_owned())
}

fn corrupt(written: usize) -> Step {
    let why = "the bzip2 stream is corrupt: its data is invalid, or does not fit its checksum";
    Step::Broken(written, why.to_owned())
}

fn garbage() -> Step {
    Step::Broken(0, "other bytes follow the end of the bzip2 stream".to_owned())
}
