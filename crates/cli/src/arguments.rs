//! Arguments as they are typed, but for those that `flags` makes from the options of jobs and backends.

pub(crate) mod emr;

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use distil::audit::ExpectedNodes;
use distil::configuration::{BackendOptions, Heading, JobOptions};
use distil::{Configuration, Error, Result, Stores};

use crate::flags::{Flags, Group, Planning, Reading, Resources, Running, help as help_of};
use crate::help;

/// JSON records to clean Parquet, one record for every key.
#[derive(Debug, Parser)]
#[command(
    name = "distil",
    version,
    about = "JSON records to clean Parquet, one record for every key",
    help_template = help::TEMPLATE,
    before_help = help::DISTIL,
    after_help = "Run `distil COMMAND --help` for all options of a command, and `distil --licenses` for the\n\
                  licences of everything that it contains."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print errors and warnings only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Show the first conflicts and a log (-vv for a debug log)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read JSON records, keep one for every key, write Parquet
    #[command(
        help_template = help::TEMPLATE,
        before_help = help::RUN,
        after_long_help = help::EXIT_STATUSES
    )]
    Run(Box<RunArguments>),
    /// Read records that a run set aside, as they are or mended, with the plan of that run
    #[command(help_template = help::TEMPLATE, before_help = help::REPLAY)]
    Replay(ReplayArguments),
    /// Print the plan of a run as JSON, for `distil run --plan`
    #[command(help_template = help::TEMPLATE, before_help = help::PLAN)]
    Plan(Box<PlanArguments>),
    /// Write test data with a known answer
    #[command(help_template = help::TEMPLATE, before_help = help::GENERATE)]
    Generate(GenerateArguments),
    /// Infer the schema of JSON records from all the data
    #[command(help_template = help::TEMPLATE, before_help = help::SCHEMA)]
    Schema(SchemaArguments),
    /// Print the first rows of an output as JSON lines
    #[command(help_template = help::TEMPLATE, before_help = help::HEAD)]
    Head(HeadArguments),
    /// Print the digest of an output: equal rows have equal digests, on any backend
    Digest(OutputArgument),
    /// Check an output against its own footer, and against a reference
    #[command(help_template = help::TEMPLATE, before_help = help::VERIFY)]
    Verify(VerifyArguments),
    /// Did every node of a cluster work? Judge what Spark recorded of an application
    #[command(
        help_template = help::TEMPLATE,
        before_help = help::AUDIT,
        after_long_help = help::AUDIT_STATUSES
    )]
    Audit(AuditArguments),
    /// List the backends that can be named, or check whether they answer
    #[command(help_template = help::TEMPLATE, before_help = help::BACKENDS)]
    Backends(BackendsArguments),
    /// Run jobs on clusters of Amazon EMR, which cost money: `distil emr plan` says how much
    #[command(help_template = help::TEMPLATE, before_help = help::EMR)]
    Emr(emr::EmrArguments),
    /// Trust a configuration file, which may then start programs and reach addresses
    #[command(help_template = help::TEMPLATE, before_help = help::TRUST)]
    Trust(TrustArguments),
    /// Print a completion script
    Completions {
        /// For this shell
        shell: clap_complete::Shell,
    },
}

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

/// A plan, as flags or a job of the configuration.
#[derive(Args, Debug)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    flags: Flags<Planning>,
    /// Run this job of the configuration; flags override its options
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
        Configuration::read(&Stores::default(), self.config.as_deref())
    }
}

impl PlanArguments {
    /// The options of a run: flags, and where they are silent those of the job.
    pub(crate) fn options(&self, configuration: &Configuration) -> Result<JobOptions> {
        let flags = self.flags.options()?;
        Ok(match &self.job {
            Some(name) => flags.or(configuration.job(name)?.clone()),
            None => flags,
        })
    }
}

/// What a run may use.
#[derive(Args, Debug)]
pub(crate) struct ResourceArguments {
    #[command(flatten)]
    flags: Flags<Resources>,
    // A path need not be text, so it does not come with the other flags.
    #[arg(
        long,
        value_name = "DIR",
        help = help_of(BackendOptions::OPTIONS, "temp_dir"),
        help_heading = Heading::Resources.text()
    )]
    temp_dir: Option<PathBuf>,
    /// Where progress is shown
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = Heading::Resources.text()
    )]
    pub(crate) progress: ProgressChoice,
}

impl ResourceArguments {
    /// The options of the backend that are given.
    ///
    /// # Errors
    /// A usage error for a value that is not one of the option's.
    pub(crate) fn options(&self) -> Result<BackendOptions> {
        let mut options = BackendOptions::of_flags(self.flags.texts())?;
        options.temp_dir.clone_from(&self.temp_dir);
        Ok(options)
    }
}

#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) plan_arguments: PlanArguments,
    #[command(flatten)]
    pub(crate) running: Flags<Running>,
    /// Check everything but the records, and write nothing
    #[arg(long, help_heading = Heading::Running.text())]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) resources: ResourceArguments,
    /// Run this plan, made by `distil plan`, instead of one from flags
    #[arg(long, value_name = "FILE.json", conflicts_with_all = [Planning::NAME, "job"])]
    pub(crate) plan: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArguments {
    /// The quarantine file: the `raw` of its lines may be mended, and lines may be taken out
    #[arg(value_name = "FILE.ndjson")]
    pub(crate) file: PathBuf,
    /// Another output than that of the run: NAME.parquet is a file, any other name a directory
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: String,
    /// Write the report to this file, as a page for people if its name ends in .html, or to standard output with -
    #[arg(long, value_name = "FILE.json|FILE.html|-")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) configuration: ConfigurationArguments,
    #[command(flatten)]
    pub(crate) resources: ResourceArguments,
}

#[derive(Args, Debug)]
pub(crate) struct AuditArguments {
    /// The id of an application, its event log, or the URL of a History Server or of the driver
    #[arg(value_name = "APPLICATION|LOG|URL")]
    pub(crate) source: String,
    /// Where the id is looked for: the URL of a History Server, or a directory of event logs
    #[arg(long, value_name = "URL|DIR")]
    pub(crate) from: Option<String>,
    /// The cluster, which is asked for its nodes: the URL of a ResourceManager of YARN, or of a standalone Master
    #[arg(long, value_name = "URL")]
    pub(crate) cluster: Option<String>,
    /// Nodes that must have worked, by their number or their names
    #[arg(long, value_name = "N|NAME,...", value_parser = parsed::<ExpectedNodes>)]
    pub(crate) nodes: Option<ExpectedNodes>,
    /// The least share of the time of its cores that each node must have been busy
    #[arg(long, value_name = "P%", default_value = "25%", value_parser = parsed_share)]
    pub(crate) min_busy: u8,
    /// The most percentage points by which these shares may differ
    #[arg(long, value_name = "P%", default_value = "40%", value_parser = parsed_share)]
    pub(crate) max_spread: u8,
    /// The most times that a task may take as long as the median of its stage
    #[arg(long, value_name = "N", default_value = "3", value_parser = parsed_times)]
    pub(crate) max_skew: f64,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the audit to this file too, as a page for people if its name ends in .html
    #[arg(long, value_name = "FILE.json|FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Look again and again until the application is over, and judge it then
    #[arg(long)]
    pub(crate) watch: bool,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 5, requires = "watch", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) every: u64,
}

fn parsed_times(text: &str) -> Result<f64, String> {
    let times = text.parse::<f64>().ok().filter(|times| times.is_finite() && *times >= 1.0);
    with_help(times.ok_or_else(|| {
        Error::usage(format!("`{text}` is not a number of times")).help("write a number from 1 on")
    }))
}

#[derive(Args, Debug)]
pub(crate) struct BackendsArguments {
    #[command(subcommand)]
    pub(crate) command: Option<BackendsCommand>,
    #[command(flatten)]
    pub(crate) configuration: ConfigurationArguments,
}

#[derive(Args, Debug)]
pub(crate) struct TrustArguments {
    /// The file
    #[arg(value_name = "FILE.toml", default_value = "distil.toml")]
    pub(crate) file: PathBuf,
    /// Trust it no longer
    #[arg(long)]
    pub(crate) forget: bool,
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
    /// A directory that is new or empty; the answer is written beside it, to DIR.answer.json
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
        Error::usage(format!("`{text}` is not a percentage"))
            .help("write a whole percentage such as 50%")
    }))
}

#[derive(Args, Debug)]
pub(crate) struct SchemaArguments {
    #[command(flatten)]
    pub(crate) flags: Flags<Reading>,
    /// Print JSON that `--schema FILE.json` reads
    #[arg(long)]
    pub(crate) json: bool,
    /// Say what forced each type, and where
    #[arg(long, conflicts_with = "json")]
    pub(crate) why: bool,
    /// Print the flags that make columns hold the types of most of their values
    #[arg(long, conflicts_with_all = ["json", "why"])]
    pub(crate) fix: bool,
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
    /// Another output, the report of a run, or the DIR.answer.json of generated data
    #[arg(value_name = "REF")]
    pub(crate) reference: Option<PathBuf>,
}
