//! The backends of distil, each with what it does not do, and the table of that.

use std::fmt::Write as _;

use distil_plan::Fault;

use super::case::Case;
use super::features::{Feature, Mark, Standing};
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

const BAD_RECORDS: Mark = Mark {
    feature: Feature::BadRecords,
    standing: Standing::Never,
    reason: "another parser passes over what is bad in silence, so only valid input gets there",
    fault: Fault::Input,
    // The scan says what is bad; what it should miss, the backend's own reading refuses.
    says: &["every record is valid", "is not declared"],
};

/// The backend on pandas.
pub const PANDAS: Configuration = Configuration {
    name: "pandas",
    marks: &[
        BAD_RECORDS,
        Mark {
            feature: Feature::MaxFileBytes,
            standing: Standing::Could,
            reason: "its writer is never asked how large a file has become",
            fault: Fault::Usage,
            says: &["max_file_bytes"],
        },
    ],
};

const ZSTD: Mark = Mark {
    feature: Feature::Zstd,
    standing: Standing::Could,
    reason: "the server reads the files, and the text readers of servers know no zstd; distil could unpack them first",
    fault: Fault::Usage,
    says: &["reading zstd"],
};

const CONCATENATED: Mark = Mark {
    feature: Feature::Concatenated,
    standing: Standing::Could,
    reason: "SQL splits text at line ends or not at all; distil could write such records as lines first",
    fault: Fault::Usage,
    says: &["the shape concatenated"],
};

const JSON_COLUMNS: Mark = Mark {
    feature: Feature::JsonColumns,
    standing: Standing::Upstream,
    reason: "the engine has no type that orders and spells any JSON as the contract does",
    fault: Fault::Usage,
    says: &["columns of the type json"],
};

const DEEP: Mark = Mark {
    feature: Feature::Deep,
    standing: Standing::Upstream,
    reason: "planners take exponentially long over SQL that nests so deep",
    fault: Fault::Usage,
    says: &["levels"],
};

const WIDE: Mark = Mark {
    feature: Feature::Wide,
    standing: Standing::Could,
    reason: "the query names every column many times; it could be made of fewer names",
    fault: Fault::Usage,
    says: &["more than 500 columns"],
};

const SERVER_MAX_FILE_BYTES: Mark = Mark {
    feature: Feature::MaxFileBytes,
    standing: Standing::Could,
    reason: "the writer of the merged result is never asked how large a file has become",
    fault: Fault::Usage,
    says: &["max_file_bytes"],
};

/// The backend on Apache Spark.
pub const SPARK: Configuration = Configuration {
    name: "spark",
    marks: &[BAD_RECORDS, ZSTD, CONCATENATED, JSON_COLUMNS, DEEP, WIDE, SERVER_MAX_FILE_BYTES],
};

/// The same backend on Sail.
pub const SAIL: Configuration = Configuration {
    name: "sail",
    marks: &[
        BAD_RECORDS,
        ZSTD,
        CONCATENATED,
        JSON_COLUMNS,
        Mark {
            feature: Feature::EmptyNames,
            standing: Standing::Upstream,
            reason: "Sail takes no type with such a member",
            fault: Fault::Usage,
            says: &["a member without a name"],
        },
        Mark {
            feature: Feature::Exponents,
            standing: Standing::Upstream,
            reason: "Sail's JSON parser rounds numbers, and its casts from text know only plain ones",
            fault: Fault::Usage,
            says: &["this spelling of a number"],
        },
        DEEP,
        WIDE,
        SERVER_MAX_FILE_BYTES,
    ],
};

/// All of them, in the order of the documentation.
pub const ALL: [Configuration; 4] = [NATIVE, PANDAS, SPARK, SAIL];

/// What every backend does, as a table in Markdown, and the reasons for what one does not do.
pub fn support_table(cases: &[Case]) -> String {
    let outcomes: Vec<_> =
        cases.iter().map(|case| (case, oracle::run(&case.plan, &case.placed()))).collect();
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
                    let known = notes.iter().position(|reason| *reason == mark.reason);
                    let at = known.unwrap_or_else(|| {
                        notes.push(mark.reason);
                        notes.len() - 1
                    });
                    let standing = format!("{:?}", mark.standing).to_lowercase();
                    write!(text, " {standing} ({}) |", at + 1).unwrap();
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
