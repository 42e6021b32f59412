//! Reports of data that someone made to break the page, or that is only large.

use distil_plan::{
    ColumnPath, ColumnReading, Conflict, EngineReport, Error, Field, Hint, InputReport, Reason,
    Repair, RepairCount, Report, ReportError, Respelled, RowImage, Schema, SetAsidePart,
    StageReport, Status, Type, TypeNote, format_count,
};

use super::checker::text_of;
use super::usual;
use crate::report_html::text::shown;
use crate::report_html::{LARGEST, is_report_page, report_html, report_page};

/// A report that holds this text wherever a report can hold one, `count` times where it can hold lists.
fn full_of(text: &str, count: usize) -> Report {
    let mut report = usual();
    let some = || (0..count).map(|at| format!("{text}{at}"));
    let text = || text.to_owned();
    let hint = Hint { text: text(), option: Some(text()), value: Some(text()) };
    report.backend = text();
    report.distil = text();
    report.engine = Some(EngineReport { version: text(), application: Some(text()) });
    report.output.path = text();
    report.output.digest = Some(text());
    report.output.dropped = Some(text());
    report.output.quarantine.as_mut().unwrap().path = text();
    report.set_aside = some()
        .map(|path| SetAsidePart { path, offset: 1, reason: Reason::BadValue, detail: text() })
        .collect();
    report.warnings = some().collect();
    let fields = some().map(|name| Field { name, data_type: Type::Json, unknown: false }).collect();
    report.set_schema(&Schema { fields });
    let inner = vec![Field { name: text(), data_type: Type::Int64, unknown: false }];
    report.schema[0].data_type = Type::List(Box::new(Type::Struct(inner)));
    report.inputs = some()
        .map(|path| InputReport {
            path,
            shape: text(),
            compression: text(),
            quarantined: 1,
            ..InputReport::default()
        })
        .collect();
    let value = |end: usize| serde_json::to_string(&format!("{}{end}", text())).unwrap();
    let row = |end: usize| {
        let members: Vec<String> = some()
            .map(|name| format!("{}:{}", serde_json::to_string(&name).unwrap(), value(end)))
            .collect();
        RowImage(format!("{{{}}}", members.join(",")))
    };
    report.conflicts =
        (0..count.min(10)).map(|_| Conflict { kept: row(0), dropped: row(1) }).collect();
    report.type_notes = some()
        .take(10)
        .map(|text| TypeNote {
            text,
            input: 0,
            offset: 0,
            ordinal: 0,
            hints: vec![hint.clone(); 5],
        })
        .collect();
    report.readings = some()
        .map(|name| ColumnReading {
            column: ColumnPath::name(&name),
            key: true,
            converted: Some(Respelled { count: 1, file: name.clone(), offset: 1 }),
            nulled: Some(Respelled { count: 1, file: name, offset: 1 }),
        })
        .collect();
    report.repaired = some()
        .map(|path| RepairCount { repair: Repair::Nan, count: u64::MAX, path, offset: 1 })
        .collect();
    report.stages = some()
        .map(|name| StageReport { name, seconds: f64::MAX / 4.0, ..StageReport::default() })
        .collect();
    report.resources.seconds = f64::MAX;
    let mut error = Error::input(text()).at(text(), Some(u64::MAX)).output(text());
    error.details = some().collect();
    error.hints = vec![hint; count.min(100)];
    report.status = Status::Failed;
    report.error = Some(ReportError { exit_status: 1, error });
    report
}

#[test]
fn no_text_becomes_markup() {
    let texts = [
        "</div></td></table><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' style='position:fixed' <b>&amp;&lt;",
        "<!-- ]]> --><style>",
    ];
    for hostile in texts {
        for done in [false, true] {
            let mut report = full_of(hostile, 3);
            if done {
                report.status = Status::Done;
                report.error = None;
            }
            for html in [report_html(&report), report_page(&report)] {
                let text = text_of(&html);
                // It is there, as text.
                assert!(text.contains(&hostile[..15]), "{hostile}: {text}");
                assert!(!html.contains("<script") && !html.contains("<img"), "{hostile}");
            }
        }
    }
}

#[test]
fn nothing_that_is_not_seen_passes() {
    let hidden = "a\u{202e}b\u{200b}c\0d\ne\u{ad}f\u{e0041}g\u{61c}h\u{feff}i\u{7f}j\u{85}k";
    let html = report_html(&full_of(hidden, 3));
    let text = text_of(&html);
    for c in hidden.chars().filter(|c| !c.is_ascii_lowercase() && *c != '\n') {
        assert!(!html.contains(c), "{}", c.escape_unicode());
        assert!(text.contains(&c.escape_unicode().to_string()), "{}", c.escape_unicode());
    }
    assert!(text.contains("d\\u{a}e"));
}

#[test]
fn a_report_is_small_whatever_it_holds() {
    let long = |part: &str| part.repeat((1 << 20) / part.len());
    let mut sizes = Vec::new();
    for (text, count) in [
        ("x".to_owned(), 10_000),
        ("\"\u{10ffff}'&<\u{202e}".to_owned(), 10_000),
        (long("x"), 3),
        (long("\""), 3),
        (long("\u{e0041}"), 3),
        (long("日"), 3),
        ("\"".repeat(150), 100),
        ("日本".repeat(30), 100),
    ] {
        for done in [false, true] {
            let mut report = full_of(&text, count);
            if done {
                report.status = Status::Done;
                report.error = None;
            }
            let html = report_html(&report);
            text_of(&html);
            assert!(html.len() <= LARGEST, "{} bytes of {}", html.len(), shown(&text, 20));
            sizes.push(html.len());
            assert!(is_report_page(&report_page(&report)));
        }
    }
    // The bound is not kept by showing nothing.
    assert!(sizes.iter().all(|size| *size > 15_000), "{sizes:?}");
}

#[test]
fn lists_say_how_much_they_leave_out() {
    let mut report = usual();
    report.conflicts = Vec::new();
    report.set_aside = Vec::new();
    let fields = (0..10_000).map(|at| Field {
        name: format!("column_{at}"),
        data_type: Type::String,
        unknown: false,
    });
    report.set_schema(&Schema { fields: fields.collect() });
    let input = |at| InputReport { path: format!("in/{at}.json"), ..InputReport::default() };
    report.inputs = (0..10_000).map(input).collect();
    report.warnings = (0..50).map(|at| format!("warning {at}")).collect();
    let text = text_of(&report_html(&report));
    for (part, things) in
        [("column_", "more columns"), ("in/", "more inputs"), ("warning ", "more warnings")]
    {
        let all = if things.ends_with("warnings") { 50 } else { 10_000 };
        let shown = text.matches(part).count() as u64;
        let left = format!("and {} {things}", format_count(all - shown));
        assert!(shown >= 20 && text.contains(&left), "{left}");
    }
}

#[test]
fn rows_that_are_not_objects_are_left_out() {
    let mut report = usual();
    let row = |text: &str| RowImage(text.to_owned());
    report.conflicts = vec![Conflict { kept: row("[1]"), dropped: row("{") }];
    assert!(!text_of(&report_html(&report)).contains("the first"));
}

#[test]
fn texts_are_cut_in_their_middle() {
    assert_eq!(shown("abcdefghij", 10), "abcdefghij");
    assert_eq!(shown("abcdefghijk", 10), "abcde…hijk");
    assert_eq!(shown("日本語日本語", 5), "日本…本語");
    assert_eq!(shown("ab", 1), "…");
    assert_eq!(shown("\u{1b}\u{1b}", 9), "\\u{1…{1b}");
    assert_eq!(
        [0, 999, 1_000, 1_234_567].map(format_count),
        ["0", "999", "1,000", "1,234,567"].map(str::to_owned)
    );
}
