//! The digest of rows (6).

use xxhash_rust::xxh3::xxh3_128;

use super::json::{Decimal, Value};

/// The digest of rows as they are written.
pub fn digest(names: &[String], rows: &[Vec<Value>]) -> String {
    let sum = rows.iter().fold(0u128, |sum, row| {
        let members = names.iter().cloned().zip(row.iter().cloned()).collect();
        let mut bytes = Vec::new();
        put(&mut bytes, &Value::Object(members));
        sum.wrapping_add(xxh3_128(&bytes[1..]))
    });
    format!("xxh3-128-sum:{sum:032x}")
}

fn put(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(false) => out.push(1),
        Value::Bool(true) => out.push(2),
        Value::Number(n) => number(out, n),
        Value::String(text) => {
            out.push(4);
            block(out, text.as_bytes());
        }
        Value::List(elements) => {
            out.push(5);
            count(out, elements.len());
            elements.iter().for_each(|element| put(out, element));
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().filter(|(_, v)| v != &Value::Null).collect();
            members.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            out.push(6);
            count(out, members.len());
            for (name, value) in members {
                block(out, name.as_bytes());
                put(out, value);
            }
        }
        Value::Instant(nanos) => {
            out.push(7);
            out.extend(nanos.to_le_bytes());
        }
        Value::Date(days) => {
            out.push(8);
            out.extend(days.to_le_bytes());
        }
        Value::Binary(bytes) => {
            out.push(9);
            block(out, bytes);
        }
    }
}

fn number(out: &mut Vec<u8>, n: &Decimal) {
    out.push(3);
    if n.digits.is_empty() {
        out.push(0);
        return;
    }
    out.push(if n.negative { 2 } else { 1 });
    out.extend(n.exponent.to_le_bytes());
    block(out, n.digits.as_bytes());
}

fn block(out: &mut Vec<u8>, bytes: &[u8]) {
    count(out, bytes.len());
    out.extend(bytes);
}

fn count(out: &mut Vec<u8>, n: usize) {
    out.extend((n as u64).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::json::parse;
    use super::*;

    #[test]
    fn a_row_is_written_byte_by_byte() {
        let value = parse(br#"{"b":[null,true,-12.50],"a":"x","n":null,"z":0}"#).unwrap().value;
        let mut bytes = Vec::new();
        put(&mut bytes, &value);
        let mut expected = vec![6];
        expected.extend(3u64.to_le_bytes());
        expected.extend(1u64.to_le_bytes());
        expected.extend(b"a\x04");
        expected.extend(1u64.to_le_bytes());
        expected.extend(b"x");
        expected.extend(1u64.to_le_bytes());
        expected.extend(b"b\x05");
        expected.extend(3u64.to_le_bytes());
        expected.extend([0, 2, 3, 2]);
        expected.extend(2i64.to_le_bytes());
        expected.extend(3u64.to_le_bytes());
        expected.extend(b"125");
        expected.extend(1u64.to_le_bytes());
        expected.extend(b"z\x03\x00");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn the_order_of_rows_and_columns_has_no_part_in_it() {
        let row = |a: bool, b: i128| vec![Value::Bool(a), Value::Instant(b)];
        let names = ["a".to_owned(), "b".to_owned()];
        let turned: Vec<Vec<Value>> = [row(false, 2), row(true, 1)]
            .into_iter()
            .map(|row| row.into_iter().rev().collect())
            .collect();
        assert_eq!(
            digest(&names, &[row(true, 1), row(false, 2)]),
            digest(&["b".to_owned(), "a".to_owned()], &turned)
        );
        assert_eq!(digest(&names, &[]), format!("xxh3-128-sum:{}", "0".repeat(32)));
    }
}
