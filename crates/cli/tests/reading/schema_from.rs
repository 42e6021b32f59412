//! `--schema-from`: a table keeps the types of an earlier output.

use insta::assert_snapshot;

use crate::context::Context;

/// A directory with an output of a first night.
fn first_night() -> Context {
    let context = Context::new();
    context.write(
        "one.ndjson",
        "{\"id\":1,\"price\":1.5,\"s\":{\"a\":\"x\"},\"never\":null}\n{\"id\":2,\"price\":2,\"s\":{\"a\":\"y\"}}\n",
    );
    context.out(&["run", "-q", "one.ndjson", "-o", "table", "--key", "id"]);
    context
}

fn second_night(context: &Context, records: &str, flags: &[&str]) -> String {
    context.write("two.ndjson", records);
    let run = ["run", "-q", "two.ndjson", "-o", "two", "--key", "id", "--mode", "overwrite"];
    context.run(&[&run[..], &["--schema-from", "table"], flags].concat())
}

fn schema(context: &Context, flags: &[&str]) -> String {
    context.out(&[&["schema", "two.ndjson"], flags].concat())
}

#[test]
fn types_are_kept_where_this_night_has_others() {
    let context = first_night();
    // Integers alone would be int64, and nulls say nothing.
    let records = "{\"id\":3,\"price\":7,\"s\":null}\n";
    let told = second_night(&context, records, &[]);
    assert!(told.starts_with("exit: 0\n"), "{told}");
    assert_snapshot!(schema(&context, &["--schema-from", "table"]), @"
    id     int64
    price  float64
    s      struct<a: string>
    ");
    assert_snapshot!(schema(&context, &[]), @"
    id     int64
    price  int64
    s      string  (unknown: no value says)
    ");
    let records = "{\"id\":3,\"price\":\"n/a\"}\n{\"id\":4,\"price\":1}\n";
    let told = second_night(&context, records, &[]);
    assert!(told.contains("price: expected float64, found \"n/a\""), "{told}");
    assert_eq!(second_night(&context, records, &["--quarantine", "bad.ndjson"]), "exit: 0\n");
}

#[test]
fn new_members_are_new_columns_unless_the_plan_says_what_becomes_of_them() {
    let context = first_night();
    let records =
        "{\"id\":3,\"price\":7,\"s\":{\"a\":\"z\",\"b\":true},\"new\":[1],\"never\":{\"x\":1}}\n";
    assert_eq!(second_night(&context, records, &[]), "exit: 0\n");
    assert_snapshot!(schema(&context, &["--schema-from", "table"]), @"
    id     int64
    price  float64
    s      struct<a: string, b: boolean>
    new    list<int64>
    never  struct<x: int64>
    ");
    let told = second_night(&context, records, &["--extra-members", "error"]);
    assert!(told.starts_with("exit: 1\n") && told.contains("extra_member"), "{told}");
    let records = "{\"id\":3,\"s\":{\"b\":true},\"new\":[1]}\n";
    let told = second_night(&context, records, &["--extra-members", "ignore"]);
    assert!(told.starts_with("exit: 0\n") && told.contains("warning: no value says"), "{told}");
    assert_snapshot!(
        schema(&context, &["--schema-from", "table", "--extra-members", "ignore"]),
        @"
    id     int64
    price  float64
    s      struct<a: string>
    never  string  (unknown: no value says)
    "
    );
}

#[test]
fn a_hint_is_stronger_and_a_missing_output_is_named() {
    let context = first_night();
    let records = "{\"id\":3,\"price\":7,\"s\":{\"a\":1}}\n";
    assert_eq!(second_night(&context, records, &["--type", "s.a=int64"]), "exit: 0\n");
    context.write("two.ndjson", records);
    let run = ["run", "two.ndjson", "-o", "three", "--key", "id", "--schema-from"];
    assert_snapshot!(context.run(&[&run[..], &["none"]].concat()), @"
    exit: 1
    --- stderr
    error: none: there is no such output to take the types of
      help: leave the option out of the first run, which makes the output
    ");
    assert_snapshot!(
        context.run(&[&run[..], &["table", "--schema", "id int64"]].concat()),
        @"
    exit: 2
    --- stderr
    error: the columns are declared, and taken of an output as well
      help: leave one of them out: --schema-from OUT
    "
    );
}
