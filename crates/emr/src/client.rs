//! Requests to AWS, sent by what is there: the command `aws`, or boto3 of a Python. Both find region, keys, profile and
//! endpoint in their ordinary places; nothing of these passes through here.

mod aws;
mod boto3;

use std::time::{Duration, Instant};

use distil_external::{Heard, Process};
use distil_plan::{Error, Result};
use serde_json::{Value, json};

/// How often a process is looked at.
const TICK: Duration = Duration::from_millis(100);
/// After this a process counts as one that hangs: both give up on a server long before.
const PATIENCE: Duration = Duration::from_secs(600);
/// The most bytes of an answer.
const LARGEST: usize = 64 << 20;

/// What sends requests.
pub(crate) enum Client {
    /// The command `aws`, a process for each request.
    Aws,
    /// A Python with boto3, one process for all.
    Boto3(Box<Process>),
}

/// One request.
pub(crate) struct Call<'a> {
    pub(crate) service: &'a str,
    /// As the API calls it: `RunJobFlow`.
    pub(crate) operation: &'a str,
    pub(crate) parameters: Value,
    /// Whether it must not be sent a second time before somebody looked whether the first arrived.
    pub(crate) once: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn emr(operation: &'a str, parameters: Value) -> Self {
        Self { service: "emr", operation, parameters, once: false }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// The code of AWS, or the class of an exception.
    pub(crate) code: String,
    pub(crate) message: String,
}

/// What a failure leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It was not done, and may be asked for again later.
    Throttled,
    /// It may have been done: no answer came, or one of a server in trouble.
    Unclear,
    /// It was not done, and will not be.
    Refused,
}

impl Failure {
    pub(crate) fn new(kind: Kind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into() }
    }

    /// What AWS answered.
    fn answered(code: &str, message: &str, status: Option<u64>) -> Self {
        let slow = ["Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown"];
        let ill = ["Internal", "ServiceUnavailable", "ServiceException", "RequestTimeout"];
        let has = |words: &[&str]| words.iter().any(|word| code.contains(word));
        let kind = if has(&slow) {
            Kind::Throttled
        } else if has(&ill) || status.is_some_and(|status| status >= 500) || code.starts_with('5') {
            Kind::Unclear
        } else {
            Kind::Refused
        };
        Self::new(kind, code, message)
    }

    /// As an error about what was asked for.
    pub(crate) fn error(&self, operation: &str) -> Error {
        let code = if self.code.is_empty() { String::new() } else { format!("{}: ", self.code) };
        let message: String = self.message.chars().take(1000).collect();
        let error = Error::environment(format!("{operation} failed: {code}{message}"));
        let told = format!("{code}{message}");
        let about = |words: &[&str]| words.iter().any(|word| told.contains(word));
        if about(&[
            "redentials",
            "UnrecognizedClient",
            "InvalidClientToken",
            "ExpiredToken",
            "ProfileNotFound",
        ]) {
            return error
                .help("log in: aws sso login, aws configure, or set AWS_PROFILE; then aws sts get-caller-identity");
        }
        if about(&["NoRegion", "specify a region"]) {
            return error.help("set AWS_REGION, for example: export AWS_REGION=us-east-1");
        }
        if about(&["AccessDenied", "not authorized", "UnauthorizedOperation"]) {
            return error.help("have your administrator allow it: elasticmapreduce:*, iam:PassRole of both roles, s3 of the bucket");
        }
        if about(&["EMR_DefaultRole", "EMR_EC2_DefaultRole", "ServiceRole", "InstanceProfile"]) {
            return error.help("create the roles once: aws emr create-default-roles");
        }
        error
    }
}

impl Client {
    /// What is there.
    ///
    /// # Errors
    /// An environment error if it is neither.
    pub(crate) fn open() -> Result<Self> {
        if aws::is_there() {
            return Ok(Self::Aws);
        }
        boto3::start().map(|process| Self::Boto3(Box::new(process)))
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call(&mut self, call: &Call<'_>) -> Result<Value, Failure> {
        match self {
            Self::Aws => aws::call(call),
            Self::Boto3(process) => boto3::call(process, call),
        }
    }

    /// Puts a text in S3.
    pub(crate) fn put_text(&mut self, url: &str, text: &str) -> Result<(), Failure> {
        match self {
            Self::Aws => aws::copy("-", url, text).map(drop),
            Self::Boto3(process) => {
                let (bucket, key) = split(url);
                let parameters = json!({"Bucket": bucket, "Key": key, "Body": text});
                boto3::call(process, &s3("PutObject", parameters)).map(drop)
            }
        }
    }

    /// Puts a file in S3.
    pub(crate) fn put_file(&mut self, url: &str, path: &str) -> Result<(), Failure> {
        match self {
            Self::Aws => aws::copy(path, url, "").map(drop),
            Self::Boto3(process) => {
                let (bucket, key) = split(url);
                let parameters = json!({"Filename": path, "Bucket": bucket, "Key": key});
                boto3::call(process, &s3("UploadFile", parameters)).map(drop)
            }
        }
    }

    /// A text of S3.
    pub(crate) fn get_text(&mut self, url: &str) -> Result<String, Failure> {
        match self {
            Self::Aws => aws::copy(url, "-", ""),
            Self::Boto3(process) => {
                let (bucket, key) = split(url);
                let answer =
                    boto3::call(process, &s3("GetObject", json!({"Bucket": bucket, "Key": key})))?;
                Ok(answer["Body"].as_str().unwrap_or_default().to_owned())
            }
        }
    }
}

fn s3(operation: &str, parameters: Value) -> Call<'_> {
    Call { service: "s3", operation, parameters, once: false }
}

fn split(url: &str) -> (&str, &str) {
    url.trim_start_matches("s3://").split_once('/').unwrap_or((url, ""))
}

/// The lines that a process prints until it closes its output, or until one line if that is asked for.
fn printed(process: &mut Process, one_line: bool) -> Result<String, Failure> {
    let began = Instant::now();
    let mut text = String::new();
    while began.elapsed() < PATIENCE && text.len() < LARGEST {
        match process.hear(TICK) {
            Heard::Line(line) => {
                text.push_str(&String::from_utf8_lossy(&line));
                if one_line {
                    return Ok(text);
                }
                text.push('\n');
            }
            Heard::Silence => {}
            Heard::Closed if one_line => break,
            Heard::Closed => return Ok(text),
        }
    }
    let how = process.end(Duration::ZERO);
    let said = process.said().pop().unwrap_or_default();
    Err(Failure::new(Kind::Unclear, "", format!("the program that asks AWS {how}: {said}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_whether_it_may_have_been_done() {
        let kind = |code: &str, status| Failure::answered(code, "", status).kind;
        assert_eq!(kind("ThrottlingException", Some(400)), Kind::Throttled);
        assert_eq!(kind("InternalServerException", Some(400)), Kind::Unclear);
        assert_eq!(kind("Whatever", Some(503)), Kind::Unclear);
        assert_eq!(kind("502", None), Kind::Unclear);
        assert_eq!(kind("ValidationException", Some(400)), Kind::Refused);
    }

    #[test]
    fn what_can_be_mended_is_told_with_a_command() {
        let help = |code: &str, message: &str| {
            let error = Failure::new(Kind::Refused, code, message).error("RunJobFlow");
            error.hints.iter().map(ToString::to_string).collect::<String>()
        };
        assert!(
            help("NoCredentialsError", "Unable to locate credentials").contains("aws configure")
        );
        assert!(help("NoRegionError", "You must specify a region.").contains("AWS_REGION"));
        assert!(help("AccessDeniedException", "").contains("iam:PassRole"));
        assert!(
            help("ValidationException", "Invalid InstanceProfile: EMR_EC2_DefaultRole.")
                .contains("create-default-roles")
        );
        assert_eq!(help("ValidationException", "x"), "");
    }
}
