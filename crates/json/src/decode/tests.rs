#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use distil_plan::{BadPart, Dedup};

use super::*;
use distil_plan::ColumnPath;

use crate::rows::sink::EncodedRow;
use crate::sample::Sampler;

#[derive(Default)]
struct Counts {
    encoded: usize,
    packed: usize,
}

impl Sink for Counts {
    fn row(&mut self, _: &EncodedRow<'_>) -> Result<()> {
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
    sampler.sample(0, sampled.as_bytes(), 1).unwrap();
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

/// What the strings of an order column spell is looked at once for each code, and is told as if each
/// record were parsed: by counts, by forms, and whatever part of the facts was put aside.
#[test]
fn what_order_columns_spell_is_counted_alike_whether_records_are_packed_or_not() {
    let mut plan = plan_of(None);
    let order = vec![distil_plan::OrderBy {
        column: ColumnPath::name("o"),
        direction: distil_plan::Direction::Desc,
        as_text: false,
    }];
    plan.dedup = Some(Dedup { order_by: order, ..Dedup::on_columns(vec![ColumnPath::name("k")]) });
    let spelled = ["9", "10", "apple", "1.2.3", "2024-05-01", " 7", "v2", "May 1 2008", "0009"];
    let text = |texts: &[&str], nulls: usize| -> String {
        let line = |n: usize| {
            let key = if nulls > 0 && n % nulls == 5 { "null".into() } else { n.to_string() };
            format!("{{\"k\":{key},\"o\":\"{}\"}}\n", texts[n % texts.len()])
        };
        (0..2_000).map(line).collect()
    };
    for count in 1..=spelled.len() {
        for nulls in [0, 7] {
            // The slice that comes last lies first, so the facts before it are put aside.
            let slices = [(1 << 32, text(&spelled[..count], nulls)), (0, text(&spelled, nulls))];
            let slices = &slices[..1 + count % 2];
            let told = |mut decoder: Decoder| {
                let mut sink = Recorder::default();
                for (offset, text) in slices {
                    let (offset, bytes) = (*offset, text.as_bytes());
                    let slice = FrameSlice { input: 0, offset, bytes, frames: &Frames::Lines };
                    decoder.decode(&slice, &mut sink).unwrap();
                }
                let (seen, _) = decoder.finish();
                let id = seen.fields.child(crate::types::fields::ROOT, "o").unwrap();
                (seen.fields.get(id).facts.text_order.clone(), sink.packed)
            };
            let (packed, rows) = told(decoder_of(&plan, "{\"k\":1,\"o\":\"a\"}"));
            assert!(rows > 0, "nothing was packed");
            let (parsed, rows) = told(Decoder::new(&plan).unwrap());
            assert_eq!(rows, 0);
            assert_eq!(packed, parsed, "{count} texts, nulls {nulls}");
        }
    }
}

#[test]
fn a_run_that_is_asked_to_stop_does_not_end_a_long_record() {
    let members: Vec<String> = (0..100_000).map(|n| format!("\"m{n}\":{n}")).collect();
    let text = format!("{{{}}}", members.join(","));
    let slice = FrameSlice { input: 0, offset: 0, bytes: text.as_bytes(), frames: &Frames::Lines };
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
    let names: Vec<String> =
        schema.fields.iter().map(|field| format!("{} {}", field.name, field.data_type)).collect();
    assert_eq!(names.join(", "), "a int64, o struct<x: int64, y7: int64>, l list<int64>, b7 int64");
}

/// Counts what it gets.
#[derive(Default)]
struct Recorder {
    rows: usize,
    packed: usize,
    bad: usize,
}

impl Sink for Recorder {
    fn row(&mut self, _: &EncodedRow<'_>) -> Result<()> {
        self.rows += 1;
        Ok(())
    }

    fn packed(&mut self, _: &[u64], _: &[Dictionary]) -> Result<()> {
        self.packed += 1;
        Ok(())
    }

    fn bad(&mut self, _: BadPart) -> Result<()> {
        self.bad += 1;
        Ok(())
    }
}
