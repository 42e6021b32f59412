//! YARN, asked by the classes that Spark has for it: with its configuration and its credentials, and no other command.

use distil_external::ProcessOptions;
use distil_plan::{Error, Result};

use crate::check::ended;
use crate::failure::explain;
use crate::options::SubmitOptions;

/// What the client of Hadoop says when it tries for the tenth time to connect. It goes on for a quarter of an hour.
pub(crate) const UNREACHABLE: &str = "Already tried 9 time(s)";
/// What names of applications begin with.
const APPLICATION: &str = "application_";

/// Whether a log says that nobody listens where the ResourceManager should be.
pub(crate) fn is_unreachable(log: &[String]) -> bool {
    log.iter().any(|line| line.contains(UNREACHABLE))
}

/// The application that a log of Spark names last.
pub(crate) fn application(log: &[String]) -> Option<String> {
    log.iter().rev().find_map(|line| {
        line.match_indices(APPLICATION).find_map(|(at, _)| {
            let numbers = &line[at + APPLICATION.len()..];
            let is_part = |c: char| c.is_ascii_digit() || c == '_';
            let numbers = &numbers[..numbers.find(|c| !is_part(c)).unwrap_or(numbers.len())];
            let (started, number) = numbers.split_once('_')?;
            let is_number = |text: &str| !text.is_empty() && !text.contains('_');
            (is_number(started) && is_number(number)).then(|| format!("{APPLICATION}{numbers}"))
        })
    })
}

/// Whether a log says that the application has ended.
pub(crate) fn has_ended(log: &[String]) -> bool {
    let ends = ["final status: SUCCEEDED", "final status: FAILED", "final status: KILLED"];
    let finished = ["finished with failed status", "is killed", "(state: FINISHED)"];
    let is_said = |line: &String| ends.iter().chain(&finished).any(|mark| line.contains(mark));
    log.iter().any(is_said)
}

/// The number of nodes that run.
///
/// # Errors
/// An environment error if YARN does not say.
pub(crate) fn nodes(options: &SubmitOptions) -> Result<u64> {
    let ending = ended(&command(options, "NodeCLI", &["-list"]))?;
    let number = |line: &String| line.trim().strip_prefix("Total Nodes:")?.parse().ok();
    ending.printed.iter().find_map(number).ok_or_else(|| explain(options, &ending))
}

/// Kills an application, and adds to the error of the run how it can be done by hand where that fails.
pub(crate) fn kill(options: &SubmitOptions, application: &str, error: Error) -> Error {
    let words = ["application", "-kill", application];
    let is_killed = ended(&command(options, "ApplicationCLI", &words)).is_ok_and(|ending| {
        let said = |mark: &str| ending.log.iter().chain(&ending.printed).any(|l| l.contains(mark));
        said("Killed application") || said("has already finished")
    });
    match is_killed {
        true => error,
        false => error
            .detail(format!("{application} could not be killed, and may still run"))
            .help(format!("kill it: yarn application -kill {application}")),
    }
}

/// Runs a command of YARN's client in a Spark that computes nothing.
fn command(options: &SubmitOptions, class: &str, words: &[&str]) -> ProcessOptions {
    let mut command = options.process(&options.submit[0]);
    let class = format!("org.apache.hadoop.yarn.client.cli.{class}");
    let spark = ["--master", "local[1]", "--class", &class, "spark-internal"];
    let submit = options.submit[1..].iter().map(String::as_str);
    command.arguments = submit.chain(spark).chain(words.iter().copied()).map(Into::into).collect();
    command.kept = 400;
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_is_the_last_that_the_log_names() {
        let named = |text: &str| application(&text.lines().map(str::to_owned).collect::<Vec<_>>());
        let log = "INFO YarnClientImpl: Submitted application application_1796_0001\n\
                   INFO Client: Application report for application_1796_0002 (state: ACCEPTED)\n\
                   the application_master_host, and application_17_ too";
        assert_eq!(named(log).as_deref(), Some("application_1796_0002"));
        assert_eq!(named("nothing of application_"), None);
        assert_eq!(
            named("file:/staging/application_1_2/__spark_conf__.zip").as_deref(),
            Some("application_1_2")
        );
    }
}
