//! A plain parser of strict JSON with exact numbers.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use distil_plan::{Reason, Repair, Repairs};

/// The deepest level of a value; the value itself is level 1.
pub const MAX_DEPTH: usize = 1024;

/// A JSON value, or what a declared type made of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, and a member that is missing.
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Any number.
    Number(Decimal),
    /// Any string.
    String(String),
    /// An array.
    List(Vec<Value>),
    /// An object, its members as they stand.
    Object(Vec<(String, Value)>),
    /// A declared timestamp: nanoseconds since 1970.
    Instant(i128),
    /// A declared date: days since 1970.
    Date(i32),
    /// A declared `binary`.
    Binary(Vec<u8>),
}

impl Value {
    /// The member of an object; null for anything else, and if there is none.
    pub fn member(&self, name: &str) -> &Self {
        match self {
            Self::Object(members) => {
                members.iter().find(|(n, _)| n == name).map_or(&Self::Null, |(_, v)| v)
            }
            _ => &Self::Null,
        }
    }
}

/// An exact number: `0.d1…dn × 10^exponent`, `d1` and `dn` not 0. Zero has no digits.
#[derive(Clone, Debug)]
pub struct Decimal {
    /// Below zero.
    pub negative: bool,
    /// `d1…dn` in ASCII.
    pub digits: String,
    /// The power of ten.
    pub exponent: i64,
    /// How many digits were written, if there was neither a fraction nor an exponent; not part of
    /// the number.
    pub integer: Option<usize>,
    /// How it was spelled; not part of the number.
    pub spelled: String,
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp_exact(other) == Ordering::Equal
    }
}

impl Decimal {
    /// The number that a JSON number denotes; `None` if its exponent is out of bounds.
    /// `text` must follow the grammar of JSON numbers.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let written = format!("{whole}{fraction}");
        let digits = written.trim_start_matches('0');
        let leading = written.len() - digits.len();
        let integer = text.bytes().all(|b| b == b'-' || b.is_ascii_digit()).then_some(whole.len());
        let digits = digits.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            let spelled = text.to_owned();
            return Some(Self { negative: false, digits, exponent: 0, integer, spelled });
        }
        let power_digits = power.trim_start_matches(['+', '-']).trim_start_matches('0');
        let power_size: i64 = match power_digits {
            "" => 0,
            long if long.len() > 15 => return None,
            short => short.parse().unwrap(),
        };
        let power = if power.starts_with('-') { -power_size } else { power_size };
        let exponent = power + whole.len() as i64 - leading as i64;
        (exponent.abs() <= 1_000_000_000).then_some(Self {
            negative: mantissa.starts_with('-'),
            digits,
            exponent,
            integer,
            spelled: text.to_owned(),
        })
    }

    /// Order by exact value.
    pub fn cmp_exact(&self, other: &Self) -> Ordering {
        let sign = |d: &Self| match (d.digits.is_empty(), d.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let size = self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        sign(self).cmp(&sign(other)).then(if sign(self) < 0 { size.reverse() } else { size })
    }

    /// Whether the value is a whole number.
    pub fn is_integral(&self) -> bool {
        self.digits.is_empty() || self.exponent >= self.digits.len() as i64
    }

    /// `value × 10^scale` as an integer, if it is one of at most 38 digits.
    pub fn scaled(&self, scale: i64) -> Option<i128> {
        let exponent = self.exponent + scale;
        let zeros = exponent - self.digits.len() as i64;
        if self.digits.is_empty() {
            return Some(0);
        }
        if zeros < 0 || exponent > 38 {
            return None;
        }
        let text = format!("{}{}", self.digits, "0".repeat(zeros as usize));
        let size: i128 = text.parse().ok()?;
        Some(if self.negative { -size } else { size })
    }

    /// A text that Rust reads as this number.
    fn text(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        format!(
            "{sign}0.{}e{}",
            if self.digits.is_empty() { "0" } else { &self.digits },
            self.exponent
        )
    }

    /// The number that the shortest text of the nearest double denotes; nothing beyond the largest.
    pub fn nearest_f64(&self) -> Option<Self> {
        Self::of_f64(self.text().parse().unwrap())
    }

    /// As [`Decimal::nearest_f64`], of single precision.
    pub fn nearest_f32(&self) -> Option<Self> {
        Self::of_f32(self.text().parse().unwrap())
    }

    /// The number that the shortest text of a double denotes; `None` if it is not finite.
    pub fn of_f64(value: f64) -> Option<Self> {
        let reads_back = |text: &str| text.parse() == Ok(value);
        let texts = (format!("{value:e}"), format!("{value:.800e}"));
        value.is_finite().then(|| Self::shortest(&texts.0, &texts.1, reads_back))
    }

    /// As [`Decimal::of_f64`], of single precision.
    pub fn of_f32(value: f32) -> Option<Self> {
        let reads_back = |text: &str| text.parse() == Ok(value);
        let texts = (format!("{value:e}"), format!("{value:.800e}"));
        value.is_finite().then(|| Self::shortest(&texts.0, &texts.1, reads_back))
    }

    /// The shortest text, given one of the shortest and the exact one. Where the exact value lies in
    /// the middle between two texts of that length, the even one is meant.
    fn shortest(short: &str, exact: &str, reads_back: impl Fn(&str) -> bool) -> Self {
        let (short, exact) = (Self::parse(short).unwrap(), Self::parse(exact).unwrap());
        let count = short.digits.len();
        if exact.digits.len() != count + 1 || !exact.digits.ends_with('5') {
            return short;
        }
        let below: u64 = exact.digits[..count].parse().unwrap();
        let even = below + below % 2;
        let sign = if exact.negative { "-" } else { "" };
        let text = format!("{sign}{even}e{}", exact.exponent - count as i64);
        if reads_back(&text) { Self::parse(&text).unwrap() } else { short }
    }
}

/// What a text is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// [`Reason::InvalidJson`] or [`Reason::TooDeep`].
    pub reason: Reason,
    /// The first byte of the token that does not fit, or the end of the text.
    pub at: usize,
}

/// A value, and whether any object in it names a member twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The value, duplicate members included.
    pub value: Value,
    /// Whether there are such members.
    pub duplicate: bool,
    /// What was mended, each once.
    pub mends: Vec<Mend>,
}

/// Something that was mended (1.10).
#[derive(Clone, Debug, PartialEq)]
pub struct Mend {
    /// What.
    pub repair: Repair,
    /// Its byte in the text.
    pub at: usize,
    /// The names of the members that it lies in; what is in a list belongs to the list.
    pub path: Vec<String>,
}

/// Reads a text that must be exactly one value.
pub fn parse(text: &[u8]) -> Result<Parsed, Broken> {
    parse_mending(text, &Repairs::default())
}

/// As [`parse`], of a text in which this may be mended.
pub fn parse_mending(text: &[u8], repairs: &Repairs) -> Result<Parsed, Broken> {
    let mut parser = Parser { repairs: repairs.clone(), ..Parser::new(text, 0) };
    let value = parser.value(1)?;
    match parser.token_start() {
        at if at == text.len() => {
            Ok(Parsed { value, duplicate: parser.duplicate, mends: parser.mends })
        }
        at => Err(Broken { reason: Reason::InvalidJson, at }),
    }
}

/// A parser that stands somewhere in a text.
pub struct Parser<'a> {
    text: &'a [u8],
    /// The next byte.
    pub at: usize,
    /// Whether an object named a member twice so far.
    pub duplicate: bool,
    /// What may be mended.
    repairs: Repairs,
    mends: Vec<Mend>,
    /// The members around the next byte, but those in lists.
    path: Vec<String>,
    lists: usize,
}

impl<'a> Parser<'a> {
    /// A parser at byte `at`.
    pub fn new(text: &'a [u8], at: usize) -> Self {
        let (mends, path) = (Vec::new(), Vec::new());
        let repairs = Repairs::default();
        Self { text, at, duplicate: false, repairs, mends, path, lists: 0 }
    }

    fn mend(&mut self, repair: Repair, at: usize) {
        let path = self.path.clone();
        self.mends.push(Mend { repair, at, path });
    }

    /// Skips blanks; the offset of the next token, or the length of the text.
    pub fn token_start(&mut self) -> usize {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.at
    }

    /// Skips blanks; the first byte of the next token.
    pub fn peek(&mut self) -> Option<u8> {
        let at = self.token_start();
        self.text.get(at).copied()
    }

    /// The error that the token at `at` does not fit.
    pub fn invalid<T>(&self, at: usize) -> Result<T, Broken> {
        Err(Broken { reason: Reason::InvalidJson, at })
    }

    /// Takes one mark.
    pub fn mark(&mut self, mark: u8) -> Result<(), Broken> {
        if self.peek() == Some(mark) {
            self.at += 1;
            return Ok(());
        }
        self.invalid(self.at)
    }

    /// Takes one value; `level` is its own.
    pub fn value(&mut self, level: usize) -> Result<Value, Broken> {
        match self.peek() {
            Some(b'{' | b'[') if level > MAX_DEPTH => {
                Err(Broken { reason: Reason::TooDeep, at: self.at })
            }
            Some(b'{') => self.object(level),
            Some(b'[') => self.list(level),
            Some(b'"') => self.string().map(Value::String),
            _ => self.word(),
        }
    }

    fn object(&mut self, level: usize) -> Result<Value, Broken> {
        let mut members: Vec<(String, Value)> = Vec::new();
        let mut starts = BTreeMap::new();
        self.at += 1;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            let start = self.token_start();
            let before = self.mends.len();
            let name = self.name()?;
            if self.lists == 0 {
                self.path.push(name.clone());
                self.mends[before..].iter_mut().for_each(|mend| mend.path.push(name.clone()));
            }
            if let Some(earlier) = starts.insert(name.clone(), start) {
                if self.repairs.has(Repair::DuplicateMembers) {
                    self.mend(Repair::DuplicateMembers, earlier);
                    members.retain(|(other, _)| *other != name);
                } else {
                    self.duplicate = true;
                }
            }
            members.push((name, self.value(level + 1)?));
            if self.lists == 0 {
                self.path.pop();
            }
            if self.more(b'}')? {
                return Ok(Value::Object(members));
            }
        }
    }

    fn list(&mut self, level: usize) -> Result<Value, Broken> {
        let mut elements = Vec::new();
        self.at += 1;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(elements));
        }
        self.lists += 1;
        loop {
            elements.push(self.value(level + 1)?);
            if self.more(b']')? {
                self.lists -= 1;
                return Ok(Value::List(elements));
            }
        }
    }

    /// Takes a name and its colon.
    pub fn name(&mut self) -> Result<String, Broken> {
        if self.peek() != Some(b'"') {
            return self.invalid(self.at);
        }
        let name = self.string()?;
        self.mark(b':')?;
        Ok(name)
    }

    /// Takes a comma (false) or the closing bracket (true).
    pub fn more(&mut self, close: u8) -> Result<bool, Broken> {
        let closed = self.peek() == Some(close);
        if !closed {
            self.mark(b',')?;
            return Ok(false);
        }
        self.at += 1;
        Ok(true)
    }

    /// Takes a number or a literal: the run up to a blank, a quote or a mark.
    fn word(&mut self) -> Result<Value, Broken> {
        let start = self.at;
        let rest = &self.text[start..];
        let ends = |b: &u8| b" \t\n\r\"{}[]:,".contains(b);
        let word = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        self.at += word.len();
        match word {
            b"null" => Ok(Value::Null),
            b"true" => Ok(Value::Bool(true)),
            b"false" => Ok(Value::Bool(false)),
            _ if self.repairs.has(Repair::Nan) && is_not_finite(word) => {
                self.mend(Repair::Nan, start);
                Ok(Value::Null)
            }
            _ if is_number(word) => match Decimal::parse(std::str::from_utf8(word).unwrap()) {
                Some(number) => Ok(Value::Number(number)),
                None => self.invalid(start),
            },
            _ => self.invalid(start),
        }
    }

    /// Takes a string.
    fn string(&mut self) -> Result<String, Broken> {
        let start = self.at;
        let mut rest = &self.text[start + 1..];
        let mut out = Vec::new();
        loop {
            match rest {
                [b'"', ..] => {
                    self.at = self.text.len() - rest.len() + 1;
                    return String::from_utf8(out).or_else(|_| self.invalid(start));
                }
                [b'\\', b'u', tail @ ..] => {
                    let at = self.text.len() - rest.len();
                    let Some(first) = hex4(tail) else { return self.invalid(start) };
                    rest = &tail[4..];
                    let second = rest.strip_prefix(b"\\u").and_then(hex4);
                    let is_alone = match first {
                        0xd800..=0xdbff => !matches!(second, Some(0xdc00..=0xdfff)),
                        other => matches!(other, 0xdc00..=0xdfff),
                    };
                    if is_alone && self.repairs.has(Repair::Surrogates) {
                        self.mend(Repair::Surrogates, at);
                        out.extend("\u{fffd}".bytes());
                        continue;
                    }
                    let code = match first {
                        0xd800..=0xdbff => match rest {
                            [b'\\', b'u', tail @ ..] => match hex4(tail) {
                                Some(second @ 0xdc00..=0xdfff) => {
                                    rest = &tail[4..];
                                    0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                                }
                                _ => return self.invalid(start),
                            },
                            _ => return self.invalid(start),
                        },
                        other => other,
                    };
                    let Some(c) = char::from_u32(code) else { return self.invalid(start) };
                    out.extend(c.to_string().bytes());
                }
                [b'\\', escape, tail @ ..] => {
                    out.push(match escape {
                        b'"' | b'\\' | b'/' => *escape,
                        b'b' => 8,
                        b'f' => 12,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        _ => return self.invalid(start),
                    });
                    rest = tail;
                }
                [byte, tail @ ..] if *byte >= 0x20 && *byte != b'\\' => {
                    out.push(*byte);
                    rest = tail;
                }
                _ => return self.invalid(start),
            }
        }
    }
}

/// Whether a word is NaN or an infinity (1.10).
fn is_not_finite(word: &[u8]) -> bool {
    let word = word.to_ascii_lowercase();
    let unsigned = match &word[..] {
        [b'+' | b'-', rest @ ..] => rest,
        all => all,
    };
    matches!(unsigned, b"nan" | b"inf" | b"infinity")
}

fn hex4(text: &[u8]) -> Option<u32> {
    let four = text.get(..4)?;
    if !four.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(four).ok()?, 16).ok()
}

/// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
fn is_number(word: &[u8]) -> bool {
    fn digits(text: &[u8]) -> Option<&[u8]> {
        let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
        (count > 0).then(|| &text[count..])
    }
    fn walk(word: &[u8]) -> Option<bool> {
        let word = word.strip_prefix(b"-").unwrap_or(word);
        let mut rest = match word {
            [b'0', tail @ ..] => tail,
            _ => digits(word)?,
        };
        if let [b'.', tail @ ..] = rest {
            rest = digits(tail)?;
        }
        if let [b'e' | b'E', tail @ ..] = rest {
            rest = digits(match tail {
                [b'+' | b'-', tail @ ..] => tail,
                _ => tail,
            })?;
        }
        Some(rest.is_empty())
    }
    walk(word) == Some(true)
}

#[cfg(test)]
mod tests;
