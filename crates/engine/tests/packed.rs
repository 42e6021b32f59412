//! Packing changes no byte of an output and no count: runs that pack are compared with runs that do not,
//! because losers that are wanted travel encoded.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write;

use distil_engine::EngineOptions;
use distil_plan::{ColumnPath, Dedup, Keep, OrderBy, Plan, Report, Sink};
use distil_storage::{Memory, Storage};
use support::run;

/// Numbers that look random and are the same in every run: Marsaglia's xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What records are like, besides alike.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Data {
    /// All of one form.
    Plain,
    /// Some with an escape, another order of members, a member less, a null.
    Odd,
    /// The last record makes a column of instants text.
    Widened,
    /// One key for most records.
    Hot,
    /// Keys ascend from file to file.
    InOrder,
}

fn record(chance: &mut Chance, data: Data, ordinal: u64, records: u64) -> String {
    let key = match data {
        Data::Hot if chance.below(10) > 0 => 7,
        Data::InOrder => ordinal * 86_400_000 / records / 2,
        _ => chance.below(records),
    };
    let (seconds, millis) = (key / 1000, key % 1000);
    let ts = format!(
        "2019-04-{:02}T{:02}:{:02}:{:02}.{millis:03}Z",
        1 + seconds / 86_400 % 28,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60
    );
    let id = chance.below(400);
    let text =
        ["alpha", "b", "", "a long text of more than twenty bytes"][chance.below(4) as usize];
    let number = chance.below(50) as f64 / 4.0;
    let flag = chance.below(2) == 0;
    match data {
        Data::Odd if chance.below(20) == 0 => {
            let odd = [
                format!(
                    r#"{{"ts":"{ts}","id":"\u0041","n":{id},"x":{number},"ok":{flag},"data":"é"}}"#
                ),
                format!(r#"{{"id":"{id}","ts":"{ts}","n":null,"ok":{flag},"data":null}}"#),
                format!(r#"{{"ts":"{ts}"}}"#),
            ];
            odd[chance.below(3) as usize].clone()
        }
        Data::Widened if ordinal + 1 == records => {
            format!(r#"{{"ts":"{ts}","id":"{id}","n":1.5,"x":true,"ok":"yes","data":"{text}"}}"#)
        }
        _ => format!(
            r#"{{"ts": "{ts}", "id": "{id}", "n": {}, "x": {number:?}, "ok": {flag}, "data": "{text}"}}"#,
            id as i64 - 200
        ),
    }
}

fn storage_with(data: Data, records: u64) -> Memory {
    let storage = Memory::new();
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    for file in 0..4 {
        let mut text = String::new();
        for at in 0..records / 4 {
            let line = record(&mut chance, data, file * (records / 4) + at, records);
            writeln!(text, "{line}").unwrap();
        }
        storage.put(format!("in/{file}.ndjson"), text.as_bytes());
    }
    storage
}

fn run_with(
    storage: &Memory,
    plan: &Plan,
    output: &str,
    dropped: bool,
    options: EngineOptions,
) -> (Vec<u8>, Report) {
    let mut plan = plan.clone();
    plan.sink.path = output.into();
    plan.dropped = dropped.then(|| format!("dropped-{output}").into());
    let report = run(storage, plan, options);
    let file = storage.open(output.as_ref()).unwrap();
    let mut bytes = vec![0; report.output.bytes as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        filled += file.read_at(filled as u64, &mut bytes[filled..]).unwrap();
    }
    (bytes, report)
}

fn plan(key: &str, order: &str, keep: Keep) -> Plan {
    let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
    plan.sink.row_group_rows = 5_000;
    plan.dedup = Some(Dedup {
        order_by: OrderBy::parse_list(order).unwrap(),
        keep,
        ..Dedup::on_columns(ColumnPath::parse_list(key).unwrap())
    });
    plan
}

#[test]
fn packing_changes_no_byte_and_no_count() {
    let mut spilled = 0;
    for (data, records) in [
        (Data::Plain, 24_000),
        (Data::Odd, 24_000),
        (Data::Widened, 8_000),
        (Data::Hot, 24_000),
        (Data::InOrder, 24_000),
    ] {
        let storage = storage_with(data, records);
        for (at, plan) in [
            plan("ts", "id, data desc", Keep::First),
            plan("n, ts", "x", Keep::Last),
            Plan {
                columns: Some(ColumnPath::parse_list("data, ts").unwrap()),
                ..plan("ts", "id", Keep::First)
            },
        ]
        .iter()
        .enumerate()
        {
            // Columns of missing or mixed values are no key and no order.
            if matches!(data, Data::Odd | Data::Widened) && at == 1 {
                continue;
            }
            let unlimited = EngineOptions::new(1, 1 << 30);
            let (expected, report) =
                run_with(&storage, plan, &format!("encoded-{at}.parquet"), true, unlimited);
            for (which, options) in [
                EngineOptions::new(1, 1 << 30),
                EngineOptions::new(3, 1 << 30),
                EngineOptions { row_bytes: 60_000, ..EngineOptions::new(2, 1 << 30) },
                EngineOptions {
                    row_bytes: 400_000,
                    read_chunk: 999,
                    ..EngineOptions::new(1, 1 << 30)
                },
            ]
            .into_iter()
            .enumerate()
            {
                let name = format!("packed-{at}-{which}.parquet");
                let (found, packed) = run_with(&storage, plan, &name, false, options);
                assert_eq!(packed.records, report.records, "{data:?} {at} {which}");
                assert_eq!(packed.conflicts, report.conflicts, "{data:?} {at} {which}");
                assert_eq!(packed.schema, report.schema, "{data:?} {at} {which}");
                assert!(found == expected, "{data:?} {at} {which}: other bytes");
                spilled += u64::from(packed.resources.spilled_bytes > 0);
            }
        }
    }
    assert!(spilled > 10, "only {spilled} runs spilled");
}
