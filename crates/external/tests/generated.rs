//! Generated records and plans, on both backends: equal rows, counts, conflicts and digests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use distil_output::head::head;
use distil_plan::{Backend, Dedup, Keep, Location, NullKeys, Plan, Report};

use support::{Folder, dedup, native, pandas, run_on, storage};

/// A small generator of numbers, the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

const NUMBERS: &[&str] =
    &["0", "-1", "1", "2", "10", "9223372036854775807", "-9223372036854775808"];
const BIG: &[&str] = &["0", "12345678901234567890123456789012345678", "-99999999999999999999", "7"];
const FLOATS: &[&str] = &["0.5", "-0.0", "1e300", "-2.5", "3", "1e-7", "0.1", "-2.5e-300"];
const ODD: &[&str] =
    &["1e400", "0.1000000000000000055511151231257827", "-1e-400", "1", "1.0", "1e0"];
const TEXTS: &[&str] =
    &["\"\"", "\"a\"", "\"ab\"", "\"a\\u0000b\"", "\"é\"", "\"～\"", "\"😀\"", "\"A\\\"\\\\\\n\""];
const INSTANTS: &[&str] = &[
    "\"2019-04-23T17:25:43.111Z\"",
    "\"2019-04-23T17:25:43.110Z\"",
    "\"0001-01-01T00:00:00.000Z\"",
    "\"9999-12-31T23:59:59.999Z\"",
];
const TRUTHS: &[&str] = &["true", "false"];

/// A value of a kind; the last kinds mix all of them.
fn value(dice: &mut Dice, kind: u64, depth: u64) -> String {
    if dice.below(6) == 0 {
        return "null".to_owned();
    }
    match kind {
        0 => dice.pick(NUMBERS).to_owned(),
        1 => dice.pick(BIG).to_owned(),
        2 => dice.pick(FLOATS).to_owned(),
        3 => dice.pick(TEXTS).to_owned(),
        4 => dice.pick(INSTANTS).to_owned(),
        5 => dice.pick(TRUTHS).to_owned(),
        6 => dice.pick(ODD).to_owned(),
        7 | 8 if depth < 3 => {
            let inner = kind * 7 % 5 + depth;
            let values: Vec<String> =
                (0..dice.below(4)).map(|_| value(dice, inner, depth + 1)).collect();
            format!("[{}]", values.join(","))
        }
        9 | 10 if depth < 3 => {
            let mut members = Vec::new();
            for (at, name) in ["z", "a", "é", "a.b", ""].iter().enumerate() {
                if dice.below(2) == 0 {
                    let kind = (at as u64 + kind * 3 + depth) % 11;
                    members.push(format!("\"{name}\":{}", value(dice, kind, depth + 1)));
                }
            }
            format!("{{{}}}", members.join(","))
        }
        _ => {
            let kind = dice.below(11);
            value(dice, kind, depth + 2)
        }
    }
}

const NAMES: [&str; 6] = ["k", "b", "A", "ts", "x y", "ü"];

fn file(dice: &mut Dice, kinds: &[u64; 6]) -> String {
    let mut text = String::new();
    for _ in 0..2 + dice.below(14) {
        let mut members = Vec::new();
        for (name, kind) in NAMES.iter().zip(kinds) {
            if dice.below(5) > 0 {
                members.push(format!("\"{name}\":{}", value(dice, *kind, 0)));
            }
        }
        text.push_str(&format!("{{{}}}\n", members.join(",")));
    }
    text
}

fn plan(dice: &mut Dice, folder: &Folder) -> Plan {
    let mut plan = folder.plan("o.parquet");
    let key = dice.pick(&["k", "k", "k,b", "ts", "*", "", "\"x y\""]);
    if !key.is_empty() {
        let order = if key == "*" { "" } else { dice.pick(&["", "A", "A desc", "ü desc, A"]) };
        plan.dedup = dedup(key, order).map(|dedup| Dedup {
            keep: if dice.below(2) == 0 { Keep::First } else { Keep::Last },
            null_keys: NullKeys::Value,
            ..dedup
        });
        plan.dropped = (dice.below(2) == 0).then(Location::default);
    }
    plan.sink.row_group_rows = 1 + dice.below(9);
    plan
}

fn rows(path: &Path) -> Vec<String> {
    let head = head(&*storage(), path, 1000).unwrap();
    head.rows.into_iter().map(|row| row.0).collect()
}

#[test]
fn generated_records_come_out_alike_on_both_backends() {
    // A process and a disk are slow: the long sweeps stop at a thousand.
    let cases = std::env::var("DISTIL_CASES").map_or(100, |text| text.parse().unwrap()).min(1000);
    let pandas = pandas();
    let mut done = 0;
    for seed in 0..cases {
        let dice = &mut Dice(seed * 7919 + 1);
        let mut kinds = [0; 6].map(|_: u64| dice.below(12));
        // What stands in keys and orders is scalar, mostly.
        for at in [0, 1, 2, 3, 4] {
            kinds[at] = if at == 1 && dice.below(2) == 0 { kinds[at] } else { dice.below(6) };
        }
        let files: Vec<String> = (0..1 + dice.below(3)).map(|_| file(dice, &kinds)).collect();
        let names = ["a", "b", "c"];
        let files: Vec<(&str, &[u8])> =
            names.into_iter().zip(files.iter().map(String::as_bytes)).collect();
        let folder = Folder::new(&files);
        let plan = plan(dice, &folder);
        let on = |name: &str, backend: &dyn Backend| {
            let mut plan = plan.clone();
            plan.sink.path = folder.text(&format!("{name}.parquet")).into();
            plan.dropped =
                plan.dropped.map(|_| folder.text(&format!("{name}-dropped.parquet")).into());
            let (report, result) = run_on(&plan, backend);
            (plan, report, result)
        };
        let show = || {
            let text = |(_, content): &(&str, &[u8])| String::from_utf8(content.to_vec()).unwrap();
            format!("case {seed}\n{:?}\n{}", plan, files.iter().map(text).collect::<String>())
        };
        let (native_plan, native, expected) = on("native", &native());
        let (pandas_plan, found, result) = on("pandas", &pandas);
        match (expected, result) {
            (Ok(()), Ok(())) => done += 1,
            // What the scan finds is told alike.
            (Err(expected), Err(error)) if expected.what == error.what => continue,
            (expected, result) => panic!("{expected:?}\n{result:?}\n{}", show()),
        }
        let told = |report: &Report| {
            let Report { records, conflicts, schema, inputs, warnings, .. } = report.clone();
            (records, conflicts, schema, inputs, warnings)
        };
        assert_eq!(told(&native), told(&found), "{}", show());
        assert_eq!(rows(&native_plan.sink.path), rows(&pandas_plan.sink.path), "{}", show());
        assert_eq!(native.output.digest, found.output.digest, "{}", show());
        if let (Some(native), Some(pandas)) = (&native_plan.dropped, &pandas_plan.dropped) {
            assert_eq!(rows(native), rows(pandas), "{}", show());
        }
    }
    assert!(done * 2 > cases, "only {done} of {cases} cases ran to their end");
}
