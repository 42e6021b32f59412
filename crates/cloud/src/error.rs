//! What a store says, as errors that tell what to do.
//!
//! Texts of the crate below, and of servers, may quote addresses with signatures: only codes and messages of the
//! protocols get through.

use std::error::Error as _;
use std::time::Duration;

use distil_plan::{Code, Error};
use object_store::client::{HttpError, HttpErrorKind};

use crate::address::Service;

/// How often, and how soon, a request is repeated whose answer breaks off.
const TRIES: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Most of a server's own words.
const LONGEST_MESSAGE: usize = 300;

/// What went wrong at a place.
pub(crate) fn explain(error: &object_store::Error, service: Service, url: &str) -> Error {
    let text = error.to_string();
    let explained = match connection(error) {
        Some(kind) if !is_of_instance(&text) => unreachable(kind),
        _ => answered(error, &text, service),
    };
    explained.at(url, None)
}

/// Whether an error says that something else is there than the condition of a request says, or that an upload is
/// not there any more.
pub(crate) fn is_conflict(error: &object_store::Error) -> bool {
    use object_store::Error as E;
    if matches!(
        error,
        E::AlreadyExists { .. }
            | E::Precondition { .. }
            | E::NotFound { .. }
            | E::NotModified { .. }
    ) {
        return true;
    }
    let text = error.to_string();
    let code = between(&text, "<Code>", "</Code>").unwrap_or_default();
    let codes = ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchUpload"];
    codes.contains(&code)
        || [404, 409, 412].into_iter().any(|status| status_of(&text) == Some(status))
}

/// Repeats a request whose answer breaks off: what the crate below repeats are requests without any answer.
pub(crate) async fn again<T, F: Future<Output = object_store::Result<T>>>(
    request: impl Fn() -> F,
) -> object_store::Result<T> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match request().await {
            Err(error) if broke_off(&error) => tokio::time::sleep(pause).await,
            answer => return answer,
        }
        pause *= 2;
    }
    request().await
}

fn broke_off(error: &object_store::Error) -> bool {
    let repeated = [HttpErrorKind::Connect, HttpErrorKind::Timeout];
    connection(error).is_some_and(|kind| !repeated.contains(&kind))
}

/// Whether the store said no.
pub(crate) fn is_answered(error: &object_store::Error) -> bool {
    connection(error).is_none() && !is_of_instance(&error.to_string())
}

/// Whether the store may have done what it was asked for.
pub(crate) fn is_unanswered(error: &object_store::Error) -> bool {
    let status = status_of(&error.to_string());
    connection(error).is_some() || status.is_some_and(|status| status >= 500)
}

/// The kind of an error that never got an answer.
fn connection(error: &object_store::Error) -> Option<HttpErrorKind> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            return Some(http.kind());
        }
        cause = error.source();
    }
    None
}

/// Whether it was the address that gives the keys of a machine in the cloud.
fn is_of_instance(text: &str) -> bool {
    ["169.254.169.254", "metadata.google.internal", "169.254.170.2"]
        .iter()
        .any(|at| text.contains(at))
}

fn unreachable(kind: HttpErrorKind) -> Error {
    let what = match kind {
        HttpErrorKind::Connect => "the store can't be reached",
        HttpErrorKind::Timeout => "the store does not answer in time",
        _ => "the connection to the store broke, again and again",
    };
    Error::environment(what).help(
        "see whether the network and the endpoint are there, then run it again: nothing was left half done",
    )
}

fn answered(error: &object_store::Error, text: &str, service: Service) -> Error {
    use object_store::Error as E;
    let code = between(text, "<Code>", "</Code>").unwrap_or_default();
    let status = status_of(text);
    if is_of_instance(text) {
        return no_credentials(service);
    }
    match code {
        "NoSuchBucket" | "ContainerNotFound" => {
            return Error::input("there is no such bucket")
                .coded(Code::NotFound)
                .help("see how it is spelled, and whether the endpoint and the account are the right ones");
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            return Error::environment("the credentials have expired").help(renew(service));
        }
        "InvalidAccessKeyId"
        | "InvalidToken"
        | "SignatureDoesNotMatch"
        | "AuthenticationFailed"
        | "InvalidAuthenticationInfo"
        | "InvalidSecurity"
        | "AuthFailure" => {
            return Error::environment(format!(
                "the store does not accept the credentials ({code})"
            ))
            .help(renew(service));
        }
        "RequestTimeTooSkewed" => {
            return Error::environment("the store says that the clock of this machine is wrong")
                .help("set the clock, then run it again");
        }
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "IllegalLocationConstraintException" => {
            return wrong_region(text);
        }
        "AccessDenied"
        | "AllAccessDisabled"
        | "AuthorizationPermissionMismatch"
        | "AuthorizationFailure"
        | "InsufficientAccountPermissions" => return denied(service),
        "NoSuchUpload" => return Error::environment("the upload is gone: somebody aborted it"),
        _ => {}
    }
    match (error, status) {
        _ if text.contains("redirect without LOCATION") => wrong_region(text),
        (E::NotFound { .. }, _) | (_, Some(404)) => {
            Error::input("there is no such object").coded(Code::NotFound)
        }
        (E::PermissionDenied { .. }, _) | (_, Some(403)) => denied(service),
        (E::Unauthenticated { .. }, _) | (_, Some(401)) => {
            Error::environment("the store does not accept the credentials").help(renew(service))
        }
        (_, Some(301 | 307)) => wrong_region(text),
        (_, Some(status @ (429 | 500..=599))) => Error::environment(format!(
            "the store is too busy, or broken: it answered {status}, again and again"
        ))
        .help("wait, then run it again"),
        (_, status) => {
            let message = between(text, "<Message>", "</Message>").map(|message| {
                let message: String = message.chars().take(LONGEST_MESSAGE).collect();
                format!(": {message}")
            });
            let status = status.map_or(String::new(), |status| format!(" with {status}"));
            let code = if code.is_empty() { String::new() } else { format!(" ({code})") };
            Error::environment(format!(
                "the store refused the request{status}{code}{}",
                message.unwrap_or_default()
            ))
        }
    }
}

fn no_credentials(service: Service) -> Error {
    let hint = match service {
        Service::S3 => {
            "log in (aws sso login, aws configure), or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a \
             public bucket: export AWS_SKIP_SIGNATURE=true"
        }
        Service::Google => "log in: gcloud auth application-default login",
        Service::Azure => {
            "export AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or log in: az login"
        }
    };
    Error::environment("there are no credentials for the store").help(hint)
}

fn renew(service: Service) -> &'static str {
    match service {
        Service::S3 => {
            "get new ones (aws sso login, aws sts get-session-token), and see whose they are: aws sts get-caller-identity"
        }
        Service::Google => "get new ones: gcloud auth application-default login",
        Service::Azure => "get new ones: az login, or a new key or token of the account",
    }
}

fn denied(service: Service) -> Error {
    let hint = match service {
        Service::S3 => {
            "reading needs s3:GetObject and s3:ListBucket; writing s3:PutObject, s3:AbortMultipartUpload and \
             s3:ListBucketMultipartUploads besides; see whose credentials these are: aws sts get-caller-identity"
        }
        Service::Google => {
            "reading needs storage.objects.get and .list, writing .create and .delete besides"
        }
        Service::Azure => {
            "reading needs the role Storage Blob Data Reader, writing Storage Blob Data Contributor"
        }
    };
    Error::environment("the credentials do not allow that").coded(Code::PermissionDenied).help(hint)
}

fn wrong_region(text: &str) -> Error {
    let region = between(text, "<Region>", "</Region>");
    let set = format!("export AWS_REGION={}", region.unwrap_or("REGION"));
    Error::environment("the bucket lies in another region").help(format!("name its region: {set}"))
}

/// The number of the status that a text tells.
fn status_of(text: &str) -> Option<u16> {
    let rest = text.split("status code: ").nth(1)?;
    rest.get(..3)?.parse().ok()
}

/// What stands between two marks.
pub(crate) fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    let rest = &text[text.find(begin)? + begin.len()..];
    Some(&rest[..rest.find(end)?])
}
