//! What is written, and how: the place, the layout, the compression.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ColumnPath, Error, Hint, Location, Result};

/// Rows in a row group, unless the plan says otherwise.
pub(crate) const ROW_GROUP_ROWS: u64 = 1 << 20;

/// Whether an output that exists may be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// An existing output is an error.
    #[default]
    Error,
    /// An existing output is replaced as a whole.
    Overwrite,
}

/// One file, or a directory of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One file.
    File,
    /// `part-00000.parquet` and so on in a directory.
    Dir,
}

/// Compression of the output's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Compression {
    /// Zstandard at a level from 1 to 22; by level 1 where that makes pages no larger.
    Zstd(u8),
    /// Snappy.
    Snappy,
    /// LZ4 (raw blocks).
    Lz4,
    /// None.
    None,
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd(3)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zstd(level) => write!(f, "zstd:{level}"),
            Self::Snappy => f.write_str("snappy"),
            Self::Lz4 => f.write_str("lz4"),
            Self::None => f.write_str("none"),
        }
    }
}

impl FromStr for Compression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::usage(format!("`{text}` is not a compression"))
                .help("write zstd, zstd:1 to zstd:22, snappy, lz4 or none")
        };
        match text {
            "zstd" => Ok(Self::default()),
            "snappy" => Ok(Self::Snappy),
            "lz4" => Ok(Self::Lz4),
            "none" => Ok(Self::None),
            _ => match text.strip_prefix("zstd:").and_then(|level| level.parse().ok()) {
                Some(level @ 1..=22) => Ok(Self::Zstd(level)),
                _ => Err(bad()),
            },
        }
    }
}

impl TryFrom<String> for Compression {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Compression> for String {
    fn from(compression: Compression) -> Self {
        compression.to_string()
    }
}

/// What is written, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sink {
    /// Where the output is written.
    pub path: Location,
    /// One file or a directory.
    pub layout: Layout,
    /// Whether an output that exists may be replaced.
    #[serde(default)]
    pub mode: Mode,
    /// Compression of the pages.
    #[serde(default)]
    pub compression: Compression,
    /// Most rows in a row group.
    pub row_group_rows: u64,
    /// Most rows in a file of a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file_rows: Option<u64>,
    /// Most bytes in a file of a directory (a file holds at least one row group).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file_bytes: Option<u64>,
    /// Columns that get a bloom filter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bloom: Vec<ColumnPath>,
}

impl Sink {
    /// Endings of names that are files.
    pub const PARQUET_NAMES: [&str; 3] = [".parquet", ".parq", ".pq"];

    /// Endings of names that promise another format, or Parquet in a coat that nothing reads.
    const OTHER_NAMES: [&str; 26] = [
        ".arrow", ".avro", ".bz2", ".csv", ".db", ".duckdb", ".feather", ".geojson", ".gz",
        ".html", ".ipc", ".json", ".jsonl", ".lz4", ".ndjson", ".orc", ".sqlite", ".tar", ".tsv",
        ".txt", ".xls", ".xlsx", ".xml", ".xz", ".zip", ".zst",
    ];

    /// A sink with the defaults. The layout follows the name: `.parquet`, `.parq` and `.pq` are files,
    /// anything else is a directory.
    pub fn new(path: impl Into<Location>) -> Self {
        let path = path.into();
        let name = path.to_string().to_ascii_lowercase();
        let file = Self::PARQUET_NAMES.iter().any(|ending| name.ends_with(ending));
        Self {
            layout: if file { Layout::File } else { Layout::Dir },
            path,
            mode: Mode::Error,
            compression: Compression::default(),
            row_group_rows: ROW_GROUP_ROWS,
            max_file_rows: None,
            max_file_bytes: None,
            bloom: Vec::new(),
        }
    }

    /// Refuses names that mean something else: standard output, and files of other formats.
    pub(crate) fn check_name(&self) -> Result<()> {
        let name = self.path.to_string();
        let lower = name.to_ascii_lowercase();
        if name == "-" {
            return Err(Error::usage(
                "the output can't be standard output: Parquet is written to files, which \
                                     appear as a whole",
            )
            .at(name, None)
            .help(Hint::set("write a file, and print it after the run", "output", "out.parquet"))
            .help("or give a file of this name as ./-"));
        }
        let Some(ending) = Self::OTHER_NAMES.iter().find(|ending| lower.ends_with(**ending)) else {
            return Ok(());
        };
        let stem = &name[..name.len() - ending.len()];
        let stem = if stem.is_empty() || stem.ends_with('/') {
            format!("{stem}out")
        } else {
            stem.to_owned()
        };
        Err(Error::usage(format!("the output is Parquet, and its name ends in {ending}"))
            .at(name.clone(), None)
            .help(Hint::set("name a Parquet file", "output", format!("{stem}.parquet")))
            .help(Hint::set("or a directory of Parquet files", "output", format!("{name}/"))))
    }
}
