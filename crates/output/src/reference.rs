//! What an output is compared with: another output, a report, or the answer of generated data.

use std::collections::BTreeMap;
use std::path::Path;

use distil_json::digest::Digest;
use distil_plan::{Dedup, Error, FORMAT_VERSION, Key, Report, Result, SchemaColumn, Status};
use distil_storage::{Kind, Storage};
use serde::Deserialize;

use crate::digest::digest_parts;
use crate::read_whole::read_whole;
use crate::reader::open_output;

/// More than any report or answer has.
const LARGEST: u64 = 1 << 30;

/// Something that an output is compared with.
pub(crate) enum Reference {
    /// It says the same for every output.
    Fixed(Expected),
    /// It says what each key should give.
    Answer(String, Answer),
}

/// What an output should be.
#[derive(Clone)]
pub(crate) struct Expected {
    /// The reference, for messages.
    pub(crate) name: String,
    pub(crate) rows: u64,
    pub(crate) digest: Option<Digest>,
    pub(crate) schema: Option<Vec<SchemaColumn>>,
}

/// The answer beside generated data.
#[derive(Deserialize)]
pub(crate) struct Answer {
    version: u32,
    /// By the columns of the key, separated by commas.
    keys: BTreeMap<String, AnswerOfKey>,
}

#[derive(Deserialize)]
struct AnswerOfKey {
    rows: u64,
    digest: String,
}

impl Reference {
    /// Reads a reference of any kind.
    pub(crate) fn read(storage: &dyn Storage, path: &Path) -> Result<Self> {
        let name = path.to_string_lossy().into_owned();
        let here = |error: Error| error.at(name.clone(), None);
        let Some(metadata) = storage.metadata(path)? else {
            return Err(here(Error::input("there is no such reference")));
        };
        let mut magic = [0; 4];
        let is_output = metadata.kind == Kind::Directory
            || (storage.open(path)?.read_at(0, &mut magic)? == 4 && magic == *b"PAR1");
        if is_output {
            let (digest, rows) = digest_parts(&open_output(storage, path)?)?;
            let digest = Some(digest);
            return Ok(Self::Fixed(Expected { name, rows, digest, schema: None }));
        }
        let content = read_whole(storage, path, LARGEST)?;
        if let Ok(answer) = serde_json::from_slice::<Answer>(&content) {
            check_version("answer", answer.version).map_err(here)?;
            return Ok(Self::Answer(name, answer));
        }
        if let Ok(report) = serde_json::from_slice::<Report>(&content) {
            return Self::of_report(name.clone(), report).map_err(here);
        }
        Err(here(
            Error::input("the reference is neither an output, nor a report, nor an answer")
                .help("give a Parquet file or directory, the report of a run, or the DIR.answer.json of `distil generate`"),
        ))
    }

    fn of_report(name: String, report: Report) -> Result<Self> {
        check_version("report", report.version)?;
        if report.status != Status::Done {
            return Err(Error::input("the report is of a run that wrote no output"));
        }
        let digest = report.output.digest.map(|text| text.parse()).transpose()?;
        let (rows, schema) = (report.records.written, Some(report.schema));
        Ok(Self::Fixed(Expected { name, rows, digest, schema }))
    }

    /// What an output of this plan should be.
    pub(crate) fn expected(&self, dedup: Option<&Dedup>) -> Result<Expected> {
        let (name, answer) = match self {
            Self::Fixed(expected) => return Ok(expected.clone()),
            Self::Answer(name, answer) => (name, answer),
        };
        let key = match dedup.map(|dedup| &dedup.key) {
            None => {
                return Err(Error::input(
                    "the output was written without a key: the answer is for keys",
                )
                .at(name.clone(), None));
            }
            Some(Key::Record) => "*".to_owned(),
            Some(Key::Columns(columns)) => {
                columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
            }
        };
        let Some(found) = answer.keys.get(&key) else {
            let known: Vec<&str> = answer.keys.keys().map(String::as_str).collect();
            return Err(Error::input(format!(
                "the answer does not know the key {key} of the output; it knows {}",
                known.join(" and ")
            ))
            .at(name.clone(), None));
        };
        Ok(Expected {
            name: name.clone(),
            rows: found.rows,
            digest: Some(found.digest.parse::<Digest>().map_err(|e| e.at(name.clone(), None))?),
            schema: None,
        })
    }
}

fn check_version(what: &str, version: u32) -> Result<()> {
    if version <= FORMAT_VERSION {
        return Ok(());
    }
    Err(Error::input(format!(
        "the {what} has version {version}, this distil knows versions up to {FORMAT_VERSION}"
    )))
}
