//! A Spark Connect server, spoken with by the official client.

#![allow(
    clippy::result_large_err,
    reason = "the client's errors are large; they are passed on once a request, not once a row"
)]

mod execute;
mod server;
mod stages;

use std::time::Duration;

use distil_plan::Result;

use self::server::{Address, Server};
use crate::session::{Host, Session};

/// The patience with a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server by its address; nothing is connected yet.
pub struct ConnectServer {
    address: Address,
    patience: Duration,
}

impl ConnectServer {
    /// The server at `sc://host:port/;token=...;use_ssl=true`.
    ///
    /// # Errors
    /// A usage error for a URL that is none.
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self { address: Address::parse(url)?, patience: PATIENCE })
    }

    /// The same, with a token that is not in the URL.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.address.add_token(token);
        self
    }

    /// The same, with another patience with a server that does not answer (30 seconds).
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl Host for ConnectServer {
    fn open(&self) -> Result<Box<dyn Session>> {
        Ok(Box::new(Server::connect(&self.address, self.patience)?))
    }

    fn describe(&self, version: &str) -> String {
        format!("Spark Connect {version} at {}", self.address.shown())
    }
}
