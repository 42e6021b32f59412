//! Whole runs over generated files and plans, the seed of the generator taken from the fuzzer: choices
//! that run out would let the generator look for others for ever.
#![no_main]

use distil_testkit::generate::scenarios;
use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::check_over;
use libfuzzer_sys::fuzz_target;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fuzz_target!(|data: &[u8]| {
    let mut seed = [0; 32];
    seed.iter_mut().zip(data).for_each(|(to, from)| *to = *from);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let Ok(tree) = scenarios().new_tree(&mut runner) else { return };
    let (case, stretches) = tree.current();
    if let Err(problem) = check_over(&case, &NativeSubject, &stretches[..2]) {
        panic!("{problem}");
    }
});
