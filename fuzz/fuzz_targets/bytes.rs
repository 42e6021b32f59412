//! Any bytes as a file: what the reader makes of them is what the oracle makes of them.
#![no_main]

use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Stretch, case, check_over};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&first, content)) = data.split_first() else { return };
    let shape = ["auto", "lines", "array", "concatenated", "/records"][usize::from(first) % 5];
    let case = case("bytes").file("a.json", content).file("b.json", "{\"k\":0}\n").shape(shape);
    let case = if first & 0x80 == 0 { case.key("*") } else { case.key("k").null_keys() };
    if let Err(problem) = check_over(&case, &NativeSubject, &[Stretch::plain()]) {
        panic!("{problem}");
    }
});
