//! What was set aside, read again with the plan of its run.

use insta::assert_snapshot;

use crate::context::Context;

const LINES: &str = "{\"id\":1,\"v\":1}\n{\"id\":2,\"v\":NaN}\n{\"id\":2,\"v\":7}\n{'id':3}\n";

/// A run that set the bad records of `in.json` aside.
fn set_aside(context: &Context, content: impl AsRef<[u8]>, more: &[&str]) -> String {
    context.write("in.json", content);
    let flags = ["run", "in.json", "-o", "out.parquet", "--key", "id", "--quarantine", "q.ndjson"];
    let said = context.run(&[&flags[..], more].concat());
    assert!(said.starts_with("exit: 0\n"), "{said}");
    said
}

fn replay(context: &Context) -> String {
    context.run(&["replay", "q.ndjson", "-o", "new.parquet"])
}

#[test]
fn records_are_read_again_once_they_are_mended_in_the_file() {
    let context = Context::new();
    let said = set_aside(&context, LINES, &["--type", "v=float64", "--order-by", "v desc"]);
    assert_snapshot!(said, @"
    exit: 0
    --- stderr
    records             4
    rows                2
    duplicates          0  0 identical, 0 conflicting
    quarantined         2
    read             56 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       out.parquet: 2 rows
    quarantine   q.ndjson: 2 records (2 invalid_json)
    help: read them again, as they are or mended there: distil replay q.ndjson -o NEW.parquet
    ");
    // As they are, they are bad again, at their lines of the quarantine file.
    assert_snapshot!(replay(&context), @r#"
    exit: 1
    --- stderr
    error: 2 bad records
      q.ndjson line 2: invalid_json: NaN is not a JSON number
        {"id":2,"v":NaN}
                    ^
      1 more: invalid_json, at q.ndjson line 3
      output: nothing was written; the output is as it was before
      help: mend the `raw` of these lines, or take them out, and replay the file again
    "#);
    let mended = context.read("q.ndjson").replace("NaN", "5").replace("{'id':3}", "{\\\"id\\\":2}");
    context.write("q.ndjson", mended);
    assert_snapshot!(replay(&context), @"
    exit: 0
    --- stderr
    records             2
    rows                1
    duplicates          1  0 identical, 1 conflicting
    quarantined         0
    read             25 B  1 file
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       new.parquet: 1 row
    ");
    assert_eq!(context.out(&["head", "new.parquet"]), "{\"id\":2,\"v\":5}\n");
    // The output is never that of the run before, nor one that is there.
    for output in ["out.parquet", "./out.parquet", "new.parquet"] {
        let said = context.run(&["replay", "q.ndjson", "-o", output]);
        assert!(!said.starts_with("exit: 0"), "{said}");
    }
    let said = context.run(&["replay", "q.ndjson", "-o", "out.parquet"]);
    assert!(said.contains("the records would replace the output of the run that set them aside"));
}

/// Records over several lines, in bytes that are no text, and a line that is taken out.
#[test]
fn any_record_comes_back_as_it_was() {
    let context = Context::new();
    let content =
        b"{\"id\":1}\n[{\n\"id\": 2 },\n3]{\"id\":4,\n\"t\":\"caf\xe9\"}{\"id\":\n 5,,}\n";
    set_aside(&context, content, &["--shape", "concatenated"]);
    let quarantined = context.read("q.ndjson");
    let lines: Vec<&str> = quarantined.lines().collect();
    assert_eq!(lines.len(), 4, "{quarantined}");
    let mended = lines[1].replace("[{\\n", "{").replace(" },\\n3]", ",\\n\\\"t\\\":\\\"x\\\"}");
    context.write("q.ndjson", format!("{}\n{mended}\n", lines[0]));
    let said = replay(&context);
    assert!(said.starts_with("exit: 0\n"), "{said}");
    assert_eq!(context.out(&["head", "new.parquet"]), "{\"id\":2,\"t\":\"x\"}\n");
    context.write("q.ndjson", format!("{}\n{}\n", lines[0], lines[2]));
    let said = context.run(&["replay", "q.ndjson", "-o", "other.parquet"]);
    assert!(said.contains("q.ndjson line 2: invalid_json: not UTF-8"), "{said}");
}

/// A record of more than 1 MiB is in its file alone; a range is in no form that can be read.
#[test]
fn what_is_in_its_file_alone_is_read_there_or_counted() {
    let context = Context::new();
    let long = format!("{{\"id\":1}}\n{{\"id\":2,\"t\":\"{}\",\"id\":3}}\n", "x".repeat(1 << 20));
    set_aside(&context, &long, &[]);
    let repaired = context.read("q.ndjson").replacen(
        "\"schema\":",
        "\"repair\":[\"duplicate-members\"],\"schema\":",
        1,
    );
    assert!(!repaired.contains("\"raw\""), "{repaired}");
    context.write("q.ndjson", &repaired);
    // The key would be repaired: the record is there, and bad again.
    let said = replay(&context);
    assert!(said.contains("q.ndjson line 2: repaired_key: "), "{said}");
    context.write("in.json", "{\"id\":1}\n");
    assert_snapshot!(replay(&context), @"
    exit: 1
    --- stderr
    error: q.ndjson: 1 record of the quarantine file can't be read again
      output: nothing was written; the output is as it was before
      help: the text of long records is in their files alone, which changed since: run distil over these files again
    ");
    let context = Context::new();
    set_aside(&context, "[{\"id\":1},7,{\"id\":2}", &[]);
    assert_snapshot!(replay(&context), @"
    exit: 1
    --- stderr
    error: q.ndjson: 1 broken range of the quarantine file can't be read again
      output: nothing was written; the output is as it was before
      help: repair the files that have broken ranges and run distil over them, then take the lines of these ranges out of the quarantine file
    ");
}

#[test]
fn other_files_are_no_quarantine() {
    let context = Context::new();
    context.write("q.ndjson", "{\"id\":1}\n");
    assert_snapshot!(replay(&context), @"
    exit: 1
    --- stderr
    error: q.ndjson: the file does not begin as a quarantine file of this distil does
      output: nothing was written; the output is as it was before
      help: name the file that a run set bad records aside in
    ");
    set_aside(&Context::new(), "{\"id\":1}\n", &[]);
    let empty = Context::new();
    set_aside(&empty, "{\"id\":1}\n", &[]);
    assert_snapshot!(replay(&empty), @"
    exit: 1
    --- stderr
    error: q.ndjson: the quarantine file holds no records
      output: nothing was written; the output is as it was before
    ");
}

#[test]
fn records_within_values_get_what_they_would_have_got() {
    let context = Context::new();
    context.write(
        "in/day=1/p.ndjson",
        "{\"n\":7,\"r\":[{\"id\":1,\"v\":1},{\"id\":2,\"v\":NaN},{\"id\":3,\"n\":7,\"v\":NaN}]}\n",
    );
    let flags = ["--records", "/r", "--add", "n=/n", "--hive", "--quarantine", "q.ndjson", "-q"];
    context.out(&[&["run", "in", "-o", "one.parquet", "--key", "id"], &flags[..]].concat());
    let aside = context.read("q.ndjson");
    assert!(aside.contains("\"added\":{\"day\":\"1\",\"n\":7}"), "{aside}");
    context.write("q.ndjson", aside.replace("\"v\\\":NaN", "\"v\\\":2").replace("NaN", "2"));
    context.out(&["replay", "q.ndjson", "-o", "two.parquet", "-q"]);
    assert_snapshot!(context.out(&["head", "two.parquet"]), @r#"
    {"day":"1","n":7,"id":2,"v":2}
    {"day":"1","n":7,"id":3,"v":2}
    "#);
}

#[test]
fn records_that_say_where_they_lie_are_not_read_from_elsewhere() {
    let context = Context::new();
    context.write("in.ndjson", "{\"id\":1}\n{\"id\":NaN}\n");
    let flags = ["--key", "id", "--origin", "--quarantine", "q.ndjson"];
    let told = context.run(&[&["run", "in.ndjson", "-o", "one.parquet"], &flags[..]].concat());
    assert!(told.starts_with("exit: 0") && !told.contains("replay"), "{told}");
    assert_snapshot!(context.run(&["replay", "q.ndjson", "-o", "two.parquet"]), @"
    exit: 2
    --- stderr
    error: q.ndjson: records that say where they lie can't be read again from elsewhere
      output: nothing was written; the output is as it was before
      help: mend the files that they lie in, and run distil over these again
    ");
}
