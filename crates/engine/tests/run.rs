//! Whole runs on the in-memory file system; the conformance suite has the many.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use distil_engine::EngineOptions;
use distil_output::head::head;
use distil_plan::{Code, Dedup, Error, OrderBy, Plan, Report, Sink};
use distil_storage::{Memory, Storage};
use parquet::basic::LogicalType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use support::{fails, run};

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
    let report = run(&storage, plan, EngineOptions::new(2, 1 << 30));
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

#[test]
fn json_columns_say_so_in_parquet_at_any_depth_and_are_read_back() {
    let storage = Memory::new();
    let records = [
        r#"{"id":1,"a":1,"l":[1,"x"],"s":{"m":true,"t":"x"}}"#,
        r#"{"id":2,"a":"1","l":[],"s":{"m":1,"t":"y"}}"#,
    ];
    storage.put("in/a.json", records.join("\n").as_bytes());
    let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
    plan.digest = true;
    run(&storage, plan, EngineOptions::new(2, 1 << 30));
    let file = storage.open(Path::new("out.parquet")).unwrap();
    let mut bytes = vec![0; file.stamp().size as usize];
    file.read_at(0, &mut bytes).unwrap();
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let columns = reader.metadata().file_metadata().schema_descr().columns();
    let of = |wanted: LogicalType| {
        let found = columns.iter().filter(|column| column.logical_type_ref() == Some(&wanted));
        found.map(|column| column.path().string()).collect::<Vec<_>>()
    };
    assert_eq!(of(LogicalType::Json), ["a", "l.list.element", "s.m"]);
    assert_eq!(of(LogicalType::String), ["s.t"]);
    let rows = head(&storage, Path::new("out.parquet"), 10).unwrap().rows;
    assert_eq!(rows.into_iter().map(|row| row.0).collect::<Vec<_>>(), records);
}

/// Fails before the whole array is read where one thread reads it, and shows the same on several, which
/// find bad records in another order.
#[test]
fn the_first_bad_records_of_the_input_are_shown_by_any_number_of_threads() {
    let storage = Memory::new();
    let strings: Vec<String> = (0..40_000).map(|n| format!("\"string {n:05}\"")).collect();
    storage.put("in/a.json", format!("[{}]", strings.join(",")).as_bytes());
    storage.put("in/b.json", b"[1,2]");
    let told = |threads| {
        let plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
        let mut options = EngineOptions::new(threads, 1 << 30);
        options.read_chunk = 4 << 10;
        fails(&storage, plan, options)
    };
    let one = told(1);
    assert_eq!(one.what, "10 bad records, the run stopped there");
    assert_eq!(
        one.details,
        [
            "in/a.json line 1, byte 1: not_an_object: the value is a string, not an object",
            "  \"string 00000\"",
            "  ^",
            "9 more: not_an_object, the last at in/a.json line 1, byte 136",
        ]
    );
    for threads in [2, 3, 4, 4, 4, 4] {
        assert_eq!(told(threads), one);
    }
}

/// Ten records without the key end the run, though a file that is not read yet may have it. What is said of
/// the key depends on nothing after the tenth, which some threads have read and others have not.
#[test]
fn a_key_is_not_called_missing_before_all_input_is_read() {
    let told = |bad: usize, more: &str, threads| {
        let storage = Memory::new();
        storage.put("in/a.json", "{\"kez\":1}\n".repeat(bad).as_bytes());
        storage.put("in/b.json", more.as_bytes());
        let mut plan = Plan::new(vec!["in".into()], Sink::new("out.parquet"));
        plan.dedup = Some(Dedup::on_columns(vec![distil_plan::ColumnPath::name("key")]));
        let mut options = EngineOptions::new(threads, 1 << 30);
        options.read_chunk = 16;
        fails(&storage, plan, options)
    };
    let brief = |error: &Error| (error.code, error.what.clone());
    let all_read = told(9, "", 1);
    assert_eq!(brief(&all_read), (Code::MissingColumn, "no record has the column key".to_owned()));
    let there = told(9, "{\"key\":1}", 1);
    assert_eq!(brief(&there), (Code::BadRecords, "9 bad records".to_owned()));
    assert_eq!(there.hints.len(), 1);
    let unread = told(10, "{\"key\":1,\"keg\":2}\n{\"keg\":1}", 1);
    let expected = (Code::BadRecords, "10 bad records, the run stopped there".to_owned());
    assert_eq!(brief(&unread), expected);
    let advice: Vec<&str> = unread.hints.iter().map(|hint| hint.text.as_str()).collect();
    assert_eq!(
        advice[..2],
        [
            "as far as the input was read, no record has the column key",
            "choose one of the nearest columns: kez",
        ]
    );
    assert!(unread.hints[2].is_about("quarantine"));
    for threads in [2, 3, 4, 4, 4, 4] {
        assert_eq!(told(10, "{\"key\":1,\"keg\":2}\n{\"keg\":1}", threads), unread);
    }
}
