//! The right outputs of a data set, as counts and digests.

use std::collections::BTreeMap;

use distil_json::digest::RowDigest;
use distil_plan::{Error, FORMAT_VERSION, Result};
use serde::{Deserialize, Serialize};

use crate::parameters::Parameters;
use crate::records::{Record, Records};
use crate::text::{data_text, id_text};

/// What the answer of a data set, `DIR.answer.json`, says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Version of the format.
    pub version: u32,
    /// What the data set is made of.
    pub parameters: Parameters,
    /// Records in all files.
    pub records: u64,
    /// The right output for every key: `ts`, keeping the first by `id`, then `data`; and `id,ts`,
    /// keeping the first by `data`.
    pub keys: BTreeMap<String, KeyAnswer>,
}

/// The right output for one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAnswer {
    /// Rows: different keys.
    pub rows: u64,
    /// Digest of the rows.
    pub digest: String,
    /// What became of the other records.
    pub duplicates: Duplicates,
}

/// Records that are dropped in favour of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicates {
    /// Those equal to their survivor in every column.
    pub identical: u64,
    /// The others.
    pub conflicting: u64,
}

impl Answer {
    /// The text of its file.
    ///
    /// # Errors
    /// A bug of distil: it always can be written.
    pub fn to_json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|cause| Error::bug(format!("cannot write the answer: {cause}")))?;
        Ok(text + "\n")
    }
}

/// Collects the answer, group by group; parts merge in any order.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    by_instant: Part,
    /// What the key `id,ts` keeps beyond what the key `ts` keeps. The record with the smallest id
    /// and data also has the smallest data of its id, so both keep it.
    beyond: Part,
}

#[derive(Clone, Debug, Default)]
struct Part {
    rows: u64,
    digest: RowDigest,
    duplicates: Duplicates,
}

impl Collector {
    /// Adds the groups whose originals lie in a file.
    pub fn add_file(&mut self, records: &Records<'_>, file: u64) {
        records.for_each_group(file, |group| self.add_group(group));
    }

    /// Adds all records of one instant.
    fn add_group(&mut self, group: &mut [Record]) {
        group.sort_unstable();
        let mut first_id = true;
        for same_id in group.chunk_by(|a, b| a.id == b.id) {
            if first_id {
                self.by_instant.add_row(&same_id[0]);
            } else {
                self.beyond.add_row(&same_id[0]);
            }
            first_id = false;
            self.beyond.duplicates.add(same_id);
        }
        self.by_instant.duplicates.add(group);
    }

    /// Adds what another collector has seen.
    pub fn merge(&mut self, other: &Self) {
        self.by_instant.merge(&other.by_instant);
        self.beyond.merge(&other.beyond);
    }

    /// The answer, once all files are added.
    pub fn finish(self, parameters: &Parameters) -> Answer {
        let Self { by_instant, mut beyond } = self;
        beyond.rows += by_instant.rows;
        beyond.digest.merge(&by_instant.digest);
        Answer {
            version: FORMAT_VERSION,
            parameters: parameters.clone(),
            records: parameters.total_records(),
            keys: BTreeMap::from([
                ("ts".to_owned(), by_instant.finish()),
                ("id,ts".to_owned(), beyond.finish()),
            ]),
        }
    }
}

impl Duplicates {
    /// Counts all but the first, which survives, of records in order.
    fn add(&mut self, records: &[Record]) {
        let equal = records.iter().filter(|&record| *record == records[0]).count() as u64;
        self.identical += equal - 1;
        self.conflicting += records.len() as u64 - equal;
    }
}

impl Part {
    fn add_row(&mut self, record: &Record) {
        // Both texts are ASCII by construction.
        let (data, id) = (data_text(record), id_text(record));
        self.rows += 1;
        self.digest.begin_row(3);
        self.digest.name("data");
        self.digest.string(std::str::from_utf8(&data).unwrap_or_default());
        self.digest.name("id");
        self.digest.string(std::str::from_utf8(&id).unwrap_or_default());
        self.digest.name("ts");
        self.digest.timestamp_nanos(i128::from(record.instant) * 1_000_000);
        self.digest.end_row();
    }

    fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.digest.merge(&other.digest);
        self.duplicates.identical += other.duplicates.identical;
        self.duplicates.conflicting += other.duplicates.conflicting;
    }

    fn finish(self) -> KeyAnswer {
        KeyAnswer {
            rows: self.rows,
            digest: self.digest.finish().to_string(),
            duplicates: self.duplicates,
        }
    }
}
