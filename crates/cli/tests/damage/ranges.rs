//! Broken ranges: a loss that no advice leads to.

use insta::assert_snapshot;

use crate::context::Context;

const FLAGS: [&str; 4] = ["-o", "out.parquet", "--key", "id"];

fn run(context: &Context, more: &[&str]) -> String {
    context.run(&[&["run", "in.json"], &FLAGS[..], more].concat())
}

fn told(content: &str, more: &[&str]) -> String {
    let context = Context::new();
    context.write("in.json", content);
    run(&context, more)
}

/// Ten objects of 12 bytes.
fn objects(separator: &str) -> String {
    (10..20).map(|id| format!("{{\"id\": {id} }}")).collect::<Vec<_>>().join(separator)
}

/// Every line is an array of records: the file is never read as its first line, whatever is allowed.
#[test]
fn an_array_on_each_line_is_never_read_as_one_array() {
    let lines = format!("[{0}]\n[{0}]\n", objects(","));
    assert_snapshot!(told(&lines, &[]), @r#"
    exit: 1
    --- stderr
    error: in.json line 2, byte 122: the file is not one array: each line or value of it is one
        [{"id": 10 },{"id": 11 },{"id": 12 },{"id": 13 },{"id": 14 }…
        ^
      output: nothing was written; the output is as it was before
      help: take the elements of each array as records: distil run in.json -o out.parquet --key id --records '/*'
    "#);
    for more in [
        &["--quarantine", "q.ndjson"][..],
        &["--quarantine", "q.ndjson", "--max-quarantined", "5%"],
        &["--shape", "array", "--quarantine", "q.ndjson"],
    ] {
        let said = told(&lines, more);
        assert!(said.starts_with("exit: 1\n"), "{said}");
        assert!(
            said.contains("error: in.json line 2, byte 122: the file is not one array"),
            "{said}"
        );
        assert!(!said.contains("aside"), "{said}");
    }
    // One after another, with empty ones, over several lines, and of rows without names.
    for arrays in [
        "[{\"id\":1}][{\"id\":2}]",
        "[]\n\n [{\"id\":1}]",
        "[\n{\"id\":1}\n]\n[\n]",
        "[\"id\",\"v\"]\n[1,2]\n",
    ] {
        let said = told(arrays, &["--quarantine", "q.ndjson"]);
        assert!(said.contains("the file is not one array"), "{said}");
    }
    assert_snapshot!(told(&lines, &["--shape", "lines"]), @r#"
    exit: 1
    --- stderr
    error: 2 bad records
      in.json line 1, byte 0: not_an_object: the value is an array, not an object
        [{"id": 10 },{"id": 11 },{"id": 12 },{"id": 13 },{"id": 14 }…
        ^
      1 more: not_an_object, at in.json line 2, byte 122
      output: nothing was written; the output is as it was before
      help: each value is an array: take its elements as records: distil run in.json -o out.parquet --key id --shape lines --records '/*'
    "#);
    let said = told(&lines, &["--shape", "lines", "--quarantine", "q.ndjson"]);
    assert!(said.starts_with("exit: 1\n"), "{said}");
}

/// The cause comes first, and nobody is told to set the rest of the file aside.
#[test]
fn a_range_is_a_loss_with_its_bytes_and_records() {
    let cut = format!("[{},\n{{\"id\": 3", objects(",\n"));
    let text = format!("[{}]\nend of dump, 10 records\n", objects(",\n"));
    let comma = format!("[{}\n{},\n{}]", objects(",\n"), objects(",\n"), objects(",\n"));
    let commas = format!("{0},\n{0}", objects(",\n"));
    let all: Vec<String> =
        [(cut, "auto"), (text, "auto"), (comma, "auto"), (commas, "concatenated")]
            .iter()
            .map(|(content, shape)| told(content, &["--shape", shape]))
            .collect();
    assert!(all.iter().all(|said| !said.contains("quarantine")), "{all:?}");
    assert_snapshot!(all.concat(), @r#"
    exit: 1
    --- stderr
    error: 1 broken range, in which no records can be told apart
      in.json line 11, byte 131: broken_range: the file ends inside a value (8 bytes)
        {"id": 3
        ^
      output: nothing was written; the output is as it was before
      help: get the whole file again: it is probably cut
    exit: 1
    --- stderr
    error: 1 broken range, in which no records can be told apart
      in.json line 11, byte 131: broken_range: more follows the array (24 bytes, about 1 record)
        end of dump, 10 records
        ^
      output: nothing was written; the output is as it was before
      help: the array at the beginning is not the whole file: read every line by itself: --shape lines
    exit: 1
    --- stderr
    error: 1 broken range, in which no records can be told apart
      in.json line 11, byte 130: broken_range: expected `,` or `]` after a record (259 bytes, about 19 records)
        {"id": 10 },
        ^
      output: nothing was written; the output is as it was before
      help: repair the text at that byte, or get the file again: nothing after it can be read
    exit: 1
    --- stderr
    error: 1 broken range, in which no records can be told apart
      in.json line 1, byte 11: broken_range: expected a value (247 bytes, about 22 records)
        {"id": 10 },
                   ^
      output: nothing was written; the output is as it was before
      help: repair the text at that byte, or get the file again: nothing after it can be read
    "#);
}

/// A limit in percent counts bytes where they are more: half of the file is one range of 11 parts.
#[test]
fn a_share_counts_bytes_or_records_whichever_is_more() {
    let context = Context::new();
    context.write("in.json", format!("[{}\n{}]", objects(","), objects(",")));
    let with = |share| run(&context, &["--quarantine", "q.ndjson", "--max-quarantined", share]);
    assert_snapshot!(with("10%"), @"
    exit: 1
    --- stderr
    error: 0 bad records and 1 bad range are known, 120 bytes; the plan allows at most 10% of 10 records and of 241 bytes read
      in.json line 2, byte 121: the rest of the file is lost (120 bytes, about 9 records): expected `,` or `]` after a record
      output: nothing was written; the output is as it was before
      help: repair the input
      help: or allow more, after a look at those that are set aside: --max-quarantined N|P%
    ");
    assert!(with("49%").starts_with("exit: 1\n"));
    assert_snapshot!(with("51%"), @"
    exit: 0
    --- stderr
    records            10
    rows               10
    duplicates          0  0 identical, 0 conflicting
    quarantined         1  0 records and 1 range
    read            241 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       out.parquet: 10 rows
    quarantine   q.ndjson: 0 records and 1 range (1 broken_range)
    warning: in.json line 2, byte 121: the rest of the file is lost (120 bytes, about 9 records): expected `,` or `]` after a record
    ");
    // Many small bad records are few bytes: there the records count.
    let small = format!("{}\n{}", "1\n2\n3", objects("\n"));
    context.write("in.json", small);
    for old in ["out.parquet", "q.ndjson"] {
        std::fs::remove_file(context.path(old)).unwrap();
    }
    let said = with("10%");
    assert!(said.contains("at most 10% of 13 records and of "), "{said}");
    assert!(with("24%").starts_with("exit: 0\n"));
}
