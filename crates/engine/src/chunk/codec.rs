//! Compression of pages.

use std::io;

use distil_plan::Compression;

/// Pages from one trial to the next.
const TRIAL_PAGES: usize = 16;
/// Bytes of a trial.
const TRIAL_BYTES: usize = 16 << 10;

/// Compresses the pages of one chunk.
pub(super) struct Codec {
    method: Method,
    compressed: Vec<u8>,
    pages: usize,
    pays: bool,
}

enum Method {
    None,
    Snappy(Box<snap::raw::Encoder>),
    Lz4,
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Codec {
    pub(super) fn new(compression: Compression) -> io::Result<Self> {
        let method = match compression {
            Compression::None => Method::None,
            Compression::Snappy => Method::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::Lz4 => Method::Lz4,
            Compression::Zstd(level) => {
                Method::Zstd(zstd::bulk::Compressor::new(i32::from(level))?)
            }
        };
        Ok(Self { method, compressed: Vec::new(), pages: 0, pays: false })
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
    /// A piece from the middle of every sixteenth page tells whether the pages up to the next such one
    /// are worth it: zstd takes longer over bit-packed values that it can't shrink than all the rest of
    /// encoding does. So the choice follows from the values alone.
    pub(super) fn if_smaller(&mut self, page: &[u8]) -> io::Result<Option<&[u8]>> {
        if matches!(self.method, Method::None) {
            return Ok(None);
        }
        if self.pages.is_multiple_of(TRIAL_PAGES) {
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
        Ok((self.compressed.len() < page.len()).then_some(&self.compressed))
    }
}

impl Method {
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
            Self::Zstd(compressor) => {
                out.resize(zstd::zstd_safe::compress_bound(input.len()), 0);
                compressor.compress_to_buffer(input, out.as_mut_slice())?
            }
        };
        out.truncate(written);
        Ok(())
    }
}
