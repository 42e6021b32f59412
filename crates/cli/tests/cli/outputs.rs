//! `head`, `digest`, `verify`, `schema`, `generate`, `completions`, and the layouts of outputs.

use insta::assert_snapshot;

use crate::context::{Context, names};

fn written() -> Context {
    let context = Context::with_example();
    let flags = ["run", "-q", "in.json", "--order-by", "id, data"];
    context.out(&[&flags[..], &["-o", "ts.parquet", "--key", "ts"]].concat());
    context.out(&["run", "-q", "in.json", "-o", "both.parquet", "--key", "id,ts"]);
    context
}

#[test]
fn head_prints_the_first_rows_as_json_lines() {
    let context = written();
    assert_snapshot!(context.run(&["head", "both.parquet", "-n", "1"]), @r#"
    exit: 0
    --- stdout
    {"id":"10101","data":"ABC","ts":"2019-04-23T17:25:43.111Z"}
    "#);
    assert_eq!(context.out(&["head", "both.parquet"]).lines().count(), 3);
    assert_eq!(context.out(&["head", "both.parquet", "-n", "0"]), "");
    assert_snapshot!(context.run(&["head", "in.json"]), @"
    exit: 1
    --- stderr
    error: in.json: it is not a Parquet file that can be read: Invalid Parquet file. Corrupt footer
    ");
    assert_snapshot!(context.run(&["head", "none.parquet"]), @"
    exit: 1
    --- stderr
    error: none.parquet: there is no such file or directory
    ");
}

#[test]
fn a_digest_is_that_of_the_rows() {
    let context = written();
    assert_snapshot!(context.run(&["digest", "ts.parquet"]), @"
    exit: 0
    --- stdout
    xxh3-128-sum:b773f1624425baf3b6656cf2aa1401f1
    ");
    context.out(&["run", "-q", "in.json", "-o", "dir", "--key", "ts", "--order-by", "id, data"]);
    assert_eq!(context.out(&["digest", "dir"]), context.out(&["digest", "ts.parquet"]));
    assert_ne!(context.out(&["digest", "both.parquet"]), context.out(&["digest", "ts.parquet"]));
}

#[test]
fn verify_names_the_first_thing_that_differs() {
    let context = written();
    assert_snapshot!(context.run(&["verify", "ts.parquet"]), @"
    exit: 0
    --- stdout
    partly verified: 2 rows, xxh3-128-sum:b773f1624425baf3b6656cf2aa1401f1
      columns  3, as the footer says
      rows     as many as the footer says
      order    ascending by the key
      keys     every key is there once
      values   NOT checked: no digest is recorded: give a reference, or run with the option `digest`
    ");
    assert_snapshot!(context.run(&["verify", "ts.parquet", "both.parquet"]), @"
    exit: 1
    --- stderr
    error: ts.parquet: the output has 2 rows, but both.parquet has 3 rows: the counts differ
    ");
    assert_snapshot!(context.run(&["verify", "ts.parquet", "-q"]), @"exit: 0");
    let mut bytes = std::fs::read(context.path("ts.parquet")).unwrap();
    bytes.truncate(bytes.len() - 9);
    context.write("cut.parquet", bytes);
    assert!(context.run(&["verify", "cut.parquet"]).starts_with("exit: 1\n"));
}

#[test]
fn generated_data_has_the_answer_that_it_was_written_with() {
    let context = Context::new();
    let sizes = ["--files", "3", "--records", "100", "--duplicates", "8", "--spread", "50%"];
    assert_snapshot!(context.run(&[&["generate", "data"], &sizes[..]].concat()), @"
    exit: 0
    --- stderr
    324 records in 3 files, [TIME]
      --key id,ts: 312 rows
      --key ts: 300 rows
    ");
    assert_eq!(context.names(), ["data", "data.answer.json"]);
    for (key, order, output) in
        [("ts", "id, data", "ts.parquet"), ("id,ts", "data", "both.parquet")]
    {
        context.out(&["run", "-q", "data", "-o", output, "--key", key, "--order-by", order]);
        let told = context.run(&["verify", output, "data.answer.json"]);
        assert!(told.starts_with("exit: 0\n"), "{told}");
    }
    context.out(&["run", "-q", "data", "-o", "wrong.parquet", "--key", "ts", "--keep", "last"]);
    let told = context.run(&["verify", "wrong.parquet", "data.answer.json"]);
    assert!(told.starts_with("exit: 1\n"), "{told}");
    assert_snapshot!(context.run(&[&["generate", "data"], &sizes[..]].concat()), @"
    exit: 5
    --- stderr
    error: data.answer.json: an answer exists already, of other data
      output: nothing was written
      help: remove it, or generate into another directory
    ");
}

#[test]
fn schema_tells_types_and_why_and_reads_back_as_a_declared_schema() {
    let context = Context::new();
    context.write(
        "in.ndjson",
        "{\"a\":1,\"b\":{\"c\":[1.5],\"d e\":null}}\n{\"a\":\"x\",\"b\":{\"c\":[]}}\n{\"a\":2}\n",
    );
    assert_snapshot!(context.run(&["schema", "in.ndjson"]), @r#"
    exit: 0
    --- stdout
    a  json
    b  struct<c: list<float64>, "d e": string>
    "#);
    assert_snapshot!(context.run(&["schema", "in.ndjson", "--why"]), @r#"
    exit: 0
    --- stdout
    a  json
        numbers and strings in one column, first at in.ndjson byte 35
    b  struct<c: list<float64>, "d e": string>
        objects, first at in.ndjson byte 0
    b.c  list<float64>
        lists, first at in.ndjson byte 0
    b."d e"  string
        only nulls, first at in.ndjson byte 0
    "#);
    let json = context.out(&["schema", "in.ndjson", "--json"]);
    assert_snapshot!(json, @r#"
    [
      {
        "name": "a",
        "type": "json"
      },
      {
        "name": "b",
        "type": "struct<c: list<float64>, \"d e\": string>"
      }
    ]
    "#);
    context.write("schema.json", &json);
    assert_eq!(context.out(&["schema", "in.ndjson", "--json", "--schema", "schema.json"]), json);
}

/// Whatever type a column is given, and wherever it is nested, the schema that is printed reads the same rows.
#[test]
fn a_printed_schema_reads_the_records_that_it_came_from() {
    let context = Context::new();
    context.write(
        "in.ndjson",
        r#"{"id":1,"t":5,"u":"2020-01-02T03:04:05Z","d":"2020-01-02","o":{"t":7,"a b":8,"x,y":[9],"q\"<>":1.5},"l":[1,2]}"#,
    );
    for hint in [
        "t=epoch(s)",
        "t=epoch(ns)",
        "o.t=epoch(ms)",
        "l=list<epoch(us)>",
        r#"o."a b"=epoch(us)"#,
        r#"o."x,y"=list<decimal(20,3)>"#,
        r#"o."q""<>"=decimal(5,2)"#,
        "t=decimal(38,0)",
        "t=float32",
        "t=int8",
        "t=json",
        "u=timestamp(ns)",
        "u=string",
        "d=date",
        "d=string",
        "o=json",
        "l=list<json>",
        r#"o=struct<t: epoch(s), "a b": int16, "x,y": list<epoch(ms)>, "q""<>": json>"#,
    ] {
        let schema = context.out(&["schema", "in.ndjson", "--type", hint, "--json"]);
        context.write("schema.json", schema);
        let mut digests = Vec::new();
        for flags in [["--type", hint], ["--schema", "schema.json"]] {
            let run =
                ["run", "in.ndjson", "-o", "o.parquet", "--key", "id", "-q", "--mode", "overwrite"];
            context.out(&[&run[..], &flags].concat());
            digests.push(context.out(&["digest", "o.parquet"]));
        }
        assert_eq!(digests[0], digests[1], "{hint}");
    }
}

#[test]
fn a_directory_is_split_by_rows() {
    let context = Context::with_example();
    let flags = ["run", "in.json", "-o", "out", "--key", "id,ts"];
    let split = ["--max-file-rows", "2", "--row-group-rows", "1", "--compression", "none"];
    assert_snapshot!(context.run(&[&flags[..], &split, &["--bloom", "id"]].concat()), @"
    exit: 0
    --- stderr
    records             5
    rows                3
    duplicates          2  0 identical, 2 conflicting
    quarantined         0
    read            355 B  1 file
    written      [SIZE]  2 files, 3 row groups
    time         [TIME]
    peak memory  [SIZE]
    output       out: 3 rows
    warning: 2 records differ from the one that survives with the same key; the plan has no order, so the columns in order of their names decided: give an order to choose which one to keep
    ");
    assert_eq!(names(&context.path("out")), ["part-00000.parquet", "part-00001.parquet"]);
    assert!(context.run(&["verify", "out"]).starts_with("exit: 0\n"));
}

#[test]
fn columns_are_written_as_chosen_and_losers_go_to_the_dropped_file() {
    let context = Context::with_example();
    let flags =
        ["run", "-q", "in.json", "-o", "o.parquet", "--key", "ts", "--order-by", "id, data"];
    context.out(&[&flags[..], &["--columns", "data,ts", "--dropped", "lost.parquet"]].concat());
    assert_eq!(
        context.out(&["head", "o.parquet"]),
        "{\"data\":\"ABC\",\"ts\":\"2019-04-23T17:25:43.111Z\"}\n\
         {\"data\":\"DEF\",\"ts\":\"2019-04-23T18:20:32.876Z\"}\n"
    );
    assert_snapshot!(context.out(&["head", "lost.parquet"]), @r#"
    {"data":"XYZ","ts":"2019-04-23T18:20:32.876Z"}
    {"data":"XYZ","ts":"2019-04-23T18:20:32.876Z"}
    {"data":"XYZ","ts":"2019-04-23T18:20:32.876Z"}
    "#);
}

#[test]
fn completions_name_the_commands_for_every_shell() {
    let context = Context::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = context.out(&["completions", shell]);
        for command in ["generate", "verify", "quarantine"] {
            assert!(script.contains(command), "{shell} lacks {command}");
        }
    }
}
