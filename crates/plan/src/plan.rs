//! A plan: what to read, which record survives, where to write. Plain data with a version.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::hidden::without_secrets;
use crate::origin::is_place;
use crate::path::overlap;
use crate::records::{check_added, check_steps};
use crate::{
    Added, ColumnPath, Dedup, Error, FORMAT_VERSION, Hint, Key, Layout, Location, NullText,
    RecordsPath, Repairs, Result, SchemaSpec, Sink,
};

/// What the files of a plan hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputFormat {
    /// JSON records.
    #[default]
    Json,
    /// Rows in Parquet, of some of the columns that the plan declares.
    Parquet,
}

impl InputFormat {
    fn is_json(&self) -> bool {
        *self == Self::Json
    }

    /// What the place of a bad record counts, as in "at byte 7": bytes of a file, or its rows.
    pub fn place(self) -> &'static str {
        match self {
            Self::Json => "byte",
            Self::Parquet => "row",
        }
    }
}

/// How values follow each other in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Shape {
    /// Found out for each file from its beginning.
    #[default]
    Auto,
    /// One value on each line.
    Lines,
    /// Values one after another.
    Concatenated,
    /// One array of records.
    Array,
    /// An object with records at these member names; given by a plan it says no more than
    /// [`Plan::records`] does.
    Document(Vec<String>),
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Lines => f.write_str("lines"),
            Self::Concatenated => f.write_str("concatenated"),
            Self::Array => f.write_str("array"),
            Self::Document(steps) => {
                f.write_str("document:")?;
                steps
                    .iter()
                    .try_for_each(|s| write!(f, "/{}", s.replace('~', "~0").replace('/', "~1")))
            }
        }
    }
}

impl FromStr for Shape {
    type Err = Error;

    /// Reads `auto`, `lines`, `concatenated`, `array`, or a JSON pointer (RFC 6901) such as
    /// `/records`, with or without `document:` before it.
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "auto" => Self::Auto,
            "lines" => Self::Lines,
            "concatenated" => Self::Concatenated,
            "array" => Self::Array,
            _ => {
                let pointer = text.strip_prefix("document:").unwrap_or(text);
                let steps = pointer.strip_prefix('/').ok_or_else(|| {
                    Error::usage(format!("`{text}` is not a shape")).help(
                        "shapes: auto, lines, concatenated, array, or the path of the array in a \
                         document: /records",
                    )
                })?;
                check_steps(steps.split('/').count())?;
                Self::Document(
                    steps.split('/').map(|s| s.replace("~1", "/").replace("~0", "~")).collect(),
                )
            }
        })
    }
}

impl TryFrom<String> for Shape {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Shape> for String {
    fn from(shape: Shape) -> Self {
        shape.to_string()
    }
}

/// What happens to members outside a declared schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtraMembers {
    /// The record is bad.
    #[default]
    Error,
    /// They are counted and left out.
    Ignore,
    /// They are kept in the `json` column `_extra`.
    Keep,
}

/// How many records may be quarantined before the run fails.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxQuarantined {
    /// At most this many records and ranges.
    Count(u64),
    /// At most this share of what was read, in percent.
    Percent(f64),
}

impl FromStr for MaxQuarantined {
    type Err = Error;

    /// Reads `100` or `0.1%`.
    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::usage(format!("`{text}` is not a number of records or a percentage"))
                .help("write a count such as 100, or a share such as 0.1%")
        };
        match text.strip_suffix('%') {
            Some(percent) => match percent.trim().parse::<f64>() {
                Ok(share) if (0.0..=100.0).contains(&share) => Ok(Self::Percent(share)),
                _ => Err(bad()),
            },
            None => text.parse().map(Self::Count).map_err(|_| bad()),
        }
    }
}

/// Where bad records go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuarantineSpec {
    /// A file of JSON lines; without it bad records stop the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Location>,
    /// The most that may go there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<MaxQuarantined>,
}

/// Everything that decides a result. Threads, memory and temporary folders are not in it: they
/// never change one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this format.
    pub version: u32,
    /// Files, directories, globs, or `-` for standard input.
    pub sources: Vec<String>,
    /// Whether directories give all their files, and not only those that look like JSON.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_files: bool,
    /// What the files hold.
    #[serde(default, skip_serializing_if = "InputFormat::is_json")]
    pub format: InputFormat,
    /// How values follow each other in a file; in a plan that was checked never a document.
    #[serde(default)]
    pub shape: Shape,
    /// Where in each value its records are; without it, values are records, but for those of documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<RecordsPath>,
    /// Members beside the records that each of them gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<Added>,
    /// Whether the directories of files give columns to their records, as `day=2024-05-01` does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hive: bool,
    /// Whether records get the columns [`crate::FILE_COLUMN`] and [`crate::POSITION_COLUMN`], which say where they lie.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub origin: bool,
    /// Declared types and hints.
    #[serde(default)]
    pub schema: SchemaSpec,
    /// Strings that stand for null.
    #[serde(default, skip_serializing_if = "NullText::is_empty")]
    pub null_text: NullText,
    /// Whether values must be spelled as their declared type is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict_types: bool,
    /// What happens to members outside a declared schema.
    #[serde(default)]
    pub extra_members: ExtraMembers,
    /// What is mended in records that are not valid.
    #[serde(default, skip_serializing_if = "Repairs::is_empty")]
    pub repair: Repairs,
    /// How duplicates are found; without it every record is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedup: Option<Dedup>,
    /// The columns to write, in this order; survivors are chosen before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<ColumnPath>>,
    /// Where bad records go.
    #[serde(default)]
    pub quarantine: QuarantineSpec,
    /// A Parquet file for the conflicting duplicates that did not survive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Location>,
    /// The largest record, in bytes.
    pub max_record: u64,
    /// Whether the digest of the output is computed.
    #[serde(default)]
    pub digest: bool,
    /// Whether the input counts as valid and typed without a native scan.
    #[serde(default)]
    pub assume_valid: bool,
    /// Whether input without a record is no error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_empty: bool,
    /// What is written.
    pub sink: Sink,
}

impl Plan {
    /// The largest record, in bytes, unless the plan says otherwise.
    pub const USUAL_MAX_RECORD: u64 = 64 << 20;

    /// A plan with the defaults: read `sources`, keep every record, write to `sink`.
    pub fn new(sources: Vec<String>, sink: Sink) -> Self {
        Self {
            version: FORMAT_VERSION,
            sources,
            all_files: false,
            format: InputFormat::Json,
            shape: Shape::Auto,
            records: None,
            add: Vec::new(),
            hive: false,
            origin: false,
            schema: SchemaSpec::default(),
            null_text: NullText::default(),
            strict_types: false,
            extra_members: ExtraMembers::Error,
            repair: Repairs::default(),
            dedup: None,
            columns: None,
            quarantine: QuarantineSpec::default(),
            dropped: None,
            max_record: Self::USUAL_MAX_RECORD,
            digest: false,
            assume_valid: false,
            allow_empty: false,
            sink,
        }
    }

    /// Checks what can be checked without reading anything, folds hints into a declared schema, and takes the secrets out
    /// of its sources (see [`crate::with_secrets`]).
    ///
    /// # Errors
    /// A usage error for the first thing that can't be meant.
    pub fn check(mut self) -> Result<Self> {
        for source in &mut self.sources {
            if let Some(shown) = without_secrets(source) {
                *source = shown;
            }
        }
        if self.version > FORMAT_VERSION {
            return Err(Error::usage(format!(
                "the plan has version {}, this distil knows versions up to {FORMAT_VERSION}",
                self.version
            )));
        }
        if self.sources.is_empty() {
            return Err(
                Error::usage("no source is given").help("name a file, a directory, a glob or -")
            );
        }
        if self.max_record == 0 || self.max_record > 1 << 30 {
            return Err(Error::usage("the largest record must lie between 1 B and 1 GiB"));
        }
        let sink = &self.sink;
        if sink.path.is_empty() {
            return Err(Error::usage("the output has no path"));
        }
        sink.check_name()?;
        if sink.row_group_rows == 0 || sink.row_group_rows > 1 << 30 {
            return Err(Error::usage("a row group has between 1 and 1,073,741,824 rows"));
        }
        if sink.layout == Layout::File
            && (sink.max_file_rows.is_some() || sink.max_file_bytes.is_some())
        {
            return Err(Error::usage(
                "a limit of rows or bytes of a file needs a directory as output",
            )
            .help(Hint::set("write a directory of files", "layout", "dir"))
            .help("or give the output a name without .parquet"));
        }
        if sink.max_file_rows == Some(0) || sink.max_file_bytes == Some(0) {
            return Err(Error::usage("a file must be allowed at least one row and one byte"));
        }
        if let Some(dedup) = &mut self.dedup {
            dedup.check()?;
        } else if self.dropped.is_some() {
            return Err(Error::usage("dropped duplicates are asked for, but the plan has no key"));
        }
        if !self.repair.is_empty()
            && self.dedup.as_ref().is_some_and(|dedup| dedup.key == Key::Record)
        {
            return Err(Error::usage("nothing can be repaired where the whole record is the key")
                .help(Hint::choose("name the columns that make two records the same", "key")));
        }
        if let Some(columns) = &self.columns {
            if columns.is_empty() {
                return Err(Error::usage("the list of columns is empty"));
            }
            let paths: Vec<&ColumnPath> = columns.iter().collect();
            if let Some((at, _)) = overlap(&paths) {
                return Err(Error::usage(format!("the column {} is chosen twice", columns[at])));
            }
        }
        self.schema.normalise()?;
        self.settle_records()?;
        self.check_origin()?;
        if self.format == InputFormat::Parquet {
            self.check_parquet()?;
        }
        Ok(self)
    }

    /// Turns the path of a document into that of its records, and checks that what is added to records can be.
    ///
    /// # Errors
    /// A usage error if it can't be meant.
    pub fn settle_records(&mut self) -> Result<()> {
        if let Shape::Document(names) = &self.shape {
            if self.records.is_some() {
                return Err(Error::usage("the shape names a path, and so does `records`")
                    .help(Hint::choose("give the whole path here", "records")));
            }
            self.records = Some(RecordsPath::of_names(names));
            self.shape = Shape::Auto;
        }
        check_added(self.records.as_ref(), &self.add)
    }

    /// Checks that the columns of places are no others as well.
    fn check_origin(&self) -> Result<()> {
        if !self.origin {
            return Ok(());
        }
        let key = self.dedup.iter().flat_map(|dedup| match &dedup.key {
            Key::Columns(columns) => columns.as_slice(),
            Key::Record => &[],
        });
        let names_place =
            |path: &&ColumnPath| path.steps().first().is_some_and(|name| is_place(name));
        if let Some(column) = key.clone().find(names_place) {
            return Err(Error::usage(format!(
                "the key column {column} says where a record lies, which makes no two records the same"
            ))
            .help(Hint::choose("name other columns", "key")));
        }
        let declared = self.schema.declared.iter().flat_map(|schema| &schema.fields);
        let declared = declared.map(|field| field.name.as_str());
        let hinted = self.schema.hints.iter().map(|(path, _)| path);
        let hinted = hinted.filter_map(|path| path.steps().first().map(String::as_str));
        let mut names = self.added_columns().chain(declared).chain(hinted);
        match names.find(|name| is_place(name)) {
            None => Ok(()),
            Some(name) => Err(Error::usage(format!(
                "the column {name} says where a record lies, and the plan has it as another one, too"
            ))
            .help("leave that one out, or the places of records")),
        }
    }

    /// The columns that the plan adds to records by name: those of maps, and members around them.
    pub fn added_columns(&self) -> impl Iterator<Item = &str> {
        let maps = self.records.iter().flat_map(RecordsPath::columns);
        maps.chain(self.add.iter().map(|added| added.name.as_str()))
    }

    /// Whether it is known in which columns strings stand for null. Where the plan names none and columns are
    /// inferred, all data must be read for it first.
    pub fn is_settled(&self) -> bool {
        self.null_text.settled
            || self.null_text.everywhere.is_empty()
            || self.schema.declared.is_some()
    }

    /// Says in which inferred columns the texts that are given without a column stand for null.
    pub fn settle(&mut self, columns: Vec<ColumnPath>) {
        let texts = self.null_text.everywhere.clone();
        let columns = columns.into_iter().map(|column| (column, texts.clone())).collect();
        self.null_text.extend(NullText { columns, ..NullText::default() });
        self.null_text.settled = true;
    }

    /// Checks that nothing is asked of rows that only records have.
    fn check_parquet(&self) -> Result<()> {
        if self.schema.declared.is_none() {
            return Err(Error::usage("a plan that reads Parquet declares its columns"));
        }
        let is_of_rows = self.shape == Shape::Auto
            && self.records.is_none()
            && !self.hive
            && !self.origin
            && self.null_text.is_empty()
            && self.extra_members == ExtraMembers::Error;
        if !is_of_rows || !self.repair.is_empty() {
            return Err(Error::usage(
                "shapes, paths to records, columns of directories and places, extra members, null texts and repairs are of JSON, and the plan reads Parquet",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
