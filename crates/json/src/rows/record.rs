//! One record as one row: its key, its order and all the rest as bytes that compare as the records do.
//!
//! What a row is, [`RowParts`] says.
//!
//! A record changes what is known of the columns only once it is accepted: facts are written to a
//! journal first. Members outside a declared struct are a matter of `extra`.
//!
//! One walk over a record that fills a dozen buffers, which are kept from record to record, and so one file:
//! parts of it would be handed all of them.

use distil_plan::{Cancel, ColumnPath, ExtraMembers, NullKeys, Origin, Reason, Type};

use crate::parse::tape::{Kind, Node, Tape};
use crate::rows::declared::{self, Converted, Reading};
use crate::rows::extra::extra_member;
use crate::rows::parts::{NullKey, RowParts};
use crate::rows::places::Places;
use crate::rows::respelled::stands_for_null;
use crate::rows::sink::EncodedRow;
use crate::rows::tally::RecordTally;
use crate::rows::value::{DuplicateMember, ValueEncoder, name_text, scalar};
use crate::types::facts::{
    Bits, Digits, Position, earlier, fact, kind_of, number_facts, string_facts,
};
use crate::types::fields::{Declared, EXTRA, FieldId, Fields, MOST_LEFT, ROOT, Role};
use crate::types::sort_column::SortColumn;
use crate::types::spelled::Respelling;
use crate::types::survey::Sample;
use crate::values::encoding::{self, Flip};
use crate::values::spelled::{MOST_BYTES, Spelled};

/// Why a record is bad.
pub(crate) struct Bad {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
    /// The first byte that does not fit, where one can be named.
    pub(crate) at: Option<usize>,
}

impl Bad {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), at: None }
    }

    /// Names the byte that does not fit.
    pub(crate) fn at(self, at: usize) -> Self {
        Self { at: Some(at), ..self }
    }
}

impl From<NullKey> for Bad {
    fn from(NullKey(detail): NullKey) -> Self {
        Self::new(Reason::NullKey, detail)
    }
}

impl From<DuplicateMember> for Bad {
    fn from(DuplicateMember { name, at }: DuplicateMember) -> Self {
        let name = ColumnPath::name(String::from_utf8_lossy(&name)).to_string();
        let detail = format!("the member {} occurs twice", shown(&name));
        Self::new(Reason::DuplicateMember, detail).at(at)
    }
}

/// Most characters of a name or value that a detail quotes.
const MOST_SHOWN: usize = 60;

/// The beginning of a text that is quoted.
fn shown(text: &str) -> String {
    let mut begun: String = text.chars().take(MOST_SHOWN).collect();
    if begun.len() < text.len() {
        begun.push('…');
    }
    begun
}

/// A field that is not in the tree: the value is kept, but nothing is noted of it.
const UNTRACKED: FieldId = FieldId::MAX;
/// A member outside a declared struct.
const OUTSIDE: FieldId = FieldId::MAX - 1;

/// How the members of the last objects of a field were named, and what followed from that.
#[derive(Default)]
struct Expectation {
    /// The names as spelled, one after another, and where each ends.
    names: Vec<u8>,
    ends: Vec<u32>,
    fields: Vec<FieldId>,
    /// Ordinals of the members in the order of their names.
    order: Vec<u32>,
}

/// Steps within a record between two looks at whether the run was asked to stop.
const STEPS: u64 = 1 << 15;

/// Records of one source take few forms; more of them are looked up each time.
const EXPECTATIONS: usize = 4;

enum Work {
    Value(u32, FieldId),
    Member(u32, FieldId),
    EndList,
    EndObject,
}

/// Encodes records and notes facts.
pub(crate) struct RecordEncoder {
    pub(crate) fields: Fields,
    parts: RowParts,
    rest_flip: Flip,
    expected: Vec<Vec<Expectation>>,
    /// Objects whose expectations the record at hand added to.
    learned: Vec<FieldId>,
    pub(crate) values: ValueEncoder,
    work: Vec<Work>,
    members: Vec<u32>,
    journal: Vec<(FieldId, Bits, u32)>,
    /// The strings of key and order columns of which it matters what they spell, one after another; for
    /// each string of such a column where it ends, if it is one of them, else where the one before does.
    sort_texts: Vec<u8>,
    sort_ends: Vec<(FieldId, usize)>,
    /// The kind of each value that is counted.
    counted: Vec<(FieldId, usize)>,
    /// Digits of numbers, where a column had fewer.
    digits: Vec<(FieldId, Digits)>,
    pub(super) respelled: Vec<(FieldId, Respelling, u32)>,
    /// What values are, and whether each is a string, and one that may stand for null.
    pub(super) samples: Vec<(FieldId, Sample, bool, bool)>,
    /// Whether values must be spelled as their declared type is.
    pub(super) strict: bool,
    pub(super) tally: RecordTally,
    /// Tallies of accepted records.
    pub(crate) total: RecordTally,
    /// The first record that was bad for nothing but a null in its key.
    pub(crate) null_key: Option<Position>,
    pub(super) text: Vec<u8>,
    /// The tape of JSON text within a string.
    pub(super) inner: Tape,
    /// Where records lie, if that is a matter of the plan.
    pub(crate) places: Option<Box<Places>>,
    row: Vec<u8>,
    key_length: usize,
    value_bytes: u64,
    /// Asks for the end of a long record.
    pub(crate) cancel: Cancel,
}

impl RecordEncoder {
    pub(crate) fn new(
        fields: Fields,
        sort_columns: Vec<SortColumn>,
        rest_reversed: bool,
        null_keys: NullKeys,
        strict: bool,
    ) -> Self {
        Self {
            fields,
            parts: RowParts::new(sort_columns, null_keys),
            rest_flip: Flip::reversed(rest_reversed),
            expected: Vec::new(),
            learned: Vec::new(),
            values: ValueEncoder::default(),
            work: Vec::new(),
            members: Vec::new(),
            journal: Vec::new(),
            sort_texts: Vec::new(),
            sort_ends: Vec::new(),
            counted: Vec::new(),
            digits: Vec::new(),
            respelled: Vec::new(),
            samples: Vec::new(),
            strict,
            tally: RecordTally::default(),
            total: RecordTally::default(),
            null_key: None,
            text: Vec::new(),
            inner: Tape::default(),
            places: None,
            row: Vec::new(),
            key_length: 0,
            value_bytes: 0,
            cancel: Cancel::new(),
        }
    }

    /// The row of the record encoded last.
    pub(crate) fn row(&self) -> EncodedRow<'_> {
        let value_bytes = self.value_bytes + self.values.value_bytes;
        EncodedRow {
            bytes: &self.row,
            key_length: self.key_length,
            value_bytes: u32::try_from(value_bytes).unwrap_or(u32::MAX),
            origin: self.places.as_ref().map(|places| places.origin),
        }
    }

    /// Encodes the object on the tape, which begins at `position`.
    ///
    /// # Errors
    /// The first reason that holds, in the order of the contract.
    pub(crate) fn encode(
        &mut self,
        tape: &Tape,
        bytes: &[u8],
        position: Position,
    ) -> Result<(), Bad> {
        self.journal.clear();
        self.sort_texts.clear();
        self.sort_ends.clear();
        self.counted.clear();
        self.digits.clear();
        self.respelled.clear();
        self.samples.clear();
        self.tally = RecordTally::default();
        self.value_bytes = 0;
        self.values.value_bytes = 0;
        self.row.clear();
        self.parts.clear();
        let known = self.fields.count();
        self.learned.clear();
        if let Some(places) = &mut self.places {
            places.origin = Origin { input: position.input, offset: position.offset };
        }
        let mut rest = std::mem::take(&mut self.row);
        let done = self.object(tape, bytes, &mut rest);
        if let Some(places) = &self.places {
            places.fill(&mut self.parts);
        }
        let assembled = done.and_then(|()| self.parts.assemble(rest).map_err(Bad::from));
        match assembled {
            Ok((row, key_length)) => {
                (self.row, self.key_length) = (row, key_length);
                self.accept(position);
                Ok(())
            }
            Err(bad) => {
                let bad = self.first_reason(tape, bytes, position, bad);
                // A misspelled key is a null key: then the columns that there are can be named.
                if bad.reason != Reason::NullKey || self.fields.count() > MOST_LEFT {
                    self.forget(known);
                }
                Err(bad)
            }
        }
    }

    /// Takes back the fields that a bad record added, and the expectations with them.
    fn forget(&mut self, known: usize) {
        if self.fields.count() == known {
            return;
        }
        for id in self.learned.drain(..) {
            if let Some(expectations) = self.expected.get_mut(id as usize) {
                expectations.clear();
            }
        }
        self.expected.truncate(known);
        self.fields.forget_from(known);
    }

    fn accept(&mut self, position: Position) {
        for (id, bits, ordinal) in self.journal.drain(..) {
            self.fields.get_mut(id).facts.note(bits, Position { ordinal, ..position });
        }
        for (id, kind) in self.counted.drain(..) {
            if let Some(count) = self.fields.get_mut(id).facts.counts.get_mut(kind) {
                *count += 1;
            }
        }
        for (id, digits) in self.digits.drain(..) {
            self.fields.get_mut(id).facts.digits.join(digits);
        }
        let mut start = 0;
        for (id, end) in self.sort_ends.drain(..) {
            let spelled = self.sort_texts.get(start..end).and_then(Spelled::read);
            self.fields.get_mut(id).facts.text_order.note(spelled.as_ref());
            start = end;
        }
        for (id, respelling, ordinal) in self.respelled.drain(..) {
            let respelled = &mut self.fields.get_mut(id).facts.respelled;
            respelled.note(respelling, Position { ordinal, ..position });
        }
        for (id, sample, is_string, is_null_text) in self.samples.drain(..) {
            let survey = self.fields.get_mut(id).facts.survey.get_or_insert_default();
            survey.note(sample, is_string, is_null_text);
        }
        self.total.add(&self.tally);
    }

    /// A record may be bad for several reasons: finds the one that comes first.
    fn first_reason(&mut self, tape: &Tape, bytes: &[u8], position: Position, bad: Bad) -> Bad {
        if bad.reason == Reason::NullKey {
            for (id, ..) in &self.journal {
                let field = self.fields.get_mut(*id);
                field.seen = earlier(field.seen, Some(position));
            }
        }
        if let Err(duplicate) = self.values.check_duplicates(tape, bytes, 0) {
            return duplicate.into();
        }
        if bad.reason > Reason::NameClash
            && let Some(clash) = self.find_place_clash(tape, bytes)
        {
            return clash;
        }
        if bad.reason > Reason::ExtraMember
            && self.fields.extra_members != ExtraMembers::Ignore
            && let Some(extra) = self.find_extra(tape, bytes, 0, ROOT, false)
        {
            return extra;
        }
        if bad.reason == Reason::NullKey {
            self.null_key = earlier(self.null_key, Some(position));
        }
        bad
    }

    /// Encodes the record's members, iteratively over all levels.
    fn object(&mut self, tape: &Tape, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
        let flip = self.rest_flip;
        let nodes = tape.nodes();
        self.work.clear();
        self.members(tape, bytes, 0, ROOT)?;
        let mut list_depth = 0usize;
        let extra =
            if self.fields.keeps_extra { self.extra_of(tape, bytes, flip)? } else { Vec::new() };
        let mut extra_due = !extra.is_empty();
        let mut steps = 0u64;
        while let Some(work) = self.work.pop() {
            steps += 1;
            self.look_up(steps)?;
            let (index, id) = match work {
                Work::EndList => {
                    encoding::end_list(out, flip);
                    list_depth -= 1;
                    continue;
                }
                Work::EndObject => {
                    if extra_due && self.work.is_empty() {
                        out.extend_from_slice(&extra);
                    }
                    encoding::end_object(out);
                    continue;
                }
                Work::Member(value, id) => {
                    if id == UNTRACKED {
                        name_text(&nodes[value as usize - 1], bytes, &mut self.text);
                        encoding::member_name(out, &self.text);
                        (value, id)
                    } else {
                        let field = self.fields.get(id);
                        if field.level == 1 && extra_due && field.name.as_str() > EXTRA {
                            out.extend_from_slice(&extra);
                            extra_due = false;
                        }
                        match field.role {
                            Role::Rest => {}
                            Role::SortColumn(part) => {
                                self.part(tape, bytes, value, id, part as usize)?;
                                continue;
                            }
                            Role::Place => {
                                self.check_place(&nodes[value as usize], bytes, id)?;
                                continue;
                            }
                        }
                        out.extend_from_slice(&field.encoded_name);
                        (value, id)
                    }
                }
                Work::Value(value, id) => (value, id),
            };
            if id == UNTRACKED {
                self.values.encode(tape, bytes, index, out, flip)?;
                continue;
            }
            let node = &nodes[index as usize];
            let mut kind = node.kind;
            if stands_for_null(&self.fields, node, bytes, id, &mut self.text) {
                self.note_respelled(id, Respelling::Nulled, index);
                kind = Kind::Null;
            }
            match (&self.fields.get(id).declared, kind) {
                (_, Kind::Null) => {
                    self.note(id, fact::NULL, index);
                    encoding::null(out);
                }
                (Declared::Open | Declared::List, Kind::List) => {
                    self.note(id, fact::LIST, index);
                    if self.fields.get(id).declared == Declared::Open && !self.fields.nests(id) {
                        self.values.encode(tape, bytes, index, out, flip)?;
                        continue;
                    }
                    encoding::begin_list(out, flip);
                    list_depth += 1;
                    let element = self.fields.element_or_new(id);
                    self.work.push(Work::EndList);
                    let first = self.work.len();
                    let mut child = index + 1;
                    while child < node.next {
                        self.work.push(Work::Value(child, element));
                        child = nodes[child as usize].next;
                    }
                    self.work[first..].reverse();
                }
                (Declared::Open | Declared::Struct | Declared::OpenStruct, Kind::Object) => {
                    let members = if node.next > index + 1 { fact::MEMBERS } else { 0 };
                    self.note(id, fact::OBJECT | members, index);
                    if self.fields.get(id).declared == Declared::Open && !self.fields.nests(id) {
                        self.values.encode(tape, bytes, index, out, flip)?;
                        continue;
                    }
                    encoding::begin_object(out, flip);
                    let open = self.work.len();
                    self.members(tape, bytes, index, id)?;
                    if list_depth > 0 && self.fields.extra_members == ExtraMembers::Keep {
                        self.refuse_extra_in_list(tape, bytes, index, id)?;
                    }
                    debug_assert!(self.work.len() > open);
                }
                (Declared::Open, _) => {
                    self.note_scalar(node, index, bytes, id);
                    self.value_bytes += scalar(node, bytes, out, flip, &mut self.text);
                }
                (Declared::Scalar(_), _) => self.declared(tape, bytes, index, id, out, flip)?,
                _ => return Err(self.does_not_fit(node, bytes, id)),
            }
        }
        Ok(())
    }

    /// Encodes a key or order value to its part.
    fn part(
        &mut self,
        tape: &Tape,
        bytes: &[u8],
        index: u32,
        id: FieldId,
        part: usize,
    ) -> Result<(), Bad> {
        let (out, flip) = self.parts.part(part);
        let mut out = std::mem::take(out);
        let node = &tape.nodes()[index as usize];
        let done = match (&self.fields.get(id).declared, node.kind) {
            (Declared::Scalar(_), _) => self.declared(tape, bytes, index, id, &mut out, flip),
            (_, Kind::List | Kind::Object) => {
                // No key: the run will be refused once all facts are in, unless the record is bad.
                let bits =
                    if node.kind == Kind::List { fact::LIST } else { fact::OBJECT | fact::MEMBERS };
                self.note(id, bits, index);
                self.values.encode(tape, bytes, index, &mut out, flip).map_err(Bad::from)
            }
            _ => {
                self.note_scalar(node, index, bytes, id);
                self.value_bytes += scalar(node, bytes, &mut out, flip, &mut self.text);
                Ok(())
            }
        };
        *self.parts.part(part).0 = out;
        done
    }

    /// Notes a value, and facts that are new, for when the record is accepted.
    #[inline]
    fn note(&mut self, id: FieldId, bits: Bits, ordinal: u32) {
        if let Some(kind) = kind_of(bits) {
            self.counted.push((id, kind));
        }
        if bits & !self.fields.get(id).facts.bits != 0 {
            self.journal.push((id, bits, ordinal));
        }
    }

    fn note_scalar(&mut self, node: &Node, index: u32, bytes: &[u8], id: FieldId) {
        let field = self.fields.get(id);
        let bits = match node.kind {
            Kind::Null => fact::NULL,
            Kind::False | Kind::True => fact::BOOLEAN,
            Kind::Integer | Kind::Fraction => {
                let (bits, digits) = number_facts(node, bytes);
                if !digits.is_within(field.facts.digits) {
                    self.digits.push((id, digits));
                }
                bits
            }
            // Text stays text whatever comes; only keys and orders need to know more.
            Kind::String if field.role == Role::Rest && field.facts.bits & fact::TEXT != 0 => {
                fact::TEXT
            }
            Kind::String => {
                let text = if node.escaped {
                    name_text(node, bytes, &mut self.text);
                    &self.text
                } else {
                    node.text(bytes)
                };
                let (bits, is_instant) = string_facts(text);
                if let Role::SortColumn(part) = field.role {
                    // Of a key column only instants matter, and long strings spell nothing.
                    let matters = is_instant || !self.parts.is_key(part as usize);
                    if matters && text.len() <= MOST_BYTES {
                        self.sort_texts.extend_from_slice(text);
                    }
                    self.sort_ends.push((id, self.sort_texts.len()));
                }
                bits
            }
            Kind::List => fact::LIST,
            Kind::Object => fact::OBJECT,
        };
        if self.fields.surveys(id) {
            self.survey(node, bits, bytes, id);
        }
        self.note(id, bits, index);
    }

    fn declared(
        &mut self,
        tape: &Tape,
        bytes: &[u8],
        index: u32,
        id: FieldId,
        out: &mut Vec<u8>,
        flip: Flip,
    ) -> Result<(), Bad> {
        let node = &tape.nodes()[index as usize];
        self.note(id, fact::NULL, index);
        let Declared::Scalar(data_type) = &self.fields.get(id).declared else { return Ok(()) };
        if *data_type == Type::Json {
            return Ok(self.values.encode(tape, bytes, index, out, flip)?);
        }
        if *data_type == Type::JsonText {
            return self.json_text((tape, bytes), index, id, (out, flip));
        }
        let reading = Reading {
            data_type,
            instants: self.fields.get(id).instants.as_deref(),
            strict: self.strict,
        };
        match declared::declared(reading, node, bytes, out, flip, &mut self.text) {
            Ok(Converted { rounded, respelled, value_bytes }) => {
                self.value_bytes += value_bytes;
                self.tally.rounded += u64::from(rounded);
                if respelled {
                    self.note_respelled(id, Respelling::Converted, index);
                }
                Ok(())
            }
            Err(declared::DoesNotFit) => Err(self.does_not_fit(node, bytes, id)),
        }
    }

    pub(super) fn does_not_fit(&self, node: &Node, bytes: &[u8], id: FieldId) -> Bad {
        let field = self.fields.get(id);
        let expected = match &field.declared {
            Declared::Scalar(data_type) => data_type.to_string(),
            Declared::List => "a list".to_owned(),
            _ => "an object".to_owned(),
        };
        let found = match node.kind {
            Kind::List => "a list".to_owned(),
            Kind::Object => "an object".to_owned(),
            _ => {
                let quote = if node.kind == Kind::String { "\"" } else { "" };
                let text = shown(&String::from_utf8_lossy(node.text(bytes)));
                format!("{quote}{text}{quote}")
            }
        };
        let name = if field.name.is_empty() {
            "an element".to_owned()
        } else {
            ColumnPath::name(&field.name).to_string()
        };
        let quote = usize::from(node.kind == Kind::String);
        Bad::new(Reason::BadValue, format!("{name}: expected {expected}, found {found}"))
            .at(node.start as usize - quote)
    }

    /// Looks now and then whether the run was asked to stop.
    ///
    /// # Errors
    /// Any; whoever gets it looks at the flag.
    #[inline]
    fn look_up(&self, step: u64) -> Result<(), Bad> {
        if step % STEPS == STEPS - 1 && self.cancel.check().is_err() {
            return Err(Bad::new(Reason::TooLarge, ""));
        }
        Ok(())
    }

    /// Pushes the members of an object, in the order of their names, and the end of the object below
    /// them.
    fn members(&mut self, tape: &Tape, bytes: &[u8], object: u32, id: FieldId) -> Result<(), Bad> {
        if self.expected.len() <= id as usize {
            self.expected.resize_with(id as usize + 1, Vec::new);
        }
        self.work.push(Work::EndObject);
        let known = self.expected[id as usize].iter().position(|expectation| {
            meets(expectation, tape.nodes(), bytes, object, &mut self.members)
        });
        match known {
            Some(0) => {}
            Some(at) => self.expected[id as usize].swap(0, at),
            None => {
                self.learned.push(id);
                let expectation = self.learn(tape, bytes, object, id)?;
                let list = &mut self.expected[id as usize];
                list.truncate(EXPECTATIONS - 1);
                list.insert(0, expectation);
            }
        }
        let nodes = tape.nodes();
        let expectation = &self.expected[id as usize][0];
        for &ordinal in expectation.order.iter().rev() {
            let (value, field) =
                (self.members[ordinal as usize], expectation.fields[ordinal as usize]);
            let node = &nodes[value as usize];
            let mut null = node.kind == Kind::Null;
            if field < OUTSIDE && stands_for_null(&self.fields, node, bytes, field, &mut self.text)
            {
                self.tally.nulled += 1;
                self.respelled.push((field, Respelling::Nulled, value));
                null = true;
            }
            match field {
                OUTSIDE if null => {}
                OUTSIDE if self.fields.extra_members == ExtraMembers::Keep => {}
                OUTSIDE if self.fields.extra_members == ExtraMembers::Ignore => {
                    self.values.check_duplicates(tape, bytes, value)?;
                    self.tally.ignored_members += 1;
                }
                OUTSIDE => {
                    let name = &nodes[value as usize - 1];
                    name_text(name, bytes, &mut self.text);
                    return Err(extra_member(&String::from_utf8_lossy(&self.text), name));
                }
                UNTRACKED if null => {}
                _ if null => self.journal.push((field, fact::NULL, value)),
                _ => self.work.push(Work::Member(value, field)),
            }
        }
        Ok(())
    }

    /// Looks the members of an object up by name.
    fn learn(
        &mut self,
        tape: &Tape,
        bytes: &[u8],
        object: u32,
        id: FieldId,
    ) -> Result<Expectation, Bad> {
        let nodes = tape.nodes();
        let mut expectation = Expectation::default();
        let mut names: Vec<(String, u32)> = Vec::new();
        self.members.clear();
        let mut child = object + 1;
        while child < nodes[object as usize].next {
            let name = &nodes[child as usize];
            expectation.names.extend_from_slice(name.text(bytes));
            expectation.ends.push(expectation.names.len() as u32);
            name_text(name, bytes, &mut self.text);
            names.push((String::from_utf8_lossy(&self.text).into_owned(), names.len() as u32));
            self.members.push(child + 1);
            child = nodes[child as usize + 1].next;
        }
        let closed = self.fields.get(id).declared == Declared::Struct;
        for (step, (name, _)) in names.iter().enumerate() {
            self.look_up(step as u64)?;
            expectation.fields.push(
                if closed || (id == ROOT && self.fields.keeps_extra && name == EXTRA) {
                    self.fields.child(id, name).unwrap_or(OUTSIDE)
                } else {
                    self.fields.child_or_new(id, name).unwrap_or(UNTRACKED)
                },
            );
        }
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let (name, ordinal) = &pair[1];
            let node = &nodes[self.members[*ordinal as usize] as usize - 1];
            return Err(DuplicateMember::of(name.as_bytes(), node).into());
        }
        expectation.order = names.into_iter().map(|(_, ordinal)| ordinal).collect();
        Ok(expectation)
    }
}

/// Whether the object's members are named as expected; if so, their values' nodes are in `members`.
fn meets(
    expectation: &Expectation,
    nodes: &[Node],
    bytes: &[u8],
    object: u32,
    members: &mut Vec<u32>,
) -> bool {
    members.clear();
    let mut start = 0usize;
    let mut child = object + 1;
    let next = nodes[object as usize].next;
    for &end in &expectation.ends {
        if child >= next {
            return false;
        }
        let expected = &expectation.names[start..end as usize];
        if nodes[child as usize].text(bytes) != expected {
            return false;
        }
        members.push(child + 1);
        child = nodes[child as usize + 1].next;
        start = end as usize;
    }
    child == next
}
