//! Slices of whole frames to rows.

use std::sync::Arc;

use distil_plan::{BadPart, Cancel, Error, Plan, Reason, Repair, Repairs, Result};

use crate::frame::framer::too_large_detail;
use crate::frame::list::{FrameList, Frames};
use crate::packed::dictionary::Dictionary;
use crate::packed::layout::PackedLayout;
use crate::packed::packer::Packer;
use crate::parse::flaw::describe;
use crate::parse::repair::Mended;
use crate::parse::scan::FrameScan;
use crate::parse::tape::{Flaw, Kind, Tape};
use crate::rewrite::{Clash, Merger, Placed, Rewritten};
use crate::rows::record::{Bad, RecordEncoder, RepairTally};
use crate::rows::sink::Sink;
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

/// Text of records, and where it stands in the input.
#[derive(Clone, Copy)]
struct Text<'a> {
    input: usize,
    /// Offset of the slice.
    offset: u64,
    /// The slice.
    source: &'a [u8],
    bytes: &'a [u8],
    /// Where `bytes` come from, if they are not the slice: places in order, and what was added to all of them.
    placed: Option<(&'a [Placed], &'a [u8])>,
}

impl<'a> Text<'a> {
    fn of(slice: &FrameSlice<'a>) -> Self {
        let FrameSlice { input, offset, bytes, .. } = *slice;
        Self { input, offset, source: bytes, bytes, placed: None }
    }

    /// The frame that holds a byte, if the text is not the slice.
    fn placed(&self, at: usize) -> Option<Placed> {
        let (places, _) = self.placed?;
        let next = places.partition_point(|placed| placed.start <= at);
        places.get(next.saturating_sub(1)).copied()
    }

    /// The offset in the input of a byte.
    fn offset_of(&self, at: usize) -> u64 {
        self.offset + self.placed(at).map_or(at, |placed| placed.source_of(at)) as u64
    }

    /// What a frame got added.
    fn added_to(&self, placed: &Placed) -> &'a [u8] {
        self.placed.map_or(&[], |(_, added)| &added[placed.added.0..placed.added.1])
    }

    /// The range in the slice of a frame.
    fn source_of(&self, start: usize, end: usize) -> (usize, usize) {
        self.placed(start).map_or((start, end), |placed| placed.source)
    }

    fn bad_part(&self, start: usize, end: usize, bad: Bad) -> BadPart {
        let at = bad.at.map(|at| self.offset_of(at));
        let (start, end) = self.source_of(start, end);
        let length = (end - start) as u64;
        BadPart {
            input: self.input,
            offset: self.offset + start as u64,
            length,
            reason: bad.reason,
            detail: bad.detail,
            at,
            raw: (length <= BadPart::MAX_RAW && bad.reason != Reason::TooLarge)
                .then(|| self.source[start..end].to_vec()),
        }
    }
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
        let fields = Fields::new(&plan.schema, plan.extra_members, &sort_columns)?;
        Ok(Self {
            encoder: RecordEncoder::new(fields, sort_columns.clone(), rest_reversed, null_keys),
            sort_columns,
            tape: Tape::default(),
            repairs: plan.repair.clone(),
            mended: Tape::default(),
            packer: None,
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
        packer.count_instants(&mut self.encoder.fields);
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
            None => sink.row(encoder.row(), encoder.key_length(), encoder.value_bytes()),
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

    /// Encodes a record that has a member twice, perhaps for what is added to it.
    fn merged(
        &mut self,
        text: &Text<'_>,
        placed: &Placed,
        position: Position,
    ) -> std::result::Result<(), Bad> {
        let record = &text.source[placed.source.0..placed.source.1];
        self.encode_with(record, text.added_to(placed), position)
    }

    /// Encodes a record joined with what is added to it, which may be nothing but members that it has.
    fn encode_with(
        &mut self,
        record: &[u8],
        added: &[u8],
        position: Position,
    ) -> std::result::Result<(), Bad> {
        let merged = match self.merger.merge(record, added) {
            Ok(merged) => merged,
            Err(Clash::Duplicate(twice)) => return Err(twice.into()),
            Err(Clash::Differs(name)) => {
                let detail = format!("the plan adds another value of the member `{name}`");
                return Err(Bad::new(Reason::NameClash, detail));
            }
        };
        self.mended
            .parse_frame(&merged, 0, merged.len())
            .map_err(|flaw| flawed(&merged, (0, merged.len()), &flaw, false))?;
        // Places in the joined text are none in the input.
        self.encoder.encode(&self.mended, &merged, position).map_err(|bad| Bad { at: None, ..bad })
    }

    /// Encodes a record that could not be read, with what the plan allows mended; `None` if there is nothing to
    /// mend.
    fn mend(
        &mut self,
        text: &Text<'_>,
        (start, end): (usize, usize),
        sink: &mut impl Sink,
    ) -> Result<Option<Encoded>> {
        if self.repairs.is_empty() {
            return Ok(None);
        }
        // What is added comes to the mended record, as it would to a sound one.
        let added = text.placed(start).map(|placed| text.added_to(&placed));
        let (start, end) = text.source_of(start, end);
        let source = Text { bytes: text.source, placed: None, ..*text };
        let mut mended = Mended::tokens(&source.bytes[start..end], &self.repairs);
        let offset = source.offset + start as u64;
        let position = Position { input: source.input as u32, offset, ordinal: 0 };
        let encoded = self.encode_mended(&mut mended, position, added);
        if mended.mends.is_empty() {
            return Ok(None);
        }
        match encoded {
            Ok(()) => {
                for mend in &mended.mends {
                    let first = Some((position.input, offset + mend.at as u64));
                    let tally = &mut self.encoder.total.repaired[mend.repair as usize];
                    tally.join(&RepairTally { count: 1, first });
                }
                Ok(Some(Encoded::Mended))
            }
            Err(bad) => {
                self.cancel.check()?;
                let bad = Bad { at: bad.at.map(|at| start + mended.original(at)), ..bad };
                sink.bad(source.bad_part(start, end, bad))?;
                Ok(Some(Encoded::Bad))
            }
        }
    }

    /// Judges a record as its mended text is; nothing is accepted if nothing was mended.
    fn encode_mended(
        &mut self,
        mended: &mut Mended,
        position: Position,
        added: Option<&[u8]>,
    ) -> std::result::Result<(), Bad> {
        let tape = &mut self.mended;
        let whole = (0, mended.text.len());
        let flaw = |flaw: Flaw, text: &[u8]| flawed(text, (0, text.len()), &flaw, false);
        tape.parse_frame(&mended.text, whole.0, whole.1).map_err(|e| flaw(e, &mended.text))?;
        if let Some(bad) = invalid_utf8(&mended.text, whole, false) {
            return Err(bad);
        }
        if self.repairs.has(Repair::DuplicateMembers) && mended.drop_duplicates(tape) {
            let end = mended.text.len();
            tape.parse_frame(&mended.text, 0, end).map_err(|e| flaw(e, &mended.text))?;
        }
        let tape = &self.mended;
        if let Some(bad) = not_an_object(tape, 0) {
            return Err(bad);
        }
        self.encoder.values.check_duplicates(tape, &mended.text, 0)?;
        let columns = self.sort_columns.iter().map(|column| &column.path);
        if let Some((mend, column)) = mended.touches(tape, columns) {
            let detail =
                format!("{} would be repaired in the key or order column {column}", mend.repair);
            return Err(Bad { at: mend.place, ..Bad::new(Reason::RepairedKey, detail) });
        }
        if mended.mends.is_empty() {
            return Ok(());
        }
        match added {
            Some(added) => self.encode_with(&mended.text, added, position),
            None => self.encoder.encode(tape, &mended.text, position),
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

/// The flaw of a value that is no record.
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

fn trim(bytes: &[u8], start: usize, end: usize) -> (usize, usize) {
    let line = &bytes[start..end];
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    let Some(first) = line.iter().position(|byte| !blank(byte)) else { return (end, end) };
    let last = line.iter().rposition(|byte| !blank(byte)).unwrap_or(first);
    (start + first, start + last + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

    use distil_plan::Dedup;

    use super::*;
    use distil_plan::ColumnPath;

    use crate::sample::Sampler;

    #[derive(Default)]
    struct Counts {
        encoded: usize,
        packed: usize,
    }

    impl Sink for Counts {
        fn row(&mut self, _: &[u8], _: usize, _: u32) -> Result<()> {
            self.encoded += 1;
            Ok(())
        }

        fn packed(&mut self, _: &[u64], _: &[Dictionary]) -> Result<()> {
            self.packed += 1;
            Ok(())
        }

        fn bad(&mut self, part: BadPart) -> Result<()> {
            panic!("{part:?}");
        }
    }

    fn decoder_of(plan: &Plan, sampled: &str) -> Decoder {
        let mut sampler = Sampler::new(plan).unwrap();
        sampler.sample(sampled.as_bytes(), 1).unwrap();
        let layout = Arc::new(sampler.finish(plan).1.unwrap());
        Decoder::new(plan).unwrap().expecting(Some(&layout), 1 << 20)
    }

    fn plan_of(key: Option<&str>) -> Plan {
        let mut plan = Plan::new(vec!["in".to_owned()], distil_plan::Sink::new("out.parquet"));
        plan.dedup = key.map(|key| match key {
            "*" => Dedup::on_record(),
            key => Dedup::on_columns(vec![ColumnPath::name(key)]),
        });
        plan
    }

    #[test]
    fn what_is_met_and_never_fits_is_not_expected_for_long() {
        let plan = plan_of(Some("k"));
        let mut decoder = decoder_of(&plan, r#"{"k":1,"t":"2019-04-23T17:00:00.000Z"}"#);
        let line = |n: usize| format!("{{\"k\":{n},\"t\":\"2019-04-23T17:00:00Z\"}}\n");
        let text: String = (0..10_000).map(line).collect();
        let mut slices = 0;
        while decoder.packer.as_ref().unwrap().learns() {
            slices += 1;
            let (offset, bytes) = (slices << 32, text.as_bytes());
            let slice = FrameSlice { input: 0, offset, bytes, frames: &Frames::Lines };
            let mut counts = Counts::default();
            decoder.decode(&slice, &mut counts).unwrap();
            assert_eq!((counts.encoded, counts.packed), (10_000, 0));
            assert!(slices < 10, "records are expected that never fit");
        }
    }

    #[test]
    fn expected_records_are_not_parsed_whether_they_are_packed_or_not() {
        let line = |n: usize| format!("{{\"k\":\"key {n}\",\"n\":{n}}}\n");
        let text: String = (10_000..11_000).map(line).collect();
        for key in [Some("n"), Some("k"), Some("*"), None] {
            let packs = key == Some("n");
            let mut decoder = decoder_of(&plan_of(key), &text);
            let bytes = text.as_bytes();
            let slice = FrameSlice { input: 0, offset: 0, bytes, frames: &Frames::Lines };
            let mut counts = Counts::default();
            assert_eq!(decoder.decode(&slice, &mut counts).unwrap(), 1000);
            let Counts { encoded, packed } = counts;
            // The first one was, and is packed by itself; the others come in blocks.
            assert_eq!((encoded, packed), if packs { (0, 5) } else { (1000, 0) });
            assert_eq!(decoder.tape.nodes()[0].start, 0, "the last record that was parsed");
        }
    }

    #[test]
    fn a_run_that_is_asked_to_stop_does_not_end_a_long_record() {
        let members: Vec<String> = (0..100_000).map(|n| format!("\"m{n}\":{n}")).collect();
        let text = format!("{{{}}}", members.join(","));
        let slice =
            FrameSlice { input: 0, offset: 0, bytes: text.as_bytes(), frames: &Frames::Lines };
        let plan = Plan::new(vec!["in".into()], distil_plan::Sink::new("out.parquet"));
        let cancel = Cancel::new();
        let mut decoder = Decoder::new(&plan).unwrap().stopped_by(&cancel);
        let mut sink = Recorder::default();
        assert_eq!(decoder.decode(&slice, &mut sink).unwrap(), 1);
        cancel.interrupt();
        let stopped = decoder.decode(&slice, &mut sink).unwrap_err();
        assert_eq!(stopped.fault, distil_plan::Fault::Interrupted);
        assert_eq!((sink.rows, sink.bad), (1, 0), "the record is neither a row nor bad");
    }

    /// Endless bad records must not add endless columns.
    #[test]
    fn what_a_bad_record_added_is_taken_back() {
        let plan = Plan::new(vec!["in".into()], distil_plan::Sink::new("out.parquet"));
        let mut decoder = Decoder::new(&plan).unwrap();
        let mut sink = Recorder::default();
        let mut offset = 0;
        let mut decode = |text: &str, decoder: &mut Decoder| {
            let bytes = text.as_bytes();
            let slice = FrameSlice { input: 0, offset, bytes, frames: &Frames::Lines };
            offset += 1_000;
            decoder.decode(&slice, &mut sink).unwrap();
        };
        decode("{\"a\":1,\"o\":{\"x\":1},\"l\":[1]}", &mut decoder);
        let known = decoder.encoder.fields.count();
        for n in 0..100 {
            let bad = format!(
                "{{\"a\":1,\"b{n}\":1,\"o\":{{\"y{n}\":{{\"z\":1}}}},\"l\":[{{\"m{n}\":[1]}}],\"b{n}\":2}}"
            );
            decode(&bad, &mut decoder);
            assert_eq!(decoder.encoder.fields.count(), known);
        }
        decode("{\"b7\":2,\"a\":1,\"o\":{\"y7\":2},\"l\":[2]}", &mut decoder);
        let schema = decoder.finish().0.schema().unwrap();
        let names: Vec<String> = schema
            .fields
            .iter()
            .map(|field| format!("{} {}", field.name, field.data_type))
            .collect();
        assert_eq!(
            names.join(", "),
            "a int64, o struct<x: int64, y7: int64>, l list<int64>, b7 int64"
        );
    }

    /// Counts what it gets.
    #[derive(Default)]
    struct Recorder {
        rows: usize,
        bad: usize,
    }

    impl Sink for Recorder {
        fn row(&mut self, _: &[u8], _: usize, _: u32) -> Result<()> {
            self.rows += 1;
            Ok(())
        }

        fn packed(&mut self, _: &[u64], _: &[Dictionary]) -> Result<()> {
            Ok(())
        }

        fn bad(&mut self, _: BadPart) -> Result<()> {
            self.bad += 1;
            Ok(())
        }
    }
}
