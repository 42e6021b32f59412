//! Running a plan over the records that it set aside.

use std::path::Path;

use distil_output::quarantine::replay::Replay;
use distil_plan::{
    Code, Error, Layout, Location, Plan, QuarantineSpec, Report, Result, Shape, Sink,
};

use crate::Session;
use crate::frame::Scratch;
use crate::report::refuse_report_in_place_of;

impl Session {
    /// Reads the records of a quarantine file, as they are or mended, with the plan of the run that set them
    /// aside, and writes them to a new output.
    ///
    /// # Errors
    /// As a run; an input error if the file is no quarantine file, has ranges, or has records whose text is in a
    /// file that changed; a usage error if the output is that of the plan.
    pub fn replay(&self, quarantine: &Path, output: impl Into<Location>) -> (Report, Result<()>) {
        let output = output.into();
        let quarantine = &*Location::from(quarantine);
        match self.prepare_replay(quarantine, &output) {
            Ok((plan, scratch)) => {
                let told = self.reported(plan, |plan| self.replay_copy(plan, quarantine));
                drop(scratch);
                told
            }
            Err(error) => self.refused(&output, error),
        }
    }

    /// Runs the plan over the copy of the records, and tells of the quarantine file instead.
    fn replay_copy(&self, plan: Plan, quarantine: &Path) -> (Report, Result<()>) {
        let copy = plan.sources.first().cloned().unwrap_or_default();
        let shown = quarantine.to_string_lossy();
        let (mut report, result) = self.with_job(plan, distil_job::run::run);
        report.inputs.iter_mut().for_each(|input| input.path = shown.to_string());
        report.repaired.iter_mut().for_each(|found| found.path = shown.to_string());
        let named = |text: &str| renamed(text, &copy, &shown);
        report.warnings = report.warnings.iter().map(|text| named(text)).collect();
        let told = |mut error: Error| {
            error.what = named(&error.what);
            error.details = error.details.iter().map(|line| named(line)).collect();
            if let Some(place) = &mut error.place {
                place.path = named(&place.path);
            }
            error.hints.retain(|hint| !hint.is_about("quarantine"));
            if error.code != Code::BadRecords {
                return error;
            }
            error.help("mend the `raw` of these lines, or take them out, and replay the file again")
        };
        if let Some(failed) = &mut report.error {
            failed.error = told(failed.error.clone());
        }
        (report, result.map_err(told))
    }

    fn prepare_replay(&self, quarantine: &Path, output: &Location) -> Result<(Plan, Scratch)> {
        let storage = &self.stores();
        let replay = Replay::open(storage.as_ref(), quarantine)?;
        let plan = replay.plan().clone();
        self.refuse_same(&plan.sink.path, output)?;
        if let Some(report) = &self.options().report {
            refuse_report_in_place_of(storage.as_ref(), quarantine, report)?;
        }
        if plan.origin {
            return Err(Error::usage(
                "records that say where they lie can't be read again from elsewhere",
            )
            .at(quarantine.to_string_lossy(), None)
            .help("mend the files that they lie in, and run distil over these again"));
        }
        let directory = self.scratch_directory(output);
        let scratch = Scratch::new(storage, &directory)?;
        let copy = scratch.path().join("records.ndjson");
        let mut file = storage.create_new(&copy)?;
        if replay.write_lines(file.as_mut(), &self.cancel)? == 0 {
            return Err(Error::input("the quarantine file holds no records")
                .at(quarantine.to_string_lossy(), None));
        }
        let sink = Sink::new(output.clone());
        let is_file = sink.layout == Layout::File;
        let plan = Plan {
            sources: vec![copy.to_string_lossy().into_owned()],
            shape: Shape::Lines,
            // Each line is a record, which has what would have been added to it.
            records: None,
            add: Vec::new(),
            hive: false,
            quarantine: QuarantineSpec::default(),
            dropped: None,
            sink: Sink {
                max_file_rows: plan.sink.max_file_rows.filter(|_| !is_file),
                max_file_bytes: plan.sink.max_file_bytes.filter(|_| !is_file),
                path: sink.path,
                layout: sink.layout,
                mode: sink.mode,
                ..plan.sink
            },
            ..plan
        };
        Ok((plan, scratch))
    }

    /// Refuses the output of the run that set the records aside: to replace it by them would lose all others.
    fn refuse_same(&self, before: &Location, output: &Location) -> Result<()> {
        let storage = self.stores();
        let inode = |path: &Path| {
            let found = storage.metadata(path).ok().flatten();
            found.map(|found| (found.stamp.device, found.stamp.inode))
        };
        let is_same =
            **before == **output || inode(output).is_some_and(|new| inode(before) == Some(new));
        if !is_same {
            return Ok(());
        }
        Err(Error::usage("the records would replace the output of the run that set them aside")
            .at(output.to_string(), None)
            .help("give another output, and read both together"))
    }
}

/// The text with the name of the quarantine file where that of the copy of its records stands. They have the same
/// lines, but not the same bytes.
fn renamed(text: &str, copy: &str, shown: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(copy) {
        out.push_str(&rest[..at]);
        out.push_str(shown);
        rest = &rest[at + copy.len()..];
        let Some(after) = rest.strip_prefix(" line ") else { continue };
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(" line ");
        out.push_str(&after[..digits]);
        rest = &after[digits..];
        if let Some(byte) = rest.strip_prefix(", byte ") {
            rest = byte.trim_start_matches(|c: char| c.is_ascii_digit());
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_named_as_the_file_that_it_copies() {
        let told = "/t/records line 12, byte 345: bad; the last at /t/records line 3, byte 9";
        assert_eq!(
            renamed(told, "/t/records", "q.ndjson"),
            "q.ndjson line 12: bad; the last at q.ndjson line 3"
        );
        assert_eq!(renamed("x", "/t/records", "q"), "x");
    }
}
