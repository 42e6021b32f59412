//! Zstandard (RFC 8878), frame by frame.

use distil_plan::{Error, Result};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::Step;
use super::limit::WindowLimit;
use super::window::Window;

/// The largest window that is accepted, as a power of two: the format's own largest on 64 bits.
const WINDOW_LOG_MAX: u32 = 31;

/// Bytes of the longest frame header.
const HEADER: usize = 18;

/// Bytes of a block header.
const BLOCK_HEADER: usize = 3;

/// Whether a frame, possibly a skippable one, begins with these bytes.
pub(super) fn is_magic(bytes: [u8; 4]) -> bool {
    let magic = u32::from_le_bytes(bytes);
    magic == 0xfd2f_b528 || magic & 0xffff_fff0 == 0x184d_2a50
}

/// The state of decoding.
pub(super) struct Zstd {
    decoder: Decoder<'static>,
    /// How many bytes the decoder wants next; nothing between frames.
    wanted: Option<usize>,
    /// Whether the decoder may hold content that did not fit into the last buffer.
    holds_content: bool,
    /// The window of the frame, and how much of it is filled.
    window: u64,
    written: u64,
    /// No more of a window may be filled.
    pub(super) limit: WindowLimit,
}

impl Zstd {
    pub(super) fn new() -> Result<Self> {
        let decoder = Decoder::new().and_then(|mut decoder| {
            decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
            Ok(decoder)
        });
        let decoder =
            decoder.map_err(|e| Error::environment(format!("cannot start decoding zstd: {e}")))?;
        let limit = WindowLimit::NONE;
        Ok(Self { decoder, wanted: None, holds_content: false, window: 0, written: 0, limit })
    }

    /// Decodes on into `output`, which is not empty.
    pub(super) fn step(&mut self, window: &mut Window, output: &mut [u8]) -> Result<Step> {
        loop {
            let Some(wanted) = self.wanted else {
                match *window.peek(4)? {
                    [] => return Ok(Step::End),
                    [a, b, c, d] if is_magic([a, b, c, d]) => {
                        self.window = window_bytes(window.peek(HEADER)?).unwrap_or(0);
                        self.written = 0;
                        self.wanted = Some(1);
                    }
                    ref cut if is_magic_cut(cut) => return Ok(cut_short()),
                    _ => return Ok(garbage()),
                }
                continue;
            };
            // A call that fails hides what it wrote. So that the content up to the break does not
            // depend on the size of any buffer, a call gets either nothing, to hand out what the
            // decoder still holds, or at most one block without the header that follows it.
            let feed = match wanted {
                _ if self.holds_content => 0,
                wanted if wanted > BLOCK_HEADER => wanted - BLOCK_HEADER,
                wanted => wanted,
            };
            let input = if feed == 0 { &[] } else { window.available()? };
            if feed > 0 && input.is_empty() {
                return Ok(cut_short());
            }
            let mut input = InBuffer::around(&input[..feed.min(input.len())]);
            let mut out = OutBuffer::around(&mut *output);
            let result = self.decoder.run(&mut input, &mut out);
            let (read, written) = (input.pos(), out.pos());
            match result {
                Ok(0) => self.wanted = None,
                Ok(wanted) => self.wanted = Some(wanted),
                Err(e) => return broken(&e, window),
            }
            self.holds_content = self.wanted.is_some() && written == output.len();
            window.consume(read);
            self.written += written as u64;
            if self.window.min(self.written) > self.limit.bytes {
                return Err(self.limit.exceeded(self.window, window));
            }
            if written > 0 {
                return Ok(Step::Wrote(written));
            }
        }
    }
}

/// The window of the frame that begins with these bytes (RFC 8878, 3.1.1.1); `None` for a skippable frame, and
/// where the header is cut short.
fn window_bytes(frame: &[u8]) -> Option<u64> {
    if frame.first_chunk::<4>()? != &[0x28, 0xb5, 0x2f, 0xfd] {
        return None;
    }
    let descriptor = *frame.get(4)?;
    let is_single_segment = descriptor & 0x20 != 0;
    if !is_single_segment {
        let window = *frame.get(5)?;
        let base = 1u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    // The content is the window.
    let begin = 5 + [0, 1, 2, 4][usize::from(descriptor & 3)];
    let length = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let mut size = [0; 8];
    size[..length].copy_from_slice(frame.get(begin..begin + length)?);
    Some(u64::from_le_bytes(size) + if length == 2 { 256 } else { 0 })
}

/// Whether these bytes, fewer than a magic number has, can begin one.
fn is_magic_cut(bytes: &[u8]) -> bool {
    match bytes {
        [first] => *first == 0x28 || first & 0xf0 == 0x50,
        [first, rest @ ..] if *first == 0x28 => [0xb5, 0x2f].starts_with(rest),
        [first, rest @ ..] if first & 0xf0 == 0x50 => [0x2a, 0x4d].starts_with(rest),
        _ => false,
    }
}

fn cut_short() -> Step {
    Step::Broken(0, "the zstd stream is cut short".to_owned())
}

fn garbage() -> Step {
    Step::Broken(0, "other bytes follow the end of the zstd stream".to_owned())
}

/// The decoder's messages, in the words of the format; want of memory is no fault of the input.
fn broken(cause: &std::io::Error, window: &Window) -> Result<Step> {
    let message = cause.to_string();
    if message.starts_with("Allocation error") {
        return Err(Error::environment("cannot decompress: there is not enough memory")
            .at(window.source().path().display().to_string(), None)
            .help("the file was compressed with a large window (`zstd --long`): it needs as much memory"));
    }
    let why = if message.contains("checksum") {
        "its checksum does not fit its content"
    } else if message.starts_with("Frame requires too much memory") {
        "it asks for a window over 2 GiB"
    } else if message.starts_with("Dictionary mismatch") {
        "it needs a dictionary"
    } else {
        "its data is invalid"
    };
    Ok(Step::Broken(0, format!("the zstd stream is corrupt: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_of_a_frame_is_what_the_encoder_was_given() {
        use zstd::stream::raw::CParameter;
        for log in [10, 17, 23, 27] {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.set_parameter(CParameter::WindowLog(log)).unwrap();
            std::io::Write::write_all(&mut encoder, &[b'x'; 5000]).unwrap();
            let frame = encoder.finish().unwrap();
            assert_eq!(window_bytes(&frame), Some(1 << log));
            assert_eq!(window_bytes(&frame[..5]), None);
        }
        for size in [0, 1, 255, 256, 257, 65_791, 65_792, 100_000] {
            let frame = zstd::bulk::compress(&vec![b'x'; size], 1).unwrap();
            assert_eq!(window_bytes(&frame), Some(size as u64), "{size}");
        }
        assert_eq!(window_bytes(&[0x50, 0x2a, 0x4d, 0x18, 9, 9, 9, 9]), None);
    }
}
