//! Values of declared types: exact, or none (`docs/semantics.md` 2.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use distil_plan::{EpochUnit, TimeUnit, Type};

use crate::parse::tape::{Kind, Node, number};
use crate::rows::value::{name_text, scalar};
use crate::values::decimal::{Decimal, Scratch};
use crate::values::encoding::{self, Flip};
use crate::values::instant_text::InstantReader;
use crate::values::time::{Instant, in_years, parse_date};

/// A value that does not fit its declared type.
pub(crate) struct DoesNotFit;

/// What became of a value.
pub(crate) struct Converted {
    pub(crate) rounded: bool,
    /// Whether it has another spelling than its type, for exactly the same value.
    pub(crate) respelled: bool,
    /// Its bytes as a value: a function of the value, not of how the record spells it.
    pub(crate) value_bytes: u64,
}

/// How the values of a column are read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) data_type: &'a Type,
    /// Reads instants whose form the plan gives.
    pub(crate) instants: Option<&'a InstantReader>,
    /// Whether values must be spelled as their type is.
    pub(crate) strict: bool,
}

/// Appends the encoding of a scalar that is not null as a declared scalar type other than `json`.
pub(crate) fn declared(
    reading: Reading<'_>,
    node: &Node,
    bytes: &[u8],
    out: &mut Vec<u8>,
    flip: Flip,
    text: &mut Vec<u8>,
) -> Result<Converted, DoesNotFit> {
    let mut converted = Converted { rounded: false, respelled: false, value_bytes: 8 };
    match (reading.data_type, node.kind) {
        (Type::Boolean, Kind::False | Kind::True) | (Type::String, Kind::String) => {
            converted.value_bytes = scalar(node, bytes, out, flip, text);
        }
        (Type::Binary, Kind::String) => {
            name_text(node, bytes, text);
            let binary = STANDARD.decode(&text).map_err(|_| DoesNotFit)?;
            encoding::binary(out, &binary, flip);
            converted.value_bytes = binary.len() as u64;
        }
        (Type::Timestamp(unit), Kind::String) => {
            name_text(node, bytes, text);
            let instant = match Instant::parse(text) {
                Some(instant) => instant,
                None if reading.strict => return Err(DoesNotFit),
                None => {
                    converted.respelled = true;
                    Instant::parse_any(text).ok_or(DoesNotFit)?
                }
            };
            encoding::timestamp(out, instant.count(*unit).ok_or(DoesNotFit)?, flip);
        }
        (Type::TimestampText(_), Kind::String) => {
            name_text(node, bytes, text);
            let count = reading.instants.and_then(|instants| instants.count(text));
            encoding::timestamp(out, count.ok_or(DoesNotFit)?, flip);
        }
        (Type::Date, Kind::String) => {
            name_text(node, bytes, text);
            encoding::date(out, parse_date(text).ok_or(DoesNotFit)?, flip);
        }
        (Type::Epoch(unit), Kind::Fraction) => {
            let number = Decimal::parse(node.text(bytes)).map_err(|_| DoesNotFit)?;
            converted.respelled = !number.is_integral();
            if converted.respelled && reading.strict {
                return Err(DoesNotFit);
            }
            encoding::timestamp(out, epoch(*unit, &number).ok_or(DoesNotFit)?, flip);
        }
        (data_type, Kind::Integer | Kind::Fraction) if *data_type != Type::String => {
            let number = Decimal::parse(node.text(bytes)).map_err(|_| DoesNotFit)?;
            converted.rounded = from_number(data_type, &number, out, flip)?;
        }
        _ if reading.strict => return Err(DoesNotFit),
        (Type::String, _) => {
            let spelled = match node.kind {
                Kind::False => b"false",
                Kind::True => &b"true"[..],
                _ => canonical(node.text(bytes), text).ok_or(DoesNotFit)?,
            };
            encoding::plain_string(out, spelled, flip);
            converted.respelled = true;
            converted.value_bytes = spelled.len() as u64;
        }
        (Type::Boolean, Kind::String) => {
            name_text(node, bytes, text);
            let value = match text.as_slice() {
                b"false" => false,
                b"true" => true,
                _ => return Err(DoesNotFit),
            };
            encoding::boolean(out, value, flip);
            converted.respelled = true;
            converted.value_bytes = 1;
        }
        (data_type, Kind::String) => {
            name_text(node, bytes, text);
            let number = number_text(text).ok_or(DoesNotFit)?;
            converted.rounded = from_number(data_type, &number, out, flip)?;
            converted.respelled = true;
        }
        _ => return Err(DoesNotFit),
    }
    Ok(converted)
}

/// The number that a string is the JSON spelling of.
fn number_text(text: &[u8]) -> Option<Decimal<'_>> {
    let is_begun = matches!(text.first(), Some(b'-' | b'0'..=b'9'));
    let whole = is_begun && number(text, 0).is_ok_and(|(end, _)| end == text.len());
    Decimal::parse(text).ok().filter(|_| whole)
}

/// The text of a number, if it is the canonical one: `1.10` is not, since `1.1` would be the same string.
fn canonical<'a>(spelled: &'a [u8], text: &mut Vec<u8>) -> Option<&'a [u8]> {
    text.clear();
    Decimal::parse(spelled).ok()?.write_canonical(text);
    (text == spelled).then_some(spelled)
}

/// Appends a number; returns whether it was rounded.
fn from_number(
    data_type: &Type,
    number: &Decimal<'_>,
    out: &mut Vec<u8>,
    flip: Flip,
) -> Result<bool, DoesNotFit> {
    let within = |low: i64, high: i64| {
        number.to_i64().filter(|value| (low..=high).contains(value)).ok_or(DoesNotFit).map(|_| ())
    };
    match data_type {
        Type::Int8 => within(i8::MIN.into(), i8::MAX.into())?,
        Type::Int16 => within(i16::MIN.into(), i16::MAX.into())?,
        Type::Int32 => within(i32::MIN.into(), i32::MAX.into())?,
        Type::Int64 => within(i64::MIN, i64::MAX)?,
        Type::Decimal { precision, scale } => {
            let whole = i64::from(precision - scale);
            let behind = number.digit_count() as i64 - number.exponent();
            if number.exponent() > whole || behind > i64::from(*scale) {
                return Err(DoesNotFit);
            }
        }
        Type::Float64 | Type::Float32 => {
            let mut scratch = Scratch::new();
            let nearest = match data_type {
                Type::Float64 => Decimal::from_f64(number.to_f64(), &mut scratch),
                _ => Decimal::from_f32(number.to_f32(), &mut scratch),
            }
            .ok_or(DoesNotFit)?;
            encoding::number(out, &nearest, flip);
            return Ok(nearest.cmp(number).is_ne());
        }
        Type::Epoch(unit) => {
            encoding::timestamp(out, epoch(*unit, number).ok_or(DoesNotFit)?, flip);
            return Ok(false);
        }
        _ => return Err(DoesNotFit),
    }
    encoding::number(out, number, flip);
    Ok(false)
}

/// Units of the column, if it holds the instant exactly.
fn epoch(unit: EpochUnit, number: &Decimal<'_>) -> Option<i64> {
    let scale = if unit == EpochUnit::Seconds { 3 } else { 0 };
    let count = i64::try_from(number.to_scaled_i128(scale)?).ok()?;
    let column: TimeUnit = unit.column_unit();
    in_years(count, column).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tape::Tape;

    #[test]
    fn equal_values_count_equal_bytes_however_they_are_spelled() {
        for (data_type, spellings, expected) in [
            ("string", &[r#""Aé""#, r#""\u0041\u00e9""#][..], 3),
            ("string", &["10", r#""1\u0030""#], 2),
            ("int64", &["10", r#""1\u0030""#], 8),
            ("epoch(s)", &["1.5", r#""15e-1""#], 8),
            ("binary", &[r#""AAEC""#, r#""\u0041AEC""#], 3),
            (
                "timestamp(ms)",
                &[r#""2024-01-01T00:00:00Z""#, r#""2024-01-01T01:00:00.000+01:00""#],
                8,
            ),
            ("date", &[r#""2024-01-01""#, r#""2024\u002d01-01""#], 8),
            ("float64", &["1e2", "100.00"], 8),
            ("boolean", &["true", "\"true\""], 1),
        ] {
            let encodings: Vec<Vec<u8>> = (spellings.iter())
                .map(|text| {
                    let mut tape = Tape::default();
                    tape.parse_frame(text.as_bytes(), 0, text.len()).unwrap();
                    let mut out = Vec::new();
                    let data_type = &data_type.parse().unwrap();
                    let converted = declared(
                        Reading { data_type, instants: None, strict: false },
                        &tape.nodes()[0],
                        text.as_bytes(),
                        &mut out,
                        Flip::ASC,
                        &mut Vec::new(),
                    );
                    assert_eq!(converted.ok().unwrap().value_bytes, expected, "{text}");
                    out
                })
                .collect();
            assert_eq!(encodings[0], encodings[1]);
        }
    }
}
