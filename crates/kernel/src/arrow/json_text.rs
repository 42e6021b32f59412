//! Values of columns as JSON text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_json::decimal::{Decimal, Scratch};
use distil_json::{format_date, format_instant, write_string};

use super::values::{Member, Value, instant};

/// Writes the members of a row that are not null, in the given order. Numbers keep all digits, instants
/// are RFC 3339, binary is base64; NaN and infinities, which JSON does not have, are strings.
pub(crate) fn write_object<'a>(
    members: impl Iterator<Item = &'a Member>,
    row: usize,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    let mut first = true;
    for Member { name, column } in members {
        let value = column.value(row);
        if matches!(value, Value::Null) {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        write_string(name.as_bytes(), out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

fn write(value: Value<'_>, out: &mut Vec<u8>) {
    let scratch = &mut Scratch::new();
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Value::Int(value) => Decimal::from_i64(value, scratch).write_canonical(out),
        Value::UInt(value) => Decimal::from_u64(value, scratch).write_canonical(out),
        Value::Decimal(value, scale) => {
            Decimal::from_i128(value, scale, scratch).write_canonical(out);
        }
        Value::Float32(value) => match Decimal::from_f32(value, scratch) {
            Some(number) => number.write_canonical(out),
            None => write_string(value.to_string().as_bytes(), out),
        },
        Value::Float64(value) => match Decimal::from_f64(value, scratch) {
            Some(number) => number.write_canonical(out),
            None => write_string(value.to_string().as_bytes(), out),
        },
        Value::String(text) => write_string(text.as_bytes(), out),
        Value::Json(text) => out.extend_from_slice(text.as_bytes()),
        Value::Binary(bytes) => write_string(STANDARD.encode(bytes).as_bytes(), out),
        Value::Date(days) => {
            out.push(b'"');
            format_date(days, out);
            out.push(b'"');
        }
        Value::Timestamp(count, nanoseconds) => {
            let (count, unit) = instant(count, nanoseconds);
            out.push(b'"');
            format_instant(count, unit, unit.digits(), out);
            out.push(b'"');
        }
        Value::List(elements, range) => {
            out.push(b'[');
            for (nth, at) in range.enumerate() {
                if nth > 0 {
                    out.push(b',');
                }
                write(elements.value(at), out);
            }
            out.push(b']');
        }
        Value::Object(members, row) => write_object(members.iter(), row, out),
    }
}
