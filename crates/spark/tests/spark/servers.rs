//! Servers for the tests: those that `make test` runs for all of them, or else those of this process.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use distil_spark::{ConnectServer, Spark};
use distil_testkit::disk::storage;
pub use distil_testkit::servers::Server;

/// As the servers of `make test` have it: `tests/spark/servers.py` says why.
const IMPATIENT: &[&str] =
    &["--conf", "spark.connect.execute.reattachable.senderMaxStreamDuration=1s"];

/// The URL of the shared server of this name; `None` where it can't run. `DISTIL_SPARK_URL` and
/// `DISTIL_SAIL_URL` name servers that run already (as in `make test`, and after `make spark-up`).
pub fn shared(name: &'static str) -> Option<&'static str> {
    static SERVERS: [OnceLock<Option<Mutex<Server>>>; 2] = [OnceLock::new(), OnceLock::new()];
    static URLS: [OnceLock<Option<String>>; 2] = [OnceLock::new(), OnceLock::new()];
    let at = usize::from(name == "spark");
    let named = std::env::var(format!("DISTIL_{}_URL", name.to_uppercase()));
    if let Ok(url) = named {
        return URLS[at].get_or_init(|| Some(url)).as_deref();
    }
    let server = SERVERS[at].get_or_init(|| Server::start(name, IMPATIENT).map(Mutex::new));
    let url =
        URLS[at].get_or_init(|| server.as_ref().map(|server| server.lock().unwrap().url.clone()));
    url.as_deref()
}

/// The backend on a server.
pub fn backend(url: &str) -> Spark {
    let server = ConnectServer::new(url).unwrap().patience(Duration::from_secs(240));
    Spark::new("spark", storage(), Box::new(server))
}
