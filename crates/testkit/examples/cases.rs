//! Writes the suite as files, for faces in other languages: `cases DIRECTORY [GENERATED]`, with as many generated cases
//! besides.
//!
//! Each case is a directory: its files in `in`, `plan.json`, and what the native engine makes of them in memory:
//! `expected.parquet`, or `expected.json` with the code and the first line of the error.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a tool for tests, which writes where it is told to"
)]

use std::path::Path;

use distil_testkit::generate::scenarios;
use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Case, Stretch, Subject, cases};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Larger cases say the same of a face, and fill the disk.
const LARGEST: usize = 1 << 20;

fn main() {
    let root = std::env::args().nth(1).expect("the directory of the cases");
    let size = |case: &Case| case.files.iter().map(|(_, content)| content.len()).sum::<usize>();
    for case in cases().iter().filter(|case| size(case) < LARGEST) {
        write(case, &Path::new(&root).join(&case.name));
    }
    let generated = std::env::args().nth(2).map_or(0, |count| count.parse().expect("a number"));
    // The same ones every time.
    let mut runner = TestRunner::deterministic();
    for at in 0..generated {
        let (case, _) = scenarios().new_tree(&mut runner).unwrap().current();
        write(&case, &Path::new(&root).join(format!("generated-{at:04}")));
    }
}

fn write(case: &Case, directory: &Path) {
    for (name, content) in case.placed() {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    std::fs::create_dir_all(directory.join("in")).unwrap();
    std::fs::write(directory.join("plan.json"), serde_json::to_vec(&case.plan).unwrap()).unwrap();
    match NativeSubject.run(&case.files, &case.plan, &Stretch::plain()) {
        // Of a directory, the files one after another.
        Ok(output) => {
            let parts: Vec<u8> =
                output.files.into_iter().flat_map(|(_, content)| content).collect();
            std::fs::write(directory.join("expected.parquet"), parts).unwrap();
        }
        Err(error) => {
            let told = serde_json::json!({"code": error.code, "what": error.what});
            std::fs::write(directory.join("expected.json"), told.to_string()).unwrap();
        }
    }
}
