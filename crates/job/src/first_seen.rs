//! Where a value stands, for a message: read again in its file, and only as far as that is little work.

use distil_json::value_text;
use distil_plan::{Input, InputReport, TypeNote, printable};
use distil_storage::{InputFile, Storage};

/// Lines are counted up to here: beyond it a place is told by its byte.
const MOST_COUNTED: u64 = 256 << 20;
/// Most bytes of a record that is read again.
const RECORD: usize = 64 << 10;
const STRETCH: usize = 1 << 20;

/// `in.ndjson line 17 ("n/a")`, or less where the input can't be read again or is long.
pub(crate) fn place(
    storage: &dyn Storage,
    input: &Input,
    report: &InputReport,
    note: &TypeNote,
) -> String {
    let name = printable(&report.path);
    let by_byte = format!("{name} byte {}", note.offset);
    // Offsets count decompressed bytes, and a stream is read once.
    if input.bytes.is_none() || report.compression != "none" {
        return by_byte;
    }
    let Ok(file) = storage.open(&input.path) else { return by_byte };
    let mut record = vec![0; RECORD];
    let read = fill(&*file, note.offset, &mut record).unwrap_or_default();
    record.truncate(read);
    let value = value_text(&record, note.ordinal);
    let value = value.map(|text| format!(" ({})", printable(&text))).unwrap_or_default();
    match line(&*file, note.offset) {
        Some(line) => format!("{name} line {line}{value}"),
        None => format!("{by_byte}{value}"),
    }
}

/// The line in which a byte stands, from 1; `None` if it is far away.
fn line(file: &dyn InputFile, offset: u64) -> Option<u64> {
    if offset > MOST_COUNTED {
        return None;
    }
    let mut stretch = vec![0; STRETCH];
    let (mut at, mut feeds) = (0, 0);
    while at < offset {
        let wanted = usize::try_from(offset - at).map_or(STRETCH, |left| left.min(STRETCH));
        let read = fill(file, at, stretch.get_mut(..wanted)?)?;
        if read < wanted {
            return None;
        }
        feeds += stretch.iter().take(read).filter(|byte| **byte == b'\n').count() as u64;
        at += read as u64;
    }
    Some(feeds + 1)
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &dyn InputFile, offset: u64, buffer: &mut [u8]) -> Option<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(offset + filled as u64, buffer.get_mut(filled..)?) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(_) => return None,
        }
    }
    Some(filled)
}
