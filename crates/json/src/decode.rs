//! Slices of whole frames to rows.

mod mend;
mod text;

use std::sync::Arc;

use distil_plan::{
    Cancel, Error, HiveColumn, Input, Plan, Reason, Repairs, ResolvedPlan, Result, hive_columns,
};

use self::text::Text;
use crate::frame::framer::too_large_detail;
use crate::frame::list::{FrameList, Frames};
use crate::packed::dictionary::Dictionary;
use crate::packed::layout::PackedLayout;
use crate::packed::packer::Packer;
use crate::parse::flaw::describe;
use crate::parse::scan::FrameScan;
use crate::parse::tape::{Flaw, Kind, Tape};
use crate::rewrite::{Merger, Rewritten, trim};
use crate::rows::places::Places;
use crate::rows::record::{Bad, RecordEncoder};
use crate::rows::sink::Sink;
use crate::rows::value::write_string;
use crate::seen::Seen;
use crate::types::facts::Position;
use crate::types::fields::Fields;
use crate::types::sort_column::SortColumn;

/// Whole frames of one input.
#[derive(Clone, Copy, Debug)]
pub struct FrameSlice<'a> {
    /// Ordinal of the input.
    pub input: usize,
    /// Offset of the first byte.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Where the frames are.
    pub frames: &'a Frames,
}

/// Decodes slices, in any order, and knows what it saw of the columns.
pub struct Decoder {
    sort_columns: Vec<SortColumn>,
    encoder: RecordEncoder,
    tape: Tape,
    repairs: Repairs,
    /// The tape of a mended record.
    mended: Tape,
    packer: Option<Packer>,
    /// The members that all records of an input get from its directories, by the ordinal of the input.
    hive: Arc<[Vec<u8>]>,
    rewritten: Rewritten,
    merger: Merger,
    max_record: u64,
    cancel: Cancel,
    /// The latest position noted, and what was seen before positions went back.
    latest: Option<(usize, u64)>,
    earlier: Option<Fields>,
}

impl Decoder {
    /// A decoder for a plan.
    ///
    /// # Errors
    /// A usage error if a column that the plan names can't be there.
    pub fn new(plan: &Plan) -> Result<Self> {
        let (sort_columns, rest_reversed) = SortColumn::of(plan.dedup.as_ref());
        let null_keys = plan.dedup.as_ref().map(|dedup| dedup.null_keys).unwrap_or_default();
        let (schema, extra_members) = (&plan.schema, plan.extra_members);
        let fields =
            Fields::new(schema, extra_members, &plan.null_text, &sort_columns, plan.origin)?;
        let strict = plan.strict_types;
        Ok(Self {
            encoder: RecordEncoder::new(
                fields,
                sort_columns.clone(),
                rest_reversed,
                null_keys,
                strict,
            ),
            sort_columns,
            tape: Tape::default(),
            repairs: plan.repair.clone(),
            mended: Tape::default(),
            packer: None,
            hive: Arc::default(),
            rewritten: Rewritten::default(),
            merger: Merger::default(),
            max_record: plan.max_record,
            cancel: Cancel::new(),
            latest: None,
            earlier: None,
        })
    }

    /// Expects records that fit a layout, and packs them if it does, while the dictionaries need no more than
    /// `dictionary_bytes` together.
    #[must_use]
    pub fn expecting(mut self, layout: Option<&Arc<PackedLayout>>, dictionary_bytes: u64) -> Self {
        self.packer = layout.map(|layout| Packer::new(Arc::clone(layout), dictionary_bytes));
        self
    }

    /// Knows the inputs of the plan, which it must where these give something to their records.
    ///
    /// # Errors
    /// An input error if directories of an input give one column twice.
    pub fn of_inputs(mut self, plan: &ResolvedPlan) -> Result<Self> {
        if plan.plan.hive {
            let members =
                plan.inputs.iter().map(|input| Ok(members(&hive_columns(&input.display())?)));
            self.hive = members.collect::<Result<_>>()?;
        }
        if plan.plan.origin {
            let files = plan.inputs.iter().map(Input::display).collect();
            self.encoder.places = Some(Box::new(Places::new(files, &self.sort_columns)));
        }
        Ok(self)
    }

    /// Counts the values of inferred columns by what they are, for [`Seen::fixes`] and
    /// [`Seen::null_text_columns`]. Records must not be expected then.
    #[must_use]
    pub fn surveying(mut self, plan: &Plan) -> Self {
        self.encoder.fields.survey(&plan.null_text);
        self
    }

    /// Looks at this flag within long records: a run that is cancelled need not end them.
    #[must_use]
    pub fn stopped_by(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self.encoder.cancel = cancel.clone();
        self
    }

    /// Decodes a slice; returns how many records it has, bad ones included.
    ///
    /// # Errors
    /// Those of the sink; that of the cancelled run.
    pub fn decode(&mut self, slice: &FrameSlice<'_>, sink: &mut impl Sink) -> Result<u64> {
        self.begin(slice);
        let text = Text::of(slice);
        let hive = Arc::clone(&self.hive);
        if let Some(added) = hive.get(slice.input).filter(|added| !added.is_empty()) {
            return match slice.frames {
                Frames::Lines => self.rewritten_lines(&text, added, sink),
                Frames::Blanks => {
                    let list = FrameList::whole(text.bytes.len(), added);
                    self.rewritten(&text, &list, sink)
                }
                Frames::Listed(list) => self.rewritten(&text, &list.with(added), sink),
            };
        }
        match slice.frames {
            Frames::Lines => self.rows(&text, [(0, text.bytes.len())], true, sink),
            Frames::Blanks => self.rows(&text, [(0, text.bytes.len())], false, sink),
            Frames::Listed(list) if list.added.is_empty() => {
                self.rows(&text, list.rows.iter().map(|row| (row.start, row.end)), false, sink)
            }
            Frames::Listed(list) => self.rewritten(&text, list, sink),
        }
    }

    /// Decodes the frames in ranges of text.
    fn rows(
        &mut self,
        text: &Text<'_>,
        rows: impl IntoIterator<Item = (usize, usize)>,
        on_lines: bool,
        sink: &mut impl Sink,
    ) -> Result<u64> {
        let mut records = 0;
        for row in rows {
            records += self.frames(text, row, on_lines, sink)?;
        }
        self.flush(text, sink)?;
        Ok(records)
    }

    /// Decodes records that get members added.
    fn rewritten(
        &mut self,
        slice: &Text<'_>,
        list: &FrameList,
        sink: &mut impl Sink,
    ) -> Result<u64> {
        let mut rewritten = std::mem::take(&mut self.rewritten);
        rewritten.fill(slice.source, list);
        let placed = Some((rewritten.places.as_slice(), list.added.as_slice()));
        let text = Text { bytes: &rewritten.text, placed, ..*slice };
        let end = text.bytes.len();
        let records = self.rows(&text, [(0, end)], false, sink);
        self.rewritten = rewritten;
        records
    }

    /// Decodes records on lines that all get the same members.
    fn rewritten_lines(
        &mut self,
        slice: &Text<'_>,
        added: &[u8],
        sink: &mut impl Sink,
    ) -> Result<u64> {
        let mut rewritten = std::mem::take(&mut self.rewritten);
        rewritten.fill_lines(slice.source, added);
        let placed = Some((rewritten.places.as_slice(), added));
        let text = Text { bytes: &rewritten.text, placed, ..*slice };
        let records = self.rows(&text, [(0, text.bytes.len())], true, sink);
        self.rewritten = rewritten;
        records
    }

    /// Decodes the frames in a range of text, on lines or with blanks between them. Those that were expected may
    /// be in the block still.
    fn frames(
        &mut self,
        text: &Text<'_>,
        (mut at, end_of_all): (usize, usize),
        on_lines: bool,
        sink: &mut impl Sink,
    ) -> Result<u64> {
        let bytes = &text.bytes[..end_of_all];
        // One check for all of it: records are looked at singly only if it fails.
        let utf8 = simdutf8::basic::from_utf8(&bytes[at..]).is_ok();
        let mut records = 0;
        loop {
            if !on_lines {
                while let Some(b' ' | b'\t' | b'\n' | b'\r' | b',') = bytes.get(at) {
                    at += 1;
                }
            }
            if utf8 && let Some(next) = self.expected(text, at, (end_of_all, on_lines), sink)? {
                records += 1;
                at = next;
                continue;
            }
            if at >= bytes.len() {
                return Ok(records);
            }
            self.flush(text, sink)?;
            let (start, end, next) = if on_lines {
                let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
                let (start, last) = trim(bytes, at, end);
                at = (end + 1).min(bytes.len());
                if start == last {
                    continue;
                }
                (start, last, at)
            } else {
                // A value that parses ends where its frame does, unless it is a scalar.
                let composite = matches!(bytes[at], b'{' | b'[');
                if composite && let Ok(end) = self.tape.parse(bytes, at) {
                    records += 1;
                    self.take(text, (at, end), utf8, sink)?;
                    at = end;
                    continue;
                }
                let end = FrameScan::default().advance(bytes, at).unwrap_or(bytes.len());
                (at, end, end)
            };
            records += 1;
            at = next;
            match self.tape.parse_frame(bytes, start, end) {
                _ if self.is_too_large(text, start, end) => {
                    sink.bad(text.bad_part(start, end, self.too_large()))?;
                }
                Ok(()) => self.take(text, (start, end), utf8, sink)?,
                Err(flaw) => match self.mend(text, (start, end), sink)? {
                    Some(Encoded::Mended) => self.hand_on(sink)?,
                    Some(_) => {}
                    None => {
                        let bad = flawed(bytes, (start, end), &flaw, utf8);
                        sink.bad(text.bad_part(start, end, bad))?;
                    }
                },
            }
        }
    }

    /// Takes the record at `at` into the block, if it is as expected: where the next one begins.
    #[inline]
    fn expected(
        &mut self,
        text: &Text<'_>,
        at: usize,
        (end_of_all, on_lines): (usize, bool),
        sink: &mut impl Sink,
    ) -> Result<Option<usize>> {
        let Some(packer) = &mut self.packer else { return Ok(None) };
        if packer.is_full() {
            self.flush(text, sink)?;
        }
        let Some(packer) = &mut self.packer else { return Ok(None) };
        let bytes = &text.bytes[..end_of_all];
        let Some(end) = packer.match_at(bytes, at, on_lines) else { return Ok(None) };
        let next = match (on_lines, &bytes[end..]) {
            (false, _) | (true, []) => Some(end),
            (true, [b'\n', ..]) => Some(end + 1),
            (true, [b'\r', b'\n', ..]) => Some(end + 2),
            _ => None,
        };
        // What is added makes a record longer, and no smaller one too large.
        let is_long = (end - at) as u64 > self.max_record;
        if next.is_none() || is_long {
            packer.unmatch();
            return Ok(None);
        }
        Ok(next)
    }

    /// Hands on the records that were expected.
    fn flush(&mut self, text: &Text<'_>, sink: &mut impl Sink) -> Result<()> {
        let Some(mut packer) = self.packer.take_if(|packer| !packer.is_empty()) else {
            return Ok(());
        };
        packer.convert(text.bytes, &self.encoder.fields);
        packer.count(text.bytes, &mut self.encoder.fields);
        let notes = packer.notes(text.bytes, &self.encoder.fields);
        let mut notes = notes.into_iter().peekable();
        if notes.peek().is_some() || packer.records().any(|(.., rejected)| rejected) {
            let records: Vec<_> = packer.records().collect();
            for (record, (start, end, rejected)) in records.into_iter().enumerate() {
                while let Some(note) = notes.next_if(|note| note.record == record) {
                    let offset = text.offset_of(start);
                    let position =
                        Position { input: text.input as u32, offset, ordinal: note.ordinal };
                    self.encoder.fields.get_mut(note.field).facts.note(note.bits, position);
                }
                if rejected {
                    let parsed = self.tape.parse_frame(text.bytes, start, end);
                    parsed.map_err(|_| Error::bug("a record that was expected does not parse"))?;
                    if self.encode(text, (start, end), true, sink)? != Encoded::Bad {
                        packer.hand_on(&self.encoder, sink)?;
                    }
                }
            }
        }
        packer.hand_on_block(text.bytes, sink)?;
        self.packer = Some(packer);
        Ok(())
    }

    /// Takes the record on the tape, and learns from it what to expect. No record is met that is not
    /// handed on.
    fn take(
        &mut self,
        text: &Text<'_>,
        frame: (usize, usize),
        utf8: bool,
        sink: &mut impl Sink,
    ) -> Result<()> {
        match self.encode(text, frame, utf8, sink)? {
            Encoded::Bad => return Ok(()),
            // The tape is not that of the row.
            Encoded::Mended => {}
            Encoded::Whole => {
                if let Some(packer) = &mut self.packer {
                    packer.learn(&self.tape, text.bytes, &self.encoder.fields);
                }
            }
        }
        self.hand_on(sink)
    }

    /// Hands on the record that was encoded last.
    fn hand_on(&mut self, sink: &mut impl Sink) -> Result<()> {
        let encoder = &self.encoder;
        match &mut self.packer {
            None => sink.row(&encoder.row()),
            Some(packer) => packer.hand_on(encoder, sink),
        }
    }

    /// Encodes the record on the tape; the sink gets it if it is bad.
    fn encode(
        &mut self,
        text: &Text<'_>,
        (start, end): (usize, usize),
        utf8: bool,
        sink: &mut impl Sink,
    ) -> Result<Encoded> {
        if self.is_too_large(text, start, end) {
            sink.bad(text.bad_part(start, end, self.too_large()))?;
            return Ok(Encoded::Bad);
        }
        let bytes = text.bytes;
        let position =
            Position { input: text.input as u32, offset: text.offset_of(start), ordinal: 0 };
        let mut encoded = if let Some(bad) = invalid_utf8(bytes, (start, end), utf8) {
            Err(bad)
        } else if let Some(bad) = not_an_object(&self.tape, start) {
            Err(bad)
        } else {
            self.encoder.encode(&self.tape, bytes, position)
        };
        let mut became = Encoded::Whole;
        if let Err(Bad { reason: Reason::DuplicateMember, .. }) = encoded
            && let Some(placed) = text.placed(start)
        {
            let joined = self.merged(text, &placed, position);
            // A member that is there twice by itself has its place in the text at hand.
            if !matches!(joined, Err(Bad { reason: Reason::DuplicateMember, .. })) {
                encoded = joined;
                became = Encoded::Mended;
            }
        }
        match encoded {
            Ok(()) => Ok(became),
            Err(bad) => {
                // A record that was not encoded to its end is not bad.
                self.cancel.check()?;
                if bad.reason == Reason::DuplicateMember
                    && let Some(mended) = self.mend(text, (start, end), sink)?
                {
                    return Ok(mended);
                }
                sink.bad(text.bad_part(start, end, bad))?;
                Ok(Encoded::Bad)
            }
        }
    }

    /// Whether a record, without what is added to it, is longer than any may be.
    fn is_too_large(&self, text: &Text<'_>, start: usize, end: usize) -> bool {
        if (end - start) as u64 <= self.max_record {
            return false;
        }
        let (start, end) = text.source_of(start, end);
        (end - start) as u64 > self.max_record
    }

    fn too_large(&self) -> Bad {
        Bad::new(Reason::TooLarge, too_large_detail(self.max_record))
    }

    /// First positions are found by never looking back: when slices come out of order, what was seen is
    /// put aside, to be joined by minimum.
    fn begin(&mut self, slice: &FrameSlice<'_>) {
        let here = (slice.input, slice.offset);
        if self.latest.is_some_and(|latest| here < latest) {
            // The fields keep their numbers, so that what the encoder expects stays true.
            let seen = self.encoder.fields.take_facts();
            match &mut self.earlier {
                Some(earlier) => earlier.join(&seen),
                None => self.earlier = Some(seen),
            }
        }
        self.latest = Some(here);
    }

    /// The dictionaries of the rows that were packed so far.
    pub fn dictionaries(&self) -> &[Dictionary] {
        self.packer.as_ref().map_or(&[], |packer| &packer.dictionaries)
    }

    /// Ends decoding: what was seen of the columns, and the dictionaries of packed rows.
    pub fn finish(self) -> (Seen, Vec<Dictionary>) {
        let mut fields = self.encoder.fields;
        if let Some(earlier) = &self.earlier {
            fields.join(earlier);
        }
        let seen = Seen {
            fields,
            sort_columns: self.sort_columns,
            tally: self.encoder.total,
            null_key: self.encoder.null_key,
        };
        (seen, self.packer.map(|packer| packer.dictionaries).unwrap_or_default())
    }
}

/// Columns as the members of an object, with a comma after each.
fn members(columns: &[HiveColumn]) -> Vec<u8> {
    let mut text = Vec::new();
    for column in columns {
        write_string(column.name.as_bytes(), &mut text);
        text.push(b':');
        match &column.value {
            Some(value) => write_string(value.as_bytes(), &mut text),
            None => text.extend_from_slice(b"null"),
        }
        text.push(b',');
    }
    text
}

/// What became of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoded {
    Bad,
    Whole,
    /// Another text than that of the tape was encoded: mended, or joined with what the plan adds.
    Mended,
}

/// The flaw of a record that does not parse, or that of bytes before it that are no UTF-8.
fn flawed(bytes: &[u8], (start, end): (usize, usize), flaw: &Flaw, utf8: bool) -> Bad {
    let at = flaw.at.min(end);
    invalid_utf8(bytes, (start, at), utf8).unwrap_or_else(|| {
        let reason = if flaw.too_deep { Reason::TooDeep } else { Reason::InvalidJson };
        let flaw = Flaw { at: at - start, ..*flaw };
        Bad::new(reason, describe(&bytes[start..end], &flaw)).at(at)
    })
}

/// The flaw of a value that is not a record.
fn not_an_object(tape: &Tape, start: usize) -> Option<Bad> {
    let kind = tape.nodes().first().map(|node| node.kind).filter(|kind| *kind != Kind::Object)?;
    let detail = format!("the value is {}, not an object", kind.name());
    Some(Bad::new(Reason::NotAnObject, detail).at(start))
}

/// The flaw of a record that is not UTF-8.
fn invalid_utf8(bytes: &[u8], (start, end): (usize, usize), checked: bool) -> Option<Bad> {
    if checked {
        return None;
    }
    let error = std::str::from_utf8(&bytes[start..end]).err()?;
    // A character cut by the end that another flaw set is not that flaw's cause.
    error.error_len()?;
    let at = start + error.valid_up_to();
    let detail = format!("not UTF-8, perhaps Latin-1 or Windows-1252: 0x{:02X}", bytes[at]);
    Some(Bad::new(Reason::InvalidJson, detail).at(at))
}

#[cfg(test)]
mod tests;
