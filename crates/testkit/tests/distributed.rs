//! The tasks of a cluster give what one process gives, whatever became of attempts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use distil_plan::Code;
use distil_testkit::subject_distributed::DistributedSubject;
use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Stretch, Subject, cases};

#[test]
fn the_suite_passes_on_tasks() {
    let mut problems = Vec::new();
    let mut ran = 0;
    for case in cases() {
        let stretch = Stretch { threads: 3, ..Stretch::plain() };
        let native = NativeSubject.run(&case.files, &case.plan, &Stretch::plain());
        let ours = DistributedSubject.run(&case.files, &case.plan, &stretch);
        match (native, ours) {
            (_, Err(error)) if error.code == Code::Refused => continue,
            (Ok(native), Ok(ours)) => {
                let same = native.files == ours.files
                    && native.beside == ours.beside
                    && native.report.records == ours.report.records
                    && native.report.conflicts == ours.report.conflicts
                    && native.report.inputs == ours.report.inputs
                    && native.report.warnings == ours.report.warnings
                    && native.report.set_aside == ours.report.set_aside;
                if !same {
                    problems.push(format!("{}: differs from the native engine", case.name));
                }
            }
            (Err(native), Err(ours)) if format!("{native:#}") == format!("{ours:#}") => {}
            (native, ours) => problems.push(format!(
                "{}: {:?} and {:?}",
                case.name,
                native.map(|output| output.report.records).map_err(|error| format!("{error:#}")),
                ours.map(|output| output.report.records).map_err(|error| format!("{error:#}"))
            )),
        }
        ran += 1;
    }
    assert!(problems.is_empty(), "{} of {ran} cases fail\n{}", problems.len(), problems.join("\n"));
    assert!(ran > 600, "{ran} cases");
}
