//! Servers for tests: those that `make test` runs for all of them, or else those of this process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// A server of its own process group, on a free port of 127.0.0.1. It ends with this value, and with this
/// process, however that ends.
pub struct Server {
    /// Where it answers.
    pub url: String,
    /// Number of the process group.
    pub group: u32,
    // It stops the server when its standard input ends, however this process does.
    keeper: Child,
}

impl Server {
    /// Starts the server of a name that `tests/spark/servers.py` knows, and waits until it answers; `None`
    /// if it can't be started on this machine, with the reason on the standard error. With
    /// `DISTIL_REQUIRE_SPARK` set (as CI does), that is a failure.
    pub fn start(name: &str, arguments: &[&str]) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/spark/servers.py");
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

    /// Its host and port.
    pub fn address(&self) -> &str {
        self.url.split_once("://").map_or("", |(_, address)| address)
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

/// A service that stores objects, and the program that plays it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Service {
    /// moto, or the server that `DISTIL_S3` names: versitygw checks signatures, which moto does not.
    S3,
    /// azurite.
    Azure,
}

impl Service {
    /// The name of its server.
    pub fn server(self) -> String {
        match self {
            Self::S3 => std::env::var("DISTIL_S3").unwrap_or_else(|_| "moto".to_owned()),
            Self::Azure => "azurite".to_owned(),
        }
    }

    /// Starts a server for one test alone.
    pub fn start(self) -> Server {
        let name = self.server();
        Server::start(&name, &[])
            .unwrap_or_else(|| panic!("these tests need {name}, which `make stores` fetches"))
    }

    /// The host and port of the server that all tests share: that of `DISTIL_MOTO_URL` or
    /// `DISTIL_AZURITE_URL` (as in `make test`), or else one that ends with this process.
    pub fn shared(self) -> &'static str {
        static ADDRESSES: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];
        static SERVERS: Mutex<Vec<Server>> = Mutex::new(Vec::new());
        ADDRESSES[self as usize].get_or_init(|| {
            let named = std::env::var(format!("DISTIL_{}_URL", self.server().to_uppercase()));
            let url = named.unwrap_or_else(|_| {
                let server = self.start();
                let url = server.url.clone();
                SERVERS.lock().unwrap().push(server);
                url
            });
            url.trim_start_matches("http://").to_owned()
        })
    }
}
