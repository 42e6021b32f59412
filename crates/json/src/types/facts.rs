//! What is known of a column's values: facts that join, and the type that follows from them.
//!
//! Facts are a set of bits, a few counts and the first position of each. Joining two sets of facts is
//! a union, a sum and a minimum: associative, commutative, the same in any grouping. So the type of a
//! column does not depend on which thread saw which record.

use distil_plan::{Result, TimeUnit, Type};

use crate::message::{MessageReader, MessageWriter, broken};
use crate::parse::tape::{Kind, Node};
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

/// All facts of one column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) bits: Bits,
    first: [Option<Position>; fact::COUNT],
    /// Of a key or order column.
    pub(crate) text_order: TextOrder,
}

impl Facts {
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
        self.text_order.join(&other.text_order);
    }

    /// Forgets what was first found after a place.
    pub(crate) fn forget_behind(&mut self, place: (usize, u64)) {
        for (bit, first) in self.first.iter_mut().enumerate() {
            if first.is_some_and(|position| position.is_behind(place)) {
                *first = None;
                self.bits &= !(1 << bit);
            }
        }
    }

    pub(crate) fn write(&self, message: &mut MessageWriter) {
        message.number(u64::from(self.bits));
        self.first.iter().flatten().for_each(|position| position.write(message));
        self.text_order.write(message);
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
        Ok(Self { bits, first, text_order: TextOrder::read(message)? })
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
                    Verdict::Json
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

/// The facts of a number.
pub(crate) fn number_facts(node: &Node, bytes: &[u8]) -> Bits {
    let text = node.text(bytes);
    // At most 15 digits survive a double.
    match node.kind {
        Kind::Integer if text.len() <= 15 => return fact::INTEGER,
        Kind::Fraction if text.len() <= 16 && !text.iter().any(|byte| byte | 0x20 == b'e') => {
            return fact::FRACTION;
        }
        _ => {}
    }
    let number = Decimal::parse(text).unwrap_or(Decimal::ZERO);
    let inexact = if number.is_exact_f64() { 0 } else { fact::INEXACT };
    if node.kind == Kind::Fraction {
        return fact::FRACTION | inexact;
    }
    inexact
        | if number.to_i64().is_some() {
            fact::INTEGER
        } else if number.exponent() <= 38 {
            fact::BIG
        } else {
            fact::HUGE
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
