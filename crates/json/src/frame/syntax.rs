//! JSON byte by byte: a strict parser that is fed in any pieces and keeps little but its state.
//!
//! It serves the text around records, which may be longer than memory. Whoever drives it looks at each value
//! before it begins, and may take it away from the parser.

use crate::parse::tape::MAX_DEPTH;
use crate::values::decimal::MAX_EXPONENT;

/// What a byte completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing that matters around records.
    None,
    /// The name of a member, its colon included: [`Syntax::name`].
    Name,
    /// The outermost object or list.
    Closed,
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

/// The parser of one value, an object or a list.
#[derive(Debug)]
pub(crate) struct Syntax {
    state: State,
    /// For each open bracket, whether it is an object.
    open: Vec<bool>,
    name: Vec<u8>,
    is_name_cut: bool,
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

/// Longest name that is kept; longer ones are cut.
const LONGEST_NAME: usize = 64 << 10;

impl Syntax {
    /// A parser before the first bracket.
    pub(crate) fn new() -> Self {
        Self {
            state: State::Value,
            open: Vec::new(),
            name: Vec::new(),
            is_name_cut: false,
            number: Magnitude::default(),
            token: 0,
        }
    }

    /// The name that ended last, escapes unresolved.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether that name is longer than what is kept of it.
    pub(crate) fn is_name_cut(&self) -> bool {
        self.is_name_cut
    }

    /// How many brackets are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether the innermost open bracket is that of an object.
    pub(crate) fn in_object(&self) -> bool {
        self.open.last() == Some(&true)
    }

    /// Whether a value begins with this byte, if it is one that values begin with.
    pub(crate) fn begins_value(&self, byte: u8) -> bool {
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self.state {
            State::Value => !blank,
            State::ElementOrEnd => !blank && byte != b']',
            _ => false,
        }
    }

    /// Goes on after a value that somebody else took.
    pub(crate) fn value_taken(&mut self) -> Event {
        self.token = 0;
        self.value_ended()
    }

    /// How many of the bytes used belong to the token (a string, or a run of bytes up to a blank, a
    /// quote or a mark) that is unfinished, or that the next byte breaks.
    pub(crate) fn token_length(&self) -> u64 {
        self.token
    }

    /// Uses a byte.
    ///
    /// # Errors
    /// What is wrong with it; it is not used then.
    pub(crate) fn feed(&mut self, byte: u8) -> Result<Event, &'static str> {
        let in_string = self.in_string();
        let blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let mark = matches!(byte, b'{' | b'}' | b'[' | b']' | b':' | b',' | b'"');
        let unfinished = self.in_token();
        let token = self.token;
        if !in_string && (blank || mark) {
            self.token = 0;
        }
        let in_number = self.in_number();
        let step = self.step(byte);
        if in_number && !self.in_number() && self.number.out_of_range() {
            self.token = token;
            return Err("the exponent of a number is beyond ±1,000,000,000");
        }
        match step {
            Ok(_) => {
                let run = !(in_string || blank || mark);
                self.token = if run || self.in_string() { self.token + 1 } else { 0 };
            }
            Err(_) if unfinished => self.token = token,
            Err(_) => {}
        }
        step
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

    fn value_ended(&mut self) -> Event {
        if self.open.is_empty() {
            self.state = State::Closed;
            return Event::Closed;
        }
        self.state = State::CommaOrEnd;
        Event::None
    }

    fn close(&mut self) -> Event {
        self.open.pop();
        self.value_ended()
    }

    fn step(&mut self, byte: u8) -> Result<Event, &'static str> {
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self.state {
            State::Closed => {}
            State::Value | State::ElementOrEnd if blank => {}
            State::ElementOrEnd if byte == b']' => return Ok(self.close()),
            State::Value | State::ElementOrEnd => return self.value(byte),
            State::NameOrEnd | State::Name | State::Colon | State::CommaOrEnd if blank => {}
            State::NameOrEnd if byte == b'}' => return Ok(self.close()),
            State::NameOrEnd | State::Name => {
                if byte != b'"' {
                    return Err("expected a member name");
                }
                self.name.clear();
                self.is_name_cut = false;
                self.state = State::Text(true);
            }
            State::Colon => {
                if byte != b':' {
                    return Err("expected `:` after a member name");
                }
                self.state = State::Value;
                return Ok(Event::Name);
            }
            State::CommaOrEnd => match (byte, self.in_object()) {
                (b',', true) => self.state = State::Name,
                (b',', false) => self.state = State::Value,
                (b'}', true) | (b']', false) => return Ok(self.close()),
                _ => return Err("expected `,` or a closing bracket"),
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
                return Err("expected a digit");
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
                _ => return Err("expected a value"),
            },
            _ => return self.text(byte),
        }
        Ok(Event::None)
    }

    fn value(&mut self, byte: u8) -> Result<Event, &'static str> {
        match byte {
            b'"' => self.state = State::Text(false),
            b'{' | b'[' => {
                if self.open.len() == MAX_DEPTH {
                    return Err("more than 1,024 levels of nesting");
                }
                self.open.push(byte == b'{');
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
            _ => return Err("expected a value"),
        }
        Ok(Event::None)
    }

    fn text(&mut self, byte: u8) -> Result<Event, &'static str> {
        let control = "a control character in a string";
        let utf8 = "the document is not UTF-8, perhaps Latin-1 or Windows-1252";
        let (name, next) = match self.state {
            State::Text(name) => match byte {
                b'"' if name => {
                    self.state = State::Colon;
                    return Ok(Event::None);
                }
                b'"' => {
                    return Ok(self.value_ended());
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
                _ => return Err("no such escape"),
            },
            State::Unicode(name, left, code, lead) => {
                let Some(digit) = char::from(byte).to_digit(16) else {
                    return Err("expected four hexadecimal digits");
                };
                let code = code << 4 | digit as u16;
                let next = match (left, code, lead) {
                    (2.., ..) => State::Unicode(name, left - 1, code, lead),
                    (_, 0xDC00..=0xDFFF, Some(_)) => State::Text(name),
                    (_, 0xD800..=0xDBFF, None) => State::PairBackslash(name),
                    (_, 0xDC00..=0xDFFF, None) | (.., Some(_)) => {
                        return Err("half a surrogate pair");
                    }
                    _ => State::Text(name),
                };
                (name, next)
            }
            State::PairBackslash(name) if byte == b'\\' => (name, State::PairU(name)),
            State::PairU(name) if byte == b'u' => (name, State::Unicode(name, 4, 0, Some(0))),
            _ => return Err("half a surrogate pair"),
        };
        if name {
            if self.name.len() < LONGEST_NAME {
                self.name.push(byte);
            } else {
                self.is_name_cut = true;
            }
        }
        self.state = next;
        Ok(Event::None)
    }
}
