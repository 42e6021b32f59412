//! What a page says of each kind of run.

use distil_plan::{
    Code, ColumnPath, Conflict, EngineReport, Error, Fault, Hint, InputReport, Place, Repair,
    RepairCount, Report, ReportError, RowImage, Schema, Status, TypeNote,
};

use super::checker::text_of;
use super::usual;
use crate::report_html::{is_report_page, report_html, report_page};

/// The text of a report, with one space for any space.
fn text(report: &Report) -> String {
    text_of(&report_html(report)).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn says(text: &str, all: &[&str]) {
    for part in all {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

fn failed(mut report: Report, error: Error) -> Report {
    report.status = Status::Failed;
    report.error = Some(ReportError { exit_status: error.fault.exit_status(), error });
    report
}

#[test]
fn a_run_that_is_done_says_what_became_of_the_records() {
    let html = report_html(&usual());
    assert!(html.starts_with("<div ") && html.ends_with("</div>\n"));
    let text = text(&usual());
    says(
        &text,
        &[
            "events.parquet · 900,000 rows · 5.00 MiB · 0.61 s · native · ✓ done",
            "read 1,000,005 = kept 900,000 identical 25,000 conflicting 75,000 quarantined 5",
            "warning: 75000 records differ",
            "75,000 conflicting: the first 1",
            "5 quarantined records and 1 range, 2.00 KiB",
            "incoming/b.json 1,234 invalid_json unexpected `}`",
            "and 5 more records and ranges",
            "distil replay out/events.bad.ndjson -o NEW.parquet",
            "3 columns",
            "2 inputs, 5.57 KiB",
            "document:/records, gzip",
            "decode 0.40 s",
            "peak memory 64.0 MiB",
        ],
    );
    // The bar is a picture to those who don't see it, and its text says the same.
    says(
        &html,
        &[
            "role=\"img\"",
            "aria-label=\"read 1,000,005 = kept 900,000, identical 25,000, conflicting 75,000, \
             quarantined 5\"",
        ],
    );
    assert!(!text.contains("error:"));
}

#[test]
fn cells_that_differ_are_marked_in_the_order_of_the_schema() {
    let text = text(&usual());
    says(
        &text,
        &[
            "ts id data",
            "kept \"2019-04-23T17:25:43.111Z\" ≠ \"1\" ≠ \"ABC\"",
            "dropped \"2019-04-23T17:25:43.111Z\" ≠ null ≠ \"XYZ\"",
        ],
    );
}

#[test]
fn long_values_are_shown_where_they_differ() {
    let mut report = usual();
    let row = |end: &str| RowImage(format!("{{\"id\":\"{}{end}\"}}", "x".repeat(5_000)));
    let (kept, dropped) = (row("here is one end"), row("here is another end"));
    report.conflicts = vec![Conflict { kept, dropped }];
    says(&text(&report), &["here is one end\"", "here is another end\""]);
}

#[test]
fn of_many_columns_those_that_differ_are_shown() {
    let mut report = usual();
    let columns: Vec<String> = (0..50).map(|at| format!("c{at} int64")).collect();
    report.set_schema(&Schema::parse(&columns.join(", ")).unwrap());
    let row = |differs: u8| {
        let members: Vec<String> =
            (0..50).map(|at| format!("\"c{at}\":{}", if at == 41 { differs } else { 7 })).collect();
        RowImage(format!("{{{}}}", members.join(",")))
    };
    report.conflicts = vec![Conflict { kept: row(1), dropped: row(2) }];
    says(&text(&report), &["c6 c41 kept 7", "≠ 1", "≠ 2", "and 42 more columns"]);
}

#[test]
fn a_failed_run_says_why_and_what_to_do() {
    let mut error = Error::input("2 records are bad")
        .at("in/<b>.json", Some(17))
        .detail("in.json line 2: not an object")
        .output("nothing was written; the output is as it was before")
        .help(Hint::choose("set bad records aside", "quarantine"))
        .help(Hint::set("and replace the output", "mode", "overwrite"))
        .help("repair the input");
    error.place = Some(Box::new(Place { line: Some(2), ..*error.place.unwrap() }));
    let mut report = Report::new("native");
    report.output.path = "e2.parquet".into();
    let report = failed(report, error);
    let text = text(&report);
    says(
        &text,
        &[
            "e2.parquet · 0.00 s · native · ✗ failed",
            "error: in/<b>.json line 2, byte 17: 2 records are bad",
            "in.json line 2: not an object",
            "output: nothing was written",
            "set bad records aside: quarantine = e2.bad.ndjson, and replace the output: mode = overwrite",
            "repair the input",
        ],
    );
    assert!(!text.contains(" rows") && !text.contains("kept"), "{text}");
    assert!(!report_html(&report).contains("role=\"img\""));
}

#[test]
fn only_a_committed_output_has_rows() {
    let conflicts = failed(usual(), Error::input("3 records differ").coded(Code::Conflicts));
    let shown = text(&conflicts);
    says(&shown, &["would be kept 900,000"]);
    assert!(!shown.contains("900,000 rows") && !shown.contains("distil replay"), "{shown}");
    let late = Error::new(Fault::Environment, "sync failed").coded(Code::AfterCommit);
    says(&text(&failed(usual(), late)), &["900,000 rows", "✗ failed", " = kept 900,000"]);
}

#[test]
fn dry_runs_and_empty_ones_say_that_nothing_was_written() {
    let mut report = Report::new("pandas");
    report.output.path = "out".into();
    report.status = Status::DryRun;
    let shown = text(&report);
    says(&shown, &["out · 0.00 s · pandas · dry run", "the output was not written"]);
    assert!(!shown.contains("read 0"), "{shown}");
    report.records.read = 1;
    says(&text(&report), &["1 record read, 0 of them bad"]);
    report.records.read = 0;
    report.status = Status::Empty;
    says(&text(&report), &["no records", "nothing was written; an earlier output is as it was"]);
}

#[test]
fn columns_say_why_they_are_json_or_unknown() {
    let mut report = usual();
    report.schema[1].unknown = true;
    report.type_notes = vec![TypeNote {
        text: format!("{} is JSON text: 2 numbers among strings", ColumnPath::name("data")),
        input: 0,
        offset: 0,
        ordinal: 0,
        hints: vec![Hint::set("read it as string", "types", "data=string")],
    }];
    says(
        &text(&report),
        &[
            "warning: data is JSON text: 2 numbers among strings read it as string: types = data=string",
            "id string no value says what its type is",
            "data json JSON text: 2 numbers among strings",
        ],
    );
}

#[test]
fn what_was_mended_and_the_engine_are_told() {
    let mut report = usual();
    report.repaired =
        vec![RepairCount { repair: Repair::Nan, count: 7, path: "a.json".into(), offset: 5 }];
    report.engine =
        Some(EngineReport { version: "4.0.1".into(), application: Some("local-17".into()) });
    report.output.dropped = Some("dropped.parquet".into());
    says(
        &text(&report),
        &[
            "7 read otherwise than they stand",
            "repaired 7 nan a.json at byte 5",
            "native 4.0.1 · application local-17",
            "dropped: dropped.parquet: 75,000 rows",
        ],
    );
}

#[test]
fn a_quarantine_without_a_replay_proposes_none() {
    let mut report = usual();
    report.output.quarantine.as_mut().unwrap().replays = false;
    let shown = text(&report);
    says(&shown, &["They are in out/events.bad.ndjson"]);
    assert!(!shown.contains("distil replay"), "{shown}");
    report.output.quarantine.as_mut().unwrap().replays = true;
    report.records.quarantined.records = 0;
    assert!(!text(&report).contains("distil replay"));
}

#[test]
fn a_page_is_told_from_other_pages() {
    let page = report_page(&usual());
    let text = text_of(&page);
    says(&text, &["events.parquet · done · distil"]);
    says(&page, &["<meta charset=\"utf-8\">", "color-scheme", "viewport", &report_html(&usual())]);
    assert!(is_report_page(&page));
    for other in [
        page.replace("content=\"distil ", "content=\"other "),
        page.replace(", report 1\"", ", report x\""),
        page.replace(", report 1\"", ", report \""),
        page.replace("content=\"distil 0", "content=\"distil \" 0"),
        page.replace("</html>", ""),
        format!(" {page}"),
        format!("{page}<p>notes</p>"),
        String::new(),
    ] {
        assert!(!is_report_page(&other), "{}", &other[..other.len().min(200)]);
    }
    assert!(is_report_page(&page.replace("content=\"distil 0", "content=\"distil 17")));
}

#[test]
fn inputs_that_were_not_read_have_no_numbers() {
    let mut report = failed(Report::new("native"), Error::input("bad"));
    report.inputs = vec![InputReport { path: "a.json".into(), ..InputReport::default() }];
    let shown = text(&report);
    says(&shown, &["1 input path", "a.json – – – –"]);
    assert!(!shown.contains("1 input, 0 B"), "{shown}");
}

#[test]
fn rows_that_conflict_are_not_told_twice() {
    let mut error = Error::input("1 record differs").coded(Code::Conflicts);
    error.details = vec!["would keep {}".into()];
    assert!(!text(&failed(usual(), error.clone())).contains("would keep {}"));
    assert!(text(&failed(Report::new("native"), error)).contains("would keep {}"));
}
