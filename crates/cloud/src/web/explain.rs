//! What a web server says, as errors that tell what to do.

use distil_plan::{Code, Error};
use http::StatusCode;

/// An answer that is not the file.
pub(super) fn answered(status: StatusCode, shown: &str) -> Error {
    let error = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            Error::input("there is no such file").coded(Code::NotFound)
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::environment(format!(
            "the server does not let it be read ({})",
            status.as_u16()
        ))
        .coded(Code::PermissionDenied)
        .help("a link that was signed expires after a while: get a new one")
        .help(
            "what needs a login is fetched with a tool that has one, and read from standard \
                     input: distil run - ...",
        ),
        StatusCode::TOO_MANY_REQUESTS => too_busy(status),
        _ if status.is_server_error() => too_busy(status),
        _ => Error::environment(format!("the server answered {}", status.as_u16())),
    };
    error.at(shown, None)
}

fn too_busy(status: StatusCode) -> Error {
    let status = status.as_u16();
    Error::environment(format!(
        "the server is too busy, or broken: it answered {status}, again and again"
    ))
    .help("wait, then run it again")
}

/// No answer at all.
pub(super) fn unreached(error: &reqwest::Error, shown: &str) -> Error {
    let what = match () {
        () if error.is_redirect() => "the server sends around in a circle, or away from https://",
        () if error.is_connect() => "the server can't be reached",
        () if error.is_timeout() => "the server does not answer in time",
        () => "the connection to the server broke, again and again",
    };
    Error::environment(what)
        .at(shown, None)
        .help("see whether the network is there and how the host is spelled, then run it again")
}
