//! Quarantine files as sources: the records that they hold, under the plan that set them aside.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_json::with_members;
use distil_plan::{BadPart, Cancel, Error, InputFormat, Plan, Reason, Result, printable};
use distil_storage::{InputStream, OutputFile, Stamp, Storage};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Bytes that are read or written at once.
const CHUNK: usize = 1 << 16;
/// The longest line: a record of [`BadPart::MAX_RAW`] in which every byte is escaped, its detail, or a plan.
const LONGEST_LINE: usize = 8 * BadPart::MAX_RAW as usize;
/// The version of the form.
const VERSION: u32 = 1;

/// The first line of a quarantine file.
#[derive(Serialize, Deserialize)]
struct Heading {
    quarantine: u32,
    plan: Plan,
}

/// The first line of the quarantine file of a plan, which also names the output.
///
/// # Errors
/// A bug if the plan has no JSON form.
pub fn heading(plan: &Plan) -> Result<Vec<u8>> {
    let heading = Heading { quarantine: VERSION, plan: plan.clone() };
    let mut line = serde_json::to_vec(&heading)
        .map_err(|error| Error::bug(format!("the plan has no JSON form: {error}")))?;
    line.push(b'\n');
    Ok(line)
}

/// What tells, beside its path, whether a file is still the one that a record was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileStamp {
    size: u64,
    /// Nanoseconds since 1970.
    modified: i64,
}

impl FileStamp {
    pub(super) fn of(stamp: &Stamp) -> Option<Self> {
        Some(Self { size: stamp.size, modified: i64::try_from(stamp.modified).ok()? })
    }
}

/// A line after the first, as far as it matters here.
#[derive(Deserialize)]
struct Entry {
    file: String,
    offset: u64,
    length: u64,
    reason: Reason,
    raw: Option<String>,
    raw_base64: Option<String>,
    added: Option<Box<RawValue>>,
    stamp: Option<FileStamp>,
}

/// A record with what the plan would have added to it.
fn with_added(record: Vec<u8>, added: Option<&RawValue>) -> Vec<u8> {
    let members = added.and_then(|added| added.get().strip_prefix('{')?.strip_suffix('}'));
    match members {
        Some(members) => with_members(&record, format!("{members},").as_bytes()),
        None => record,
    }
}

/// A quarantine file that is read.
pub struct Replay<'a> {
    storage: &'a dyn Storage,
    path: &'a Path,
    lines: Lines,
    plan: Plan,
}

impl<'a> Replay<'a> {
    /// Opens a quarantine file.
    ///
    /// # Errors
    /// An environment error if it can't be read, an input error if it is not a quarantine file.
    pub fn open(storage: &'a dyn Storage, path: &'a Path) -> Result<Self> {
        let stream = InputStream::open(storage, path)?;
        let mut lines = Lines { stream, buffer: Vec::new(), at: 0, is_done: false };
        let first = lines.next(path)?.unwrap_or_default();
        let heading: Heading = serde_json::from_slice(&first).map_err(|_| {
            Error::input("the file does not begin as a quarantine file of this distil does")
                .at(path.to_string_lossy(), None)
                .help("name the file that a run set bad records aside in")
        })?;
        if heading.quarantine > VERSION {
            return Err(Error::input(format!(
                "the quarantine file has version {}, this distil knows versions up to {VERSION}",
                heading.quarantine
            ))
            .at(path.to_string_lossy(), None)
            .help("use the distil that wrote it, or a newer one"));
        }
        if heading.plan.format != InputFormat::Json {
            return Err(Error::input("the bad records are rows of Parquet, which have no text")
                .at(path.to_string_lossy(), None)
                .help(
                    "select these rows in their files with another tool, and run distil over them",
                ));
        }
        Ok(Self { storage, path, lines, plan: heading.plan })
    }

    /// The plan that set the records aside.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Writes every record to a line of its own, the one that it has in the quarantine file; returns how many
    /// there are. A line feed, which may only be a blank of the record, becomes a carriage return.
    ///
    /// # Errors
    /// An input error if a line is none of a quarantine file; if there are ranges, or records whose text is in a
    /// file that changed: they are counted.
    pub fn write_lines(mut self, out: &mut dyn OutputFile, cancel: &Cancel) -> Result<u64> {
        out.write_all(b"\n")?;
        let (mut records, mut ranges, mut changed) = (0, 0, 0);
        let mut number = 1;
        while let Some(line) = self.lines.next(self.path)? {
            cancel.check()?;
            number += 1;
            if line.is_empty() {
                out.write_all(b"\n")?;
                continue;
            }
            let wrong = |what: &str| {
                let path = printable(&self.path.to_string_lossy());
                Error::input(format!("{path} line {number}: {what}"))
                    .help("a line of a quarantine file can be mended in its `raw`, or taken out")
            };
            let entry: Entry = serde_json::from_slice(&line)
                .map_err(|error| wrong(&format!("not an entry of a quarantine file: {error}")))?;
            let text = match (&entry.raw, &entry.raw_base64) {
                (Some(raw), _) => Some(raw.clone().into_bytes()),
                (None, Some(raw)) => {
                    Some(STANDARD.decode(raw).map_err(|_| wrong("`raw_base64` is not base64"))?)
                }
                (None, None) => None,
            };
            match text {
                Some(text) => {
                    out.write_all(&on_a_line(with_added(text, entry.added.as_deref())))?;
                    records += 1;
                }
                None if entry.reason == Reason::BrokenRange => ranges += 1,
                None if self.copy(&entry, out, cancel)? => records += 1,
                None => changed += 1,
            }
            out.write_all(b"\n")?;
        }
        if ranges + changed == 0 {
            return Ok(records);
        }
        let counted = |count: u64, what: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            n => Some(format!("{n} {what}s")),
        };
        let both = [counted(ranges, "broken range"), counted(changed, "record")];
        let both: Vec<String> = both.into_iter().flatten().collect();
        let mut error = Error::input(format!(
            "{} of the quarantine file can't be read again",
            both.join(" and ")
        ))
        .at(self.path.to_string_lossy(), None);
        if ranges > 0 {
            error = error.help(
                "repair the files that have broken ranges and run distil over them, then take the lines of \
                 these ranges out of the quarantine file",
            );
        }
        if changed > 0 {
            error = error.help(
                "the text of long records is in their files alone, which changed since: run distil over \
                 these files again",
            );
        }
        Err(error)
    }

    /// Copies a record from its file; false if that is not the one it was.
    fn copy(&self, entry: &Entry, out: &mut dyn OutputFile, cancel: &Cancel) -> Result<bool> {
        let path = Path::new(&entry.file);
        let now = self.storage.metadata(path)?.and_then(|now| FileStamp::of(&now.stamp));
        if entry.stamp.is_none() || now != entry.stamp {
            return Ok(false);
        }
        let mut stream = InputStream::open(self.storage, path)?;
        let mut buffer = vec![0; CHUNK];
        let (mut before, mut left) = (entry.offset, entry.length);
        while before + left > 0 {
            cancel.check()?;
            let wanted = if before > 0 { before } else { left };
            let wanted = usize::try_from(wanted).unwrap_or(CHUNK).min(CHUNK);
            let count = stream.read(&mut buffer[..wanted])?;
            if count == 0 {
                return Ok(false);
            }
            if before > 0 {
                before -= count as u64;
            } else {
                let text = buffer[..count].to_vec();
                let is_first = left == entry.length;
                left -= count as u64;
                let added = entry.added.as_deref().filter(|_| is_first);
                out.write_all(&on_a_line(with_added(text, added)))?;
            }
        }
        Ok(true)
    }
}

fn on_a_line(mut text: Vec<u8>) -> Vec<u8> {
    for byte in &mut text {
        if *byte == b'\n' {
            *byte = b'\r';
        }
    }
    text
}

/// The lines of a file.
struct Lines {
    stream: InputStream,
    buffer: Vec<u8>,
    at: usize,
    is_done: bool,
}

impl Lines {
    fn next(&mut self, path: &Path) -> Result<Option<Vec<u8>>> {
        let mut searched = self.at;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer[self.at..searched + end].to_vec();
                self.at = searched + end + 1;
                return Ok(Some(line));
            }
            if self.is_done {
                let rest = self.buffer.split_off(self.at);
                self.at = self.buffer.len();
                return Ok((!rest.is_empty()).then_some(rest));
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            searched = self.buffer.len();
            if searched > LONGEST_LINE {
                return Err(Error::input("a line is longer than those of a quarantine file are")
                    .at(path.to_string_lossy(), None));
            }
            self.buffer.resize(searched + CHUNK, 0);
            let count = self.stream.read(&mut self.buffer[searched..])?;
            self.buffer.truncate(searched + count);
            self.is_done = count == 0;
        }
    }
}
