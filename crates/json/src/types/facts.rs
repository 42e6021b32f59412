//! What is known of a column's values: facts that join, and the type that follows from them.
//!
//! Facts are a set of bits, a few counts and the first position of each. Joining two sets of facts is
//! a union, a sum and a minimum: associative, commutative, the same in any grouping. So the type of a
//! column does not depend on which thread saw which record.

use distil_plan::{Result, TimeUnit, Type};

use crate::message::{MessageReader, MessageWriter, broken};
use crate::parse::tape::{Kind, Node};
use crate::types::spelled::Respelled;
use crate::types::survey::Survey;
use crate::types::text_order::TextOrder;
use crate::values::decimal::Decimal;
use crate::values::time::Instant;

/// A set of facts.
pub(crate) type Bits = u16;

/// The facts that inference needs.
pub(crate) mod fact {
    use super::Bits;

    pub(crate) const NULL: Bits = 1 << 0;
    pub(crate) const BOOLEAN: Bits = 1 << 1;
    /// An integer within 64 bits.
    pub(crate) const INTEGER: Bits = 1 << 2;
    /// An integer beyond 64 bits, of at most 38 digits.
    pub(crate) const BIG: Bits = 1 << 3;
    /// An integer of more digits.
    pub(crate) const HUGE: Bits = 1 << 4;
    /// A number with a fraction or an exponent.
    pub(crate) const FRACTION: Bits = 1 << 5;
    /// A number that differs from the shortest text of its nearest double.
    pub(crate) const INEXACT: Bits = 1 << 6;
    /// An instant of the fixed form with 0, 3 or 6 digits.
    pub(crate) const SECONDS: Bits = 1 << 7;
    pub(crate) const MILLIS: Bits = 1 << 8;
    pub(crate) const MICROS: Bits = 1 << 9;
    /// Any other string.
    pub(crate) const TEXT: Bits = 1 << 10;
    pub(crate) const LIST: Bits = 1 << 11;
    pub(crate) const OBJECT: Bits = 1 << 12;
    /// An object with at least one member.
    pub(crate) const MEMBERS: Bits = 1 << 13;

    pub(crate) const COUNT: usize = 14;
    pub(crate) const NUMBERS: Bits = INTEGER | BIG | HUGE | FRACTION | INEXACT;
    pub(crate) const STRINGS: Bits = SECONDS | MILLIS | MICROS | TEXT;
}

/// Where a record begins, and where in it something stands. Positions order as the inputs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Ordinal of the input.
    pub input: u32,
    /// Offset of the record.
    pub offset: u64,
    /// Ordinal in the record.
    pub ordinal: u32,
}

impl Position {
    /// Whether it lies in a record after a place, by input and offset.
    pub(crate) fn is_behind(self, place: (usize, u64)) -> bool {
        (self.input as usize, self.offset) > place
    }

    fn write(self, message: &mut MessageWriter) {
        message.number(u64::from(self.input));
        message.number(self.offset);
        message.number(u64::from(self.ordinal));
    }

    fn read(message: &mut MessageReader<'_>) -> Result<Self> {
        Ok(Self { input: message.small()?, offset: message.number()?, ordinal: message.small()? })
    }
}

/// The earlier of two positions, where there are two.
pub(crate) fn earlier(a: Option<Position>, b: Option<Position>) -> Option<Position> {
    a.into_iter().chain(b).min()
}

pub(crate) fn write_place(position: Option<Position>, message: &mut MessageWriter) {
    message.flag(position.is_some());
    if let Some(position) = position {
        position.write(message);
    }
}

pub(crate) fn read_place(message: &mut MessageReader<'_>) -> Result<Option<Position>> {
    message.flag()?.then(|| Position::read(message)).transpose()
}

/// How many digits the numbers of a column have at most, before the point and after it: of their values,
/// not of their texts, and more than any decimal has are [`Digits::MANY`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digits {
    pub(crate) whole: u8,
    pub(crate) scale: u8,
}

impl Digits {
    /// More than 38.
    pub(crate) const MANY: u8 = 39;

    /// So many digits before and after the point, if they are at most [`Digits::MANY`].
    pub(crate) fn of(whole: usize, scale: usize) -> Self {
        let many = usize::from(Self::MANY);
        Self { whole: whole.min(many) as u8, scale: scale.min(many) as u8 }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.whole = self.whole.max(other.whole);
        self.scale = self.scale.max(other.scale);
    }

    /// Whether a number of these digits adds nothing to those of `known`.
    pub(crate) fn is_within(self, known: Self) -> bool {
        self.whole <= known.whole && self.scale <= known.scale
    }

    /// The decimal that holds all such numbers. Its scale grows by threes, so that few new digits change
    /// the type of a column.
    fn decimal(self) -> Option<Type> {
        let scale = self.scale.next_multiple_of(3);
        let fits = scale <= 36 && self.whole + scale <= 38;
        fits.then_some(Type::Decimal { precision: 38, scale })
    }
}

/// The kinds of values that are counted, and what each is called: one, several, and as a type.
pub(crate) const KINDS: [(Bits, &str, &str); 5] = [
    (fact::BOOLEAN, "a boolean", "booleans"),
    (fact::NUMBERS, "a number", "numbers"),
    (fact::STRINGS, "a string", "strings"),
    (fact::LIST, "a list", "lists"),
    (fact::OBJECT, "an object", "objects"),
];

/// The ordinal of a kind in [`KINDS`]; a null has none.
pub(crate) fn kind_of(bits: Bits) -> Option<usize> {
    KINDS.iter().position(|(mask, ..)| bits & mask != 0)
}

/// All facts of one column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) bits: Bits,
    first: [Option<Position>; fact::COUNT],
    /// How many values of each of [`KINDS`] accepted records have.
    pub(crate) counts: [u64; KINDS.len()],
    /// Of its numbers.
    pub(crate) digits: Digits,
    /// Of a key or order column.
    pub(crate) text_order: TextOrder,
    pub(crate) respelled: Respelled,
    /// What values are by their number, of a decoder that surveys. It stays in its process.
    pub(crate) survey: Option<Box<Survey>>,
}

impl Facts {
    /// Bytes in a message at least: bits, counts, digits, the order as text, and what was respelled.
    pub(crate) const LEAST_BYTES: usize =
        8 + 8 * KINDS.len() + 2 + TextOrder::LEAST_BYTES + Respelled::LEAST_BYTES;

    /// Adds facts found at a position. Positions must not decrease from call to call.
    pub(crate) fn note(&mut self, bits: Bits, position: Position) {
        let fresh = bits & !self.bits;
        if fresh != 0 {
            self.bits |= fresh;
            for (bit, first) in self.first.iter_mut().enumerate() {
                if fresh & 1 << bit != 0 {
                    *first = Some(position);
                }
            }
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        self.bits |= other.bits;
        for (mine, other) in self.first.iter_mut().zip(&other.first) {
            *mine = earlier(*mine, *other);
        }
        for (mine, other) in self.counts.iter_mut().zip(other.counts) {
            *mine += other;
        }
        self.digits.join(other.digits);
        self.text_order.join(&other.text_order);
        self.respelled.join(&other.respelled);
        if let Some(survey) = &other.survey {
            self.survey.get_or_insert_default().join(survey);
        }
    }

    /// Forgets what was first found after a place.
    pub(crate) fn forget_behind(&mut self, place: (usize, u64)) {
        for (bit, first) in self.first.iter_mut().enumerate() {
            if first.is_some_and(|position| position.is_behind(place)) {
                *first = None;
                self.bits &= !(1 << bit);
            }
        }
        self.respelled.forget_behind(place);
    }

    pub(crate) fn write(&self, message: &mut MessageWriter) {
        message.number(u64::from(self.bits));
        self.first.iter().flatten().for_each(|position| position.write(message));
        self.counts.iter().for_each(|count| message.number(*count));
        message.byte(self.digits.whole);
        message.byte(self.digits.scale);
        self.text_order.write(message);
        self.respelled.write(message);
    }

    pub(crate) fn read(message: &mut MessageReader<'_>) -> Result<Self> {
        let bits: Bits = message.small()?;
        if bits >> fact::COUNT != 0 {
            return Err(broken());
        }
        let mut first = [None; fact::COUNT];
        for (bit, position) in first.iter_mut().enumerate() {
            if bits & 1 << bit != 0 {
                *position = Some(Position::read(message)?);
            }
        }
        let mut counts = [0; KINDS.len()];
        for count in &mut counts {
            *count = message.number()?;
        }
        let digits = Digits { whole: message.byte()?, scale: message.byte()? };
        if digits.whole > Digits::MANY || digits.scale > Digits::MANY {
            return Err(broken());
        }
        let text_order = TextOrder::read(message)?;
        let respelled = Respelled::read(message)?;
        Ok(Self { bits, first, counts, digits, text_order, respelled, survey: None })
    }

    /// Where the column was first named, if it was.
    pub(crate) fn appeared(&self) -> Option<Position> {
        self.first.iter().flatten().min().copied()
    }

    /// Where the first of these facts was found.
    pub(crate) fn position(&self, bits: Bits) -> Option<Position> {
        let of =
            |(bit, first): (usize, &Option<Position>)| (bits & 1 << bit != 0).then_some(*first)?;
        self.first.iter().enumerate().filter_map(of).min()
    }

    /// The type of a column without members or elements, or what kind of column it is.
    pub(crate) fn verdict(&self) -> Verdict {
        let values = self.bits & !fact::NULL;
        let within = |mask: Bits| values & !mask == 0;
        if values == 0 {
            Verdict::Unknown
        } else if within(fact::BOOLEAN) {
            Verdict::Scalar(Type::Boolean)
        } else if within(fact::LIST) {
            Verdict::List
        } else if within(fact::OBJECT | fact::MEMBERS) {
            if values & fact::MEMBERS != 0 { Verdict::Struct } else { Verdict::Json }
        } else if within(fact::NUMBERS) {
            if values & fact::FRACTION != 0 {
                if values & fact::INEXACT != 0 {
                    self.digits.decimal().map_or(Verdict::Json, Verdict::Scalar)
                } else {
                    Verdict::Scalar(Type::Float64)
                }
            } else if values & fact::HUGE != 0 {
                Verdict::Json
            } else if values & fact::BIG != 0 {
                Verdict::Scalar(Type::Decimal { precision: 38, scale: 0 })
            } else {
                Verdict::Scalar(Type::Int64)
            }
        } else if within(fact::STRINGS) {
            Verdict::Scalar(match values {
                fact::SECONDS | fact::MILLIS => Type::Timestamp(TimeUnit::Millis),
                fact::MICROS => Type::Timestamp(TimeUnit::Micros),
                _ => Type::String,
            })
        } else {
            Verdict::Json
        }
    }
}

/// What the facts of a column make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No value says.
    Unknown,
    Scalar(Type),
    List,
    Struct,
    Json,
}

/// The facts of a number, and its digits.
pub(crate) fn number_facts(node: &Node, bytes: &[u8]) -> (Bits, Digits) {
    let text = node.text(bytes);
    // At most 15 digits survive a double.
    match node.kind {
        Kind::Integer if text.len() <= 15 => return (fact::INTEGER, short_digits(text)),
        Kind::Fraction if text.len() <= 16 && !text.iter().any(|byte| byte | 0x20 == b'e') => {
            return (fact::FRACTION, short_digits(text));
        }
        _ => {}
    }
    let number = Decimal::parse(text).unwrap_or(Decimal::ZERO);
    let exponent = number.exponent();
    let scale = number.digit_count() as i64 - exponent;
    let digits = Digits::of(exponent.max(1) as usize, scale.max(0) as usize);
    let inexact = if number.is_exact_f64() { 0 } else { fact::INEXACT };
    if node.kind == Kind::Fraction {
        return (fact::FRACTION | inexact, digits);
    }
    let integer = if number.to_i64().is_some() {
        fact::INTEGER
    } else if exponent <= 38 {
        fact::BIG
    } else {
        fact::HUGE
    };
    (inexact | integer, digits)
}

/// The digits of a number without an exponent.
pub(crate) fn short_digits(text: &[u8]) -> Digits {
    let sign = usize::from(text.first() == Some(&b'-'));
    match text.iter().position(|byte| *byte == b'.') {
        None => Digits::of(text.len() - sign, 0),
        Some(point) => {
            let fraction = text.get(point + 1..).unwrap_or_default();
            let scale =
                fraction.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
            Digits::of(point - sign, scale)
        }
    }
}

/// The facts of a string of the given text, and whether it is an instant by RFC 3339.
pub(crate) fn string_facts(text: &[u8]) -> (Bits, bool) {
    // The shortest instant has 20 bytes.
    if text.len() < 20 {
        return (fact::TEXT, false);
    }
    let instant = Instant::parse(text);
    let bits = match instant.as_ref().and_then(Instant::fixed_form) {
        Some(0) => fact::SECONDS,
        Some(3) => fact::MILLIS,
        Some(_) => fact::MICROS,
        None => fact::TEXT,
    };
    (bits, instant.is_some())
}
