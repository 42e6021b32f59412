//! Ways to spell the same value.

use super::values::Json;

/// Choices of blanks and escapes; seed 0 is the plainest spelling.
#[derive(Clone, Debug)]
pub struct Spelling {
    state: u64,
    /// Whether line feeds may stand between tokens.
    pub multiline: bool,
}

impl Spelling {
    /// The choices of a seed.
    pub fn new(seed: u64, multiline: bool) -> Self {
        Self { state: seed, multiline }
    }

    /// One choice of `n`, 0 for seed 0 (xorshift).
    pub fn choose(&mut self, n: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % n
    }

    /// Blanks between two tokens.
    pub fn blank(&mut self) -> &'static str {
        let one_line = ["", "", "", "", " ", "\t", "\r", "  "];
        let lines = ["", "", "", "", " ", "\n", "\r\n", "\n\t"];
        let at = self.choose(8) as usize;
        if self.multiline { lines[at] } else { one_line[at] }
    }

    /// A value in JSON.
    pub fn write(&mut self, value: &Json, out: &mut String) {
        match value {
            Json::Null => out.push_str("null"),
            Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Json::Number(text) => out.push_str(text),
            Json::String(text) => self.string(text, out),
            Json::List(elements) => {
                out.push('[');
                out.push_str(self.blank());
                for (at, element) in elements.iter().enumerate() {
                    self.comma(at, out);
                    self.write(element, out);
                    out.push_str(self.blank());
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                out.push_str(self.blank());
                for (at, (name, value)) in members.iter().enumerate() {
                    self.comma(at, out);
                    self.string(name, out);
                    out.push_str(self.blank());
                    out.push(':');
                    out.push_str(self.blank());
                    self.write(value, out);
                    out.push_str(self.blank());
                }
                out.push('}');
            }
        }
    }

    fn comma(&mut self, at: usize, out: &mut String) {
        if at > 0 {
            out.push(',');
            out.push_str(self.blank());
        }
    }

    fn string(&mut self, text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            let must = c < ' ' || c == '"' || c == '\\';
            if !must && self.choose(16) != 1 {
                out.push(c);
                continue;
            }
            let short = match c {
                '"' => Some('"'),
                '\\' => Some('\\'),
                '/' => Some('/'),
                '\u{8}' => Some('b'),
                '\u{c}' => Some('f'),
                '\n' => Some('n'),
                '\r' => Some('r'),
                '\t' => Some('t'),
                _ => None,
            };
            match short {
                Some(short) if self.choose(2) == 0 => {
                    out.push('\\');
                    out.push(short);
                }
                _ => {
                    let upper = self.choose(2) == 1;
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        let hex = format!("{unit:04x}");
                        out.push_str("\\u");
                        out.push_str(&if upper { hex.to_uppercase() } else { hex });
                    }
                }
            }
        }
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::json::{Value, parse};

    #[test]
    fn every_spelling_says_the_same() {
        let value = Json::Object(vec![
            ("a/\n\0".into(), Json::List(vec![Json::String("é😀\"\\\u{7f}".into()), Json::Null])),
            ("b".into(), Json::Number("1.50".into())),
        ]);
        let read = |seed: u64| -> (String, Value) {
            let mut text = String::new();
            Spelling::new(seed, true).write(&value, &mut text);
            let value = parse(text.as_bytes()).unwrap().value;
            (text, value)
        };
        let plain = read(0);
        assert!(!plain.0.contains(' '));
        let others: Vec<_> = (1..200u64).map(|seed| read(seed << 40 | seed)).collect();
        assert!(others.iter().all(|(_, value)| *value == plain.1));
        assert!(others.iter().filter(|(text, _)| *text != plain.0).count() > 150);
    }
}
