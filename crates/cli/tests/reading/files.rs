//! Files that are something else, names, empty input, and the closing table.

use std::io::Write;

use insta::assert_snapshot;

use crate::context::Context;

const TWO: &str = "{\"id\":1,\"v\":1}\n{\"id\":2,\"v\":1}\n{\"id\":1,\"v\":1}\n";

/// What a run over one file says, with `out.parquet` and the key `id`.
fn run(context: &Context, name: &str) -> String {
    context.run(&["run", name, "-o", "out.parquet", "--key", "id"])
}

/// The first line of the error of a run over one file of this content, and its advice.
#[track_caller]
fn refusal(name: &str, content: impl AsRef<[u8]>) -> String {
    let context = Context::new();
    context.write(name, content);
    let said = run(&context, name);
    assert!(said.starts_with("exit: 1\n"), "{said}");
    assert!(!said.contains("--quarantine"), "never the advice to set it aside: {said}");
    assert_eq!(context.names(), [name], "nothing is left");
    let told = |line: &&str| line.starts_with("error:") || line.starts_with("  help:");
    said.lines().filter(told).collect::<Vec<_>>().join("\n")
}

fn rows(context: &Context, output: &str) -> usize {
    context.out(&["head", output]).lines().count()
}

#[test]
fn parquet_is_named_and_its_rows_go_on_as_json() {
    let context = Context::new();
    context.write("d1.ndjson", "{\"id\":1,\"v\":1}\n{\"id\":2,\"v\":1}\n");
    context.write("d2.ndjson", "{\"id\":2,\"v\":2}\n{\"id\":3,\"v\":2}\n");
    let keyed = |out: &'static str| ["-o", out, "--key", "id", "--order-by", "v desc"];
    context.out(&[&["run", "d1.ndjson"], &keyed("all.parquet")[..]].concat());
    assert_snapshot!(context.run(&[&["run", "all.parquet", "d2.ndjson"], &keyed("out.parquet")[..]].concat()), @"
    exit: 1
    --- stderr
    error: all.parquet: the file is not JSON: it is Parquet, which holds rows and no records
      output: nothing was written; the output is as it was before
      help: read its rows as JSON, beside other sources: distil head -n 1000000000 all.parquet | distil run - ...
    ");
    // The advice works.
    let head = context.out(&["head", "-n", "1000000000", "all.parquet"]);
    let merged = [&["run", "-", "d2.ndjson"], &keyed("out.parquet")[..]].concat();
    context.run_with_input(&merged, head.as_bytes());
    assert_eq!(
        context.out(&["head", "out.parquet"]),
        "{\"id\":1,\"v\":1}\n{\"id\":2,\"v\":2}\n{\"id\":3,\"v\":2}\n"
    );
    // Whatever shape the user believes in, and in a directory of parts.
    let shaped = ["run", "all.parquet", "-o", "x.parquet", "--key", "id", "--shape", "lines"];
    assert!(context.run(&shaped).contains("it is Parquet"));
}

#[test]
fn other_formats_are_named_with_what_to_do() {
    let mut said = String::new();
    for (name, content) in [
        ("a.zip", &b"PK\x03\x04\x14\0\0\0"[..]),
        ("a.db", b"SQLite format 3\0\x10\0"),
        ("a.avro", b"Obj\x01\x04\x16avro.schema"),
        ("a.orc", b"ORC\x08\x01"),
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3"),
        ("page.html", b"<!DOCTYPE html>\n<html><body>404 {}</body></html>\n"),
        ("a.xml", b"\xef\xbb\xbf<?xml version='1.0'?>\n<a/>\n"),
        ("a.csv", b"id,name\n1,\"a, b\"\n2,c\n"),
        ("a.tsv", b"id\tname\r\n1\ta\r\n"),
        ("semi.csv", b"id;v\n1;2\n"),
        ("my file.csv", b"a|b\n1|2\n"),
        ("seq.json", b"\x1e{\"id\":1}\n\x1e{\"id\":2}\n"),
        ("pretty.jsonseq", b"\x1e{\n  \"id\": 1\n}\n\x1e{\n  \"id\": 2\n}\n"),
    ] {
        said += &refusal(name, content);
        said.push('\n');
    }
    assert_snapshot!(said, @"
    error: a.zip: the file is not JSON: it is a zip archive
      help: read what is in it from standard input: unzip -p a.zip | distil run - ...
    error: a.db: the file is not JSON: it is an SQLite database
      help: export a table as JSON: sqlite3 -json a.db 'select * from TABLE' | distil run - ...
    error: a.avro: the file is not JSON: it is Avro
      help: convert it first: java -jar avro-tools.jar tojson a.avro | distil run - ...
    error: a.orc: the file is not JSON: it is ORC
      help: convert it first: orc-contents a.orc | distil run - ...
      help: or read every line as a value all the same: --shape lines
    error: a.pdf: the file is not JSON: it is a PDF document
      help: leave it out
    error: page.html: the file is not JSON: it is HTML
      help: look at it: it may be the page of a failed download
      help: or read every line as a value all the same: --shape lines
    error: a.xml: the file is not JSON: it is XML, or another text of marks
      help: convert it to JSON first
      help: or read every line as a value all the same: --shape lines
    error: a.csv: the file is not JSON: it is CSV: its first line is `id,name`
      help: convert it first, with DuckDB for example: duckdb -c \"copy (from read_csv('a.csv')) to '/dev/stdout' (format json)\" | distil run - ...
      help: or read every line as a value all the same: --shape lines
    error: a.tsv: the file is not JSON: it is TSV: its first line is `id\\u{9}name`
      help: convert it first, with DuckDB for example: duckdb -c \"copy (from read_csv('a.tsv')) to '/dev/stdout' (format json)\" | distil run - ...
      help: or read every line as a value all the same: --shape lines
    error: semi.csv: the file is not JSON: it is CSV: its first line is `id;v`
      help: convert it first, with DuckDB for example: duckdb -c \"copy (from read_csv('semi.csv')) to '/dev/stdout' (format json)\" | distil run - ...
      help: or read every line as a value all the same: --shape lines
    error: my file.csv: the file is not JSON: it is CSV: its first line is `a|b`
      help: convert it first, with DuckDB for example: duckdb -c \"copy (from read_csv('FILE')) to '/dev/stdout' (format json)\" | distil run - ...
      help: or read every line as a value all the same: --shape lines
    error: seq.json: the file is not JSON: it is a JSON text sequence (RFC 7464): a byte 1E stands before each value
      help: take these bytes away: tr -d '\\036' < seq.json | distil run - ...
      help: or read every line as a value all the same: --shape lines
    error: pretty.jsonseq: the file is not JSON: it is a JSON text sequence (RFC 7464): a byte 1E stands before each value
      help: take these bytes away: tr -d '\\036' < pretty.jsonseq | distil run - ...
      help: or read every line as a value all the same: --shape lines
    ");
}

#[test]
fn javascript_around_json_is_one_error_and_its_advice_works() {
    let archive = "window.YTD.tweets.part0 = [\n  {\n    \"id\" : 1,\n    \"tags\" : [ ]\n  },\n  {\n    \"id\" : 2\n  }\n]";
    assert_snapshot!(refusal("tweets.js", archive), @"
    error: tweets.js: the file is not JSON: it is JavaScript around JSON: it begins with `window.YTD.tweets.part0 = [`
      help: take the name before it and the `;` after it away: sed -e '1s/^[^=]*=//' -e '$s/;[[:space:]]*$//' tweets.js | distil run - ...
      help: or read every line as a value all the same: --shape lines
    ");
    for script in [
        "var data = {\"records\":[{\"id\":1}]};",
        "module.exports = [\n{\"id\":1},\n{\"id\":2}\n];\n",
        "window['a b'] = [{\"id\":1}]",
    ] {
        assert!(refusal("a.js", script).contains("JavaScript around JSON"), "{script}");
        let context = Context::new();
        context.write("a.js", script);
        let sed = ["-e", "1s/^[^=]*=//", "-e", "$s/;[[:space:]]*$//", "a.js"];
        let sed =
            std::process::Command::new("sed").args(sed).current_dir(context.path("")).output();
        let json = sed.unwrap().stdout;
        let flags = ["run", "-", "-o", "out.parquet", "--key", "id"];
        let said = context.run_with_input(&flags, &json);
        assert!(said.starts_with("exit: 0"), "{said}");
    }
    // A line like this among records is a bad record.
    let context = Context::new();
    context.write("a.json", "x = [1]\n{\"id\":1}\n");
    assert!(run(&context, "a.json").contains("1 bad record"));
}

#[test]
fn text_before_records_is_named_and_arrays_stay_arrays() {
    let log = "[svc1] {\"id\":1,\"msg\":\"a\"}\n[svc2] {\"id\":2,\"msg\":\"b\"}\nStarting up...\n";
    assert_snapshot!(refusal("app.log", log), @"
    error: app.log: the file is not JSON: it is lines that begin with text before their JSON: `[svc1] {\"id\":1,\"msg\":\"a\"}`
      help: take the text away: sed 's/^[^{]*{/{/' app.log | distil run - ...
      help: or read every line as a value all the same: --shape lines
    ");
    for log in [
        "2024-01-01T00:00:00Z INFO {\"id\":1}\n2024-01-01T00:00:01Z INFO {\"id\":2}\n",
        "<34>1 host app: {\"id\":1}\n",
        "[2024-01-01 10:00:00] app.INFO {\"id\":1}\n[2024-01-01 10:00:01] done\n",
        "[4711] {\"id\":1}\n",
        "Starting up...\napp-1  | {\"id\":1,\"a\":[1,2]}\napp-2  | {\"id\":2}\n",
    ] {
        assert!(refusal("app.log", log).contains("text before their JSON"), "{log}");
    }
    for array in [
        "[{\"id\":1}]",
        "[\n{\"id\":1}\n]\n",
        "[ ]\n",
        "[{\"id\":1,\"a\":[1] } ]",
        "[[1],{\"id\":1}]",
    ] {
        let context = Context::new();
        context.write("a.json", array);
        context.write("b.json", "{\"id\":7}");
        let flags = ["-o", "out.parquet", "--key", "id", "--quarantine", "bad.ndjson"];
        let said = context.run(&[&["run", "a.json", "b.json"], &flags[..]].concat());
        assert!(said.starts_with("exit: 0"), "{array}: {said}");
    }
    // Among lines of JSON it is a bad line.
    let context = Context::new();
    context.write("app.log", "[svc1] {\"id\":1}\n{\"id\":2}\n");
    assert!(run(&context, "app.log").contains("1 bad record"));
}

#[test]
fn objects_that_adjoin_are_read_without_a_flag() {
    let context = Context::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"{\"id\":1,\"v\":\"}{\"}{\"id\":2,\"v\":\"b\"}{\"id\":1,\"v\":\"}{\"}")
        .unwrap();
    context.write("part-0001.gz", gzip.finish().unwrap());
    context.write("part-0002", "{\"id\":3}{\"id\":4}\n{\"id\":5}{\"id\":6}\n");
    context.out(&["run", "part-*", "-o", "out.parquet", "--key", "id"]);
    assert_eq!(rows(&context, "out.parquet"), 6);
    // With blanks between them, the error names the shape.
    let context = Context::new();
    context.write("lines.json", "{\"id\":1} {\"id\":2}\n{\"id\":3} {\"id\":4}\n");
    let said = run(&context, "lines.json");
    assert!(said.contains("on whatever lines: --shape concatenated"), "{said}");
}

#[test]
fn compressions_of_other_programs_are_read() {
    let context = Context::new();
    let text = TWO.as_bytes();
    for (name, packed) in [
        ("a.json.bz2", distil_testkit::generate::bzip2(text)),
        ("b", distil_testkit::generate::xz(text)),
        ("c.lz4", distil_testkit::generate::lz4(text)),
    ] {
        context.write(&format!("in/{name}"), &packed);
        let flags = ["-o", "out.parquet", "--key", "id", "--mode", "overwrite", "--report", "-"];
        let report = context.out(&[&["run", &format!("in/{name}")], &flags[..]].concat());
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["records"]["written"], 2, "{name}");
        // On standard input, and in a directory.
        let flags = ["run", "-", "-o", "out.parquet", "--key", "id", "--mode", "overwrite"];
        assert!(context.run_with_input(&flags, &packed).starts_with("exit: 0"));
        // A cut stream is one bad range; with a quarantine the records before it are kept.
        let context = Context::new();
        context.write("cut", &packed[..packed.len() - 3]);
        let said = run(&context, "cut");
        assert!(said.contains("stream is cut short"), "{name}: {said}");
    }
    let report = context.out(&["run", "in", "-o", "all.parquet", "--key", "id", "--report", "-"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let packed: Vec<_> =
        report["inputs"].as_array().unwrap().iter().map(|input| &input["compression"]).collect();
    assert_eq!(packed, ["bzip2", "xz", "lz4"]);
}

#[test]
fn a_delivery_folder_gives_its_data_and_names_what_it_passes_over() {
    let context = Context::new();
    context.write("in/data1.ndjson", TWO);
    context.write("in/README.txt", "Delivery of 2024-01-01\n");
    context.write("in/manifest.md5", "d41d8cd98f00b204e9800998ecf8427e  data1.ndjson\n");
    context.write("in/sub/old.parquet", "PAR1\x15\x04");
    context.write("in/empty.txt", "");
    assert_snapshot!(run(&context, "in"), @"
    exit: 0
    --- stderr
    records             3
    rows                2
    duplicates          1  1 identical, 0 conflicting
    quarantined         0
    read             45 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       out.parquet: 2 rows
    warning: the source in has 3 files that are not JSON and passed over: in/README.txt (begins with `Delivery of 2024`), in/manifest.md5 (begins with `d41d8cd98f00b204`), in/sub/old.parquet (begins with `PAR1\\x15\\x04`)
    ");
    // Quiet runs warn as well.
    let quiet = context.run(&["-q", "run", "in", "-o", "q.parquet", "--key", "id"]);
    assert!(quiet.contains("warning: the source in has 3 files"), "{quiet}");
    assert!(!quiet.contains("peak memory"), "{quiet}");
    // A glob takes what it names, and all files are taken if that is asked for.
    context.out(&["run", "in/*.ndjson", "-o", "glob.parquet", "--key", "id"]);
    let all = context.run(&["run", "in", "-o", "all.parquet", "--key", "id", "--all-files"]);
    assert!(all.contains("old.parquet: the file is not JSON: it is Parquet"), "{all}");
}

#[test]
fn no_record_is_lost_by_the_name_of_its_file() {
    let context = Context::new();
    context.write("in/a.json", "{\"id\":1}\n");
    context.write("in/events.log", "started\n{\"id\":2}\n");
    assert_snapshot!(run(&context, "in"), @"
    exit: 1
    --- stderr
    error: in/events.log: the file does not look like JSON by its name and its first byte, but it has lines that begin as JSON does
      output: nothing was written; the output is as it was before
      help: read all files of directories: --all-files
      help: and if its lines are records, say so: --shape lines
      help: or leave it out, with a glob in quotes that names the others: 'DIR/**/*.json'
    ");
    let flags = ["-o", "out.parquet", "--key", "id", "--quarantine", "bad.ndjson", "--all-files"];
    context.out(&[&["run", "in"], &flags[..]].concat());
    assert_eq!(rows(&context, "out.parquet"), 2);
    // A file that is named is read, whatever the directory around it says.
    let named =
        ["run", "in", "in/events.log", "-o", "named.parquet", "--key", "id", "--quarantine", "b"];
    context.out(&named);
    assert_eq!(rows(&context, "named.parquet"), 2);
    let reads = |name: &str, content: &[u8]| {
        let context = Context::new();
        context.write("in/a.json", "{\"id\":1}\n");
        context.write(&format!("in/{name}"), content);
        run(&context, "in")
    };
    assert!(reads("part-0003", b"\x1f\x8b\x08\0").contains("can't be looked into"));
    assert!(reads("x.bz2", b"BZh9broken").contains("can't be looked into"));
    assert!(reads("export.csv", b"id\n[1]\n").contains("lines that begin as JSON does"));
    assert!(reads("part-0003", b"\xef\xbb\xbf\n {\"id\":3}").starts_with("exit: 0"));
}

#[test]
fn names_of_outputs_say_what_they_are() {
    let context = Context::new();
    context.write("a.ndjson", TWO);
    let run = |output: &str| context.run(&["run", "a.ndjson", "-o", output, "--key", "id"]);
    assert_snapshot!(run("out.csv"), @"
    exit: 2
    --- stderr
    error: out.csv: the output is Parquet, and its name ends in .csv
      help: name a Parquet file: --output out.parquet
      help: or a directory of Parquet files: --output out.csv/
    ");
    assert_snapshot!(run("-"), @"
    exit: 2
    --- stderr
    error: -: the output can't be standard output: Parquet is written to files, which appear as a whole
      help: write a file, and print it after the run: --output out.parquet
      help: or give a file of this name as ./-
    ");
    for output in ["o/out.JSON", "out.ndjson.gz", ".xlsx", "data.arrow"] {
        let said = run(output);
        assert!(said.starts_with("exit: 2\n") && said.contains("the output is Parquet"), "{said}");
    }
    assert_eq!(context.names(), ["a.ndjson"]);
    for output in ["out.pq", "out.PARQ", "x.parquet"] {
        assert!(run(output).starts_with("exit: 0"));
        assert!(context.path(output).is_file(), "{output}");
        assert_eq!(rows(&context, output), 2);
        context.out(&["verify", output]);
    }
    for output in ["out", "day.2024/", "day.csv/"] {
        assert!(run(output).starts_with("exit: 0"));
        assert!(context.path(output).is_dir(), "{output}");
    }
    let bad = context.run(&["run", "a.ndjson", "-o", "b.pq", "--key", "id", "--type", "v=boolean"]);
    assert!(bad.contains("--quarantine b.bad.ndjson"), "{bad}");
}

#[test]
fn urls_that_are_not_served_are_refused_with_a_way_on() {
    let context = Context::new();
    context.write("a.ndjson", TWO);
    let mut said = String::new();
    for [source, output] in [
        ["ftp://host/x.json", "out.parquet"],
        ["ftp://name/y=*/x.json", "out.parquet"],
        ["sftp://example.org/x.json?a=1&b=2", "out.parquet"],
        ["oss://name/dir", "out.parquet"],
        ["a.ndjson", "ftp://name/out.parquet"],
        ["a.ndjson", "oss://example.org/out.parquet"],
    ] {
        said += &context.run(&["run", source, "-o", output, "--key", "id"]);
    }
    assert!(!said.contains("mkdir"), "{said}");
    assert_snapshot!(said, @"
    exit: 2
    --- stderr
    error: ftp://host/x.json: this distil can't read or write ftp://
      output: nothing was written; the output is as it was before
      help: read it from standard input, with the source -: curl -sSfL ftp://host/x.json | distil run - ...
    exit: 2
    --- stderr
    error: ftp://name/y=*/x.json: this distil can't read or write ftp://
      output: nothing was written; the output is as it was before
      help: read it from standard input, with the source -: curl -sSfL 'ftp://name/y=*/x.json' | distil run - ...
    exit: 2
    --- stderr
    error: sftp://example.org/x.json?a=1&b=2: this distil can't read or write sftp://
      output: nothing was written; the output is as it was before
      help: read it from standard input, with the source -: curl -sSfL 'sftp://example.org/x.json?a=1&b=2' | distil run - ...
    exit: 2
    --- stderr
    error: oss://name/dir: this distil can't read or write oss://
      output: nothing was written; the output is as it was before
    exit: 2
    --- stderr
    error: ftp://name/out.parquet: this distil can't read or write ftp://
      output: nothing was written; the output is as it was before
      help: write to a path, and copy the output to its place: curl -T out.parquet ftp://name/out.parquet
    exit: 2
    --- stderr
    error: oss://example.org/out.parquet: this distil can't read or write oss://
      output: nothing was written; the output is as it was before
      help: write to a path, and copy the output to its place
    ");
    assert_eq!(context.names(), ["a.ndjson"]);
}

#[test]
fn nothing_to_do_says_what_was_looked_at() {
    let context = Context::new();
    std::fs::create_dir(context.path("landing")).unwrap();
    context.write("empty.json", "");
    context.write("in/a.json", "[]");
    context.write("in/b.json", "\n");
    assert_snapshot!(run(&context, "landing"), @"
    exit: 1
    --- stderr
    error: no records: landing holds 0 files
      output: nothing was written; the output is as it was before
      help: check that the sources are those that are meant
      help: or, where there may be nothing to do, let that be no error: --allow-empty
    ");
    let what = |arguments: &[&str]| {
        let said = context.run(arguments);
        said.lines().find(|line| line.starts_with("error:")).unwrap().to_owned()
    };
    let to = ["-o", "out.parquet", "--key", "id"];
    assert_eq!(
        what(&[&["run", "in"], &to[..]].concat()),
        "error: no records: in holds 2 files, and no record"
    );
    assert_eq!(
        what(&[&["run", "empty.json"], &to[..]].concat()),
        "error: no records: empty.json holds none"
    );
    assert_eq!(
        what(&[&["run", "-"], &to[..]].concat()),
        "error: no records: standard input holds none"
    );
    assert_eq!(
        what(&[&["run", "in", "landing", "--schema", "id int64"], &to[..]].concat()),
        "error: no records: 2 sources hold 2 files, and no record"
    );
    assert_eq!(what(&["schema", "landing"]), "error: no records: landing holds 0 files");
}

#[test]
fn nothing_to_do_is_no_error_where_that_is_allowed() {
    let context = Context::new();
    std::fs::create_dir(context.path("landing")).unwrap();
    let flags = ["run", "landing", "-o", "out.parquet", "--key", "id", "--allow-empty"];
    assert_snapshot!(context.run(&flags), @"
    exit: 0
    --- stderr
    warning: no records: landing holds 0 files; nothing was written, as no schema is declared
    ");
    assert_eq!(context.names(), ["landing"]);
    // With declared columns there is an output, of no rows.
    context.out(&[&flags[..], &["--schema", "id int64, v string"]].concat());
    assert_eq!(context.out(&["head", "out.parquet"]), "");
    context.out(&["verify", "out.parquet"]);
    // Without, an output that was there stays.
    context.write("landing/a.json", TWO);
    context.out(&[&flags[..], &["--mode", "overwrite"]].concat());
    std::fs::remove_file(context.path("landing/a.json")).unwrap();
    let report = context.out(&[&flags[..], &["--mode", "overwrite", "--report", "-"]].concat());
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["status"], "empty");
    assert_eq!(rows(&context, "out.parquet"), 2);
    // Bad records are no reason to say that nothing was there.
    context.write("landing/a.json", "nope\n");
    let said = context.run(&[&flags[..], &["--mode", "overwrite"]].concat());
    assert!(said.contains("1 bad record"), "{said}");
}

#[test]
fn the_closing_table_says_where_everything_is() {
    let context = Context::new();
    context.write("a.ndjson", "{\"id\":1,\"v\":1}\n{\"id\":1,\"v\":2}\nnope\n{\"id\":2,\"v\":1}\n");
    let flags = [
        "run",
        "a.ndjson",
        "-o",
        "out.parquet",
        "--key",
        "id",
        "--order-by",
        "v",
        "--quarantine",
        "out.bad.ndjson",
        "--dropped",
        "dropped.parquet",
    ];
    assert_snapshot!(context.run(&flags), @"
    exit: 0
    --- stderr
    records             4
    rows                2
    duplicates          1  0 identical, 1 conflicting
    quarantined         1
    read             50 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       out.parquet: 2 rows
    quarantine   out.bad.ndjson: 1 record (1 invalid_json)
    dropped      dropped.parquet: 1 row
    help: read them again, as they are or mended there: distil replay out.bad.ndjson -o NEW.parquet
    ");
}

#[test]
fn a_job_is_one_line_of_a_log() {
    let context = Context::new();
    context.write("a.ndjson", "{\"id\":1,\"v\":1}\n{\"id\":1,\"v\":2}\nnope\n{\"id\":2,\"v\":1}\n");
    context.configure(
        "[jobs.daily]\nsource = \"a.ndjson\"\noutput = \"out.parquet\"\nkey = \"id\"\nquarantine = \"bad.ndjson\"\n\
         dropped = \"dropped.parquet\"\nmode = \"overwrite\"\n\
         [jobs.plain]\nsource = \"a.ndjson\"\noutput = \"plain\"\nkey = \"*\"\nshape = \"lines\"\nquarantine = \"q\"\n",
    );
    assert_snapshot!(context.run(&["run", "--job", "daily"]), @"
    exit: 0
    --- stderr
    daily: 2 rows in out.parquet, of 4 records, 1 duplicate (1 in dropped.parquet), 1 record set aside in bad.ndjson, [TIME]
    warning: 1 record differs from the one that survives with the same key; the plan has no order, so the columns in order of their names decided: give an order to choose which one to keep
    ");
    assert_snapshot!(context.run(&["run", "--job", "plain"]), @"
    exit: 0
    --- stderr
    plain: 3 rows in plain, of 4 records, 0 duplicates, 1 record set aside in q, [TIME]
    ");
    assert_snapshot!(context.run(&["-q", "run", "--job", "daily"]), @"
    exit: 0
    --- stderr
    warning: 1 record differs from the one that survives with the same key; the plan has no order, so the columns in order of their names decided: give an order to choose which one to keep
    ");
    let verbose = context.run(&["-v", "run", "--job", "daily"]);
    assert!(verbose.contains("peak memory"), "{verbose}");
}

#[test]
fn a_misspelled_key_names_the_nested_column_first() {
    let context = Context::new();
    context.write("a.ndjson", "{\"v\":1,\"user\":{\"id\":1,\"name\":\"a\"},\"idx\":1}\n");
    let nearest = |key: &str| {
        let said = context.run(&["run", "a.ndjson", "-o", "out.parquet", "--key", key]);
        let line = said.lines().find(|line| line.contains("nearest columns: ")).unwrap();
        line.split("nearest columns: ").nth(1).unwrap().split(", ").next().unwrap().to_owned()
    };
    for key in ["id", "user_id", "userId", "USERID"] {
        assert_eq!(nearest(key), "user.id", "{key}");
    }
    assert_eq!(nearest("nam"), "user.name");
}

#[test]
fn a_text_that_is_no_utf_8_says_so_and_how_to_convert_it() {
    let context = Context::new();
    context.write("l.ndjson", b"{\"id\":1,\"n\":\"caf\xe9\"}\n{\"id\":2,\"n\":\"x\"}\n");
    assert_snapshot!(run(&context, "l.ndjson"), @r#"
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
    for text in [
        &b"{\"id\":1,\"n\":\"\x93a\x94\"}\n"[..],
        b"[{\"id\":1,\"caf\xe9\":1}]",
        b"{\"id\":1}\n{\"id\":\"\xff\"}",
    ] {
        context.write("m.json", text);
        let said = run(&context, "m.json");
        assert!(
            said.contains("iconv -f WINDOWS-1252 -t UTF-8 m.json | distil run - ..."),
            "{said}"
        );
    }
    // The way on works.
    let iconv = ["-f", "WINDOWS-1252", "-t", "UTF-8", "l.ndjson"];
    let iconv =
        std::process::Command::new("iconv").args(iconv).current_dir(context.path("")).output();
    let flags = ["run", "-", "-o", "out.parquet", "--key", "id"];
    assert!(context.run_with_input(&flags, &iconv.unwrap().stdout).starts_with("exit: 0"));
    assert!(context.out(&["head", "out.parquet"]).contains("caf\u{e9}"));
}

#[test]
fn utf_16_stays_named() {
    let utf16: Vec<u8> =
        "\u{feff}{\"id\":1}\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(refusal("u.json", utf16).contains("UTF-16"));
}
