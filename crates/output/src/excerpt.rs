//! Where a byte of an input stands, for people: its line, and the text around it.

use std::path::Path;

use distil_plan::{Cancel, Error, Input, Result, printable};
use distil_storage::{InputStream, Storage};

/// Bytes that are shown before the one that matters, and about as many after it.
const AROUND: usize = 60;
/// Bytes that are read at once.
const READ_SIZE: usize = 256 << 10;

/// A piece of a line, and the byte in it that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    text: String,
    /// Characters of the text before that byte.
    column: usize,
}

impl Excerpt {
    /// The text around byte `at` of `bytes`, on its line. What is not UTF-8 is replaced, and what does not show
    /// is escaped.
    pub(crate) fn of(bytes: &[u8], at: usize) -> Self {
        let at = at.min(bytes.len());
        let is_inside = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
        let line = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut from = line.max(at.saturating_sub(AROUND));
        while from < at && from > line && is_inside(from) {
            from += 1;
        }
        let rest = &bytes[at..];
        let line_end =
            rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end);
        let mut to = line_end.min(at + AROUND);
        while to > at + 1 && to < line_end && is_inside(to) {
            to -= 1;
        }
        let shown = |bytes: &[u8]| printable(&String::from_utf8_lossy(bytes));
        let mut before = shown(&bytes[from..at]);
        if from > line {
            before.insert(0, '…');
        }
        let after = bytes[at..to].strip_suffix(b"\r").unwrap_or(&bytes[at..to]);
        let more = if to < line_end { "…" } else { "" };
        Self { column: before.chars().count(), text: format!("{before}{}{more}", shown(after)) }
    }

    /// Whether there is no text: the file ends there.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text, and below it a mark.
    pub(crate) fn lines(&self) -> [String; 2] {
        [format!("  {}", self.text), format!("  {}^", " ".repeat(self.column))]
    }
}

/// What reading a file again tells of a byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    /// Its line, counted from 1.
    pub(crate) line: u64,
    pub(crate) excerpt: Excerpt,
}

/// Locates bytes of a file, by offsets that ascend, in its decompressed content. Those that could not be read
/// again are missing: a message is no worse for the lack of a line than for the lack of itself.
pub(crate) fn locate(
    storage: &dyn Storage,
    path: &Path,
    offsets: &[u64],
    cancel: &Cancel,
) -> Vec<Located> {
    let mut found = Vec::new();
    let Ok(stream) = InputStream::open(storage, path) else { return found };
    let mut again = Again { stream, buffer: Vec::new(), base: 0, lines: 0, is_done: false };
    for offset in offsets {
        match again.locate(*offset, cancel) {
            Ok(Some(located)) => found.push(located),
            Ok(None) | Err(_) => break,
        }
    }
    found
}

/// The error with the line and the text of its place, if that is in a file among the inputs.
pub fn located(error: Error, storage: &dyn Storage, inputs: &[Input], cancel: &Cancel) -> Error {
    let mut error = error;
    let Some(place) = &mut error.place else { return error };
    // What can be read only once is gone.
    let is_there = |input: &&Input| input.bytes.is_some() && input.display() == place.path;
    let (Some(input), Some(offset)) = (inputs.iter().find(is_there), place.offset) else {
        return error;
    };
    if let Some(found) = locate(storage, &input.path, &[offset], cancel).pop() {
        place.line = Some(found.line);
        error.details.extend(found.excerpt.lines());
    }
    error
}

/// A file that is read a second time.
struct Again {
    stream: InputStream,
    /// What was read last, from the byte `base` on.
    buffer: Vec<u8>,
    base: u64,
    /// Line feeds before `base`.
    lines: u64,
    is_done: bool,
}

impl Again {
    fn locate(&mut self, offset: u64, cancel: &Cancel) -> Result<Option<Located>> {
        while !self.is_done && self.base + (self.buffer.len() as u64) < offset + AROUND as u64 {
            cancel.check()?;
            let kept = self.buffer.len().saturating_sub(2 * AROUND);
            self.lines += line_feeds(&self.buffer[..kept]);
            self.base += kept as u64;
            self.buffer.drain(..kept);
            let filled = self.buffer.len();
            self.buffer.resize(filled + READ_SIZE, 0);
            let count = self.stream.read(&mut self.buffer[filled..])?;
            self.buffer.truncate(filled + count);
            self.is_done = count == 0;
        }
        let Some(at) = offset.checked_sub(self.base).and_then(|at| usize::try_from(at).ok()) else {
            return Ok(None);
        };
        if at > self.buffer.len() {
            return Ok(None);
        }
        let line = self.lines + line_feeds(&self.buffer[..at]) + 1;
        Ok(Some(Located { line, excerpt: Excerpt::of(&self.buffer, at) }))
    }
}

fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use distil_storage::Memory;

    use super::*;

    #[test]
    fn an_excerpt_is_a_piece_of_one_line_with_a_mark_under_the_byte() {
        let of = |text: &str, at| Excerpt::of(text.as_bytes(), at).lines().join("\n");
        assert_eq!(of("a\n{\"é\":'x'}\r\nb", 8), "  {\"é\":'x'}\n       ^");
        assert_eq!(of("\u{1b}[3\u{202e}", 2), "  \\u{1b}[3\\u{202e}\n         ^");
        assert_eq!(of("abc", 3), "  abc\n     ^");
        assert_eq!(of("", 0), "  \n  ^");
        let long = of(&"é".repeat(200), 200);
        let expected = format!("  …{0}{0}…\n  {1}^", "é".repeat(30), " ".repeat(31));
        assert_eq!(long, expected);
        let broken = Excerpt::of(b"caf\xe9!", 3).lines().join("\n");
        assert_eq!(broken, "  caf\u{fffd}!\n     ^");
    }

    #[test]
    fn lines_are_counted_over_any_number_of_reads() {
        let memory = Memory::new();
        let line = format!("{}\n", "x".repeat(99));
        memory.put("a", line.repeat(10_000).as_bytes());
        let offsets = [0, 99, 100, 499_950, 499_951, 500_000, 999_999, 1_000_000];
        let lines = |offsets: &[u64]| -> Vec<u64> {
            locate(&memory, Path::new("a"), offsets, &Cancel::new())
                .iter()
                .map(|located| located.line)
                .collect()
        };
        assert_eq!(lines(&offsets), [1, 1, 2, 5000, 5000, 5001, 10_000, 10_001]);
        assert_eq!(lines(&[7, 1_000_001]), [1], "a file that is shorter now");
        assert!(locate(&memory, Path::new("b"), &[0], &Cancel::new()).is_empty());
        let cancel = Cancel::new();
        cancel.interrupt();
        assert!(locate(&memory, Path::new("a"), &[0], &cancel).is_empty());
    }
}
