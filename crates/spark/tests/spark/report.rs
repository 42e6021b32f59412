//! What the report tells of the server.

use distil_plan::{Plan, Report, StageReport};
use distil_testkit::disk::{Folder, dedup, run_on};

use super::servers::{backend, shared};

fn folder(records: u64) -> Folder {
    let text: String =
        (0..records).map(|n| format!("{{\"id\":{},\"n\":{n}}}\n", n % 1_500)).collect();
    Folder::new(&[("a.json", text.as_bytes())])
}

fn plan(folder: &Folder) -> Plan {
    let mut plan = folder.plan("o.parquet");
    plan.dedup = dedup("id", "n");
    plan
}

/// The stages that the server told of, before the two that are distil's own.
fn stages(report: &Report) -> &[StageReport] {
    let names: Vec<&str> = report.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert!(names.ends_with(&["spark", "gather"]), "{names:?}");
    let [stages @ .., all, _] = &report.stages[..] else { panic!("{names:?}") };
    assert!(all.seconds > 0.0 && all.seconds <= report.resources.seconds, "{all:?}");
    for stage in stages {
        assert!(stage.name.starts_with("spark stage "), "{names:?}");
        assert!(stage.seconds <= all.seconds, "{stage:?}");
    }
    stages
}

#[test]
fn the_report_names_the_server_and_its_application() {
    for name in ["sail", "spark"] {
        let Some(url) = shared(name) else { return };
        let folder = folder(2_000);
        let backend = backend(url);
        let (report, result) = run_on(&plan(&folder), &backend);
        result.unwrap();
        let stages = stages(&report);
        let engine = report.engine.as_ref().unwrap();
        assert_eq!(engine.version, backend.version().unwrap());
        if name == "sail" {
            assert_eq!((&engine.application, stages.len()), (&None, 0));
            continue;
        }
        // The servers of the tests are Spark's own `local` mode.
        let application = engine.application.as_ref().unwrap();
        assert!(application.starts_with("local-"), "{application}");
    }
}

#[test]
fn the_report_has_the_stages_that_spark_told_of() {
    let Some(url) = shared("spark") else { return };
    let backend = backend(url);
    // Of a query that ends before Spark first tells of its stages, none is told: then a longer one is run.
    for records in (1..).map(|times| times * 20_000) {
        let folder = folder(records);
        let (report, result) = run_on(&plan(&folder), &backend);
        result.unwrap();
        if stages(&report).iter().any(|stage| stage.bytes > 0) {
            break;
        }
    }
}
