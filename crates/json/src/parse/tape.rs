//! One JSON value as a flat list of nodes: the strict parser (RFC 8259).
//!
//! The tape borrows nothing and copies nothing: nodes are ranges of the parsed bytes. Nesting is kept
//! on an explicit stack, so that depth costs memory of the tape, never of the thread.

use crate::parse::scan::string_end;
use crate::values::decimal::Decimal;

/// What is wrong with an escape of one half of a surrogate pair.
pub(crate) const HALF_A_PAIR: &str = "half a surrogate pair";

/// Deepest nesting of a value; the value itself is level 1.
pub const MAX_DEPTH: usize = 1024;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `false`
    False,
    /// `true`
    True,
    /// A number without fraction and exponent.
    Integer,
    /// A number with a fraction or an exponent.
    Fraction,
    /// A string, as a value or as the name of a member.
    String,
    /// A list; its elements follow.
    List,
    /// An object; names and values follow in turn.
    Object,
}

impl Kind {
    /// Its name for people, with its article.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::False | Self::True => "a boolean",
            Self::Integer | Self::Fraction => "a number",
            Self::String => "a string",
            Self::List => "an array",
            Self::Object => "an object",
        }
    }
}

/// A value or a member name.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Whether a string has escapes.
    pub escaped: bool,
    /// First byte; of a string, the first after the quote.
    pub start: u32,
    /// End; of a string, its closing quote; of a list or object, after its bracket.
    pub end: u32,
    /// Index of the node after this one and everything in it.
    pub next: u32,
}

impl Node {
    /// The bytes of a scalar: the number's text, or the string's, escapes unresolved.
    pub fn text<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// Why bytes are not a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Offset of the first byte that does not fit; the length of the input if it ends too early.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
    /// Whether the flaw is nesting alone.
    pub too_deep: bool,
}

fn flaw(at: usize, what: &'static str) -> Flaw {
    Flaw { at, what, too_deep: false }
}

/// A reusable tape.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    open: Vec<u32>,
}

#[derive(Clone, Copy)]
enum Expect {
    Value,
    ElementOrEnd,
    NameOrEnd,
    Name,
    CommaOrEnd,
}

impl Tape {
    /// The nodes of the value parsed last; the first is the value itself.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Parses the value that begins at `start` (after blanks) and returns where it ends.
    ///
    /// Strings are checked for control characters and escapes, but not for UTF-8: that is cheaper
    /// over many records at once.
    ///
    /// # Errors
    /// The first flaw in the order of the bytes.
    pub fn parse(&mut self, bytes: &[u8], start: usize) -> Result<usize, Flaw> {
        self.nodes.clear();
        self.open.clear();
        let mut at = start;
        let mut expect = Expect::Value;
        loop {
            at = skip_blanks(bytes, at);
            let Some(&byte) = bytes.get(at) else {
                return Err(flaw(at, "the text ends inside a value"));
            };
            match expect {
                Expect::Value | Expect::ElementOrEnd => match byte {
                    b'"' => at = self.string(bytes, at)?,
                    b'{' | b'[' => {
                        if self.open.len() == MAX_DEPTH {
                            let what = "more than 1,024 levels of nesting";
                            return Err(Flaw { at, what, too_deep: true });
                        }
                        self.open.push(self.nodes.len() as u32);
                        let kind = if byte == b'{' { Kind::Object } else { Kind::List };
                        self.push(kind, at, at + 1);
                        at += 1;
                        expect =
                            if byte == b'{' { Expect::NameOrEnd } else { Expect::ElementOrEnd };
                        continue;
                    }
                    b']' if matches!(expect, Expect::ElementOrEnd) => {
                        at += 1;
                        self.close(at);
                    }
                    b'-' | b'0'..=b'9' => {
                        let (end, kind) = number(bytes, at)?;
                        self.push(kind, at, end);
                        at = end;
                    }
                    b't' => at = self.literal(bytes, at, b"true", Kind::True)?,
                    b'f' => at = self.literal(bytes, at, b"false", Kind::False)?,
                    b'n' => at = self.literal(bytes, at, b"null", Kind::Null)?,
                    _ => return Err(flaw(at, "expected a value")),
                },
                Expect::NameOrEnd if byte == b'}' => {
                    at += 1;
                    self.close(at);
                }
                Expect::NameOrEnd | Expect::Name => {
                    if byte != b'"' {
                        return Err(flaw(at, "expected a member name"));
                    }
                    at = skip_blanks(bytes, self.string(bytes, at)?);
                    if bytes.get(at) != Some(&b':') {
                        return Err(flaw(at, "expected `:` after a member name"));
                    }
                    at += 1;
                    expect = Expect::Value;
                    continue;
                }
                Expect::CommaOrEnd => {
                    let object = self.in_object();
                    match byte {
                        b',' => {
                            at += 1;
                            expect = if object { Expect::Name } else { Expect::Value };
                            continue;
                        }
                        b'}' if object => {
                            at += 1;
                            self.close(at);
                        }
                        b']' if !object => {
                            at += 1;
                            self.close(at);
                        }
                        _ if object => return Err(flaw(at, "expected `,` or `}` after a member")),
                        _ => return Err(flaw(at, "expected `,` or `]` after an element")),
                    }
                }
            }
            if self.open.is_empty() {
                return Ok(at);
            }
            expect = Expect::CommaOrEnd;
        }
    }

    /// Parses a frame that must hold exactly one value between blanks.
    ///
    /// # Errors
    /// As [`Tape::parse`], and for anything after the value.
    pub fn parse_frame(&mut self, bytes: &[u8], start: usize, end: usize) -> Result<(), Flaw> {
        let frame = bytes.get(..end).unwrap_or(bytes);
        let value_end = skip_blanks(frame, self.parse(frame, start)?);
        if value_end < end {
            return Err(flaw(value_end, "more than one value"));
        }
        Ok(())
    }

    fn in_object(&self) -> bool {
        self.open.last().is_some_and(|&index| self.nodes[index as usize].kind == Kind::Object)
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { kind, escaped: false, start: start as u32, end: end as u32, next });
    }

    fn close(&mut self, end: usize) {
        if let Some(index) = self.open.pop() {
            let next = self.nodes.len() as u32;
            let node = &mut self.nodes[index as usize];
            node.end = end as u32;
            node.next = next;
        }
    }

    fn string(&mut self, bytes: &[u8], quote: usize) -> Result<usize, Flaw> {
        let start = quote + 1;
        let mut at = string_end(bytes, start);
        let mut escaped = false;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at = string_end(bytes, escape(bytes, at)?);
                }
                Some(_) => return Err(flaw(at, "a control character in a string")),
                None => return Err(flaw(bytes.len(), "the text ends inside a string")),
            }
        }
        self.push(Kind::String, start, at);
        if escaped && let Some(node) = self.nodes.last_mut() {
            node.escaped = true;
        }
        Ok(at + 1)
    }

    fn literal(&mut self, b: &[u8], at: usize, text: &[u8], kind: Kind) -> Result<usize, Flaw> {
        if !b[at..].starts_with(text) {
            return Err(flaw(at, "expected a value"));
        }
        self.push(kind, at, at + text.len());
        Ok(at + text.len())
    }
}

/// Skips space, tab, LF and CR.
pub(crate) fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Checks the escape at `at` and returns what follows it. A pair of surrogates counts as one escape;
/// half a pair is a flaw.
pub(crate) fn escape(bytes: &[u8], at: usize) -> Result<usize, Flaw> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let first = hex4(bytes, at + 2).ok_or(flaw(at, "expected four hexadecimal digits"))?;
            match first {
                0xD800..=0xDBFF => {
                    if bytes.get(at + 6..at + 8) == Some(b"\\u")
                        && let Some(0xDC00..=0xDFFF) = hex4(bytes, at + 8)
                    {
                        return Ok(at + 12);
                    }
                    Err(flaw(at, HALF_A_PAIR))
                }
                0xDC00..=0xDFFF => Err(flaw(at, HALF_A_PAIR)),
                _ => Ok(at + 6),
            }
        }
        Some(_) => Err(flaw(at, "no such escape")),
        None => Err(flaw(bytes.len(), "the text ends inside a string")),
    }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .iter()
        .try_fold(0, |sum, &byte| Some(sum << 4 | char::from(byte).to_digit(16)?))
}

/// Resolves the escapes of a string that [`Tape::parse`] accepted, and appends the result.
pub fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let (byte, used) = match rest.get(at + 1) {
            Some(b'b') => (8, 2),
            Some(b'f') => (12, 2),
            Some(b'n') => (b'\n', 2),
            Some(b'r') => (b'\r', 2),
            Some(b't') => (b'\t', 2),
            Some(b'u') => {
                let first = hex4(rest, at + 2).unwrap_or(0);
                let (code, used) = match first {
                    0xD800..=0xDBFF => {
                        let second = hex4(rest, at + 8).unwrap_or(0xDC00);
                        (0x10000 + ((first - 0xD800) << 10) + (second.wrapping_sub(0xDC00)), 12)
                    }
                    _ => (first, 6),
                };
                let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = rest.get(at + used..).unwrap_or_default();
                continue;
            }
            Some(&other) => (other, 2),
            None => break,
        };
        out.push(byte);
        rest = &rest[at + used..];
    }
    out.extend_from_slice(rest);
}

fn digits(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

pub(crate) fn number(bytes: &[u8], start: usize) -> Result<(usize, Kind), Flaw> {
    let first = start + usize::from(bytes[start] == b'-');
    let mut at = match bytes.get(first) {
        Some(b'0') => first + 1,
        Some(b'1'..=b'9') => digits(bytes, first + 1),
        _ => return Err(flaw(first, "expected a digit")),
    };
    let mut kind = Kind::Integer;
    if bytes.get(at) == Some(&b'.') {
        kind = Kind::Fraction;
        let end = digits(bytes, at + 1);
        if end == at + 1 {
            return Err(flaw(end, "expected a digit after the point"));
        }
        at = end;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        kind = Kind::Fraction;
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let end = digits(bytes, at + 1 + sign);
        if end == at + 1 + sign {
            return Err(flaw(end, "expected a digit in the exponent"));
        }
        at = end;
        if Decimal::parse(&bytes[start..end]).is_err() {
            return Err(flaw(start, "the exponent of a number is beyond ±1,000,000,000"));
        }
    }
    match bytes.get(at) {
        Some(b'0'..=b'9') => Err(flaw(at, "a number begins with a superfluous zero")),
        _ => Ok((at, kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &str) -> bool {
        Tape::default().parse_frame(text.as_bytes(), 0, text.len()).is_ok()
    }

    #[test]
    fn strict_json_and_nothing_else() {
        for good in
            ["{}", " [1, -0, 0.5, 1e5, 1E+5, 1.5e-9] ", "\"\\u00e9\\ud83d\\ude00\\/\"", "null"]
        {
            assert!(accepts(good), "{good}");
        }
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "+1",
            "01",
            ".5",
            "1.",
            "1e",
            "0x1",
            "NaN",
            "Infinity",
            "'a'",
            "{a:1}",
            "[1 2]",
            "\"\\ud800\"",
            "\"\\udc00x\"",
            "\"\\x\"",
            "\"a\nb\"",
            "tru",
            "truee",
            "1 2",
            "-",
            "{\"a\"}",
            "{\"a\":}",
            "[,1]",
            "//c\n1",
            "\"\\u12g4\"",
        ] {
            assert!(!accepts(bad), "{bad}");
        }
    }

    #[test]
    fn depth_is_limited_without_recursion() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(accepts(&nested(1024)));
        let text = nested(1025);
        let flaw = Tape::default().parse(text.as_bytes(), 0).unwrap_err();
        assert!(flaw.too_deep && flaw.at == 1024);
        let million = "[".repeat(1_000_000);
        assert!(Tape::default().parse(million.as_bytes(), 0).unwrap_err().too_deep);
    }

    #[test]
    fn nodes_skip_over_what_they_hold() {
        let text = br#"{"a":[1,{"b":"x\n"}],"c":null}"#;
        let mut tape = Tape::default();
        assert_eq!(tape.parse(text, 0).unwrap(), text.len());
        let nodes = tape.nodes();
        let list = nodes[2];
        assert_eq!((list.kind, list.next), (Kind::List, 7));
        assert_eq!(nodes[7].text(text), b"c");
        let mut out = Vec::new();
        assert!(nodes[6].escaped);
        unescape(nodes[6].text(text), &mut out);
        assert_eq!(out, b"x\n");
    }

    #[test]
    fn escapes_resolve_to_utf8() {
        let mut out = Vec::new();
        unescape(br#"\u0069d \"\\\/\b\f\r\t \ud83d\ude00 \u20ac"#, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "id \"\\/\u{8}\u{c}\r\t 😀 €");
    }
}
