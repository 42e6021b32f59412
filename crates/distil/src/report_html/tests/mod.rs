//! Reports made by hand, and hostile ones.

mod checker;
mod hostile;
mod reports;

use distil_plan::{
    Conflict, Duplicates, InputReport, QuarantineFile, QuarantinedCounts, Reason, ReasonCount,
    Report, RowImage, Schema, SetAsidePart, StageReport, Status,
};

/// A run as most are: some duplicates, a conflict, some bad records.
fn usual() -> Report {
    let mut report = Report::new("native");
    report.status = Status::Done;
    report.records.read = 1_000_005;
    report.records.accepted = 1_000_000;
    report.records.written = 900_000;
    report.records.duplicates = Duplicates { identical: 25_000, conflicting: 75_000 };
    report.records.quarantined = QuarantinedCounts { records: 5, ranges: 1, bytes: 2_048 };
    report.reasons = vec![
        ReasonCount { reason: Reason::InvalidJson, count: 5 },
        ReasonCount { reason: Reason::BrokenRange, count: 1 },
    ];
    report.set_aside = vec![SetAsidePart {
        path: "incoming/b.json".into(),
        offset: 1_234,
        reason: Reason::InvalidJson,
        detail: "unexpected `}`".into(),
    }];
    let row = |text: &str| RowImage(text.to_owned());
    report.conflicts = vec![Conflict {
        kept: row(r#"{"data":"ABC","id":"1","ts":"2019-04-23T17:25:43.111Z"}"#),
        dropped: row(r#"{"data":"XYZ","ts":"2019-04-23T17:25:43.111Z"}"#),
    }];
    report.inputs = vec![
        InputReport {
            path: "incoming/a.json.gz".into(),
            bytes: 5_000,
            shape: "document:/records".into(),
            compression: "gzip".into(),
            records: 1_000_000,
            ..InputReport::default()
        },
        InputReport {
            path: "incoming/b.json".into(),
            bytes: 700,
            shape: "lines".into(),
            compression: "none".into(),
            records: 5,
            quarantined: 6,
            ..InputReport::default()
        },
    ];
    report.set_schema(&Schema::parse("ts timestamp(ms), id string, data json").unwrap());
    report.output.path = "out/events.parquet".into();
    report.output.files = 1;
    report.output.bytes = 5 << 20;
    report.output.row_groups = 1;
    report.output.quarantine =
        Some(QuarantineFile { path: "out/events.bad.ndjson".into(), replays: true });
    let stage =
        |name: &str, seconds| StageReport { name: name.into(), seconds, ..StageReport::default() };
    report.stages = vec![stage("decode", 0.4), stage("encode", 0.2)];
    report.resources.seconds = 0.61;
    report.resources.threads = 2;
    report.resources.peak_memory_bytes = 64 << 20;
    report.warnings = vec!["75000 records differ".into()];
    report
}
