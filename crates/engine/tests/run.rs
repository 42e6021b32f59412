//! Whole runs on the in-memory file system; the conformance suite has the many.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use distil_engine::Options;
use distil_output::head::head;
use distil_plan::{Dedup, OrderBy, Plan, Report, Sink};
use distil_storage::Memory;
use support::run;

const EXAMPLE: &str = r#"{"records": [
  {"id": "10101", "data": "ABC", "ts": "2019-04-23T17:25:43.111Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "DEF", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "1111", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"}
]}"#;

fn example(key: &str, order: &str) -> (Report, Vec<String>) {
    let storage = Memory::new();
    storage.put("in/a.json", EXAMPLE.as_bytes());
    let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
    plan.digest = true;
    plan.dedup = Some(Dedup {
        order_by: if order.is_empty() { Vec::new() } else { OrderBy::parse_list(order).unwrap() },
        ..Dedup::on_columns(distil_plan::ColumnPath::parse_list(key).unwrap())
    });
    let report = run(&storage, plan, Options::new(2, 1 << 30));
    let head = head(&storage, Path::new("out.parquet"), 10).unwrap();
    (report, head.rows.into_iter().map(|row| row.0).collect())
}

#[test]
fn the_worked_example_gives_two_rows_for_the_instant() {
    let (report, rows) = example("ts", "id, data");
    assert_eq!(
        rows,
        [
            r#"{"id":"10101","data":"ABC","ts":"2019-04-23T17:25:43.111Z"}"#,
            r#"{"id":"10102","data":"DEF","ts":"2019-04-23T18:20:32.876Z"}"#,
        ]
    );
    assert_eq!(report.records.duplicates.identical, 0);
    assert_eq!(report.records.duplicates.conflicting, 3);
    assert_eq!(report.conflicts.len(), 1);
    assert_eq!(
        report.conflicts[0].dropped.0,
        r#"{"data":"XYZ","id":"10102","ts":"2019-04-23T18:20:32.876Z"}"#
    );
}

#[test]
fn the_worked_example_gives_three_rows_for_both() {
    let (report, rows) = example("id,ts", "data");
    assert_eq!(
        rows,
        [
            r#"{"id":"10101","data":"ABC","ts":"2019-04-23T17:25:43.111Z"}"#,
            r#"{"id":"10102","data":"DEF","ts":"2019-04-23T18:20:32.876Z"}"#,
            r#"{"id":"1111","data":"XYZ","ts":"2019-04-23T18:20:32.876Z"}"#,
        ]
    );
    assert_eq!(report.records.duplicates.conflicting, 2);
}
