//! A plan with its inputs, and what only all of them together show.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Code, Error, Hint, InputReport, Location, Plan, Result, Schema, Shape};

/// How a file is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputCompression {
    /// Not at all.
    #[default]
    None,
    /// gzip, RFC 1952, members one after another.
    Gzip,
    /// Zstandard, RFC 8878, frames one after another.
    Zstd,
    /// bzip2, streams one after another.
    Bzip2,
    /// xz, streams one after another.
    Xz,
    /// LZ4 in its frame format, frames one after another.
    Lz4,
}

impl InputCompression {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Gzip, Self::Zstd, Self::Bzip2, Self::Xz, Self::Lz4];
}

impl fmt::Display for InputCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lz4 => "lz4",
        })
    }
}

/// One file of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Where it is, or `-` for standard input.
    pub path: Location,
    /// Its size on disk; `None` for standard input and pipes.
    pub bytes: Option<u64>,
    /// What tells its content from another, by its store; 0 if the store does not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub version: u64,
    /// Compression and shape, once they are known: a backend that does not support
    /// [`crate::Need::BadRecords`] always gets them.
    pub compression: Option<InputCompression>,
    /// See [`Input::compression`]; never [`Shape::Auto`].
    pub shape: Option<Shape>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Input {
    /// The path as a report or a message shows it.
    pub fn display(&self) -> String {
        self.path.to_string()
    }
}

/// A plan with its inputs listed and, unless the backend does that itself, its schema settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResolvedPlan {
    /// The plan.
    pub plan: Plan,
    /// The inputs, ordered by the bytes of their paths.
    pub inputs: Vec<Input>,
    /// The schema, declared or inferred.
    pub schema: Option<Schema>,
    /// Whether a native scan found every record valid and typed.
    pub admitted: bool,
}

impl ResolvedPlan {
    /// Checks what only all inputs together show: that values have records where the plan says, in one of them at
    /// least; or, where it does not say, that none is read as a document among others that are not.
    ///
    /// # Errors
    /// An input error if not.
    pub fn check_inputs(&self, inputs: &[InputReport]) -> Result<()> {
        let Some(path) = &self.plan.records else { return self.check_shapes(inputs) };
        let without: u64 = inputs.iter().map(|input| input.without_records).sum();
        if without == 0 || inputs.iter().any(|input| input.records > 0) {
            return Ok(());
        }
        let none = match without {
            1 => "the value has no records".to_owned(),
            _ => format!("none of the {without} values has records"),
        };
        Err(Error::input(format!("{none} at {path}")).coded(Code::MissingRecords))
    }

    /// A file with one record that has a list `records` looks like a document. Its neighbours tell.
    fn check_shapes(&self, inputs: &[InputReport]) -> Result<()> {
        if self.plan.shape != Shape::Auto {
            return Ok(());
        }
        let is_document = |input: &&InputReport| input.shape.starts_with("document:");
        let is_other = |input: &&InputReport| {
            input.records > 0 && matches!(input.shape.as_str(), "lines" | "concatenated")
        };
        let (Some(document), Some(other)) =
            (inputs.iter().find(is_document), inputs.iter().find(is_other))
        else {
            return Ok(());
        };
        Err(Error::input(format!(
            "{} looks like a document with an array `records`, and {} like records by themselves \
             ({})",
            document.path, other.path, other.shape
        ))
        .help(Hint::set("read every line as a record", "shape", "lines"))
        .help(Hint::set(
            "take the elements of `records` for records",
            "records",
            "/records",
        )))
    }
}
