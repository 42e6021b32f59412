//! `run`, `plan` and the report.

use insta::assert_snapshot;

use crate::context::Context;

const RUN: [&str; 4] = ["run", "in.json", "-o", "out.parquet"];

fn rows(context: &Context, output: &str) -> String {
    context.out(&["head", output])
}

#[test]
fn the_worked_example_with_key_ts_gives_two_rows() {
    let context = Context::with_example();
    let arguments = [&RUN[..], &["--key", "ts", "--order-by", "id, data"]].concat();
    assert_snapshot!(context.run(&arguments), @r#"
    exit: 0
    --- stderr
    records             5
    rows                2
    duplicates          3  0 identical, 3 conflicting
    quarantined         0
    read            355 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       out.parquet: 2 rows
    warning: the order column id holds numbers as strings, and orders them as text: "10" < "9", first at in.json line 2 ("10101")
      help: read it as numbers: --type 'id=int64'
      help: or order it as text, without this warning: --order-by 'id as text, data'
    "#);
    assert_eq!(
        rows(&context, "out.parquet"),
        "{\"id\":\"10101\",\"data\":\"ABC\",\"ts\":\"2019-04-23T17:25:43.111Z\"}\n\
         {\"id\":\"10102\",\"data\":\"DEF\",\"ts\":\"2019-04-23T18:20:32.876Z\"}\n"
    );
    assert_eq!(context.names(), ["in.json", "out.parquet"]);
}

#[test]
fn the_worked_example_with_key_id_and_ts_gives_three_rows() {
    let context = Context::with_example();
    let arguments = [&RUN[..], &["--key", "id,ts", "--order-by", "data", "-q"]].concat();
    assert_snapshot!(context.run(&arguments), @"exit: 0");
    assert_eq!(
        rows(&context, "out.parquet"),
        "{\"id\":\"10101\",\"data\":\"ABC\",\"ts\":\"2019-04-23T17:25:43.111Z\"}\n\
         {\"id\":\"10102\",\"data\":\"DEF\",\"ts\":\"2019-04-23T18:20:32.876Z\"}\n\
         {\"id\":\"1111\",\"data\":\"XYZ\",\"ts\":\"2019-04-23T18:20:32.876Z\"}\n"
    );
}

#[test]
fn the_whole_record_as_key_drops_exact_copies_only() {
    let context = Context::with_example();
    assert_snapshot!(context.run(&[&RUN[..], &["--key", "*"]].concat()), @"
    exit: 0
    --- stderr
    records             5
    rows                4
    duplicates          1  1 identical, 0 conflicting
    quarantined         0
    read            355 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       out.parquet: 4 rows
    ");
    assert_eq!(rows(&context, "out.parquet").lines().count(), 4);
}

#[test]
fn verbose_shows_the_first_conflicts_and_keep_last_turns_the_order_round() {
    let context = Context::with_example();
    let order = ["--order-by", "id as text, data", "--keep", "last"];
    let flags = [&["--key", "ts"], &order[..], &["-v", "--digest"]].concat();
    assert_snapshot!(context.run(&[&RUN[..], &flags].concat()), @r#"
    exit: 0
    --- stderr
     INFO distil_job::run: the plan is admitted inputs=1 bytes=355 backend="native"
     INFO distil_engine::pipeline: decoded all input records=5 bytes=355 spilled=0
     INFO distil_engine::pipeline: encoded all rows rows=2 bytes=1024
     INFO distil_job::run: the output is committed files=1 bytes=1024
    records             5
    rows                2
    duplicates          3  0 identical, 3 conflicting
    quarantined         0
    read            355 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       out.parquet: 2 rows
    digest       xxh3-128-sum:a2ebebdeccad64b8a7f28a5f98a18ffc
    the first conflicts, the row that is kept and one that is not:
      {"data":"XYZ","id":"1111","ts":"2019-04-23T18:20:32.876Z"}
      {"data":"XYZ","id":"10102","ts":"2019-04-23T18:20:32.876Z"}
    "#);
}

#[test]
fn conflicts_can_be_warned_of_or_fail_the_run() {
    let context = Context::with_example();
    let flags = ["--key", "ts", "--order-by", "id, data", "--on-conflict"];
    let run = |more: &str| context.run(&[&RUN[..], &flags, &[more]].concat());
    assert_snapshot!(run("error"), @r#"
    exit: 1
    --- stderr
    error: 3 records differ from the one that survives with the same key
      would keep {"data":"DEF","id":"10102","ts":"2019-04-23T18:20:32.876Z"}, drop {"data":"XYZ","id":"10102","ts":"2019-04-23T18:20:32.876Z"}
      output: nothing was written; the output is as it was before
      help: keep one record of each key anyway: --on-conflict keep
      help: and write those that are dropped to a file: --dropped FILE.parquet
    "#);
    assert_eq!(context.names(), ["in.json"]);
    assert_snapshot!(run("warn"), @r#"
    exit: 0
    --- stderr
    records             5
    rows                2
    duplicates          3  0 identical, 3 conflicting
    quarantined         0
    read            355 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       out.parquet: 2 rows
    warning: 3 records differ from the one that survives with the same key
    warning: the order column id holds numbers as strings, and orders them as text: "10" < "9", first at in.json line 2 ("10101")
      help: read it as numbers: --type 'id=int64'
      help: or order it as text, without this warning: --order-by 'id as text, data'
    "#);
}

#[test]
fn an_output_that_exists_is_kept_or_replaced_as_the_mode_says() {
    let context = Context::with_example();
    let flags = [&RUN[..], &["--key", "ts", "--order-by", "id", "-q"]].concat();
    context.out(&flags);
    let before = std::fs::metadata(context.path("out.parquet")).unwrap().modified().unwrap();
    assert_snapshot!(context.run(&flags), @"
    exit: 5
    --- stderr
    error: out.parquet: the output exists already
      output: it was not touched, and nothing was read
      help: replace it as a whole: --mode overwrite
    ");
    let after = std::fs::metadata(context.path("out.parquet")).unwrap().modified().unwrap();
    assert_eq!(before, after);
    assert_snapshot!(context.run(&[&flags[..], &["--mode", "overwrite"]].concat()), @r#"
    exit: 0
    --- stderr
    warning: the order column id holds numbers as strings, and orders them as text: "10" < "9", first at in.json line 2 ("10101")
      help: read it as numbers: --type 'id=int64'
      help: or order it as text, without this warning: --order-by 'id as text'
    "#);
}

#[test]
fn a_dry_run_checks_everything_and_writes_nothing() {
    let context = Context::with_example();
    let flags = ["--key", "ts", "--dry-run"];
    assert_snapshot!(context.run(&[&RUN[..], &flags].concat()), @"
    exit: 0
    --- stderr
    1 input, 355 B
      in.json
    output: out.parquet
    the output was not written: this is a dry run
    not checked, since no data was read: the records, and that there is a column ts
    ");
    assert_snapshot!(context.run(&[&RUN[..], &flags, &["-q"]].concat()), @"exit: 0");
    assert_eq!(context.names(), ["in.json"]);
    context.out(&[&RUN[..], &flags, &["--report", "r.json"]].concat());
    assert!(context.read("r.json").contains("\"status\": \"dry_run\""));
    assert_eq!(context.names(), ["in.json", "r.json"]);
}

#[test]
fn a_plan_goes_through_a_file_and_gives_the_same_bytes() {
    let context = Context::with_example();
    let flags =
        ["in.json", "-o", "out.parquet", "--key", "ts", "--order-by", "id as text desc, data"];
    let plan = context.out(&[&["plan"], &flags[..]].concat());
    assert_snapshot!(plan, @r#"
    {
      "version": 1,
      "sources": [
        "in.json"
      ],
      "shape": "auto",
      "schema": {},
      "extra_members": "error",
      "dedup": {
        "key": {
          "columns": [
            "ts"
          ]
        },
        "order_by": [
          {
            "column": "id",
            "direction": "desc",
            "as_text": true
          },
          {
            "column": "data",
            "direction": "asc"
          }
        ],
        "keep": "first",
        "null_keys": "error",
        "on_conflict": "keep"
      },
      "quarantine": {},
      "max_record": 67108864,
      "digest": false,
      "assume_valid": false,
      "sink": {
        "path": "out.parquet",
        "layout": "file",
        "mode": "error",
        "compression": "zstd:3",
        "row_group_rows": 1048576
      }
    }
    "#);
    context.write("plan.json", &plan);
    context.out(&["run", "--plan", "plan.json", "-q"]);
    let by_plan = std::fs::read(context.path("out.parquet")).unwrap();
    context.out(&[&["run", "-q", "--mode", "overwrite"], &flags[..]].concat());
    assert_eq!(std::fs::read(context.path("out.parquet")).unwrap(), by_plan);
}

#[test]
fn a_report_tells_the_same_on_standard_output_and_in_a_file() {
    let context = Context::with_example();
    let flags =
        [&RUN[..], &["--key", "ts", "--order-by", "id, data", "--mode", "overwrite"]].concat();
    let out = context.out(&[&flags[..], &["--report", "-"]].concat());
    context.out(&[&flags[..], &["--report", "r.json"]].concat());
    let judged = |text: &str| {
        let mut report: serde_json::Value = serde_json::from_str(text).unwrap();
        for varies in ["stages", "resources"] {
            assert!(report.as_object_mut().unwrap().remove(varies).is_some());
        }
        report["output"].as_object_mut().unwrap().remove("bytes");
        assert_eq!(report["distil"].take(), env!("CARGO_PKG_VERSION"));
        report
    };
    assert_eq!(judged(&out), judged(&context.read("r.json")));
    assert_snapshot!(serde_json::to_string_pretty(&judged(&out)).unwrap(), @r#"
    {
      "version": 1,
      "distil": null,
      "backend": "native",
      "status": "done",
      "records": {
        "read": 5,
        "accepted": 5,
        "written": 2,
        "duplicates": {
          "identical": 0,
          "conflicting": 3
        },
        "quarantined": {
          "records": 0,
          "ranges": 0,
          "bytes": 0
        },
        "ignored_members": 0,
        "rounded": 0,
        "converted": 0,
        "nulled": 0
      },
      "conflicts": [
        {
          "kept": {
            "data": "DEF",
            "id": "10102",
            "ts": "2019-04-23T18:20:32.876Z"
          },
          "dropped": {
            "data": "XYZ",
            "id": "10102",
            "ts": "2019-04-23T18:20:32.876Z"
          }
        }
      ],
      "inputs": [
        {
          "path": "in.json",
          "bytes": 355,
          "shape": "document:/records",
          "compression": "none",
          "records": 5,
          "quarantined": 0,
          "ignored_members": []
        }
      ],
      "schema": [
        {
          "name": "id",
          "type": "string"
        },
        {
          "name": "data",
          "type": "string"
        },
        {
          "name": "ts",
          "type": "timestamp(ms, UTC)"
        }
      ],
      "type_notes": [
        {
          "text": "the order column id holds numbers as strings, and orders them as text: \"10\" < \"9\", first at in.json line 2 (\"10101\")",
          "input": 0,
          "offset": 16,
          "ordinal": 2,
          "hints": [
            {
              "text": "read it as numbers",
              "option": "types",
              "value": "id=int64"
            },
            {
              "text": "or order it as text, without this warning",
              "option": "order_by",
              "value": "id as text, data"
            }
          ]
        }
      ],
      "output": {
        "path": "out.parquet",
        "files": 1,
        "digest": null,
        "row_groups": 1
      },
      "error": null,
      "warnings": []
    }
    "#);
}

#[test]
fn a_failed_run_writes_its_report_too() {
    let context = Context::with_example();
    assert_snapshot!(context.run(&[&RUN[..], &["--key", "nope", "--report", "r.json"]].concat()), @"
    exit: 1
    --- stderr
    error: no record has the column nope
      output: nothing was written; the output is as it was before
      help: choose one of the nearest columns: data, id, ts
    ");
    let report: serde_json::Value = serde_json::from_str(&context.read("r.json")).unwrap();
    assert_eq!(report["status"], "failed");
    assert_eq!(report["error"]["exit_status"], 1);
    assert_eq!(report["error"]["what"], "no record has the column nope");
}

#[test]
fn a_report_never_takes_the_place_of_a_source_even_when_the_run_fails_early() {
    let context = Context::with_example();
    context.write("out.parquet", "mine");
    let before = context.read("in.json");
    assert_snapshot!(context.run(&[&RUN[..], &["--key", "ts", "--report", "in.json"]].concat()), @"
    exit: 2
    --- stderr
    error: in.json: the report is also a source
      output: nothing was written; the output is as it was before
      help: choose another path for the report
    ");
    assert_eq!(context.read("in.json"), before);
    let status = context.run(&[&RUN[..], &["--key", "ts", "--report", "out.parquet"]].concat());
    assert!(status.starts_with("exit: 2\n"), "{status}");
    assert_eq!(context.read("out.parquet"), "mine");
}
