//! Reading an input from its beginning to its end, decompressed.

mod bzip2;
mod gzip;
mod limit;
mod lz4;
mod window;
mod xz;
mod zstd;

use std::io::Read;
use std::path::{Path, PathBuf};

use distil_plan::{Error, InputCompression, Result};

use self::bzip2::Bzip2;
use self::gzip::Gzip;
pub use self::limit::WindowLimit;
use self::lz4::Lz4;
use self::window::{Source, Window};
use self::xz::Xz;
use self::zstd::Zstd;
use crate::{InputFile, Known, Stamp, Storage};

/// An input as a sequence of decompressed bytes.
///
/// The compression is recognised by the first bytes, never by a name: gzip (members one after
/// another, zeros after the last one ignored, as `gzip -d` does), zstd (frames one after another, skippable
/// frames skipped, windows up to 2 GiB as `zstd --long=31` writes them), bzip2 and xz (streams one after
/// another), and lz4 (the frame format, frames one after another). The decoder holds one window in memory:
/// 32 KiB for gzip, 4 MB for bzip2, two blocks of up to 4 MiB for lz4, and for zstd and xz what the stream
/// asks for: 8 MiB with the usual levels, 64 MiB with `xz -9`.
///
/// A compressed stream that breaks delivers every byte that came out before the break, then ends;
/// [`InputStream::broken`] says why. Which bytes these are depends only on the content of the file,
/// not on how it is read.
pub struct InputStream {
    window: Window,
    decoder: Decoder,
    ended: bool,
    broken: Option<String>,
}

enum Decoder {
    Plain,
    Gzip(Gzip),
    Zstd(Zstd),
    Bzip2(Bzip2),
    Xz(Box<Xz>),
    Lz4(Box<Lz4>),
}

/// What one step of a decoder came to.
enum Step {
    /// It wrote this number of bytes, at least one, unless the buffer is empty.
    Wrote(usize),
    /// The stream is over.
    End,
    /// The stream breaks here, after this number of bytes.
    Broken(usize, String),
}

impl InputStream {
    /// Opens a file, a pipe or a character device; `-` is standard input.
    ///
    /// # Errors
    /// An environment error with the path: it can't be opened or its first bytes can't be read.
    pub fn open(storage: &dyn Storage, path: &Path) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Self::from_reader(Box::new(std::io::stdin()), "-");
        }
        let file = storage.open(path)?;
        Self::new(Source::file(file, path.to_owned()))
    }

    /// As [`InputStream::open`], of a file that was seen before.
    ///
    /// # Errors
    /// As [`InputStream::open`].
    pub fn open_known(storage: &dyn Storage, path: &Path, known: Known) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Self::open(storage, path);
        }
        let file = storage.open_known(path, known)?;
        Self::new(Source::file(file, path.to_owned()))
    }

    /// Reads from anything; `display_name` stands for its path in messages.
    ///
    /// # Errors
    /// An environment error with the name: its first bytes can't be read.
    pub fn from_reader(
        reader: Box<dyn Read + Send>,
        display_name: impl Into<PathBuf>,
    ) -> Result<Self> {
        Self::new(Source::reader(reader, display_name.into()))
    }

    fn new(source: Source) -> Result<Self> {
        let mut window = Window::new(source);
        let decoder = match *window.peek(4)? {
            [0x1f, 0x8b, ..] => Decoder::Gzip(Gzip::default()),
            [a, b, c, d] if zstd::is_magic([a, b, c, d]) => Decoder::Zstd(Zstd::new()?),
            [a, b, c, d] if lz4::MAGIC == [a, b, c, d] => Decoder::Lz4(Box::default()),
            ref magic if xz::MAGIC.starts_with(magic) && magic.len() == 4 => {
                Decoder::Xz(Box::new(Xz::new()))
            }
            ref magic if bzip2::is_magic(magic) => Decoder::Bzip2(Bzip2::default()),
            _ => Decoder::Plain,
        };
        Ok(Self { window, decoder, ended: false, broken: None })
    }

    /// The same stream, which fails once more of a window of zstd or of a dictionary of xz is filled.
    #[must_use]
    pub fn within(mut self, limit: WindowLimit) -> Self {
        match &mut self.decoder {
            Decoder::Zstd(zstd) => zstd.limit = limit,
            Decoder::Xz(xz) => xz.limit = limit,
            _ => {}
        }
        self
    }

    /// How the input is compressed.
    pub fn compression(&self) -> InputCompression {
        match self.decoder {
            Decoder::Plain => InputCompression::None,
            Decoder::Gzip(_) => InputCompression::Gzip,
            Decoder::Zstd(_) => InputCompression::Zstd,
            Decoder::Bzip2(_) => InputCompression::Bzip2,
            Decoder::Xz(_) => InputCompression::Xz,
            Decoder::Lz4(_) => InputCompression::Lz4,
        }
    }

    /// Fills as much of `buffer` as the input still has, and returns how much: less than asked for,
    /// and in the end 0, only at the end or at a break.
    ///
    /// # Errors
    /// An environment error with the path. What was read in the failed call is lost.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && !self.ended {
            let rest = &mut buffer[filled..];
            let step = match &mut self.decoder {
                Decoder::Plain => match self.window.read(rest)? {
                    0 => Step::End,
                    count => Step::Wrote(count),
                },
                Decoder::Gzip(gzip) => gzip.step(&mut self.window, rest)?,
                Decoder::Zstd(zstd) => zstd.step(&mut self.window, rest)?,
                Decoder::Bzip2(bzip2) => bzip2.step(&mut self.window, rest)?,
                Decoder::Xz(xz) => xz.step(&mut self.window, rest)?,
                Decoder::Lz4(lz4) => lz4.step(&mut self.window, rest)?,
            };
            match step {
                Step::Wrote(count) => filled += count,
                Step::End => self.ended = true,
                Step::Broken(count, why) => {
                    filled += count;
                    self.ended = true;
                    self.broken = Some(why);
                }
            }
        }
        Ok(filled)
    }

    /// Why the compressed stream ended early, once [`InputStream::read`] came to its end; `None` if
    /// it ended well.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Bytes consumed so far, before decompression; for showing progress.
    pub fn position(&self) -> u64 {
        self.window.position()
    }

    /// Bytes in the file, before decompression; `None` for standard input, pipes and devices.
    pub fn size(&self) -> Option<u64> {
        self.stamp().map(|stamp| stamp.size)
    }

    /// The identity of the file when it was opened; `None` for standard input, pipes and devices.
    pub fn stamp(&self) -> Option<Stamp> {
        self.window.source().regular_file().map(|file| file.stamp())
    }

    /// Makes sure that the file is still the one that was opened, unchanged. To be called when
    /// everything that will be read has been read.
    ///
    /// # Errors
    /// An input error with the path: the file was changed, replaced or removed meanwhile, or it held
    /// fewer or more bytes than its size says. An environment error: it can't be looked at.
    pub fn finish(&self, storage: &dyn Storage) -> Result<()> {
        let source = self.window.source();
        let Some(file) = source.regular_file() else {
            return Ok(());
        };
        check_unchanged(storage, source.path(), file)?;
        let (read, size) = (self.position(), file.stamp().size);
        if self.ended && self.broken.is_none() && read != size {
            return Err(changed(source.path(), &format!("gave {read} bytes instead of {size}")));
        }
        Ok(())
    }
}

/// Makes sure that a file that was opened at `path` is still the one there, unchanged. To be called when
/// everything that will be read has been read.
///
/// # Errors
/// An input error with the path: the file was changed, replaced or removed meanwhile. An environment
/// error: it can't be looked at.
pub fn check_unchanged(storage: &dyn Storage, path: &Path, file: &dyn InputFile) -> Result<()> {
    if file.is_pinned() {
        return Ok(());
    }
    let then = file.stamp();
    let now = file.stamp_now()?;
    if now.size != then.size {
        let verb = if now.size > then.size { "grew" } else { "shrank" };
        return Err(changed(path, &format!("{verb} from {} to {} bytes", then.size, now.size)));
    }
    if now != then {
        return Err(changed(path, "was modified"));
    }
    match storage.metadata(path)? {
        None => Err(changed(path, "was removed")),
        Some(named) if named.stamp != then => Err(changed(path, "was replaced")),
        Some(_) => Ok(()),
    }
}

/// The error for a file that did something (`change`) while it was read.
pub fn changed(path: &Path, change: &str) -> Error {
    Error::input(format!("the file {change} while it was read"))
        .at(path.display().to_string(), None)
        .help("wait until nothing writes to it any more, and run again")
}
