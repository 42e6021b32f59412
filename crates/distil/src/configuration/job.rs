//! `[jobs.NAME]`, and the plan that its options make. Flags of the command are such options too.
#![allow(rustdoc::broken_intra_doc_links, reason = "the texts are those of the help as well")]

use distil_plan::{
    Added, ColumnPath, Compression, Dedup, Error, ExtraMembers, Hint, Keep, Key, Layout,
    MaxQuarantined, Mode, NullKeys, NullText, OnConflict, OrderBy, Plan, QuarantineSpec,
    RecordsPath, Repairs, Result, Shape, Sink,
};
use distil_storage::Storage;

use super::declare::{Heading, options};
use super::values::{NullTexts, PathText, PathTexts, SchemaText, Size, Types};
use crate::Output;
use crate::earlier::{hints_of, schema_of};
use crate::files::parse_schema_argument;

options! {
    /// What a job reads, keeps and writes.
    pub struct JobOptions {
        /// Files, directories, globs in quotes, or - for standard input
        #[heading = Heading::Reading]
        #[spelling = "SOURCE"]
        source: PathTexts,
        /// The output: NAME.parquet (or .parq, .pq) is a file, any other name a directory
        #[short = 'o']
        #[value = "OUT"]
        output: PathText,
        /// Columns whose values make two records the same, or '*' for the whole record
        #[short = 'k']
        key: Key,
        /// Take all files of directories, not only those that look like JSON
        #[heading = Heading::Reading]
        all_files: bool,
        /// Where in each value of a file its records are: /data/items, '/*' for all elements or members, '/{id}' for members whose names become a column
        #[heading = Heading::Reading]
        #[value = "PATH"]
        records: RecordsPath,
        /// Members around the records that each of them gets as a column: NAME=/PATH
        #[heading = Heading::Reading]
        add: Vec<Added>,
        /// Give records the columns that directories name, as year=2024/month=05 does
        #[heading = Heading::Reading]
        hive: bool,
        /// Give records the columns _file and _position, which say where they lie
        #[heading = Heading::Reading]
        origin: bool,
        /// How values follow each other in a file: auto, lines, concatenated or array; /PATH is short for --records
        #[heading = Heading::Reading]
        #[default = "auto"]
        shape: Shape,
        /// Types of single columns; the others are inferred from all the data
        #[heading = Heading::Reading]
        #[spelling = "--type"]
        types: Types,
        /// Strings that stand for null: 'price=NA|N/A,qty=-', or without a column 'NA'
        #[heading = Heading::Reading]
        null_text: NullTexts,
        /// Take only values that are spelled as their declared type is: no numbers in strings
        #[heading = Heading::Reading]
        strict_types: bool,
        /// All columns: FILE.json, or text such as 'id string, ts timestamp(ms)'
        #[heading = Heading::Reading]
        schema: SchemaText,
        /// Keep the types of an earlier output; other columns are inferred
        #[heading = Heading::Reading]
        #[value = "OUT"]
        schema_from: PathText,
        /// What to do with members outside a declared schema
        #[heading = Heading::Reading]
        #[default = "error"]
        extra_members: ExtraMembers,
        /// Mend what is invalid, and count it: nan, surrogates, duplicate-members
        #[heading = Heading::Reading]
        repair: Repairs,
        /// The largest record
        #[heading = Heading::Reading]
        #[default = "64MiB"]
        max_record: Size,
        /// Which copy survives: the first in this order, 'COL [as text] [asc|desc], ...'
        #[heading = Heading::Duplicates]
        order_by: Vec<OrderBy>,
        /// Keep the first or the last record of each key
        #[heading = Heading::Duplicates]
        #[default = "first"]
        keep: Keep,
        /// What to do with records whose key is null
        #[heading = Heading::Duplicates]
        #[default = "error"]
        null_keys: NullKeys,
        /// What to do when records with the same key differ
        #[heading = Heading::Duplicates]
        #[default = "keep"]
        on_conflict: OnConflict,
        /// Write the conflicting records that did not survive to this file
        #[heading = Heading::Duplicates]
        #[value = "FILE.parquet"]
        dropped: PathText,
        /// Set bad records aside in this file and go on
        #[heading = Heading::BadRecords]
        #[value = "FILE.ndjson"]
        quarantine: PathText,
        /// Fail if more records and ranges than this are bad: a count, or a share of records and bytes such as 0.1%
        #[heading = Heading::BadRecords]
        max_quarantined: MaxQuarantined,
        /// Columns to write, in this order; survivors are chosen before
        #[heading = Heading::Output]
        columns: Vec<ColumnPath>,
        /// Let input without a record be no error: the output has no rows
        #[heading = Heading::Output]
        allow_empty: bool,
        /// What to do if the output exists
        #[heading = Heading::Output]
        #[default = "error"]
        mode: Mode,
        /// Write one file or a directory of files
        #[heading = Heading::Output]
        #[default = "from the name of OUT"]
        layout: Layout,
        /// Most rows of a file in a directory
        #[heading = Heading::Output]
        max_file_rows: u64,
        /// Most bytes of a file in a directory
        #[heading = Heading::Output]
        max_file_bytes: Size,
        /// Most rows of a row group
        #[heading = Heading::Output]
        row_group_rows: u64,
        /// Compression: zstd[:LEVEL], snappy, lz4 or none
        #[heading = Heading::Output]
        #[default = "zstd"]
        compression: Compression,
        /// Columns that get a bloom filter
        #[heading = Heading::Output]
        bloom: Vec<ColumnPath>,
        /// Compute the digest of the output, for its footer and the report
        #[heading = Heading::Output]
        digest: bool,
        /// The backend that runs the job: a name of the configuration, an engine, or a URL
        #[heading = Heading::Running]
        #[default = "native"]
        #[value = "NAME|URL"]
        backend: String,
        /// Write the report to this file, as a page for people if its name ends in .html, or to standard output with -
        #[heading = Heading::Running]
        #[value = "FILE.json|FILE.html|-"]
        report: PathText,
    }
}

impl JobOptions {
    /// The plan that is meant.
    ///
    /// # Errors
    /// A usage error for what is missing or can't be meant; an environment error if the file of the
    /// schema can't be read.
    pub fn plan(&self, storage: &dyn Storage) -> Result<Plan> {
        let missing =
            |what: &str, hint: Hint| Error::usage(format!("{what} is missing")).help(hint);
        let mut plan = self.reading_plan(storage)?;
        if plan.sources.is_empty() {
            return Err(missing(
                "the source",
                "name files, directories, globs in quotes, or -".into(),
            ));
        }
        let PathText(output) = self.output.as_ref().ok_or_else(|| {
            missing("the output", Hint::set("say where the rows go", "output", "OUT.parquet"))
        })?;
        let Some(key) = self.key.clone() else {
            return Err(missing(
                "the key",
                Hint::choose("name the columns that make two records the same", "key"),
            )
            .help(Hint::set("or compare the whole record", "key", "*")));
        };
        plan.dedup = Some(Dedup {
            key,
            order_by: self.order_by.clone().unwrap_or_default(),
            keep: self.keep.unwrap_or_default(),
            null_keys: self.null_keys.unwrap_or_default(),
            on_conflict: self.on_conflict.unwrap_or_default(),
        });
        plan.dropped = self.dropped.as_ref().map(|path| path.0.as_str().into());
        plan.quarantine = self.quarantine_spec()?;
        plan.columns.clone_from(&self.columns);
        plan.digest = self.digest.unwrap_or_default();
        plan.allow_empty = self.allow_empty.unwrap_or_default();
        plan.sink = self.sink(output);
        plan.check()
    }

    /// An output of this path as the options say.
    pub fn output(&self, path: &str) -> Output {
        Output {
            sink: self.sink(path),
            digest: self.digest.unwrap_or_default(),
            allow_empty: self.allow_empty.unwrap_or_default(),
        }
    }

    /// What becomes of bad records.
    ///
    /// # Errors
    /// A usage error for a limit of what is not set aside.
    pub(crate) fn quarantine_spec(&self) -> Result<QuarantineSpec> {
        let path = self.quarantine.as_ref().map(|path| path.0.as_str().into());
        if self.max_quarantined.is_some() && path.is_none() {
            return Err(Error::usage("a limit of bad records needs a file to set them aside in")
                .help(Hint::set("name the file", "quarantine", "FILE.ndjson")));
        }
        Ok(QuarantineSpec { path, max: self.max_quarantined })
    }

    fn sink(&self, output: &str) -> Sink {
        let mut sink = Sink::new(output);
        sink.mode = self.mode.unwrap_or_default();
        sink.layout = self.layout.unwrap_or(sink.layout);
        sink.max_file_rows = self.max_file_rows;
        sink.max_file_bytes = self.max_file_bytes.map(|size| size.0);
        sink.row_group_rows = self.row_group_rows.unwrap_or(sink.row_group_rows);
        sink.compression = self.compression.unwrap_or_default();
        sink.bloom = self.bloom.clone().unwrap_or_default();
        sink
    }

    /// A plan that only reads.
    ///
    /// # Errors
    /// As [`JobOptions::plan`], for what says how to read.
    pub fn reading_plan(&self, storage: &dyn Storage) -> Result<Plan> {
        let sources = self.source.clone().map_or(Vec::new(), |source| source.0);
        let mut plan = Plan::new(sources, Sink::new("schema.parquet"));
        plan.all_files = self.all_files.unwrap_or_default();
        plan.shape = self.shape.clone().unwrap_or_default();
        plan.records.clone_from(&self.records);
        plan.add = self.add.clone().unwrap_or_default();
        plan.hive = self.hive.unwrap_or_default();
        plan.origin = self.origin.unwrap_or_default();
        plan.settle_records()?;
        plan.schema.hints = self.types.clone().map_or(Vec::new(), |types| types.0);
        plan.schema.declared = match &self.schema {
            Some(SchemaText(text)) => Some(parse_schema_argument(storage, text)?),
            None => None,
        };
        if let Some(PathText(output)) = &self.schema_from {
            if self.schema.is_some() {
                return Err(Error::usage(
                    "the columns are declared, and taken of an output as well",
                )
                .help(Hint::choose("leave one of them out", "schema_from")));
            }
            let schema = schema_of(storage, output)?;
            // Who says what becomes of other members wants these columns and no others.
            if self.extra_members.is_some() {
                plan.schema.declared = Some(schema);
            } else {
                let given = std::mem::take(&mut plan.schema.hints);
                plan.schema.hints = hints_of(&schema, &given);
                plan.schema.hints.extend(given);
            }
        }
        plan.null_text = self.null_text.clone().map_or_else(NullText::default, |texts| texts.0);
        plan.strict_types = self.strict_types.unwrap_or_default();
        plan.extra_members = self.extra_members.unwrap_or_default();
        plan.repair = self.repair.clone().unwrap_or_default();
        plan.max_record = self.max_record.map_or(plan.max_record, |size| size.0);
        Ok(plan)
    }
}
