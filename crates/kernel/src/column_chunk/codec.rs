//! Compression of pages.

use std::io;

use distil_plan::Compression;

/// Pages from one trial to the next.
const TRIAL_PAGES: usize = 16;
/// Bytes of a trial.
const TRIAL_BYTES: usize = 16 << 10;
/// The zstd level that is taken instead of a higher one where it makes pages no larger. On UUIDs it makes
/// them 2 % smaller than level 3 does, in a quarter of the time.
const LOW_LEVEL: i32 = 1;

/// Compresses the pages of one chunk.
pub(super) struct Codec {
    method: Method,
    compressed: Vec<u8>,
    /// What the low level makes of a trial's page.
    low: Vec<u8>,
    pages: usize,
    pays: bool,
}

enum Method {
    None,
    Snappy(Box<snap::raw::Encoder>),
    Lz4,
    Zstd { compressor: zstd::bulk::Compressor<'static>, level: i32 },
}

impl Codec {
    pub(super) fn new(compression: Compression) -> io::Result<Self> {
        let method = match compression {
            Compression::None => Method::None,
            Compression::Snappy => Method::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::Lz4 => Method::Lz4,
            Compression::Zstd(level) => {
                let level = i32::from(level);
                Method::Zstd { compressor: zstd::bulk::Compressor::new(level)?, level }
            }
        };
        Ok(Self { method, compressed: Vec::new(), low: Vec::new(), pages: 0, pays: false })
    }

    /// Compresses a page that can't say whether it is compressed.
    pub(super) fn always<'a>(&'a mut self, page: &'a [u8]) -> io::Result<&'a [u8]> {
        if matches!(self.method, Method::None) {
            return Ok(page);
        }
        self.method.compress(page, &mut self.compressed)?;
        Ok(&self.compressed)
    }

    /// Compresses the next data page, if that makes it smaller.
    ///
    /// A piece from the middle of every sixteenth page says whether the pages up to the next such one
    /// are worth it: zstd takes longer over bit-packed values that it can't shrink than all the rest of
    /// encoding does. The whole page says which level of zstd they are compressed by. So the choice
    /// follows from the values alone.
    pub(super) fn if_smaller(&mut self, page: &[u8]) -> io::Result<Option<&[u8]>> {
        if matches!(self.method, Method::None) {
            return Ok(None);
        }
        let trial = self.pages.is_multiple_of(TRIAL_PAGES);
        if trial {
            self.method.set_low(false)?;
            let begin = page.len().saturating_sub(TRIAL_BYTES) / 2;
            let piece = &page[begin..page.len().min(begin + TRIAL_BYTES)];
            self.method.compress(piece, &mut self.compressed)?;
            self.pays = self.compressed.len() < piece.len() / 8 * 7;
        }
        self.pages += 1;
        if !self.pays {
            return Ok(None);
        }
        self.method.compress(page, &mut self.compressed)?;
        if trial && self.method.set_low(true)? {
            self.method.compress(page, &mut self.low)?;
            if self.low.len() <= self.compressed.len() {
                std::mem::swap(&mut self.low, &mut self.compressed);
            } else {
                self.method.set_low(false)?;
            }
        }
        Ok((self.compressed.len() < page.len()).then_some(&self.compressed))
    }
}

impl Method {
    /// Compresses by the low level from now on, or by the one that is wanted; false if there is no choice.
    fn set_low(&mut self, low: bool) -> io::Result<bool> {
        match self {
            Self::Zstd { compressor, level } if *level > LOW_LEVEL => {
                compressor.set_compression_level(if low { LOW_LEVEL } else { *level })?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let written = match self {
            Self::None => input.len(),
            Self::Snappy(encoder) => {
                out.resize(snap::raw::max_compress_len(input.len()), 0);
                encoder.compress(input, out)?
            }
            Self::Lz4 => {
                out.resize(lz4_flex::block::get_maximum_output_size(input.len()), 0);
                lz4_flex::block::compress_into(input, out).map_err(io::Error::other)?
            }
            Self::Zstd { compressor, .. } => {
                out.resize(zstd::zstd_safe::compress_bound(input.len()), 0);
                compressor.compress_to_buffer(input, out.as_mut_slice())?
            }
        };
        out.truncate(written);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages of 40 KB, each unlike the others.
    fn pages(word: impl Fn(u64) -> String) -> Vec<Vec<u8>> {
        let mut state = 1u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut page = || {
            let mut text = String::new();
            while text.len() < 40_000 {
                text += &word(next());
            }
            text.into_bytes()
        };
        (0..TRIAL_PAGES + 2).map(|_| page()).collect()
    }

    /// The sizes of pages under a level, all of them read back.
    fn sizes(pages: &[Vec<u8>], level: u8) -> Vec<usize> {
        let mut codec = Codec::new(Compression::Zstd(level)).unwrap();
        let size = |page: &Vec<u8>| {
            let compressed = codec.if_smaller(page).unwrap().unwrap();
            assert_eq!(zstd::bulk::decompress(compressed, page.len()).unwrap(), *page);
            compressed.len()
        };
        pages.iter().map(size).collect()
    }

    #[test]
    fn the_low_level_is_taken_where_it_is_no_worse() {
        // A higher level finds nothing more in hexadecimal digits by chance, but in words that repeat.
        let digits = pages(|random| format!("{random:016x}"));
        let words = pages(|random| {
            format!("{} ", ["region", "reason", "rights", "ready"][random as usize % 4])
        });
        let by = |level: i32, pages: &[Vec<u8>]| -> Vec<usize> {
            pages.iter().map(|page| zstd::bulk::compress(page, level).unwrap().len()).collect()
        };
        for (pages, chosen) in [(digits, 1), (words, 9)] {
            assert_ne!(by(1, &pages), by(9, &pages), "the levels can be told apart");
            assert_eq!(sizes(&pages, 9), by(chosen, &pages));
            assert_eq!(sizes(&pages, 1), by(1, &pages));
        }
    }
}
