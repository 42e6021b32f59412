//! Columns of directories, and of where records lie, from the command line.

use insta::assert_snapshot;

use crate::context::Context;

fn partitioned() -> Context {
    let context = Context::new();
    let write = |path: &str, text: &str| context.write(&format!("raw/{path}/d.ndjson"), text);
    write(
        "date=2025-01-01/stage=Full",
        "{\"acc\":\"S1\",\"t\":\"one\"}\n{\"acc\":\"S2\",\"t\":\"two\"}\n",
    );
    write("date=2025-01-02/stage=Incremental", "{\"acc\":\"S1\",\"t\":\"fixed\"}\n");
    context
}

#[test]
fn a_column_that_directories_name_is_offered_and_decides() {
    let context = partitioned();
    let run = ["run", "raw", "-o", "out.parquet", "--key", "acc", "--order-by", "date desc"];
    assert_snapshot!(context.run(&run), @"
    exit: 1
    --- stderr
    error: no record has the column date
      output: nothing was written; the output is as it was before
      help: take the columns that the directories of the inputs name: distil run raw -o out.parquet --key acc --order-by 'date desc' --hive
      help: choose one of the nearest columns: acc, t
    ");
    context.out(&[&run[..], &["--hive"]].concat());
    assert_snapshot!(context.out(&["head", "out.parquet"]), @r#"
    {"date":"2025-01-02","stage":"Incremental","acc":"S1","t":"fixed"}
    {"date":"2025-01-01","stage":"Full","acc":"S2","t":"two"}
    "#);
    assert_snapshot!(context.out(&["schema", "raw", "--hive", "--type", "date=date"]), @"
    date   date
    stage  string
    acc    string
    t      string
    ");
}

#[test]
fn columns_of_directories_that_can_not_be_are_refused() {
    let context = Context::new();
    context.write("in/d=1/d=2/a.ndjson", "{\"a\":1}\n");
    assert_snapshot!(context.run(&["run", "in", "-o", "out.parquet", "--key", "a", "--hive"]), @"
    exit: 1
    --- stderr
    error: in/d=1/d=2/a.ndjson: two directories of the path give the column d
      output: nothing was written; the output is as it was before
    ");
    let context = Context::new();
    context.write("in/n=1/a.json", "{\"r\":[{\"a\":1}],\"n\":2}");
    let flags = ["--hive", "--records", "/r", "--add", "n=/n", "--key", "a"];
    let told = context.run(&[&["run", "in", "-o", "out.parquet"], &flags[..]].concat());
    assert_snapshot!(told, @"
    exit: 1
    --- stderr
    error: in/n=1/a.json: a directory gives the column n, which the plan adds
      output: nothing was written; the output is as it was before
      help: give the added column another name: --add NAME=PATH
    ");
    context.write("plain/a.json", "{\"a\":1}");
    let told = context.run(&["run", "plain", "-o", "out.parquet", "--key", "a", "--hive"]);
    assert!(told.contains("warning: no directory of an input gives a column"), "{told}");
}

#[test]
fn records_say_where_they_lie_and_a_digest_does_not() {
    let context = partitioned();
    let run = ["run", "raw", "-o", "out.parquet", "--key", "acc", "--origin", "--digest"];
    let order = ["--order-by", "_file desc, _position desc", "-v"];
    assert_snapshot!(context.run(&[&run[..], &order[..]].concat()), @r#"
    exit: 0
    --- stderr
     INFO distil_job::run: the plan is admitted inputs=2 bytes=71 backend="native"
     INFO distil_engine::pipeline: decoded all input records=3 bytes=71 spilled=0
     INFO distil_engine::pipeline: encoded all rows rows=2 bytes=1495
     INFO distil_job::run: the output is committed files=1 bytes=1495
    records             3
    rows                2
    duplicates          1  0 identical, 1 conflicting
    quarantined         0
    read             71 B  2 files
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       out.parquet: 2 rows
    digest       xxh3-128-sum:4723a3ff22224f3919417532366b9ff7
    the first conflicts, the row that is kept and one that is not:
      {"_file":"raw/date=2025-01-02/stage=Incremental/d.ndjson","_position":0,"acc":"S1","t":"fixed"}
      {"_file":"raw/date=2025-01-01/stage=Full/d.ndjson","_position":0,"acc":"S1","t":"one"}
    "#);
    assert_snapshot!(context.out(&["head", "out.parquet"]), @r#"
    {"acc":"S1","t":"fixed","_file":"raw/date=2025-01-02/stage=Incremental/d.ndjson","_position":0}
    {"acc":"S2","t":"two","_file":"raw/date=2025-01-01/stage=Full/d.ndjson","_position":23}
    "#);
    assert_snapshot!(context.out(&["verify", "out.parquet"]), @"
    verified: 2 rows, xxh3-128-sum:4723a3ff22224f3919417532366b9ff7
      columns  4, as the footer says
      rows     as many as the footer says
      order    ascending by the key
      keys     every key is there once
      values   the recorded digest holds
    ");
    let digest = context.out(&["digest", "out.parquet"]);
    // The same rows without their places have the same digest.
    let flags = ["--key", "acc", "--order-by", "t", "--mode", "overwrite"];
    context.out(&[&["run", "raw", "-o", "out.parquet"], &flags[..]].concat());
    assert_eq!(context.out(&["digest", "out.parquet"]), digest);
}

#[test]
fn a_place_is_no_key_and_no_declared_column() {
    let context = partitioned();
    let run = ["run", "raw", "-o", "out.parquet", "--origin", "--key"];
    assert_snapshot!(context.run(&[&run[..], &["acc,_file"]].concat()), @"
    exit: 2
    --- stderr
    error: the key column _file says where a record lies, which makes no two records the same
      help: name other columns: --key COLS
    ");
    assert_snapshot!(context.run(&[&run[..], &["acc", "--type", "_file=int64"]].concat()), @"
    exit: 2
    --- stderr
    error: the column _file says where a record lies, and the plan has it as another one, too
      help: leave that one out, or the places of records
    ");
    context.write("raw/x.ndjson", "{\"acc\":\"S9\",\"_file\":\"elsewhere\"}\n");
    assert_snapshot!(context.run(&[&run[..], &["acc"]].concat()), @r#"
    exit: 1
    --- stderr
    error: 1 bad record
      raw/x.ndjson line 1, byte 0: name_clash: the plan adds another value of the member `_file`
        {"acc":"S9","_file":"elsewhere"}
        ^
      output: nothing was written; the output is as it was before
      help: set bad records aside and go on: distil run raw -o out.parquet --origin --key acc --quarantine out.bad.ndjson
    "#);
}

#[test]
fn nulls_among_records_are_passed_over_by_a_path() {
    let context = Context::new();
    context.write("fb.json", "[null,{\"id\":1},null,{\"id\":3}]");
    assert_snapshot!(context.run(&["run", "fb.json", "-o", "out.parquet", "--key", "id"]), @"
    exit: 1
    --- stderr
    error: 2 bad records
      fb.json line 1, byte 1: not_an_object: the value is null, not an object
        null
        ^
      1 more: not_an_object, at fb.json line 1, byte 15
      output: nothing was written; the output is as it was before
      help: pass over the nulls, as holes among the records: distil run fb.json -o out.parquet --key id --records ''
      help: set bad records aside and go on: distil run fb.json -o out.parquet --key id --quarantine out.bad.ndjson
    ");
    let run = ["run", "fb.json", "-o", "out.parquet", "--key", "id", "--records", ""];
    assert!(context.run(&run).starts_with("exit: 0"));
}
