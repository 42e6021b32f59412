//! Rows that go to disk and come back, by ranges of their keys, are the rows that never left memory.
#![no_main]

use distil_testkit::subject_native::SpillingSubject;
use distil_testkit::suite::{Stretch, case, check_over};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [how, rows, content @ ..] = data else { return };
    let case = case("spill").file("a.json", content).shape("lines");
    let case = match how % 4 {
        0 => case.key("k").null_keys().dropped(),
        1 => case.key("k").order("v desc"),
        2 => case.key("k,v").null_keys(),
        _ => case.key("*"),
    };
    let subject = SpillingSubject { row_bytes: 20 + u64::from(*rows) * 4 };
    let stretch = Stretch { threads: 1 + usize::from(how >> 6), ..Stretch::plain() };
    if let Err(problem) = check_over(&case, &subject, &[stretch]) {
        panic!("{problem}");
    }
});
