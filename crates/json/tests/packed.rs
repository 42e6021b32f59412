//! Expecting and packing records changes nothing: rows, facts and accounts are those of records that are
//! parsed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use distil_json::{
    Decoder, Dictionary, EncodedRow, FrameSlice, Frames, PackedLayout, Sampler, Sink, SortColumn,
    Why,
};
use distil_plan::{BadPart, ColumnPath, Dedup, Keep, NullKeys, OrderBy, Plan, Result, Schema};
use proptest::prelude::*;

/// Collects rows as encoded bytes with their key lengths and value bytes.
#[derive(Default)]
struct Rows {
    layout: Option<Arc<PackedLayout>>,
    rows: Vec<(Vec<u8>, usize, u32)>,
    packed: usize,
    bad: Vec<(u64, String)>,
}

impl Sink for Rows {
    fn row(&mut self, row: &EncodedRow<'_>) -> Result<()> {
        let EncodedRow { bytes: row, key_length, value_bytes, .. } = *row;
        self.rows.push((row.to_vec(), key_length, value_bytes));
        Ok(())
    }

    fn packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()> {
        let layout = self.layout.as_ref().unwrap();
        for row in rows.chunks_exact(layout.words) {
            let text = |column: usize, code| dictionaries[column].get(code);
            let mut bytes = Vec::new();
            let key_length = layout.unpack(row, text, &mut bytes);
            self.rows.push((bytes, key_length, layout.value_bytes(row, text)));
            self.packed += 1;
        }
        Ok(())
    }

    fn bad(&mut self, part: BadPart) -> Result<()> {
        self.bad.push((part.offset, part.detail));
        Ok(())
    }
}

struct Outcome {
    rows: Vec<(Vec<u8>, usize, u32)>,
    packed: usize,
    bad: Vec<(u64, String)>,
    records: u64,
    schema: std::result::Result<Schema, String>,
    reasons: Vec<Why>,
}

/// Decodes slices in their order, in `text` cut after the given lines.
fn decode(
    plan: &Plan,
    lines: &[String],
    cuts: &[bool],
    layout: Option<&Arc<PackedLayout>>,
) -> Outcome {
    let mut sink = Rows { layout: layout.cloned(), ..Rows::default() };
    let mut decoder = Decoder::new(plan).unwrap().expecting(layout, 1 << 20);
    let (mut offset, mut records) = (0u64, 0);
    let mut pending = String::new();
    for (at, line) in lines.iter().enumerate() {
        pending.push_str(line);
        pending.push('\n');
        if cuts.get(at).copied().unwrap_or(at + 1 == lines.len()) || at + 1 == lines.len() {
            let slice =
                FrameSlice { input: 0, offset, bytes: pending.as_bytes(), frames: &Frames::Lines };
            records += decoder.decode(&slice, &mut sink).unwrap();
            offset += pending.len() as u64;
            pending.clear();
        }
    }
    let (seen, _) = decoder.finish();
    sink.rows.sort();
    Outcome {
        rows: sink.rows,
        packed: sink.packed,
        bad: sink.bad,
        records,
        schema: seen.schema().map_err(|error| error.to_string()),
        reasons: seen.reasons(),
    }
}

fn plan(keys: &[&str], order: &[&str], last: bool) -> Plan {
    let mut dedup = Dedup::on_columns(keys.iter().map(|name| ColumnPath::name(*name)).collect());
    let spelled: Vec<String> = order
        .iter()
        .map(|name| match name.strip_prefix('-') {
            Some(name) => format!("{name} desc"),
            None => (*name).to_owned(),
        })
        .collect();
    if !spelled.is_empty() {
        dedup.order_by = OrderBy::parse_list(&spelled.join(", ")).unwrap();
    }
    if last {
        dedup.keep = Keep::Last;
    }
    let mut plan = Plan::new(vec!["in".to_owned()], distil_plan::Sink::new("out.parquet"));
    plan.dedup = Some(dedup);
    plan
}

fn layout_of(plan: &Plan, lines: &[String]) -> Option<Arc<PackedLayout>> {
    let mut sampler = Sampler::new(plan).unwrap();
    sampler.sample(0, lines.join("\n").as_bytes(), usize::MAX).unwrap();
    sampler.finish(plan).1.map(Arc::new)
}

fn assert_alike(encoded: &Outcome, packed: &Outcome) {
    assert_eq!(encoded.records, packed.records);
    assert_eq!(encoded.bad, packed.bad);
    assert_eq!(encoded.rows, packed.rows);
    assert_eq!(encoded.schema, packed.schema);
    assert_eq!(encoded.reasons, packed.reasons);
}

/// Values that a column of this kind mostly has, and sometimes others.
fn value(kind: usize) -> BoxedStrategy<String> {
    let odd = prop_oneof![
        Just("null".to_owned()),
        Just("\"\\u0041\"".to_owned()),
        Just("\"é\"".to_owned()),
        Just("[1]".to_owned()),
        Just("{\"x\":null}".to_owned()),
        Just("1e400".to_owned()),
        Just("12345678901234567890".to_owned()),
        Just("\"2019-02-30T00:00:00.000Z\"".to_owned()),
        Just("\"2019-02-28T00:00:00Z\"".to_owned()),
        Just("-0".to_owned()),
        Just("true".to_owned()),
        Just("\"0123456789012345678901234567890123456789\"".to_owned()),
    ];
    let usual: BoxedStrategy<String> =
        match kind {
            0 => "\"20[0-2][0-9]-0[1-9]-[0-2][1-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z\""
                .boxed(),
            1 => "\"20[0-2][0-9]-1[0-2]-[0-2][1-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}Z\""
                .boxed(),
            2 => "-?[1-9][0-9]{0,17}".boxed(),
            3 => "-?(0|[1-9][0-9]{0,7})(\\.[0-9]{1,7})?".boxed(),
            4 => "true|false".boxed(),
            5 => "\"[a-c]{0,2}\"".boxed(),
            _ => "\"[a-z ]{18,40}\"".boxed(),
        };
    prop_oneof![20 => usual, 1 => odd].boxed()
}

fn record(kinds: Vec<usize>) -> impl Strategy<Value = String> {
    let values: Vec<BoxedStrategy<String>> = kinds.into_iter().map(value).collect();
    (values, 0usize..40, 0usize..30).prop_map(|(values, left_out, spelling)| {
        let mut members: Vec<String> = values
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != left_out)
            .map(|(at, value)| match spelling {
                0 => format!("\"c{at}\" : {value}"),
                1 => format!("\"\\u0063{at}\":{value}"),
                _ => format!("\"c{at}\":{value}"),
            })
            .collect();
        match spelling {
            2 => members.reverse(),
            3 => members.push("\"extra\":1".to_owned()),
            4 => members.push("\"c0\":1".to_owned()),
            5 => return "{\"c0\": broken}".to_owned(),
            _ => {}
        }
        format!("{{{}}}", members.join(","))
    })
}

fn records() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(0usize..7, 1..7)
        .prop_flat_map(|kinds| prop::collection::vec(record(kinds), 1..60))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1200, ..ProptestConfig::default() })]

    #[test]
    fn expecting_and_packing_change_no_row_no_fact_and_no_account(
        lines in records(),
        cuts in prop::collection::vec(prop::bool::weighted(0.1), 60),
        keys in prop_oneof![
            2 => Just(vec!["c0"]),
            2 => Just(vec!["c1", "c0"]),
            2 => Just(vec!["c0", "c2"]),
            // The whole record, and none.
            1 => Just(vec!["*"]),
            1 => Just(vec![]),
        ],
        order in prop_oneof![Just(vec![]), Just(vec!["c3", "-c1"]), Just(vec!["-c2"])],
        last in any::<bool>(),
        null_keys in prop_oneof![4 => Just(NullKeys::Error), 1 => Just(NullKeys::Value)],
        packs in any::<bool>(),
        sampled in 1usize..60,
    ) {
        let order: Vec<&str> = order
            .into_iter()
            .filter(|name: &&str| !keys.contains(&name.trim_start_matches('-')))
            .collect();
        let mut plan = plan(&keys, &order, last);
        match (&mut plan.dedup, keys.first()) {
            (dedup, None) => *dedup = None,
            (dedup, Some(&"*")) => *dedup = Some(Dedup::on_record()),
            (Some(dedup), _) => dedup.null_keys = null_keys,
            _ => {}
        }
        // A sample of the first records knows little of the others.
        let mut layout = layout_of(&plan, &lines[..sampled.min(lines.len())]);
        if !packs && let Some(layout) = &mut layout {
            Arc::make_mut(layout).packs = false;
        }
        let parsed = decode(&plan, &lines, &cuts, None);
        let expected = decode(&plan, &lines, &cuts, layout.as_ref());
        assert_alike(&parsed, &expected);
        assert!(expected.packed == 0 || layout.is_some_and(|layout| layout.packs));
    }
}

#[test]
fn records_that_look_alike_are_packed() {
    let lines: Vec<String> = (0..5000)
        .map(|n| {
            format!(
                r#"{{"id": "{}", "data": "{}", "ts": "2019-04-23T17:25:43.{:03}Z", "n": {n}, "x": {}.5, "ok": {}, "no": null}}"#,
                n % 977, n % 13, n % 1000, n % 101, n % 2 == 0
            )
        })
        .collect();
    let plan = plan(&["ts"], &["id", "data"], false);
    let layout = layout_of(&plan, &lines[..100]);
    assert!(layout.is_some());
    let encoded = decode(&plan, &lines, &[], None);
    let packed = decode(&plan, &lines, &[], layout.as_ref());
    assert_alike(&encoded, &packed);
    assert_eq!((encoded.packed, packed.packed), (0, 5000));
}

#[test]
fn packed_rows_order_as_encoded_rows_do() {
    let lines: Vec<String> = (0..400i64)
        .map(|n| {
            let text = ["\"a\"", "\"b\"", "null", "\"\""][n as usize / 3 % 4];
            let number = ["1.5", "-2", "null", "0", "-0.25"][n as usize / 12 % 5];
            let flag = ["true", "false", "null"][n as usize / 60 % 3];
            format!(r#"{{"k":{},"t":{text},"x":{number},"f":{flag}}}"#, n % 3 - 1)
        })
        .collect();
    for (order, last) in [(vec![], false), (vec!["-t", "x"], false), (vec!["x", "-f"], true)] {
        let plan = plan(&["k"], &order, last);
        let layout = layout_of(&plan, &lines).unwrap();
        let (parts, _) = SortColumn::of(plan.dedup.as_ref());
        assert_eq!(parts.len(), order.len() + 1);
        let mut all: Vec<(Vec<u64>, Vec<u8>)> = Vec::new();
        struct Both<'a>(&'a PackedLayout, &'a mut Vec<(Vec<u64>, Vec<u8>)>);
        impl Sink for Both<'_> {
            fn row(&mut self, _: &EncodedRow<'_>) -> Result<()> {
                Ok(())
            }
            fn packed(&mut self, rows: &[u64], dictionaries: &[Dictionary]) -> Result<()> {
                let ranks: Vec<Vec<u32>> = dictionaries
                    .iter()
                    .map(|dictionary| distil_json::Ranks::of(&[dictionary]).1.remove(0))
                    .collect();
                for row in rows.chunks_exact(self.0.words) {
                    let mut bytes = Vec::new();
                    self.0.unpack(row, |column, code| dictionaries[column].get(code), &mut bytes);
                    let mut ranked = row.to_vec();
                    self.0.rank(&mut ranked, &ranks);
                    self.1.push((ranked, bytes));
                }
                Ok(())
            }
            fn bad(&mut self, part: BadPart) -> Result<()> {
                panic!("{part:?}");
            }
        }
        let text = lines.join("\n");
        // Once to fill the dictionaries, so that ranks do not change within the second pass.
        let layout = Arc::new(layout);
        let mut decoder = Decoder::new(&plan).unwrap().expecting(Some(&layout), 1 << 20);
        for offset in [0, 1 << 20] {
            all.clear();
            let slice =
                FrameSlice { input: 0, offset, bytes: text.as_bytes(), frames: &Frames::Lines };
            decoder.decode(&slice, &mut Both(&layout, &mut all)).unwrap();
        }
        assert_eq!(all.len(), lines.len());
        for (a, a_bytes) in &all {
            for (b, b_bytes) in &all {
                let order = layout.compare(a, b, |_, a, b| a.cmp(&b));
                assert_eq!(order, a_bytes.cmp(b_bytes));
            }
        }
    }
}

#[test]
fn a_record_over_several_lines_is_no_line() {
    let record = |n: usize| format!("{{\"k\":{n},\n\"t\":\"a\"}}");
    let text: String = (0..300).map(|n| record(n) + "\n").collect();
    let plan = plan(&["k"], &[], false);
    let layout = layout_of(&plan, std::slice::from_ref(&text));
    let decoded = |layout: Option<&Arc<PackedLayout>>| {
        let mut sink = Rows { layout: layout.cloned(), ..Rows::default() };
        let mut decoder = Decoder::new(&plan).unwrap().expecting(layout, 1 << 20);
        for (input, frames) in [(0, Frames::Blanks), (1, Frames::Lines)] {
            let slice = FrameSlice { input, offset: 0, bytes: text.as_bytes(), frames: &frames };
            decoder.decode(&slice, &mut sink).unwrap();
        }
        (sink.rows.len(), sink.bad, sink.packed)
    };
    let (rows, bad, _) = decoded(None);
    assert_eq!((rows, bad.len()), (300, 600));
    assert_eq!(decoded(layout.as_ref()), (rows, bad, 300));
}

#[test]
fn strings_that_are_too_many_for_a_dictionary_travel_encoded_from_then_on() {
    let line =
        |n: u64| format!(r#"{{"k":{n},"t":"{:016x}"}}"#, n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let lines: Vec<String> = (0..280_000).map(line).collect();
    let plan = plan(&["k"], &["t"], false);
    let layout = layout_of(&plan, &lines[..100]);
    let parsed = decode(&plan, &lines, &[], None);
    let expected = decode(&plan, &lines, &[], layout.as_ref());
    assert_alike(&parsed, &expected);
    assert!((1..lines.len()).contains(&expected.packed), "{}", expected.packed);
}
