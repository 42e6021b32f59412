//! Records that are as expected, a block at a time, to packed rows, or to encoded ones where packing
//! is not possible or does not pay.
//!
//! Meeting a program costs the bytes between the values; the values of a block are then converted
//! column by column, so that look-ups of one column overlap. A record with a value that does not fit
//! its column's class is rejected, and goes the way of all other records.

use std::sync::Arc;

use distil_plan::Result;

use crate::decimal::POWERS_OF_TEN;
use crate::decode::Sink;
use crate::facts::{Bits, fact, number_facts, string_facts};
use crate::fields::{FieldId, Fields};
use crate::interner::{Interner, Look};
use crate::packed::{Class, Layout, PackedColumn, Repacked, from_f64, from_i64};
use crate::program::{Program, Span, SpanKind};
use crate::record::RecordEncoder;
use crate::tape::Tape;
#[cfg(test)]
use crate::time::Instant;

/// Records of a block: their spans fit the first cache.
const BLOCK: usize = 256;
/// Programs that are tried; records of one source take few forms.
const PROGRAMS: usize = 4;
/// Records that are learnt from in vain before learning stops: where all differ, or have values that do
/// not fit, it costs more than it saves.
const PATIENCE: usize = 256;

/// A program, and the column of each of its slots.
struct Bound {
    program: Program,
    columns: Vec<usize>,
    /// Columns that its records do not have.
    missing: Vec<usize>,
}

/// Something new about a column, found in a record of the block.
pub(crate) struct Note {
    pub(crate) record: usize,
    pub(crate) field: FieldId,
    pub(crate) bits: Bits,
    pub(crate) ordinal: u32,
}

/// Packs the records of one decoder.
pub(crate) struct Packer {
    layout: Arc<Layout>,
    /// Dictionaries of the columns of text.
    pub(crate) interners: Vec<Interner>,
    programs: Vec<Bound>,
    last: usize,
    next: usize,
    /// For each column the field, once a program named it.
    fields: Vec<Option<FieldId>>,
    /// Whether rows are packed, since that is possible and still pays.
    packs: bool,
    /// Whether the rows of the block are.
    block_packs: bool,
    /// Records to learn from before enough others are met.
    patience: usize,
    spans: Vec<Span>,
    /// For each record of the block: where it begins and ends, its program, whether it was rejected.
    records: Vec<(u32, u32, u8, bool)>,
    rows: Vec<u64>,
    /// For each column whether the block has a null there.
    nulls: Vec<bool>,
    /// The strings of the block and column at hand.
    looks: Vec<Look>,
    /// Records in a row that were encoded and could not be packed then.
    misfits: usize,
    /// A row that was encoded first.
    repacked: Repacked,
    /// The row at hand, encoded.
    encoded: Vec<u8>,
}

impl Packer {
    pub(crate) fn new(layout: Arc<Layout>, dictionary_bytes: u64) -> Self {
        Self {
            interners: if layout.packs {
                (0..layout.texts).map(|_| Interner::new(dictionary_bytes)).collect()
            } else {
                Vec::new()
            },
            programs: Vec::new(),
            last: 0,
            next: 0,
            fields: vec![None; layout.columns.len()],
            packs: layout.packs,
            block_packs: false,
            patience: PATIENCE,
            spans: vec![Span::MISSING; BLOCK * layout.columns.len()],
            records: Vec::new(),
            rows: Vec::new(),
            nulls: vec![false; layout.columns.len()],
            looks: Vec::new(),
            misfits: 0,
            repacked: Repacked::default(),
            encoded: Vec::new(),
            layout,
        }
    }

    /// Meets the record that begins at `at`, on a line of its own or not: where it ends, if it is as
    /// expected.
    #[inline]
    pub(crate) fn meet(&mut self, bytes: &[u8], at: usize, on_a_line: bool) -> Option<usize> {
        let base = self.records.len() * self.layout.columns.len();
        // The one that was met last comes first.
        let (before, after) = self.programs.split_at(self.last);
        let in_turn = (self.last..).zip(after).chain((0..).zip(before));
        for (which, bound) in in_turn {
            if on_a_line && bound.program.has_line_feed {
                continue;
            }
            let spans = &mut self.spans[base..base + self.layout.columns.len()];
            let end = bound.program.meet(bytes, at, |slot, span| spans[bound.columns[slot]] = span);
            if let Some(end) = end {
                for column in &bound.missing {
                    spans[*column] = Span::MISSING;
                }
                self.last = which;
                self.records.push((at as u32, end as u32, which as u8, false));
                return Some(end);
            }
        }
        None
    }

    /// Takes the last record out of the block again.
    pub(crate) fn unmeet(&mut self) {
        self.records.pop();
    }

    #[cfg(test)]
    pub(crate) fn learns(&self) -> bool {
        self.patience > 0
    }

    /// Whether the block must be converted before the next record is met.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.records.len() == BLOCK
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Learns from a record that was accepted, the last on the tape. The block is empty.
    pub(crate) fn learn(&mut self, tape: &Tape, bytes: &[u8], fields: &Fields) {
        if self.patience == 0 {
            return;
        }
        self.patience -= 1;
        let Some(program) = Program::learn(tape, bytes, fields) else { return };
        if self.programs.iter().any(|bound| bound.program == program) {
            return;
        }
        let mut columns = Vec::new();
        for slot in &program.slots {
            let name = &fields.get(slot.field).name;
            let Some(column) = self.layout.columns.iter().position(|c| c.name == *name) else {
                return;
            };
            self.fields[column] = Some(slot.field);
            columns.push(column);
        }
        let missing = (0..self.layout.columns.len()).filter(|c| !columns.contains(c)).collect();
        let bound = Bound { program, columns, missing };
        if self.programs.len() < PROGRAMS {
            self.last = self.programs.len();
            self.programs.push(bound);
        } else {
            self.last = self.next;
            self.programs[self.next] = bound;
            self.next = (self.next + 1) % PROGRAMS;
        }
    }

    /// Hands on the record that was encoded last: packed, if that is possible after all. A few rows that
    /// travel encoded would make all rows of their ranges do so.
    pub(crate) fn hand_on(&mut self, encoder: &RecordEncoder, sink: &mut impl Sink) -> Result<()> {
        let (row, value_bytes) = (encoder.row(), encoder.value_bytes());
        if self.packs && self.misfits < PATIENCE {
            self.misfits += 1;
            let interners = &mut self.interners;
            if self.layout.pack(row, value_bytes, interners, &mut self.repacked) {
                self.misfits = 0;
                self.packs &= interners.iter_mut().all(|interner| interner.pays(1));
                return sink.packed(&self.repacked.row, interners);
            }
        }
        sink.row(row, encoder.key_length(), value_bytes)
    }

    /// Converts the records of the block, and finds those that do not fit.
    pub(crate) fn convert(&mut self, bytes: &[u8], fields: &Fields) {
        let count = self.records.len();
        self.block_packs = self.packs;
        self.rows.clear();
        self.rows.resize(count * self.layout.words, 0);
        let layout = Arc::clone(&self.layout);
        for (at, column) in layout.columns.iter().enumerate() {
            let known = self.fields[at].map_or(0, |id| fields.get(id).facts.bits);
            let rest = column.part.is_none();
            match column.class {
                Class::Text if !self.block_packs => self.column(&layout, at, |span| {
                    let text = span.text(bytes);
                    (span.kind == SpanKind::String && is_plain(text, rest, known)).then_some(0)
                }),
                Class::Text => {
                    let mut interner = std::mem::take(&mut self.interners[column.text]);
                    let mut looks = std::mem::take(&mut self.looks);
                    looks.clear();
                    let spans = self.spans.iter().skip(at).step_by(layout.columns.len());
                    looks.extend(spans.take(count).map(|span| interner.look(span.text(bytes))));
                    interner.fetch(&mut looks);
                    let mut seen = looks.iter();
                    self.column(&layout, at, |span| {
                        let text = span.text(bytes);
                        let look = *seen.next()?;
                        if span.kind != SpanKind::String || !is_plain(text, rest, known) {
                            return None;
                        }
                        interner.intern_as_seen(look, text).map(u64::from)
                    });
                    self.packs &= interner.pays(count as u64);
                    self.looks = looks;
                    self.interners[column.text] = interner;
                }
                Class::Instant(digits) => self.column(&layout, at, |span| {
                    (span.kind == SpanKind::String)
                        .then(|| instant(span.text(bytes), digits).map(from_i64))?
                }),
                Class::Integer => self.column(&layout, at, |span| {
                    (span.kind == SpanKind::Integer)
                        .then(|| integer(span.text(bytes)).map(from_i64))?
                }),
                Class::Float => self.column(&layout, at, |span| {
                    matches!(span.kind, SpanKind::Integer | SpanKind::Fraction)
                        .then(|| double(span.text(bytes)).map(from_f64))?
                }),
                Class::Boolean => self.column(&layout, at, |span| match span.kind {
                    SpanKind::False => Some(0),
                    SpanKind::True => Some(1),
                    _ => None,
                }),
                Class::Nothing => self.column(&layout, at, |_| None),
            }
        }
    }

    /// Sets one column of all rows to what `value` makes of spans, missing ones and nulls included; a
    /// value without a form rejects its record, and so does a null in the key.
    #[inline]
    fn column(&mut self, layout: &Layout, at: usize, mut value: impl FnMut(&Span) -> Option<u64>) {
        let column: &PackedColumn = &layout.columns[at];
        let spans = self.spans.iter().skip(at).step_by(layout.columns.len());
        let rows = self.rows.chunks_exact_mut(layout.words);
        let mut nulls = false;
        for ((record, row), span) in self.records.iter_mut().zip(rows).zip(spans) {
            let set = value(span);
            nulls |= span.kind == SpanKind::Null;
            record.3 |= set.is_none() && (span.is_value() || column.key);
            layout.set(row, column.place, set);
        }
        self.nulls[at] = nulls;
    }

    /// What accepted records of the block tell of columns for the first time, in their order.
    pub(crate) fn notes(&self, bytes: &[u8], fields: &Fields) -> Vec<Note> {
        let mut notes = Vec::new();
        for (at, column) in self.layout.columns.iter().enumerate() {
            let Some(field) = self.fields[at] else { continue };
            let mut known = fields.get(field).facts.bits;
            let null = if self.nulls[at] { fact::NULL } else { 0 };
            let to_know = settled(column.class) | null;
            if known & to_know == to_know {
                continue;
            }
            for (record, (.., rejected)) in self.records.iter().enumerate() {
                let span = &self.spans[record * self.layout.columns.len() + at];
                if *rejected || span.kind == SpanKind::Missing {
                    continue;
                }
                let bits = facts(span, column.class, bytes);
                if bits & !known != 0 {
                    known |= bits;
                    notes.push(Note { record, field, bits, ordinal: self.ordinal(record, at) });
                }
            }
        }
        notes.sort_by_key(|note| note.record);
        notes
    }

    fn ordinal(&self, record: usize, column: usize) -> u32 {
        let (.., program, _) = self.records[record];
        let ordinal = self.programs.get(usize::from(program)).and_then(|bound| {
            let slot = bound.columns.iter().position(|of| *of == column)?;
            bound.program.slots.get(slot)
        });
        ordinal.map_or(0, |slot| slot.ordinal)
    }

    /// Where the records of the block begin and end, and whether they were rejected.
    pub(crate) fn records(&self) -> impl Iterator<Item = (usize, usize, bool)> {
        self.records
            .iter()
            .map(|(start, end, _, rejected)| (*start as usize, *end as usize, *rejected))
    }

    /// Counts the strings of key and order columns.
    pub(crate) fn count_instants(&self, fields: &mut Fields) {
        let accepted = self.records.iter().filter(|(.., rejected)| !rejected).count();
        for (at, column) in self.layout.columns.iter().enumerate() {
            let Some(field) = self.fields[at].filter(|_| column.part.is_some()) else { continue };
            if !matches!(column.class, Class::Text | Class::Instant(_)) {
                continue;
            }
            let may_lack = |bound: &Bound| bound.missing.contains(&at);
            let strings = if self.nulls[at] || self.programs.iter().any(may_lack) {
                let spans = self.spans.iter().skip(at).step_by(self.layout.columns.len());
                let strings =
                    self.records.iter().zip(spans).filter(|((.., rejected), span)| {
                        !rejected && span.kind == SpanKind::String
                    });
                strings.count()
            } else {
                accepted
            };
            let spelling = match column.class {
                Class::Instant(digits) => Some(crate::time::Spelling::fixed(digits)),
                _ => None,
            };
            fields.get_mut(field).facts.instants.note_many(spelling, strings as u64);
        }
    }

    /// Hands on the rows of the accepted records. The block is empty then.
    pub(crate) fn hand_on_block(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<()> {
        if self.block_packs {
            self.compact_rows();
            if !self.rows.is_empty() {
                sink.packed(&self.rows, &self.interners)?;
            }
        } else {
            let spans = self.spans.chunks_exact(self.layout.columns.len());
            for ((.., rejected), spans) in self.records.iter().zip(spans) {
                if !rejected {
                    let row = &mut self.encoded;
                    let (key_length, value_bytes) = self.layout.encode_spans(spans, bytes, row);
                    sink.row(row, key_length, value_bytes)?;
                }
            }
        }
        self.judge();
        self.records.clear();
        Ok(())
    }

    /// Whether expecting such records was worth it, if the block says so: learning goes on, or else
    /// begins anew while there is patience.
    fn judge(&mut self) {
        let count = self.records.len();
        if count <= BLOCK / 2 {
            return;
        }
        let rejected = self.records.iter().filter(|(.., rejected)| *rejected).count();
        if rejected * 8 < count * 7 {
            self.patience = PATIENCE;
        } else {
            self.programs.clear();
            self.last = 0;
            self.next = 0;
        }
    }

    /// Takes the rows of rejected records out.
    fn compact_rows(&mut self) {
        let words = self.layout.words;
        if self.records.iter().any(|(.., rejected)| *rejected) {
            let mut kept = 0;
            for (record, (.., rejected)) in self.records.iter().enumerate() {
                if !rejected {
                    self.rows.copy_within(record * words..(record + 1) * words, kept);
                    kept += words;
                }
            }
            self.rows.truncate(kept);
        }
    }
}

/// Whether a string of a column of text is nothing but text, so far as it matters there: what is no
/// part, and has seen text, stays text whatever comes.
#[inline]
fn is_plain(text: &[u8], rest: bool, known: Bits) -> bool {
    text.len() < 20
        || rest && known & fact::TEXT != 0
        || matches!(string_facts(text), (fact::TEXT, None))
}

/// The facts that all values of a class may tell; once they are known, only a null has more to tell.
fn settled(class: Class) -> Bits {
    match class {
        Class::Instant(0) => fact::SECONDS,
        Class::Instant(3) => fact::MILLIS,
        Class::Instant(_) => fact::MICROS,
        Class::Integer => fact::INTEGER | fact::INEXACT,
        Class::Float => fact::INTEGER | fact::FRACTION,
        Class::Boolean => fact::BOOLEAN,
        Class::Text => fact::TEXT,
        Class::Nothing => 0,
    }
}

/// The facts of an accepted value.
fn facts(span: &Span, class: Class, bytes: &[u8]) -> Bits {
    match (span.kind, class) {
        (SpanKind::Null | SpanKind::Missing, _) => fact::NULL,
        (SpanKind::False | SpanKind::True, _) => fact::BOOLEAN,
        (SpanKind::Integer | SpanKind::Fraction, _) => number_facts(&span.node(), bytes),
        (SpanKind::String, Class::Instant(0)) => fact::SECONDS,
        (SpanKind::String, Class::Instant(3)) => fact::MILLIS,
        (SpanKind::String, Class::Instant(_)) => fact::MICROS,
        (SpanKind::String, _) => fact::TEXT,
    }
}

/// An integer of at most 18 digits.
#[inline]
fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    if digits.len() > 18 {
        return None;
    }
    let value = digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some(if negative { -value } else { value })
}

/// A number of at most 15 digits without an exponent, which a double keeps exactly.
///
/// Both the digits and the power of ten are doubles without rounding, so that their quotient is rounded
/// once, as it should be (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990).
#[inline]
fn double(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    if digits.len() > 16 {
        return None;
    }
    let (mut all, mut count, mut behind) = (0u64, 0, None);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                all = all * 10 + u64::from(byte - b'0');
                count += 1;
            }
            b'.' => behind = Some(count),
            _ => return None,
        }
    }
    if count > 15 {
        return None;
    }
    let value = all as f64 / POWERS_OF_TEN.get(count - behind.unwrap_or(count))?;
    Some(if negative { -value } else { value })
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// The text as digit values where the pattern has a zero, nothing where it has other bytes; none if a
/// byte is not as the pattern wants it.
#[inline]
fn met(text: &[u8], at: usize, pattern: &[u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(*text.get(at..)?.first_chunk::<8>()?);
    let values = word ^ u64::from_le_bytes(*pattern);
    // Added to a digit above 9, or to anything but the byte of the pattern, this reaches the high bit.
    let mut limit = 0u64;
    for (index, byte) in pattern.iter().enumerate() {
        limit |= (if *byte == b'0' { 0x76 } else { 0x7F }) << (index * 8);
    }
    ((values.wrapping_add(limit) | values) & (ONES * 0x80) == 0).then_some(values)
}

/// Two digits at a byte of a word of [`met`].
#[inline]
fn pair(values: u64, at: u32) -> i64 {
    let digits = values >> (at * 8);
    ((digits & 0xFF) * 10 + (digits >> 8 & 0xFF)) as i64
}

/// The count of an instant of the fixed form with so many digits of a fraction, in
/// [`Class::unit`]s; nothing for any other text.
#[inline]
pub(crate) fn instant(text: &[u8], digits: u32) -> Option<i64> {
    let date = met(text, 0, b"0000-00-")?;
    let time = met(text, 8, b"00T00:00")?;
    let (second, fraction, per_second) = match (digits, text.len()) {
        (0, 20) => (pair(met(text, 12, b"0:00:00Z")?, 5), 0, 1_000),
        (3, 24) => {
            let tail = met(text, 16, b":00.000Z")?;
            (pair(tail, 1), pair(tail, 4) * 10 + (tail >> 48 & 0xFF) as i64, 1_000)
        }
        (6, 27) => {
            let (tail, end) = (met(text, 16, b":00.0000")?, met(text, 19, b".000000Z")?);
            (pair(tail, 1), pair(end, 1) * 10_000 + pair(end, 3) * 100 + pair(end, 5), 1_000_000)
        }
        _ => return None,
    };
    let (year, month) = (pair(date, 0) * 100 + pair(date, 2), pair(date, 5));
    let (day, hour, minute) = (pair(time, 0), pair(time, 3), pair(time, 6));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = crate::time::real_day(year, month, day)?;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) * per_second + fraction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn instants_are_read_as_the_definition_reads_them(
            text in "[0-9]{2}(00|19|20|99)-[01][0-9]-[0-3][0-9][Tt ][012][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{3}|\\.[0-9]{6}|\\.[0-9]{1,7}|)[Zz+]",
            at in 0usize..27,
            byte in any::<u8>(),
            change in any::<bool>(),
        ) {
            let mut text = text.into_bytes();
            if change && at < text.len() {
                text[at] = byte;
            }
            let instant_of = Instant::parse(&text);
            let form = instant_of.as_ref().and_then(Instant::fixed_form);
            for digits in [0, 3, 6] {
                let expected = (form == Some(digits))
                    .then(|| instant_of.and_then(|found| found.count(Class::unit(digits))))
                    .flatten();
                prop_assert_eq!(instant(&text, digits), expected);
            }
        }

        #[test]
        fn doubles_are_taken_only_where_they_are_exact(
            text in "-?(0|[1-9][0-9]{0,16})(\\.[0-9]{1,17})?([eE][+-]?[0-9]{1,3})?",
        ) {
            if let Some(value) = double(text.as_bytes()) {
                let number = crate::decimal::Decimal::parse(text.as_bytes()).unwrap();
                prop_assert!(number.is_exact_f64());
                prop_assert_eq!(number.to_f64(), value);
            }
        }
    }
}
