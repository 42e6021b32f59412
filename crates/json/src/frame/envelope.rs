//! The text around an array of records in a document: a strict parser that is fed bytes in any
//! pieces and keeps little but its state.

use std::collections::HashSet;

use crate::parse::tape::{MAX_DEPTH, unescape};
use crate::values::decimal::MAX_EXPONENT;

/// Most names of siblings that are reported: a document may have millions.
const MOST_IGNORED: usize = 1_000;

/// What the bytes led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// All bytes are used up.
    More,
    /// The array of records begins; its bracket is the last byte used.
    Array,
    /// The document closed; its bracket is the last byte used.
    Closed,
    /// The first byte not used is invalid here.
    Broken(&'static str),
    /// The document can't be what the plan says.
    Wrong(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Value,
    ElementOrEnd,
    NameOrEnd,
    Name,
    Colon,
    CommaOrEnd,
    /// In a string; the flag marks a member name.
    Text(bool),
    Escape(bool),
    /// Digits of `\u` still to come, the code so far, and the leading half of a pair, if any.
    Unicode(bool, u8, u16, Option<u16>),
    /// A leading half of a pair was read: `\` and then `u` must follow.
    PairBackslash(bool),
    PairU(bool),
    /// Bytes of a UTF-8 character still to come, and the range of the next one.
    Utf8(bool, u8, u8, u8),
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
    Literal(&'static [u8]),
    Closed,
}

/// The walk through a document.
#[derive(Debug)]
pub(crate) struct Envelope {
    path: Vec<String>,
    /// Whether a member on the path may hold anything but what the path needs: then it is a sibling.
    lenient: bool,
    state: State,
    /// For each open bracket, whether it is an object.
    open: Vec<bool>,
    /// How many of the open objects lie on the path, from the outside.
    on_path: usize,
    /// For each level on the path, whether its member was seen.
    seen: Vec<bool>,
    /// The value to come is that of the path's member at the current level.
    target: bool,
    name: Vec<u8>,
    /// The first names of siblings, each once, in order.
    ignored: Vec<String>,
    known: HashSet<String>,
    started: bool,
    number: Magnitude,
    /// Bytes used since the beginning of the current token, the byte that broke it not counted.
    token: u64,
}

/// The exponent of a number, digit by digit.
#[derive(Debug, Default)]
struct Magnitude {
    nonzero: bool,
    /// The exponent so far of `0.d1…dn × 10^e`, by the digits alone.
    point: i64,
    /// The written exponent.
    exponent: i64,
    negative: bool,
}

impl Magnitude {
    fn whole(&mut self, byte: u8) {
        self.nonzero |= matches!(byte, b'1'..=b'9');
        self.point += i64::from(self.nonzero);
    }

    fn fraction(&mut self, byte: u8) {
        if !self.nonzero {
            self.nonzero = byte != b'0';
            self.point -= i64::from(!self.nonzero);
        }
    }

    fn exponent(&mut self, byte: u8) {
        self.exponent = self.exponent.saturating_mul(10).saturating_add(i64::from(byte - b'0'));
    }

    fn out_of_range(&self) -> bool {
        let written = if self.negative { -self.exponent } else { self.exponent };
        self.nonzero && written.saturating_add(self.point).saturating_abs() > MAX_EXPONENT
    }
}

/// Longest name of a sibling that is reported; longer ones are cut.
const LONGEST_NAME: usize = 4096;

impl Envelope {
    /// A walk that begins before the document's first bracket.
    pub(crate) fn new(path: Vec<String>, lenient: bool) -> Self {
        let seen = vec![false; path.len()];
        Self {
            path,
            lenient,
            state: State::Value,
            open: Vec::new(),
            on_path: 0,
            seen,
            target: false,
            name: Vec::new(),
            ignored: Vec::new(),
            known: HashSet::new(),
            started: false,
            number: Magnitude::default(),
            token: 0,
        }
    }

    /// Names of the members beside the array, each once, in order.
    pub(crate) fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Whether a byte that is not blank was seen.
    pub(crate) fn started(&self) -> bool {
        self.started
    }

    /// How many of the bytes used belong to the token (a string, or a run of bytes up to a blank, a
    /// quote or a mark) that is unfinished, or that the next byte breaks.
    pub(crate) fn token_length(&self) -> u64 {
        self.token
    }

    /// Goes on after the closing bracket of the array.
    pub(crate) fn resume(&mut self) {
        self.state = State::CommaOrEnd;
    }

    /// Uses bytes until something is decided; returns how many, and what.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> (usize, Walk) {
        for (at, &byte) in bytes.iter().enumerate() {
            let in_string = self.in_string();
            let blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let mark = matches!(byte, b'{' | b'}' | b'[' | b']' | b':' | b',' | b'"');
            let unfinished = self.in_token();
            let token = self.token;
            if !in_string && (blank || mark) {
                self.token = 0;
            }
            self.started |= !blank;
            let in_number = self.in_number();
            let step = self.step(byte);
            if in_number && !self.in_number() && self.number.out_of_range() {
                self.token = token;
                return (at, Walk::Broken("the exponent of a number is beyond ±1,000,000,000"));
            }
            match step {
                Ok(None) => {}
                Ok(Some(walk)) => return (at + 1, walk),
                Err(walk) => {
                    if unfinished {
                        self.token = token;
                    }
                    return (at, walk);
                }
            }
            let run = !(in_string || blank || mark);
            self.token = if run || self.in_string() { self.token + 1 } else { 0 };
        }
        (bytes.len(), Walk::More)
    }

    fn in_string(&self) -> bool {
        matches!(
            self.state,
            State::Text(_)
                | State::Escape(_)
                | State::Unicode(..)
                | State::PairBackslash(_)
                | State::PairU(_)
                | State::Utf8(..)
        )
    }

    fn in_number(&self) -> bool {
        matches!(self.state, State::Zero | State::Integer | State::Fraction | State::ExponentDigits)
    }

    /// In a number or a word that can't end here.
    fn in_token(&self) -> bool {
        matches!(
            self.state,
            State::Minus | State::Point | State::Exponent | State::ExponentSign | State::Literal(_)
        )
    }

    fn in_object(&self) -> bool {
        self.open.last() == Some(&true)
    }

    /// Whether the innermost open object lies on the path.
    fn at_path(&self) -> bool {
        self.on_path > 0 && self.on_path == self.open.len()
    }

    fn value_ended(&mut self) {
        self.state = if self.open.is_empty() { State::Closed } else { State::CommaOrEnd };
    }

    fn close(&mut self) -> Option<Walk> {
        self.open.pop();
        self.on_path = self.on_path.min(self.open.len());
        self.value_ended();
        self.open.is_empty().then_some(Walk::Closed)
    }

    fn step(&mut self, byte: u8) -> Result<Option<Walk>, Walk> {
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self.state {
            State::Closed => return Ok(None),
            State::Value | State::ElementOrEnd if blank => {}
            State::ElementOrEnd if byte == b']' => return Ok(self.close()),
            State::Value | State::ElementOrEnd => return self.value(byte),
            State::NameOrEnd | State::Name | State::Colon | State::CommaOrEnd if blank => {}
            State::NameOrEnd if byte == b'}' => return Ok(self.close()),
            State::NameOrEnd | State::Name => {
                if byte != b'"' {
                    return Err(Walk::Broken("expected a member name"));
                }
                self.name.clear();
                self.state = State::Text(true);
            }
            State::Colon => {
                if byte != b':' {
                    return Err(Walk::Broken("expected `:` after a member name"));
                }
                self.state = State::Value;
                // Only now the member is known to be one: what is not JSON is reported as such.
                return self.name_ended().map(|()| None);
            }
            State::CommaOrEnd => match (byte, self.in_object()) {
                (b',', true) => self.state = State::Name,
                (b',', false) => self.state = State::Value,
                (b'}', true) | (b']', false) => return Ok(self.close()),
                _ => return Err(Walk::Broken("expected `,` or a closing bracket")),
            },
            State::Minus if byte.is_ascii_digit() => {
                self.number.whole(byte);
                self.state = if byte == b'0' { State::Zero } else { State::Integer };
            }
            State::Integer if byte.is_ascii_digit() => self.number.whole(byte),
            State::Fraction if byte.is_ascii_digit() => self.number.fraction(byte),
            State::ExponentDigits if byte.is_ascii_digit() => self.number.exponent(byte),
            State::Zero | State::Integer if byte == b'.' => self.state = State::Point,
            State::Zero | State::Integer | State::Fraction if matches!(byte, b'e' | b'E') => {
                self.state = State::Exponent;
            }
            State::Point if byte.is_ascii_digit() => {
                self.number.fraction(byte);
                self.state = State::Fraction;
            }
            State::Exponent if matches!(byte, b'+' | b'-') => {
                self.number.negative = byte == b'-';
                self.state = State::ExponentSign;
            }
            State::Exponent | State::ExponentSign if byte.is_ascii_digit() => {
                self.number.exponent(byte);
                self.state = State::ExponentDigits;
            }
            State::Minus | State::Point | State::Exponent | State::ExponentSign => {
                return Err(Walk::Broken("expected a digit"));
            }
            State::Zero | State::Integer | State::Fraction | State::ExponentDigits => {
                self.value_ended();
                return self.step(byte);
            }
            State::Literal(rest) => match rest.split_first() {
                Some((&expected, rest)) if expected == byte => {
                    self.state = State::Literal(rest);
                    if rest.is_empty() {
                        self.value_ended();
                    }
                }
                _ => return Err(Walk::Broken("expected a value")),
            },
            _ => return self.text(byte),
        }
        Ok(None)
    }

    fn value(&mut self, byte: u8) -> Result<Option<Walk>, Walk> {
        let target = std::mem::take(&mut self.target);
        let root = self.open.is_empty();
        if root && byte != b'{' {
            return Err(Walk::Wrong("the file does not begin with an object".to_owned()));
        }
        if target {
            let last = self.on_path == self.path.len();
            if last && byte == b'[' {
                return Ok(Some(Walk::Array));
            }
            let descends = !last && byte == b'{';
            if !descends && !self.lenient {
                let name = String::from_utf8_lossy(&self.name).into_owned();
                let what = if last { "an array" } else { "an object" };
                return Err(Walk::Wrong(format!("the member `{name}` is not {what}")));
            }
            if descends {
                self.on_path += 1;
            } else {
                self.ignore();
            }
        }
        match byte {
            b'"' => self.state = State::Text(false),
            b'{' | b'[' => {
                if self.open.len() == MAX_DEPTH {
                    return Err(Walk::Broken("more than 1,024 levels of nesting"));
                }
                self.open.push(byte == b'{');
                if root {
                    self.on_path = 1;
                }
                self.state = if byte == b'{' { State::NameOrEnd } else { State::ElementOrEnd };
            }
            b'-' | b'0'..=b'9' => {
                self.number = Magnitude::default();
                self.number.whole(byte);
                self.state = match byte {
                    b'-' => State::Minus,
                    b'0' => State::Zero,
                    _ => State::Integer,
                };
            }
            b't' => self.state = State::Literal(b"rue"),
            b'f' => self.state = State::Literal(b"alse"),
            b'n' => self.state = State::Literal(b"ull"),
            _ => return Err(Walk::Broken("expected a value")),
        }
        Ok(None)
    }

    fn text(&mut self, byte: u8) -> Result<Option<Walk>, Walk> {
        let control = Walk::Broken("a control character in a string");
        let utf8 = Walk::Broken("the document is not UTF-8, perhaps Latin-1 or Windows-1252");
        let (name, next) = match self.state {
            State::Text(name) => match byte {
                b'"' if name => {
                    self.state = State::Colon;
                    return Ok(None);
                }
                b'"' => {
                    self.value_ended();
                    return Ok(None);
                }
                b'\\' => (name, State::Escape(name)),
                0..0x20 => return Err(control),
                0x20..0x80 => (name, State::Text(name)),
                0xC2..=0xDF => (name, State::Utf8(name, 1, 0x80, 0xBF)),
                0xE0 => (name, State::Utf8(name, 2, 0xA0, 0xBF)),
                0xED => (name, State::Utf8(name, 2, 0x80, 0x9F)),
                0xE1..=0xEF => (name, State::Utf8(name, 2, 0x80, 0xBF)),
                0xF0 => (name, State::Utf8(name, 3, 0x90, 0xBF)),
                0xF1..=0xF3 => (name, State::Utf8(name, 3, 0x80, 0xBF)),
                0xF4 => (name, State::Utf8(name, 3, 0x80, 0x8F)),
                _ => return Err(utf8),
            },
            State::Utf8(name, left, low, high) => {
                if !(low..=high).contains(&byte) {
                    return Err(utf8);
                }
                let next = match left {
                    1 => State::Text(name),
                    _ => State::Utf8(name, left - 1, 0x80, 0xBF),
                };
                (name, next)
            }
            State::Escape(name) => match byte {
                b'u' => (name, State::Unicode(name, 4, 0, None)),
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => (name, State::Text(name)),
                _ => return Err(Walk::Broken("no such escape")),
            },
            State::Unicode(name, left, code, lead) => {
                let Some(digit) = char::from(byte).to_digit(16) else {
                    return Err(Walk::Broken("expected four hexadecimal digits"));
                };
                let code = code << 4 | digit as u16;
                let next = match (left, code, lead) {
                    (2.., ..) => State::Unicode(name, left - 1, code, lead),
                    (_, 0xDC00..=0xDFFF, Some(_)) => State::Text(name),
                    (_, 0xD800..=0xDBFF, None) => State::PairBackslash(name),
                    (_, 0xDC00..=0xDFFF, None) | (.., Some(_)) => {
                        return Err(Walk::Broken("half a surrogate pair"));
                    }
                    _ => State::Text(name),
                };
                (name, next)
            }
            State::PairBackslash(name) if byte == b'\\' => (name, State::PairU(name)),
            State::PairU(name) if byte == b'u' => (name, State::Unicode(name, 4, 0, Some(0))),
            _ => return Err(Walk::Broken("half a surrogate pair")),
        };
        if name && self.name.len() < LONGEST_NAME {
            self.name.push(byte);
        }
        self.state = next;
        Ok(None)
    }

    fn name_ended(&mut self) -> Result<(), Walk> {
        if !self.at_path() {
            return Ok(());
        }
        let mut name = Vec::with_capacity(self.name.len());
        unescape(&self.name, &mut name);
        self.name = name;
        let level = self.on_path - 1;
        let expected = self.path.get(level).map(String::as_bytes);
        if expected != Some(self.name.as_slice()) {
            self.ignore();
            return Ok(());
        }
        if std::mem::replace(&mut self.seen[level], true) {
            let name = String::from_utf8_lossy(&self.name).into_owned();
            return Err(Walk::Wrong(format!("the member `{name}` occurs twice")));
        }
        self.target = true;
        Ok(())
    }

    fn ignore(&mut self) {
        if self.ignored.len() < MOST_IGNORED {
            let name = String::from_utf8_lossy(&self.name).into_owned();
            if self.known.insert(name.clone()) {
                self.ignored.push(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(path: &[&str], lenient: bool, text: &[u8], piece: usize) -> (usize, Walk, Vec<String>) {
        let path = path.iter().map(|s| (*s).to_owned()).collect();
        let mut envelope = Envelope::new(path, lenient);
        let mut used = 0;
        for chunk in text.chunks(piece) {
            let (n, walk) = envelope.feed(chunk);
            used += n;
            if walk != Walk::More {
                return (used, walk, envelope.ignored().to_vec());
            }
        }
        (used, Walk::More, envelope.ignored().to_vec())
    }

    #[test]
    fn the_array_is_found_in_pieces_of_any_size() {
        let text =
            br#" {"a" : [{"records":[]}, -1.5e+3, "\ud83d\ude00 \u00e9"], "r\u0065cords": [1"#;
        for piece in 1..=text.len() {
            let (used, found, ignored) = walk(&["records"], false, text, piece);
            assert_eq!((used, found), (text.len() - 1, Walk::Array));
            assert_eq!(ignored, ["a"]);
        }
        let nested = br#"{"items":[], "result":{"x":{"items":[]},"items":["#;
        let (used, found, ignored) = walk(&["result", "items"], false, nested, 3);
        assert_eq!((used, found), (nested.len(), Walk::Array));
        assert_eq!(ignored, ["items", "x"]);
    }

    #[test]
    fn what_is_no_document_is_told_apart() {
        let wrong =
            |text: &str| matches!(walk(&["records"], false, text.as_bytes(), 2).1, Walk::Wrong(_));
        assert!(wrong("[1]") && wrong("{\"records\":{}}") && wrong("5"));
        let (used, found, _) = walk(&["records"], true, b"{\"records\":5} ", 1);
        assert_eq!((used, found), (13, Walk::Closed));
        for bad in [
            "{\"a\":01}",
            "{\"a\":tru}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\u{1}\"}",
            "{,}",
            "{\"a\":1,}",
            "{\"a\" 1}",
        ] {
            assert!(
                matches!(walk(&["records"], true, bad.as_bytes(), 1).1, Walk::Broken(_)),
                "{bad}"
            );
        }
        assert!(matches!(walk(&["records"], true, b"{\"a\":\"\xff\"}", 1).1, Walk::Broken(_)));
        let deep = format!("{{\"a\":{}", "[".repeat(2000));
        assert_eq!(walk(&["r"], true, deep.as_bytes(), 64).0, 5 + 1023);
    }

    #[test]
    fn what_follows_the_array_is_walked_too() {
        let mut envelope = Envelope::new(vec!["records".into()], true);
        assert_eq!(envelope.feed(b"{\"records\":[").1, Walk::Array);
        envelope.resume();
        assert_eq!(envelope.feed(b", \"n\": 3}"), (9, Walk::Closed));
        let mut envelope = Envelope::new(vec!["records".into()], true);
        envelope.feed(b"{\"records\":[");
        envelope.resume();
        assert!(matches!(envelope.feed(b",\"records\":[]}").1, Walk::Wrong(_)));
    }
}
