//! Records that are not where distil looks first: what it says, and what it does when told.

use insta::assert_snapshot;

use crate::context::Context;

fn rows(context: &Context, flags: &[&str]) -> String {
    context.out(&[&["run", "-q", "--mode", "overwrite", "-o", "out.parquet"], flags].concat());
    context.out(&["head", "out.parquet"])
}

/// Each was read, or its error names the path, which then reads it.
#[test]
fn an_error_of_a_missing_key_names_the_path_at_which_it_is() {
    let cases: [(&str, &str, &str, usize); 9] = [
        ("{\"Records\":[{\"id\":1},{\"id\":2},{\"id\":1}]}", "id", "/Records", 2),
        (
            "{\"status\":\"ok\",\"data\":{\"items\":[{\"id\":1},{\"id\":2}]},\"next\":2}\n{\"data\":{\"items\":[{\"id\":3}]}}\n",
            "id",
            "/data/items",
            3,
        ),
        ("{\"u\":{\"x\":{\"mail\":\"a\"},\"y\":{\"mail\":\"b\"}}}", "mail", "/u/{name}", 2),
        (
            "{\"type\":\"F\",\n\"features\":[\n{\"properties\":{\"code\":1}},\n{\"properties\":{\"code\":2}}]}",
            "properties.code",
            "/features",
            2,
        ),
        ("[{\"id\":1},{\"id\":2}]\n[{\"id\":2}]\n", "id", "/*", 2),
        (
            "{\"hits\":{\"hits\":[{\"_source\":{\"id\":1}},{\"_source\":{\"id\":2}}]}}",
            "id",
            "/hits/hits/*/_source",
            2,
        ),
        ("{\"a\":[{\"b\":[{\"id\":1}]},{\"b\":[{\"id\":2},{\"id\":3}]}]}", "id", "/a/*/b", 3),
        (
            "{\"before\":null,\"after\":{\"id\":1}}\n{\"before\":{\"x\":1},\"after\":{\"id\":2}}\n",
            "id",
            "/after",
            2,
        ),
        (
            "{\"v\":1,\"in_network\":[{\"code\":\"a\"},{\"code\":\"b\"}],\"refs\":[{\"r\":1}]}",
            "code",
            "/in_network",
            2,
        ),
    ];
    for (text, key, path, count) in cases {
        let context = Context::new();
        context.write("in.json", text);
        let said = context.run(&["run", "in.json", "-o", "out.parquet", "--key", key]);
        let quoted = if path.contains(['*', '{']) { format!("'{path}'") } else { path.to_owned() };
        let command = format!("distil run in.json -o out.parquet --key {key} --records {quoted}");
        assert!(said.contains(&command), "{text}: {said}");
        let first = said.lines().find(|line| line.contains("help: ")).unwrap();
        assert!(first.ends_with(&command), "{text}: {said}");
        let read = rows(&context, &["in.json", "--key", key, "--records", path]);
        assert_eq!(read.lines().count(), count, "{text}: {read}");
    }
}

#[test]
fn several_places_are_listed_with_their_counts() {
    let context = Context::new();
    context.write(
        "in.json",
        "{\"old\":[{\"id\":1}],\"new\":[{\"id\":2},{\"id\":3}],\"page\":{\"id\":\"p\"}}",
    );
    assert_snapshot!(context.run(&["run", "in.json", "-o", "out.parquet", "--key", "id"]), @"
    exit: 1
    --- stderr
    error: no record has the column id
      output: nothing was written; the output is as it was before
      help: take the 2 objects at /new for records: distil run in.json -o out.parquet --key id --records /new
      help: take the 1 object at /old for records: distil run in.json -o out.parquet --key id --records /old
      help: take the 1 object at /page for records: distil run in.json -o out.parquet --key id --records /page
      help: choose one of the nearest columns: page.id, old, new, page
    ");
}

#[test]
fn a_path_that_leads_nowhere_is_told_with_those_that_do() {
    let context = Context::new();
    context.write("in.json", "{\"items\":[{\"id\":1}]}\n{\"items\":[]}\n");
    let flags = ["run", "in.json", "-o", "out.parquet", "--key", "id", "--records", "/item"];
    assert_snapshot!(context.run(&flags), @"
    exit: 1
    --- stderr
    error: none of the 2 values has records at /item
      output: nothing was written; the output is as it was before
      help: take the 1 object at /items for records: --records /items
    ");
    context.write("p/1.json", "{\"items\":[{\"id\":1}]}");
    context.write("p/2.json", "{\"error\":\"rate limit\"}");
    let flags = ["run", "p", "-o", "p.parquet", "--key", "id", "--records", "/items"];
    assert_snapshot!(context.run(&flags), @"
    exit: 0
    --- stderr
    records             1
    rows                1
    duplicates          0  0 identical, 0 conflicting
    quarantined         0
    read             42 B  2 files
    written      [SIZE]  1 file, 1 row group
    time         [TIME]
    peak memory  [SIZE]
    output       p.parquet: 1 row
    warning: 1 value has no records at /items, the first of them in p/2.json
    ");
}

#[test]
fn one_record_with_many_objects_in_it_is_told() {
    let context = Context::new();
    context.write("in.json", "{\"type\":\"F\",\"features\":[{\"id\":1},{\"id\":2},{\"id\":3}]}");
    let told = context.run(&["schema", "in.json"]);
    assert!(told.contains("the 3 objects in it at /features: --records /features"), "{told}");
    let told = context.run(&["run", "in.json", "-o", "out.parquet", "--key", "*"]);
    assert!(told.contains("warning: the input is one record, in which 3 objects lie"), "{told}");
    let told = context.run(&["schema", "in.json", "--records", "/nope"]);
    assert!(told.contains("take the 3 objects at /features for records"), "{told}");
    // One object within is part of a record, and so are those of records of which there are two.
    context.write("in.json", "{\"id\":1,\"user\":{\"id\":2}}");
    assert!(!context.run(&["schema", "in.json"]).contains("--records"));
    context.write("in.json", "{\"id\":1,\"tags\":[{},{}]}\n{\"id\":2,\"tags\":[{},{}]}\n");
    assert!(!context.run(&["schema", "in.json"]).contains("--records"));
    assert!(
        !context.run(&["run", "in.json", "-o", "o.parquet", "--key", "*"]).contains("one record")
    );
}

#[test]
fn a_path_that_can_not_be_printed_is_not_offered_as_a_command() {
    let context = Context::new();
    context.write("in.json", "{\"\\u001b[31m\":[{\"id\":1},{\"id\":2}],\"y\":[{\"id\":3}]}");
    let told = context.run(&["run", "in.json", "-o", "out.parquet", "--key", "id"]);
    assert!(told.contains("take the 2 objects at /\\u{1b}[31m for records\n"), "{told}");
    assert_eq!(told.matches("--records").count(), 1, "{told}");
}

#[test]
fn bad_records_where_others_are_good_name_no_path() {
    let context = Context::new();
    context.write("in.json", "{\"id\":1,\"user\":{\"id\":7}}\n{\"id\":2,\"user\":{\"id\":8},}\n");
    let said = context.run(&["run", "in.json", "-o", "out.parquet", "--key", "id"]);
    assert!(said.contains("1 bad record") && !said.contains("--records"), "{said}");
    context.write("in.json", "[{\"id\":1,\"user\":{\"id\":7}},{\"id\":2,\"user\":{\"id\":8},}]");
    let said = context.run(&["run", "in.json", "-o", "out.parquet", "--key", "id"]);
    assert!(said.contains("1 bad record") && !said.contains("--records"), "{said}");
}

#[test]
fn one_record_that_looks_like_a_document_is_no_guess_beside_others() {
    let context = Context::new();
    context.write(
        "in/d1.ndjson",
        "{\"patient\":1,\"records\":[{\"k\":1}]}\n{\"patient\":2,\"records\":[]}\n",
    );
    context.write("in/d2.ndjson", "{\"patient\":3,\"records\":[{\"k\":1},{\"k\":2}]}\n");
    assert_snapshot!(context.run(&["run", "in", "-o", "out.parquet", "--key", "patient"]), @r#"
    exit: 1
    --- stderr
    error: in/d1.ndjson line 2, byte 34: more than one value in a file that begins with a document
        {"patient":2,"records":[]}
        ^
      output: nothing was written; the output is as it was before
      help: read every value of the file as a record: --shape concatenated
      help: or read every line as one: --shape lines
      help: or take the elements of `records` for records: distil run in -o out.parquet --key patient --records /records
    "#);
    assert_eq!(rows(&context, &["in", "--key", "patient", "--shape", "lines"]).lines().count(), 3);
}

#[test]
fn what_can_not_be_meant_is_refused_with_what_can() {
    let context = Context::new();
    context.write("in.json", "{\"a\":[{\"id\":1}]}");
    let run = |flags: &[&str]| {
        context.run(&[&["run", "in.json", "-o", "out.parquet", "--key", "id"], flags].concat())
    };
    assert_snapshot!(run(&["--records", "a"]), @"
    exit: 2
    --- stderr
    error: --records: `a` is not a path to records
      help: a path begins with a slash: /data/items, '/*', '/users/{id}'
    ");
    assert_snapshot!(run(&["--records", "/a~7"]), @"
    exit: 2
    --- stderr
    error: --records: `~` in the step `a~7` escapes nothing
      help: write ~0 for ~, ~1 for /, ~2 for * and ~3 for {
    ");
    assert_snapshot!(run(&["--shape", "/a", "--records", "/b"]), @"
    exit: 2
    --- stderr
    error: the shape names a path, and so does `records`
      help: give the whole path here: --records PATH
    ");
    assert_snapshot!(run(&["--add", "p=/p"]), @"
    exit: 2
    --- stderr
    error: members can be added to records that lie within a value only
      help: say where the records are: --records PATH
    ");
    assert_snapshot!(run(&["--records", "/a", "--add", "p=/a/id"]), @"
    exit: 2
    --- stderr
    error: the member /a/id of the added column p is not beside the records, which are at `/a`
    ");
    assert_snapshot!(run(&["--records", "/{n}", "--add", "n=/p"]), @"
    exit: 2
    --- stderr
    error: the column n is added twice
    ");
}

#[test]
fn a_shape_that_is_a_path_gives_way_to_the_path_that_is_advised() {
    let context = Context::new();
    context.write("in.json", "{\"users\":{\"x\":{\"mail\":\"a\"},\"y\":{\"mail\":\"b\"}}}");
    let said =
        context.run(&["run", "in.json", "-o", "o.parquet", "--key", "mail", "--shape", "/users"]);
    assert!(
        said.contains("distil run in.json -o o.parquet --key mail --records '/users/{name}'"),
        "{said}"
    );
}

#[test]
fn members_that_records_get_are_columns_and_clash_by_name() {
    let context = Context::new();
    context.write(
        "in.json",
        "{\"page\":1,\"items\":[{\"id\":1},{\"id\":2,\"page\":9}]}\n{\"items\":[{\"id\":3}],\"page\":2}\n",
    );
    let flags = ["run", "in.json", "-o", "out.parquet", "--key", "id", "--records", "/items"];
    assert_snapshot!(context.run(&[&flags[..], &["--add", "page=/page"]].concat()), @r#"
    exit: 1
    --- stderr
    error: 1 bad record
      in.json line 1, byte 28: name_clash: the plan adds another value of the member `page`
        {"id":2,"page":9}
        ^
      output: nothing was written; the output is as it was before
      help: set bad records aside and go on: distil run in.json -o out.parquet --key id --records /items --add 'page=/page' --quarantine out.bad.ndjson
    "#);
    assert_eq!(
        rows(&context, &["in.json", "--key", "id", "--records", "/items", "--add", "n=/page"]),
        "{\"n\":1,\"id\":1}\n{\"n\":1,\"id\":2,\"page\":9}\n{\"n\":2,\"id\":3}\n"
    );
}
