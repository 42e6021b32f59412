//! A session of Spark, whoever speaks with it: what is run is decided here, who runs it is not.
//!
//! A Spark Connect server is one ([`crate::connect`]); a program that has a session of its own, as one of
//! Python, gives another.

use distil_plan::{Cancel, Error, Hint, Need, Result, StageReport};

use crate::refuse::PLAIN_NUMBERS;

/// What to do when Spark does not see what distil sees.
pub(crate) const SHARE: &str = "inputs and the output must lie where distil and every node of Spark see them \
                                under one path; such a place for what lies between can be named";

/// Where sessions of Spark are had.
pub trait Host: Send + Sync {
    /// Opens one, which is kept until a run fails. Its queries run with [`SETTINGS`](crate::SETTINGS).
    ///
    /// # Errors
    /// An environment error: what is missing or does not answer.
    fn open(&self) -> Result<Box<dyn Session>>;

    /// What runs there, for people, if it has this version.
    fn describe(&self, version: &str) -> String;

    /// What the report of every run has to say of it.
    fn warning(&self) -> Option<String> {
        None
    }
}

/// A session of Spark, which has one run at a time.
pub trait Session: Send {
    /// What the server answered when the session was opened.
    fn engine(&self) -> &Engine;

    /// A name that no other session has, for files.
    fn id(&self) -> &str;

    /// Runs a query to its end and writes its rows as Parquet to a URL where nothing is, with
    /// [`WRITER_OPTIONS`](crate::WRITER_OPTIONS). `progress` is told the bytes that were read so far, if Spark tells them.
    /// Returns the stages that Spark told of.
    ///
    /// # Errors
    /// What Spark says ([`translate`]); once `cancel` asks for it, that of a cancelled run, when Spark has stopped
    /// to work for it.
    fn write(
        &self,
        query: &Query,
        url: &str,
        cancel: &Cancel,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<StageReport>>;

    /// Whether a query has rows.
    ///
    /// # Errors
    /// As [`Session::write`].
    fn has_rows(&self, query: &Query, cancel: &Cancel) -> Result<bool>;
}

/// What is known of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// Its version.
    pub version: String,
    /// The id of its application, where it has one: Sail has none.
    pub application: Option<String>,
    /// What it can't do.
    pub limits: Limits,
}

/// What a server can't do, found out by asking it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bad text is an error, as `FAILFAST` demands.
    pub is_strict: bool,
    /// Numbers are read digit by digit, not through a double.
    pub is_exact: bool,
    /// A member may have the empty name.
    pub has_empty_names: bool,
}

impl Limits {
    /// What the documentation of a server does not say: behaviour is asked, names and versions are not. `ask` runs a
    /// query of one value and says whether that is true, or what the server says instead.
    ///
    /// # Errors
    /// Those of `ask`, for a server that can't answer at all.
    pub fn found<E>(
        ask: impl Fn(&str) -> Result<bool, E>,
        text: impl Fn(&E) -> String,
    ) -> Result<Self, E> {
        let says_yes = |query: &str| ask(query).is_ok_and(|is_true| is_true);
        // A server that can't answer at all must not pass for a strict one.
        ask("SELECT true")?;
        Ok(Self {
            is_strict: ask(
                "SELECT from_json(t, 'STRUCT<a: BIGINT>', map('mode', 'FAILFAST')) FROM VALUES ('{\"a\":') AS v(t)",
            )
            .is_err_and(|error| text(&error).contains("MALFORMED_RECORD")),
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
}

/// A query, and the views that it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The views; they need not outlive the query.
    pub views: Vec<TextView>,
    /// The query.
    pub sql: String,
}

/// Text files as a view with the column `value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextView {
    /// Its name.
    pub name: String,
    /// URLs of the files, or of the directory that holds them.
    pub urls: Vec<String>,
    /// Options of the `text` reader.
    pub options: Vec<(&'static str, &'static str)>,
}

/// What Spark says, as an error of ours.
#[must_use]
pub fn translate(message: &str) -> Error {
    detailed(of_class(message, ""), message)
}

/// The error that a message and the class of an error of Spark stand for.
pub(crate) fn of_class(message: &str, class: &str) -> Error {
    let has = |word: &str| message.contains(word) || class.contains(word);
    if has("PATH_NOT_FOUND") || has("No such file or directory") {
        return Error::environment("the server does not see the files of this machine")
            .help(Hint::choose(SHARE, "temp_dir"));
    }
    if has("MALFORMED_RECORD_IN_PARSING") {
        return Error::input(
            "Spark found a record that is not valid, or not of the declared types",
        )
        .help("leave out assume_valid: a native scan says which record, and why");
    }
    // Only the records show it, so it is refused while the server reads them.
    if has("Cannot cast string") {
        return Error::unsupported("spark", &[(Need::Exponents, PLAIN_NUMBERS)]);
    }
    Error::environment("Spark could not do the work")
        .help("look at the log of the server")
        .help(Hint::native("or run it on the native engine, which needs no server"))
}

/// The error with the first line of what Spark says, and the cause.
pub(crate) fn detailed(mut error: Error, message: &str) -> Error {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    error.details.push(lines.next().unwrap_or("no reason was given").to_owned());
    // Spark tells the cause last, below its own stages and tasks.
    if let Some(cause) = message.lines().rfind(|line| line.trim_start().starts_with("Caused by:")) {
        error.details.push(cause.trim().to_owned());
    }
    for line in &mut error.details {
        *line = distil_plan::printable(line);
        if let Some((end, _)) = line.char_indices().nth(600) {
            line.truncate(end);
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_spark_is_told_by_its_first_line_and_its_cause() {
        let ours = translate(
            "Job aborted due to stage failure\n  at a.b.C\nCaused by: java.io.IOException: disk full\n\tat x",
        );
        assert_eq!(ours.fault, distil_plan::Fault::Environment);
        assert_eq!(
            ours.details,
            ["Job aborted due to stage failure", "Caused by: java.io.IOException: disk full"]
        );
        let missing = translate("[PATH_NOT_FOUND] Path does not exist: file:/x");
        assert!(missing.what.contains("does not see"));
    }
}
