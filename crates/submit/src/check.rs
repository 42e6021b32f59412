//! What a run stands on: Spark, the package in its Python, and the master.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use distil_external::{Heard, Process, ProcessOptions};
use distil_plan::{DISTIL_VERSION, Error, Result};
use serde::Deserialize;

use crate::NAME;
use crate::failure::{Ending, explain};
use crate::options::SubmitOptions;
use crate::yarn;

/// After this a question counts as one that hangs: both answer within seconds on a machine that has nothing else to do.
const PATIENCE: Duration = Duration::from_secs(300);
/// The longest wait for the connection to a master.
const CONNECT: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(50);

/// Says what the Python has. A package that can't be imported has a reason, such as a missing module.
const ASK: &str = "
import json
try:
    import distil.spark.application as found, distil
    told = {'version': distil.__version__, 'application': found.__file__}
except ImportError as error:
    told = {'missing': str(error)}
print(json.dumps(told))
";

/// What was found.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The versions, for people.
    pub(crate) version: String,
    /// The path of the application.
    pub(crate) application: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Package {
    There { version: String, application: String },
    Missing { missing: String },
}

/// # Errors
/// An environment error: what is missing or does not answer, and how to mend it.
pub(crate) fn check(options: &SubmitOptions) -> Result<Checked> {
    let (version, application) = package(options)?;
    let spark = spark(options)?;
    let master = reach(options)?;
    let application = options.application.clone().unwrap_or(application);
    let version = format!("Spark {spark}, master {master}, distil {version} in {}", options.python);
    Ok(Checked { version, application })
}

/// The version of the package in the Python, and its application.
fn package(options: &SubmitOptions) -> Result<(String, String)> {
    let python = &options.python;
    let mut command = options.process(python);
    command.arguments = vec!["-c".into(), ASK.into()];
    let another = "or name another Python in the configuration: python = \".venv/bin/python\"";
    let install = format!("{python} -m pip install distil=={DISTIL_VERSION}");
    let ending = ended(&command)
        .map_err(|error| error.help(format!("install Python 3.11 or later, {another}")))?;
    let told = ending.printed.last().and_then(|line| serde_json::from_str(line).ok());
    match told {
        Some(Package::There { version, application }) if version == DISTIL_VERSION => {
            Ok((version, application))
        }
        Some(Package::There { version, .. }) => Err(Error::environment(format!(
            "the Python {python} of the backend {NAME} has distil {version}, and this is distil {DISTIL_VERSION}"
        ))
        .help(format!("install the same version: {install}"))),
        Some(Package::Missing { missing }) => Err(Error::environment(format!(
            "the Python {python} of the backend {NAME} does not have the package distil: {missing}"
        ))
        .help(format!("install it: {install}"))
        .help(another)),
        None => {
            let what = format!("the Python {python} of the backend {NAME} {}", ending.how);
            let error = ending.telling().into_iter().fold(Error::environment(what), Error::detail);
            Err(error.help(format!("install Python 3.11 or later, {another}")))
        }
    }
}

/// The version of Spark.
fn spark(options: &SubmitOptions) -> Result<String> {
    let mut command = options.process(&options.submit[0]);
    command.arguments = options.submit[1..].iter().map(Into::into).collect();
    command.arguments.push("--version".into());
    command.kept = 40;
    let ending = ended(&command).map_err(|error| {
        error.help("install Spark, or name its command in the configuration: submit = \"/opt/spark/bin/spark-submit\"")
    })?;
    let version = |line: &String| Some(line.rsplit_once("   version ")?.1.trim().to_owned());
    ending.log.iter().find_map(version).ok_or_else(|| explain(options, &ending))
}

/// Runs a short command to its end, or until it only waits for a YARN that is not there.
pub(crate) fn ended(command: &ProcessOptions) -> Result<Ending> {
    let mut process = Process::start(command).map_err(|mut error| {
        error.hints.clear();
        error.what = format!("the backend {NAME} did not start: {}", error.what);
        error
    })?;
    let began = Instant::now();
    let mut printed = Vec::new();
    while began.elapsed() < PATIENCE {
        match process.hear(TICK) {
            Heard::Line(line) => printed.push(String::from_utf8_lossy(&line).into_owned()),
            Heard::Silence if yarn::is_unreachable(&process.says()) => process.terminate(),
            Heard::Silence => {}
            Heard::Closed => break,
        }
    }
    let how = process.end(TICK.max(PATIENCE.saturating_sub(began.elapsed())));
    Ok(Ending { how, log: process.said(), printed })
}

/// Connects to a master of a standalone cluster, and asks YARN for its nodes: Spark itself would try for a minute or more, and
/// say less. Returns the master, for people.
fn reach(options: &SubmitOptions) -> Result<String> {
    let master = options.master.clone();
    if master == "yarn" {
        let nodes = yarn::nodes(options)?;
        return Ok(format!("yarn of {nodes} node{}", if nodes == 1 { "" } else { "s" }));
    }
    let Some(addresses) = options.standalone() else { return Ok(master) };
    let mut why = String::new();
    for address in addresses {
        let connected = address.to_socket_addrs().and_then(|found| {
            let mut last = std::io::Error::other("it has no address");
            for address in found {
                match TcpStream::connect_timeout(&address, CONNECT) {
                    Ok(_) => return Ok(()),
                    Err(error) => last = error,
                }
            }
            Err(last)
        });
        match connected {
            Ok(()) => return Ok(master),
            Err(error) => why = error.to_string(),
        }
    }
    let why = why.split(" (os error").next().unwrap_or_default();
    Err(Error::environment(format!("the master {master} does not answer: {why}"))
        .help("start it, or name another in the configuration: master = \"spark://HOST:7077\""))
}
