//! Arguments as they are typed. What they mean is made of them in [`PlanArguments::plan`].

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use distil::{
    BACKENDS, ColumnPath, Compression, Dedup, Error, ExtraMembers, Keep, Layout, Local,
    MaxQuarantined, Mode, NullKeys, OnConflict, Options, OrderBy, Plan, Result, Shape, Sink, Type,
    parse_schema_argument, parse_size,
};

/// JSON records to clean Parquet, one record for every key.
#[derive(Debug, Parser)]
#[command(
    name = "distil",
    version,
    about = "JSON records to clean Parquet, one record for every key",
    after_help = "Examples:\n  distil run incoming/ -o events.parquet --key ts --order-by 'id, data'\n  \
                  distil schema incoming/ --why\n  distil verify events.parquet\n\n\
                  `distil COMMAND --help` tells more.",
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print more: the first conflicts, and a log (twice: a longer one)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read JSON records, keep one for every key, write Parquet
    #[command(after_long_help = RUN_EXAMPLES)]
    Run(Box<RunArguments>),
    /// Print the plan of a run as JSON, for `distil run --plan`
    Plan(Box<PlanArguments>),
    /// Write test data with a known answer
    Generate(GenerateArguments),
    /// Infer the schema of JSON records from all the data
    Schema(SchemaArguments),
    /// Print the first rows of an output as JSON lines
    Head(HeadArguments),
    /// Print the digest of an output: equal rows have equal digests, on any backend
    Digest(OutputArgument),
    /// Check an output against its own footer, and against a reference
    Verify(VerifyArguments),
    /// Print a completion script
    Completions {
        /// For this shell
        shell: clap_complete::Shell,
    },
}

const RUN_EXAMPLES: &str = "Examples:
  One row for every instant, the one with the smallest id and data:
    distil run incoming/ -o events.parquet --key ts --order-by 'id, data'

  The newest version of every customer, bad records set aside:
    distil run 'dump/*.json.gz' -o customers/ --key id --order-by updated --keep last \\
      --quarantine customers.bad.ndjson

  From standard input, exact copies dropped:
    cat events.ndjson | distil run - -o events.parquet --key '*'

Exit status: 0 done; 1 the input is at fault; 2 usage; 3 the environment; 4 committed, but the
report or a final sync failed; 5 the output exists or is locked; 130, 143 interrupted.";

/// One variant for each spelling of an enumeration of the plan.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident => $target:ident { $($(#[$doc:meta])* $variant:ident => $value:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
        pub(crate) enum $name { $($(#[$doc])* $variant),+ }

        impl From<$name> for $target {
            fn from(choice: $name) -> Self {
                match choice { $($name::$variant => Self::$value),+ }
            }
        }
    };
}

choice!(KeepChoice => Keep { First => First, Last => Last });
choice!(ExtraChoice => ExtraMembers { Error => Error, Ignore => Ignore, Keep => Keep });
choice!(NullChoice => NullKeys { Error => Error, Value => Value });
choice!(ConflictChoice => OnConflict { Keep => Keep, Warn => Warn, Error => Error });
choice!(ModeChoice => Mode { Error => Error, Overwrite => Overwrite });
choice!(LayoutChoice => Layout { File => File, Dir => Dir });

/// Where progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressChoice {
    /// On a terminal
    Auto,
    /// On a terminal, and as a line every ten seconds elsewhere
    Always,
    /// Nowhere
    Never,
}

/// What clap shows of an error: its advice, too.
fn with_help<T>(result: Result<T>) -> Result<T, String> {
    result.map_err(|error| {
        let help = error.hints.iter().map(|hint| format!("\n  help: {hint}"));
        std::iter::once(error.to_string()).chain(help).collect()
    })
}

fn parsed<T: FromStr<Err = Error>>(text: &str) -> Result<T, String> {
    with_help(text.parse())
}

fn parsed_size(text: &str) -> Result<u64, String> {
    with_help(parse_size(text))
}

/// A key: columns, or the whole record.
fn parsed_key(text: &str) -> Result<Dedup, String> {
    if text.trim() == "*" {
        return Ok(Dedup::on_record());
    }
    with_help(ColumnPath::parse_list(text).map(Dedup::on_columns))
}

fn parsed_hint(text: &str) -> Result<(ColumnPath, Type), String> {
    let hint = || {
        let (path, rest) = ColumnPath::parse_prefix_until(text, '=')?;
        let data_type = rest.strip_prefix('=').ok_or_else(|| {
            Error::usage(format!("`{text}` is no column and type"))
                .help("write NAME=TYPE, as in ts=timestamp(us)")
        })?;
        Ok((path, data_type.parse()?))
    };
    with_help(hint())
}

/// What to read.
#[derive(Args, Debug)]
pub(crate) struct SourceArguments {
    /// Files, directories, globs in quotes, or - for standard input
    #[arg(value_name = "SOURCE")]
    pub(crate) sources: Vec<String>,
    /// Where the records are: auto, lines, concatenated, array, or /PATH of an array in a document
    #[arg(long, value_name = "SHAPE", default_value = "auto", value_parser = parsed::<Shape>, help_heading = "Reading")]
    pub(crate) shape: Shape,
    /// Type of a single column (repeatable); the others are inferred from all the data
    #[arg(long = "type", value_name = "NAME=TYPE", value_parser = parsed_hint, help_heading = "Reading")]
    pub(crate) types: Vec<(ColumnPath, Type)>,
    /// All columns: FILE.json, or text such as 'id string, ts timestamp(ms)'
    #[arg(long, value_name = "SCHEMA", help_heading = "Reading")]
    pub(crate) schema: Option<String>,
    /// What to do with members outside a declared schema
    #[arg(long, value_name = "WHAT", default_value = "error", help_heading = "Reading")]
    pub(crate) extra_members: ExtraChoice,
    /// The largest record
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = parsed_size, help_heading = "Reading")]
    pub(crate) max_record: u64,
}

/// A plan, as flags.
#[derive(Args, Debug)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    #[command(flatten)]
    pub(crate) result: ResultArguments,
}

/// What to keep of what is read, and where to write it.
#[derive(Args, Debug)]
pub(crate) struct ResultArguments {
    /// The output: NAME.parquet is a file, any other name a directory
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<String>,
    /// Columns whose values make two records the same, or '*' for the whole record
    #[arg(short, long, value_name = "COLS", value_parser = parsed_key)]
    pub(crate) key: Option<Dedup>,
    /// Which copy survives: the first in this order, 'COL [asc|desc], ...'
    #[arg(long, value_name = "ORDER", help_heading = "Duplicates")]
    pub(crate) order_by: Option<String>,
    /// Which end of the order survives
    #[arg(long, value_name = "END", default_value = "first", help_heading = "Duplicates")]
    pub(crate) keep: KeepChoice,
    /// What a null in the key means
    #[arg(long, value_name = "WHAT", default_value = "error", help_heading = "Duplicates")]
    pub(crate) null_keys: NullChoice,
    /// What different records of one key mean
    #[arg(long, value_name = "WHAT", default_value = "keep", help_heading = "Duplicates")]
    pub(crate) on_conflict: ConflictChoice,
    /// Write the conflicting records that did not survive to this file
    #[arg(long, value_name = "FILE.parquet", help_heading = "Duplicates")]
    pub(crate) dropped: Option<String>,
    /// Set bad records aside in this file and go on
    #[arg(long, value_name = "FILE.ndjson", help_heading = "Bad records")]
    pub(crate) quarantine: Option<String>,
    /// The most bad records and ranges: a count, or a share such as 0.1%
    #[arg(long, value_name = "N|P%", help_heading = "Bad records", requires = "quarantine", value_parser = parsed::<MaxQuarantined>)]
    pub(crate) max_quarantined: Option<MaxQuarantined>,
    /// Columns to write, in this order; survivors are chosen before
    #[arg(long, value_name = "COLS", help_heading = "Output")]
    pub(crate) columns: Option<String>,
    /// What an existing output means
    #[arg(long, value_name = "MODE", default_value = "error", help_heading = "Output")]
    pub(crate) mode: ModeChoice,
    /// A file or a directory of files; by default OUT's name tells
    #[arg(long, value_name = "LAYOUT", help_heading = "Output")]
    pub(crate) layout: Option<LayoutChoice>,
    /// Most rows of a file in a directory
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub(crate) max_file_rows: Option<u64>,
    /// Most bytes of a file in a directory
    #[arg(long, value_name = "SIZE", value_parser = parsed_size, help_heading = "Output")]
    pub(crate) max_file_bytes: Option<u64>,
    /// Most rows of a row group
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub(crate) row_group_rows: Option<u64>,
    /// Compression: zstd[:LEVEL], snappy, lz4 or none
    #[arg(long, value_name = "CODEC", default_value = "zstd", value_parser = parsed::<Compression>, help_heading = "Output")]
    pub(crate) compression: Compression,
    /// Columns that get a bloom filter
    #[arg(long, value_name = "COLS", help_heading = "Output")]
    pub(crate) bloom: Option<String>,
    /// Compute the digest of the output, for its footer and the report
    #[arg(long, help_heading = "Output")]
    pub(crate) digest: bool,
}

impl PlanArguments {
    /// The plan that is meant.
    pub(crate) fn plan(&self) -> Result<Plan> {
        let result = &self.result;
        let missing =
            |what: &str, help: &str| Error::usage(format!("{what} is missing")).help(help);
        if self.source.sources.is_empty() {
            return Err(missing("the source", "name files, directories, globs in quotes, or -"));
        }
        let output =
            result.output.clone().ok_or_else(|| missing("the output", "add -o OUT.parquet"))?;
        if result.key.is_none() {
            return Err(missing("the key", "add --key COLUMNS, or --key '*' for the whole record"));
        }
        let mut plan = Plan::new(self.source.sources.clone(), Sink::new(output));
        self.source.apply(&mut plan)?;
        if let Some(dedup) = &result.key {
            plan.dedup = Some(Dedup {
                order_by: result
                    .order_by
                    .as_deref()
                    .map(OrderBy::parse_list)
                    .transpose()?
                    .unwrap_or_default(),
                keep: result.keep.into(),
                null_keys: result.null_keys.into(),
                on_conflict: result.on_conflict.into(),
                ..dedup.clone()
            });
        }
        plan.dropped.clone_from(&result.dropped);
        plan.quarantine.path.clone_from(&result.quarantine);
        plan.quarantine.max = result.max_quarantined;
        plan.columns = result.columns.as_deref().map(ColumnPath::parse_list).transpose()?;
        plan.digest = result.digest;
        let sink = &mut plan.sink;
        sink.mode = result.mode.into();
        if let Some(layout) = result.layout {
            sink.layout = layout.into();
        }
        sink.max_file_rows = result.max_file_rows;
        sink.max_file_bytes = result.max_file_bytes;
        if let Some(rows) = result.row_group_rows {
            sink.row_group_rows = rows;
        }
        sink.compression = result.compression;
        sink.bloom =
            result.bloom.as_deref().map(ColumnPath::parse_list).transpose()?.unwrap_or_default();
        plan.check()
    }
}

impl SourceArguments {
    fn apply(&self, plan: &mut Plan) -> Result<()> {
        plan.shape = self.shape.clone();
        plan.schema.hints.clone_from(&self.types);
        plan.schema.declared =
            self.schema.as_deref().map(|text| parse_schema_argument(&Local, text)).transpose()?;
        plan.extra_members = self.extra_members.into();
        plan.max_record = self.max_record;
        Ok(())
    }

    /// A plan that only reads.
    pub(crate) fn reading_plan(&self) -> Result<Plan> {
        let mut plan = Plan::new(self.sources.clone(), Sink::new("schema.parquet"));
        self.apply(&mut plan)?;
        Ok(plan)
    }
}

/// What a run may use.
#[derive(Args, Debug)]
pub(crate) struct ResourceArguments {
    /// Threads; by default, the cores that the process may use
    #[arg(long, value_name = "N", help_heading = "Resources")]
    pub(crate) threads: Option<usize>,
    /// Memory of the process; by default, 80 % of what it may use
    #[arg(long, value_name = "SIZE", value_parser = parsed_size, help_heading = "Resources")]
    pub(crate) memory: Option<u64>,
    /// Where temporary files go; by default, the directory of the output
    #[arg(long, value_name = "DIR", help_heading = "Resources")]
    pub(crate) temp_dir: Option<PathBuf>,
    /// Where progress is shown
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Resources")]
    pub(crate) progress: ProgressChoice,
}

impl ResourceArguments {
    /// The options that are meant.
    pub(crate) fn options(&self) -> Result<Options> {
        let mut options = Options::default();
        if let Some(threads) = self.threads {
            options.threads = threads;
        }
        if let Some(memory) = self.memory {
            options.memory = memory;
        }
        options.temp_dir.clone_from(&self.temp_dir);
        options.check()?;
        Ok(options)
    }
}

#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) plan_arguments: PlanArguments,
    #[command(flatten)]
    pub(crate) resources: ResourceArguments,
    /// Run this plan, made by `distil plan`, instead of one from flags
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["ResultArguments", "SourceArguments"])]
    pub(crate) plan: Option<PathBuf>,
    /// The engine that runs the plan
    #[arg(long, value_name = "NAME|URL", default_value = BACKENDS[0])]
    pub(crate) backend: String,
    /// Write the report to this file, or to standard output with -
    #[arg(long, value_name = "FILE.json|-")]
    pub(crate) report: Option<String>,
    /// Resolve and check everything, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct GenerateArguments {
    /// A directory that is new or empty; ANSWER.json is written beside it
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// Files
    #[arg(long, value_name = "N")]
    pub(crate) files: u64,
    /// Records in each file, each with an instant of its own
    #[arg(long, value_name = "N")]
    pub(crate) records: u64,
    /// Extra records in each file, with instants that others have
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) duplicates: u64,
    /// Share of the duplicates that lie in another file than their original
    #[arg(long, value_name = "P%", default_value = "0%", value_parser = parsed_share)]
    pub(crate) spread: u8,
    /// The first day
    #[arg(long, value_name = "YYYYMMDD")]
    pub(crate) date: Option<u32>,
    /// Days over which the instants are spread
    #[arg(long, value_name = "N")]
    pub(crate) days: Option<u64>,
    /// Another seed makes another data set
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How the records lie in a file: document, array or lines
    #[arg(long, value_name = "SHAPE", default_value = "document", value_parser = parsed::<distil_datagen::Shape>)]
    pub(crate) shape: distil_datagen::Shape,
    /// Compress the files
    #[arg(long)]
    pub(crate) gzip: bool,
}

fn parsed_share(text: &str) -> Result<u8, String> {
    let share = text.strip_suffix('%').and_then(|share| share.parse().ok());
    with_help(share.filter(|share| *share <= 100).ok_or_else(|| {
        Error::usage(format!("`{text}` is no share"))
            .help("write a whole number of per cent, such as 50%")
    }))
}

#[derive(Args, Debug)]
pub(crate) struct SchemaArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    /// Print JSON that `--schema FILE.json` reads
    #[arg(long)]
    pub(crate) json: bool,
    /// Say what forced each type, and where
    #[arg(long, conflicts_with = "json")]
    pub(crate) why: bool,
    #[command(flatten)]
    pub(crate) resources: ResourceArguments,
}

/// An output.
#[derive(Args, Debug)]
pub(crate) struct OutputArgument {
    /// An output of distil, or any Parquet file
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct HeadArguments {
    #[command(flatten)]
    pub(crate) output: OutputArgument,
    /// Rows
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) rows: usize,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    pub(crate) output: OutputArgument,
    /// Another output, the report of a run, or the ANSWER.json of generated data
    #[arg(value_name = "REF")]
    pub(crate) reference: Option<PathBuf>,
}
