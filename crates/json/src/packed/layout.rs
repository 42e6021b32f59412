//! Packed rows: records of flat, expected columns as a few machine words.
//!
//! A packed row is a shorter spelling of an encoded one (see [`crate::rows::record`]), and [`PackedLayout::unpack`]
//! gives that one back, byte for byte. So whether a record travels packed or encoded changes nothing
//! but speed: a layout is guessed from a sample, and what does not fit it travels encoded.
//!
//! Values of one column are all of one class, and classes keep the order of the contract: instants of
//! one form order like their text, doubles are only taken where they are exact, and codes become ranks
//! (see [`crate::Ranks`]) before they are compared.

use std::cmp::Ordering;

use distil_plan::{NullKeys, Plan};

use crate::packed::dictionary::Dictionary;
use crate::packed::template::Span;
use crate::rows::value::scalar;
use crate::types::facts::fact;
use crate::types::fields::{Fields, ROOT};
use crate::types::sort_column::SortColumn;
use crate::values::decimal::{Decimal, Scratch};
use crate::values::encoding::{self, Flip, tag};
use crate::values::time::{fixed_unit, format_instant};

/// Most columns of a layout.
const MOST_COLUMNS: usize = 128;
/// The code of a null.
const NULL_CODE: u32 = u32::MAX;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Strings `YYYY-MM-DDThh:mm:ssZ` with 0, 3 or 6 digits of a second's fraction: a count of
    /// milliseconds, with 6 digits of microseconds.
    Instant(u32),
    /// Integers of at most 18 digits.
    Integer,
    /// Numbers of at most 15 digits: their doubles.
    Float,
    /// `true` and `false`.
    Boolean,
    /// Strings: codes of a dictionary.
    Text,
    /// Null and nothing else.
    Nothing,
}

impl Class {
    fn is_wide(self) -> bool {
        matches!(self, Self::Instant(_) | Self::Integer | Self::Float)
    }

    /// Bytes of a value that is no text, as the encoder of records counts them.
    fn value_bytes(self) -> usize {
        match self {
            Self::Instant(0) => 20,
            Self::Instant(digits) => 21 + digits as usize,
            Self::Boolean => 1,
            _ => 8,
        }
    }
}

/// Where a value is in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PackedSlot {
    /// A word, and the bit that says that it is null (no bit: it never is).
    Word(usize, Option<u32>),
    /// Half of a word.
    Half(usize, u32),
    Nowhere,
}

/// A column of packed rows.
#[derive(Clone, Debug)]
pub struct PackedColumn {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub class: Class,
    /// Ordinal among the columns of text.
    pub text: usize,
    pub(crate) part: Option<usize>,
    pub(crate) key: bool,
    pub(crate) reversed: bool,
    pub(crate) slot: PackedSlot,
    encoded_name: Vec<u8>,
}

impl PackedColumn {
    /// Whether a row may have no value there.
    pub fn may_be_null(&self) -> bool {
        !matches!(self.slot, PackedSlot::Word(_, None))
    }
}

/// An encoded row, packed, and memory for that.
#[derive(Debug, Default)]
pub(crate) struct Repacked {
    pub(crate) row: Vec<u64>,
    text: Vec<u8>,
    unpacked: Vec<u8>,
}

/// How the records of a run are packed.
#[derive(Clone, Debug)]
pub struct PackedLayout {
    /// In the order that decides between rows: key, order, then the rest by name.
    pub columns: Vec<PackedColumn>,
    /// Words of a row. The first orders like the first column of the key.
    pub words: usize,
    /// How many of the words, the first ones, are each a value that orders like the word.
    pub wide: usize,
    /// How many columns are text.
    pub texts: usize,
    /// Whether rows may travel packed. Otherwise a layout says how records that are as expected are
    /// encoded without being parsed.
    pub packs: bool,
    /// First bit of the null bits, counted from the beginning of the row.
    nulls: u32,
    sort_columns: usize,
    rest_flip: Flip,
}

fn class_of(bits: crate::types::facts::Bits) -> Option<Class> {
    let values = bits & !fact::NULL;
    Some(match values {
        0 => Class::Nothing,
        fact::SECONDS => Class::Instant(0),
        fact::MILLIS => Class::Instant(3),
        fact::MICROS => Class::Instant(6),
        fact::BOOLEAN => Class::Boolean,
        fact::TEXT => Class::Text,
        _ if values & !(fact::INTEGER | fact::INEXACT) == 0 => Class::Integer,
        _ if values & !(fact::INTEGER | fact::FRACTION) == 0 => Class::Float,
        _ => return None,
    })
}

impl PackedLayout {
    /// A layout for records like those seen; `None` when there are none to expect.
    pub(crate) fn guess(plan: &Plan, fields: &Fields, sort_columns: &[SortColumn]) -> Option<Self> {
        let as_it_stands = plan.schema.hints.is_empty() && plan.null_text.is_empty();
        if plan.schema.declared.is_some() || !as_it_stands {
            return None;
        }
        let children = &fields.get(ROOT).children;
        if children.len() > MOST_COLUMNS {
            return None;
        }
        let columns = children.iter().map(|child| {
            let field = fields.get(*child);
            Some((field.name.clone(), class_of(field.facts.bits)?))
        });
        Self::of(plan, columns.collect::<Option<_>>()?, sort_columns)
    }

    /// A layout of these columns.
    pub(super) fn of(
        plan: &Plan,
        columns: Vec<(String, Class)>,
        sort_columns: &[SortColumn],
    ) -> Option<Self> {
        let (_, rest_reversed) = SortColumn::of(plan.dedup.as_ref());
        let column = |(name, class): (String, Class)| {
            let part = sort_columns
                .iter()
                .position(|part| part.path.steps() == std::slice::from_ref(&name));
            let mut encoded_name = Vec::new();
            encoding::member_name(&mut encoded_name, name.as_bytes());
            PackedColumn {
                name,
                class,
                text: 0,
                part,
                key: part.is_some_and(|part| sort_columns[part].key),
                reversed: part.map_or(rest_reversed, |part| sort_columns[part].reversed),
                slot: PackedSlot::Nowhere,
                encoded_name,
            }
        };
        let mut columns: Vec<PackedColumn> = columns.into_iter().map(column).collect();
        let is_there = |at: usize| columns.iter().any(|column| column.part == Some(at));
        if sort_columns.len() > columns.len() || !(0..sort_columns.len()).all(is_there) {
            return None;
        }
        columns.sort_by(|a, b| {
            let rank = |column: &PackedColumn| column.part.unwrap_or(usize::MAX);
            rank(a).cmp(&rank(b)).then_with(|| a.name.as_bytes().cmp(b.name.as_bytes()))
        });
        let first = columns.first()?;
        let null_keys = plan.dedup.as_ref().map(|dedup| dedup.null_keys);
        let mut layout = Self {
            packs: first.key
                && matches!(first.class, Class::Instant(_) | Class::Integer)
                && null_keys == Some(NullKeys::Error),
            words: 0,
            wide: 0,
            texts: 0,
            nulls: 0,
            sort_columns: sort_columns.len(),
            rest_flip: Flip::reversed(rest_reversed),
            columns,
        };
        layout.place();
        Some(layout)
    }

    /// Wide values first, then halves, then the null bits.
    fn place(&mut self) {
        let (mut words, mut halves, mut bits) = (0, 0u32, 0);
        for column in self.columns.iter_mut().filter(|column| column.class.is_wide()) {
            let bit = (!column.key).then(|| {
                bits += 1;
                bits - 1
            });
            column.slot = PackedSlot::Word(words, bit);
            words += 1;
        }
        for column in &mut self.columns {
            match column.class {
                Class::Text => {
                    column.text = self.texts;
                    self.texts += 1;
                }
                Class::Boolean => {}
                _ => continue,
            }
            column.slot = PackedSlot::Half(words + halves as usize / 2, halves % 2 * 32);
            halves += 1;
        }
        self.wide = words;
        self.nulls = words as u32 * 64 + halves * 32;
        // Columns of nulls alone need no place, but rows are cut by their words.
        self.words = (self.nulls + bits).div_ceil(64).max(1) as usize;
    }

    /// Sets a value.
    #[inline]
    pub(crate) fn set(&self, row: &mut [u64], slot: PackedSlot, value: Option<u64>) {
        match (slot, value) {
            (PackedSlot::Word(word, _), Some(value)) => row[word] = value,
            (PackedSlot::Word(_, Some(bit)), None) => {
                let bit = self.nulls + bit;
                row[bit as usize / 64] |= 1 << (bit % 64);
            }
            (PackedSlot::Half(word, shift), value) => {
                row[word] |= value.unwrap_or(u64::from(NULL_CODE)) << shift;
            }
            _ => {}
        }
    }

    /// A value: an order-preserving word, or a code or rank; `None` for a null.
    #[inline]
    pub fn get(&self, row: &[u64], column: &PackedColumn) -> Option<u64> {
        match column.slot {
            PackedSlot::Word(word, None) => Some(row[word]),
            PackedSlot::Word(word, Some(bit)) => {
                let bit = self.nulls + bit;
                (row[bit as usize / 64] >> (bit % 64) & 1 == 0).then_some(row[word])
            }
            PackedSlot::Half(word, shift) => {
                let half = (row[word] >> shift) as u32;
                (half != NULL_CODE).then_some(u64::from(half))
            }
            PackedSlot::Nowhere => None,
        }
    }

    /// The values of a column in many rows, as [`PackedLayout::get`] has them, one after another.
    #[inline]
    pub fn each(&self, rows: &[u64], column: &PackedColumn, mut value: impl FnMut(Option<u64>)) {
        let rows = rows.chunks_exact(self.words);
        match column.slot {
            PackedSlot::Word(word, None) => rows.for_each(|row| value(Some(row[word]))),
            PackedSlot::Half(word, shift) => rows.for_each(|row| {
                let half = (row[word] >> shift) as u32;
                value((half != NULL_CODE).then_some(u64::from(half)));
            }),
            _ => rows.for_each(|row| value(self.get(row, column))),
        }
    }

    /// Replaces each code of many rows by its rank: `ranks` has, for each column of text, the rank of each
    /// code.
    pub fn rank(&self, rows: &mut [u64], ranks: &[Vec<u32>]) {
        for column in &self.columns {
            let PackedSlot::Half(word, shift) = column.slot else { continue };
            if column.class != Class::Text {
                continue;
            }
            let ranks = ranks[column.text].as_slice();
            for row in rows.chunks_exact_mut(self.words) {
                let code = (row[word] >> shift) as u32;
                // A null has no rank, and stays.
                if let Some(rank) = ranks.get(code as usize) {
                    row[word] = row[word] & !(0xFFFF_FFFF << shift) | u64::from(*rank) << shift;
                }
            }
        }
    }

    /// Whether two rows, with ranks, have one key.
    #[inline]
    pub fn same_key(&self, a: &[u64], b: &[u64]) -> bool {
        let keys = self.columns.iter().take_while(|column| column.key);
        keys.into_iter().all(|column| self.get(a, column) == self.get(b, column))
    }

    /// The order of the contract between two rows, by an order of codes: the order of ranks is that of
    /// numbers.
    pub fn compare(
        &self,
        a: &[u64],
        b: &[u64],
        codes: impl Fn(usize, u32, u32) -> Ordering,
    ) -> Ordering {
        for column in &self.columns {
            let order = match (self.get(a, column), self.get(b, column)) {
                (Some(a), Some(b)) => {
                    let order = match column.class {
                        Class::Text => codes(column.text, a as u32, b as u32),
                        _ => a.cmp(&b),
                    };
                    if column.reversed { order.reverse() } else { order }
                }
                // A null never wins, whatever the direction.
                (a, b) => a.is_none().cmp(&b.is_none()),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    /// Bytes of the row's values as the encoder of records counts them.
    pub fn value_bytes<'a>(&self, row: &[u64], text: impl Fn(usize, u32) -> &'a [u8]) -> u32 {
        let bytes = self.columns.iter().map(|column| match self.get(row, column) {
            None => 0,
            Some(code) if column.class == Class::Text => text(column.text, code as u32).len(),
            Some(_) => column.class.value_bytes(),
        });
        u32::try_from(bytes.sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// What [`PackedLayout::value_bytes`] is at most, if the strings of each column of text have at most so
    /// many bytes.
    pub fn most_value_bytes(&self, longest: &[usize]) -> u32 {
        let bytes = self.columns.iter().map(|column| match column.class {
            Class::Text => longest[column.text],
            class => class.value_bytes(),
        });
        u32::try_from(bytes.sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// The encoded row in place of `out`; returns how many bytes of it are the key.
    pub fn unpack<'a>(
        &self,
        row: &[u64],
        text: impl Fn(usize, u32) -> &'a [u8],
        out: &mut Vec<u8>,
    ) -> usize {
        out.clear();
        let mut key_length = 0;
        for column in &self.columns[..self.sort_columns] {
            self.encode(row, column, Flip::reversed(column.reversed), &text, out);
            if column.key {
                key_length = out.len();
            }
        }
        for column in &self.columns[self.sort_columns..] {
            if self.get(row, column).is_some() {
                out.extend_from_slice(&column.encoded_name);
                self.encode(row, column, self.rest_flip, &text, out);
            }
        }
        out.push(tag::END_OBJECT);
        key_length
    }

    /// The encoded row of a record in place of `out`, by its values in the order of the columns; returns
    /// how many bytes of it are the key, and the bytes of its values.
    pub(crate) fn encode_spans(
        &self,
        spans: &[Span],
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> (usize, u32) {
        out.clear();
        let (mut key_length, mut value_bytes) = (0, 0);
        let mut unescaped = Vec::new();
        for (at, (column, span)) in self.columns.iter().zip(spans).enumerate() {
            let flip = if at < self.sort_columns {
                Flip::reversed(column.reversed)
            } else if span.is_value() {
                out.extend_from_slice(&column.encoded_name);
                self.rest_flip
            } else {
                continue;
            };
            value_bytes += scalar(&span.node(), bytes, out, flip, &mut unescaped);
            if column.key {
                key_length = out.len();
            }
        }
        out.push(tag::END_OBJECT);
        // Without a key the whole record is one.
        let key_length = if self.sort_columns == 0 { out.len() } else { key_length };
        (key_length, u32::try_from(value_bytes).unwrap_or(u32::MAX))
    }

    /// Packs an encoded row into `out`, the inverse of [`PackedLayout::unpack`]. False if that can't give the
    /// row back, byte for byte and with the same `value_bytes`, or a dictionary is full.
    pub(crate) fn pack(
        &self,
        encoded: &[u8],
        value_bytes: u32,
        dictionaries: &mut [Dictionary],
        out: &mut Repacked,
    ) -> bool {
        let Repacked { row, text, unpacked } = out;
        row.clear();
        row.resize(self.words, 0);
        let mut cursor = encoding::Cursor::new(encoded, self.rest_flip);
        for (at, column) in self.columns.iter().enumerate() {
            let value = if at < self.sort_columns {
                cursor.flip = Flip::reversed(column.reversed);
                self.word(column, &mut cursor, text, dictionaries)
            } else if cursor.has_name(&column.encoded_name) {
                cursor.flip = self.rest_flip;
                self.word(column, &mut cursor, text, dictionaries)
            } else {
                None
            };
            self.set(row, column.slot, value);
        }
        let text = |column: usize, code| dictionaries[column].get(code);
        self.unpack(row, text, unpacked);
        unpacked == encoded && self.value_bytes(row, text) == value_bytes
    }

    /// The next value of an encoded row as [`PackedLayout::set`] takes it; `None` for a null, and for what
    /// has no such form.
    fn word(
        &self,
        column: &PackedColumn,
        cursor: &mut encoding::Cursor<'_>,
        text: &mut Vec<u8>,
        dictionaries: &mut [Dictionary],
    ) -> Option<u64> {
        match (column.class, cursor.next(text)) {
            (Class::Instant(digits), encoding::Value::String) => {
                crate::values::short::instant(text, digits).map(from_i64)
            }
            (class, encoding::Value::Number { negative, exponent }) => {
                let number = Decimal::from_parts(negative, text, exponent);
                match class {
                    Class::Integer => number.to_i64().map(from_i64),
                    Class::Float => Some(from_f64(number.to_f64())),
                    _ => None,
                }
            }
            (Class::Boolean, encoding::Value::Boolean(value)) => Some(u64::from(value)),
            (Class::Text, encoding::Value::String) => {
                dictionaries.get_mut(column.text)?.intern(text).map(u64::from)
            }
            _ => None,
        }
    }

    fn encode<'a>(
        &self,
        row: &[u64],
        column: &PackedColumn,
        flip: Flip,
        text: &impl Fn(usize, u32) -> &'a [u8],
        out: &mut Vec<u8>,
    ) {
        let Some(value) = self.get(row, column) else {
            encoding::null(out);
            return;
        };
        match column.class {
            Class::Instant(digits) => {
                let mut spelled = Vec::with_capacity(27);
                format_instant(to_i64(value), fixed_unit(digits), digits, &mut spelled);
                encoding::plain_string(out, &spelled, flip);
            }
            Class::Integer => {
                let mut scratch = Scratch::new();
                encoding::number(out, &Decimal::from_i64(to_i64(value), &mut scratch), flip);
            }
            Class::Float => {
                let mut scratch = Scratch::new();
                let number = Decimal::from_f64(to_f64(value), &mut scratch);
                encoding::number(out, &number.unwrap_or(Decimal::ZERO), flip);
            }
            Class::Boolean => encoding::boolean(out, value != 0, flip),
            Class::Text => encoding::plain_string(out, text(column.text, value as u32), flip),
            Class::Nothing => encoding::null(out),
        }
    }

    /// The encoding of the first column of a key whose word is this.
    pub fn first_key(&self, word: u64) -> Vec<u8> {
        let mut row = vec![0; self.words];
        row[0] = word;
        let mut out = Vec::new();
        if let Some(first) = self.columns.first() {
            self.encode(&row, first, Flip::ASC, &|_, _| &[], &mut out);
        }
        out
    }

    /// The part of an encoded key that is its first column.
    pub fn first_part(key: &[u8]) -> &[u8] {
        let mut cursor = encoding::Cursor::new(key, Flip::ASC);
        cursor.skip_value();
        &key[..key.len() - cursor.bytes.len()]
    }

    /// The first word of a row whose encoded key is `key`, if its first column is of this layout's
    /// class.
    pub fn first_word(&self, key: &[u8]) -> Option<u64> {
        let mut cursor = encoding::Cursor::new(key, Flip::ASC);
        self.word(self.columns.first()?, &mut cursor, &mut Vec::new(), &mut [])
    }
}

/// A number as a word that orders like it.
#[inline]
pub(crate) fn from_i64(value: i64) -> u64 {
    value as u64 ^ (1 << 63)
}

/// The inverse of what packing does to integers and instants.
#[inline]
pub fn to_i64(word: u64) -> i64 {
    (word ^ (1 << 63)) as i64
}

/// A finite double as a word that orders like it.
#[inline]
pub(crate) fn from_f64(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits ^ (1 << 63) }
}

/// The inverse of what packing does to doubles.
#[inline]
pub fn to_f64(word: u64) -> f64 {
    f64::from_bits(if word >> 63 == 1 { word ^ (1 << 63) } else { !word })
}
