//! Where records come from, and what happens to bad ones.

use std::io::Write;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use insta::assert_snapshot;

use crate::context::{Context, EXAMPLE};

const ROWS: &str = "{\"id\":\"10101\",\"data\":\"ABC\",\"ts\":\"2019-04-23T17:25:43.111Z\"}\n\
                    {\"id\":\"10102\",\"data\":\"DEF\",\"ts\":\"2019-04-23T18:20:32.876Z\"}\n";
const BAD: &str = "{\"ts\":1}\n{\"ts\":}\n{\"ts\":2}\n{\"x\":\"\u{202e}\"}\n";

fn rows_of(context: &Context, sources: &[&str]) -> String {
    let flags =
        ["-o", "out.parquet", "--key", "ts", "--order-by", "id, data", "--mode", "overwrite"];
    context.out(&[&["run", "-q"], sources, &flags].concat());
    context.out(&["head", "out.parquet"])
}

#[test]
fn standard_input_is_a_source() {
    let context = Context::new();
    let flags = ["run", "-", "-o", "out.parquet", "--key", "ts", "--order-by", "id, data"];
    assert_snapshot!(context.run_with_input(&flags, EXAMPLE.as_bytes()), @r#"
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
    warning: the order column id holds numbers as strings, and orders them as text: "10" < "9", first at - byte 16
      help: read it as numbers: --type 'id=int64'
      help: or order it as text, without this warning: --order-by 'id as text, data'
    "#);
    assert_eq!(context.out(&["head", "out.parquet"]), ROWS);
}

#[test]
fn compression_is_seen_by_content_whatever_the_name() {
    let context = Context::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(EXAMPLE.as_bytes()).unwrap();
    context.write("gzip.json", gzip.finish().unwrap());
    context.write("zstd.txt", zstd::encode_all(EXAMPLE.as_bytes(), 3).unwrap());
    assert_eq!(rows_of(&context, &["gzip.json"]), ROWS);
    assert_eq!(rows_of(&context, &["zstd.txt"]), ROWS);
}

#[test]
fn directories_and_globs_skip_hidden_names() {
    let context = Context::new();
    for name in ["d/a.json", "d/e/b.json", "d/.c.json", "d/_d.json"] {
        context.write(name, EXAMPLE);
    }
    for source in ["d", "d/**/*.json"] {
        let flags = ["-o", "out.parquet", "--key", "ts", "--mode", "overwrite", "--report", "-"];
        let report = context.out(&[&["run", source], &flags[..]].concat());
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let inputs = report["inputs"].as_array().unwrap();
        let paths: Vec<_> = inputs.iter().map(|input| input["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["d/a.json", "d/e/b.json"], "{source}");
        assert_eq!(report["records"]["read"], 10, "{source}");
    }
    assert_snapshot!(context.run(&["run", "d/*.txt", "-o", "x.parquet", "--key", "ts"]), @"
    exit: 1
    --- stderr
    error: d/*.txt: nothing matches the glob: 2 names in d/ were looked at, 2 more that begin with . or _ or are special files were skipped
      output: nothing was written; the output is as it was before
      help: * and ? stay within one directory, ** goes through all below
    ");
    assert_snapshot!(context.run(&["run", "d", "none", "-o", "x.parquet", "--key", "ts"]), @"
    exit: 1
    --- stderr
    error: none: there is no such file or directory
      output: nothing was written; the output is as it was before
      help: name a file, a directory, a glob in quotes, or - for standard input
    ");
}

#[test]
fn an_argument_that_is_not_text_does_not_break_the_advice() {
    let context = Context::new();
    context.write("in.ndjson", "{\"ts\":1}\nbad\n");
    let directory = OsStr::from_bytes(b"t\xff");
    std::fs::create_dir(context.path("").join(directory)).unwrap();
    let flags = ["run", "in.ndjson", "-o", "out (1).parquet", "--key", "ts", "--temp-dir"];
    let output = context.command(&flags).arg(directory).output().unwrap();
    assert_snapshot!(context.told(&output), @"
    exit: 1
    --- stderr
    error: 1 bad record
      in.ndjson line 2, byte 9: invalid_json: expected a value, found `bad`
        bad
        ^
      output: nothing was written; the output is as it was before
      help: set bad records aside and go on: --quarantine 'out (1).bad.ndjson'
    ");
}

#[test]
fn text_in_another_encoding_is_named_with_its_byte() {
    let context = Context::new();
    std::fs::write(context.path("l.ndjson"), b"{\"id\":1,\"n\":\"caf\xe9\"}\n").unwrap();
    std::fs::write(context.path("d.json"), b"{\"h\":\"caf\xe9\",\"records\":[{\"id\":1}]}")
        .unwrap();
    let run = |name| context.run(&["run", name, "-o", "out.parquet", "--key", "id"]);
    assert_snapshot!(run("l.ndjson"), @r#"
    exit: 1
    --- stderr
    error: 1 bad record
      l.ndjson line 1, byte 16: invalid_json: not UTF-8, perhaps Latin-1 or Windows-1252: 0xE9
        {"id":1,"n":"caf�"}
                        ^
      output: nothing was written; the output is as it was before
      help: convert the text first: iconv -f WINDOWS-1252 -t UTF-8 l.ndjson | distil run - ...
      help: set bad records aside and go on: distil run l.ndjson -o out.parquet --key id --quarantine out.bad.ndjson
    "#);
    assert_snapshot!(run("d.json"), @r#"
    exit: 1
    --- stderr
    error: 1 bad record
      d.json line 1, byte 9: invalid_json: not UTF-8, perhaps Latin-1 or Windows-1252: 0xE9
        {"h":"caf�","records":[{"id":1}]}
                 ^
      output: nothing was written; the output is as it was before
      help: convert the text first: iconv -f WINDOWS-1252 -t UTF-8 d.json | distil run - ...
      help: set bad records aside and go on: distil run d.json -o out.parquet --key id --quarantine out.bad.ndjson
    "#);
    assert_snapshot!(context.run(&["schema", "l.ndjson"]), @r#"
    exit: 1
    --- stderr
    error: 1 bad record
      l.ndjson line 1, byte 16: invalid_json: not UTF-8, perhaps Latin-1 or Windows-1252: 0xE9
        {"id":1,"n":"caf�"}
                        ^
      help: convert the text first: iconv -f WINDOWS-1252 -t UTF-8 l.ndjson | distil run - ...
      help: repair these records, or leave their files out
    "#);
}

#[test]
fn bad_records_stop_the_run_and_the_message_is_the_command_that_goes_on() {
    let context = Context::new();
    context.write("a b.ndjson", BAD);
    let flags = ["run", "a b.ndjson", "-o", "out.parquet", "--key", "ts"];
    assert_snapshot!(context.run(&flags), @r#"
    exit: 1
    --- stderr
    error: 2 bad records
      a b.ndjson line 2, byte 15: invalid_json: expected a value, found `}`
        {"ts":}
              ^
      a b.ndjson line 4, byte 26: null_key: the key column ts is null or missing
        {"x":"\u{202e}"}
        ^
      output: nothing was written; the output is as it was before
      help: set bad records aside and go on: distil run 'a b.ndjson' -o out.parquet --key ts --quarantine out.bad.ndjson
    "#);
    assert_eq!(context.names(), ["a b.ndjson"]);
    let go_on = [&flags[..], &["--quarantine", "out.bad.ndjson"]].concat();
    assert_snapshot!(context.run(&go_on), @"
    exit: 0
    --- stderr
    records             4
    rows                2
    duplicates          0  0 identical, 0 conflicting
    quarantined         2
    read             38 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       out.parquet: 2 rows
    quarantine   out.bad.ndjson: 2 records (1 invalid_json, 1 null_key)
    help: read them again, as they are or mended there: distil replay out.bad.ndjson -o NEW.parquet
    ");
    let quarantined = context.read("out.bad.ndjson").replace('\u{202e}', "[U+202E]");
    assert_snapshot!(quarantined, @r#"
    {"quarantine":1,"plan":{"version":1,"sources":["a b.ndjson"],"shape":"auto","schema":{},"extra_members":"error","dedup":{"key":{"columns":["ts"]},"order_by":[],"keep":"first","null_keys":"error","on_conflict":"keep"},"quarantine":{"path":"out.bad.ndjson"},"max_record":67108864,"digest":false,"assume_valid":false,"sink":{"path":"out.parquet","layout":"file","mode":"error","compression":"zstd:3","row_group_rows":1048576}}}
    {"file":"a b.ndjson","offset":9,"length":7,"reason":"invalid_json","detail":"expected a value, found `}` at byte 15","raw":"{\"ts\":}"}
    {"file":"a b.ndjson","offset":26,"length":11,"reason":"null_key","detail":"the key column ts is null or missing","raw":"{\"x\":\"[U+202E]\"}"}
    "#);
    assert_eq!(context.out(&["head", "out.parquet"]), "{\"ts\":1}\n{\"ts\":2}\n");
}

#[test]
fn more_bad_records_than_allowed_fail_the_run() {
    let context = Context::new();
    context.write("in.ndjson", BAD);
    let flags = ["run", "in.ndjson", "-o", "o.parquet", "--key", "ts", "--quarantine", "q.ndjson"];
    let with = |limit: &str| context.run(&[&flags[..], &["--max-quarantined", limit]].concat());
    assert_snapshot!(with("1"), @"
    exit: 1
    --- stderr
    error: 2 bad records and 0 bad ranges are known, 18 bytes; the plan allows at most 1
      output: nothing was written; the output is as it was before
      help: repair the input
      help: or allow more, after a look at those that are set aside: --max-quarantined N|P%
    ");
    assert_snapshot!(with("49%"), @"
    exit: 1
    --- stderr
    error: 2 bad records and 0 bad ranges are known, 18 bytes; the plan allows at most 49% of 4 records and of 38 bytes read
      output: nothing was written; the output is as it was before
      help: repair the input
      help: or allow more, after a look at those that are set aside: --max-quarantined N|P%
    ");
    assert_eq!(context.names(), ["in.ndjson"]);
    assert!(with("50%").starts_with("exit: 0\n"));
}

#[test]
fn more_behind_a_document_names_the_shape_that_reads_it() {
    let context = Context::new();
    context.write("in.json", "{\"records\":[{\"ts\":1}]}\n{\"records\":[{\"ts\":2}]}\n");
    assert_snapshot!(context.run(&["run", "in.json", "-o", "out.parquet", "--key", "ts"]), @r#"
    exit: 1
    --- stderr
    error: in.json line 2, byte 23: more than one value in a file that begins with a document
        {"records":[{"ts":2}]}
        ^
      output: nothing was written; the output is as it was before
      help: read every value of the file as a record: --shape concatenated
      help: or read every line as one: --shape lines
      help: or take the elements of `records` for records: distil run in.json -o out.parquet --key ts --records /records
    "#);
}

#[test]
fn a_record_elsewhere_is_reached_by_a_pointer() {
    let context = Context::new();
    context.write("in.json", "{\"result\":{\"items\":[{\"ts\":1},{\"ts\":2}]}}");
    let flags = ["--shape", "/result/items"];
    assert_eq!(
        rows_of_ts(&context, &[&["in.json"], &flags[..]].concat()),
        "{\"ts\":1}\n{\"ts\":2}\n"
    );
    assert_snapshot!(
        context.run(&["run", "in.json", "--shape", "/nope", "-o", "x.parquet", "--key", "ts"]),
        @"
    exit: 1
    --- stderr
    error: the value has no records at /nope
      output: nothing was written; the output is as it was before
      help: take the 2 objects at /result/items for records: distil run in.json -o x.parquet --key ts --records /result/items
    "
    );
}

fn rows_of_ts(context: &Context, sources: &[&str]) -> String {
    context.out(&[&["run", "-q"], sources, &["-o", "out.parquet", "--key", "ts"]].concat());
    context.out(&["head", "out.parquet"])
}

#[test]
fn instants_of_two_forms_in_a_key_are_refused_with_the_hint_to_give() {
    let context = Context::new();
    context.write(
        "in.ndjson",
        "{\"ts\":\"2019-04-23T17:25:43Z\"}\n{\"ts\":\"2019-04-23T17:25:43.111Z\"}\n",
    );
    let flags = ["run", "in.ndjson", "-o", "out.parquet", "--key", "ts"];
    assert_snapshot!(context.run(&flags), @"
    exit: 1
    --- stderr
    error: the key column ts holds instants in more than one form, so its text does not order like time
      output: nothing was written; the output is as it was before
      help: read it as instants: --type 'ts=timestamp(us)'
      help: or order it as text: --type 'ts=string'
    ");
    context.out(&[&flags[..], &["--type", "ts=timestamp(ms)"]].concat());
    assert_eq!(
        context.out(&["head", "out.parquet"]),
        "{\"ts\":\"2019-04-23T17:25:43.000Z\"}\n{\"ts\":\"2019-04-23T17:25:43.111Z\"}\n"
    );
}

#[test]
fn no_data_in_a_message_steers_the_terminal() {
    let context = Context::new();
    let name = "in\u{1b}[31m.ndjson";
    context.write(name, "{\"ts\":1,\"\u{9b}\u{202e}\":1,\"\u{9b}\u{202e}\":2}\n");
    let told = context.run(&["run", name, "-o", "out.parquet", "--key", "ts"]);
    assert_snapshot!(told, @r#"
    exit: 1
    --- stderr
    error: 1 bad record
      in\u{1b}[31m.ndjson line 1, byte 18: duplicate_member: the member "\u{9b}\u{202e}" occurs twice
        {"ts":1,"\u{9b}\u{202e}":1,"\u{9b}\u{202e}":2}
                                   ^
      output: nothing was written; the output is as it was before
      help: read them with what is invalid mended, and counted: --repair duplicate-members
      help: set bad records aside and go on: --quarantine out.bad.ndjson
    "#);
}
