//! LZ4 in its frame format (lz4_Frame_format.md 1.6), frame by frame, block by block.
//!
//! A block is decoded as a whole, so what came out before a break is whole blocks. Of a frame whose blocks
//! refer to those before them, 64 KiB are kept.

use distil_plan::Result;
use lz4_flex::block::decompress_into_with_dict;
use xxhash_rust::xxh32::{Xxh32, xxh32};

use super::Step;
use super::window::Window;

/// What every frame begins with, but for skippable ones.
pub(super) const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// How far back a block refers to.
const HISTORY: usize = 64 << 10;

/// The bit of a block's size that says that it is stored as it is.
const STORED: u32 = 1 << 31;

/// The state of decoding.
#[derive(Default)]
pub(super) struct Lz4 {
    /// The frame; `None` between frames.
    frame: Option<Frame>,
    /// Up to [`HISTORY`] bytes before the block, and the block.
    content: Vec<u8>,
    /// How much of `content` was handed out; the history among it.
    given: usize,
    /// The block as it is stored.
    stored: Vec<u8>,
}

/// What the header of a frame says, and what its content came to.
struct Frame {
    is_linked: bool,
    has_block_checksums: bool,
    has_checksum: bool,
    size: Option<u64>,
    block_size: usize,
    written: u64,
    checksum: Xxh32,
}

/// Why a frame breaks.
enum Break {
    Cut,
    Corrupt(&'static str),
    Garbage,
}

type Decoded<T> = Result<std::result::Result<T, Break>>;

impl Lz4 {
    /// Decodes on into `output`, which is not empty.
    pub(super) fn step(&mut self, window: &mut Window, output: &mut [u8]) -> Result<Step> {
        loop {
            let rest = self.content.get(self.given..).unwrap_or_default();
            if !rest.is_empty() {
                let count = rest.len().min(output.len());
                output[..count].copy_from_slice(&rest[..count]);
                self.given += count;
                return Ok(Step::Wrote(count));
            }
            let next = match &self.frame {
                Some(_) => self.block(window)?.map(|()| true),
                None => self.begin(window)?,
            };
            match next {
                Ok(true) => {}
                Ok(false) => return Ok(Step::End),
                Err(why) => return Ok(Step::Broken(0, why.text())),
            }
        }
    }

    /// Begins a frame, or skips one; false at the end.
    fn begin(&mut self, window: &mut Window) -> Decoded<bool> {
        match *window.peek(4)? {
            [] => return Ok(Ok(false)),
            ref magic if *magic == MAGIC => window.consume(4),
            [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                window.consume(4);
                let Some(length) = self.number(window)? else { return Ok(Err(Break::Cut)) };
                let is_whole = skip(window, length as usize)?;
                return Ok(if is_whole { Ok(true) } else { Err(Break::Cut) });
            }
            ref cut if cut.len() < 4 && is_magic_cut(cut) => return Ok(Err(Break::Cut)),
            _ => return Ok(Err(Break::Garbage)),
        }
        self.content.clear();
        self.given = 0;
        self.header(window).map(|begun| {
            begun.map(|frame| {
                self.frame = Some(frame);
                true
            })
        })
    }

    fn header(&mut self, window: &mut Window) -> Decoded<Frame> {
        if !self.take(window, 2)? {
            return Ok(Err(Break::Cut));
        }
        let (flags, sizes) = (self.stored[0], self.stored[1]);
        let has = |bit: u8| flags & (1 << bit) != 0;
        let mut header = vec![flags, sizes];
        if flags >> 6 != 1 || has(1) || sizes & 0x8f != 0 || sizes >> 4 < 4 {
            return Ok(Err(Break::Corrupt("its header is invalid")));
        }
        let rest = 8 * usize::from(has(3)) + 4 * usize::from(has(0)) + 1;
        if !self.take(window, rest)? {
            return Ok(Err(Break::Cut));
        }
        let (described, check) = self.stored.split_at(rest - 1);
        header.extend_from_slice(described);
        if [(xxh32(&header, 0) >> 8) as u8] != *check {
            return Ok(Err(Break::Corrupt("the checksum of its header does not fit")));
        }
        if has(0) {
            return Ok(Err(Break::Corrupt("it needs a dictionary")));
        }
        let size = described.first_chunk().filter(|_| has(3));
        Ok(Ok(Frame {
            is_linked: !has(5),
            has_block_checksums: has(4),
            has_checksum: has(2),
            size: size.map(|size| u64::from_le_bytes(*size)),
            block_size: 1 << (8 + 2 * (sizes >> 4)),
            written: 0,
            checksum: Xxh32::new(0),
        }))
    }

    /// Decodes the next block into `content`, or ends the frame.
    fn block(&mut self, window: &mut Window) -> Decoded<()> {
        let Some(head) = self.number(window)? else { return Ok(Err(Break::Cut)) };
        let Some(mut frame) = self.frame.take() else { return Ok(Ok(())) };
        if head == 0 {
            return self.end(window, frame);
        }
        let length = (head & !STORED) as usize;
        if length > frame.block_size {
            return Ok(Err(Break::Corrupt("a block is larger than its header says")));
        }
        if !self.take(window, length)? {
            return Ok(Err(Break::Cut));
        }
        if frame.has_block_checksums {
            let found = xxh32(&self.stored, 0);
            let stored = std::mem::take(&mut self.stored);
            let said = self.number(window)?;
            self.stored = stored;
            match said {
                None => return Ok(Err(Break::Cut)),
                Some(said) if said != found => {
                    return Ok(Err(Break::Corrupt("its checksum does not fit its content")));
                }
                Some(_) => {}
            }
        }
        // What the next block may refer to.
        let keep = if frame.is_linked { HISTORY.min(self.content.len()) } else { 0 };
        self.content.drain(..self.content.len() - keep);
        self.content.resize(keep + frame.block_size, 0);
        let (history, block) = self.content.split_at_mut(keep);
        let written = if head & STORED == 0 {
            decompress_into_with_dict(&self.stored, block, history).ok()
        } else {
            block[..length].copy_from_slice(&self.stored);
            Some(length)
        };
        let Some(written) = written else {
            self.content.truncate(keep);
            return Ok(Err(Break::Corrupt("its data is invalid")));
        };
        frame.written += written as u64;
        if frame.has_checksum {
            frame.checksum.update(&block[..written]);
        }
        self.content.truncate(keep + written);
        self.given = keep;
        self.frame = Some(frame);
        Ok(Ok(()))
    }

    fn end(&mut self, window: &mut Window, frame: Frame) -> Decoded<()> {
        if frame.size.is_some_and(|size| size != frame.written) {
            return Ok(Err(Break::Corrupt("its length does not fit its content")));
        }
        if frame.has_checksum {
            match self.number(window)? {
                None => return Ok(Err(Break::Cut)),
                Some(said) if said != frame.checksum.digest() => {
                    return Ok(Err(Break::Corrupt("its checksum does not fit its content")));
                }
                Some(_) => {}
            }
        }
        Ok(Ok(()))
    }

    /// The next four bytes as a number; `None` at the end.
    fn number(&mut self, window: &mut Window) -> Result<Option<u32>> {
        let is_whole = self.take(window, 4)?;
        Ok(self.stored.first_chunk().filter(|_| is_whole).map(|four| u32::from_le_bytes(*four)))
    }

    /// Moves the next bytes to `stored`; false if there are fewer.
    fn take(&mut self, window: &mut Window, count: usize) -> Result<bool> {
        self.stored.clear();
        while self.stored.len() < count {
            let input = window.available()?;
            if input.is_empty() {
                return Ok(false);
            }
            let taken = input.len().min(count - self.stored.len());
            self.stored.extend_from_slice(&input[..taken]);
            window.consume(taken);
        }
        Ok(true)
    }
}

impl Break {
    fn text(&self) -> String {
        match self {
            Self::Cut => "the lz4 stream is cut short".to_owned(),
            Self::Corrupt(why) => format!("the lz4 stream is corrupt: {why}"),
            Self::Garbage => "other bytes follow the end of the lz4 stream".to_owned(),
        }
    }
}

/// Skips bytes; false if there are fewer.
fn skip(window: &mut Window, mut count: usize) -> Result<bool> {
    while count > 0 {
        let input = window.available()?;
        if input.is_empty() {
            return Ok(false);
        }
        let taken = input.len().min(count);
        window.consume(taken);
        count -= taken;
    }
    Ok(true)
}

/// Whether these bytes, fewer than a magic number has, can begin one.
fn is_magic_cut(bytes: &[u8]) -> bool {
    MAGIC.starts_with(bytes)
        || matches!(bytes, [0x50..=0x5f, rest @ ..] if [0x2a, 0x4d].starts_with(rest))
}
