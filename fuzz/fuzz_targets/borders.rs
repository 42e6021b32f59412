//! Where reads end, and how many threads there are, changes nothing: not a row, not a byte, not a count.
#![no_main]

use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Stretch, case, check_over};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [chunk, threads, content @ ..] = data else { return };
    let case = case("borders").file("a.json", content).key("*");
    let small = Stretch {
        read_chunk: 1 + usize::from(*chunk) % 100,
        threads: 1 + usize::from(*threads) % 4,
        ..Stretch::plain()
    };
    let one = Stretch { read_chunk: 1, ..Stretch::plain() };
    if let Err(problem) = check_over(&case, &NativeSubject, &[Stretch::plain(), small, one]) {
        panic!("{problem}");
    }
});
