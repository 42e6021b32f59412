//! Finding the bytes that structure JSON: ends of strings and of frames.

use wide::u8x16;

/// The first quote, backslash or control character (below U+0020) at or after `at`, or the length.
#[inline]
pub(crate) fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let chunk = u8x16::new(*chunk);
        let control = chunk.min(u8x16::splat(0x1F)).simd_eq(chunk);
        let quote = chunk.simd_eq(u8x16::splat(b'"'));
        let backslash = chunk.simd_eq(u8x16::splat(b'\\'));
        let found = (quote | backslash | control).to_bitmask();
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        at += 1;
    }
    at
}

/// Where a frame's scan stands, so that it can go on in the next window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FrameScan {
    depth: u64,
    in_string: bool,
    escaped: bool,
    token: bool,
    started: bool,
}

impl FrameScan {
    /// Goes on over `bytes` from `at`; returns where the frame ends if it does so here.
    ///
    /// The frame is by the rule of `docs/semantics.md` 1.5. A frame that is a run of bytes needs to see
    /// the byte that ends it; at the end of the file, [`FrameScan::ends_at_eof`] decides.
    pub(crate) fn advance(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        if !self.started {
            let first = *bytes.get(at)?;
            self.started = true;
            match first {
                b'{' | b'[' => self.depth = 1,
                b'"' => self.in_string = true,
                _ => self.token = true,
            }
            at += 1;
        }
        if self.token {
            while let Some(&byte) = bytes.get(at) {
                if matches!(
                    byte,
                    b' ' | b'\t' | b'\n' | b'\r' | b',' | b'[' | b']' | b'{' | b'}' | b'"'
                ) {
                    return Some(at);
                }
                at += 1;
            }
            return None;
        }
        while at < bytes.len() {
            if self.in_string {
                if self.escaped {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                at += memchr::memchr2(b'"', b'\\', &bytes[at..]).unwrap_or(bytes.len() - at);
                match bytes.get(at) {
                    Some(b'"') => {
                        self.in_string = false;
                        at += 1;
                        if self.depth == 0 {
                            return Some(at);
                        }
                    }
                    Some(_) => {
                        self.escaped = true;
                        at += 1;
                    }
                    None => return None,
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// Whether the frame is whole although nothing follows it.
    pub(crate) fn ends_at_eof(&self) -> bool {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_string_is_found_at_every_alignment() {
        for length in 0..40 {
            for stop in [b'"', b'\\', 0x1f, 0] {
                for high in [b'a', 0xc3, 0xff, 0x7f, b'!', b' '] {
                    let mut text = vec![high; length];
                    text.push(stop);
                    text.extend_from_slice(b"tail tail tail");
                    assert_eq!(string_end(&text, 0), length, "{stop} {high}");
                }
            }
        }
        assert_eq!(string_end(b"abc", 0), 3);
    }

    #[test]
    fn frames_end_alike_whole_or_in_pieces() {
        for (text, end) in [
            (&b"{\"a\":\"}\\\"\"} x"[..], Some(11)),
            (b"[[1],{}],", Some(8)),
            (b"\"a]\\\\\"]", Some(6)),
            (b"12e5]", Some(4)),
            (b"nul", None),
            (b"{\"a\":[1}", None),
            (b"{\"a\":[1},{}]]", Some(12)),
        ] {
            assert_eq!(FrameScan::default().advance(text, 0), end);
            for cut in 1..text.len() {
                let mut scan = FrameScan::default();
                let found = match scan.advance(&text[..cut], 0) {
                    Some(found) => Some(found),
                    None => scan.advance(&text[cut..], 0).map(|found| found + cut),
                };
                assert_eq!(found, end, "{:?} cut at {cut}", String::from_utf8_lossy(text));
            }
        }
    }
}
