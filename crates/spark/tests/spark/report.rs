//! What the report tells of the server.

use distil_testkit::disk::{Folder, dedup, run_on};

use super::servers::{backend, shared};

#[test]
fn the_report_names_the_server_its_application_and_its_stages() {
    let records: String =
        (0..2_000).map(|n| format!("{{\"id\":{},\"n\":{n}}}\n", n % 1_500)).collect();
    for name in ["sail", "spark"] {
        let Some(url) = shared(name) else { return };
        let folder = Folder::new(&[("a.json", records.as_bytes())]);
        let mut plan = folder.plan("o.parquet");
        plan.dedup = dedup("id", "n");
        let backend = backend(url);
        let (report, result) = run_on(&plan, &backend);
        result.unwrap();
        let engine = report.engine.unwrap();
        assert_eq!(engine.version, backend.version().unwrap());
        let names: Vec<&str> = report.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert!(names.ends_with(&["spark", "gather"]), "{names:?}");
        let all = &report.stages[names.len() - 2];
        assert!(all.seconds > 0.0 && all.seconds <= report.resources.seconds, "{all:?}");
        if name == "sail" {
            assert_eq!(engine.application, None);
            continue;
        }
        // The servers of the tests are Spark's own `local` mode.
        let application = engine.application.unwrap();
        assert!(application.starts_with("local-"), "{application}");
        let stages = &report.stages[..names.len() - 2];
        assert!(!stages.is_empty(), "{names:?}");
        for stage in stages {
            assert!(stage.name.starts_with("spark stage "), "{names:?}");
            assert!(stage.seconds <= all.seconds, "{stage:?}");
        }
        let read: u64 = stages.iter().map(|stage| stage.bytes).sum();
        assert!(read >= records.len() as u64, "{read} of {} bytes", records.len());
    }
}
