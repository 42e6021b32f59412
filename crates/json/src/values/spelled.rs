//! What a string spells besides itself: a number, a dotted version or an instant, and whether strings
//! spelled like it order as what they spell.
//!
//! Nothing is converted here. A column whose text would order records otherwise than its values has to
//! be noticed (`docs/semantics.md` 2.3), whatever types can be read from such text.

use crate::values::calendar::{self, MONTHS, WEEKDAYS};
use crate::values::time::real_day;

/// Longer strings are words: no spelling that is told apart here has more bytes.
pub(crate) const MOST_BYTES: usize = 64;
/// Shorter strings that begin with a letter are words or versions: an instant has as many as `May 1 2008`.
const LEAST_NAMED: usize = 10;
/// Integers of fewer digits have 64 bits.
const DIGITS_OF_I64: usize = 19;

/// Properties of spellings. Those of a column are their union.
pub(crate) type Forms = u64;

pub(crate) mod form;

/// The kinds of what a string may spell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Version,
    Instant,
}

/// A string that spells something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spelled<'a> {
    pub(crate) kind: Kind,
    pub(crate) forms: Forms,
    /// Two strings of one shape order as what they spell. `None` for a form of which that is not so.
    pub(crate) shape: Option<Shape<'a>>,
}

/// The fixed form of a text: the text with zeros for its digits, but those of an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape<'a> {
    text: &'a [u8],
    /// Where an offset begins, or the text ends: everything from here on stays as it is.
    zone: usize,
}

impl Shape<'_> {
    /// The bytes of it.
    pub(crate) fn to_bytes(self) -> Box<[u8]> {
        let mut bytes: Box<[u8]> = self.text.into();
        bytes.iter_mut().take(self.zone).for_each(|byte| *byte = mask(*byte));
        bytes
    }

    /// Whether it has just these bytes.
    #[inline]
    pub(crate) fn is(self, bytes: &[u8]) -> bool {
        let digits = self.text.iter().zip(bytes).take(self.zone);
        self.text.len() == bytes.len()
            && digits.fold(true, |same, (byte, wanted)| same & (mask(*byte) == *wanted))
            && self.text.get(self.zone..) == bytes.get(self.zone..)
    }
}

#[inline]
fn mask(byte: u8) -> u8 {
    if byte.is_ascii_digit() { b'0' } else { byte }
}

impl<'a> Spelled<'a> {
    /// An instant of the one form that inference makes a timestamp.
    pub(crate) fn fixed(digits: u32) -> Self {
        let (text, forms): (&'static [u8], Forms) = match digits {
            0 => (b"0000-00-00T00:00:00Z", form::SECONDS),
            3 => (b"0000-00-00T00:00:00.000Z", form::FRACTION),
            _ => (b"0000-00-00T00:00:00.000000Z", form::FRACTION),
        };
        let forms = forms
            | form::NOT_DIGITS
            | form::YEAR_FIRST
            | form::NO_WEEKDAY
            | form::LETTER_T
            | form::ZULU;
        Self { kind: Kind::Instant, forms, shape: Some(Shape { text, zone: text.len() }) }
    }

    /// What a string spells, if it is more than a word.
    #[inline]
    pub(crate) fn read(text: &'a [u8]) -> Option<Self> {
        let first = *text.first()?;
        let may_begin = first.is_ascii_alphanumeric() || matches!(first, b'+' | b'-' | b' ');
        if !may_begin || text.len() > MOST_BYTES {
            return None;
        }
        let trimmed = trim_blanks(text);
        let (&first, _) = trimmed.split_first()?;
        let loose = trimmed.len() < text.len();
        let mut spelled = match first {
            b'0'..=b'9' => {
                number(trimmed).or_else(|| instant(trimmed)).or_else(|| version(trimmed))
            }
            b'+' | b'-' => number(trimmed),
            b'v' | b'V' => version(trimmed),
            _ if trimmed.len() < LEAST_NAMED => None,
            _ => instant(trimmed),
        }?;
        if loose {
            spelled.shape = None;
            if spelled.kind == Kind::Number {
                spelled.forms = form::LOOSE_NUMBER | form::NOT_DIGITS;
            } else {
                spelled.forms |= form::IRREGULAR;
            }
        }
        Some(spelled)
    }
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| *byte != b' ';
    let from = text.iter().position(is_text).unwrap_or(text.len());
    let to = text.iter().rposition(is_text).map_or(from, |last| last + 1);
    text.get(from..to).unwrap_or_default()
}

/// `[+-]?digits[.digits][e[+-]digits]`.
fn number(text: &[u8]) -> Option<Spelled<'_>> {
    let mut reader = Reader { text, at: 0 };
    let sign = reader.one_of(b"+-");
    let whole = reader.digits();
    if whole == 0 {
        return None;
    }
    let mut integral = true;
    let mut exponent = false;
    if reader.one_of(b".").is_some() {
        integral = false;
        if reader.digits() == 0 {
            return None;
        }
    }
    if reader.one_of(b"eE").is_some() {
        (integral, exponent) = (false, true);
        reader.one_of(b"+-");
        if reader.digits() == 0 {
            return None;
        }
    }
    if !reader.ended() {
        return None;
    }
    let leading_zero = whole > 1 && text.get(usize::from(sign.is_some())) == Some(&b'0');
    let forms = if sign == Some(b'+') || leading_zero {
        form::LOOSE_NUMBER
    } else if integral && (whole < DIGITS_OF_I64 || is_i64(text)) {
        form::INTEGER
    } else {
        form::NUMBER
    };
    let falls = sign.is_none() && !exponent;
    let forms = if falls && integral { forms } else { forms | form::NOT_DIGITS };
    let shape = falls.then_some(Shape { text, zone: text.len() });
    Some(Spelled { kind: Kind::Number, forms, shape })
}

fn is_i64(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<i64>().is_ok())
}

/// `1.9.0`, `v1`, `v1.10`; `1.9` is a number before.
fn version(text: &[u8]) -> Option<Spelled<'_>> {
    let mut reader = Reader { text, at: 0 };
    let letter = reader.one_of(b"vV").is_some();
    let mut parts = 0;
    loop {
        if reader.digits() == 0 {
            return None;
        }
        parts += 1;
        if reader.ended() {
            break;
        }
        reader.one_of(b".")?;
    }
    let shape = Some(Shape { text, zone: text.len() });
    (letter || parts > 1).then_some(Spelled { kind: Kind::Version, forms: form::NOT_DIGITS, shape })
}

/// A date, or a date and a time of day, in one of the forms of the contract.
fn instant(text: &[u8]) -> Option<Spelled<'_>> {
    let mut reader = Reader { text, at: 0 };
    let mut forms = 0;
    let begins_with_name = reader.peek().is_some_and(|byte| byte.is_ascii_alphabetic());
    if begins_with_name && let Some(irregular) = reader.name(&WEEKDAYS).map(|(_, long)| long) {
        forms |= if irregular { form::IRREGULAR } else { 0 };
        forms |= if reader.one_of(b",").is_some() { form::WEEKDAY_COMMA } else { form::WEEKDAY };
        reader.blanks()?;
    } else {
        forms |= form::NO_WEEKDAY;
    }
    let date =
        if reader.peek()?.is_ascii_digit() { reader.date()? } else { reader.named_date()? };
    forms |= date.forms;
    if reader.ended() {
        date.year?;
        return Some(date.spelled(forms, text, text.len()));
    }
    forms |= reader.separator()?;
    let clock = reader.clock(date.forms & form::YEARS_FIRST == form::YEAR_FIRST << 3)?;
    forms |= clock.forms;
    let zone = reader.at;
    forms |= reader.zone(date.year.is_none())?;
    if let Some((month, day)) = date.without_year {
        reader.blanks()?;
        let year = reader.number(4..=4)?;
        real_day(year, month, day)?;
    }
    if !reader.ended() {
        return None;
    }
    let mut spelled = date.spelled(forms, text, zone);
    if clock.twelve {
        spelled.shape = None;
    }
    Some(spelled)
}

/// A date that was read.
struct Date {
    forms: Forms,
    year: Option<i64>,
    /// Month and day of a date whose year comes last.
    without_year: Option<(i64, i64)>,
}

impl Date {
    /// An instant of this date; only with the year first do its units fall.
    fn spelled<'t>(&self, forms: Forms, text: &'t [u8], zone: usize) -> Spelled<'t> {
        let falls = self.forms & form::YEARS_FIRST != 0 && forms & form::NO_WEEKDAY != 0;
        let shape = falls.then_some(Shape { text, zone });
        Spelled { kind: Kind::Instant, forms: forms | form::NOT_DIGITS, shape }
    }
}

struct Clock {
    forms: Forms,
    twelve: bool,
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn ended(&self) -> bool {
        self.rest().is_empty()
    }

    /// One of these bytes, if it is next.
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|byte| bytes.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// How many digits follow.
    fn digits(&mut self) -> usize {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// All digits that follow, if there are as many.
    fn number(&mut self, width: std::ops::RangeInclusive<usize>) -> Option<i64> {
        let from = self.at;
        let count = self.digits();
        let digits = self.text.get(from..self.at)?;
        let value = digits.iter().take(8).fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0'));
        width.contains(&count).then_some(value)
    }

    /// A blank, or more.
    fn blanks(&mut self) -> Option<()> {
        self.one_of(b" ")?;
        while self.one_of(b" ").is_some() {}
        Some(())
    }

    /// The ordinal of a name that is next, and whether it has more than three letters where it could
    /// have three.
    fn name(&mut self, names: &[&str]) -> Option<(i64, bool)> {
        let (at, length) = calendar::name(self.rest(), names)?;
        if self.rest().get(length).is_some_and(u8::is_ascii_alphabetic) {
            return None;
        }
        self.at += length;
        Some((at as i64 + 1, length > 3))
    }

    /// A date that begins with a digit.
    fn date(&mut self) -> Option<Date> {
        let from = self.at;
        let first = self.number(1..=8)?;
        let width = self.at - from;
        if width == 8 {
            real_day(first / 10_000, first / 100 % 100, first % 100)?;
            let forms = form::YEAR_FIRST << 3;
            return Some(Date { forms, year: Some(first / 10_000), without_year: None });
        }
        let mark = self.one_of(b"-/. ")?;
        let kind = match mark {
            b'-' => 0,
            b'/' => 1,
            b'.' => 2,
            _ => 3,
        };
        if self.peek()?.is_ascii_alphabetic() {
            return if width <= 2 { self.day_name(first, mark) } else { None };
        }
        if kind == 3 {
            return None;
        }
        let before = self.at;
        let second = self.number(1..=2)?;
        let second_width = self.at - before;
        self.one_of(&[mark])?;
        let before = self.at;
        let third = self.number(1..=4)?;
        let third_width = self.at - before;
        if width == 4 && third_width <= 2 {
            real_day(first, second, third)?;
            let forms = form::YEAR_FIRST << kind;
            return Some(Date { forms, year: Some(first), without_year: None });
        }
        // Two dots and short numbers are a version as well: only dates in full width are told.
        let short = third_width == 2 && (mark != b'.' || width == 2 && second_width == 2);
        if width > 2 || !(third_width == 4 || short) {
            return None;
        }
        let year = if short { 2000 + third } else { third };
        let day_first = real_day(year, second, first).is_some();
        let month_first = real_day(year, first, second).is_some();
        if !day_first && !month_first {
            return None;
        }
        let base = if short { form::SHORT_YEAR } else { form::YEAR_LAST };
        let leads = if !month_first {
            form::DAY_LEADS
        } else if !day_first {
            form::MONTH_LEADS
        } else {
            0
        };
        Some(Date { forms: base << kind | leads, year: Some(year), without_year: None })
    }

    /// The rest of `27 Aug 2008`, behind the first mark.
    fn day_name(&mut self, day: i64, mark: u8) -> Option<Date> {
        let (month, long) = self.name(&MONTHS)?;
        if mark == b' ' {
            self.blanks()?;
        } else {
            self.one_of(&[mark])?;
        }
        let before = self.at;
        let year = self.number(2..=4)?;
        let (year, short) = match self.at - before {
            2 => (2000 + year, true),
            4 => (year, false),
            _ => return None,
        };
        real_day(year, month, day)?;
        let kind = match mark {
            b' ' => 0,
            b'-' => 1,
            b'/' => 2,
            _ => return None,
        };
        let irregular = if short || long { form::IRREGULAR } else { 0 };
        let forms = form::DAY_NAME << kind | irregular;
        Some(Date { forms, year: Some(year), without_year: None })
    }

    /// `Aug 27, 2008`, or `Aug 27` where the year comes last.
    fn named_date(&mut self) -> Option<Date> {
        let (month, long) = self.name(&MONTHS)?;
        let irregular = if long { form::IRREGULAR } else { 0 };
        self.blanks()?;
        let day = self.number(1..=2)?;
        let (comma, before) = (self.one_of(b",").is_some(), self.at);
        self.blanks()?;
        let from = self.at;
        if let Some(year) = self.number(4..=4) {
            real_day(year, month, day)?;
            let irregular = if comma { irregular } else { form::IRREGULAR };
            let forms = form::NAME_DAY | irregular;
            return Some(Date { forms, year: Some(year), without_year: None });
        }
        // A time of day follows: what is between belongs to its separator.
        self.at = if self.at > from { before } else { return None };
        real_day(2000, month, day)?;
        let forms = form::YEAR_AT_THE_END | irregular;
        let date = Date { forms, year: None, without_year: Some((month, day)) };
        (!comma).then_some(date)
    }

    /// What stands between a date and a time of day.
    fn separator(&mut self) -> Option<Forms> {
        Some(match self.one_of(b"Tt, :")? {
            b'T' | b't' => form::LETTER_T,
            b',' => {
                self.blanks()?;
                form::COMMA
            }
            b' ' => {
                while self.one_of(b" ").is_some() {}
                form::BLANK
            }
            _ => form::COLON,
        })
    }

    /// A time of day: `hh:mm[:ss[.fff]]`, of twelve hours or 24; behind a date without marks `hhmmss` as well.
    fn clock(&mut self, compact: bool) -> Option<Clock> {
        let from = self.at;
        let digits = self.digits();
        let number = |reader: &Self, from: usize| {
            let digits = reader.text.get(from..reader.at)?.iter().take(8);
            Some(digits.fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')))
        };
        let first = number(self, from)?;
        let (hour, minute, second, mut forms) = match digits {
            6 if compact => (first / 10_000, first / 100 % 100, first % 100, form::COMPACT),
            1 | 2 => {
                self.one_of(b":")?;
                let minute = self.number(2..=2)?;
                if self.one_of(b":").is_some() {
                    (first, minute, self.number(2..=2)?, form::SECONDS)
                } else {
                    (first, minute, 0, form::MINUTES)
                }
            }
            _ => return None,
        };
        if minute > 59 || second > 59 {
            return None;
        }
        if forms != form::MINUTES
            && let Some(point) = self.one_of(b".,")
        {
            let count = self.digits();
            if count == 0 {
                return None;
            }
            forms = match forms {
                form::SECONDS => form::FRACTION,
                other => other | form::IRREGULAR,
            };
            forms |= if count > 6 { form::FINE } else { 0 };
            forms |= if point == b',' { form::IRREGULAR } else { 0 };
        }
        let before = self.at;
        let blank = self.one_of(b" ").is_some();
        let half = self.one_of(b"AaPp").is_some() && self.one_of(b"Mm").is_some();
        if half && !self.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
            let forms = match forms & form::TIMES {
                form::MINUTES if blank => form::MINUTES_12,
                form::SECONDS if blank => form::SECONDS_12,
                _ => form::SECONDS_12 | form::IRREGULAR,
            };
            return (1..=12).contains(&hour).then_some(Clock { forms, twelve: true });
        }
        self.at = before;
        (hour <= 23).then_some(Clock { forms, twelve: false })
    }

    /// A zone, or none. Where a year comes after it, it may be left out as well.
    fn zone(&mut self, year_follows: bool) -> Option<Forms> {
        let before = self.at;
        let blank = self.blanks().is_some();
        let next = self.peek();
        if next.is_none() || year_follows && next.is_some_and(|byte| byte.is_ascii_digit()) {
            self.at = before;
            return Some(form::NO_ZONE);
        }
        if let Some(sign) = self.one_of(b"+-") {
            debug_assert!(sign == b'+' || sign == b'-');
            let from = self.at;
            let hours = self.number(2..=4)?;
            let width = self.at - from;
            let (hours, minutes, forms) = match width {
                2 if self.one_of(b":").is_some() => {
                    (hours, self.number(2..=2)?, form::OFFSET_COLON)
                }
                2 => (hours, 0, form::OTHER_ZONE),
                4 => (hours / 100, hours % 100, form::OFFSET),
                _ => return None,
            };
            let blank = if blank { form::BLANK_OFFSET } else { 0 };
            return (hours <= 23 && minutes <= 59).then_some(forms | blank);
        }
        let letters = self.rest().iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = self.rest().get(..letters)?;
        let forms = match word {
            b"Z" | b"z" if !blank => form::ZULU,
            b"UTC" | b"GMT" if blank => form::UTC,
            b"AM" | b"PM" => return None,
            _ if (1..=5).contains(&letters) && word.iter().all(u8::is_ascii_uppercase) => {
                form::OTHER_ZONE
            }
            _ => return None,
        };
        self.at += letters;
        Some(forms)
    }
}

#[cfg(test)]
mod tests;
