//! Records that are as expected, a block at a time, to packed rows, or to encoded ones where packing
//! is not possible or does not pay.
//!
//! Matching a template costs the bytes between the values; the values of a block are then converted
//! column by column, so that look-ups of one column overlap. A record with a value that does not fit
//! its column's class is rejected, and goes the way of all other records.

use std::sync::Arc;

use distil_plan::Result;

use crate::packed::dictionary::{Dictionary, Probe};
use crate::packed::layout::{Class, PackedColumn, PackedLayout, Repacked, from_f64, from_i64};
use crate::packed::template::{Span, SpanKind, Template};
use crate::parse::tape::Tape;
use crate::rows::record::RecordEncoder;
use crate::rows::sink::{EncodedRow, Sink};
use crate::types::facts::{Bits, Digits, fact, kind_of, number_facts, short_digits, string_facts};
use crate::types::fields::{FieldId, Fields};
use crate::types::text_order::TextOrder;
use crate::values::short::{double, instant, integer};
use crate::values::spelled::{Kind, Spelled};

/// Records of a block: their spans fit the first cache.
const BLOCK: usize = 256;
/// Templates that are tried; records of one source take few forms.
const TEMPLATES: usize = 4;
/// Records that are learnt from in vain before learning stops: where all differ, or have values that do
/// not fit, it costs more than it saves.
const PATIENCE: usize = 256;

/// A template, and the column of each of its slots.
struct Bound {
    template: Template,
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
    layout: Arc<PackedLayout>,
    /// Dictionaries of the columns of text.
    pub(crate) dictionaries: Vec<Dictionary>,
    /// Bytes of all dictionaries together, at most.
    dictionary_bytes: u64,
    templates: Vec<Bound>,
    last: usize,
    next: usize,
    /// For each column the field, once a template named it.
    fields: Vec<Option<FieldId>>,
    /// Whether rows are packed, since that is possible and still pays.
    packs: bool,
    /// Whether the rows of the block are.
    block_packs: bool,
    /// Records to learn from before enough others are met.
    patience: usize,
    spans: Vec<Span>,
    /// For each record of the block: where it begins and ends, its template, whether it was rejected.
    records: Vec<(u32, u32, u8, bool)>,
    rows: Vec<u64>,
    /// For each column whether the block has a null there.
    nulls: Vec<bool>,
    /// For each column how many values the block has, those of rejected records included.
    values: Vec<usize>,
    /// For each column of numbers the digits of their texts, at most.
    digits: Vec<Digits>,
    /// For each dictionary of an order column what its strings spell, once they were noted.
    noted: Vec<Vec<Noted>>,
    /// The strings of the block and column at hand.
    probes: Vec<Probe>,
    /// Records in a row that were encoded and could not be packed then.
    misfits: usize,
    /// A row that was encoded first.
    repacked: Repacked,
    /// The row at hand, encoded.
    encoded: Vec<u8>,
}

impl Packer {
    pub(crate) fn new(layout: Arc<PackedLayout>, dictionary_bytes: u64) -> Self {
        Self {
            dictionaries: if layout.packs {
                (0..layout.texts).map(|_| Dictionary::new(dictionary_bytes)).collect()
            } else {
                Vec::new()
            },
            dictionary_bytes,
            templates: Vec::new(),
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
            values: vec![0; layout.columns.len()],
            digits: vec![Digits::default(); layout.columns.len()],
            noted: vec![Vec::new(); layout.texts],
            probes: Vec::new(),
            misfits: 0,
            repacked: Repacked::default(),
            encoded: Vec::new(),
            layout,
        }
    }

    /// Meets the record that begins at `at`, on a line of its own or not: where it ends, if it is as
    /// expected.
    #[inline]
    pub(crate) fn match_at(&mut self, bytes: &[u8], at: usize, on_a_line: bool) -> Option<usize> {
        let base = self.records.len() * self.layout.columns.len();
        // The one that was met last comes first.
        let (before, after) = self.templates.split_at(self.last);
        let in_turn = (self.last..).zip(after).chain((0..).zip(before));
        for (which, bound) in in_turn {
            if on_a_line && bound.template.has_line_feed {
                continue;
            }
            let spans = &mut self.spans[base..base + self.layout.columns.len()];
            let end =
                bound.template.match_at(bytes, at, |slot, span| spans[bound.columns[slot]] = span);
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
    pub(crate) fn unmatch(&mut self) {
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
        let Some(template) = Template::learn(tape, bytes, fields) else { return };
        if self.templates.iter().any(|bound| bound.template == template) {
            return;
        }
        let mut columns = Vec::new();
        for slot in &template.slots {
            let name = &fields.get(slot.field).name;
            let Some(column) = self.layout.columns.iter().position(|c| c.name == *name) else {
                return;
            };
            self.fields[column] = Some(slot.field);
            columns.push(column);
        }
        let missing = (0..self.layout.columns.len()).filter(|c| !columns.contains(c)).collect();
        let bound = Bound { template, columns, missing };
        if self.templates.len() < TEMPLATES {
            self.last = self.templates.len();
            self.templates.push(bound);
        } else {
            self.last = self.next;
            self.templates[self.next] = bound;
            self.next = (self.next + 1) % TEMPLATES;
        }
    }

    /// Hands on the record that was encoded last: packed, if that is possible after all. A few rows that
    /// travel encoded would make all rows of their ranges do so.
    pub(crate) fn hand_on(&mut self, encoder: &RecordEncoder, sink: &mut impl Sink) -> Result<()> {
        let encoded = encoder.row();
        let (row, value_bytes) = (encoded.bytes, encoded.value_bytes);
        if self.packs && self.misfits < PATIENCE {
            self.misfits += 1;
            let dictionaries = &mut self.dictionaries;
            if self.layout.pack(row, value_bytes, dictionaries, &mut self.repacked) {
                self.misfits = 0;
                self.packs &= dictionaries.iter_mut().all(|dictionary| dictionary.pays(1));
                return sink.packed(&self.repacked.row, dictionaries);
            }
        }
        sink.row(&encoded)
    }

    /// Converts the records of the block, and finds those that do not fit.
    pub(crate) fn convert(&mut self, bytes: &[u8], fields: &Fields) {
        let count = self.records.len();
        self.block_packs = self.packs;
        self.rows.clear();
        self.rows.resize(count * self.layout.words, 0);
        let layout = Arc::clone(&self.layout);
        // What is noted of strings takes a thirtieth of this, and is not worth a string that does not fit.
        let mut held: u64 = self.dictionaries.iter().map(Dictionary::memory).sum();
        for (at, column) in layout.columns.iter().enumerate() {
            let known = self.fields[at].map_or(0, |id| fields.get(id).facts.bits);
            let key = column.key;
            let rest = column.part.is_none();
            match column.class {
                Class::Text if !self.block_packs => self.column(&layout, at, |span| {
                    let text = span.text(bytes);
                    (span.kind == SpanKind::String && is_plain(text, key, rest, known)).then_some(0)
                }),
                Class::Text => {
                    let mut dictionary = std::mem::take(&mut self.dictionaries[column.text]);
                    // A column of many strings may take what the others leave.
                    held -= dictionary.memory();
                    dictionary.limit(self.dictionary_bytes.saturating_sub(held));
                    let mut probes = std::mem::take(&mut self.probes);
                    probes.clear();
                    let spans = self.spans.iter().skip(at).step_by(layout.columns.len());
                    probes.extend(spans.take(count).map(|span| dictionary.probe(span.text(bytes))));
                    dictionary.prefetch(&mut probes);
                    let mut seen = probes.iter();
                    self.column(&layout, at, |span| {
                        let text = span.text(bytes);
                        let probe = *seen.next()?;
                        if span.kind != SpanKind::String || !is_plain(text, key, rest, known) {
                            return None;
                        }
                        dictionary.intern_probed(probe, text).map(u64::from)
                    });
                    self.packs &= dictionary.pays(count as u64);
                    self.probes = probes;
                    held += dictionary.memory();
                    self.dictionaries[column.text] = dictionary;
                }
                Class::Instant(digits) => self.column(&layout, at, |span| {
                    (span.kind == SpanKind::String)
                        .then(|| instant(span.text(bytes), digits).map(from_i64))?
                }),
                Class::Integer => {
                    let mut longest = 0;
                    self.column(&layout, at, |span| {
                        if span.kind != SpanKind::Integer {
                            return None;
                        }
                        let text = span.text(bytes);
                        longest =
                            longest.max(text.len() - usize::from(text.first() == Some(&b'-')));
                        integer(text).map(from_i64)
                    });
                    self.digits[at] = Digits::of(longest, 0);
                }
                Class::Float => {
                    let (mut whole, mut scale) = (0, 0);
                    self.column(&layout, at, |span| {
                        if !matches!(span.kind, SpanKind::Integer | SpanKind::Fraction) {
                            return None;
                        }
                        let (value, digits) = double(span.text(bytes))?;
                        whole = whole.max(digits.0);
                        scale = scale.max(digits.1);
                        Some(from_f64(value))
                    });
                    self.digits[at] = Digits::of(whole, scale);
                }
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
    fn column(
        &mut self,
        layout: &PackedLayout,
        at: usize,
        mut value: impl FnMut(&Span) -> Option<u64>,
    ) {
        let column: &PackedColumn = &layout.columns[at];
        let spans = self.spans.iter().skip(at).step_by(layout.columns.len());
        let rows = self.rows.chunks_exact_mut(layout.words);
        let mut nulls = false;
        let mut values = 0;
        for ((record, row), span) in self.records.iter_mut().zip(rows).zip(spans) {
            let set = value(span);
            nulls |= span.kind == SpanKind::Null;
            values += usize::from(set.is_some());
            record.3 |= set.is_none() && (span.is_value() || column.key);
            layout.set(row, column.slot, set);
        }
        self.nulls[at] = nulls;
        self.values[at] = values;
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
        let (.., template, _) = self.records[record];
        let ordinal = self.templates.get(usize::from(template)).and_then(|bound| {
            let slot = bound.columns.iter().position(|of| *of == column)?;
            bound.template.slots.get(slot)
        });
        ordinal.map_or(0, |slot| slot.ordinal)
    }

    /// Where the records of the block begin and end, and whether they were rejected.
    pub(crate) fn records(&self) -> impl Iterator<Item = (usize, usize, bool)> {
        self.records
            .iter()
            .map(|(start, end, _, rejected)| (*start as usize, *end as usize, *rejected))
    }

    /// Counts the values of the accepted records, their digits, and what strings of key and order columns
    /// spell.
    pub(crate) fn count(&mut self, bytes: &[u8], fields: &mut Fields) {
        let all_accepted = self.records.iter().all(|(.., rejected)| !rejected);
        for (at, column) in self.layout.columns.iter().enumerate() {
            let (Some(field), Some(kind)) = (self.fields[at], kind_of(settled(column.class)))
            else {
                continue;
            };
            let facts = &mut fields.get_mut(field).facts;
            let values =
                if all_accepted { self.values[at] } else { self.accepted_values(at).count() };
            if let Some(count) = facts.counts.get_mut(kind) {
                *count += values as u64;
            }
            match column.class {
                // Zeros at the end are digits of the text alone, so those that matter are looked at again.
                Class::Integer | Class::Float if !self.digits[at].is_within(facts.digits) => {
                    for span in self.accepted_values(at) {
                        facts.digits.join(short_digits(span.text(bytes)));
                    }
                }
                Class::Text if column.key => facts.text_order.note_many(None, values as u64),
                Class::Text if column.part.is_some() && self.block_packs => {
                    let mut noted = std::mem::take(&mut self.noted[column.text]);
                    for code in self.accepted_codes(column) {
                        let dictionary = &self.dictionaries[column.text];
                        note_once(&mut facts.text_order, &mut noted, code, dictionary);
                    }
                    self.noted[column.text] = noted;
                }
                Class::Text if column.part.is_some() => {
                    for span in self.accepted_values(at) {
                        facts.text_order.note(Spelled::read(span.text(bytes)).as_ref());
                    }
                }
                Class::Instant(digits) if column.part.is_some() => {
                    facts.text_order.note_many(Some(&Spelled::fixed(digits)), values as u64);
                }
                _ => {}
            }
        }
    }

    /// The values that accepted records of the block have in a column.
    fn accepted_values(&self, at: usize) -> impl Iterator<Item = &Span> {
        let spans = self.spans.iter().skip(at).step_by(self.layout.columns.len());
        let accepted = self.records.iter().zip(spans).filter(|((.., rejected), _)| !rejected);
        accepted.map(|(_, span)| span).filter(|span| span.is_value())
    }

    /// The codes that packed rows of accepted records have in a column of text.
    fn accepted_codes(&self, column: &PackedColumn) -> impl Iterator<Item = u32> {
        let rows = self.rows.chunks_exact(self.layout.words);
        let accepted = self.records.iter().zip(rows).filter(|((.., rejected), _)| !rejected);
        accepted.filter_map(|(_, row)| self.layout.get(row, column)).map(|code| code as u32)
    }

    /// Hands on the rows of the accepted records. The block is empty then.
    pub(crate) fn hand_on_block(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<()> {
        if self.block_packs {
            self.compact_rows();
            if !self.rows.is_empty() {
                sink.packed(&self.rows, &self.dictionaries)?;
            }
        } else {
            let spans = self.spans.chunks_exact(self.layout.columns.len());
            for ((.., rejected), spans) in self.records.iter().zip(spans) {
                if !rejected {
                    let row = &mut self.encoded;
                    let (key_length, value_bytes) = self.layout.encode_spans(spans, bytes, row);
                    let (bytes, origin) = (row.as_slice(), None);
                    sink.row(&EncodedRow { bytes, key_length, value_bytes, origin })?;
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
            self.templates.clear();
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

/// What is remembered of a string with a code: nothing, or the kind of what it spells.
type Noted = Option<Option<Kind>>;

/// Notes what the string of a code spells. It is read when it comes first; its form is known from then
/// on, wherever the facts of the decoder were put since, as all of them are joined.
#[inline]
fn note_once(order: &mut TextOrder, noted: &mut Vec<Noted>, code: u32, texts: &Dictionary) {
    let at = code as usize;
    if let Some(Some(kind)) = noted.get(at) {
        return order.note_again(*kind, 1);
    }
    if noted.len() <= at {
        noted.resize(at + 1, None);
    }
    let spelled = Spelled::read(texts.get(code));
    order.note(spelled.as_ref());
    noted[at] = Some(spelled.map(|spelled| spelled.kind));
}

/// Whether a string of a column of text is nothing but text, so far as it matters there: what is no
/// part, and has seen text, stays text whatever comes; what an order column's text spells is counted
/// with the block, but that of a key's only with the record.
#[inline]
fn is_plain(text: &[u8], key: bool, rest: bool, known: Bits) -> bool {
    if text.len() < 20 || rest && known & fact::TEXT != 0 {
        return true;
    }
    let (bits, is_instant) = string_facts(text);
    bits == fact::TEXT && !(key && is_instant)
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
        (SpanKind::Integer | SpanKind::Fraction, _) => number_facts(&span.node(), bytes).0,
        (SpanKind::String, Class::Instant(0)) => fact::SECONDS,
        (SpanKind::String, Class::Instant(3)) => fact::MILLIS,
        (SpanKind::String, Class::Instant(_)) => fact::MICROS,
        (SpanKind::String, _) => fact::TEXT,
    }
}
