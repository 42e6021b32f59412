//! Comparison of values (3.3).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use distil_plan::Direction;

use super::json::Value;

/// Compares two values in a direction; null is last in both.
pub fn compare(a: &Value, b: &Value, direction: Direction) -> Ordering {
    let turn = |order: Ordering| match direction {
        Direction::Asc => order,
        Direction::Desc => order.reverse(),
    };
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => (a == &Value::Null).cmp(&(b == &Value::Null)),
        (Value::Bool(a), Value::Bool(b)) => turn(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => turn(a.cmp_exact(b)),
        (Value::String(a), Value::String(b)) => turn(a.as_bytes().cmp(b.as_bytes())),
        (Value::Instant(a), Value::Instant(b)) => turn(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => turn(a.cmp(b)),
        (Value::Binary(a), Value::Binary(b)) => turn(a.cmp(b)),
        (Value::List(x), Value::List(y)) => x
            .iter()
            .zip(y)
            .map(|(a, b)| compare(a, b, direction))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| turn(x.len().cmp(&y.len()))),
        (Value::Object(x), Value::Object(y)) => {
            let names: BTreeSet<&str> = x.iter().chain(y).map(|(name, _)| name.as_str()).collect();
            names
                .into_iter()
                .map(|name| compare(a.member(name), b.member(name), direction))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        }
        _ => turn(kind(a).cmp(&kind(b))),
    }
}

/// The rank of a kind. Declared values never meet another kind than null in their column.
fn kind(value: &Value) -> u8 {
    match value {
        Value::Bool(_) => 0,
        Value::Number(_) => 1,
        Value::String(_) | Value::Instant(_) | Value::Date(_) | Value::Binary(_) => 2,
        Value::List(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::parse;
    use super::*;

    fn check(order: &[&str], direction: Direction) {
        let values: Vec<Value> =
            order.iter().map(|text| parse(text.as_bytes()).unwrap().value).collect();
        for (at, a) in values.iter().enumerate() {
            for (other, b) in values.iter().enumerate() {
                assert_eq!(compare(a, b, direction), at.cmp(&other), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn kinds_stand_in_the_order_of_the_contract() {
        check(
            &[
                "false",
                "true",
                "-1",
                "0",
                "9",
                "10",
                "1e400",
                "\"\"",
                "\"10\"",
                "\"9\"",
                "\"\u{ffff}\"",
                "\"\u{10000}\"",
                "[]",
                "[1]",
                "[1,2]",
                "[2]",
                "[null]",
                "{\"a\":1,\"b\":1}",
                "{\"a\":1}",
                "{\"a\":2}",
                "{\"b\":1}",
                "{}",
                "null",
            ],
            Direction::Asc,
        );
    }

    #[test]
    fn reversed_turns_everything_round_but_nulls_and_the_walk() {
        check(
            &[
                "{\"a\":2}",
                "{\"a\":1,\"b\":1}",
                "{\"a\":1}",
                "{\"b\":1}",
                "{}",
                "[2]",
                "[1,2]",
                "[1]",
                "[null]",
                "[]",
                "\"9\"",
                "\"10\"",
                "10",
                "9",
                "true",
                "false",
                "null",
            ],
            Direction::Desc,
        );
    }

    #[test]
    fn a_null_member_is_a_missing_one() {
        let value = |text: &str| parse(text.as_bytes()).unwrap().value;
        let (a, b) = (value("{\"a\":null,\"b\":[0.0]}"), value("{\"b\":[-0]}"));
        assert_eq!(compare(&a, &b, Direction::Asc), Ordering::Equal);
    }
}
