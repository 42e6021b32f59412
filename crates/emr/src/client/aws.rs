//! The command `aws`. Some operations have commands of its own, with other options; those that it leaves as they are take
//! the parameters of the API as JSON.

use std::ffi::OsString;
use std::time::Duration;

use distil_external::{Process, ProcessOptions};
use serde_json::{Value, json};

use super::{Call, Failure, Kind, printed};
use crate::command;

/// The command's end comes with the end of its output.
const GRACE: Duration = Duration::from_secs(10);

/// Whether there is a command that works: a name on the path may be a stub.
pub(super) fn is_there() -> bool {
    run(&["--version".to_owned()], "", false).is_ok_and(|said| said.contains("aws-cli/"))
}

pub(super) fn call(call: &Call<'_>) -> Result<Value, Failure> {
    let text = run(&words(call), "", call.once)?;
    if text.trim().is_empty() {
        return Ok(json!({}));
    }
    let answer: Value = serde_json::from_str(&text).map_err(|error| {
        Failure::new(Kind::Unclear, "", format!("aws printed no JSON: {error}"))
    })?;
    match (call.operation, answer["ClusterId"].as_str()) {
        // Its name in the answer of the command.
        ("RunJobFlow", Some(id)) => Ok(json!({"JobFlowId": id})),
        _ => Ok(answer),
    }
}

/// Copies from or to S3; `-` is the text, or the result.
pub(super) fn copy(from: &str, to: &str, text: &str) -> Result<String, Failure> {
    let words = ["s3", "cp", "--only-show-errors", from, to].map(str::to_owned);
    run(&words, text, false)
}

fn words(call: &Call<'_>) -> Vec<String> {
    let parameters = &call.parameters;
    let text = |name: &str| parameters[name].as_str().unwrap_or_default().to_owned();
    let texts = |name: &str| {
        let all = parameters[name].as_array().into_iter().flatten();
        all.filter_map(|one| one.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let with = |words: &[&str], more: Vec<String>| {
        words.iter().map(|word| (*word).to_owned()).chain(more).collect::<Vec<_>>()
    };
    let mut words = match call.operation {
        "RunJobFlow" => command::create_cluster(parameters),
        "DescribeCluster" => {
            with(&["emr", "describe-cluster", "--cluster-id"], vec![text("ClusterId")])
        }
        "ListClusters" => {
            with(&["emr", "list-clusters", "--cluster-states"], texts("ClusterStates"))
        }
        "AddJobFlowSteps" => {
            let steps: Value =
                parameters["Steps"].as_array().into_iter().flatten().map(command::step).collect();
            let steps = vec![text("JobFlowId"), "--steps".to_owned(), steps.to_string()];
            with(&["emr", "add-steps", "--cluster-id"], steps)
        }
        "TerminateJobFlows" => {
            with(&["emr", "terminate-clusters", "--cluster-ids"], texts("JobFlowIds"))
        }
        operation => {
            let mut name = String::new();
            for c in operation.chars() {
                if c.is_ascii_uppercase() && !name.is_empty() {
                    name.push('-');
                }
                name.push(c.to_ascii_lowercase());
            }
            with(&[call.service, &name, "--cli-input-json"], vec![parameters.to_string()])
        }
    };
    words.extend(["--output", "json"].map(str::to_owned));
    words
}

/// Runs the command with a text as its input, and returns what it prints.
fn run(words: &[String], input: &str, once: bool) -> Result<String, Failure> {
    let mut options = ProcessOptions::new("env");
    // What was sent and not answered may be done: it is for the caller to look.
    let attempts = once.then(|| OsString::from("AWS_MAX_ATTEMPTS=1"));
    // The first version of the command only knows the older name of the variable.
    let region = std::env::var("AWS_REGION").ok().filter(|region| !region.is_empty());
    let region = region.map(|region| OsString::from(format!("AWS_DEFAULT_REGION={region}")));
    options.arguments = attempts.into_iter().chain(region).chain(["aws".into()]).collect();
    options.arguments.extend(words.iter().map(Into::into));
    let not_run = |why: String| Failure::new(Kind::Refused, "", why);
    let mut process = Process::start(&options).map_err(|error| not_run(error.to_string()))?;
    if !input.is_empty() {
        process.send(input.trim_end_matches('\n').as_bytes().to_vec());
    }
    process.close();
    let text = printed(&mut process, false)?;
    let how = process.end(GRACE);
    if how == "ended with status 0" {
        return Ok(text);
    }
    Err(failure(&process.said(), &how))
}

/// What the command says of a failure, on its last lines.
fn failure(said: &[String], how: &str) -> Failure {
    let lines: Vec<&str> =
        said.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    // "An error occurred (Code) when calling the Operation operation: Message"
    let told = lines.iter().rev().find_map(|line| {
        let (_, rest) = line.split_once("An error occurred (")?;
        let (code, rest) = rest.split_once(')')?;
        Some((code, rest.split_once("operation").map_or(rest, |(_, message)| message)))
    });
    if let Some((code, message)) = told {
        // It may say in between how often it was asked: " (reached max retries: 4): ".
        let message = message.trim_start();
        let message = match message.strip_prefix('(') {
            Some(rest) => rest.split_once(')').map_or(rest, |(_, message)| message),
            None => message,
        };
        return Failure::answered(code, message.trim_start_matches(':').trim(), None);
    }
    let message = lines.last().map_or_else(|| format!("aws {how}"), |line| (*line).to_owned());
    let known = [
        "redentials",
        "specify a region",
        "could not be found",
        "not found",
        "does not exist",
        "Unknown options",
    ];
    let is_known = known.iter().any(|words| message.contains(words));
    Failure::new(if is_known { Kind::Refused } else { Kind::Unclear }, "", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_command_says_of_a_failure_is_read() {
        let read = |line: &str| failure(&[String::new(), line.to_owned()], "ended with status 254");
        let found = read(
            "aws: [ERROR]: An error occurred (ThrottlingException) when calling the DescribeCluster operation (reached max retries: 4): Rate exceeded",
        );
        assert_eq!(found, Failure::new(Kind::Throttled, "ThrottlingException", "Rate exceeded"));
        let found = read(
            "An error occurred (ValidationException) when calling the RunJobFlow operation: no: such role",
        );
        assert_eq!(found, Failure::new(Kind::Refused, "ValidationException", "no: such role"));
        assert_eq!(read("Unable to locate credentials. You can configure").kind, Kind::Refused);
        assert_eq!(
            read("Connection was closed before we received a valid response").kind,
            Kind::Unclear
        );
        assert_eq!(failure(&[], "was killed by signal 9").message, "aws was killed by signal 9");
    }

    #[test]
    fn operations_without_a_command_of_their_own_take_the_parameters_of_the_api() {
        let call = Call::emr("ListSteps", json!({"ClusterId": "j-1"}));
        assert_eq!(
            words(&call),
            [
                "emr",
                "list-steps",
                "--cli-input-json",
                "{\"ClusterId\":\"j-1\"}",
                "--output",
                "json"
            ]
        );
    }
}
