//! The cases that were written by hand, against the native backend.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use distil_testkit::subject_native::{NativeSubject, SpillingSubject};
use distil_testkit::suite::{Stretch, Subject, cases, check_over, conformance, groups};

/// Runs the cases of a group; with `DISTIL_CASE` only those whose name contains its text.
fn passes(group: &str) {
    let only = std::env::var("DISTIL_CASE").unwrap_or_default();
    let (_, cases) = groups().into_iter().find(|(name, _)| *name == group).unwrap();
    if let Err(problems) = conformance(&cases, &NativeSubject, &only) {
        panic!("{problems}");
    }
}

macro_rules! groups_pass {
    ($($test:ident $group:literal)*) => {
        $(#[test] fn $test() { passes($group); })*

        #[test]
        fn every_group_is_run_and_every_name_is_its_own() {
            let run = [$($group),*];
            assert!(groups().iter().all(|(name, _)| run.contains(name)));
            let all = cases();
            let names: BTreeSet<&str> = all.iter().map(|case| case.name.as_str()).collect();
            assert_eq!(names.len(), all.len());
        }
    };
}

groups_pass! {
    the_right_records_survive "survivors"
    every_column_has_its_inferred_type "types"
    every_value_becomes_its_declared_type "declared"
    every_other_spelling_is_read_exactly "respelled"
    every_shape_is_framed "frames"
    records_are_found_within_values "paths"
    directories_give_columns "hive"
    records_say_where_they_lie "places"
    every_bad_record_is_set_aside "bad"
    what_a_plan_names_is_mended "repairs"
    names_and_texts_are_kept "names"
    outputs_are_laid_out_as_planned "output"
    what_went_wrong_elsewhere_is_right_here "peers"
    extremes_are_told_or_kept "extremes"
}

/// Without it the stretches over memory would judge nothing.
#[test]
fn the_least_memory_makes_the_largest_case_spill() {
    let all = cases();
    let case = all.iter().find(|case| case.name == "more_rows_than_the_memory_holds").unwrap();
    let stretch = Stretch { threads: 4, memory: Some(0), ..Stretch::plain() };
    let output = NativeSubject.run(&case.files, &case.plan, &stretch).unwrap();
    assert!(output.report.resources.spilled_bytes > 0);
}

/// Every case once more, with nearly all rows on disk: what is spilled comes back as it was. Large cases
/// would spill thousands of times, and say no more.
#[test]
fn every_small_case_comes_out_the_same_when_its_rows_are_spilled() {
    let subject = SpillingSubject { row_bytes: 200 };
    let stretch = Stretch { threads: 2, ..Stretch::plain() };
    let problems: Vec<String> = cases()
        .iter()
        .filter(|case| case.files.iter().map(|(_, content)| content.len()).sum::<usize>() < 2_000)
        .filter_map(|case| check_over(case, &subject, std::slice::from_ref(&stretch)).err())
        .collect();
    assert!(problems.is_empty(), "{} cases fail\n{}", problems.len(), problems.join("\n"));
}
