//! Values of declared types: exact, or none (`docs/semantics.md` 2.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use distil_plan::{EpochUnit, TimeUnit, Type};

use crate::decimal::{Decimal, Scratch};
use crate::encode::{self, Flip};
use crate::tape::{Kind, Node};
use crate::time::{Instant, in_years, parse_date};
use crate::value::{name_text, scalar};

/// A value that does not fit its declared type.
pub(crate) struct DoesNotFit;

/// Appends the encoding of a scalar that is not null as a declared scalar type other than `json`;
/// returns whether it was rounded.
pub(crate) fn declared(
    data_type: &Type,
    node: &Node,
    bytes: &[u8],
    out: &mut Vec<u8>,
    flip: Flip,
    text: &mut Vec<u8>,
) -> Result<bool, DoesNotFit> {
    match (data_type, node.kind) {
        (Type::Boolean, Kind::False | Kind::True) => {
            encode::boolean(out, node.kind == Kind::True, flip);
        }
        (Type::String, Kind::String) => {
            scalar(node, bytes, out, flip, text);
        }
        (Type::Timestamp(_) | Type::Date | Type::Binary, Kind::String) => {
            name_text(node, bytes, text);
            from_text(data_type, text, out, flip)?;
        }
        (_, Kind::Integer | Kind::Fraction) => {
            let number = Decimal::parse(node.text(bytes)).map_err(|_| DoesNotFit)?;
            return from_number(data_type, &number, out, flip);
        }
        _ => return Err(DoesNotFit),
    }
    Ok(false)
}

fn from_text(
    data_type: &Type,
    text: &[u8],
    out: &mut Vec<u8>,
    flip: Flip,
) -> Result<(), DoesNotFit> {
    match data_type {
        Type::Timestamp(unit) => {
            let instant = Instant::parse(text).ok_or(DoesNotFit)?;
            encode::timestamp(out, instant.count(*unit).ok_or(DoesNotFit)?, flip);
        }
        Type::Date => encode::date(out, parse_date(text).ok_or(DoesNotFit)?, flip),
        _ => encode::binary(out, &STANDARD.decode(text).map_err(|_| DoesNotFit)?, flip),
    }
    Ok(())
}

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
            encode::number(out, &nearest, flip);
            return Ok(nearest.cmp(number).is_ne());
        }
        Type::Epoch(unit) => {
            encode::timestamp(out, epoch(*unit, number).ok_or(DoesNotFit)?, flip);
            return Ok(false);
        }
        _ => return Err(DoesNotFit),
    }
    encode::number(out, number, flip);
    Ok(false)
}

fn epoch(unit: EpochUnit, number: &Decimal<'_>) -> Option<i64> {
    let count = number.to_i64()?;
    let count = if unit == EpochUnit::Seconds { count.checked_mul(1000)? } else { count };
    let column: TimeUnit = unit.column_unit();
    in_years(count, column).then_some(count)
}
