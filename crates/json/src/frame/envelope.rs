//! The text around an array of records in a document.

use std::collections::HashSet;

use crate::frame::syntax::{Event, Syntax};
use crate::parse::tape::unescape;

/// Most names of siblings that are reported: a document may have millions.
const MOST_IGNORED: usize = 1_000;
/// Longest name of a sibling that is reported; longer ones are cut.
const LONGEST_IGNORED: usize = 4096;

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

/// Names of members that no record comes from, each once, in order.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    names: Vec<String>,
    known: HashSet<String>,
}

impl Ignored {
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Notes a name.
    pub(crate) fn note(&mut self, name: &[u8]) {
        let name = name.get(..LONGEST_IGNORED).unwrap_or(name);
        if self.names.len() < MOST_IGNORED {
            let name = String::from_utf8_lossy(name).into_owned();
            if self.known.insert(name.clone()) {
                self.names.push(name);
            }
        }
    }
}

/// The walk through a document.
#[derive(Debug)]
pub(crate) struct Envelope {
    path: Vec<String>,
    /// Whether a member on the path may hold anything but what the path needs: then it is a sibling.
    lenient: bool,
    syntax: Syntax,
    /// How many of the open objects lie on the path, from the outside.
    on_path: usize,
    /// For each level on the path, whether its member was seen.
    seen: Vec<bool>,
    /// The value to come is that of the path's member at the current level.
    target: bool,
    ignored: Ignored,
    started: bool,
}

impl Envelope {
    /// A walk that begins before the document's first bracket.
    pub(crate) fn new(path: Vec<String>, lenient: bool) -> Self {
        let seen = vec![false; path.len()];
        Self {
            path,
            lenient,
            syntax: Syntax::new(),
            on_path: 0,
            seen,
            target: false,
            ignored: Ignored::default(),
            started: false,
        }
    }

    /// Names of the members beside the array, each once, in order.
    pub(crate) fn ignored(&self) -> &[String] {
        self.ignored.names()
    }

    /// Whether a byte that is not blank was seen.
    pub(crate) fn started(&self) -> bool {
        self.started
    }

    /// See [`Syntax::token_length`].
    pub(crate) fn token_length(&self) -> u64 {
        self.syntax.token_length()
    }

    /// Goes on after the closing bracket of the array.
    pub(crate) fn resume(&mut self) {
        self.syntax.value_taken();
    }

    /// Uses bytes until something is decided; returns how many, and what.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> (usize, Walk) {
        for (at, &byte) in bytes.iter().enumerate() {
            self.started |= !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            if self.syntax.begins_value(byte) {
                match self.value(byte) {
                    Ok(false) => {}
                    Ok(true) => return (at + 1, Walk::Array),
                    Err(wrong) => return (at, Walk::Wrong(wrong)),
                }
            }
            match self.syntax.feed(byte) {
                Ok(Event::None) => self.on_path = self.on_path.min(self.syntax.depth()),
                Ok(Event::Closed) => return (at + 1, Walk::Closed),
                // Only now the member is known to be one: what is not JSON is reported as such.
                Ok(Event::Name) => {
                    if let Err(wrong) = self.name_ended() {
                        return (at, Walk::Wrong(wrong));
                    }
                }
                Err(what) => return (at, Walk::Broken(what)),
            }
        }
        (bytes.len(), Walk::More)
    }

    /// Looks at a value before it begins: whether it is the array.
    fn value(&mut self, byte: u8) -> Result<bool, String> {
        let target = std::mem::take(&mut self.target);
        if self.syntax.depth() == 0 {
            if byte != b'{' {
                return Err("the file does not begin with an object".to_owned());
            }
            self.on_path = 1;
        }
        if !target {
            return Ok(false);
        }
        let last = self.on_path == self.path.len();
        if last && byte == b'[' {
            return Ok(true);
        }
        let descends = !last && byte == b'{';
        if !descends && !self.lenient {
            let name = String::from_utf8_lossy(self.syntax.name());
            let what = if last { "an array" } else { "an object" };
            return Err(format!("the member `{name}` is not {what}"));
        }
        if descends {
            self.on_path += 1;
        } else {
            self.ignored.note(self.path[self.on_path - 1].as_bytes());
        }
        Ok(false)
    }

    fn name_ended(&mut self) -> Result<(), String> {
        // Whether the innermost open object lies on the path.
        if self.on_path == 0 || self.on_path != self.syntax.depth() {
            return Ok(());
        }
        let mut name = Vec::with_capacity(self.syntax.name().len());
        unescape(self.syntax.name(), &mut name);
        let level = self.on_path - 1;
        if self.path.get(level).map(String::as_bytes) != Some(name.as_slice()) {
            self.ignored.note(&name);
            return Ok(());
        }
        if std::mem::replace(&mut self.seen[level], true) {
            let name = String::from_utf8_lossy(&name);
            return Err(format!("the member `{name}` occurs twice"));
        }
        self.target = true;
        Ok(())
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
