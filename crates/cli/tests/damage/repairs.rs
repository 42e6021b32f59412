//! Records that are mended because the plan says so.

use insta::assert_snapshot;

use crate::context::Context;

const METRICS: &str =
    "{\"step\":0,\"loss\":0.5}\n{\"step\":1,\"loss\":NaN}\n{\"step\":2,\"loss\":-Infinity}\n";

fn run(context: &Context, more: &[&str]) -> String {
    context.run(&[&["run", "in.jsonl", "-o", "out.parquet", "--key", "step"], more].concat())
}

fn mended(content: &str, more: &[&str]) -> String {
    let context = Context::new();
    context.write("in.jsonl", content);
    let said = run(&context, more);
    assert!(said.starts_with("exit: 0\n"), "{said}");
    context.out(&["head", "out.parquet"])
}

/// The advice can be followed, and each kind is counted with its first place.
#[test]
fn what_can_be_mended_is_advised_done_and_counted() {
    let context = Context::new();
    context.write("in.jsonl", METRICS);
    assert_snapshot!(run(&context, &[]), @r#"
    exit: 1
    --- stderr
    error: 2 bad records
      in.jsonl line 2, byte 39: invalid_json: NaN is not a JSON number
        {"step":1,"loss":NaN}
                         ^
      1 more: invalid_json, at in.jsonl line 3, byte 62
      output: nothing was written; the output is as it was before
      help: read them with what is invalid mended, and counted: distil run in.jsonl -o out.parquet --key step --repair nan
      help: set bad records aside and go on: distil run in.jsonl -o out.parquet --key step --quarantine out.bad.ndjson
    "#);
    assert_snapshot!(run(&context, &["--repair", "nan", "--report", "r.json"]), @"
    exit: 0
    --- stderr
    records             3
    rows                3
    duplicates          0  0 identical, 0 conflicting
    quarantined         0
    read             72 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    repaired            2  nan, the first in in.jsonl at byte 39
    output       out.parquet: 3 rows
    ");
    let report: serde_json::Value = serde_json::from_str(&context.read("r.json")).unwrap();
    assert_eq!(
        report["repaired"].to_string(),
        r#"[{"repair":"nan","count":2,"path":"in.jsonl","offset":39}]"#
    );
    assert_eq!(
        context.out(&["head", "out.parquet"]),
        "{\"step\":0,\"loss\":0.5}\n{\"step\":1}\n{\"step\":2}\n"
    );
}

#[test]
fn every_kind_is_mended_by_itself() {
    let nan = "{\"step\":1,\"m\":[NaN,{\"x\":-inf}]}\n{\"step\":2,\"m\":[1.5,{\"x\":2}]}\n";
    assert_snapshot!(mended(nan, &["--repair", "nan"]), @r#"
    {"step":1,"m":[null,{}]}
    {"step":2,"m":[1.5,{"x":2}]}
    "#);
    let surrogates =
        "{\"step\":1,\"t\":\"cut \\ud83d\"}\n{\"step\":2,\"t\":\"\\ude00 \\ud83d\\ude00\"}\n";
    assert_snapshot!(mended(surrogates, &["--repair", "surrogates"]), @r#"
    {"step":1,"t":"cut �"}
    {"step":2,"t":"� 😀"}
    "#);
    let members = "{\"step\":1,\"size\":1,\"lag\":10,\"size\":2,\"lag\":{\"a\":1,\"a\":2}}\n";
    assert_snapshot!(mended(members, &["--repair", "duplicate-members"]), @r#"
    {"step":1,"size":2,"lag":{"a":2}}
    "#);
    let all = "{\"step\":1,\"t\":\"\\udc00\",\"t\":\"\\ud800\",\"m\":Infinity}\n";
    assert_snapshot!(mended(all, &["--repair", "nan,surrogates,duplicate-members"]), @r#"
    {"step":1,"t":"�"}
    "#);
}

/// Where it could make one key of two, a record is bad, and advice names only what is missing.
#[test]
fn nothing_is_mended_in_a_key() {
    let context = Context::new();
    context.write("in.jsonl", "{\"step\":\"\\ud800\",\"m\":1}\n{\"step\":\"a\",\"m\":NaN}\n");
    assert_snapshot!(run(&context, &["--repair", "surrogates"]), @r#"
    exit: 1
    --- stderr
    error: 2 bad records
      in.jsonl line 1, byte 9: repaired_key: surrogates would be repaired in the key or order column step
        {"step":"\ud800","m":1}
                 ^
      in.jsonl line 2, byte 40: invalid_json: NaN is not a JSON number
        {"step":"a","m":NaN}
                        ^
      output: nothing was written; the output is as it was before
      help: read them with what is invalid mended, and counted: --repair 'nan,surrogates'
      help: set bad records aside and go on: distil run in.jsonl -o out.parquet --key step --repair surrogates --quarantine out.bad.ndjson
    "#);
    let whole =
        context.run(&["run", "in.jsonl", "-o", "o.parquet", "--key", "*", "--repair", "nan"]);
    assert_snapshot!(whole, @"
    exit: 2
    --- stderr
    error: nothing can be repaired where the whole record is the key
      help: name the columns that make two records the same: --key COLS
    ");
    let unknown = run(&context, &["--repair", "nan,comments"]);
    assert_snapshot!(unknown, @"
    exit: 2
    --- stderr
    error: --repair: `comments` is nothing that can be mended
      help: write nan, surrogates or duplicate-members, or several with commas between
    ");
    let schema = context.run(&["schema", "in.jsonl", "--repair", "nan,surrogates"]);
    assert_snapshot!(schema, @"
    exit: 0
    --- stdout
    step  string
    m     int64
    ");
}
