//! A conversation with a Spark Connect server, whose errors become ours.

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use distil_plan::{Cancel, Error, Hint, Result, StageReport};
use spark_connect::row::Row;
use spark_connect::{SparkError, SparkSession};

use super::execute::Operations;
use super::stages::Stages;
use crate::locked;
use crate::lower::SETTINGS;
use crate::session::{Engine, Limits, Query, Session, TextView, detailed, of_class};

/// How often a waiting run looks whether it was cancelled.
const TICK: Duration = Duration::from_millis(100);

/// How often a waiting run looks whether the server is still there.
const BETWEEN_KNOCKS: Duration = Duration::from_secs(1);

/// The tag of everything that a session executes, to interrupt it by.
const TAG: &str = "distil";

/// Where a server is, without what must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    url: String,
    /// `host:port`, to look whether anyone is there.
    place: String,
    uses_tls: bool,
}

impl Address {
    /// # Errors
    /// A usage error for anything but `sc://host:port/;name=value;...`.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let bad = |what: &str| {
            Error::usage(format!("{what} in the URL of the backend spark"))
                .help("write sc://host:15002, with a token and TLS as in sc://host:443/;use_ssl=true;token=...")
        };
        let rest = url.strip_prefix("sc://").ok_or_else(|| bad("there is no sc:// in front"))?;
        let (host, parameters) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if host.is_empty() {
            return Err(bad("there is no host"));
        }
        let parameters: Vec<&str> = parameters.split([';', '/']).collect();
        // The client sends it with some requests and not with others: they would be two sessions.
        for refused in ["user_id=", "session_id="] {
            if parameters.iter().any(|p| p.starts_with(refused)) {
                return Err(bad(&format!("the parameter {refused} can't be used")));
            }
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        Ok(Self {
            url: url.to_owned(),
            place: if has_port { host.to_owned() } else { format!("{host}:15002") },
            uses_tls: parameters.iter().any(|p| p.eq_ignore_ascii_case("use_ssl=true")),
        })
    }

    pub(crate) fn add_token(&mut self, token: &str) {
        self.url = self.with("token");
        for byte in token.bytes() {
            // The client takes escapes as in any URL.
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.url.push(char::from(byte));
            } else {
                self.url.push_str(&format!("%{byte:02X}"));
            }
        }
    }

    /// The URL with one more parameter, whose value is to follow.
    fn with(&self, parameter: &str) -> String {
        let slash = if self.url["sc://".len()..].contains('/') { "" } else { "/" };
        format!("{}{slash};{parameter}=", self.url)
    }

    /// Without the parameters, which may hold a token.
    pub(crate) fn shown(&self) -> String {
        format!("sc://{}", self.place)
    }

    /// Whether somebody listens there.
    fn knock(&self, patience: Duration) -> std::io::Result<()> {
        let mut last = std::io::Error::other("the name has no address");
        for address in self.place.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, patience) {
                Ok(_) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn unreachable(&self, cause: &std::io::Error) -> Error {
        let cause = Error::io("connect", self.shown(), cause);
        Error::environment(format!("the Spark Connect server can't be reached: {}", cause.what))
            .at(self.shown(), None)
            .help("start it, or correct the URL; make spark-up in the sources of distil starts one here")
    }
}

/// A session on a server.
pub(crate) struct Server {
    session: SparkSession,
    engine: Engine,
    address: Address,
    patience: Duration,
}

impl Server {
    /// Opens a session with our settings, and asks what the server can do.
    ///
    /// # Errors
    /// An environment error: no server answers, the token is wrong, TLS does not fit, the server does
    /// not answer in time.
    pub(crate) fn connect(address: &Address, patience: Duration) -> Result<Self> {
        address.knock(patience).map_err(|cause| address.unreachable(&cause))?;
        let url = address.url.clone();
        let opened = in_time(patience, move || {
            let session = SparkSession::builder().remote(&url).get_or_create()?;
            session.add_tag(TAG)?;
            let version = session.version()?;
            for (name, value) in SETTINGS {
                session.conf().set(name, value)?;
            }
            // A server may know no such setting, and says so by an error.
            let application = session.conf().get("spark.app.id").ok().flatten();
            let ask = |query: &str| {
                let rows = expect_rows(&session, query)?;
                let value = rows.first().and_then(|row| row.get(0)?.as_bool());
                Ok::<_, SparkError>(value == Some(true))
            };
            let limits = Limits::found(ask, |error| error.message().to_owned())?;
            Ok::<_, SparkError>((session, Engine { version, application, limits }))
        })?;
        let Some(opened) = opened else {
            let mut error = Error::environment(format!(
                "the server does not answer as a Spark Connect server within {} seconds",
                patience.as_secs()
            ))
            .at(address.shown(), None);
            error.hints.push(if address.uses_tls {
                Hint::new("leave use_ssl=true out of the URL, if it has no TLS")
            } else {
                Hint::new(
                    "add use_ssl=true to the URL, if it wants TLS: sc://host:port/;use_ssl=true",
                )
            });
            return Err(error);
        };
        let (session, engine) =
            opened.map_err(|error| translate(&error).at(address.shown(), None))?;
        Ok(Self { session, engine, address: address.clone(), patience })
    }

    /// What writes of this session are made with.
    fn operations(&self) -> Operations {
        let session = self.session.session_id().to_owned();
        let url = self.address.with("session_id") + &session;
        Operations { url, tag: TAG.to_owned(), session }
    }

    /// Does something on the server, until it is done, cancelled, or the server is gone.
    ///
    /// # Errors
    /// What the server reports; a cancelled run; an environment error for a server that is not there
    /// any more.
    fn run<T: Send + 'static>(
        &self,
        cancel: &Cancel,
        task: impl FnOnce(&SparkSession) -> Result<T, SparkError> + Send + 'static,
        mut meanwhile: impl FnMut(),
    ) -> Result<T> {
        let session = self.session.clone();
        let (sender, receiver) = mpsc::channel();
        // It is left behind when nothing ends it: the client waits for a lost server for an hour.
        start_thread(move || {
            let _ = sender.send(task(&session));
        })?;
        let mut seen = Instant::now();
        let mut knocked = Instant::now();
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(result) => {
                    meanwhile();
                    return result
                        .map_err(|error| translate(&error).at(self.address.shown(), None));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::bug("the thread that speaks with Spark ended"));
                }
            }
            meanwhile();
            if let Err(cancelled) = cancel.check() {
                self.interrupt(&receiver);
                return Err(cancelled);
            }
            if knocked.elapsed() >= BETWEEN_KNOCKS {
                knocked = Instant::now();
                match self.address.knock(Duration::from_secs(5)) {
                    Ok(()) => seen = Instant::now(),
                    Err(cause) if seen.elapsed() >= self.patience => {
                        let mut error = self.address.unreachable(&cause);
                        error.what =
                            format!("the server went away while it worked: {}", error.what);
                        return Err(error);
                    }
                    // Connections break; the client takes up its work where it was.
                    Err(_) => {}
                }
            }
        }
    }

    /// Ends what the server does for us, and waits until it has: what it would write afterwards, nobody
    /// would remove. A server that is gone, or does not end it in time, is left to itself.
    fn interrupt<T>(&self, receiver: &mpsc::Receiver<T>) {
        let began = Instant::now();
        loop {
            // Asked for again and again, because the work may begin after it was asked to end.
            let session = self.session.clone();
            let _ = start_thread(move || {
                let _ = session.interrupt_tag(TAG);
            });
            match receiver.recv_timeout(BETWEEN_KNOCKS) {
                Err(RecvTimeoutError::Timeout)
                    if began.elapsed() < self.patience
                        && self.address.knock(BETWEEN_KNOCKS).is_ok() => {}
                _ => return,
            }
        }
    }
}

impl Session for Server {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn id(&self) -> &str {
        self.session.session_id()
    }

    fn write(
        &self,
        query: &Query,
        url: &str,
        cancel: &Cancel,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<StageReport>> {
        let stages = Arc::new(Mutex::new(Stages::default()));
        let (operations, told_of) = (self.operations(), Arc::clone(&stages));
        let (query, url) = (query.clone(), url.to_owned());
        self.run(
            cancel,
            move |_| {
                create_views(&operations, query.views)?;
                operations.write(query.sql, url, |now| locked(&told_of).see(now))
            },
            || progress(locked(&stages).bytes()),
        )?;
        Ok(locked(&stages).reports())
    }

    fn has_rows(&self, query: &Query, cancel: &Cancel) -> Result<bool> {
        let (operations, query) = (self.operations(), query.clone());
        self.run(
            cancel,
            move |session| {
                create_views(&operations, query.views)?;
                Ok(!expect_rows(session, &query.sql)?.is_empty())
            },
            || {},
        )
    }
}

fn create_views(operations: &Operations, views: Vec<TextView>) -> Result<(), SparkError> {
    views
        .into_iter()
        .try_for_each(|view| operations.create_view(view.name, view.urls, &view.options))
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server forgets the session, its views and settings. It may be gone: nobody waits long.
        let session = self.session.clone();
        let _ = in_time(Duration::from_secs(2), move || session.stop());
    }
}

fn start_thread(work: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = thread::Builder::new().spawn(work);
    started.map(drop).map_err(|cause| {
        Error::io("start a thread", "this process", &cause)
            .help("too many processes or too little memory: close others, or raise `ulimit -u`")
    })
}

/// What a task returns, unless it takes longer.
///
/// # Errors
/// An environment error where the system gives no thread.
fn in_time<T: Send + 'static>(
    patience: Duration,
    task: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>> {
    let (sender, receiver) = mpsc::channel();
    start_thread(move || {
        let _ = sender.send(task());
    })?;
    Ok(receiver.recv_timeout(patience).ok())
}

/// How often an answer may come without a row before that counts as the answer.
const MOST_CUTS: usize = 5;

/// The rows of a query that has some, as a rule: where none come, the stream of the answer was cut.
///
/// # Errors
/// What the server or the client reports.
fn expect_rows(session: &SparkSession, query: &str) -> Result<Vec<Row>, SparkError> {
    let mut rows = session.sql(query)?.collect()?;
    for _ in 0..MOST_CUTS {
        if !rows.is_empty() {
            break;
        }
        rows = session.sql(query)?.collect()?;
    }
    Ok(rows)
}

/// An error of the server or the client, as one of ours.
fn translate(error: &SparkError) -> Error {
    // Codes of gRPC.
    const PERMISSION_DENIED: i32 = 7;
    const UNAVAILABLE: i32 = 14;
    const UNAUTHENTICATED: i32 = 16;
    let message = error.message();
    let ours = match error.grpc_code {
        Some(UNAUTHENTICATED | PERMISSION_DENIED) => {
            Error::environment("the server does not accept the token")
                .help("correct the token in the URL: sc://host:port/;token=...")
        }
        Some(UNAVAILABLE) => Error::environment("the server can't be spoken with")
            .help("look whether it runs, and whether it wants TLS (use_ssl=true in the URL)"),
        _ => of_class(&message, &error.error_class),
    };
    detailed(ours, &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_parameter_of_the_url_and_is_not_shown() {
        for (url, with_token) in [
            ("sc://host", "sc://host/;token=a%3Bb%3D1"),
            ("sc://host:443/;use_ssl=true", "sc://host:443/;use_ssl=true;token=a%3Bb%3D1"),
        ] {
            let mut address = Address::parse(url).unwrap();
            address.add_token("a;b=1");
            assert_eq!(address.url, with_token);
            assert!(!address.shown().contains("token"));
        }
        assert_eq!(Address::parse("sc://host").unwrap().shown(), "sc://host:15002");
    }
}
