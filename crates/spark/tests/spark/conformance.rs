//! The conformance suite on both servers, against the oracle.
//!
//! Input with bad records must be refused, naming them; what Spark can't do must be refused by name;
//! everything else must be exact. `DISTIL_CASES` raises the number of generated cases, `DISTIL_CASE`
//! picks hand-written ones by a part of their name.

#![allow(clippy::print_stdout, reason = "tells how many cases ran and were refused")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use distil_plan::Fault;
use distil_testkit::generate::scenarios;
use distil_testkit::oracle;
use distil_testkit::subject_local::LocalSubject;
use distil_testkit::suite::{Case, Configuration, Files, Stretch, Subject, cases, check_over};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::servers::{backend, shared};

/// What the backend says when it refuses a plan.
const REFUSES: &str = "the backend spark can't do what the plan asks for: ";

/// Refusals are told apart by what they say: they depend on the server, too.
fn subject(url: &str) -> LocalSubject {
    LocalSubject::new(Configuration { name: "spark", marks: &[] }, Box::new(backend(url)))
}

enum Judged {
    Exact,
    /// Bad records, told.
    Bad,
    /// By these names.
    Refused(String),
}

/// Checks a case, or that it is refused as it must be.
fn judge(case: &Case, subject: &LocalSubject) -> Result<Judged, String> {
    let placed: Files = case.files.iter().map(|(n, c)| (format!("in/{n}"), c.clone())).collect();
    let outcome = oracle::run(&case.plan, &placed);
    if outcome.as_ref().is_ok_and(|outcome| !outcome.bad.is_empty()) {
        return match subject.run(&case.files, &case.plan, &Stretch::plain()) {
            Err(error)
                if error.fault == Fault::Input && error.what.contains("every record is valid") =>
            {
                Ok(Judged::Bad)
            }
            Err(error) => Err(format!("{}: bad records are told as {error}", case.name)),
            Ok(_) => Err(format!("{}: bad records are not told", case.name)),
        };
    }
    let Err(problem) = check_over(case, subject, &[Stretch::plain()]) else {
        return Ok(Judged::Exact);
    };
    match problem.split_once(REFUSES) {
        Some((before, names)) if before.contains("Usage") => {
            Ok(Judged::Refused(names.lines().next().unwrap_or_default().to_owned()))
        }
        _ => Err(problem),
    }
}

/// How often each name was given as the reason of a refusal.
fn tally(refusals: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in refusals {
        *counts.entry(name).or_default() += 1;
    }
    counts.iter().map(|(name, count)| format!("  {count} {name}\n")).collect()
}

fn by_hand(server: &'static str, least: usize) {
    let Some(url) = shared(server) else { return };
    let only = std::env::var("DISTIL_CASE").unwrap_or_default();
    let subject = subject(url);
    let (mut exact, mut problems, mut refusals) = (0, Vec::new(), Vec::new());
    for case in cases().iter().filter(|case| case.name.contains(&only)) {
        match judge(case, &subject) {
            Ok(Judged::Exact) => exact += 1,
            Ok(Judged::Bad) => {}
            Ok(Judged::Refused(names)) => refusals.push(names),
            Err(problem) => problems.push(problem),
        }
    }
    println!("{server}: {exact} exact, {} refused:\n{}", refusals.len(), tally(&refusals));
    let count = problems.len();
    assert!(problems.is_empty(), "{}\n{count} cases fail on {server}", problems.join("\n"));
    assert!(exact >= least || !only.is_empty(), "only {exact} cases were compared on {server}");
}

fn generated(server: &'static str, usual: u32, seed: u8) {
    let Some(url) = shared(server) else { return };
    // A server and a disk are slow: the long sweeps stop at a thousand.
    let cases = std::env::var("DISTIL_CASES").map_or(usual, |text| text.parse().unwrap()).min(1000);
    let cases = cases.max(usual);
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let subject = subject(url);
    let (exact, refusals) = (Cell::new(0u32), RefCell::new(Vec::new()));
    let result = TestRunner::new_with_rng(config, rng).run(&scenarios(), |(case, _)| {
        match judge(&case, &subject).map_err(TestCaseError::fail)? {
            Judged::Exact => exact.set(exact.get() + 1),
            Judged::Bad => {}
            Judged::Refused(names) => refusals.borrow_mut().push(names),
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("on {server}: {error}");
    }
    let (exact, refusals) = (exact.get(), refusals.into_inner());
    println!(
        "{server}: {exact} of {cases} exact, {} refused:\n{}",
        refusals.len(),
        tally(&refusals)
    );
    assert!(exact * 5 > cases, "only {exact} of {cases} cases were compared on {server}");
}

#[test]
fn the_cases_written_by_hand_come_out_exactly_or_are_refused_on_sail() {
    by_hand("sail", 60);
}

#[test]
fn the_cases_written_by_hand_come_out_exactly_or_are_refused_on_spark() {
    by_hand("spark", 60);
}

#[test]
fn generated_cases_come_out_exactly_or_are_refused_on_sail() {
    generated("sail", 200, 6);
}

#[test]
fn generated_cases_come_out_exactly_or_are_refused_on_spark() {
    generated("spark", 50, 7);
}
