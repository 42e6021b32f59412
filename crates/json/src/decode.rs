//! Slices of whole frames to rows.

use std::sync::Arc;

use distil_plan::{BadPart, Cancel, Error, Plan, Reason, Result};

use crate::frame::framer::{Separator, too_large_detail};
use crate::packed::dictionary::Dictionary;
use crate::packed::layout::PackedLayout;
use crate::packed::packer::Packer;
use crate::parse::scan::FrameScan;
use crate::parse::tape::{Kind, Tape};
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
    /// How the frames are separated.
    pub separator: Separator,
}

/// Decodes slices, in any order, and knows what it saw of the columns.
pub struct Decoder {
    sort_columns: Vec<SortColumn>,
    encoder: RecordEncoder,
    tape: Tape,
    packer: Option<Packer>,
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
        let bytes = slice.bytes;
        // One check for the whole slice: records are looked at singly only if it fails.
        let utf8 = simdutf8::basic::from_utf8(bytes).is_ok();
        let mut records = 0;
        let mut at = 0;
        loop {
            if slice.separator == Separator::Blank {
                while let Some(b' ' | b'\t' | b'\n' | b'\r' | b',') = bytes.get(at) {
                    at += 1;
                }
            }
            if utf8 && let Some(next) = self.expected(slice, at, sink)? {
                records += 1;
                at = next;
                continue;
            }
            self.flush(slice, sink)?;
            let (start, end, next) = match slice.separator {
                Separator::Line => {
                    if at >= bytes.len() {
                        return Ok(records);
                    }
                    let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
                    let (start, last) = trim(bytes, at, end);
                    at = (end + 1).min(bytes.len());
                    if start == last {
                        continue;
                    }
                    (start, last, at)
                }
                Separator::Blank => {
                    if at >= bytes.len() {
                        return Ok(records);
                    }
                    // A value that parses ends where its frame does, unless it is a scalar.
                    let composite = matches!(bytes[at], b'{' | b'[');
                    if composite && let Ok(end) = self.tape.parse(bytes, at) {
                        records += 1;
                        self.take(slice, at, end, utf8, sink)?;
                        at = end;
                        continue;
                    }
                    let end = FrameScan::default().advance(bytes, at).unwrap_or(bytes.len());
                    (at, end, end)
                }
            };
            records += 1;
            at = next;
            match self.tape.parse_frame(bytes, start, end) {
                _ if (end - start) as u64 > self.max_record => {
                    sink.bad(self.too_large(slice, start, end))?;
                }
                Ok(()) => self.take(slice, start, end, utf8, sink)?,
                Err(flaw) => {
                    // What comes first in the bytes: this flaw, or bytes that are no UTF-8.
                    let bad = invalid_utf8(bytes, slice.offset, (start, flaw.at.min(end)), utf8)
                        .unwrap_or_else(|| {
                            let reason =
                                if flaw.too_deep { Reason::TooDeep } else { Reason::InvalidJson };
                            let at = slice.offset + flaw.at.min(end) as u64;
                            Bad { reason, detail: format!("{} at byte {at}", flaw.what) }
                        });
                    sink.bad(bad_part(slice, start, end, bad))?;
                }
            }
        }
    }

    /// Takes the record at `at` into the block, if it is as expected: where the next one begins.
    #[inline]
    fn expected(
        &mut self,
        slice: &FrameSlice<'_>,
        at: usize,
        sink: &mut impl Sink,
    ) -> Result<Option<usize>> {
        let Some(packer) = &mut self.packer else { return Ok(None) };
        if packer.is_full() {
            self.flush(slice, sink)?;
        }
        let Some(packer) = &mut self.packer else { return Ok(None) };
        let on_a_line = slice.separator == Separator::Line;
        let Some(end) = packer.match_at(slice.bytes, at, on_a_line) else { return Ok(None) };
        let next = match (slice.separator, &slice.bytes[end..]) {
            (Separator::Blank, _) | (Separator::Line, []) => Some(end),
            (Separator::Line, [b'\n', ..]) => Some(end + 1),
            (Separator::Line, [b'\r', b'\n', ..]) => Some(end + 2),
            _ => None,
        };
        if next.is_none() || (end - at) as u64 > self.max_record {
            packer.unmatch();
            return Ok(None);
        }
        Ok(next)
    }

    /// Hands on the records that were expected.
    fn flush(&mut self, slice: &FrameSlice<'_>, sink: &mut impl Sink) -> Result<()> {
        let Some(mut packer) = self.packer.take_if(|packer| !packer.is_empty()) else {
            return Ok(());
        };
        packer.convert(slice.bytes, &self.encoder.fields);
        packer.count(slice.bytes, &mut self.encoder.fields);
        let notes = packer.notes(slice.bytes, &self.encoder.fields);
        let mut notes = notes.into_iter().peekable();
        if notes.peek().is_some() || packer.records().any(|(.., rejected)| rejected) {
            let records: Vec<_> = packer.records().collect();
            for (record, (start, end, rejected)) in records.into_iter().enumerate() {
                while let Some(note) = notes.next_if(|note| note.record == record) {
                    let offset = slice.offset + start as u64;
                    let position =
                        Position { input: slice.input as u32, offset, ordinal: note.ordinal };
                    self.encoder.fields.get_mut(note.field).facts.note(note.bits, position);
                }
                if rejected {
                    let parsed = self.tape.parse_frame(slice.bytes, start, end);
                    parsed.map_err(|_| Error::bug("a record that was expected does not parse"))?;
                    if self.encode(slice, start, end, true, sink)? {
                        packer.hand_on(&self.encoder, sink)?;
                    }
                }
            }
        }
        packer.hand_on_block(slice.bytes, sink)?;
        self.packer = Some(packer);
        Ok(())
    }

    /// Takes the record on the tape, and learns from it what to expect. No record is met that is not
    /// handed on.
    fn take(
        &mut self,
        slice: &FrameSlice<'_>,
        start: usize,
        end: usize,
        utf8: bool,
        sink: &mut impl Sink,
    ) -> Result<()> {
        if !self.encode(slice, start, end, utf8, sink)? {
            return Ok(());
        }
        let encoder = &self.encoder;
        let Some(packer) = &mut self.packer else {
            return sink.row(encoder.row(), encoder.key_length(), encoder.value_bytes());
        };
        packer.learn(&self.tape, slice.bytes, &encoder.fields);
        packer.hand_on(encoder, sink)
    }

    /// Encodes the record on the tape; false if it is bad: the sink gets it.
    fn encode(
        &mut self,
        slice: &FrameSlice<'_>,
        start: usize,
        end: usize,
        utf8: bool,
        sink: &mut impl Sink,
    ) -> Result<bool> {
        if (end - start) as u64 > self.max_record {
            sink.bad(self.too_large(slice, start, end))?;
            return Ok(false);
        }
        let bytes = slice.bytes;
        let position =
            Position { input: slice.input as u32, offset: slice.offset + start as u64, ordinal: 0 };
        let encoded = if let Some(bad) = invalid_utf8(bytes, slice.offset, (start, end), utf8) {
            Err(bad)
        } else if self.tape.nodes().first().is_none_or(|node| node.kind != Kind::Object) {
            let detail = "the value is not an object".to_owned();
            Err(Bad { reason: Reason::NotAnObject, detail })
        } else {
            self.encoder.encode(&self.tape, bytes, position)
        };
        match encoded {
            Ok(()) => Ok(true),
            Err(bad) => {
                // A record that was not encoded to its end is not bad.
                self.cancel.check()?;
                sink.bad(bad_part(slice, start, end, bad))?;
                Ok(false)
            }
        }
    }

    fn too_large(&self, slice: &FrameSlice<'_>, start: usize, end: usize) -> BadPart {
        let bad = Bad { reason: Reason::TooLarge, detail: too_large_detail(self.max_record) };
        bad_part(slice, start, end, bad)
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

fn bad_part(slice: &FrameSlice<'_>, start: usize, end: usize, bad: Bad) -> BadPart {
    let length = (end - start) as u64;
    BadPart {
        input: slice.input,
        offset: slice.offset + start as u64,
        length,
        reason: bad.reason,
        detail: bad.detail,
        raw: (length <= BadPart::MAX_RAW && bad.reason != Reason::TooLarge)
            .then(|| slice.bytes[start..end].to_vec()),
    }
}

/// The flaw of a record that is not UTF-8; `offset` is that of the slice in its input.
fn invalid_utf8(
    bytes: &[u8],
    offset: u64,
    (start, end): (usize, usize),
    checked: bool,
) -> Option<Bad> {
    if checked {
        return None;
    }
    let error = std::str::from_utf8(&bytes[start..end]).err()?;
    // A character cut by the end that another flaw set is not that flaw's cause.
    error.error_len()?;
    let at = start + error.valid_up_to();
    let detail = format!(
        "not UTF-8, perhaps Latin-1 or Windows-1252: 0x{:02X} at byte {}",
        bytes[at],
        offset + at as u64
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
            let slice = FrameSlice { input: 0, offset, bytes, separator: Separator::Line };
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
            let slice = FrameSlice { input: 0, offset: 0, bytes, separator: Separator::Line };
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
            FrameSlice { input: 0, offset: 0, bytes: text.as_bytes(), separator: Separator::Line };
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
            let slice = FrameSlice { input: 0, offset, bytes, separator: Separator::Line };
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
