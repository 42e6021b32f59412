//! How values are read from JSON, and how they travel through Spark.
//!
//! They travel in forms that every engine orders, compares and stores alike, whatever its settings:
//! integers as `BIGINT`, instants as a `BIGINT` of units, dates as days, bytes in hexadecimal, structs with members `f0`,
//! `f1` ... in the order of the schema. [`crate::restore`] gives them their types back. So no time
//! zone, calendar or Parquet option of the engine touches a value.

use distil_plan::{EpochUnit, Field, Type};

use crate::text::{identifier, literal};

/// How the values of a plan may be spelled, and how the server takes numbers.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    /// A declared type takes more spellings than inference: `1e2` is an integer, an instant may have
    /// any offset.
    pub(crate) is_declared: bool,
    /// Numbers stand in quotes (see [`quoted_numbers`]) and are cast from text.
    pub(crate) is_quoted: bool,
}

/// Puts every number of a JSON text in quotes, for a server whose JSON parser rounds them although
/// its casts do not.
///
/// The pattern takes strings and other text whole, up to a number; the number at the end, which is
/// taken off again, keeps the rest of the text from being searched for one.
pub(crate) fn quoted_numbers(text: &str) -> String {
    let pattern = literal(r#"((?:[^"0-9-]|"(?:[^"\\]|\\.)*")*)(-?[0-9][0-9.eE+-]*)"#);
    format!("regexp_replace(concat({text}, ' 0'), {pattern}, '$1\"$2\"')")
}

/// The type that `from_json` reads a value as.
pub(crate) fn read_type(data_type: &Type, reading: Reading) -> String {
    match data_type {
        Type::Boolean => "BOOLEAN".to_owned(),
        number if is_number(number) => match reading.is_quoted {
            true => "STRING".to_owned(),
            false => number_type(number, reading),
        },
        Type::List(element) => format!("ARRAY<{}>", read_type(element, reading)),
        Type::Struct(fields) => read_struct(fields, reading),
        _ => "STRING".to_owned(),
    }
}

fn is_number(data_type: &Type) -> bool {
    matches!(
        data_type,
        Type::Int8
            | Type::Int16
            | Type::Int32
            | Type::Int64
            | Type::Epoch(_)
            | Type::Decimal { .. }
            | Type::Float32
            | Type::Float64
    )
}

/// The type that holds every spelling of a number.
fn number_type(data_type: &Type, reading: Reading) -> String {
    match data_type {
        Type::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        Type::Float32 => "FLOAT".to_owned(),
        Type::Float64 => "DOUBLE".to_owned(),
        _ if reading.is_declared => "DECIMAL(38,18)".to_owned(),
        _ => "BIGINT".to_owned(),
    }
}

/// A `STRUCT<...>` of columns or members.
pub(crate) fn read_struct(fields: &[Field], reading: Reading) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|f| format!("{}: {}", identifier(&f.name), read_type(&f.data_type, reading)))
        .collect();
    format!("STRUCT<{}>", fields.join(", "))
}

/// A value as it travels; `depth` numbers the variables of lists inside lists.
pub(crate) fn travelling(value: &str, data_type: &Type, reading: Reading, depth: usize) -> String {
    let number = match reading.is_quoted && is_number(data_type) {
        true => format!("CAST({value} AS {})", number_type(data_type, reading)),
        false => value.to_owned(),
    };
    let whole = match reading.is_declared {
        true => format!("CAST({number} AS BIGINT)"),
        false => number.clone(),
    };
    match data_type {
        // Instants in a form of the plan are refused before.
        Type::Boolean | Type::String | Type::Json | Type::JsonText | Type::TimestampText(_) => {
            value.to_owned()
        }
        Type::Decimal { .. } => number,
        Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => whole,
        Type::Epoch(EpochUnit::Seconds) => format!("{whole} * 1000"),
        Type::Epoch(_) => whole,
        // Negative zero is zero, but engines keep it apart in groups or in order.
        Type::Float32 => format!("CASE WHEN {number} = 0 THEN CAST(0 AS FLOAT) ELSE {number} END"),
        Type::Float64 => format!("CASE WHEN {number} = 0 THEN CAST(0 AS DOUBLE) ELSE {number} END"),
        Type::Timestamp(unit) => instant(value, unit.digits(), reading),
        Type::Date => format!("unix_date(CAST({value} AS DATE))"),
        // As hexadecimal digits, which order as the bytes do: not every engine sorts binary.
        Type::Binary => format!("hex(unbase64({value}))"),
        Type::List(element) => {
            let variable = format!("x{depth}");
            let body = travelling(&variable, element, reading, depth + 1);
            if body == variable {
                return value.to_owned();
            }
            format!("transform({value}, {variable} -> {body})")
        }
        Type::Struct(fields) => {
            let members: Vec<String> = fields
                .iter()
                .enumerate()
                .map(|(at, field)| {
                    let member = format!("{value}.{}", identifier(&field.name));
                    let member = travelling(&member, &field.data_type, reading, depth);
                    format!("{}, {member}", literal(&format!("f{at}")))
                })
                .collect();
            let members = members.join(", ");
            format!("CASE WHEN {value} IS NULL THEN NULL ELSE named_struct({members}) END")
        }
    }
}

/// Units since 1970 of an RFC 3339 text. Only whole seconds go through the engine's own timestamps,
/// which hold no more than microseconds and round what is finer.
fn instant(v: &str, digits: u32, reading: Reading) -> String {
    let factor = 10i64.pow(digits);
    let seconds = format!(
        "unix_seconds(CAST(concat(substring({v}, 1, 10), 'T', substring({v}, 12, 8), 'Z') AS TIMESTAMP))"
    );
    match reading.is_declared {
        false => {
            let fraction = format!("substring({v}, 21, length({v}) - 21)");
            let padded = format!("CAST(rpad({fraction}, {digits}, '0') AS BIGINT)");
            let fraction = format!("CASE WHEN length({v}) = 20 THEN 0 ELSE {padded} END");
            format!("{seconds} * {factor} + {fraction}")
        }
        true => {
            let is_utc = format!("upper(right({v}, 1)) = 'Z'");
            let offset = format!(
                "CASE WHEN {is_utc} THEN 0 ELSE (CAST(substring(right({v}, 6), 2, 2) AS BIGINT) * 3600 \
                 + CAST(right({v}, 2) AS BIGINT) * 60) \
                 * CASE WHEN substring(right({v}, 6), 1, 1) = '-' THEN -1 ELSE 1 END END"
            );
            let length =
                format!("greatest(length({v}) - 20 - CASE WHEN {is_utc} THEN 1 ELSE 6 END, 0)");
            let fraction = format!("substring({v}, 21, {length})");
            let padded = format!("CAST(rpad({fraction}, {digits}, '0') AS BIGINT)");
            let seconds = format!("({seconds} - ({offset}))");
            if digits < 9 {
                return format!("{seconds} * {factor} + {padded}");
            }
            // The whole second below the first instant of 64 bits does not fit into them.
            format!(
                "CASE WHEN {seconds} < 0 THEN ({seconds} + 1) * {factor} + ({padded} - {factor}) \
                 ELSE {seconds} * {factor} + {padded} END"
            )
        }
    }
}
