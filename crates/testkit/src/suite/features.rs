//! What plans and their input can ask of a backend, and how backends say what they don't do.

use distil_plan::{Fault, InputCompression, Keep, Key, Layout, NullKeys, Type};

use super::case::Case;
use crate::oracle::frames::decompress;
use crate::oracle::{Failure, Outcome};

/// Something that a plan or its input asks for, and that a backend may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Bad records are set aside, or told by place and reason.
    BadRecords,
    /// Compressed input.
    Compressed,
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
    pub const ALL: [Self; 14] = [
        Self::BadRecords,
        Self::Compressed,
        Self::RecordKey,
        Self::NestedKey,
        Self::NullKeys,
        Self::KeepLast,
        Self::NoKey,
        Self::JsonColumns,
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
            Self::Compressed => "gzip and zstd input",
            Self::RecordKey => "the whole record as key",
            Self::NestedKey => "a key or an order inside a struct",
            Self::NullKeys => "nulls as values of the key",
            Self::KeepLast => "`keep = \"last\"`",
            Self::NoKey => "no key: every record",
            Self::JsonColumns => "columns that hold any JSON",
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
            Self::Compressed => case.files.iter().any(|(_, content)| {
                let (compression, ..) = decompress(content);
                compression != InputCompression::None
            }),
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
            Self::JsonColumns => outcome.as_ref().is_ok_and(|outcome| {
                outcome.schema.iter().any(|field| field.data_type == Type::Json)
            }),
            Self::Columns => plan.columns.is_some(),
            Self::Dropped => plan.dropped.is_some(),
            Self::Directory => plan.sink.layout == Layout::Dir,
            Self::MaxFileRows => plan.sink.max_file_rows.is_some(),
            Self::MaxFileBytes => plan.sink.max_file_bytes.is_some(),
            Self::Bloom => !plan.sink.bloom.is_empty(),
        }
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
