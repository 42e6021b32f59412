//! Why a record, or a range of bytes, is set aside.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The reason; the variants stand in order of precedence (`docs/semantics.md` 1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The frame is longer than the plan allows.
    TooLarge,
    /// The frame is not one JSON value.
    InvalidJson,
    /// The value nests deeper than 1,024 levels.
    TooDeep,
    /// The value is not an object.
    NotAnObject,
    /// A member name occurs twice in one object.
    DuplicateMember,
    /// Something was repaired in a key or order column.
    RepairedKey,
    /// A member has another value than the one that the plan adds under its name.
    NameClash,
    /// A member lies outside the declared schema.
    ExtraMember,
    /// A value lies outside its declared type.
    BadValue,
    /// The key has a null part.
    NullKey,
    /// Bytes in which no records can be told apart.
    BrokenRange,
}

impl Reason {
    const ALL: [Self; 11] = [
        Self::TooLarge,
        Self::InvalidJson,
        Self::TooDeep,
        Self::NotAnObject,
        Self::DuplicateMember,
        Self::RepairedKey,
        Self::NameClash,
        Self::ExtraMember,
        Self::BadValue,
        Self::NullKey,
        Self::BrokenRange,
    ];

    /// The reason of this [`Reason::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// The name in reports and quarantine files.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::InvalidJson => "invalid_json",
            Self::TooDeep => "too_deep",
            Self::NotAnObject => "not_an_object",
            Self::DuplicateMember => "duplicate_member",
            Self::NameClash => "name_clash",
            Self::RepairedKey => "repaired_key",
            Self::ExtraMember => "extra_member",
            Self::BadValue => "bad_value",
            Self::NullKey => "null_key",
            Self::BrokenRange => "broken_range",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A bad record or a bad range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPart {
    /// Ordinal of the input.
    pub input: usize,
    /// First byte, in the decompressed content; of Parquet the row.
    pub offset: u64,
    /// Bytes; 0 for a row of Parquet.
    pub length: u64,
    /// Why.
    pub reason: Reason,
    /// What exactly, for people; may quote data. It does not say where.
    pub detail: String,
    /// The first byte that does not fit, in the decompressed content, where one can be named.
    pub at: Option<u64>,
    /// The bytes of a record of at most [`BadPart::MAX_RAW`]; `None` for ranges.
    pub raw: Option<Vec<u8>>,
    /// What the plan would have added to a record: members with a comma after each, as `"id":"u1",`.
    pub added: Vec<u8>,
}

impl BadPart {
    /// The largest record that is kept as it is, in bytes.
    pub const MAX_RAW: u64 = 1 << 20;

    /// The detail with its place, for whoever does not see that beside it.
    pub fn placed_detail(&self) -> String {
        match self.at {
            Some(at) => format!("{} at byte {at}", self.detail),
            None => self.detail.clone(),
        }
    }
}
