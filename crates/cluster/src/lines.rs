//! Lines of a text of any length, in bounded memory.

use distil_plan::Result;

/// The longest line that is kept: plans of queries can have megabytes.
pub(crate) const LONGEST: usize = 64 << 20;
/// What is read at once.
const READ: usize = 256 << 10;

/// Where bytes come from.
pub(crate) trait Bytes {
    /// Fills as much of `buffer` as there still is; less than asked for only at the end.
    ///
    /// # Errors
    /// An environment error with the path.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize>;

    /// Why the bytes ended early, once they did.
    fn broken(&self) -> Option<&str>;
}

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// A line, without its end.
    Whole(&'a [u8]),
    /// The last line, whose end is missing.
    Cut(&'a [u8]),
    /// One that is longer than [`LONGEST`].
    TooLong,
}

/// The lines of some bytes.
pub(crate) struct Lines<B> {
    bytes: B,
    buffer: Vec<u8>,
    /// What of the buffer was given out, and what is filled.
    begin: usize,
    end: usize,
    longest: usize,
    is_over: bool,
}

impl<B: Bytes> Lines<B> {
    pub(crate) fn new(bytes: B) -> Self {
        Self { bytes, buffer: vec![0; READ], begin: 0, end: 0, longest: LONGEST, is_over: false }
    }

    /// Why the bytes ended early.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.bytes.broken()
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// An environment error with the path.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>> {
        let mut searched = self.begin;
        let mut is_too_long = false;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..self.end]) {
                let line = self.begin..searched + at;
                self.begin = line.end + 1;
                return Ok(Some(match is_too_long {
                    true => Line::TooLong,
                    false => Line::Whole(&self.buffer[line]),
                }));
            }
            if self.is_over {
                let line = self.begin..self.end;
                self.begin = self.end;
                return Ok(match (is_too_long, line.is_empty()) {
                    (true, _) => Some(Line::TooLong),
                    (false, true) => None,
                    (false, false) => Some(Line::Cut(&self.buffer[line])),
                });
            }
            if self.end - self.begin > self.longest {
                is_too_long = true;
                self.begin = self.end;
            }
            searched = self.read_on()?;
        }
    }

    /// Reads more behind what is there, which is moved to the front; returns where that begins.
    fn read_on(&mut self) -> Result<usize> {
        self.buffer.copy_within(self.begin..self.end, 0);
        self.end -= self.begin;
        self.begin = 0;
        // So that what is moved is in proportion to what is read.
        let room = self.end.max(READ);
        if self.buffer.len() < self.end + room {
            self.buffer.resize(self.end + room, 0);
        }
        let begin = self.end;
        let count = self.bytes.fill(&mut self.buffer[begin..begin + room])?;
        self.is_over = count < room;
        self.end += count;
        Ok(begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given(Vec<u8>, usize);

    impl Bytes for Given {
        fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let count = buffer.len().min(self.0.len() - self.1);
            buffer[..count].copy_from_slice(&self.0[self.1..self.1 + count]);
            self.1 += count;
            Ok(count)
        }

        fn broken(&self) -> Option<&str> {
            None
        }
    }

    fn all(text: &[u8], longest: usize) -> Vec<Option<usize>> {
        let mut lines = Lines { longest, ..Lines::new(Given(text.to_vec(), 0)) };
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(match line {
                Line::Whole(line) => Some(line.len()),
                Line::Cut(line) => Some(line.len() + 1_000_000_000),
                Line::TooLong => None,
            });
        }
        assert!(lines.buffer.len() <= 2 * (longest + 2 * READ), "{}", lines.buffer.len());
        found
    }

    #[test]
    fn lines_of_any_length_come_whole_and_too_long_ones_in_bounded_memory() {
        assert_eq!(all(b"", LONGEST), []);
        assert_eq!(all(b"\n", LONGEST), [Some(0)]);
        assert_eq!(all(b"ab\n\nc", LONGEST), [Some(2), Some(0), Some(1_000_000_001)]);
        let text = |lengths: &[usize]| {
            lengths.iter().flat_map(|length| [vec![b'x'; *length], vec![b'\n']].concat()).collect()
        };
        let lengths = [READ - 1, READ, READ + 1, 3 * READ, 0, 5];
        let text_of: Vec<u8> = text(&lengths);
        assert_eq!(all(&text_of, LONGEST), lengths.map(Some));
        let text_of: Vec<u8> = text(&[7, 9 * READ, 8, 20 * READ]);
        assert_eq!(all(&text_of, 2 * READ), [Some(7), None, Some(8), None]);
    }
}
