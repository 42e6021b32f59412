//! Frames found 64 bytes at a time: bitmaps of the bytes that matter, one bit a byte.

use wide::u8x16;

/// Bytes of a block.
const BLOCK: usize = 64;

/// Where bytes of a kind are in a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Marks {
    quotes: u64,
    backslashes: u64,
    /// `{` or `[`.
    opens: u64,
    /// `}` or `]`.
    closes: u64,
}

/// A bracket differs from the brace of its side in this bit, which both braces have.
const BRACE: u8 = 0x20;

/// The marks of a block.
fn marks(block: &[u8; BLOCK]) -> Marks {
    let mut marks = Marks::default();
    for (at, bytes) in block.as_chunks::<16>().0.iter().enumerate() {
        let bytes = u8x16::new(*bytes);
        let braces = bytes | u8x16::splat(BRACE);
        let equal = |bytes: u8x16, byte| {
            u64::from(bytes.simd_eq(u8x16::splat(byte)).to_bitmask()) << (16 * at)
        };
        marks.quotes |= equal(bytes, b'"');
        marks.backslashes |= equal(bytes, b'\\');
        marks.opens |= equal(braces, b'{');
        marks.closes |= equal(braces, b'}');
    }
    marks
}

/// What is carried from one block to the next.
#[derive(Clone, Copy, Debug, Default)]
struct Carry {
    /// All ones in a string.
    in_string: u64,
    /// One if a backslash escapes the first byte.
    escape: u64,
}

impl Carry {
    /// The bytes of a block that are in a string, its opening quote among them.
    fn strings(&mut self, marks: &Marks) -> u64 {
        let mut quotes = marks.quotes;
        if marks.backslashes != 0 || self.escape != 0 {
            quotes &= !self.escaped(marks.backslashes);
        }
        // The exclusive or of all quotes up to a byte.
        let mut inside = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        inside ^= self.in_string;
        self.in_string = (inside as i64 >> 63) as u64;
        inside
    }

    /// The bytes that a backslash escapes: those after an odd number of backslashes.
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let backslashes = backslashes & !self.escape;
        let behind = backslashes << 1 | self.escape;
        let odd_starts = backslashes & !EVEN & !behind;
        let (ends, overflow) = odd_starts.overflowing_add(backslashes);
        self.escape = u64::from(overflow);
        (EVEN ^ ends << 1) & behind
    }
}

/// Goes over the objects and lists that follow each other from `at`, where one begins. Returns the end
/// of the last one that is whole, if there is one.
///
/// With `commas` they are separated by one comma each, else by nothing, and by blanks in both cases.
/// Whatever else comes between them, or is wrong in one, ends the row of them before it: the caller
/// looks at that byte by byte.
pub(crate) fn frames_end(bytes: &[u8], at: usize, commas: bool) -> Option<usize> {
    let mut carry = Carry::default();
    let mut depth = 0u64;
    let mut end = None;
    let mut base = at;
    while base < bytes.len() {
        let rest = &bytes[base..];
        let mut last = [b' '; BLOCK];
        let block = rest.first_chunk().unwrap_or_else(|| {
            last[..rest.len()].copy_from_slice(rest);
            &last
        });
        let marks = marks(block);
        let strings = carry.strings(&marks);
        if marks.backslashes & !strings != 0 {
            // A backslash outside of strings escapes nothing.
            return end;
        }
        let opens = marks.opens & !strings;
        let mut brackets = opens | marks.closes & !strings;
        while brackets != 0 {
            let bit = brackets & brackets.wrapping_neg();
            let position = base + bit.trailing_zeros() as usize;
            brackets ^= bit;
            if opens & bit == 0 {
                if depth == 0 {
                    return end;
                }
                depth -= 1;
                if depth == 0 {
                    end = Some(position + 1);
                }
            } else {
                if depth == 0 && end.is_some_and(|end| !separates(&bytes[end..position], commas)) {
                    return end;
                }
                depth += 1;
            }
        }
        base += BLOCK;
    }
    end
}

fn separates(between: &[u8], comma: bool) -> bool {
    let mut commas = 0;
    for byte in between {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => {}
            b',' => commas += 1,
            _ => return false,
        }
    }
    commas == u32::from(comma)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse::scan::FrameScan;
    use crate::parse::tape::skip_blanks;

    /// Bytes that matter, more often than not.
    fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            8 => prop::sample::select(br#"{}[]"\, "#.to_vec()),
            2 => Just(b'a'),
            1 => any::<u8>(),
        ];
        prop::collection::vec(byte, 0..most)
    }

    /// Frames that are whole, with strings of all kinds, and what separates them.
    fn frames() -> impl Strategy<Value = Vec<u8>> {
        let frame = prop_oneof![
            "\\{\"[a-z]{0,20}\": \"([a-z{}\\[\\]]|\\\\\\\\|\\\\\"){0,60}\"\\}",
            "\\[{1,3}[0-9]{0,70}\\]{1,3}",
            "\\{\\}",
            "[0-9\"]",
        ];
        let separator = prop_oneof![Just(", "), Just(","), Just("\n"), Just(""), Just(" ,, ")];
        prop::collection::vec((frame, separator), 0..12).prop_map(|frames| {
            frames.into_iter().flat_map(|(frame, by)| (frame + by).into_bytes()).collect()
        })
    }

    /// The same by the byte-wise scan.
    fn slow(bytes: &[u8], mut at: usize, commas: bool) -> Option<usize> {
        let mut end;
        loop {
            at = FrameScan::default().advance(bytes, at)?;
            end = Some(at);
            at = skip_blanks(bytes, at);
            if commas {
                if bytes.get(at) != Some(&b',') {
                    return end;
                }
                at = skip_blanks(bytes, at + 1);
            }
            if !matches!(bytes.get(at), Some(b'{' | b'[')) {
                return end;
            }
            if FrameScan::default().advance(bytes, at).is_none() {
                return end;
            }
        }
    }

    fn check(text: &[u8]) {
        let Some(begin) = text.iter().position(|byte| matches!(byte, b'{' | b'[')) else { return };
        for commas in [false, true] {
            // The blocks begin at a frame: every window is another split.
            for length in begin + 1..=text.len() {
                let window = &text[..length];
                let fast = frames_end(window, begin, commas);
                let expected = slow(window, begin, commas);
                let stray = stray_backslash(window, begin);
                match (fast, expected) {
                    _ if fast == expected => {}
                    // It may stop early for a byte-wise look, but at the end of a frame.
                    (Some(fast), Some(_)) if stray => {
                        assert_eq!(slow(&window[..fast], begin, commas), Some(fast));
                    }
                    (None, _) if stray => {}
                    _ => panic!("{fast:?} {expected:?} {}", String::from_utf8_lossy(window)),
                }
            }
        }
    }

    /// Whether a backslash stands outside of strings.
    fn stray_backslash(bytes: &[u8], at: usize) -> bool {
        let (mut in_string, mut escaped) = (false, false);
        bytes[at..].iter().any(|byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if !in_string => return true,
                b'\\' => escaped = true,
                b'"' => in_string = !in_string,
                _ => {}
            }
            false
        })
    }

    proptest! {
        #[test]
        fn marks_are_where_the_bytes_are(text in bytes(64)) {
            let mut block = [0xdb; 64];
            block[..text.len()].copy_from_slice(&text);
            let found = marks(&block);
            for (at, byte) in block.iter().enumerate() {
                let is = |marks: u64| marks >> at & 1 == 1;
                prop_assert_eq!(is(found.quotes), *byte == b'"');
                prop_assert_eq!(is(found.backslashes), *byte == b'\\');
                prop_assert_eq!(is(found.opens), matches!(byte, b'{' | b'['));
                prop_assert_eq!(is(found.closes), matches!(byte, b'}' | b']'));
            }
        }

        #[test]
        fn frames_of_any_bytes_end_alike(text in bytes(300)) {
            check(&text);
        }

        #[test]
        fn frames_of_json_end_alike(text in frames()) {
            check(&text);
        }
    }
}
