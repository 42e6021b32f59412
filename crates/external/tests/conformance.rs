//! The conformance suite on the pandas backend, against the oracle.
//!
//! `DISTIL_CASES` is how many cases are generated (1,000); `DISTIL_CASE` picks hand-written ones by a
//! part of their name.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::cell::Cell;

use distil_testkit::generate::scenarios;
use distil_testkit::subject_local::LocalSubject;
use distil_testkit::suite::{Judged, PANDAS, Stretch, cases, conformance, judge};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

fn subject() -> LocalSubject {
    LocalSubject::new(PANDAS, Box::new(support::pandas()))
}

#[test]
fn the_cases_written_by_hand_come_out_exactly_or_are_refused() {
    let only = std::env::var("DISTIL_CASE").unwrap_or_default();
    match conformance(&cases(), &subject(), &only) {
        Ok(exact) => assert!(exact > 100 || !only.is_empty(), "only {exact} cases were compared"),
        Err(problems) => panic!("{problems}"),
    }
}

#[test]
fn generated_cases_come_out_exactly_or_are_refused() {
    // A process and a disk are slow: the long sweeps stop at five thousand.
    let cases = std::env::var("DISTIL_CASES").map_or(1000, |text| text.parse().unwrap()).min(5000);
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]);
    let subject = subject();
    let exact = Cell::new(0u32);
    let result = TestRunner::new_with_rng(config, rng).run(&scenarios(), |(case, _)| {
        let judged = judge(&case, &subject, &[Stretch::plain()]).map_err(TestCaseError::fail)?;
        exact.set(exact.get() + u32::from(judged == Judged::Exact));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(exact.get() * 5 > cases, "only {} of {cases} cases were compared", exact.get());
}
