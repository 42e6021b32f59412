//! The tasks of a cluster give what one process gives, whatever became of attempts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::cell::Cell;

use distil_plan::Code;
use distil_testkit::generate::scenarios;
use distil_testkit::subject_distributed::DistributedSubject;
use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Case, Stretch, Subject, cases};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// What one process and tasks say of a case, where it differs; nothing if the plan is refused.
fn difference(case: &Case) -> Option<Result<(), String>> {
    let stretch = Stretch { threads: 3, ..Stretch::plain() };
    let native = NativeSubject.run(&case.files, &case.plan, &Stretch::plain());
    match (native, DistributedSubject.run(&case.files, &case.plan, &stretch)) {
        (_, Err(error)) if error.code == Code::Refused => None,
        (Ok(native), Ok(ours)) => {
            let same = native.files == ours.files
                && native.beside == ours.beside
                && native.report.records == ours.report.records
                && native.report.conflicts == ours.report.conflicts
                && native.report.inputs == ours.report.inputs
                && native.report.warnings == ours.report.warnings
                && native.report.set_aside == ours.report.set_aside;
            Some(if same { Ok(()) } else { Err("differs from the native engine".to_owned()) })
        }
        (Err(native), Err(ours)) if format!("{native:#}") == format!("{ours:#}") => Some(Ok(())),
        // Which ones were too many depends on who was met first.
        (Err(native), Err(ours))
            if native.code == Code::TooManyBadRecords && ours.code == native.code =>
        {
            Some(Ok(()))
        }
        (native, ours) => Some(Err(format!(
            "{:?} and {:?}",
            native.map(|output| output.report.records).map_err(|error| format!("{error:#}")),
            ours.map(|output| output.report.records).map_err(|error| format!("{error:#}"))
        ))),
    }
}

#[test]
fn the_suite_passes_on_tasks() {
    let found: Vec<_> =
        cases().iter().filter_map(|case| Some((case.name.clone(), difference(case)?))).collect();
    let ran = found.len();
    let told =
        found.into_iter().filter_map(|(name, found)| Some(format!("{name}: {}", found.err()?)));
    let problems: Vec<String> = told.collect();
    assert!(problems.is_empty(), "{} of {ran} cases fail\n{}", problems.len(), problems.join("\n"));
    assert!(ran > 600, "{ran} cases");
}

#[test]
fn generated_cases_pass_on_tasks() {
    let number = |text: String| text.parse().expect("a number");
    let cases = std::env::var("DISTIL_CASES").map_or(300, number);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let ran = Cell::new(0);
    let result = runner.run(&scenarios(), |(case, _)| {
        ran.set(ran.get() + 1);
        difference(&case).unwrap_or(Ok(())).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(ran.get() >= cases);
}
