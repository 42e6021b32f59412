//! The order of values (`docs/semantics.md` 3.3), ascending: to check what an output promises.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use distil_json::decimal::Decimal;
use serde_json::value::RawValue;

use super::values::{Column, Member, Value};

/// Compares two rows by all their columns in order of the names.
pub fn compare_rows(a: &[Member], row_a: usize, b: &[Member], row_b: usize) -> Ordering {
    let pairs = a.iter().zip(b);
    pairs
        .map(|(a, b)| compare(&a.column.value(row_a), &b.column.value(row_b)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Compares two values of one column; null comes last.
pub fn compare(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::UInt(a), Value::UInt(b)) => a.cmp(b),
        // One column has one scale.
        (Value::Decimal(a, _), Value::Decimal(b, _)) => a.cmp(b),
        (Value::Float32(a), Value::Float32(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
        (Value::Float64(a), Value::Float64(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Json(a), Value::Json(b)) => compare_json(a, b),
        (Value::Binary(a), Value::Binary(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Timestamp(a, unit_a), Value::Timestamp(b, unit_b)) => {
            let nanoseconds = |count: &i64, unit: &i64| i128::from(*count) * i128::from(*unit);
            nanoseconds(a, unit_a).cmp(&nanoseconds(b, unit_b))
        }
        (Value::List(a, range_a), Value::List(b, range_b)) => {
            compare_lists(a, range_a.clone(), b, range_b.clone())
        }
        (Value::Object(a, row_a), Value::Object(b, row_b)) => compare_rows(a, *row_a, b, *row_b),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        // One column has one kind of values.
        _ => Ordering::Equal,
    }
}

fn compare_lists(a: &Column, range_a: Range<usize>, b: &Column, range_b: Range<usize>) -> Ordering {
    let lengths = range_a.len().cmp(&range_b.len());
    range_a
        .zip(range_b)
        .map(|(at_a, at_b)| compare(&a.value(at_a), &b.value(at_b)))
        .find(|order| order.is_ne())
        .unwrap_or(lengths)
}

/// A JSON text, read one level deep.
enum Json<'a> {
    Boolean(bool),
    Number(&'a str),
    String(String),
    List(Vec<&'a RawValue>),
    Object(BTreeMap<String, &'a RawValue>),
    Null,
}

impl<'a> Json<'a> {
    /// Text that is no JSON counts as a string, so that the order stays total.
    fn read(text: &'a str) -> Self {
        match text.as_bytes().first() {
            Some(b't') => Self::Boolean(true),
            Some(b'f') => Self::Boolean(false),
            Some(b'n') => Self::Null,
            Some(b'-' | b'0'..=b'9') => Self::Number(text),
            Some(b'[') => serde_json::from_str(text)
                .map_or_else(|_| Self::String(text.to_owned()), Self::List),
            Some(b'{') => serde_json::from_str(text)
                .map_or_else(|_| Self::String(text.to_owned()), Self::Object),
            _ => Self::String(serde_json::from_str(text).unwrap_or_else(|_| text.to_owned())),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Number(_) => 1,
            Self::String(_) => 2,
            Self::List(_) => 3,
            Self::Object(_) => 4,
            Self::Null => 5,
        }
    }
}

fn compare_json(a: &str, b: &str) -> Ordering {
    match (Json::read(a), Json::read(b)) {
        (Json::Boolean(a), Json::Boolean(b)) => a.cmp(&b),
        (Json::Number(a), Json::Number(b)) => compare_numbers(a, b),
        (Json::String(a), Json::String(b)) => a.cmp(&b),
        (Json::List(a), Json::List(b)) => a
            .iter()
            .zip(&b)
            .map(|(a, b)| compare_json(a.get(), b.get()))
            .find(|order| order.is_ne())
            .unwrap_or(a.len().cmp(&b.len())),
        (Json::Object(a), Json::Object(b)) => compare_objects(&a, &b),
        (a, b) => a.rank().cmp(&b.rank()),
    }
}

/// Over the union of the names: a missing member is a null.
fn compare_objects(a: &BTreeMap<String, &RawValue>, b: &BTreeMap<String, &RawValue>) -> Ordering {
    let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let value = |of: &BTreeMap<String, &RawValue>, name: &String| {
        of.get(name).map_or_else(|| "null".to_owned(), |value| value.get().to_owned())
    };
    names
        .into_iter()
        .map(|name| compare_json(&value(a, name), &value(b, name)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn compare_numbers(a: &str, b: &str) -> Ordering {
    let parse = |text: &str| Decimal::parse(text.as_bytes()).map(|d| Exact::of(&d));
    match (parse(a), parse(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

/// The value of a decimal, so that it orders like the number.
struct Exact {
    negative: bool,
    zero: bool,
    exponent: i64,
    digits: Vec<u8>,
}

impl Exact {
    fn of(decimal: &Decimal<'_>) -> Self {
        let (head, tail) = decimal.digits();
        Self {
            negative: decimal.is_negative(),
            zero: decimal.is_zero(),
            exponent: decimal.exponent(),
            digits: [head, tail].concat(),
        }
    }

    fn sign(&self) -> i8 {
        match (self.zero, self.negative) {
            (true, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        // Digits have no zeros at either end, so a prefix is the smaller size.
        let sizes = (self.exponent, &self.digits).cmp(&(other.exponent, &other.digits));
        match (self.sign(), other.sign()) {
            (1, 1) => sizes,
            (-1, -1) => sizes.reverse(),
            (a, b) => a.cmp(&b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_texts_order_as_values_and_not_as_text() {
        let ascending = [
            "false",
            "true",
            "-1e3",
            "-10",
            "-9.5",
            "-9",
            "0",
            "0.001",
            "9",
            "9.25",
            "10",
            "100",
            "1e30",
            r#""""#,
            r#""10""#,
            r#""9""#,
            r#""é""#,
            "[]",
            "[1]",
            "[1,2]",
            "[1,null]",
            "[2]",
            "[null]",
            r#"{"a":1,"b":1}"#,
            r#"{"a":1}"#,
            r#"{"a":2}"#,
            r#"{"b":1}"#,
            "{}",
            "null",
        ];
        for (at, a) in ascending.iter().enumerate() {
            for (bt, b) in ascending.iter().enumerate() {
                assert_eq!(compare_json(a, b), at.cmp(&bt), "{a} {b}");
            }
        }
    }
}
