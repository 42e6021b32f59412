//! `distil emr`

use std::hash::{BuildHasher, Hasher, RandomState};

use distil::configuration::check_wheels;
use distil::emr::{
    BOOTSTRAP, Emr, FIRST_JOB, New, Options, Outcome, Places, Receipt, Running, Watch,
    create_cluster, estimate, pasted, plan_text, run_job_flow,
};
use distil::{Configuration, Error, Report, Result, Stores, printable, read_plan};
use serde::Serialize;

use crate::arguments::emr::{
    EmrArguments, EmrCommand, EmrDownArguments, EmrJobArguments, EmrPlanArguments,
    EmrStatusArguments, EmrSubmitArguments, EmrUpArguments, EmrWatchArguments, Printed,
};
use crate::console::{self, Style};
use crate::signals::cancel_on_signals;
use crate::summary::{Beside, table};

pub(crate) fn run(arguments: &EmrArguments, quiet: bool) -> Result<()> {
    match &arguments.command {
        EmrCommand::Plan(arguments) => plan(arguments, quiet),
        EmrCommand::Up(arguments) => up(arguments, quiet),
        EmrCommand::Submit(arguments) => submit(arguments, quiet),
        EmrCommand::Status(arguments) => status(arguments, quiet),
        EmrCommand::Down(arguments) => down(arguments, quiet),
    }
}

/// Prints what would be asked of AWS. It is not asked.
fn plan(arguments: &EmrPlanArguments, quiet: bool) -> Result<()> {
    let name = &arguments.name.name;
    let configuration = arguments.name.configuration.read()?;
    let options =
        arguments.flags.cluster()?.or(configuration.cluster(name, false)?).resolve(name)?;
    let plan = job(&configuration, &arguments.job)?;
    // `up` adds what no other cluster has.
    let identity = format!("distil-{name}");
    let request = run_job_flow(&options, &identity, plan.as_ref().map(|_| FIRST_JOB))?;
    let estimate = estimate(&options)?;
    let commands = commands(&options, &identity, &request, arguments);
    let text = match arguments.print {
        Printed::Request => json(&request)?,
        Printed::Command => commands.clone(),
        Printed::Bootstrap => BOOTSTRAP.to_owned(),
        Printed::Plan => {
            plan.ok_or_else(|| Error::usage("there is no job: give --plan or --job"))? + "\n"
        }
    };
    console::write_out(&console::json_for_stdout(&text))?;
    if !quiet {
        if arguments.print == Printed::Request {
            console::print(&format!("\n{commands}\n"));
        }
        console::print(&estimate.to_string());
    }
    estimate.check(&options)
}

/// What `up` does, as commands for a shell.
fn commands(
    options: &Options,
    identity: &str,
    request: &serde_json::Value,
    arguments: &EmrPlanArguments,
) -> String {
    let places = Places::new(options, identity);
    let copied = |from: &str, to: &str| {
        let words = ["s3", "cp", from, to].map(str::to_owned);
        pasted("aws", &words)
    };
    let mut text = String::new();
    for wheel in options.wheels.iter().filter(|wheel| places.wheel(wheel) != **wheel) {
        text += &copied(wheel, &places.wheel(wheel));
    }
    let name = &arguments.name.name;
    let mut printed = |what: &str, more: &[String], to: &str| {
        let words = ["emr", "plan", name, "-q", "--print", what].map(str::to_owned);
        let words: Vec<String> = words.into_iter().chain(more.iter().cloned()).collect();
        let line = pasted("distil", &words).replace(" \\\n  ", " ");
        text += &format!("{} | {}", line.trim_end(), copied("-", to));
    };
    printed("bootstrap", &[], &places.bootstrap());
    let job = &arguments.job;
    let of_job = match (&job.plan, &job.job) {
        (Some(plan), _) => Some(vec!["--plan".to_owned(), plan.to_string_lossy().into_owned()]),
        (_, Some(job)) => Some(vec!["--job".to_owned(), job.clone()]),
        _ => None,
    };
    if let Some(more) = of_job {
        printed("plan", &more, &places.plan(FIRST_JOB));
    }
    text += &format!("echo distil | {}", copied("-", &format!("{}.keep", places.events())));
    text + &pasted("aws", &create_cluster(request))
}

fn up(arguments: &EmrUpArguments, quiet: bool) -> Result<()> {
    let name = &arguments.name.name;
    let configuration = arguments.name.configuration.read()?;
    let options =
        arguments.flags.cluster()?.or(configuration.cluster(name, true)?).resolve(name)?;
    let plan = job(&configuration, &arguments.job)?;
    check_wheels(&Stores::default(), &options)?;
    let identity = format!("distil-{name}-{}", unique());
    let new = New { identity: &identity, plan: plan.as_deref(), detach: arguments.detach };
    let (outcome, done) = with(&options, &arguments.watch, quiet, |emr| Ok(emr.up(&new)))?;
    deliver(&options, &outcome, &arguments.watch, quiet)?;
    done
}

fn submit(arguments: &EmrSubmitArguments, quiet: bool) -> Result<()> {
    let name = &arguments.name.name;
    let configuration = arguments.name.configuration.read()?;
    let options = configuration.cluster(name, false)?.resolve_running(name)?;
    let Some(plan) = job(&configuration, &arguments.job)? else {
        return Err(Error::usage("there is no job")
            .help("give it: --plan FILE.json, as distil plan prints it, or --job NAME"));
    };
    let cluster = arguments.which.cluster.as_deref();
    let (outcome, done) = with(&options, &arguments.watch, quiet, |emr| {
        Ok(emr.submit(cluster, &unique(), &plan, arguments.detach))
    })?;
    deliver(&options, &outcome, &arguments.watch, quiet)?;
    done
}

fn status(arguments: &EmrStatusArguments, quiet: bool) -> Result<()> {
    let configuration = arguments.configuration.read()?;
    let name = arguments.name.as_deref();
    let section = name.unwrap_or("default");
    let options = configuration.cluster(section, false)?.resolve_running(section)?;
    let all = with(&options, &arguments.watch, quiet, |emr| emr.status(name))?;
    if arguments.watch.json {
        return console::write_out(&console::json_for_stdout(&json(&all)?));
    }
    if all.is_empty() {
        return console::write_out("no cluster of distil runs\n");
    }
    console::write_out(&all.iter().map(line).collect::<String>())
}

/// A cluster in a line, and in another one why it should not run.
fn line(running: &Running) -> String {
    let Running { cluster, name, state, minutes, max_minutes, steps, receipt, left_running } =
        running;
    let minutes = minutes.map_or("-".to_owned(), |minutes| minutes.to_string());
    let cost = receipt.as_ref().map_or("-".to_owned(), Receipt::sum);
    let text = printable(&format!(
        "{cluster}  emr.{name}  {state}  {minutes} of {max_minutes} minutes  {steps} steps to do  {cost}"
    ));
    match left_running {
        None => text + "\n",
        Some(why) => {
            let why =
                printable(&format!("LEFT RUNNING: {why}: distil emr down --cluster {cluster}"));
            format!(
                "{}\n  {}\n",
                console::styled_out(Style::Error, &text),
                console::styled_out(Style::Error, &why)
            )
        }
    }
}

fn down(arguments: &EmrDownArguments, quiet: bool) -> Result<()> {
    let name = &arguments.name.name;
    let configuration = arguments.name.configuration.read()?;
    let options = configuration.cluster(name, false)?.resolve_running(name)?;
    let cluster = arguments.which.cluster.as_deref();
    let (receipts, done) = with(&options, &arguments.watch, quiet, |emr| Ok(emr.down(cluster)))?;
    if arguments.watch.json {
        console::write_out(&console::json_for_stdout(&json(&receipts)?))?;
    } else {
        for receipt in &receipts {
            console::write_out(&lines(receipt))?;
        }
        if receipts.is_empty() && done.is_ok() {
            console::write_out(&format!("no cluster of emr.{name} runs\n"))?;
        }
    }
    done
}

/// Has a conversation with EMR, which is told of on standard error.
fn with<T>(
    options: &Options,
    watch: &EmrWatchArguments,
    quiet: bool,
    work: impl FnOnce(&mut Emr<'_>) -> Result<T>,
) -> Result<T> {
    let cancel = cancel_on_signals()?;
    let tell = |line: &str, urgent: bool| {
        let line = printable(line);
        if urgent {
            console::print(&format!("{}\n", console::styled(Style::Error, &line)));
        } else if !quiet {
            console::print(&format!("{line}\n"));
        }
    };
    work(&mut Emr::open(options, Watch { poll: watch.poll, cancel: &cancel, tell: &tell })?)
}

/// Prints what a cluster came to, and what still runs.
fn deliver(
    options: &Options,
    outcome: &Outcome,
    watch: &EmrWatchArguments,
    quiet: bool,
) -> Result<()> {
    let report = outcome.report.as_ref().and_then(|text| serde_json::from_str::<Report>(text).ok());
    if let Some(report) = report.filter(|_| !quiet) {
        console::print(&table(&report, &Beside::default()));
    }
    if let (true, Some(cluster)) = (outcome.runs, &outcome.cluster) {
        let hour = estimate(options)
            .map_or(String::new(), |found| format!(", {} dollars an hour", found.hour));
        let text =
            printable(&format!("{cluster} still runs{hour}: distil emr down --cluster {cluster}"));
        console::print(&format!("{}\n", console::styled(Style::Error, &text)));
    }
    if watch.json {
        return console::write_out(&console::json_for_stdout(&json(outcome)?));
    }
    outcome.receipt.as_ref().map_or(Ok(()), |receipt| console::write_out(&lines(receipt)))
}

/// A receipt as lines that can't steer a terminal.
fn lines(receipt: &Receipt) -> String {
    receipt.to_string().lines().map(|line| printable(line) + "\n").collect()
}

/// The plan of the job, if one is given.
fn job(configuration: &Configuration, arguments: &EmrJobArguments) -> Result<Option<String>> {
    let plan = match (&arguments.plan, &arguments.job) {
        (Some(path), _) => read_plan(&Stores::default(), path)?,
        (None, Some(name)) => configuration.job(name)?.clone().plan(&Stores::default())?,
        (None, None) => return Ok(None),
    };
    plan_text(&plan).map(Some)
}

fn json(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n")
        .map_err(|error| Error::bug(format!("this has no JSON form: {error}")))
}

/// A word that nobody else has.
fn unique() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
