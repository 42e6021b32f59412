//! Which records are the same, and which of them survives.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::path::overlap;
use crate::{ColumnPath, Error, Result};

/// Which records are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// Records that are equal in every column.
    Record,
    /// Records that are equal in these scalar columns.
    Columns(Vec<ColumnPath>),
}

/// The direction of an order column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Smallest first.
    #[default]
    Asc,
    /// Largest first.
    Desc,
}

impl Direction {
    /// The other direction.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }
}

/// One column of the order among records of one key. Nulls come last in both directions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderBy {
    /// The column.
    pub column: ColumnPath,
    /// Its direction.
    #[serde(default)]
    pub direction: Direction,
    /// Whether it may decide as text although its text does not order like what it spells, as numbers
    /// in strings. It says nothing of a column that does not end as text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_text: bool,
}

impl OrderBy {
    /// An ascending order by a column.
    pub fn asc(column: ColumnPath) -> Self {
        Self { column, direction: Direction::Asc, as_text: false }
    }

    /// A descending order by a column.
    pub fn desc(column: ColumnPath) -> Self {
        Self { direction: Direction::Desc, ..Self::asc(column) }
    }

    /// Reads `id, ts desc, version as text desc`.
    ///
    /// # Errors
    /// A usage error that shows the text.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        let mut rest = text;
        let mut list = Vec::new();
        loop {
            let (column, tail) = ColumnPath::parse_prefix(rest, text)?;
            let (word, tail) = match tail.split_once(',') {
                Some((word, tail)) => (word.trim(), Some(tail)),
                None => (tail.trim(), None),
            };
            let words = word.to_ascii_lowercase();
            let words: Vec<&str> = words.split_ascii_whitespace().collect();
            let (as_text, rest_of_words) = match words.as_slice() {
                ["as", "text", rest @ ..] => (true, rest),
                words => (false, words),
            };
            let direction = match rest_of_words {
                [] | ["asc"] => Direction::Asc,
                ["desc"] => Direction::Desc,
                _ => {
                    return Err(Error::usage(format!(
                        "cannot read `{word}` in the order `{text}`"
                    ))
                    .help(
                        "write columns separated by commas, each with asc or desc after it, or \
                         with `as text` before that",
                    ));
                }
            };
            list.push(Self { column, direction, as_text });
            match tail {
                Some(tail) => rest = tail,
                None => return Ok(list),
            }
        }
    }
}

/// As [`OrderBy::parse_list`] reads it.
impl fmt::Display for OrderBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.column)?;
        f.write_str(if self.as_text { " as text" } else { "" })?;
        f.write_str(if self.direction == Direction::Desc { " desc" } else { "" })
    }
}

/// Which record of one key survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The first in the order.
    #[default]
    First,
    /// The first when every direction of the whole order is reversed.
    Last,
}

/// What a null in a key means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NullKeys {
    /// The record is bad.
    #[default]
    Error,
    /// Nulls are values that equal each other.
    Value,
}

/// What two different records of one key mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// They are counted.
    #[default]
    Keep,
    /// They are counted, with a warning.
    Warn,
    /// The run fails.
    Error,
}

/// How duplicates are found, and which one survives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dedup {
    /// Which records are the same.
    pub key: Key,
    /// The order among them; all other columns follow, ascending, by name.
    #[serde(default)]
    pub order_by: Vec<OrderBy>,
    /// Which end of the order survives.
    #[serde(default)]
    pub keep: Keep,
    /// What a null in the key means.
    #[serde(default)]
    pub null_keys: NullKeys,
    /// What conflicting duplicates mean.
    #[serde(default)]
    pub on_conflict: OnConflict,
}

impl Dedup {
    /// Records with equal values in these columns are duplicates; the first in name order of all
    /// columns survives, until [`Dedup::order_by`] or [`Dedup::keep`] say otherwise.
    pub fn on_columns(columns: Vec<ColumnPath>) -> Self {
        Self::with_key(Key::Columns(columns))
    }

    /// Records that are equal in every column are duplicates.
    pub fn on_record() -> Self {
        Self::with_key(Key::Record)
    }

    fn with_key(key: Key) -> Self {
        Self {
            key,
            order_by: Vec::new(),
            keep: Keep::First,
            null_keys: NullKeys::Error,
            on_conflict: OnConflict::Keep,
        }
    }

    /// Checks what the plan asks for, and leaves out of the order what says nothing.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Key::Columns(key) = &self.key {
            // Records of one key are equal in its columns: as an order they say nothing.
            let key: HashSet<&ColumnPath> = key.iter().collect();
            self.order_by.retain(|order| !key.contains(&order.column));
        }
        let key: &[ColumnPath] = match &self.key {
            Key::Columns(columns) if columns.is_empty() => {
                return Err(Error::usage("the key names no column"));
            }
            Key::Columns(columns) => columns,
            Key::Record if !self.order_by.is_empty() => {
                return Err(Error::usage(
                    "an order has no meaning when the whole record is the key",
                ));
            }
            Key::Record => &[],
        };
        let order = self.order_by.iter().map(|order| &order.column);
        let paths: Vec<&ColumnPath> = key.iter().chain(order).collect();
        let Some((at, other)) = overlap(&paths) else { return Ok(()) };
        let role = if at < key.len() { "key" } else { "order" };
        let (path, other) = (paths[at], paths[other]);
        Err(Error::usage(if other == path {
            format!("the {role} column {path} is named twice")
        } else {
            format!("{other} and {path} both stand in the key or the order, one inside the other")
        }))
    }
}
