//! Runs a case against the oracle.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use distil_plan::{Error, Need};

use super::backends::NEEDS;
use super::case::{Case, Expect, placed};
use super::compare::{differences, outcome_rows, outcome_types};
use super::mark::Mark;
use super::needs::needs;
use super::subject::{Files, Output, Stretch, Subject};
use crate::oracle::{self, Failure, Outcome};

/// How a case came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Exactly as it must.
    Exact,
    /// It asks for something that the subject is marked not to do, and was refused.
    Refused,
}

/// Checks cases whose names contain `only`, and returns how many came out exactly. A mark that no case
/// is refused for is no mark, and what the subject says that it supports must be what is marked.
///
/// # Errors
/// Everything that differs, case by case.
pub fn conformance(cases: &[Case], subject: &dyn Subject, only: &str) -> Result<usize, String> {
    let (mut exact, mut failed) = (0, contradictions(subject));
    let mut idle: Vec<_> = subject.marks().iter().map(|mark| mark.need).collect();
    for case in cases.iter().filter(|case| case.name.contains(only)) {
        let bytes = case.files.iter().map(|(_, content)| content.len()).sum();
        match judge(case, subject, &subject.stretches(bytes, case.files.len())) {
            Ok(Judged::Exact) => exact += 1,
            Ok(Judged::Refused) => {
                let asked = needs(case, &expected(case, &case.files));
                idle.retain(|need| !asked.iter().any(|one| one.includes(need)));
            }
            Err(problems) => failed.push(problems),
        }
    }
    if only.is_empty() && !idle.is_empty() {
        failed.push(format!("no case is refused for the marks {idle:?}"));
    }
    let head = format!("{} of {} cases failed:", failed.len(), cases.len());
    if failed.is_empty() { Ok(exact) } else { Err(format!("{head}\n\n{}", failed.join("\n"))) }
}

/// Where the subject's own answers are not those of its marks.
fn contradictions(subject: &dyn Subject) -> Vec<String> {
    let problem = |need: &Need| {
        let marked = subject.marks().iter().find(|mark| mark.need == *need);
        let marked = marked.map_or("yes", |mark| mark.support.name());
        match subject.supports(need) {
            Ok(says) if says.name() == marked => None,
            Ok(says) => Some(format!("{need:?} is marked {marked}, but it says {says:?}")),
            Err(error) => Some(format!("{need:?}: {}", text(&error))),
        }
    };
    NEEDS.iter().filter_map(problem).collect()
}

/// Checks a case over these stretches, or that it is refused as the marks of the subject say.
///
/// # Errors
/// Everything that differs, for people.
pub fn judge(case: &Case, subject: &dyn Subject, stretches: &[Stretch]) -> Result<Judged, String> {
    let outcome = expected(case, &case.files);
    let asked = needs(case, &outcome);
    // Of a run that fails nobody knows all that it asks for, and which of two faults is told first is
    // open.
    let is_asked =
        |mark: &&Mark| outcome.is_err() || asked.iter().any(|need| need.includes(&mark.need));
    let marks: Vec<&Mark> = subject.marks().iter().filter(is_asked).collect();
    if marks.is_empty() {
        return check_over(case, subject, stretches).map(|()| Judged::Exact);
    }
    let is_refusal = |error: &Error| {
        marks.iter().any(|mark| error.fault == mark.fault() && error.is_refusal_of(&mark.need))
    };
    let needs: Vec<_> = marks.iter().map(|mark| mark.need).collect();
    match subject.run(&case.files, &case.plan, &Stretch::plain()) {
        Err(error) if is_refusal(&error) => Ok(Judged::Refused),
        _ if outcome.is_err() => check_over(case, subject, stretches).map(|()| Judged::Exact),
        Err(error) => {
            Err(format!("{}: should be refused for {needs:?}: {}", case.name, text(&error)))
        }
        Ok(_) => Err(format!("{}: runs, but {needs:?} is marked", case.name)),
    }
}

/// Checks a case over these stretches.
///
/// # Errors
/// Everything that differs, for people.
pub fn check_over(case: &Case, subject: &dyn Subject, stretches: &[Stretch]) -> Result<(), String> {
    let expected = expected(case, &case.files);
    let mut problems = by_hand(case, &expected);
    let mut first: Option<Output> = None;
    for stretch in stretches {
        let files = renamed(&case.files, stretch.rotate_names);
        let now = match stretch.rotate_names {
            0 => expected.clone(),
            _ => self::expected(case, &files),
        };
        let (output, mut found) = judged(case, subject, &files, stretch, &now);
        if let (Some(output), Some(first)) = (&output, &first) {
            let same_columns = output.table.columns == first.table.columns;
            // Where the names of files are data, others make another result.
            let names_matter = case.plan.hive || case.plan.origin;
            let is_same = same_columns && (stretch.rotate_names == 0 || !names_matter);
            if is_same && output.files != first.files {
                found.push("the bytes of the output differ from those of the first run".into());
            }
            if stretch.rotate_names == 0 && output.beside != first.beside {
                found.push("the quarantine or the dropped rows differ from the first run".into());
            }
            if stretch.rotate_names == 0 && output.report.inputs != first.report.inputs {
                found.push("the inputs of the report differ from those of the first run".into());
            }
        }
        problems.extend(found.into_iter().map(|problem| format!("{stretch:?}\n    {problem}")));
        first = first.or(output);
        if !problems.is_empty() {
            break;
        }
    }
    for files in case.expect.iter().filter_map(|e| match e {
        Expect::SameBytes(files) => Some(files),
        _ => None,
    }) {
        let (output, found) =
            judged(case, subject, files, &Stretch::plain(), &self::expected(case, files));
        problems.extend(found);
        if output.map(|o| o.files) != first.as_ref().map(|o| o.files.clone()) {
            problems.push("files that say the same give other bytes".into());
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{}\n  {}\n{}", case.name, problems.join("\n  "), show(case)))
}

/// What the oracle says; the inputs lie in `in`.
fn expected(case: &Case, files: &Files) -> Result<Outcome, Failure> {
    oracle::run(&case.plan, &placed(files))
}

/// The output of a run, and what is wrong with it.
fn judged(
    case: &Case,
    subject: &dyn Subject,
    files: &Files,
    stretch: &Stretch,
    expected: &Result<Outcome, Failure>,
) -> (Option<Output>, Vec<String>) {
    let run = || subject.run(files, &case.plan, stretch);
    let result = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?");
            return (None, vec![format!("the run panicked: {text}")]);
        }
    };
    match (result, expected) {
        (Ok(output), Ok(expected)) => {
            let found = differences(&case.plan, expected, &output);
            (Some(output), found)
        }
        (Ok(output), Err(failure)) => {
            (Some(output), vec![format!("the run should fail: {failure:?}")])
        }
        (Err(error), Ok(_)) => (None, vec![format!("the run failed: {}", text(&error))]),
        (Err(error), Err(failure)) => {
            (None, wrong_error(case, &error, failure, stretch.rotate_names == 0))
        }
    }
}

/// `says` is whether the text of the error is judged, too: the hand knows it for the names as given.
fn wrong_error(case: &Case, error: &Error, failure: &Failure, says: bool) -> Vec<String> {
    let mut problems = Vec::new();
    if !failure.allows(error.fault) {
        problems.push(format!("should fail with {failure:?}, failed with {}", text(error)));
    }
    for expect in &case.expect {
        if let Expect::Fails(_, needle) = expect
            && says
            && !text(error).contains(needle)
        {
            problems.push(format!("the error should say {needle:?}: {}", text(error)));
        }
    }
    problems
}

/// An error with everything that a face would show.
fn text(error: &Error) -> String {
    let mut out = format!("{:?}: {error}", error.fault);
    let hints: Vec<String> = error.hints.iter().map(ToString::to_string).collect();
    for line in error.details.iter().chain(&error.output).chain(&hints) {
        write!(out, "\n      {line}").unwrap();
    }
    out
}

/// The hand against the oracle.
fn by_hand(case: &Case, expected: &Result<Outcome, Failure>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut same = |what: &str, hand: String, oracle: String| {
        if hand != oracle {
            problems.push(format!("{what} by hand and by the oracle:\n    {hand}\n    {oracle}"));
        }
    };
    for expect in &case.expect {
        match (expect, expected) {
            (Expect::SameBytes(_), _) => {}
            (Expect::Fails(kind, _), Err(failure)) => {
                same("failure", format!("{kind:?}"), format!("{:?}", failure.kind));
            }
            (expect, Err(failure)) => same("result", format!("{expect:?}"), format!("{failure:?}")),
            (Expect::Fails(kind, _), Ok(_)) => same("result", format!("{kind:?}"), "rows".into()),
            (Expect::Rows(rows), Ok(outcome)) => {
                same("rows", rows.join("\n    "), outcome_rows(outcome).join("\n    "));
            }
            (Expect::Types(types), Ok(outcome)) => {
                same("types", types.clone(), outcome_types(outcome));
            }
            (Expect::Bad(bad), Ok(outcome)) => {
                let found: Vec<_> =
                    outcome.bad.iter().map(|b| (b.reason.name(), b.offset, b.length)).collect();
                same("bad parts", format!("{bad:?}"), format!("{found:?}"));
            }
            (Expect::Duplicates(identical, conflicting), Ok(outcome)) => {
                let found = outcome.counts.duplicates;
                same(
                    "duplicates",
                    format!("{:?}", (identical, conflicting)),
                    format!("{:?}", (found.identical, found.conflicting)),
                );
            }
        }
    }
    problems
}

/// The same contents under names that were turned round.
fn renamed(files: &Files, by: usize) -> Files {
    let name = |at: usize| files[(at + by) % files.len()].0.clone();
    files.iter().enumerate().map(|(at, (_, content))| (name(at), content.clone())).collect()
}

/// A case for people: its plan where it is not the default, and its files.
fn show(case: &Case) -> String {
    let mut out = format!("  plan {}\n", serde_json::to_string(&case.plan).unwrap());
    for (name, content) in &case.files {
        let shown = content[..content.len().min(600)].escape_ascii();
        writeln!(out, "  {name} ({} bytes): {shown}", content.len()).unwrap();
    }
    out
}
