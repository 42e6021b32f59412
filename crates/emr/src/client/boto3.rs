//! boto3, in a process that answers line by line.

use distil_external::{Process, ProcessOptions};
use distil_plan::{Error, Result};
use serde_json::{Value, json};

use super::{Call, Failure, Kind, printed};

/// # Errors
/// An environment error if there is no Python, or none with boto3.
pub(super) fn start() -> Result<Process> {
    let mut options = ProcessOptions::new("python3");
    options.arguments = vec!["-c".into(), include_str!("../boto3.py").into()];
    let missing = |why: String| {
        Error::environment(format!(
            "neither the command aws nor boto3 is there, which ask AWS: {why}"
        ))
        .help("install one of them: python3 -m pip install boto3")
        .help("or https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html")
    };
    let mut process = Process::start(&options).map_err(|error| missing(error.to_string()))?;
    let hello = printed(&mut process, true).map_err(|failure| missing(failure.message))?;
    let hello: Value = serde_json::from_str(&hello).unwrap_or_default();
    match hello["version"].as_str() {
        Some(_) => Ok(process),
        None => Err(missing(
            hello["missing"].as_str().unwrap_or("python3 said something else").to_owned(),
        )),
    }
}

pub(super) fn call(process: &mut Process, call: &Call<'_>) -> Result<Value, Failure> {
    let request = json!({
        "service": call.service,
        "operation": call.operation,
        "parameters": call.parameters,
        "once": call.once,
    });
    process.send(request.to_string().into_bytes());
    let line = printed(process, true)?;
    let mut answer: Value = serde_json::from_str(&line).unwrap_or_default();
    if answer["answer"].is_object() {
        return Ok(answer["answer"].take());
    }
    let failure = &answer["failure"];
    let text = |name: &str| failure[name].as_str().unwrap_or_default();
    Err(match text("kind") {
        "answered" => Failure::answered(text("code"), text("message"), failure["status"].as_u64()),
        "refused" => Failure::new(Kind::Refused, text("code"), text("message")),
        _ => Failure::new(Kind::Unclear, text("code"), text("message")),
    })
}
