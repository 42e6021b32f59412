//! Numbers, timestamps, dates, base64: declared and inferred columns of them against the oracle's parsers.
#![no_main]

use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Stretch, case, check_over};
use libfuzzer_sys::fuzz_target;

const TYPES: [&str; 16] = [
    "",
    "int8",
    "int32",
    "int64",
    "decimal(5,2)",
    "decimal(38,10)",
    "float32",
    "float64",
    "timestamp(ms)",
    "timestamp(us)",
    "timestamp(ns)",
    "epoch(s)",
    "epoch(ns)",
    "date",
    "binary",
    "json",
];

fuzz_target!(|data: &[u8]| {
    let Some((&first, texts)) = data.split_first() else { return };
    let declared = TYPES[usize::from(first) % TYPES.len()];
    let is_text = ["timestamp", "date", "binary"].iter().any(|name| declared.starts_with(name));
    let mut content = b"{\"c\":null,\"at\":0}\n".to_vec();
    for text in texts.split(|byte| *byte == b'\n').take(8) {
        content.extend_from_slice(if is_text { b"{\"c\":\"" } else { b"{\"c\":" });
        content.extend_from_slice(text);
        content.extend_from_slice(if is_text { b"\",\"at\":1}\n" } else { b",\"at\":1}\n" });
    }
    let case = case("values").file("a.json", content).shape("lines").key("at").dropped();
    let case = if declared.is_empty() { case } else { case.hint("c", declared) };
    if let Err(problem) = check_over(&case, &NativeSubject, &[Stretch::plain()]) {
        panic!("{problem}");
    }
});
