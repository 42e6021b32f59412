//! The conformance suite on the pandas backend, against the oracle.
//!
//! Input with bad records must be refused, naming them; everything else must be exact. `DISTIL_CASES`
//! is how many cases are generated (100); `DISTIL_CASE` picks hand-written ones by a part of their name.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::cell::Cell;
use std::path::Path;

use distil_external::External;
use distil_plan::{Error, Fault, Layout, Plan};
use distil_testkit::generate::scenarios;
use distil_testkit::oracle;
use distil_testkit::subject_native::quarantine_lines;
use distil_testkit::suite::{
    Case, Files, Output, Stretch, Subject, cases, check_over, read_parquet,
};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use support::{Folder, pandas, run_on};

struct PandasSubject(External);

impl Subject for PandasSubject {
    fn name(&self) -> &str {
        "pandas"
    }

    fn run(&self, files: &Files, plan: &Plan, _: &Stretch) -> Result<Output, Box<Error>> {
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let folder = Folder::new(&files);
        let here = |path: &String| folder.text(path);
        let mut plan = plan.clone();
        plan.sources = vec![folder.text("in")];
        plan.sink.path = here(&plan.sink.path);
        plan.quarantine.path = plan.quarantine.path.as_ref().map(here);
        plan.dropped = plan.dropped.as_ref().map(here);
        let (mut report, result) = run_on(&plan, &self.0);
        if let Err(mut error) = result {
            assert_eq!(folder.names(), Vec::<String>::new(), "a failed run left something behind");
            if let Some(place) = &mut error.place {
                place.path = self.shown(&folder, &place.path);
            }
            return Err(Box::new(error));
        }
        for input in &mut report.inputs {
            input.path = self.shown(&folder, &input.path);
        }
        let output = Path::new(&plan.sink.path);
        let mut outputs = Files::new();
        match plan.sink.layout {
            Layout::File => outputs.push(("output".to_owned(), content(output))),
            Layout::Dir => {
                let names = std::fs::read_dir(output).unwrap();
                let mut names: Vec<String> =
                    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
                names.retain(|name| !name.starts_with(['.', '_']));
                names.sort();
                for name in names {
                    let content = content(&output.join(&name));
                    outputs.push((name, content));
                }
            }
        }
        let beside = |path: &Option<String>| path.as_deref().map(|path| content(Path::new(path)));
        let (quarantine, dropped) = (beside(&plan.quarantine.path), beside(&plan.dropped));
        Ok(Output {
            table: read_parquet(outputs.iter().map(|(_, content)| content.as_slice())),
            dropped: dropped.as_ref().map(|content| read_parquet([content.as_slice()])),
            quarantine: quarantine_lines(&quarantine.unwrap_or_default()),
            report,
            files: outputs,
            beside: dropped.into_iter().map(|content| ("dropped".to_owned(), content)).collect(),
        })
    }
}

impl PandasSubject {
    /// The path as the suite knows it.
    fn shown(&self, folder: &Folder, path: &str) -> String {
        path.strip_prefix(&folder.text("")).unwrap_or(path).to_owned()
    }
}

#[allow(clippy::disallowed_methods, reason = "what is there is read past the storage")]
fn content(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[derive(PartialEq)]
enum Judged {
    Exact,
    Refused,
}

/// Checks a case, or that it is refused as it must be.
fn judge(case: &Case, subject: &PandasSubject) -> Result<Judged, String> {
    let placed: Files = case.files.iter().map(|(n, c)| (format!("in/{n}"), c.clone())).collect();
    let outcome = oracle::run(&case.plan, &placed);
    let is_bad = outcome.as_ref().is_ok_and(|outcome| !outcome.bad.is_empty());
    let is_beyond = case.plan.sink.max_file_bytes.is_some();
    if !is_bad && !is_beyond {
        return check_over(case, subject, &[Stretch::plain()]).map(|()| Judged::Exact);
    }
    // The scan says what is bad; what it should miss, the backend's own reading refuses.
    let (fault, says) = match is_bad {
        true => (Fault::Input, ["every record is valid", "is not declared"]),
        false => (Fault::Usage, ["max_file_bytes"; 2]),
    };
    match subject.run(&case.files, &case.plan, &Stretch::plain()) {
        Err(error) if error.fault == fault && says.iter().any(|text| error.what.contains(text)) => {
            Ok(Judged::Refused)
        }
        // Which of two faults is told first is open.
        Err(_) if outcome.is_err() => Ok(Judged::Refused),
        Err(error) => Err(format!("{}: should be refused, said: {error}", case.name)),
        Ok(_) => Err(format!("{}: should be refused", case.name)),
    }
}

#[test]
fn the_cases_written_by_hand_come_out_exactly_or_are_refused() {
    let only = std::env::var("DISTIL_CASE").unwrap_or_default();
    let subject = PandasSubject(pandas());
    let (mut exact, mut problems) = (0, Vec::new());
    for case in cases().iter().filter(|case| case.name.contains(&only)) {
        match judge(case, &subject) {
            Ok(judged) => exact += usize::from(judged == Judged::Exact),
            Err(problem) => problems.push(problem),
        }
    }
    let count = problems.len();
    assert!(problems.is_empty(), "{}\n{count} cases fail", problems.join("\n"));
    assert!(exact > 100 || !only.is_empty(), "only {exact} cases were compared");
}

#[test]
fn generated_cases_come_out_exactly_or_are_refused() {
    // A process and a disk are slow: the long sweeps stop at a thousand.
    let cases = std::env::var("DISTIL_CASES").map_or(100, |text| text.parse().unwrap()).min(1000);
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]);
    let subject = PandasSubject(pandas());
    let exact = Cell::new(0u32);
    let result = TestRunner::new_with_rng(config, rng).run(&scenarios(), |(case, _)| {
        let judged = judge(&case, &subject).map_err(TestCaseError::fail)?;
        exact.set(exact.get() + u32::from(judged == Judged::Exact));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(exact.get() * 4 > cases, "only {} of {cases} cases were compared", exact.get());
}
