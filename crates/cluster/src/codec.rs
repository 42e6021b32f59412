//! The text of an event log, decompressed: what [`InputStream`] recognises (zstd, Spark's usual codec, and none), and the
//! block formats of lz4 and snappy that the libraries of Java write, which differ from the frame formats of other tools.

use std::path::Path;

use distil_plan::{Error, Result};
use distil_storage::InputStream;

use crate::lines::Bytes;

/// What each block of lz4 begins with.
const LZ4: &[u8] = b"LZ4Block";
/// Of a block of lz4: magic, method and level, two lengths, a checksum.
const LZ4_HEADER: usize = 21;
/// What a stream of snappy begins with.
const SNAPPY: &[u8] = b"\x82SNAPPY\0";
/// Of a stream of snappy: magic and two versions.
const SNAPPY_HEADER: usize = 16;
/// The longest block, of lz4 by its format.
const LONGEST: usize = 32 << 20;

enum Format {
    Plain,
    Lz4,
    Snappy,
}

/// The text of a log.
pub(crate) struct LogText {
    input: InputStream,
    format: Format,
    /// Bytes that were read, and not given out yet.
    content: Vec<u8>,
    given: usize,
    stored: Vec<u8>,
    is_over: bool,
    broken: Option<String>,
}

impl LogText {
    /// # Errors
    /// An environment error with the path; an input error for a format that is not read.
    pub(crate) fn new(mut input: InputStream, path: &Path) -> Result<Self> {
        let mut content = vec![0; SNAPPY.len()];
        let count = input.read(&mut content)?;
        content.truncate(count);
        let format = match &content[..] {
            LZ4 => Format::Lz4,
            SNAPPY => Format::Snappy,
            [b'Z', b'V', 0 | 1, ..] => {
                return Err(Error::input("the event log is compressed by lzf, which is not read")
                    .at(path.to_string_lossy(), None)
                    .help("have Spark write zstd: spark.eventLog.compression.codec=zstd"));
            }
            _ => Format::Plain,
        };
        let stored = match format {
            Format::Plain => Vec::new(),
            _ => std::mem::take(&mut content),
        };
        let (given, is_over, broken) = (0, false, None);
        Ok(Self { input, format, content, given, stored, is_over, broken })
    }

    /// Reads until `stored` has this many bytes; no if there are no more.
    fn store(&mut self, length: usize) -> Result<bool> {
        let begin = self.stored.len();
        if begin < length {
            self.stored.resize(length, 0);
            let count = self.input.read(&mut self.stored[begin..])?;
            self.stored.truncate(begin + count);
        }
        Ok(self.stored.len() >= length)
    }

    /// Reads the next block of compressed content.
    fn block(&mut self) -> Result<()> {
        self.content.clear();
        self.given = 0;
        let read = match self.format {
            Format::Plain => Ok(false),
            Format::Lz4 => self.lz4()?,
            Format::Snappy => self.snappy()?,
        };
        match read {
            Ok(true) => {}
            Ok(false) => self.is_over = true,
            Err(why) => {
                self.is_over = true;
                self.broken = Some(why.to_owned());
            }
        }
        Ok(())
    }

    fn lz4(&mut self) -> Result<Result<bool, &'static str>> {
        if !self.store(LZ4_HEADER)? {
            return Ok(if self.stored.is_empty() { Ok(false) } else { Err("it is cut short") });
        }
        let number = |at: usize| {
            let bytes = self.stored.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            i32::from_le_bytes(bytes.unwrap_or_default())
        };
        let (length, original) = (number(9), number(13));
        let is_lz4 = match self.stored[8] & 0xf0 {
            0x10 => false,
            0x20 => true,
            _ => return Ok(Err("it is no lz4 that is known")),
        };
        let (Ok(length), Ok(original)) = (usize::try_from(length), usize::try_from(original))
        else {
            return Ok(Err("its lz4 is damaged"));
        };
        if !self.stored.starts_with(LZ4) || length > LONGEST || original > LONGEST {
            return Ok(Err("its lz4 is damaged"));
        }
        if !self.store(LZ4_HEADER + length)? {
            return Ok(Err("it is cut short"));
        }
        let block = &self.stored[LZ4_HEADER..];
        if is_lz4 {
            self.content.resize(original, 0);
            match lz4_flex::block::decompress_into(block, &mut self.content) {
                Ok(count) if count == original => {}
                _ => {
                    self.content.clear();
                    return Ok(Err("its lz4 is damaged"));
                }
            }
        } else {
            self.content.extend_from_slice(block);
        }
        self.stored.clear();
        Ok(Ok(true))
    }

    fn snappy(&mut self) -> Result<Result<bool, &'static str>> {
        // Another stream may begin where one ends.
        if !self.store(4)? {
            return Ok(if self.stored.is_empty() { Ok(false) } else { Err("it is cut short") });
        }
        if self.stored.starts_with(&SNAPPY[..4]) {
            if !self.store(SNAPPY_HEADER)? {
                return Ok(Err("it is cut short"));
            }
            let is_known = self.stored.starts_with(SNAPPY);
            self.stored.clear();
            return Ok(if is_known { Ok(true) } else { Err("its snappy is damaged") });
        }
        let length = i32::from_be_bytes(self.stored[..4].try_into().unwrap_or_default());
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= LONGEST) else {
            return Ok(Err("its snappy is damaged"));
        };
        if !self.store(4 + length)? {
            return Ok(Err("it is cut short"));
        }
        let block = &self.stored[4..];
        let original = snap::raw::decompress_len(block).unwrap_or(usize::MAX);
        if original > LONGEST {
            return Ok(Err("its snappy is damaged"));
        }
        self.content.resize(original, 0);
        if snap::raw::Decoder::new().decompress(block, &mut self.content).is_err() {
            self.content.clear();
            return Ok(Err("its snappy is damaged"));
        }
        self.stored.clear();
        Ok(Ok(true))
    }
}

impl Bytes for LogText {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        loop {
            let rest = &self.content[self.given..];
            let count = rest.len().min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&rest[..count]);
            self.given += count;
            filled += count;
            if filled == buffer.len() || self.is_over {
                return Ok(filled);
            }
            if matches!(self.format, Format::Plain) {
                return Ok(filled + self.input.read(&mut buffer[filled..])?);
            }
            self.block()?;
        }
    }

    fn broken(&self) -> Option<&str> {
        self.broken.as_deref().or_else(|| self.input.broken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As lz4-java writes it.
    fn lz4_block(content: &[u8]) -> Vec<u8> {
        let packed = lz4_flex::block::compress(content);
        let mut block = LZ4.to_vec();
        block.push(0x20 | 6);
        block.extend((packed.len() as u32).to_le_bytes());
        block.extend((content.len() as u32).to_le_bytes());
        block.extend([0; 4]);
        block.extend(if content.is_empty() { Vec::new() } else { packed });
        if content.is_empty() {
            block[8] = 0x10 | 6;
            block[9..13].fill(0);
        }
        block
    }

    fn snappy_stream(parts: &[&[u8]]) -> Vec<u8> {
        let mut stream = SNAPPY.to_vec();
        stream.extend([0, 0, 0, 1, 0, 0, 0, 1]);
        for part in parts {
            let packed = snap::raw::Encoder::new().compress_vec(part).unwrap();
            stream.extend((packed.len() as u32).to_be_bytes());
            stream.extend(packed);
        }
        stream
    }

    fn text(bytes: &[u8], read: usize) -> (Vec<u8>, Option<String>) {
        let input = InputStream::from_reader(Box::new(std::io::Cursor::new(bytes.to_vec())), "log");
        let mut log = LogText::new(input.unwrap(), Path::new("log")).unwrap();
        let mut text = Vec::new();
        let mut buffer = vec![0; read];
        loop {
            let count = log.fill(&mut buffer).unwrap();
            text.extend_from_slice(&buffer[..count]);
            if count < read {
                return (text, log.broken().map(str::to_owned));
            }
        }
    }

    #[test]
    fn blocks_of_java_are_read_cut_at_any_byte() {
        let (a, b) = (b"first line\n".repeat(40), b"second".repeat(30));
        let whole = [a.clone(), b.clone()].concat();
        let lz4 = [lz4_block(&a), lz4_block(b""), lz4_block(&b), lz4_block(b"")].concat();
        let snappy = [snappy_stream(&[&a]), snappy_stream(&[&b])].concat();
        for stored in [&lz4, &snappy] {
            for read in [1, 7, 4096] {
                assert_eq!(text(stored, read), (whole.clone(), None));
            }
            for cut in 0..stored.len() {
                let (found, _) = text(&stored[..cut], 100);
                let is_begin = whole.starts_with(&found) || stored.starts_with(&found);
                assert!(is_begin, "cut at {cut}");
            }
            for at in 8..stored.len() {
                for value in [0, 0x7f, 0xff] {
                    let mut damaged = stored.clone();
                    damaged[at] = value;
                    text(&damaged, 4096);
                }
            }
        }
        assert_eq!(text(&lz4[..lz4.len() - 3], 64).1.as_deref(), Some("it is cut short"));
        assert_eq!(text(b"{}\n", 2), (b"{}\n".to_vec(), None));
    }

    #[test]
    fn a_codec_that_is_not_read_is_named() {
        let input = InputStream::from_reader(Box::new(&b"ZV\x01\0\x10"[..]), "log").unwrap();
        let error = LogText::new(input, Path::new("app.lzf")).err().unwrap();
        assert_eq!(
            error.to_string(),
            "app.lzf: the event log is compressed by lzf, which is not read"
        );
    }
}
