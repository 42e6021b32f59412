//! Slices of whole frames to rows.

use std::sync::Arc;

use distil_plan::{BadPart, Cancel, Error, Plan, Reason, Result};

use crate::frame::framer::too_large_detail;
use crate::frame::list::{FrameList, Frames};
use crate::packed::dictionary::Dictionary;
use crate::packed::layout::PackedLayout;
use crate::packed::packer::Packer;
use crate::parse::scan::FrameScan;
use crate::parse::tape::{Kind, Tape};
use crate::rewrite::{Clash, Merger, Placed, Rewritten};
use crate::rows::record::{Bad, RecordEncoder};
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

    /// The range in the slice of a frame.
    fn source_of(&self, start: usize, end: usize) -> (usize, usize) {
        self.placed(start).map_or((start, end), |placed| placed.source)
    }

    fn bad_part(&self, start: usize, end: usize, bad: Bad) -> BadPart {
        let (start, end) = self.source_of(start, end);
        let length = (end - start) as u64;
        BadPart {
            input: self.input,
            offset: self.offset + start as u64,
            length,
            reason: bad.reason,
            detail: bad.detail,
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
                Err(flaw) => {
                    // What comes first in the bytes: this flaw, or bytes that are no UTF-8.
                    let bad =
                        invalid_utf8(text, (start, flaw.at.min(end)), utf8).unwrap_or_else(|| {
                            let reason =
                                if flaw.too_deep { Reason::TooDeep } else { Reason::InvalidJson };
                            let at = text.offset_of(flaw.at.min(end));
                            Bad { reason, detail: format!("{} at byte {at}", flaw.what) }
                        });
                    sink.bad(text.bad_part(start, end, bad))?;
                }
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
                    if self.encode(text, (start, end), true, sink)? {
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
        if !self.encode(text, frame, utf8, sink)? {
            return Ok(());
        }
        let encoder = &self.encoder;
        let Some(packer) = &mut self.packer else {
            return sink.row(encoder.row(), encoder.key_length(), encoder.value_bytes());
        };
        if !self.tape.nodes().is_empty() {
            packer.learn(&self.tape, text.bytes, &encoder.fields);
        }
        packer.hand_on(encoder, sink)
    }

    /// Encodes the record on the tape; false if it is bad: the sink gets it.
    fn encode(
        &mut self,
        text: &Text<'_>,
        (start, end): (usize, usize),
        utf8: bool,
        sink: &mut impl Sink,
    ) -> Result<bool> {
        if self.is_too_large(text, start, end) {
            sink.bad(text.bad_part(start, end, self.too_large()))?;
            return Ok(false);
        }
        let bytes = text.bytes;
        let position =
            Position { input: text.input as u32, offset: text.offset_of(start), ordinal: 0 };
        let mut encoded = if let Some(bad) = invalid_utf8(text, (start, end), utf8) {
            Err(bad)
        } else if self.tape.nodes().first().is_none_or(|node| node.kind != Kind::Object) {
            let detail = "the value is not an object".to_owned();
            Err(Bad { reason: Reason::NotAnObject, detail })
        } else {
            self.encoder.encode(&self.tape, bytes, position)
        };
        if let Err(Bad { reason: Reason::DuplicateMember, .. }) = encoded
            && let Some(placed) = text.placed(start)
        {
            encoded = self.merged(text, &placed, position, encoded);
        }
        match encoded {
            Ok(()) => Ok(true),
            Err(bad) => {
                // A record that was not encoded to its end is not bad.
                self.cancel.check()?;
                sink.bad(text.bad_part(start, end, bad))?;
                Ok(false)
            }
        }
    }

    /// Encodes a record that has a member twice, perhaps for what is added to it.
    fn merged(
        &mut self,
        text: &Text<'_>,
        placed: &Placed,
        position: Position,
        encoded: std::result::Result<(), Bad>,
    ) -> std::result::Result<(), Bad> {
        let Some((_, added)) = text.placed else { return encoded };
        let record = &text.source[placed.source.0..placed.source.1];
        match self.merger.merge(record, &added[placed.added.0..placed.added.1]) {
            Ok(merged) => {
                let parsed = self.tape.parse(&merged, 0);
                if parsed.is_err() {
                    return encoded;
                }
                let encoded = self.encoder.encode(&self.tape, &merged, position);
                // Nothing is learned of a text that is not the one of the slice.
                self.tape = Tape::default();
                encoded
            }
            Err(Clash::Duplicate) => encoded,
            Err(Clash::Differs(name)) => Err(Bad {
                reason: Reason::NameClash,
                detail: format!("the plan adds another value of the member `{name}`"),
            }),
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
        Bad { reason: Reason::TooLarge, detail: too_large_detail(self.max_record) }
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

/// The flaw of a record that is not UTF-8.
fn invalid_utf8(text: &Text<'_>, (start, end): (usize, usize), checked: bool) -> Option<Bad> {
    if checked {
        return None;
    }
    let error = std::str::from_utf8(&text.bytes[start..end]).err()?;
    // A character cut by the end that another flaw set is not that flaw's cause.
    error.error_len()?;
    let at = start + error.valid_up_to();
    let detail = format!(
        "not UTF-8, perhaps Latin-1 or Windows-1252: 0x{:02X} at byte {}",
        text.bytes[at],
        text.offset_of(at)
    );
    Some(Bad { reason: Reason::InvalidJson, detail })
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
