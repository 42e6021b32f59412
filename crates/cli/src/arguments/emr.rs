//! Arguments of `distil emr`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use distil::configuration::{Declared, EmrOptions, Heading};
use distil::{Error, Result};

use super::{ConfigurationArguments, with_help};
use crate::flags::{Flags, Group};
use crate::help;

#[derive(Args, Debug)]
pub(crate) struct EmrArguments {
    #[command(subcommand)]
    pub(crate) command: EmrCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EmrCommand {
    /// Print the request that creates a cluster; on standard error the command that sends it, and what it may cost
    #[command(help_template = help::TEMPLATE, before_help = help::EMR_PLAN)]
    Plan(EmrPlanArguments),
    /// Create a cluster, follow it to its end, and print what it came to
    #[command(help_template = help::TEMPLATE, before_help = help::EMR_UP)]
    Up(EmrUpArguments),
    /// Run a job on a cluster that is up, and follow it
    #[command(help_template = help::TEMPLATE, before_help = help::EMR_SUBMIT)]
    Submit(EmrSubmitArguments),
    /// List the clusters that cost money
    #[command(help_template = help::TEMPLATE, before_help = help::EMR_STATUS)]
    Status(EmrStatusArguments),
    /// End clusters, see that they ended, and print what they came to
    #[command(help_template = help::TEMPLATE, before_help = help::EMR_DOWN)]
    Down(EmrDownArguments),
}

/// Options of a cluster that are flags as well.
#[derive(Debug)]
pub(crate) struct Cluster;

impl Group for Cluster {
    const NAME: &'static str = "cluster_options";

    fn options() -> impl Iterator<Item = &'static Declared> {
        let shown = |heading| matches!(heading, Some(Heading::Cluster | Heading::Cost));
        EmrOptions::OPTIONS.iter().filter(move |option| shown(option.heading))
    }
}

impl Flags<Cluster> {
    /// # Errors
    /// A usage error for a value that is not one of the option's.
    pub(crate) fn cluster(&self) -> Result<EmrOptions> {
        EmrOptions::of_flags(self.texts())
    }
}

/// The job of a step.
#[derive(Args, Debug)]
#[group(id = "of_job", multiple = false)]
pub(crate) struct EmrJobArguments {
    /// Run this plan, made by `distil plan`
    #[arg(long, value_name = "FILE.json")]
    pub(crate) plan: Option<PathBuf>,
    /// Run this job of the configuration
    #[arg(long, value_name = "NAME")]
    pub(crate) job: Option<String>,
}

/// A section of the configuration.
#[derive(Args, Debug)]
pub(crate) struct EmrNameArguments {
    /// The section [emr.NAME] of the configuration
    #[arg(value_name = "NAME", default_value = "default")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) configuration: ConfigurationArguments,
}

/// How a cluster is looked at, and what is printed.
#[derive(Args, Debug)]
pub(crate) struct EmrWatchArguments {
    /// Seconds between two looks at a cluster
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = seconds)]
    pub(crate) poll: Duration,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct EmrPlanArguments {
    #[command(flatten)]
    pub(crate) name: EmrNameArguments,
    #[command(flatten)]
    pub(crate) job: EmrJobArguments,
    /// What goes to standard output
    #[arg(long, value_name = "WHAT", default_value = "request")]
    pub(crate) print: Printed,
    #[command(flatten)]
    pub(crate) flags: Flags<Cluster>,
}

/// What `plan` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Printed {
    /// The request, as JSON
    Request,
    /// The commands of `aws` that do the same
    Command,
    /// The bootstrap action
    Bootstrap,
    /// The plan of the job, as JSON
    Plan,
}

#[derive(Args, Debug)]
pub(crate) struct EmrUpArguments {
    #[command(flatten)]
    pub(crate) name: EmrNameArguments,
    #[command(flatten)]
    pub(crate) job: EmrJobArguments,
    /// Return as soon as the cluster is created
    #[arg(long)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) watch: EmrWatchArguments,
    #[command(flatten)]
    pub(crate) flags: Flags<Cluster>,
}

#[derive(Args, Debug)]
pub(crate) struct EmrSubmitArguments {
    #[command(flatten)]
    pub(crate) name: EmrNameArguments,
    #[command(flatten)]
    pub(crate) job: EmrJobArguments,
    #[command(flatten)]
    pub(crate) which: EmrClusterArgument,
    /// Return as soon as the step is added
    #[arg(long)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) watch: EmrWatchArguments,
}

/// A cluster, where its name is not enough.
#[derive(Args, Debug)]
pub(crate) struct EmrClusterArgument {
    /// The cluster, where more than one of the name runs
    #[arg(long, value_name = "j-ID")]
    pub(crate) cluster: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct EmrStatusArguments {
    /// Clusters of this section alone
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) configuration: ConfigurationArguments,
    #[command(flatten)]
    pub(crate) watch: EmrWatchArguments,
}

#[derive(Args, Debug)]
pub(crate) struct EmrDownArguments {
    #[command(flatten)]
    pub(crate) name: EmrNameArguments,
    #[command(flatten)]
    pub(crate) which: EmrClusterArgument,
    #[command(flatten)]
    pub(crate) watch: EmrWatchArguments,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let read = text.parse::<f64>().ok().filter(|seconds| *seconds <= 3600.0);
    with_help(read.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or_else(|| {
        Error::usage(format!("`{text}` is not a number of seconds up to 3600"))
            .help("write a number such as 15 or 0.5")
    }))
}
