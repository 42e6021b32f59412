//! The backends of distil, each with what it does not do, and the table of that.

use std::fmt::Write as _;

use distil_plan::{Need, Support};

use super::case::Case;
use super::mark::Mark;
use super::needs::needs;
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
    need: Need::BadRecords,
    support: Support::Never(
        "another parser passes over what is bad in silence, so only valid input gets there",
    ),
};

const REPAIR: Mark = Mark {
    need: Need::Repair,
    support: Support::Could(
        "it reads the files as they are; distil could write the mended records first",
    ),
};
/// Compressions that a reader behind another backend does not know.
const fn unread(need: Need, why: &'static str) -> Mark {
    Mark { need, support: Support::Could(why) }
}

const NOT_NAMED: &str =
    "its reader opens gzip and zstd alone; distil could unpack other files first";
const RESPELLED: Mark = Mark {
    need: Need::Respelled,
    support: Support::Could(
        "another parser takes values as they stand; distil could hand on what it read",
    ),
};

/// The backend on pandas.
pub const PANDAS: Configuration = Configuration {
    name: "pandas",
    marks: &[
        BAD_RECORDS,
        REPAIR,
        Mark {
            need: Need::Records,
            support: Support::Could(
                "it takes every value for a record; it could take values apart",
            ),
        },
        Mark {
            need: Need::Hive,
            support: Support::Could("it does not look at the paths of files; it could"),
        },
        Mark {
            need: Need::Origin,
            support: Support::Could("its reader does not say where a record begins"),
        },
        unread(Need::Bzip2, NOT_NAMED),
        unread(Need::Xz, NOT_NAMED),
        unread(Need::Lz4, NOT_NAMED),
        RESPELLED,
        Mark {
            need: Need::MaxFileBytes,
            support: Support::Could("its writer is never asked how large a file has become"),
        },
    ],
};

const RECORDS: Mark = Mark {
    need: Need::Records,
    support: Support::Could(
        "the query takes every value for a record; it could take values apart first",
    ),
};

const HIVE: Mark = Mark {
    need: Need::Hive,
    support: Support::Could(
        "the query does not know which file a record is from; it could ask the engine for it",
    ),
};

const ORIGIN: Mark = Mark {
    need: Need::Origin,
    support: Support::Could(
        "the query does not know which file a record is from; it could ask the engine for it",
    ),
};

const ZSTD: Mark = Mark {
    need: Need::Zstd,
    support: Support::Could(
        "the server reads the files, and the text readers of servers know no zstd; distil could unpack them first",
    ),
};

const BY_NAME: &str = "the server reads the files, and finds a codec by the name of a file alone; distil could unpack \
     them first";
const BZIP2: Mark = unread(Need::Bzip2, BY_NAME);
const XZ: Mark = unread(Need::Xz, BY_NAME);
const LZ4: Mark = unread(Need::Lz4, BY_NAME);

const CONCATENATED: Mark = Mark {
    need: Need::Concatenated,
    support: Support::Could(
        "SQL splits text at line ends or not at all; distil could write such records as lines first",
    ),
};

const JSON_COLUMNS: Mark = Mark {
    need: Need::Type("json"),
    support: Support::Upstream(
        "the engine has no type that orders and spells any JSON as the contract does",
    ),
};

/// More levels than a planner takes.
const DEEP: Need = Need::Levels(11);

const DEEP_TYPES: Mark = Mark {
    need: DEEP,
    support: Support::Upstream("planners take exponentially long over SQL that nests so deep"),
};

/// More columns than a query names.
const WIDE: Need = Need::LeafColumns(501);

const WIDE_SCHEMAS: Mark = Mark {
    need: WIDE,
    support: Support::Could(
        "the query names every column many times; it could be made of fewer names",
    ),
};

const SERVER_MAX_FILE_BYTES: Mark = Mark {
    need: Need::MaxFileBytes,
    support: Support::Could(
        "the writer of the merged result is never asked how large a file has become",
    ),
};

/// The backend on Apache Spark.
pub const SPARK: Configuration = Configuration {
    name: "spark",
    marks: &[
        BAD_RECORDS,
        RECORDS,
        HIVE,
        ORIGIN,
        REPAIR,
        ZSTD,
        BZIP2,
        XZ,
        LZ4,
        CONCATENATED,
        JSON_COLUMNS,
        RESPELLED,
        DEEP_TYPES,
        WIDE_SCHEMAS,
        SERVER_MAX_FILE_BYTES,
    ],
};

/// The same backend on Sail.
pub const SAIL: Configuration = Configuration {
    name: "sail",
    marks: &[
        BAD_RECORDS,
        RECORDS,
        HIVE,
        ORIGIN,
        REPAIR,
        ZSTD,
        BZIP2,
        XZ,
        LZ4,
        CONCATENATED,
        JSON_COLUMNS,
        Mark {
            need: Need::EmptyNames,
            support: Support::Upstream("Sail takes no type with such a member"),
        },
        Mark {
            need: Need::Exponents,
            support: Support::Upstream(
                "Sail's JSON parser rounds numbers, and its casts from text know only plain ones",
            ),
        },
        RESPELLED,
        DEEP_TYPES,
        WIDE_SCHEMAS,
        SERVER_MAX_FILE_BYTES,
    ],
};

/// What the suite asks for, in the order of the documentation.
pub const NEEDS: [Need; 28] = [
    Need::BadRecords,
    Need::Repair,
    Need::Gzip,
    Need::Zstd,
    Need::Bzip2,
    Need::Xz,
    Need::Lz4,
    Need::Concatenated,
    Need::Records,
    Need::Hive,
    Need::Origin,
    Need::RecordKey,
    Need::NestedKey,
    Need::NullKeys,
    Need::KeepLast,
    Need::NoKey,
    Need::Type("json"),
    Need::EmptyNames,
    Need::Exponents,
    Need::Respelled,
    DEEP,
    WIDE,
    Need::Columns,
    Need::Dropped,
    Need::Directory,
    Need::MaxFileRows,
    Need::MaxFileBytes,
    Need::Bloom,
];

/// All of them, in the order of the documentation.
pub const ALL: [Configuration; 4] = [NATIVE, PANDAS, SPARK, SAIL];

/// What every backend does, as a table in Markdown, and the reasons for what one does not do.
pub fn support_table(cases: &[Case]) -> String {
    let asked: Vec<Vec<Need>> =
        cases.iter().map(|case| needs(case, &oracle::run(&case.plan, &case.placed()))).collect();
    let mut text = "| what is asked for | word | cases |".to_owned();
    for backend in &ALL {
        write!(text, " {} |", backend.name).unwrap();
    }
    text.push_str("\n|---|---|---|");
    text.push_str(&"---|".repeat(ALL.len()));
    let mut notes = Vec::new();
    for need in NEEDS {
        let count = asked.iter().filter(|asked| asked.iter().any(|one| one.includes(&need)));
        write!(text, "\n| {} | `{}` | {} |", need.promise(), need.word(), count.count()).unwrap();
        for backend in &ALL {
            let mark = backend.marks.iter().find(|mark| mark.need == need);
            let support = mark.map_or(Support::Yes, |mark| mark.support);
            write!(text, " {}", support.name()).unwrap();
            if let Some(why) = support.why_not() {
                let known = notes.iter().position(|reason| *reason == why);
                let at = known.unwrap_or_else(|| {
                    notes.push(why);
                    notes.len() - 1
                });
                write!(text, " ({})", at + 1).unwrap();
            }
            text.push_str(" |");
        }
    }
    text.push_str("\n\n");
    for (at, reason) in notes.iter().enumerate() {
        writeln!(text, "{}. {reason}", at + 1).unwrap();
    }
    text
}
