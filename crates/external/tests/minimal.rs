//! A second engine, written against the documented protocol alone, on basic cases.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use distil_plan::{Dedup, Keep, Need, NullKeys};
use distil_testkit::oracle;
use distil_testkit::subject_local::LocalSubject;
use distil_testkit::suite::{Configuration, Stretch, Subject as _, cases, check_over, needs};

use support::{Folder, child, dedup, native, run_on};

const FILES: [(&str, &[u8]); 3] = [
    (
        "a.json",
        br#"[
  {"id": "10101", "data": "ABC", "ts": "2019-04-23T17:25:43.111Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "DEF", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "1111", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"}
]"#,
    ),
    ("b.json", b"{\"id\":\"10101\",\"n\":9,\"ts\":\"1969-12-31T23:59:59.999Z\"}\n{\"n\":10}\n"),
    ("c.json", b"[{\"id\":null,\"n\":-1,\"b\":true},{\"n\":10}]"),
];

#[test]
fn an_engine_of_a_hundred_lines_gives_the_answers_of_the_contract() {
    let program = include_str!("minimal_backend.py");
    assert!(program.lines().filter(|line| !line.is_empty()).count() <= 100, "it is to be small");
    let python = distil_testkit::python();
    let engine = child(python.to_str().unwrap(), &["-c", program]);
    for (key, order, keep) in [
        ("ts", "id, data", Keep::First),
        ("id,ts", "data", Keep::First),
        ("id", "n desc, data", Keep::Last),
        ("n", "", Keep::First),
        ("*", "", Keep::First),
        ("", "", Keep::First),
    ] {
        let folder = Folder::new(&FILES);
        let mut plan = folder.plan("native.parquet");
        plan.dedup = (!key.is_empty()).then(|| dedup(key, order)).flatten().map(|dedup| Dedup {
            keep,
            null_keys: NullKeys::Value,
            ..dedup
        });
        plan.sink.row_group_rows = 2;
        let (expected, result) = run_on(&plan, &native());
        result.unwrap();
        plan.sink.path = folder.text("child.parquet").into();
        let (found, result) = run_on(&plan, &engine);
        result.unwrap_or_else(|error| panic!("{key}: {error} {:?}", error.details));
        assert_eq!(expected.records, found.records, "{key}");
        assert_eq!(expected.conflicts, found.conflicts, "{key}");
        assert_eq!(expected.output.digest, found.output.digest, "{key}");
        assert_eq!(expected.output.row_groups, found.output.row_groups, "{key}");
    }
}

#[test]
fn a_small_engine_refuses_by_name_what_it_does_not_support() {
    let python = distil_testkit::python();
    let engine = child(python.to_str().unwrap(), &["-c", include_str!("minimal_backend.py")]);
    let folder = Folder::new(&[("a.json", b"{\"a\":[1]}")]);
    let mut plan = folder.plan("o.parquet");
    plan.dropped = Some(folder.text("d.parquet").into());
    plan.dedup = dedup("*", "");
    let error = run_on(&plan, &engine).1.unwrap_err();
    assert_eq!(
        error.what,
        "the backend child can't do what the plan asks for: columns of the type list \
         (`type:list`), a file of the dropped duplicates (`dropped`)"
    );
}

/// Cases that need a line more than the small engine has: it says so while it runs, and must.
const BEYOND: [(&str, &str); 5] = [
    ("mixed_instants_with_the_hint_are_instants", "it reads instants of one form"),
    ("timestamps_with_6_digits_are_microseconds", "it reads instants of one form"),
    ("a_quoted_path_is_one_name", "it takes a path for a name"),
    ("an_array_at_a_longer_path", "it does not decode a JSON pointer"),
    ("names_with_marks_of_a_path", "it does not decode a JSON pointer"),
];

/// Of the suite, what the small engine says it supports must be exact, and the rest refused by name.
#[test]
fn the_basic_cases_of_the_suite_come_out_exactly() {
    let python = distil_testkit::python();
    let engine = child(python.to_str().unwrap(), &["-c", include_str!("minimal_backend.py")]);
    let configuration = Configuration { name: "child", marks: &[] };
    let subject = LocalSubject::new(configuration, Box::new(engine));
    let (mut exact, mut problems) = (0, Vec::new());
    for case in &cases() {
        // Only the native engine judges bad records.
        if needs(case, &oracle::run(&case.plan, &case.placed())).contains(&Need::BadRecords) {
            continue;
        }
        let result = subject.run(&case.files, &case.plan, &Stretch::plain());
        if result.is_err_and(|error| error.refused().is_some()) {
            continue;
        }
        let beyond = BEYOND.iter().find(|(name, _)| *name == case.name);
        match (check_over(case, &subject, &[Stretch::plain()]), beyond) {
            (Ok(()), None) => exact += 1,
            (Err(_), Some(_)) => {}
            (Err(problem), None) => problems.push(problem),
            (Ok(()), Some((name, why))) => problems.push(format!("{name} passes, but: {why}")),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(exact > 50, "only {exact} cases are within what it supports");
}
