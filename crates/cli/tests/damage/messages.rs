//! Bad records: place, text, mark, and the mistake by its name.

use insta::assert_snapshot;

use crate::context::Context;

/// What a run over one file says, without what became of the output and the advice.
fn told(name: &str, content: &str) -> String {
    let context = Context::new();
    context.write(name, content);
    let said = context.run(&["run", name, "-o", "out.parquet", "--key", "id"]);
    assert!(said.starts_with("exit: 1\n"), "{said}");
    let lines = said.lines().skip(3).filter(|line| !line.starts_with("  output: "));
    lines.take_while(|line| !line.starts_with("  help: ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn usual_mistakes_are_named_at_their_byte() {
    let good = "{\"id\":0}\n";
    let each = [
        "{\"id\":1,\"m\":NaN}",
        "{\"id\":1,\"m\":[2,-Infinity]}",
        "{'id': 1, 'ok': True}",
        "{\"id\": 1, \"ok\": True, \"x\": None}",
        "{\"id\":1,}",
        "{\"id\":1} // the first",
        "{\"id\":1,\"t\":\"caf\\ud83d\"}",
        "{\"id\":1,\"a\":{\"b\":1,\"b\":2}}",
        "{id:1}",
        "[1,2]",
        "{\"id\":1,\"t\":\"a\tb\"}",
    ];
    let all: String = each.iter().map(|bad| told("t.jsonl", &format!("{good}{bad}\n"))).collect();
    assert_snapshot!(all, @r#"
    t.jsonl line 2, byte 21: invalid_json: NaN is not a JSON number
      {"id":1,"m":NaN}
                  ^
    t.jsonl line 2, byte 25: invalid_json: -Infinity is not a JSON number
      {"id":1,"m":[2,-Infinity]}
                      ^
    t.jsonl line 2, byte 10: invalid_json: expected a member name, found a single quote: JSON takes double quotes only
      {'id': 1, 'ok': True}
       ^
    t.jsonl line 2, byte 25: invalid_json: expected a value, found True, which is true in JSON
      {"id": 1, "ok": True, "x": None}
                      ^
    t.jsonl line 2, byte 17: invalid_json: expected a member name, found `}` after a trailing comma
      {"id":1,}
              ^
    t.jsonl line 2, byte 18: invalid_json: more than one value, found a comment
      {"id":1} // the first
               ^
    t.jsonl line 2, byte 25: invalid_json: half a surrogate pair, found `\ud83d`
      {"id":1,"t":"caf\ud83d"}
                      ^
    t.jsonl line 2, byte 28: duplicate_member: the member b occurs twice
      {"id":1,"a":{"b":1,"b":2}}
                         ^
    t.jsonl line 2, byte 10: invalid_json: expected a member name, found `id`
      {id:1}
       ^
    t.jsonl line 2, byte 9: not_an_object: the value is an array, not an object
      [1,2]
      ^
    t.jsonl line 2, byte 23: invalid_json: a control character in a string, found `\u{9}`
      {"id":1,"t":"a\u{9}b"}
                    ^
    "#);
}

#[test]
fn the_first_of_each_reason_is_shown_and_the_others_are_counted() {
    let lines: Vec<String> = (0..7)
        .map(|n| match n {
            2 => "{\"id\":null}".to_owned(),
            4 => "17".to_owned(),
            n => format!("{{\"id\":{n},\"t\":\"{}\",\"m\":nan}}", "long ".repeat(n * 9)),
        })
        .collect();
    assert_snapshot!(told("t.jsonl", &lines.join("\n")), @r#"
    t.jsonl line 1, byte 19: invalid_json: nan is not a JSON number
      {"id":0,"t":"","m":nan}
                         ^
    4 more: invalid_json, the last at t.jsonl line 7, byte 805
    t.jsonl line 3, byte 93: null_key: the key column id is null or missing
      {"id":null}
      ^
    t.jsonl line 5, byte 264: not_an_object: the value is a number, not an object
      17
      ^
    "#);
}

/// 90,000 strings in one array, on one line: decoded out of order by several threads.
#[test]
fn the_first_bad_record_is_the_first_at_any_number_of_threads() {
    let context = Context::new();
    let strings: Vec<String> = (0..90_000).map(|n| format!("\"string {n}\"")).collect();
    context.write("d.json", format!("[\n{}\n]", strings.join(",")));
    let run = |threads: &str| {
        let flags = ["run", "d.json", "-o", "o.parquet", "--key", "id", "--threads", threads];
        let said = context.run(&flags);
        said.replace(&format!(" --threads {threads}"), "")
    };
    let one = run("1");
    assert_snapshot!(one, @r#"
    exit: 1
    --- stderr
    error: 10 bad records, the run stopped there
      d.json line 2, byte 2: not_an_object: the value is a string, not an object
        "string 0"
        ^
      9 more: not_an_object, the last at d.json line 2, byte 101
      output: nothing was written; the output is as it was before
      help: set bad records aside and go on: distil run d.json -o o.parquet --key id --quarantine o.bad.ndjson
    "#);
    for threads in ["2", "3", "4"] {
        assert_eq!(run(threads), one);
    }
}

#[test]
fn lines_are_counted_in_compressed_files_and_not_in_what_is_read_once() {
    let context = Context::new();
    let text = "{\"id\":1}\n\n{\"id\":2,\"x\":Infinity}\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    context.write("z.json", gzip.finish().unwrap());
    let flags = ["-o", "o.parquet", "--key", "id"];
    assert_snapshot!(context.run(&[&["run", "z.json"], &flags[..]].concat()), @r#"
    exit: 1
    --- stderr
    error: 1 bad record
      z.json line 3, byte 22: invalid_json: Infinity is not a JSON number
        {"id":2,"x":Infinity}
                    ^
      output: nothing was written; the output is as it was before
      help: read them with what is invalid mended, and counted: distil run z.json -o o.parquet --key id --repair nan
      help: set bad records aside and go on: distil run z.json -o o.parquet --key id --quarantine o.bad.ndjson
    "#);
    let piped = context.run_with_input(&[&["run", "-"], &flags[..]].concat(), text.as_bytes());
    assert_snapshot!(piped, @r#"
    exit: 1
    --- stderr
    error: 1 bad record
      - at byte 22: invalid_json: Infinity is not a JSON number
        {"id":2,"x":Infinity}
                    ^
      output: nothing was written; the output is as it was before
      help: read them with what is invalid mended, and counted: distil run - -o o.parquet --key id --repair nan
      help: set bad records aside and go on: distil run - -o o.parquet --key id --quarantine o.bad.ndjson
    "#);
}

/// What is set aside is told by reason; the file has each with its place.
#[test]
fn the_closing_table_names_the_file_and_the_reasons() {
    let context = Context::new();
    context.write("in.ndjson", "{\"id\":1}\n{\"id\":2,\"a\":NaN}\n7\n{\"id\":3,\"a\":NaN}\n{}\n");
    let flags = ["run", "in.ndjson", "-o", "o.parquet", "--key", "id", "--quarantine", "q.ndjson"];
    assert_snapshot!(context.run(&flags), @"
    exit: 0
    --- stderr
    records             5
    rows                1
    duplicates          0  0 identical, 0 conflicting
    quarantined         4
    read             48 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       o.parquet: 1 row
    quarantine   q.ndjson: 4 records (2 invalid_json, 1 not_an_object, 1 null_key)
    help: read them again, as they are or mended there: distil replay q.ndjson -o NEW.parquet
    ");
    assert_snapshot!(context.read("q.ndjson"), @r#"
    {"quarantine":1,"plan":{"version":1,"sources":["in.ndjson"],"shape":"auto","schema":{},"extra_members":"error","dedup":{"key":{"columns":["id"]},"order_by":[],"keep":"first","null_keys":"error","on_conflict":"keep"},"quarantine":{"path":"q.ndjson"},"max_record":67108864,"digest":false,"assume_valid":false,"sink":{"path":"o.parquet","layout":"file","mode":"error","compression":"zstd:3","row_group_rows":1048576}}}
    {"file":"in.ndjson","offset":9,"length":16,"reason":"invalid_json","detail":"NaN is not a JSON number at byte 21","raw":"{\"id\":2,\"a\":NaN}"}
    {"file":"in.ndjson","offset":26,"length":1,"reason":"not_an_object","detail":"the value is a number, not an object at byte 26","raw":"7"}
    {"file":"in.ndjson","offset":28,"length":16,"reason":"invalid_json","detail":"NaN is not a JSON number at byte 40","raw":"{\"id\":3,\"a\":NaN}"}
    {"file":"in.ndjson","offset":45,"length":2,"reason":"null_key","detail":"the key column id is null or missing","raw":"{}"}
    "#);
}
