//! The scoreboard says what is tested, and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and looks at the sources as they are"
)]

use std::path::{Path, PathBuf};

use distil_testkit::documentation::check;
use distil_testkit::reliability::{Count, INPUTS, PROMISES, TARGETS, scoreboard};
use distil_testkit::suite::{cases, groups};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn root() -> PathBuf {
    crates().parent().unwrap().to_owned()
}

/// The text of a test binary: one file, or all files of its folder.
fn source(place: &str, binary: &str) -> String {
    let tests = crates().join(place).join("tests");
    let Ok(folder) = std::fs::read_dir(tests.join(binary)) else {
        return std::fs::read_to_string(tests.join(format!("{binary}.rs"))).unwrap();
    };
    folder.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

#[test]
fn every_test_of_the_scoreboard_exists() {
    for fault in PROMISES.iter().flat_map(|promise| promise.faults) {
        let text = source(fault.place, fault.binary);
        let is_there =
            text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == fault.test);
        assert!(is_there, "{} has no test {}", fault.binary, fault.test);
        if let Count::Cases(group) = fault.count {
            assert!(groups().iter().any(|(name, _)| *name == group), "there is no group {group}");
        }
    }
}

/// All text of the sources below a folder.
fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.extension().and_then(|ending| ending.to_str()) {
            _ if path.is_dir() => sources(&path),
            Some("rs") => std::fs::read_to_string(&path).unwrap(),
            _ => String::new(),
        })
        .collect()
}

/// In `docs/security.md` a test stands as `crate: name`; more of the same crate follow without it.
#[test]
fn every_test_that_the_page_on_security_names_exists() {
    let page = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let (mut named, mut text) = (0, String::new());
    for quoted in page.split('`').skip(1).step_by(2) {
        let name = match quoted.split_once(": ") {
            Some((place, name)) if crates().join(place).is_dir() => {
                text = sources(&crates().join(place));
                name
            }
            _ => quoted,
        };
        // Names of tests are sentences; those of variables are in capitals.
        if name.matches('_').count() > 3 && !name.contains(char::is_uppercase) {
            assert!(text.contains(&format!("fn {name}(")), "there is no test {name}");
            named += 1;
        }
    }
    assert!(named > 15, "{named}");
}

#[test]
fn every_rule_of_the_semantics_is_tried() {
    let semantics = root().join("docs/semantics.md");
    let semantics = std::fs::read_to_string(semantics).unwrap();
    let (_, table) = semantics.split_once("| rule | held by |").unwrap();
    let tried: Vec<&str> = PROMISES.iter().flat_map(|promise| promise.rules).copied().collect();
    let mut stated = 0;
    for row in table.lines().filter_map(|line| line.strip_prefix("| ")) {
        for rule in row.split([' ', ',']).take_while(|word| !word.contains(char::is_alphabetic)) {
            assert!(rule.is_empty() || tried.contains(&rule), "nothing is tried against {rule}");
            stated += usize::from(!rule.is_empty());
        }
    }
    assert_eq!(stated, tried.len());
}

#[test]
fn every_hostile_input_has_its_case() {
    let cases = cases();
    for (input, name) in INPUTS {
        assert!(cases.iter().any(|case| case.name == *name), "{input}: there is no case {name}");
    }
}

#[test]
fn every_fuzz_target_is_there_and_told_of() {
    let targets = std::fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap();
    let mut found: Vec<String> = targets
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut told: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    found.sort();
    told.sort_unstable();
    assert_eq!(found, told);
}

#[test]
fn the_scoreboard_is_up_to_date() {
    let document = root().join("docs/reliability.md");
    if let Err(problem) = check(&document, "scoreboard", &scoreboard()) {
        panic!("{problem}");
    }
}
