//! Canonical JSON text (2.4), of values and of rows (4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_plan::{Field, TimeUnit, Type};

use super::json::{Decimal, Value};
use super::time::{date_text, instant_text, rfc3339};

/// The canonical text of a JSON value.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => number(n),
        Value::String(s) => string(s),
        Value::List(elements) => {
            format!("[{}]", elements.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().filter(|(_, v)| v != &Value::Null).collect();
            members.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            let members: Vec<_> =
                members.iter().map(|(n, v)| format!("{}:{}", string(n), canonical(v))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Instant(_) | Value::Date(_) | Value::Binary(_) => {
            panic!("the text of a declared value depends on its type")
        }
    }
}

/// A record as a row of these columns, every value by its type.
pub fn row_image(fields: &[Field], record: &Value) -> String {
    canonical(&plain(&Type::Struct(fields.to_vec()), record))
}

/// The JSON value that shows a value of a column.
fn plain(data_type: &Type, value: &Value) -> Value {
    let digits = |unit: &TimeUnit| unit.digits() as usize;
    match (data_type, value) {
        (Type::Timestamp(unit), Value::Instant(at)) => {
            Value::String(instant_text(*at, digits(unit)))
        }
        (Type::Timestamp(unit), Value::String(text)) => {
            let at = rfc3339(text).unwrap().nanos;
            Value::String(instant_text(at, digits(unit)))
        }
        (_, Value::Date(days)) => Value::String(date_text(*days)),
        (_, Value::Binary(bytes)) => Value::String(STANDARD.encode(bytes)),
        (Type::List(element), Value::List(values)) => {
            Value::List(values.iter().map(|v| plain(element, v)).collect())
        }
        (Type::Struct(fields), Value::Object(_)) => Value::Object(
            fields
                .iter()
                .map(|f| (f.name.clone(), plain(&f.data_type, value.member(&f.name))))
                .collect(),
        ),
        (_, other) => other.clone(),
    }
}

fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            c if c < ' ' => out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out + "\""
}

fn number(value: &Decimal) -> String {
    let (d, k, n) = (&value.digits, value.exponent, value.digits.len() as i64);
    let sign = if value.negative { "-" } else { "" };
    let zeros = |count: i64| "0".repeat(count as usize);
    if d.is_empty() {
        return "0".into();
    }
    let text = if n <= k && k <= n + 20 {
        format!("{d}{}", zeros(k - n))
    } else if 0 < k && k < n {
        format!("{}.{}", &d[..k as usize], &d[k as usize..])
    } else if -6 < k && k <= 0 {
        format!("0.{}{d}", zeros(-k))
    } else if n == 1 {
        format!("{d}e{}", k - 1)
    } else {
        format!("{}.{}e{}", &d[..1], &d[1..], k - 1)
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::super::json::parse;
    use super::*;

    fn of(text: &str) -> String {
        canonical(&parse(text.as_bytes()).unwrap().value)
    }

    #[test]
    fn every_number_has_one_spelling() {
        // n = 1: zeros up to k = 21, that is 1e20.
        assert_eq!(of("1e20"), "100000000000000000000");
        assert_eq!(of("1e21"), "1e21");
        assert_eq!(of("12e20"), "1200000000000000000000");
        assert_eq!(of("12e21"), "1.2e22");
        for (text, expected) in [
            ("-0.0", "0"),
            ("1.0", "1"),
            ("100e-2", "1"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("12.50", "12.5"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("-0.00000012", "-1.2e-7"),
            ("5e-324", "5e-324"),
            ("-1E+400", "-1e400"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn members_are_sorted_nulls_left_out_and_strings_escaped_minimally() {
        assert_eq!(
            of(
                " { \"b\" : [ null , {\"x\":null} ] , \"a\" : null, \"\\u0041\" : \"\\/\\u001f\\u007f\\u00e9\\t\" } "
            ),
            "{\"A\":\"/\\u001f\u{7f}é\\t\",\"b\":[null,{}]}"
        );
    }
}
