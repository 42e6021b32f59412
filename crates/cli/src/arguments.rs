//! Arguments as they are typed. Those of a plan are options of a job, which are declared in
//! `distil::configuration`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use distil::configuration::{
    BackendOptions, Declared, JobOptions, PathText, PathTexts, SchemaText, Size, Types,
};
use distil::{
    ColumnPath, Compression, Configuration, Error, ExtraMembers, Keep, Key, Layout, Local,
    MaxQuarantined, Mode, NullKeys, OnConflict, OrderBy, Result, Shape, Type, parse_size,
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
    /// List the backends that can be named, or check whether they answer
    Backends(BackendsArguments),
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
fn parsed_key(text: &str) -> Result<Key, String> {
    if text.trim() == "*" {
        return Ok(Key::Record);
    }
    with_help(ColumnPath::parse_list(text).map(Key::Columns))
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

/// What an option of a job means, as its declaration says.
fn job(name: &str) -> String {
    described(JobOptions::OPTIONS, name)
}

/// What an option of a backend means.
fn backend(name: &str) -> String {
    described(BackendOptions::OPTIONS, name)
}

fn described(options: &[Declared], name: &str) -> String {
    let Some(option) = options.iter().find(|option| option.name == name) else {
        return String::new();
    };
    match option.default {
        Some(default) => format!("{} [default: {default}]", option.meaning),
        None => option.meaning.to_owned(),
    }
}

/// What to read.
#[derive(Args, Debug)]
pub(crate) struct SourceArguments {
    /// Files, directories, globs in quotes, or - for standard input
    #[arg(value_name = "SOURCE")]
    pub(crate) sources: Vec<String>,
    #[arg(long, value_name = "SHAPE", value_parser = parsed::<Shape>, help = job("shape"), help_heading = "Reading")]
    pub(crate) shape: Option<Shape>,
    /// Type of a single column (repeatable); the others are inferred from all the data
    #[arg(long = "type", value_name = "NAME=TYPE", value_parser = parsed_hint, help_heading = "Reading")]
    pub(crate) types: Vec<(ColumnPath, Type)>,
    #[arg(long, value_name = "SCHEMA", help = job("schema"), help_heading = "Reading")]
    pub(crate) schema: Option<String>,
    #[arg(long, value_name = "WHAT", help = job("extra_members"), help_heading = "Reading")]
    pub(crate) extra_members: Option<ExtraChoice>,
    #[arg(long, value_name = "SIZE", value_parser = parsed_size, help = job("max_record"), help_heading = "Reading")]
    pub(crate) max_record: Option<u64>,
}

/// A plan, as flags or a job of the configuration.
#[derive(Args, Debug)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,
    #[command(flatten)]
    pub(crate) result: ResultArguments,
    /// A job of the configuration; flags are stronger than its options
    #[arg(long, value_name = "NAME")]
    pub(crate) job: Option<String>,
    #[command(flatten)]
    pub(crate) configuration: ConfigurationArguments,
}

/// Where the configuration is.
#[derive(Args, Debug)]
pub(crate) struct ConfigurationArguments {
    /// The configuration; by default, distil.toml if it is there
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) config: Option<PathBuf>,
}

impl ConfigurationArguments {
    /// The configuration that is meant.
    pub(crate) fn read(&self) -> Result<Configuration> {
        Configuration::read(&Local, self.config.as_deref())
    }
}

/// What to keep of what is read, and where to write it.
#[derive(Args, Debug)]
pub(crate) struct ResultArguments {
    #[arg(short, long, value_name = "OUT", help = job("output"))]
    pub(crate) output: Option<String>,
    #[arg(short, long, value_name = "COLS", value_parser = parsed_key, help = job("key"))]
    pub(crate) key: Option<Key>,
    #[arg(long, value_name = "ORDER", help = job("order_by"), help_heading = "Duplicates")]
    pub(crate) order_by: Option<String>,
    #[arg(long, value_name = "END", help = job("keep"), help_heading = "Duplicates")]
    pub(crate) keep: Option<KeepChoice>,
    #[arg(long, value_name = "WHAT", help = job("null_keys"), help_heading = "Duplicates")]
    pub(crate) null_keys: Option<NullChoice>,
    #[arg(long, value_name = "WHAT", help = job("on_conflict"), help_heading = "Duplicates")]
    pub(crate) on_conflict: Option<ConflictChoice>,
    #[arg(long, value_name = "FILE.parquet", help = job("dropped"), help_heading = "Duplicates")]
    pub(crate) dropped: Option<String>,
    #[arg(long, value_name = "FILE.ndjson", help = job("quarantine"), help_heading = "Bad records")]
    pub(crate) quarantine: Option<String>,
    #[arg(long, value_name = "N|P%", value_parser = parsed::<MaxQuarantined>, help = job("max_quarantined"), help_heading = "Bad records")]
    pub(crate) max_quarantined: Option<MaxQuarantined>,
    #[arg(long, value_name = "COLS", help = job("columns"), help_heading = "Output")]
    pub(crate) columns: Option<String>,
    #[arg(long, value_name = "MODE", help = job("mode"), help_heading = "Output")]
    pub(crate) mode: Option<ModeChoice>,
    #[arg(long, value_name = "LAYOUT", help = job("layout"), help_heading = "Output")]
    pub(crate) layout: Option<LayoutChoice>,
    #[arg(long, value_name = "N", help = job("max_file_rows"), help_heading = "Output")]
    pub(crate) max_file_rows: Option<u64>,
    #[arg(long, value_name = "SIZE", value_parser = parsed_size, help = job("max_file_bytes"), help_heading = "Output")]
    pub(crate) max_file_bytes: Option<u64>,
    #[arg(long, value_name = "N", help = job("row_group_rows"), help_heading = "Output")]
    pub(crate) row_group_rows: Option<u64>,
    #[arg(long, value_name = "CODEC", value_parser = parsed::<Compression>, help = job("compression"), help_heading = "Output")]
    pub(crate) compression: Option<Compression>,
    #[arg(long, value_name = "COLS", help = job("bloom"), help_heading = "Output")]
    pub(crate) bloom: Option<String>,
    #[arg(long, help = job("digest"), help_heading = "Output")]
    pub(crate) digest: bool,
}

impl PlanArguments {
    /// The options that are meant: flags, and behind them those of the job.
    pub(crate) fn options(&self, configuration: &Configuration) -> Result<JobOptions> {
        let columns =
            |text: &Option<String>| text.as_deref().map(ColumnPath::parse_list).transpose();
        let result = &self.result;
        let mut flags = self.source.options();
        flags.output = result.output.clone().map(PathText);
        flags.key.clone_from(&result.key);
        flags.order_by = result.order_by.as_deref().map(OrderBy::parse_list).transpose()?;
        flags.keep = result.keep.map(Into::into);
        flags.null_keys = result.null_keys.map(Into::into);
        flags.on_conflict = result.on_conflict.map(Into::into);
        flags.dropped = result.dropped.clone().map(PathText);
        flags.quarantine = result.quarantine.clone().map(PathText);
        flags.max_quarantined = result.max_quarantined;
        flags.columns = columns(&result.columns)?;
        flags.mode = result.mode.map(Into::into);
        flags.layout = result.layout.map(Into::into);
        flags.max_file_rows = result.max_file_rows;
        flags.max_file_bytes = result.max_file_bytes.map(Size);
        flags.row_group_rows = result.row_group_rows;
        flags.compression = result.compression;
        flags.bloom = columns(&result.bloom)?;
        flags.digest = result.digest.then_some(true);
        Ok(match &self.job {
            Some(name) => flags.or(configuration.job(name)?.clone()),
            None => flags,
        })
    }
}

impl SourceArguments {
    /// The options that are meant.
    pub(crate) fn options(&self) -> JobOptions {
        let mut options = JobOptions::default();
        options.source = (!self.sources.is_empty()).then(|| PathTexts(self.sources.clone()));
        options.shape.clone_from(&self.shape);
        options.types = (!self.types.is_empty()).then(|| Types(self.types.clone()));
        options.schema = self.schema.clone().map(SchemaText);
        options.extra_members = self.extra_members.map(Into::into);
        options.max_record = self.max_record.map(Size);
        options
    }
}

/// What a run may use.
#[derive(Args, Debug)]
pub(crate) struct ResourceArguments {
    #[arg(long, value_name = "N", help = backend("threads"), help_heading = "Resources")]
    pub(crate) threads: Option<u64>,
    #[arg(long, value_name = "SIZE", value_parser = parsed_size, help = backend("memory"), help_heading = "Resources")]
    pub(crate) memory: Option<u64>,
    #[arg(long, value_name = "DIR", help = backend("temp_dir"), help_heading = "Resources")]
    pub(crate) temp_dir: Option<PathBuf>,
    /// Where progress is shown
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Resources")]
    pub(crate) progress: ProgressChoice,
}

impl ResourceArguments {
    /// The options that are meant.
    pub(crate) fn options(&self) -> BackendOptions {
        let mut options = BackendOptions::default();
        options.threads = self.threads;
        options.memory = self.memory.map(Size);
        options.temp_dir.clone_from(&self.temp_dir);
        options
    }
}

#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) plan_arguments: PlanArguments,
    #[command(flatten)]
    pub(crate) resources: ResourceArguments,
    /// Run this plan, made by `distil plan`, instead of one from flags
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["ResultArguments", "SourceArguments", "job"])]
    pub(crate) plan: Option<PathBuf>,
    /// The backend that runs the plan: a name of the configuration, an engine, or a URL [default:
    /// native]
    #[arg(long, value_name = "NAME|URL")]
    pub(crate) backend: Option<String>,
    #[arg(long, value_name = "FILE.json|-", help = job("report"))]
    pub(crate) report: Option<String>,
    /// Resolve and check everything, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BackendsArguments {
    #[command(subcommand)]
    pub(crate) command: Option<BackendsCommand>,
    #[command(flatten)]
    pub(crate) configuration: ConfigurationArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackendsCommand {
    /// Start or reach backends, and tell their versions or what is missing
    Check {
        /// A name of the configuration, an engine, or a URL; by default, all
        name: Option<String>,
    },
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
