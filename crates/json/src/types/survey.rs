//! What the values of inferred columns are by their number, where somebody asks: it costs a look at every
//! string.

use std::collections::BTreeSet;

use distil_plan::{ColumnPath, TimeUnit, Type};

use crate::parse::tape::{Kind, number};
use crate::types::facts::{Bits, fact};
use crate::types::fields::{FieldId, Fields, ROOT};
use crate::values::decimal::Decimal;
use crate::values::time::Instant;

/// Most texts of a column that are kept, and most bytes of one.
const MOST_TEXTS: usize = 8;
const LONGEST_TEXT: usize = 32;

/// What a value is, for a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    /// A number, in a string or not, that is an integer within 64 bits.
    Integer,
    /// Another number that a double holds.
    Float,
    /// A truth, in a string or not.
    Boolean,
    /// An instant in a string, and whether it has more digits than microseconds.
    Instant(bool),
    /// Any other number.
    OtherNumber,
    /// Any other string.
    Text(Vec<u8>),
}

/// What the values of a column are that are neither null nor lists nor objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survey {
    integers: u64,
    floats: u64,
    booleans: u64,
    instants: u64,
    has_nanos: bool,
    /// All other values.
    others: u64,
    /// Strings, whatever they spell.
    strings: u64,
    /// Those of them that stand for null where the plan names no column.
    null_texts: u64,
    /// The least of the other texts that are short.
    texts: BTreeSet<Vec<u8>>,
    /// Whether there are values that are neither in a count nor a text that is kept.
    has_more: bool,
}

impl Sample {
    /// What a string is.
    pub(crate) fn of_text(text: &[u8]) -> Self {
        if matches!(text, b"true" | b"false") {
            return Self::Boolean;
        }
        if matches!(text.first(), Some(b'-' | b'0'..=b'9')) {
            if let Ok((end, kind)) = number(text, 0)
                && end == text.len()
            {
                let number = Decimal::parse(text).unwrap_or(Decimal::ZERO);
                return match kind {
                    Kind::Integer if number.to_i64().is_some() => Self::Integer,
                    _ if number.is_exact_f64() => Self::Float,
                    _ => Self::OtherNumber,
                };
            }
            if let Some(instant) = Instant::parse_any(text) {
                return Self::Instant(instant.count(TimeUnit::Micros).is_none());
            }
        }
        Self::Text(text.to_vec())
    }

    /// What a value that is no string is, by its facts.
    pub(crate) fn of_facts(bits: Bits) -> Self {
        match bits {
            fact::BOOLEAN => Self::Boolean,
            _ if bits & fact::INTEGER != 0 => Self::Integer,
            fact::FRACTION => Self::Float,
            _ => Self::OtherNumber,
        }
    }
}

impl Survey {
    pub(crate) fn note(&mut self, sample: Sample, is_string: bool, is_null_text: bool) {
        self.strings += u64::from(is_string);
        self.null_texts += u64::from(is_null_text);
        match sample {
            Sample::Integer => self.integers += 1,
            Sample::Float => self.floats += 1,
            Sample::Boolean => self.booleans += 1,
            Sample::Instant(has_nanos) => {
                self.instants += 1;
                self.has_nanos |= has_nanos;
            }
            Sample::OtherNumber => {
                self.others += 1;
                self.has_more = true;
            }
            Sample::Text(text) => {
                self.others += 1;
                self.has_more |= text.len() > LONGEST_TEXT;
                if text.len() <= LONGEST_TEXT {
                    self.texts.insert(text);
                    self.limit();
                }
            }
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        self.integers += other.integers;
        self.floats += other.floats;
        self.booleans += other.booleans;
        self.instants += other.instants;
        self.others += other.others;
        self.strings += other.strings;
        self.null_texts += other.null_texts;
        self.has_nanos |= other.has_nanos;
        self.has_more |= other.has_more;
        self.texts.extend(other.texts.iter().cloned());
        self.limit();
    }

    fn limit(&mut self) {
        while self.texts.len() > MOST_TEXTS {
            self.texts.pop_last();
            self.has_more = true;
        }
    }

    fn count(&self) -> u64 {
        self.integers + self.floats + self.booleans + self.instants + self.others
    }

    /// The type that most values fit, and how many do.
    fn most(&self) -> Option<(Type, u64)> {
        let numbers = self.integers + self.floats;
        let numeric = if self.floats > 0 { Type::Float64 } else { Type::Int64 };
        let unit = if self.has_nanos { TimeUnit::Nanos } else { TimeUnit::Micros };
        let types = [
            (numeric, numbers),
            (Type::Boolean, self.booleans),
            (Type::Timestamp(unit), self.instants),
        ];
        // The first of those with most.
        let most = types.into_iter().rev().max_by_key(|(_, count)| *count)?;
        (most.1 * 2 >= self.count() && most.1 > 0).then_some(most)
    }
}

/// A hint that makes a column hold the type of most of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The column.
    pub path: ColumnPath,
    /// The type of most values.
    pub data_type: Type,
    /// The texts of all others, to stand for null; empty if they are too many, too long, or no texts.
    pub null_texts: Vec<String>,
    /// Values of the type, in another spelling or not.
    pub fit: u64,
    /// All values that are not null.
    pub count: u64,
}

impl Fields {
    /// Calls the same for every inferred column that a path leads to, with its path.
    fn each_inferred(
        &self,
        id: FieldId,
        path: Option<&ColumnPath>,
        call: &mut impl FnMut(FieldId, &ColumnPath, &Type),
    ) {
        for child in self.columns_in(id) {
            let name = &self.get(child).name;
            let path = path.map_or_else(|| ColumnPath::name(name), |path| path.child(name));
            let (data_type, _) = self.data_type(child);
            call(child, &path, &data_type);
            if matches!(data_type, Type::Struct(_)) {
                self.each_inferred(child, Some(&path), call);
            }
        }
    }

    /// The columns in which the texts that the plan names without a column stand for null: inferred ones, all
    /// of whose other values are no strings, and that have some.
    pub(crate) fn null_text_columns(&self) -> Vec<ColumnPath> {
        let mut columns = Vec::new();
        self.each_inferred(ROOT, None, &mut |id, path, _| {
            let facts = &self.get(id).facts;
            let Some(survey) = &facts.survey else { return };
            let is_other =
                survey.count() > survey.strings || facts.bits & (fact::LIST | fact::OBJECT) != 0;
            if survey.null_texts > 0 && survey.null_texts == survey.strings && is_other {
                columns.push(path.clone());
            }
        });
        columns
    }

    /// Hints that make columns hold the types of most of their values, where these are less than all, or stand
    /// in strings.
    pub(crate) fn fixes(&self) -> Vec<Fix> {
        let mut fixes = Vec::new();
        self.each_inferred(ROOT, None, &mut |id, path, found| {
            let facts = &self.get(id).facts;
            let Some(survey) = &facts.survey else { return };
            let is_open = matches!(found, Type::String | Type::Json)
                && facts.bits & (fact::LIST | fact::OBJECT) == 0;
            let Some((data_type, fit)) = survey.most().filter(|_| is_open) else { return };
            let count = survey.count();
            let is_told = !survey.has_more && fit + survey.others == count;
            let texts = survey.texts.iter().filter(|_| is_told);
            fixes.push(Fix {
                path: path.clone(),
                data_type,
                null_texts: texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect(),
                fit,
                count,
            });
        });
        fixes
    }
}
