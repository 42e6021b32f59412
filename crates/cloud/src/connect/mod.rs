//! Connections by the ordinary settings of each cloud: environment, profile, instance.

pub(crate) mod azure;
pub(crate) mod google;
mod profile;
pub(crate) mod s3;

use std::time::Duration;

use distil_plan::{Error, Hint};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

/// Requests are repeated this often, over about 13 seconds in all.
pub(crate) const RETRIES: usize = 8;
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// No request is repeated this long after it began.
pub(crate) const RETRY_TIMEOUT: Duration = Duration::from_secs(120);
/// A server that is there answers a connection sooner.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A request that moves a part over a slow line takes less.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(180);

fn retries() -> RetryConfig {
    let backoff = BackoffConfig { max_backoff: LONGEST_PAUSE, ..BackoffConfig::default() };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT }
}

fn client(allow_http: bool) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(allow_http)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT)
}

/// Settings of a cloud that can't be used. What the crate below says of them may quote a secret, and is not shown.
fn unusable(cloud: &str, hint: impl Into<Hint>) -> Error {
    Error::environment(format!("the settings for {cloud} can't be used")).help(hint)
}

/// A variable of the environment that says something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
