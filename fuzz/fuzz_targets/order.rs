//! The encoding whose bytes order as values do, against the oracle's slow comparison: lines are records
//! of one key and order, in either direction, and the survivor must be the right one.
#![no_main]

use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Stretch, case, check_over};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&first, texts)) = data.split_first() else { return };
    let mut content = Vec::new();
    for (at, text) in texts.split(|byte| *byte == b'\n').take(8).enumerate() {
        content.extend_from_slice(format!("{{\"k\":{},\"v\":", at % 2).as_bytes());
        content.extend_from_slice(text);
        content.extend_from_slice(b"}\n");
    }
    let case = case("order").file("a.json", content).shape("lines");
    let case = match first % 5 {
        0 => case.key("k"),
        1 => case.key("k").keep_last(),
        2 => case.key("k").order("v desc").dropped(),
        3 => case.key("v").null_keys(),
        _ => case.key("*"),
    };
    if let Err(problem) = check_over(&case, &NativeSubject, &[Stretch::plain()]) {
        panic!("{problem}");
    }
});
