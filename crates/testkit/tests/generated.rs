//! Generated cases against the native backend and the oracle.
//!
//! `DISTIL_CASES` is how many (1,000); `DISTIL_SEED` another seed than the one that CI always takes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::cell::Cell;

use distil_testkit::generate::{scenarios, twins};
use distil_testkit::oracle;
use distil_testkit::reliability::GENERATED;
use distil_testkit::subject_native::{NativeSubject, SpillingSubject};
use distil_testkit::suite::{Expect, Stretch, check_over};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

fn runner() -> TestRunner {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let cases = u32::try_from(number("DISTIL_CASES", GENERATED)).unwrap();
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 1_500, ..Config::default() };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("DISTIL_SEED", 1).to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

#[test]
fn the_native_backend_equals_the_oracle_under_every_stretch() {
    let mut runner = runner();
    let (ran, failed) = (Cell::new(0u32), Cell::new(0u32));
    let result = runner.run(&scenarios(), |(case, stretches)| {
        ran.set(ran.get() + 1);
        failed.set(failed.get() + u32::from(oracle::run(&case.plan, &case.files).is_err()));
        check_over(&case, &NativeSubject, &stretches).map_err(TestCaseError::fail)?;
        // Once more with nearly all rows on disk.
        let spilling = SpillingSubject { row_bytes: 150 };
        check_over(&case, &spilling, &stretches[1..2]).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    // A generator whose runs mostly fail would judge nothing.
    assert!(failed.get() * 2 < ran.get(), "{} of {} cases are failures", failed.get(), ran.get());
}

#[test]
fn spelling_shapes_and_files_change_no_byte() {
    let mut runner = runner();
    let compared = Cell::new(0u32);
    let result = runner.run(&twins(), |(mut case, other)| {
        let outcome = |case: &distil_testkit::suite::Case| oracle::run(&case.plan, &case.files);
        let (Ok(one), Ok(two)) = (outcome(&case), outcome(&other)) else { return Ok(()) };
        if one.schema != two.schema || !one.bad.is_empty() || !two.bad.is_empty() {
            return Ok(());
        }
        compared.set(compared.get() + 1);
        case.expect.push(Expect::SameBytes(other.files));
        check_over(&case, &NativeSubject, &[Stretch::plain()]).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(compared.get() > 10, "only {} pairs were compared", compared.get());
}
