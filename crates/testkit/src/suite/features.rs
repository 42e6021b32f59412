//! What plans and their input can ask of a backend, and how backends say what they don't do.

use std::collections::BTreeMap;

use distil_plan::{Fault, Field, InputCompression, Keep, Key, Layout, NullKeys, Plan, Type};
use serde_json::value::RawValue;

use super::case::Case;
use crate::oracle::frames::{decompress, frames};
use crate::oracle::{self, Failure, Outcome};

/// Something that a plan or its input asks for, and that a backend may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Bad records are set aside, or told by place and reason.
    BadRecords,
    /// Input in gzip.
    Gzip,
    /// Input in zstd.
    Zstd,
    /// Values one after another, on any lines.
    Concatenated,
    /// The whole record is the key.
    RecordKey,
    /// A key or an order inside a struct.
    NestedKey,
    /// Nulls are values of the key.
    NullKeys,
    /// The last of the order survives.
    KeepLast,
    /// No key: every record is written.
    NoKey,
    /// Columns whose values are any JSON.
    JsonColumns,
    /// A member whose name is the empty text.
    EmptyNames,
    /// Numbers with an exponent in columns of integers, decimals or instants.
    Exponents,
    /// Lists and structs of more than ten levels.
    Deep,
    /// More than 500 columns, members of structs counted.
    Wide,
    /// A choice of columns.
    Columns,
    /// A file of the dropped duplicates.
    Dropped,
    /// A directory as output.
    Directory,
    /// A limit of the rows of a file.
    MaxFileRows,
    /// A limit of the bytes of a file.
    MaxFileBytes,
    /// Bloom filters.
    Bloom,
}

impl Feature {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 20] = [
        Self::BadRecords,
        Self::Gzip,
        Self::Zstd,
        Self::Concatenated,
        Self::RecordKey,
        Self::NestedKey,
        Self::NullKeys,
        Self::KeepLast,
        Self::NoKey,
        Self::JsonColumns,
        Self::EmptyNames,
        Self::Exponents,
        Self::Deep,
        Self::Wide,
        Self::Columns,
        Self::Dropped,
        Self::Directory,
        Self::MaxFileRows,
        Self::MaxFileBytes,
        Self::Bloom,
    ];

    /// What it is, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadRecords => "input with bad records, told or set aside",
            Self::Gzip => "gzip input",
            Self::Zstd => "zstd input",
            Self::Concatenated => "concatenated values",
            Self::RecordKey => "the whole record as key",
            Self::NestedKey => "a key or an order inside a struct",
            Self::NullKeys => "nulls as values of the key",
            Self::KeepLast => "`keep = \"last\"`",
            Self::NoKey => "no key: every record",
            Self::JsonColumns => "columns that hold any JSON",
            Self::EmptyNames => "members without a name",
            Self::Exponents => "`1e2` in columns of integers, decimals or instants",
            Self::Deep => "more than 10 levels of lists and structs",
            Self::Wide => "more than 500 columns",
            Self::Columns => "a choice of columns",
            Self::Dropped => "a file of the dropped duplicates",
            Self::Directory => "a directory as output",
            Self::MaxFileRows => "`max_file_rows`",
            Self::MaxFileBytes => "`max_file_bytes`",
            Self::Bloom => "bloom filters",
        }
    }

    /// Whether a case asks for it.
    pub fn is_asked(self, case: &Case, outcome: &Result<Outcome, Failure>) -> bool {
        let plan = &case.plan;
        let dedup = plan.dedup.as_ref();
        match self {
            Self::BadRecords => outcome.as_ref().is_ok_and(|outcome| !outcome.bad.is_empty()),
            Self::Gzip => is_compressed(case, InputCompression::Gzip),
            Self::Zstd => is_compressed(case, InputCompression::Zstd),
            Self::Concatenated => shapes(outcome).any(|shape| shape == "concatenated"),
            Self::RecordKey => dedup.is_some_and(|dedup| dedup.key == Key::Record),
            Self::NestedKey => dedup.is_some_and(|dedup| {
                let key: &[_] = match &dedup.key {
                    Key::Columns(columns) => columns,
                    Key::Record => &[],
                };
                let order = dedup.order_by.iter().map(|order| &order.column);
                key.iter().chain(order).any(|path| path.steps().len() > 1)
            }),
            Self::NullKeys => dedup.is_some_and(|dedup| dedup.null_keys == NullKeys::Value),
            Self::KeepLast => dedup.is_some_and(|dedup| dedup.keep == Keep::Last),
            Self::NoKey => dedup.is_none(),
            Self::JsonColumns => columns(case, outcome)
                .iter()
                .any(|column| has_type(&column.data_type, &|t| *t == Type::Json)),
            Self::EmptyNames => {
                let in_path = |shape: &str| shape.contains("//") || shape.ends_with('/');
                shapes(outcome).any(in_path)
                    || columns(case, outcome).iter().any(|column| {
                        column.name.is_empty() || has_type(&column.data_type, &has_empty_name)
                    })
            }
            Self::Exponents => has_exponents(case, &columns(case, outcome)),
            Self::Deep => {
                columns(case, outcome).iter().any(|column| levels(&column.data_type) > 10)
            }
            Self::Wide => {
                let columns = columns(case, outcome);
                columns.iter().map(|column| column.data_type.leaf_count()).sum::<usize>() > 500
            }
            Self::Columns => plan.columns.is_some(),
            Self::Dropped => plan.dropped.is_some(),
            Self::Directory => plan.sink.layout == Layout::Dir,
            Self::MaxFileRows => plan.sink.max_file_rows.is_some(),
            Self::MaxFileBytes => plan.sink.max_file_bytes.is_some(),
            Self::Bloom => !plan.sink.bloom.is_empty(),
        }
    }
}

fn is_compressed(case: &Case, with: InputCompression) -> bool {
    case.files.iter().any(|(_, content)| decompress(content).0 == with)
}

/// The shapes of the files, where the run gets as far.
fn shapes(outcome: &Result<Outcome, Failure>) -> impl Iterator<Item = &str> {
    let inputs = outcome.iter().flat_map(|outcome| &outcome.inputs);
    inputs.map(|input| input.shape.as_str())
}

/// All columns that are read, written or not; none where the run does not get as far.
fn columns(case: &Case, outcome: &Result<Outcome, Failure>) -> Vec<Field> {
    let all = match &case.plan.columns {
        None => outcome.clone(),
        Some(_) => oracle::run(&Plan { columns: None, ..case.plan.clone() }, &case.placed()),
    };
    all.map_or(Vec::new(), |all| all.schema)
}

/// Whether a type is such a one, or has one in it.
fn has_type(data_type: &Type, is: &dyn Fn(&Type) -> bool) -> bool {
    is(data_type)
        || match data_type {
            Type::List(element) => has_type(element, is),
            Type::Struct(fields) => fields.iter().any(|field| has_type(&field.data_type, is)),
            _ => false,
        }
}

fn has_empty_name(data_type: &Type) -> bool {
    matches!(data_type, Type::Struct(fields) if fields.iter().any(|field| field.name.is_empty()))
}

fn levels(data_type: &Type) -> usize {
    match data_type {
        Type::List(element) => 1 + levels(element),
        Type::Struct(fields) => {
            1 + fields.iter().map(|field| levels(&field.data_type)).max().unwrap_or(0)
        }
        _ => 0,
    }
}

/// Whether a number of a column of integers or decimals is spelled with an exponent in any record.
fn has_exponents(case: &Case, columns: &[Field]) -> bool {
    case.files.iter().any(|(_, bytes)| {
        let Ok(framed) = frames(bytes, &case.plan.shape) else { return false };
        framed.frames.iter().any(|&(offset, length)| {
            std::str::from_utf8(&framed.content[offset..offset + length])
                .is_ok_and(|record| is_spelled_with_exponent(record, columns))
        })
    })
}

fn is_spelled_with_exponent(object: &str, members: &[Field]) -> bool {
    let Ok(values) = serde_json::from_str::<BTreeMap<String, &RawValue>>(object) else {
        return false;
    };
    members.iter().any(|member| {
        values.get(&member.name).is_some_and(|value| is_value_so(value.get(), &member.data_type))
    })
}

fn is_value_so(value: &str, data_type: &Type) -> bool {
    match data_type {
        Type::List(element) => serde_json::from_str::<Vec<&RawValue>>(value)
            .is_ok_and(|values| values.iter().any(|value| is_value_so(value.get(), element))),
        Type::Struct(members) => is_spelled_with_exponent(value, members),
        Type::Int8
        | Type::Int16
        | Type::Int32
        | Type::Int64
        // A number in a column of instants was hinted to count from the epoch.
        | Type::Epoch(_)
        | Type::Timestamp(_)
        | Type::Decimal { .. } => {
            value.starts_with(|c: char| c == '-' || c.is_ascii_digit())
                && value.contains(['e', 'E'])
        }
        _ => false,
    }
}

/// Something that a backend does not do: it must refuse every case that asks for it, so that a gap
/// that is closed turns the suite red.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// What is asked for.
    pub feature: Feature,
    /// What would have to happen.
    pub standing: Standing,
    /// Why.
    pub reason: &'static str,
    /// Who must act, as the refusal says.
    pub fault: Fault,
    /// What the refusal says: one of these.
    pub says: &'static [&'static str],
}

/// What would have to happen before a backend does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Somebody could do it.
    Could,
    /// The engine behind the backend would have to change.
    Upstream,
    /// It lies in the nature of the backend.
    Never,
}
