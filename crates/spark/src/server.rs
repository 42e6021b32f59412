//! A conversation with a Spark Connect server, whose errors become ours.

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use distil_plan::{Cancel, Error, Hint, Need, Result};
use spark_connect::row::Row;
use spark_connect::{SparkError, SparkSession};

use crate::execute::Operations;
use crate::lower::SETTINGS;
use crate::refuse::PLAIN_NUMBERS;

/// How often a waiting run looks whether it was cancelled.
const TICK: Duration = Duration::from_millis(100);

/// How often a waiting run looks whether the server is still there.
const BETWEEN_KNOCKS: Duration = Duration::from_secs(1);

/// What to do when the server does not see what distil sees.
pub(crate) const SHARE: &str = "inputs and the output must lie where distil and every node of Spark \
                                see them under one path; --temp-dir names such a place for what lies between";

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

/// What a server can't do, found out by asking it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bad text is an error, as `FAILFAST` demands.
    pub(crate) is_strict: bool,
    /// Numbers are read digit by digit, not through a double.
    pub(crate) is_exact: bool,
    /// A member may have the empty name.
    pub(crate) has_empty_names: bool,
}

/// A session on a server.
pub(crate) struct Server {
    pub(crate) session: SparkSession,
    pub(crate) version: String,
    /// The id of its application, where it has one: Sail has none.
    pub(crate) application: Option<String>,
    pub(crate) limits: Limits,
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
            let limits = limits(&session)?;
            Ok::<_, SparkError>((session, version, application, limits))
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
        let (session, version, application, limits) =
            opened.map_err(|error| translate(&error).at(address.shown(), None))?;
        Ok(Self { session, version, application, limits, address: address.clone(), patience })
    }

    /// What writes of this session are made with.
    pub(crate) fn operations(&self) -> Operations {
        let session = self.session.session_id().to_owned();
        let url = self.address.with("session_id") + &session;
        Operations { url, tag: TAG.to_owned(), session }
    }

    /// Does something on the server, until it is done, cancelled, or the server is gone.
    ///
    /// # Errors
    /// What the server reports; a cancelled run; an environment error for a server that is not there
    /// any more.
    pub(crate) fn run<T: Send + 'static>(
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
pub(crate) fn expect_rows(session: &SparkSession, query: &str) -> Result<Vec<Row>, SparkError> {
    let mut rows = session.sql(query)?.collect()?;
    for _ in 0..MOST_CUTS {
        if !rows.is_empty() {
            break;
        }
        rows = session.sql(query)?.collect()?;
    }
    Ok(rows)
}

/// What the documentation of a server does not say: behaviour is asked, names and versions are not.
fn limits(session: &SparkSession) -> Result<Limits, SparkError> {
    let answers = |query: &str| expect_rows(session, query);
    let says_yes = |query: &str| match answers(query) {
        Ok(rows) => rows
            .first()
            .and_then(|row| row.get(0))
            .is_some_and(|value| value.as_bool() == Some(true)),
        Err(_) => false,
    };
    // A server that can't answer at all must not pass for a strict one.
    answers("SELECT true")?;
    Ok(Limits {
        is_strict: answers(
            "SELECT from_json(t, 'STRUCT<a: BIGINT>', map('mode', 'FAILFAST')) FROM VALUES ('{\"a\":') AS v(t)",
        )
        .is_err_and(|error| error.message().contains("MALFORMED_RECORD")),
        is_exact: says_yes(
            "SELECT r.a = CAST('12345678901234567890.123456789012345678' AS DECIMAL(38,18)) FROM (SELECT \
             from_json(t, 'STRUCT<a: DECIMAL(38,18)>') AS r FROM VALUES \
             ('{\"a\":12345678901234567890.123456789012345678}') AS v(t))",
        ) && says_yes(
            "SELECT r.a = CAST('123456789012345.67' AS DOUBLE) FROM (SELECT \
             from_json(t, 'STRUCT<a: DOUBLE>') AS r FROM VALUES ('{\"a\":123456789012345.67}') AS v(t))",
        ),
        has_empty_names: says_yes(
            "SELECT r.`` = 1 FROM (SELECT from_json(t, 'STRUCT<``: BIGINT>') AS r FROM VALUES \
             ('{\"\":1}') AS v(t))",
        ),
    })
}

/// An error of the server or the client, as one of ours.
fn translate(error: &SparkError) -> Error {
    // Codes of gRPC.
    const PERMISSION_DENIED: i32 = 7;
    const UNAVAILABLE: i32 = 14;
    const UNAUTHENTICATED: i32 = 16;
    let message = error.message();
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or("no reason was given").to_owned();
    let has = |word: &str| message.contains(word) || error.error_class.contains(word);
    let mut ours = match error.grpc_code {
        Some(UNAUTHENTICATED | PERMISSION_DENIED) => {
            Error::environment("the server does not accept the token")
                .help("correct the token in the URL: sc://host:port/;token=...")
        }
        Some(UNAVAILABLE) => Error::environment("the server can't be spoken with")
            .help("look whether it runs, and whether it wants TLS (use_ssl=true in the URL)"),
        _ if has("PATH_NOT_FOUND") || has("No such file or directory") => {
            Error::environment("the server does not see the files of this machine").help(SHARE)
        }
        _ if has("MALFORMED_RECORD_IN_PARSING") => {
            Error::input("Spark found a record that is not valid, or not of the declared types")
                .help("leave out assume_valid: a native scan says which record, and why")
        }
        // Only the records show it, so it is refused while the server reads them.
        _ if has("Cannot cast string") => {
            Error::unsupported("spark", &[(Need::Exponents, PLAIN_NUMBERS)])
        }
        _ => Error::environment("Spark could not do the work")
            .help("look at the log of the server")
            .help(Hint::native("or run it on the native engine, which needs no server")),
    };
    ours.details.push(first);
    // Spark tells the cause last, below its own stages and tasks.
    if let Some(cause) = message.lines().rfind(|line| line.trim_start().starts_with("Caused by:")) {
        ours.details.push(cause.trim().to_owned());
    }
    for line in &mut ours.details {
        *line = distil_plan::printable(line);
        if let Some((end, _)) = line.char_indices().nth(600) {
            line.truncate(end);
        }
    }
    ours
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

    #[test]
    fn an_error_of_spark_is_told_by_its_first_line_and_its_cause() {
        let error = SparkError::connect_msg(
            "Job aborted due to stage failure\n  at a.b.C\nCaused by: java.io.IOException: disk full\n\tat x",
        );
        let ours = translate(&error);
        assert_eq!(ours.fault, distil_plan::Fault::Environment);
        assert_eq!(
            ours.details,
            ["Job aborted due to stage failure", "Caused by: java.io.IOException: disk full"]
        );
        let error = SparkError::connect_msg("[PATH_NOT_FOUND] Path does not exist: file:/x");
        assert!(translate(&error).what.contains("does not see"));
    }
}
