//! Columns whose type a few values decide: what they become, and what the run says of them.

use insta::assert_snapshot;

use crate::context::Context;

/// The warnings of a run over these records, and their advice.
fn warnings(name: &str, records: &str, flags: &[&str]) -> String {
    let context = Context::new();
    context.write(name, records);
    let run = ["run", name, "-o", "out.parquet", "--key", "id"];
    let told = context.run(&[&run[..], flags].concat());
    assert!(told.starts_with("exit: 0\n"), "{told}");
    let of_warnings = |line: &&str| line.starts_with("warning:") || line.starts_with("  help:");
    told.lines().filter(of_warnings).collect::<Vec<_>>().join("\n")
}

fn schema(records: &str) -> String {
    let context = Context::new();
    context.write("in.ndjson", records);
    context.out(&["schema", "in.ndjson"])
}

#[test]
fn a_string_among_many_numbers_is_told_with_its_line_and_the_flags_that_set_it_aside() {
    let mut records: String =
        (0..5000).map(|n| format!("{{\"id\":{n},\"price\":{}.25}}\n", n % 90)).collect();
    records.push_str("{\"id\":5000,\"price\":\"n/a\"}\n");
    assert_snapshot!(warnings("drift.ndjson", &records, &[]), @r#"
    warning: price is JSON text: 1 of 5,001 values is a string, first at drift.ndjson line 5001 ("n/a")
      help: read it as numbers, and set the records with others aside: --type 'price=float64' --quarantine out.bad.ndjson
    "#);
    let context = Context::new();
    context.write("drift.ndjson", &records);
    let run = ["run", "-q", "drift.ndjson", "-o", "out.parquet", "--key", "id"];
    let aside = ["--type", "price=float64", "--quarantine", "out.bad.ndjson"];
    context.out(&[&run[..], &aside].concat());
    assert!(context.read("out.bad.ndjson").contains("n/a"));
}

#[test]
fn kinds_are_counted_at_every_depth() {
    let records = "{\"id\":1,\"code\":\"AB-1\",\"s\":{\"l\":[1,2,\"x\"]},\"o\":{}}\n\
                   {\"id\":2,\"code\":7,\"s\":{\"l\":[]},\"o\":[1]}\n\
                   {\"id\":3,\"code\":\"C\",\"s\":{\"l\":null},\"o\":true}\n";
    assert_snapshot!(warnings("in.ndjson", records, &[]), @r#"
    warning: code is JSON text: 1 of 3 values is a number, first at in.ndjson line 2 (7)
      help: read it as strings, and set the records with others aside: --type 'code=string' --quarantine out.bad.ndjson
    warning: s.l, in a list, is JSON text: 1 of 3 values is a string, first at in.ndjson line 1 ("x")
      help: take it as JSON text, without this warning: --type 's.l=json'
    warning: o is JSON text: of 3 values 1 is a boolean, 1 is a list, first at in.ndjson line 2
      help: take it as JSON text, without this warning: --type 'o=json'
    "#);
    assert_snapshot!(warnings("in.ndjson", records, &["--quarantine", "b.ndjson"]), @r#"
    warning: code is JSON text: 1 of 3 values is a number, first at in.ndjson line 2 (7)
      help: read it as strings: --type 'code=string'
    warning: s.l, in a list, is JSON text: 1 of 3 values is a string, first at in.ndjson line 1 ("x")
      help: take it as JSON text, without this warning: --type 's.l=json'
    warning: o is JSON text: of 3 values 1 is a boolean, 1 is a list, first at in.ndjson line 2
      help: take it as JSON text, without this warning: --type 'o=json'
    "#);
}

#[test]
fn numbers_of_more_digits_than_a_double_has_stay_numbers() {
    let records = "{\"id\":1,\"t\":0.10000000000000001}\n{\"id\":2,\"t\":4.4000000000000004}\n\
                   {\"id\":3,\"t\":21.5}\n{\"id\":1,\"t\":0.20000000000000001}\n";
    let order = ["--order-by", "t desc"];
    assert_snapshot!(warnings("m.ndjson", records, &order), @"
    warning: t is decimal(38,18): a double would round some of its numbers, first at m.ndjson line 1 (0.10000000000000001)
      help: take the nearest doubles, counting those that differ: --type 't=float64'
    ");
    let context = Context::new();
    context.write("m.ndjson", records);
    let run = ["run", "-q", "m.ndjson", "-o", "out.parquet", "--key", "id"];
    context.out(&[&run[..], &order].concat());
    assert_snapshot!(context.out(&["head", "out.parquet"]), @r#"
    {"id":1,"t":0.20000000000000001}
    {"id":2,"t":4.4000000000000004}
    {"id":3,"t":21.5}
    "#);
    context.out(&[&run[..], &order, &["--type", "t=float64", "--mode", "overwrite"]].concat());
    assert_snapshot!(context.out(&["head", "out.parquet"]), @r#"
    {"id":1,"t":0.2}
    {"id":2,"t":4.4}
    {"id":3,"t":21.5}
    "#);
    let records = "{\"id\":1,\"lat\":51.507350912345678901,\"price\":19.99}\n\
                   {\"id\":2,\"lat\":51.5,\"price\":5}\n\
                   {\"id\":3,\"lat\":-0.12775830000001,\"price\":12.340000000000000001}\n";
    assert_snapshot!(schema(records), @"
    id     int64
    lat    decimal(38,18)
    price  decimal(38,18)
    ");
    let records = "{\"id\":1,\"n\":0.10000000000000001}\n{\"id\":2,\"n\":123456789012345678901}\n";
    assert_snapshot!(warnings("in.ndjson", records, &[]), @"
    warning: n is JSON text: a double would round some of its numbers, and no decimal of 38 digits holds all of them, first at in.ndjson line 1 (0.10000000000000001)
      help: take the nearest doubles, counting those that differ: --type 'n=float64'
    ");
    let records = "{\"id\":1,\"n\":[{\"x\":0.10000000000000001}]}\n{\"id\":2,\"n\":[{\"x\":1}]}\n";
    assert_snapshot!(warnings("in.ndjson", records, &[]), @"
    warning: n.x, in a list, is decimal(38,18): a double would round some of its numbers, first at in.ndjson line 1 (0.10000000000000001)
    ");
}

#[test]
fn places_are_told_as_far_as_the_input_can_be_read_again() {
    let records = "{\"id\":1,\"v\":1}\n{\"id\":2,\"v\":[2]}\n";
    assert_snapshot!(warnings("in.ndjson", records, &[]), @"
    warning: v is JSON text: 1 of 2 values is a list, first at in.ndjson line 2
      help: read it as numbers, and set the records with others aside: --type 'v=int64' --quarantine out.bad.ndjson
    ");
    let mut long = "{\"id\":1,\"v\":1}\n{\"id\":2,\"v\":2}\n{\"id\":3,\"v\":\"".to_owned();
    long.push_str(&"ä".repeat(100));
    long.push_str("\"}\n");
    assert_snapshot!(warnings("in.ndjson", &long, &[]), @r#"
    warning: v is JSON text: 1 of 3 values is a string, first at in.ndjson line 3 ("ääääääääääääääääääää…")
      help: read it as numbers, and set the records with others aside: --type 'v=int64' --quarantine out.bad.ndjson
    "#);
    let context = Context::new();
    let run = ["run", "-", "-o", "out.parquet", "--key", "id"];
    let told = context.run_with_input(&run, records.as_bytes());
    assert!(told.contains(", first at - byte 15\n"), "{told}");
}

#[test]
fn ten_columns_are_told_and_the_others_counted() {
    let record = |value: &str| {
        let members: Vec<String> = (0..13).map(|n| format!(",\"c{n}\":{value}")).collect();
        format!("{{\"id\":{}{}}}\n", value.len(), members.concat())
    };
    let told = warnings("in.ndjson", &(record("1") + &record("true")), &[]);
    assert_eq!(told.matches("is JSON text").count(), 10, "{told}");
    assert!(told.contains("warning: 3 more columns"), "{told}");
}

#[test]
fn digits_that_ascend_are_told() {
    let records = "{\"id\":1,\"v\":\"9\"}\n{\"id\":1,\"v\":\"10\"}\n";
    assert_snapshot!(warnings("in.ndjson", records, &["--order-by", "v"]), @r#"
    warning: the order column v holds numbers as strings, and orders them as text: "10" < "9", first at in.ndjson line 1 ("9")
      help: read it as numbers: --type 'v=int64'
      help: or order it as text, without this warning: --order-by 'v as text'
    "#);
    assert_eq!(warnings("in.ndjson", records, &["--order-by", "v as text"]), "");
}
