//! The backends of distil, each with what it does not do, and the table of that.

use std::fmt::Write as _;

use distil_plan::Fault;

use super::case::Case;
use super::features::{Feature, Mark, Standing};
use super::subject::Files;
use crate::oracle;

/// A backend under the suite.
#[derive(Clone, Copy, Debug)]
pub struct Configuration {
    /// Its name.
    pub name: &'static str,
    /// What it does not do.
    pub marks: &'static [Mark],
}

/// The native backend.
pub const NATIVE: Configuration = Configuration { name: "native", marks: &[] };

/// The backend on pandas.
pub const PANDAS: Configuration = Configuration {
    name: "pandas",
    marks: &[
        Mark {
            feature: Feature::BadRecords,
            standing: Standing::Never,
            reason: "another parser passes over what is bad in silence, so only valid input gets there",
            fault: Fault::Input,
            // The scan says what is bad; what it should miss, the backend's own reading refuses.
            says: &["every record is valid", "is not declared"],
        },
        Mark {
            feature: Feature::MaxFileBytes,
            standing: Standing::Could,
            reason: "its writer is never asked how large a file has become",
            fault: Fault::Usage,
            says: &["max_file_bytes"],
        },
    ],
};

/// All of them, in the order of the documentation.
pub const ALL: [Configuration; 2] = [NATIVE, PANDAS];

/// What every backend does, as a table in Markdown, and the reasons for what one does not do.
pub fn support_table(cases: &[Case]) -> String {
    let outcomes: Vec<_> = cases
        .iter()
        .map(|case| {
            let placed: Files =
                case.files.iter().map(|(n, c)| (format!("in/{n}"), c.clone())).collect();
            (case, oracle::run(&case.plan, &placed))
        })
        .collect();
    let mut text = "| what is asked for | cases |".to_owned();
    for backend in &ALL {
        write!(text, " {} |", backend.name).unwrap();
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(ALL.len()));
    let mut notes = Vec::new();
    for feature in Feature::ALL {
        let asked = outcomes.iter().filter(|(case, outcome)| feature.is_asked(case, outcome));
        write!(text, "\n| {} | {} |", feature.name(), asked.count()).unwrap();
        for backend in &ALL {
            match backend.marks.iter().find(|mark| mark.feature == feature) {
                None => text.push_str(" yes |"),
                Some(mark) => {
                    notes.push(mark.reason);
                    let standing = format!("{:?}", mark.standing).to_lowercase();
                    write!(text, " {standing} ({}) |", notes.len()).unwrap();
                }
            }
        }
    }
    text.push_str("\n\n");
    for (at, reason) in notes.iter().enumerate() {
        writeln!(text, "{}. {reason}", at + 1).unwrap();
    }
    text
}
