//! The pandas backend against the native one: equal rows, counts, conflicts and digests.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and looks at its files"
)]

mod support;

use std::path::Path;

use distil_external::External;
use distil_output::digest::digest_output;
use distil_output::head::head;
use distil_plan::{Compression, ExtraMembers, Keep, Location, NullKeys, Plan, Report, Schema};

use support::{Folder, dedup, native, pandas, run_on, storage};

const EXAMPLE: &str = r#"{"records": [
  {"id": "10101", "data": "ABC", "ts": "2019-04-23T17:25:43.111Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "DEF", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "1111", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"}
]}"#;

fn rows(path: &Path) -> Vec<String> {
    let head = head(&*storage(), path, 1000).unwrap();
    head.rows.into_iter().map(|row| row.0).collect()
}

/// Runs a plan on both backends and compares everything that the contract speaks of.
fn same_on_both(folder: &Folder, plan: &Plan, pandas: &External) -> (Report, Vec<String>) {
    let extension = if plan.sink.path.ends_with(".parquet") { ".parquet" } else { "" };
    let mut reports = Vec::new();
    for (name, backend) in [("native", &native() as &dyn distil_plan::Backend), ("pandas", pandas)]
    {
        let mut plan = plan.clone();
        plan.sink.path = folder.text(&format!("{name}{extension}")).into();
        plan.dropped = plan.dropped.map(|_| folder.text(&format!("{name}-dropped.parquet")).into());
        let (report, result) = run_on(&plan, backend);
        result.unwrap_or_else(|error| {
            panic!("{name}: {error} {:?} {:?}", error.details, error.hints)
        });
        reports.push((report, plan));
    }
    let [(native, native_plan), (pandas, pandas_plan)] = &reports[..] else { panic!() };
    assert_eq!(native.records, pandas.records);
    assert_eq!(native.conflicts, pandas.conflicts);
    assert_eq!(native.schema, pandas.schema);
    assert_eq!(native.inputs, pandas.inputs);
    assert_eq!(native.output.digest, pandas.output.digest);
    assert_eq!(native.warnings, pandas.warnings);
    let found = rows(&pandas_plan.sink.path);
    assert_eq!(rows(&native_plan.sink.path), found);
    if let (Some(native), Some(pandas)) = (&native_plan.dropped, &pandas_plan.dropped) {
        assert_eq!(rows(native), rows(pandas));
        let digest = |path: &Path| digest_output(&*storage(), path).unwrap();
        assert_eq!(digest(native), digest(pandas));
    }
    (pandas.clone(), found)
}

#[test]
fn the_worked_example_gives_its_two_and_three_rows() {
    let folder = Folder::new(&[("a.json", EXAMPLE.as_bytes())]);
    let pandas = pandas();
    let mut plan = folder.plan("o.parquet");
    plan.dedup = dedup("ts", "id, data");
    let (report, rows) = same_on_both(&folder, &plan, &pandas);
    assert_eq!(
        rows,
        [
            r#"{"id":"10101","data":"ABC","ts":"2019-04-23T17:25:43.111Z"}"#,
            r#"{"id":"10102","data":"DEF","ts":"2019-04-23T18:20:32.876Z"}"#,
        ]
    );
    assert_eq!(report.backend, "pandas");
    let folder = Folder::new(&[("a.json", EXAMPLE.as_bytes())]);
    let mut plan = folder.plan("o.parquet");
    plan.dedup = dedup("id, ts", "data");
    assert_eq!(same_on_both(&folder, &plan, &pandas).1.len(), 3);
}

/// One file of lines with everything that orders or prints in its own way.
const MIXED: &str = r#"
{"k":1,"s":"b","n":9,"o":{"x":[1,2],"y":"q"},"m":9,"f":0.5,"b":true,"big":123456789012345678901234567890}
{"k":1,"s":"a","n":10,"o":{"x":[1],"y":"q"},"m":"9","f":-0.0,"b":false,"big":5}
{"k":1,"s":"a","n":10,"o":{"x":[1],"y":"q"},"m":"9","f":0,"b":false,"big":5e0}
{"k":2,"s":"é\u0001\"","n":null,"o":{},"m":[1,{"z":null,"a":1.50}],"f":1e-7,"b":null}
{"k":2,"s":"z","o":null,"m":{"b":1e400,"a":[]},"f":2.5e10}
{"k":2,"s":"z","o":{"x":[null,3]},"m":{"a":[]},"f":2.5e10}
{"k":2,"s":"z","o":{"x":[]},"m":true}
{"k":2,"s":"z","o":{"x":[3,null]},"m":1000000000000000000000000000}
{"k":2,"s":"z","o":{"x":[3]},"m":-12.25}
{"k":3,"d":[],"s":"😀"}
{"k":3,"d":[[null],[{"a":1}]],"s":"～"}
"#;

#[test]
fn nested_and_mixed_columns_order_as_json_values_in_every_direction() {
    let text = MIXED.replace("5e0", "5");
    let folder = Folder::new(&[("a.json", text.as_bytes())]);
    let pandas = pandas();
    for (at, (key, order)) in [
        ("k", ""),
        ("k", "s desc"),
        ("k", "n, s desc"),
        ("k", "f desc"),
        ("*", ""),
        ("k,s", "b"),
        ("k", "o.y desc"),
    ]
    .into_iter()
    .enumerate()
    {
        for keep in [Keep::First, Keep::Last] {
            let inner = Folder::new(&[]);
            let mut plan = inner.plan("o.parquet");
            plan.sources = vec![folder.text("in")];
            plan.dedup = dedup(key, order).map(|dedup| distil_plan::Dedup { keep, ..dedup });
            if at % 2 == 0 {
                plan.dropped = Some(Location::default());
            }
            same_on_both(&inner, &plan, &pandas);
        }
    }
    let mut plan = folder.plan("o.parquet");
    plan.sink.row_group_rows = 2;
    plan.sink.compression = Compression::Snappy;
    let (report, rows) = same_on_both(&folder, &plan, &pandas);
    assert_eq!((rows.len(), report.output.row_groups), (11, 6));
}

#[test]
fn null_keys_nested_keys_and_chosen_columns_work_alike() {
    let lines = r#"{"a":{"k":1,"v":"x","w":[1]},"t":"p"}
{"a":{"k":null,"v":"x"},"t":"q"}
{"a":null,"t":"r"}
{"a":{"k":1,"v":"a"},"t":"p"}
{"t":"r"}"#;
    let folder = Folder::new(&[("a.json", lines.as_bytes())]);
    let mut plan = folder.plan("o");
    plan.dedup = dedup("a.k", "t desc");
    plan.dedup.as_mut().unwrap().null_keys = NullKeys::Value;
    plan.columns = Some(distil_plan::ColumnPath::parse_list("t, a.w, a.k").unwrap());
    plan.sink.max_file_rows = Some(1);
    plan.dropped = Some(Location::default());
    let (report, rows) = same_on_both(&folder, &plan, &pandas());
    assert_eq!(report.output.files, 2);
    assert_eq!(rows, [r#"{"t":"p","a":{"k":1}}"#, r#"{"t":"r"}"#]);
}

#[test]
fn every_declared_type_reads_alike() {
    let schema = "bo boolean, i8 int8, i16 int16, i32 int32, i64 int64, d decimal(12,3), \
                  f float32, g float64, tm timestamp(ms), tu timestamp(us), tn timestamp(ns), \
                  es epoch(s), em epoch(ms), eu epoch(us), en epoch(ns), da date, bi binary, \
                  s string, j json, l list<epoch(s)>, st struct<\"a b\": decimal(3,1), e: date>";
    let lines = [
        r#"{"bo":true,"i8":-128,"i16":1e2,"i32":7.0,"i64":-9223372036854775808,"d":123456789.125,"f":0.1,"g":123456789012345678901,"tm":"2019-04-23 17:25:43.1+02:00","tu":"0001-01-01T00:00:00Z","tn":"2262-04-11t23:47:16.854775807z","es":-1,"em":1e3,"eu":5,"en":-9223372036854775808,"da":"9999-12-31","bi":"AAEC","s":"","j":{"b":null,"a":[1.0,null]},"l":[0,null,60],"st":{"a b":1.5,"e":"2000-02-29"}}"#,
        r#"{"f":16777217.0000001,"g":1e-400,"d":-0.0,"j":-0,"st":{},"l":[],"bi":""}"#,
        r#"{"f":3.4028234663852886e38,"g":0.1,"d":0.001,"j":null,"st":null,"i64":0,"tm":"1969-12-31T23:59:59.999Z"}"#,
        "{}",
    ];
    let folder = Folder::new(&[("a.json", lines.join("\n").as_bytes())]);
    let mut plan = folder.plan("o.parquet");
    plan.schema.declared = Some(Schema::parse(schema).unwrap());
    plan.dedup = dedup("*", "");
    let pandas = pandas();
    let (report, rows) = same_on_both(&folder, &plan, &pandas);
    assert_eq!(rows.len(), 4);
    assert!(report.records.rounded > 0);
    let folder = Folder::new(&[("a.json", lines.join("\n").as_bytes())]);
    let mut plan = Plan { sources: vec![folder.text("in")], ..plan };
    plan.dedup = dedup("i64", "f desc, tm");
    plan.dedup.as_mut().unwrap().null_keys = NullKeys::Value;
    plan.dedup.as_mut().unwrap().keep = Keep::Last;
    assert_eq!(same_on_both(&folder, &plan, &pandas).0.conflicts.len(), 1);
}

#[test]
fn extra_members_are_left_out_or_kept_alike() {
    let lines = r#"{"a":1,"x":{"y":null},"s":{"p":1,"q":[1]},"_extra":5}
{"a":2,"x":null,"s":{"p":1,"r":null}}"#;
    for extra in [ExtraMembers::Ignore, ExtraMembers::Keep] {
        let folder = Folder::new(&[("a.json", lines.as_bytes())]);
        let mut plan = folder.plan("o.parquet");
        plan.schema.declared = Some(Schema::parse("a int64, s struct<p: int64>").unwrap());
        plan.extra_members = extra;
        plan.dedup = dedup("a", "");
        same_on_both(&folder, &plan, &pandas());
    }
}

#[test]
fn shapes_and_compressions_read_alike() {
    use std::io::Write;
    let lines = "\u{feff}\n{\"a\":1}\r\n\r\n{\"a\":2}";
    let mut gzip = std::process::Command::new("gzip")
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    gzip.stdin.take().unwrap().write_all(b"[{\"a\":3},{\"a\":4}]").unwrap();
    let gzip = gzip.wait_with_output().unwrap().stdout;
    let folder = Folder::new(&[
        ("lines", lines.as_bytes()),
        ("gzip", &gzip),
        ("concatenated", b"{\"a\":\n5} {\"a\":6}{\"a\":7}"),
        ("empty.json", b""),
    ]);
    let mut plan = folder.plan("o.parquet");
    plan.dedup = dedup("a", "");
    let (report, rows) = same_on_both(&folder, &plan, &pandas());
    assert_eq!(rows.len(), 7);
    let shapes: Vec<&str> = report.inputs.iter().map(|input| input.shape.as_str()).collect();
    assert_eq!(shapes, ["concatenated", "lines", "array", "lines"]);
    // Documents go together with arrays only.
    let folder = Folder::new(&[
        ("document", br#"{"v":{"records":1},"records":[{"a":8}],"v":2}"#),
        ("gzip", &gzip),
    ]);
    let mut plan = folder.plan("o.parquet");
    plan.dedup = dedup("a", "");
    let (report, rows) = same_on_both(&folder, &plan, &pandas());
    assert_eq!(rows.len(), 3);
    let shapes: Vec<&str> = report.inputs.iter().map(|input| input.shape.as_str()).collect();
    assert_eq!(shapes, ["document:/records", "array"]);
}

#[test]
fn generated_data_with_duplicates_across_files_has_its_known_digest() {
    let folder = Folder::new(&[]);
    // The plan's shape, small; `DISTIL_RECORDS=1000000` makes it large.
    let total = std::env::var("DISTIL_RECORDS").map_or(5000, |text| text.parse().unwrap());
    let parameters = distil_datagen::Parameters {
        files: 10,
        records: total / 10 * 4 / 5,
        duplicates: total / 10 / 5,
        spread: 50,
        ..distil_datagen::Parameters::default()
    };
    let data = folder.path("data");
    let storage = storage();
    distil_datagen::generate(&*storage, &data, &parameters, 2, &|_| ()).unwrap();
    let pandas = pandas();
    for key in ["ts", "id,ts"] {
        let inner = Folder::new(&[]);
        let mut plan = inner.plan("o.parquet");
        plan.sources = vec![data.to_str().unwrap().to_owned()];
        plan.dedup = dedup(key, "");
        let (report, _) = same_on_both(&inner, &plan, &pandas);
        assert_eq!(report.records.read, total);
        assert_eq!(report.conflicts.len(), 10);
    }
}

#[test]
fn bad_records_are_refused_with_the_way_to_set_them_aside_and_nothing_is_written() {
    let folder = Folder::new(&[("a.json", b"{\"a\":1}\n{\"a\":1,}\n")]);
    let mut plan = folder.plan("o.parquet");
    plan.quarantine.path = Some(folder.text("q.ndjson").into());
    let (_, result) = run_on(&plan, &pandas());
    let error = result.unwrap_err();
    assert_eq!(error.fault.exit_status(), 1);
    assert!(error.what.contains("only takes input in which every record is valid"), "{error}");
    assert!(
        error.details[0].contains("a.json line 2, byte 15: invalid_json"),
        "{:?}",
        error.details
    );
    assert!(
        error.hints[0].is_about("backend") && error.hints[1].is_about("quarantine"),
        "{error:?}"
    );
    assert_eq!(folder.names(), Vec::<String>::new());
}

#[test]
fn a_quarantine_of_admitted_input_holds_no_record() {
    let folder = Folder::new(&[("a.json", b"{\"a\":1}")]);
    let mut plan = folder.plan("o.parquet");
    plan.quarantine.path = Some(folder.text("q.ndjson").into());
    run_on(&plan, &pandas()).1.unwrap();
    assert_eq!(folder.names(), ["o.parquet", "q.ndjson"]);
    let quarantine = std::fs::read_to_string(folder.path("q.ndjson")).unwrap();
    let lines: Vec<&str> = quarantine.lines().collect();
    assert!(
        lines.len() == 1 && lines[0].starts_with("{\"quarantine\":1,\"plan\":"),
        "{quarantine}"
    );
}

#[test]
fn what_pandas_cannot_keep_is_refused_by_name_before_anything_is_written() {
    let folder = Folder::new(&[("a.json", b"{\"a\":1}")]);
    let mut plan = folder.plan("o");
    plan.sink.max_file_bytes = Some(1 << 20);
    let error = run_on(&plan, &pandas()).1.unwrap_err();
    assert_eq!(error.fault.exit_status(), 2);
    assert!(error.what.contains("a limit of the bytes of a file (`max_file_bytes`)"), "{error}");
    assert_eq!(folder.names(), Vec::<String>::new());
}

#[test]
fn assumed_input_needs_a_schema_and_is_told_in_the_report() {
    let folder = Folder::new(&[("a.json", EXAMPLE.as_bytes())]);
    let mut plan = folder.plan("o.parquet");
    plan.assume_valid = true;
    plan.dedup = dedup("ts", "id, data");
    let error = run_on(&plan, &pandas()).1.unwrap_err();
    assert!(error.what.contains("needs a schema"), "{error}");
    plan.schema.declared = Some(Schema::parse("id string, data string, ts timestamp(ms)").unwrap());
    let (report, result) = run_on(&plan, &pandas());
    result.unwrap();
    assert_eq!((report.records.read, report.records.written), (5, 2));
    assert_eq!(report.inputs[0].shape, "document:/records");
    assert!(report.warnings[0].contains("assume_valid"), "{:?}", report.warnings);
    // What does not fit is still an error, and never a guess.
    plan.schema.declared = Some(Schema::parse("id int64, data string, ts timestamp(ms)").unwrap());
    plan.sink.path = folder.text("p.parquet").into();
    let error = run_on(&plan, &pandas()).1.unwrap_err();
    assert_eq!(error.fault.exit_status(), 1);
    assert!(error.what.contains("\"10101\" is not of the type int64"), "{error}");
    assert_eq!(folder.names(), ["o.parquet"]);
}
