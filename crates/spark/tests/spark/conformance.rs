//! The conformance suite on both servers, against the oracle.
//!
//! Whatever is marked must be refused, and everything else must be exact. `DISTIL_CASES` raises the
//! number of generated cases, `DISTIL_CASE` picks hand-written ones by a part of their name.

use std::cell::Cell;

use distil_testkit::generate::scenarios;
use distil_testkit::subject_local::LocalSubject;
use distil_testkit::suite::{
    Configuration, Judged, SAIL, SPARK, Stretch, cases, conformance, judge,
};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::servers::{backend, shared};

/// The backend on the server of this configuration, where it can run.
fn subject(server: Configuration) -> Option<LocalSubject> {
    shared(server.name).map(|url| LocalSubject::new(server, Box::new(backend(url))))
}

fn by_hand(server: Configuration) {
    let Some(subject) = subject(server) else { return };
    let only = std::env::var("DISTIL_CASE").unwrap_or_default();
    match conformance(&cases(), &subject, &only) {
        Ok(exact) => assert!(exact > 100 || !only.is_empty(), "only {exact} cases were compared"),
        Err(problems) => panic!("on {}: {problems}", server.name),
    }
}

fn generated(server: Configuration, usual: u32, seed: u8) {
    let Some(subject) = subject(server) else { return };
    // A server and a disk are slow: the long sweeps stop at a thousand.
    let cases = std::env::var("DISTIL_CASES").map_or(usual, |text| text.parse().unwrap()).min(1000);
    let wanted = cases.max(usual);
    // Most are refused for bad records, which takes no time: so many are tried until enough are compared.
    let config = Config {
        cases: wanted * 20,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let exact = Cell::new(0u32);
    let result = TestRunner::new_with_rng(config, rng).run(&scenarios(), |(case, _)| {
        if exact.get() >= wanted {
            return Ok(());
        }
        let judged = judge(&case, &subject, &[Stretch::plain()]).map_err(TestCaseError::fail)?;
        exact.set(exact.get() + u32::from(judged == Judged::Exact));
        Ok(())
    });
    if let Err(error) = result {
        panic!("on {}: {error}", server.name);
    }
    assert!(exact.get() >= wanted, "only {} of {wanted} cases were compared", exact.get());
}

#[test]
fn the_cases_written_by_hand_come_out_exactly_or_are_refused_on_sail() {
    by_hand(SAIL);
}

#[test]
fn the_cases_written_by_hand_come_out_exactly_or_are_refused_on_spark() {
    by_hand(SPARK);
}

#[test]
fn generated_cases_come_out_exactly_or_are_refused_on_sail() {
    generated(SAIL, 200, 6);
}

#[test]
fn generated_cases_come_out_exactly_or_are_refused_on_spark() {
    generated(SPARK, 50, 7);
}
