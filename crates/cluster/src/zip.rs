//! The zip of event logs that a History Server gives: its directory, and what its files hold.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use distil_plan::{Error, Result};
use distil_storage::InputFile;
use flate2::read::DeflateDecoder;

/// What a zip begins with.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";
/// What its directory ends with, without a comment, and that of files beyond 4 GiB.
const END: usize = 22;
const END_64: usize = 20;
/// The longest comment.
const COMMENT: u64 = 65_535;
/// The largest directory: of some 100,000 files.
const DIRECTORY: u64 = 16 << 20;
/// What is read at once.
const READ: usize = 64 << 10;

/// A file in a zip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path.
    pub(crate) name: String,
    header: u64,
    stored: u64,
    is_deflated: bool,
}

fn damaged(path: &Path) -> Error {
    Error::input("the zip is cut short or damaged").at(path.to_string_lossy(), None)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(N)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

fn read(file: &dyn InputFile, offset: u64, length: u64, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| damaged(path))?];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(offset + filled as u64, &mut bytes[filled..])? {
            0 => return Err(damaged(path)),
            count => filled += count,
        }
    }
    Ok(bytes)
}

/// The files of a zip, without its directories.
///
/// # Errors
/// An input error if it is damaged or uses what a History Server does not; an environment error with the path.
pub(crate) fn entries(file: &dyn InputFile, path: &Path) -> Result<Vec<Entry>> {
    let size = file.stamp().size;
    let begin = size.saturating_sub(COMMENT + (END + END_64) as u64);
    let tail = read(file, begin, size - begin, path)?;
    let (offset, length) = directory(&tail, file, path)?.ok_or_else(|| damaged(path))?;
    if length > DIRECTORY || offset.checked_add(length).is_none_or(|end| end > size) {
        return Err(damaged(path));
    }
    let directory = read(file, offset, length, path)?;
    let mut rest = directory.as_slice();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (entry, next) = entry(rest).ok_or_else(|| damaged(path))?;
        if !entry.name.ends_with('/') {
            entries.push(entry);
        }
        rest = next;
    }
    Ok(entries)
}

/// Where the directory is, and its bytes.
fn directory(tail: &[u8], file: &dyn InputFile, path: &Path) -> Result<Option<(u64, u64)>> {
    let Some(at) = memchr::memmem::rfind(tail, b"PK\x05\x06") else { return Ok(None) };
    let Some(end) = tail.get(at..at + END) else { return Ok(None) };
    let (Some(length), Some(offset)) = (number::<4>(end, 12), number::<4>(end, 16)) else {
        return Ok(None);
    };
    let is_large = offset == u64::from(u32::MAX) || length == u64::from(u32::MAX);
    let locator = at.checked_sub(END_64).map(|at| &tail[at..]);
    match locator.filter(|locator| is_large && locator.starts_with(b"PK\x06\x07")) {
        None => Ok(Some((offset, length))),
        Some(locator) => {
            let Some(at) = number::<8>(locator, 8) else { return Ok(None) };
            let end = read(file, at, 56, path)?;
            Ok(number::<8>(&end, 48).zip(number::<8>(&end, 40)))
        }
    }
}

/// The first entry of a directory, and what follows it.
fn entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    if !bytes.starts_with(b"PK\x01\x02") {
        return None;
    }
    let is_deflated = match number::<2>(bytes, 10)? {
        0 => false,
        8 => true,
        _ => return None,
    };
    let [name, extra, comment] =
        [number::<2>(bytes, 28)?, number::<2>(bytes, 30)?, number::<2>(bytes, 32)?]
            .map(|length| length as usize);
    let mut stored = number::<4>(bytes, 20)?;
    let mut header = number::<4>(bytes, 42)?;
    let original = number::<4>(bytes, 24)?;
    let name_end = 46 + name;
    let mut fields = bytes.get(name_end..name_end + extra)?;
    // Sizes and offsets beyond 4 GiB stand in an extra field, in this order.
    while let (Some(id), Some(length)) = (number::<2>(fields, 0), number::<2>(fields, 2)) {
        let end = 4 + length as usize;
        let field = fields.get(4..end)?;
        if id == 1 {
            let mut at = if original == u64::from(u32::MAX) { 8 } else { 0 };
            for value in [&mut stored, &mut header] {
                if *value == u64::from(u32::MAX) {
                    *value = number::<8>(field, at)?;
                    at += 8;
                }
            }
        }
        fields = &fields[end..];
    }
    let name = String::from_utf8_lossy(bytes.get(46..name_end)?).into_owned();
    let next = bytes.get(name_end + extra + comment..)?;
    Some((Entry { name, header, stored, is_deflated }, next))
}

/// What a file holds.
///
/// # Errors
/// As [`entries`].
pub(crate) fn open(
    file: &Arc<dyn InputFile>,
    entry: &Entry,
    path: &Path,
) -> Result<Box<dyn Read + Send>> {
    let header = read(&**file, entry.header, 30, path)?;
    let lengths = number::<2>(&header, 26).zip(number::<2>(&header, 28));
    let (Some((name, extra)), true) = (lengths, header.starts_with(MAGIC)) else {
        return Err(damaged(path));
    };
    let begin = entry.header + 30 + name + extra;
    let stored = Stored {
        file: Arc::clone(file),
        at: begin,
        end: begin.saturating_add(entry.stored),
        buffer: Vec::new(),
        given: 0,
    };
    Ok(match entry.is_deflated {
        true => Box::new(DeflateDecoder::new(stored)),
        false => Box::new(stored),
    })
}

/// A range of a file.
struct Stored {
    file: Arc<dyn InputFile>,
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    given: usize,
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.buffer.len() {
            let length = (self.end - self.at.min(self.end)).min(READ as u64) as usize;
            self.buffer.resize(length, 0);
            let count = match length {
                0 => 0,
                _ => self.file.read_at(self.at, &mut self.buffer).map_err(std::io::Error::other)?,
            };
            self.buffer.truncate(count);
            self.at += count as u64;
            self.given = 0;
        }
        let rest = &self.buffer[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use distil_storage::{Memory, Storage};

    use super::*;

    const LOGS: &[u8] = include_bytes!("../tests/fixtures/rest/logs.zip");

    fn opened(bytes: &[u8]) -> Arc<dyn InputFile> {
        let memory = Memory::new();
        memory.put("logs.zip", bytes);
        Arc::from(memory.open(Path::new("logs.zip")).unwrap())
    }

    fn all(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
        let (file, path) = (opened(bytes), Path::new("logs.zip"));
        let mut all = Vec::new();
        for entry in entries(&*file, path)? {
            let mut content = Vec::new();
            if open(&file, &entry, path)?.read_to_end(&mut content).is_err() {
                return Err(damaged(path));
            }
            all.push((entry.name, content));
        }
        Ok(all)
    }

    #[test]
    fn the_zip_of_a_history_server_is_read() {
        let files = all(LOGS).unwrap();
        let name = "application_1795574059731_0001";
        assert_eq!(
            files.iter().map(|(name, content)| (name.as_str(), content.len())).collect::<Vec<_>>(),
            [
                (format!("eventlog_v2_{name}/events_1_{name}.zstd").as_str(), 17_533),
                (format!("eventlog_v2_{name}/appstatus_{name}").as_str(), 0)
            ]
        );
    }

    #[test]
    fn a_damaged_zip_is_an_error_and_nothing_else() {
        for cut in 0..LOGS.len() {
            assert!(all(&LOGS[..cut]).is_err(), "cut at {cut}");
        }
        for at in LOGS.len() - 700..LOGS.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = LOGS.to_vec();
                damaged[at] = value;
                let _ = all(&damaged);
            }
        }
    }
}
