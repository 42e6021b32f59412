//! Text in an order column that would decide wrongly: the run fails, and shows both ways on.

use insta::assert_snapshot;

use crate::context::Context;

/// What a run says that takes, of two records of one key with these texts, the last in order of `v`.
fn ordered(first: &str, second: &str, flags: &[&str]) -> String {
    let context = Context::new();
    context.write(
        "in.ndjson",
        format!("{{\"id\":1,\"v\":\"{first}\"}}\n{{\"id\":1,\"v\":\"{second}\"}}\n"),
    );
    let run = ["run", "-q", "in.ndjson", "-o", "out.parquet", "--key", "id"];
    let order: &[&str] = if flags.is_empty() { &["--order-by", "v desc"] } else { flags };
    let told = context.run(&[&run[..], order].concat());
    if !told.starts_with("exit: 0") {
        return told;
    }
    context.out(&["head", "out.parquet"])
}

/// The advice of a run that fails.
fn advice(first: &str, second: &str) -> String {
    let told = ordered(first, second, &[]);
    assert!(told.starts_with("exit: 1\n"), "{told}");
    told.lines()
        .filter_map(|line| line.trim().strip_prefix("help: "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn numbers_as_strings_are_refused_with_both_ways_on() {
    assert_snapshot!(ordered("9", "10", &[]), @r#"
    exit: 1
    --- stderr
    error: the order column v holds numbers as strings, so its text does not order like numbers: "10" < "9"
      output: nothing was written; the output is as it was before
      help: read it as numbers: --type 'v=int64'
      help: or order it as text: --order-by 'v as text desc'
    "#);
    assert_eq!(ordered("9", "10", &["--order-by", "v as text desc"]), "{\"id\":1,\"v\":\"9\"}\n");
    assert_snapshot!(advice("1.5", "10.25"), @"
    read it as numbers: --type 'v=float64'
    or order it as text: --order-by 'v as text desc'
    ");
    assert_snapshot!(advice("-1", "-2"), @"
    read it as numbers: --type 'v=int64'
    or order it as text: --order-by 'v as text desc'
    ");
    assert_snapshot!(advice("007", "8 "), @"
    write the numbers as JSON does: no type reads leading zeros, a plus sign or blanks
    or order it as text: --order-by 'v as text desc'
    ");
}

#[test]
fn text_that_orders_like_its_values_decides() {
    for (first, second) in [
        ("09", "10"),
        ("1.25", "1.50"),
        ("v1.2.3", "v1.3.0"),
        ("2024-04-30 17:04:01", "2024-05-01 08:31:27"),
        ("2024-04-30T17:04:01+02:00", "2024-05-01T08:31:27+02:00"),
        ("2024/04/30", "2024/05/01"),
        ("20240430T170401Z", "20240501T083127Z"),
        ("alpha", "beta"),
    ] {
        let row = format!("{{\"id\":1,\"v\":\"{second}\"}}\n");
        assert_eq!(ordered(first, second, &[]), row, "{first}");
    }
}

#[test]
fn versions_are_refused_without_a_type_to_give() {
    for (first, second) in [("1.9.0", "1.10.0"), ("v9", "v10"), ("V1.2", "V1.10")] {
        assert_eq!(
            advice(first, second),
            "give the records a column that orders like the versions\n\
             or order it as text: --order-by 'v as text desc'"
        );
    }
}

#[test]
fn instants_that_do_not_order_as_text_are_refused_with_their_type() {
    let cases = [
        ("2024-10-27T02:10:00.000+0100", "2024-10-27T02:30:00.000+0200", "timestamp(us)"),
        ("2024-10-27T02:10:00+01:00", "2024-10-27T02:30:00+02:00", "timestamp(us)"),
        ("2024-10-27 02:10:00 UTC", "2024-10-27T02:30:00Z", "timestamp(us)"),
        ("2024-10-27T02:10:00.1234567Z", "2024-10-27T02:30:00Z", "timestamp(ns)"),
        ("01-05-2024 08:31:27", "30-04-2024 17:04:01", "timestamp(us, '%d-%m-%Y %H:%M:%S', 'UTC')"),
        ("01.05.2024 08:31", "30.04.2024 17:04", "timestamp(us, '%d.%m.%Y %H:%M', 'UTC')"),
        ("04/30/24 5:04 PM", "05/01/24 8:31 AM", "timestamp(us, '%m/%d/%y %I:%M %p', 'UTC')"),
        (
            "Fri Mar 01 10:00:00 +0000 2024",
            "Wed Aug 27 13:08:45 +0000 2008",
            "timestamp(us, '%a %b %d %H:%M:%S %z %Y')",
        ),
        (
            "Fri, 01 Mar 2024 10:00:00 +0000",
            "Wed, 27 Aug 2008 13:08:45 +0000",
            "timestamp(us, '%a, %d %b %Y %H:%M:%S %z')",
        ),
        (
            "10/Oct/2000:13:55:36 -0700",
            "01/Nov/2000:13:55:36 -0700",
            "timestamp(us, '%d/%b/%Y:%H:%M:%S %z')",
        ),
        (
            "2024-05-01 08:31:27",
            "2024-05-01 08:31:27.5",
            "timestamp(us, '%Y-%m-%d %H:%M:%S%.f', 'UTC')",
        ),
    ];
    for (first, second, data_type) in cases {
        let given = shlex_quoted(&format!("v={data_type}"));
        assert_eq!(
            advice(first, second),
            format!(
                "read it as instants: --type {given}\n\
                 or order it as text: --order-by 'v as text desc'"
            ),
            "{first}"
        );
    }
    // Nothing says whether the day comes first.
    assert_eq!(advice("04/05/2024 08:31", "05/04/2024 08:31").lines().count(), 3);
    // No format has both.
    assert_snapshot!(advice("30.04.2024", "2024-05-01"), @"
    write all instants as 2019-04-23T17:25:43Z
    or order it as text: --order-by 'v as text desc'
    ");
}

/// A word with single quotes inside, as a shell reads it.
fn shlex_quoted(word: &str) -> String {
    if word.contains('\'') { format!("\"{word}\"") } else { format!("'{word}'") }
}

#[test]
fn the_whole_order_is_in_the_consent() {
    let flags = ["--order-by", "\"a b\", v desc"];
    let told = ordered("9", "10", &flags);
    assert!(told.contains("no record has the column"), "{told}");
    let context = Context::new();
    let records = [(1, "9"), (1, "10")]
        .map(|(a, v)| format!("{{\"id\":1,\"a b\":{a},\"s\":{{\"v\":\"{v}\"}}}}\n"));
    context.write("in.ndjson", records.concat());
    let run = ["run", "-q", "in.ndjson", "-o", "out.parquet", "--key", "id"];
    let told = context.run(&[&run[..], &["--order-by", "\"a b\", s.v desc"]].concat());
    assert!(told.contains("--order-by '\"a b\", s.v as text desc'"), "{told}");
    let consent = ["--order-by", "\"a b\", s.v as text desc"];
    assert_eq!(context.run(&[&run[..], &consent].concat()), "exit: 0\n");
}

#[test]
fn few_such_strings_and_keys_are_text() {
    let context = Context::new();
    let lines = ["9", "10", "x", "y", "z"].map(|v| format!("{{\"id\":1,\"v\":\"{v}\"}}\n"));
    context.write("in.ndjson", lines.concat());
    let run = ["run", "-q", "in.ndjson", "-o", "out.parquet", "--mode", "overwrite"];
    assert_eq!(context.run(&[&run[..], &["--key", "id", "--order-by", "v"]].concat()), "exit: 0\n");
    assert_eq!(context.run(&[&run[..], &["--key", "v"]].concat()), "exit: 0\n");
}

#[test]
fn many_records_of_one_form_and_a_last_one_of_another_are_seen() {
    let context = Context::new();
    let mut text: String = (0..3000)
        .map(|n| format!("{{\"id\":{n},\"v\":\"2024-05-01 08:{:02}:{:02}\"}}\n", n / 60, n % 60))
        .collect();
    let run = ["run", "-q", "in.ndjson", "-o", "out.parquet", "--key", "id", "--order-by", "v"];
    context.write("in.ndjson", &text);
    assert_eq!(context.run(&run), "exit: 0\n");
    text.push_str("{\"id\":1,\"v\":\"2024-05-01 8:31\"}\n");
    context.write("in.ndjson", &text);
    let told = context.run(&[&run[..], &["--mode", "overwrite"]].concat());
    assert!(told.contains("does not order like time"), "{told}");
}
