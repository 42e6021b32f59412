//! The cases that were written by hand, against the native backend.

use distil_testkit::subject_native::NativeSubject;
use distil_testkit::suite::{Subject, cases, check};

/// Only cases whose name contains `DISTIL_CASE` run, if it is set.
#[test]
fn the_native_backend_passes_every_case() {
    let subject = NativeSubject;
    let only = std::env::var("DISTIL_CASE").unwrap_or_default();
    let marks = subject.marks();
    let all = cases();
    let mut names: Vec<&str> = all.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names.windows(2).find(|pair| pair[0] == pair[1]), None, "two cases of one name");
    let mut failed = Vec::new();
    let mut ran = 0;
    for case in all.iter().filter(|case| case.name.contains(&only)) {
        ran += 1;
        let result = check(case, &subject);
        match (result, marks.iter().find(|mark| mark.case == case.name)) {
            (Ok(()), Some(mark)) => {
                failed.push(format!("{} passes, but is marked: {}", mark.case, mark.reason));
            }
            (Err(problems), None) => failed.push(problems),
            _ => {}
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {ran} cases failed:\n\n{}\n",
        failed.len(),
        failed.join("\n")
    );
}
