//! gzip (RFC 1952), member by member.

use distil_plan::Result;
use flate2::{Decompress, FlushDecompress, Status};

use super::Step;
use super::window::Window;

/// The largest history that deflate refers to, as a power of two.
const WINDOW_BITS: u8 = 15;

/// The state of decoding.
#[derive(Default)]
pub(super) enum Gzip {
    /// Before a member, or at the end.
    #[default]
    Between,
    /// In a member: its header, data or checksum.
    Member(Box<Decompress>),
    /// In zeros after the last member: tapes and block devices pad with them.
    Padding,
}

impl Gzip {
    /// Decodes on into `output`, which is not empty.
    pub(super) fn step(&mut self, window: &mut Window, output: &mut [u8]) -> Result<Step> {
        loop {
            let input = window.available()?;
            match self {
                Self::Between => match *window.peek(2)? {
                    [] => return Ok(Step::End),
                    [0x1f] | [0x1f, 0x8b] => {
                        *self = Self::Member(Box::new(Decompress::new_gzip(WINDOW_BITS)));
                    }
                    [0, ..] => *self = Self::Padding,
                    _ => return Ok(garbage()),
                },
                Self::Padding => {
                    let zeros = input.iter().take_while(|&&byte| byte == 0).count();
                    match (input.len(), zeros) {
                        (0, _) => return Ok(Step::End),
                        (all, zeros) if zeros < all => return Ok(garbage()),
                        _ => window.consume(zeros),
                    }
                }
                Self::Member(member) => {
                    let at_end = input.is_empty();
                    let (read, written) = (member.total_in(), member.total_out());
                    let status = member.decompress(input, output, FlushDecompress::None);
                    // Also of a failed call: what came out before the break counts.
                    let read = (member.total_in() - read) as usize;
                    let written = (member.total_out() - written) as usize;
                    let broken = match &status {
                        Ok(Status::StreamEnd) => None,
                        Ok(_) if at_end && written == 0 => {
                            Some("the gzip stream is cut short".to_owned())
                        }
                        Ok(_) => None,
                        Err(e) => Some(corrupt(e.message())),
                    };
                    window.consume(read);
                    if let Some(why) = broken {
                        return Ok(Step::Broken(written, why));
                    }
                    if matches!(status, Ok(Status::StreamEnd)) {
                        *self = Self::Between;
                    }
                    if written > 0 {
                        return Ok(Step::Wrote(written));
                    }
                }
            }
        }
    }
}

fn garbage() -> Step {
    Step::Broken(0, "other bytes follow the end of the gzip stream".to_owned())
}

/// The decoder's short messages, in the words of the format.
fn corrupt(message: Option<&str>) -> String {
    let why = match message {
        Some("incorrect data check") => "its checksum does not fit its content",
        Some("incorrect length check") => "its length does not fit its content",
        Some("header crc mismatch") => "the checksum of its header does not fit",
        Some(message) if message.contains("header") || message.contains("compression method") => {
            "its header is invalid"
        }
        _ => "its data is invalid",
    };
    format!("the gzip stream is corrupt: {why}")
}
