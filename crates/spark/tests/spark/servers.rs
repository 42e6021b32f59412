//! Servers for the tests: those that `make test` runs for all of them, or else those of this process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use distil_spark::Spark;
use distil_testkit::disk::storage;

/// As the servers of `make test` have it: `tests/spark/servers.py` says why.
const IMPATIENT: &[&str] =
    &["--conf", "spark.connect.execute.reattachable.senderMaxStreamDuration=1s"];

/// A server of its own process group.
pub struct Server {
    pub url: String,
    /// Number of the process group.
    pub group: u32,
    // It stops the server when its standard input ends, however this process does.
    keeper: Child,
}

impl Server {
    /// Starts one; `None` if it can't be started on this machine, with the reason on the standard
    /// error. With `DISTIL_REQUIRE_SPARK` set (as CI does), that is a failure.
    pub fn start(name: &str, arguments: &[&str]) -> Option<Self> {
        let script = root().join("tests/spark/servers.py");
        let mut keeper = Command::new("python3")
            .arg(script)
            .args(["serve", name])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let Some((url, group)) = line.trim().split_once(' ') else {
            keeper.wait().unwrap();
            assert!(
                std::env::var_os("DISTIL_REQUIRE_SPARK").is_none(),
                "the server {name} does not start, and DISTIL_REQUIRE_SPARK demands it"
            );
            return None;
        };
        Some(Self { url: url.to_owned(), group: group.parse().unwrap(), keeper })
    }

    /// Kills the server, as a machine that fails would.
    pub fn kill(&self) {
        let group = format!("-{}", self.group);
        assert!(Command::new("kill").args(["-KILL", "--", &group]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

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
    Spark::new("spark", storage(), url).unwrap().patience(Duration::from_secs(240))
}
