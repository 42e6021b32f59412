//! What kind of error it is, for programs.

use serde::{Deserialize, Serialize};

use crate::Fault;

/// A stable word for a kind of error. Texts of errors may change, codes do not: programs, faces and tests
/// ask for the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Records are bad, and the plan does not set them aside.
    BadRecords,
    /// More records are bad than the plan allows.
    TooManyBadRecords,
    /// No record has a column that the plan names.
    MissingColumn,
    /// No value has records at the path of the plan.
    MissingRecords,
    /// Records of one key differ, and the plan says that they must not.
    Conflicts,
    /// The text of a key or order column does not sort as what it means.
    MisleadingOrder,
    /// There are records, but no row would be written.
    NoRows,
    /// There is no record, and the plan does not allow that.
    NoRecords,
    /// A source is not there.
    NotFound,
    /// The input can't be read as the plan says, for another reason.
    Input,
    /// A column of the key or the order holds lists, objects or mixed values.
    NotScalar,
    /// A location is a URL whose scheme no store knows.
    UnknownScheme,
    /// The backend does not support what the plan asks for; nothing was written.
    Refused,
    /// A configuration file that the user does not trust asks for a program or an address.
    NotTrusted,
    /// A cluster may cost more than is allowed; nothing was created.
    TooExpensive,
    /// The command line, the configuration or the plan is wrong, for another reason.
    Usage,
    /// A file or a directory may not be read or written.
    PermissionDenied,
    /// A disk or a quota is full.
    NoSpace,
    /// A cluster could not be ended, or it is not known whether it was: it may cost money.
    LeftRunning,
    /// Disk, network or a backend failed, for another reason.
    Environment,
    /// The output exists, and the mode does not replace it.
    Exists,
    /// Another run is writing the output.
    Locked,
    /// The directory holds something that distil did not write.
    ForeignFiles,
    /// The output is committed, but the report or a final sync failed.
    AfterCommit,
    /// The user interrupted the run.
    Interrupted,
    /// The process was asked to end.
    Terminated,
    /// distil itself is wrong.
    Bug,
}

impl Code {
    /// All codes, in the order of the documentation.
    pub const ALL: [Self; 27] = [
        Self::BadRecords,
        Self::TooManyBadRecords,
        Self::MissingColumn,
        Self::MissingRecords,
        Self::Conflicts,
        Self::MisleadingOrder,
        Self::NoRows,
        Self::NoRecords,
        Self::NotFound,
        Self::Input,
        Self::NotScalar,
        Self::UnknownScheme,
        Self::Refused,
        Self::NotTrusted,
        Self::TooExpensive,
        Self::Usage,
        Self::PermissionDenied,
        Self::NoSpace,
        Self::LeftRunning,
        Self::Environment,
        Self::Exists,
        Self::Locked,
        Self::ForeignFiles,
        Self::AfterCommit,
        Self::Interrupted,
        Self::Terminated,
        Self::Bug,
    ];

    /// The code of errors that say no more than whose fault they are.
    pub fn of(fault: Fault) -> Self {
        match fault {
            Fault::Input => Self::Input,
            Fault::Usage => Self::Usage,
            Fault::Environment => Self::Environment,
            Fault::AfterCommit => Self::AfterCommit,
            Fault::Exists => Self::Exists,
            Fault::Interrupted => Self::Interrupted,
            Fault::Terminated => Self::Terminated,
            Fault::Bug => Self::Bug,
        }
    }

    /// Whose fault it is.
    pub fn fault(self) -> Fault {
        match self {
            Self::BadRecords
            | Self::TooManyBadRecords
            | Self::MissingColumn
            | Self::MissingRecords
            | Self::Conflicts
            | Self::MisleadingOrder
            | Self::NoRows
            | Self::NoRecords
            | Self::NotFound
            | Self::Input => Fault::Input,
            Self::NotScalar
            | Self::UnknownScheme
            | Self::Refused
            | Self::NotTrusted
            | Self::TooExpensive
            | Self::Usage => Fault::Usage,
            Self::PermissionDenied | Self::NoSpace | Self::LeftRunning | Self::Environment => {
                Fault::Environment
            }
            Self::Exists | Self::Locked | Self::ForeignFiles => Fault::Exists,
            Self::AfterCommit => Fault::AfterCommit,
            Self::Interrupted => Fault::Interrupted,
            Self::Terminated => Fault::Terminated,
            Self::Bug => Fault::Bug,
        }
    }

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::BadRecords => "bad_records",
            Self::TooManyBadRecords => "too_many_bad_records",
            Self::MissingColumn => "missing_column",
            Self::MissingRecords => "missing_records",
            Self::Conflicts => "conflicts",
            Self::NotScalar => "not_scalar",
            Self::MisleadingOrder => "misleading_order",
            Self::NoRows => "no_rows",
            Self::NoRecords => "no_records",
            Self::NotFound => "not_found",
            Self::Input => "input",
            Self::UnknownScheme => "unknown_scheme",
            Self::Refused => "refused",
            Self::NotTrusted => "not_trusted",
            Self::TooExpensive => "too_expensive",
            Self::Usage => "usage",
            Self::PermissionDenied => "permission_denied",
            Self::NoSpace => "no_space",
            Self::LeftRunning => "left_running",
            Self::Environment => "environment",
            Self::Exists => "exists",
            Self::Locked => "locked",
            Self::ForeignFiles => "foreign_files",
            Self::AfterCommit => "after_commit",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
            Self::Bug => "bug",
        }
    }

    /// What it means, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::BadRecords => "Records are bad, and the plan does not set them aside",
            Self::TooManyBadRecords => "More records are bad than `max_quarantined` allows",
            Self::MissingColumn => "No record has a column that the plan names",
            Self::MissingRecords => "No value has records at the path of the plan",
            Self::Conflicts => "Records of one key differ, and the plan says that they must not",
            Self::NotScalar => {
                "A column of the key or the order holds lists, objects or mixed values"
            }
            Self::MisleadingOrder => {
                "The text of a key or order column does not sort as what it means"
            }
            Self::NoRows => "There are records, but no row would be written",
            Self::NoRecords => "There is no record, and the plan does not allow that",
            Self::NotFound => "A source is not there",
            Self::Input => "The input can't be read as the plan says, for another reason",
            Self::UnknownScheme => "A location is a URL, and no store knows its scheme",
            Self::Refused => {
                "The backend does not support what the plan asks for: `refused` names the needs"
            }
            Self::NotTrusted => {
                "A `distil.toml` that the user does not trust asks for a program or an address"
            }
            Self::TooExpensive => "A cluster may cost more than `max_cost`; nothing was created",
            Self::Usage => {
                "The command line, the configuration or the plan is wrong, for another reason"
            }
            Self::PermissionDenied => "A file or a directory may not be read or written",
            Self::NoSpace => "A disk or a quota is full",
            Self::LeftRunning => {
                "A cluster could not be ended, or it is not known whether it was: it may cost money"
            }
            Self::Environment => "Disk, network or a backend failed, for another reason",
            Self::Exists => "The output exists, and the mode is not `overwrite`",
            Self::Locked => "Another run is writing the output",
            Self::ForeignFiles => "The directory holds something that distil did not write",
            Self::AfterCommit => "The output is committed, but the report or a final sync failed",
            Self::Interrupted => "The user interrupted the run",
            Self::Terminated => "The process was asked to end",
            Self::Bug => "distil itself is wrong",
        }
    }

    /// The table of the documentation.
    pub fn table() -> String {
        let mut text = "| code | exit status | meaning |\n|---|---:|---|\n".to_owned();
        for code in Self::ALL {
            let status = code.fault().exit_status();
            text.push_str(&format!("| `{}` | {status} | {} |\n", code.word(), code.meaning()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_report_and_general_codes_are_of_their_fault() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.word()));
            assert_eq!(Code::of(code.fault()).fault(), code.fault());
        }
    }
}
