//! Errors, sorted by who must act.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hidden::without_secrets;
use crate::{Code, Hint, Need};

/// Who must act on an error; it decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The input is at fault: bad records, a wrong shape, a missing key (exit 1).
    Input,
    /// The command line, the configuration or the plan is at fault (exit 2).
    Usage,
    /// Disk, permission, network or a backend is at fault (exit 3).
    Environment,
    /// The output is committed, but the report or a final sync failed (exit 4).
    AfterCommit,
    /// The output exists or another run holds it (exit 5).
    Exists,
    /// The user interrupted the run (exit 130).
    Interrupted,
    /// The process was asked to end (exit 143).
    Terminated,
    /// distil itself is wrong (exit 70, `EX_SOFTWARE` of sysexits.h).
    Bug,
}

impl Fault {
    /// The exit status of a command that ends with this fault.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Input => 1,
            Self::Usage => 2,
            Self::Environment => 3,
            Self::AfterCommit => 4,
            Self::Exists => 5,
            Self::Bug => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

/// Where an error happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file or directory, as the user named it.
    pub path: String,
    /// Byte offset in the decompressed content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The line of that byte, counted from 1, where the file could be read again to count it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.path))?;
        match (self.line, self.offset) {
            (Some(line), Some(offset)) => write!(f, " line {line}, byte {offset}"),
            (None, Some(offset)) => write!(f, " at byte {offset}"),
            (_, None) => Ok(()),
        }
    }
}

/// What a backend does not support, as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The name of the backend.
    pub backend: String,
    /// What was asked for and is not supported, each as its [`Need::word`].
    pub needs: Vec<String>,
}

/// A record, or a range of bytes, that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundBad {
    /// The file, as the user named it.
    pub path: String,
    /// Its first byte, in the decompressed content.
    pub offset: u64,
    /// Why, as the quarantine spells it.
    pub reason: String,
    /// What exactly does not fit.
    pub detail: String,
}

/// What an error is about, as data for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// What a backend does not support.
    Refused(Refusal),
    /// The first bad records and ranges.
    Records(Vec<FoundBad>),
    /// A column that nothing has.
    MissingColumn {
        /// As it was named.
        column: String,
        /// Those that are called most like it.
        nearest: Vec<String>,
    },
}

/// What went wrong, where, what became of the output, and what to do.
///
/// `Display` gives the first line (what and where), and in its alternate form (`{:#}`) below it what was
/// found, what became of the output and what to do, each on a line of its own ([`Error::below`]). Hints are
/// spelled as a configuration spells their options.
///
/// ```
/// # use distil_plan::{Error, Hint};
/// let error = Error::input("1 bad record")
///     .detail("a.ndjson line 2, byte 29: invalid_json: expected a value, found `}`")
///     .output("nothing was written")
///     .help(Hint::choose("set bad records aside and go on", "quarantine"));
/// assert_eq!(format!("{error}"), "1 bad record");
/// assert_eq!(
///     format!("{error:#}"),
///     "1 bad record
///   a.ndjson line 2, byte 29: invalid_json: expected a value, found `}`
///   output: nothing was written
///   help: set bad records aside and go on: quarantine"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// Who must act.
    pub fault: Fault,
    /// What kind of error it is, for programs.
    pub code: Code,
    /// One sentence without a final period.
    pub what: String,
    /// Where. Boxed, because results carry errors everywhere and should stay small.
    pub place: Option<Box<Place>>,
    /// What was found, one line each, where one sentence does not hold it: the first bad records ...
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What became of the output, when there is something to say.
    pub output: Option<String>,
    /// What to do.
    pub hints: Vec<Hint>,
    /// What it is about, as data: a member `refused`, `records` or `missing_column`. Boxed as the place is.
    #[serde(default, flatten, skip_serializing_if = "Option::is_none")]
    pub found: Option<Box<Found>>,
}

/// What a line of [`Error::below`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// What was found.
    Detail,
    /// What became of the output.
    Output,
    /// What to do.
    Help,
}

impl Told {
    /// What stands before the line; `None` for what needs no label.
    pub fn label(self) -> Option<&'static str> {
        match self {
            Self::Detail => None,
            Self::Output => Some("output:"),
            Self::Help => Some("help:"),
        }
    }
}

/// The result of anything in distil that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of the given fault.
    pub fn new(fault: Fault, what: impl Into<String>) -> Self {
        Self {
            fault,
            code: Code::of(fault),
            what: what.into(),
            place: None,
            details: Vec::new(),
            output: None,
            hints: Vec::new(),
            found: None,
        }
    }

    /// The input is at fault.
    pub fn input(what: impl Into<String>) -> Self {
        Self::new(Fault::Input, what)
    }

    /// The command line, the configuration or the plan is at fault.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Fault::Usage, what)
    }

    /// The environment is at fault.
    pub fn environment(what: impl Into<String>) -> Self {
        Self::new(Fault::Environment, what)
    }

    /// distil is at fault: an invariant does not hold.
    pub fn bug(what: impl Into<String>) -> Self {
        Self::new(Fault::Bug, what)
            .help("this is a bug in distil: please report it with this message and the report file")
    }

    /// A plan that asks `backend` for what it does not support: each with the reason.
    pub fn unsupported(backend: &str, refused: &[(Need, &str)]) -> Self {
        let named: Vec<String> = refused
            .iter()
            .map(|(need, _)| format!("{} (`{}`)", need.promise(), need.word()))
            .collect();
        let what =
            format!("the backend {backend} can't do what the plan asks for: {}", named.join(", "));
        let mut error = Self::usage(what).help(Hint::native("run it on the native engine"));
        for (at, (_, why)) in refused.iter().enumerate() {
            if refused[..at].iter().all(|(_, before)| before != why) {
                let same = refused.iter().filter(|(_, other)| other == why);
                let words: Vec<String> = same.map(|(need, _)| need.word()).collect();
                error = error.detail(format!("{}: {why}", words.join(", ")));
            }
        }
        let needs: Vec<Need> = refused.iter().map(|(need, _)| *need).collect();
        error.refuse(backend, &needs)
    }

    /// Says as data what the backend does not support.
    #[must_use]
    pub fn refuse(mut self, backend: &str, needs: &[Need]) -> Self {
        let needs = needs.iter().map(Need::word).collect();
        self.code = Code::Refused;
        self.about(Found::Refused(Refusal { backend: backend.to_owned(), needs }))
    }

    /// Says as data what the error is about.
    #[must_use]
    pub fn about(mut self, found: Found) -> Self {
        self.found = Some(Box::new(found));
        self
    }

    /// What the backend does not support, if that is the error.
    pub fn refused(&self) -> Option<&Refusal> {
        match self.found.as_deref() {
            Some(Found::Refused(refused)) => Some(refused),
            _ => None,
        }
    }

    /// Whether the error says that the backend does not support this.
    pub fn is_refusal_of(&self, need: &Need) -> bool {
        let word = need.word();
        self.refused().is_some_and(|refused| refused.needs.contains(&word))
    }

    /// The error that an I/O error carries through code that knows no other.
    pub fn inside(error: &std::io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// A failed operation of the operating system on `path`.
    pub fn io(doing: &str, path: impl fmt::Display, cause: &std::io::Error) -> Self {
        Self::environment(format!("cannot {doing}: {}", cause_text(cause)))
            .at(path.to_string(), None)
    }

    /// Says what kind of error it is; the fault follows.
    #[must_use]
    pub fn coded(mut self, code: Code) -> Self {
        self.code = code;
        self.fault = code.fault();
        self
    }

    /// Adds the place, unless an inner layer already knew it; of the URL of a web server without its secrets.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>, offset: Option<u64>) -> Self {
        if self.place.is_none() {
            let path = path.into();
            let path = without_secrets(&path).unwrap_or(path);
            self.place = Some(Box::new(Place { path, offset, line: None }));
        }
        self
    }

    /// Adds a line about what was found.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn help(mut self, hint: impl Into<Hint>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Writes the path of the file that the error is about for `FILE` in its advice, if a shell reads it as it
    /// is.
    #[must_use]
    pub fn with_file(mut self, path: &str) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%,:=".contains(c);
        if !path.starts_with('-') && path.chars().all(is_plain) {
            for hint in &mut self.hints {
                hint.text = hint.text.replace("FILE", path);
            }
        }
        self
    }

    /// What a face prints below the first line, in this order: each is a line that can't steer a terminal.
    pub fn below(&self) -> impl Iterator<Item = (Told, String)> {
        let details = self.details.iter().map(|line| (Told::Detail, printable(line)));
        let output = self.output.iter().map(|line| (Told::Output, printable(line)));
        let hints = self.hints.iter().map(|hint| (Told::Help, printable(&hint.to_string())));
        details.chain(output).chain(hints)
    }

    /// Says what became of the output, unless an inner layer already did.
    #[must_use]
    pub fn output(mut self, line: impl Into<String>) -> Self {
        self.output.get_or_insert(line.into());
        self
    }
}

/// The text of an operating system error, without Rust's `(os error 2)`.
fn cause_text(cause: &std::io::Error) -> String {
    let text = cause.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// The beginning of a text that a message quotes: an argument may have megabytes.
pub(crate) fn excerpt(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Data on its way to a terminal or a log: control characters, bidirectional overrides and other
/// invisible marks are escaped, so that a file can't steer the terminal of whoever reads about it.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if c.is_control() || invisible {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&printable(&self.what))?;
        if f.alternate() {
            for (told, line) in self.below() {
                match told.label() {
                    Some(label) => write!(f, "\n  {label} {line}")?,
                    None => write!(f, "\n  {line}")?,
                }
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_place_wins_and_control_characters_never_pass() {
        let error = Error::input("bad \u{1b}[31m name").at("a\nb", Some(7)).at("outer", None);
        assert_eq!(error.to_string(), "a\\u{a}b at byte 7: bad \\u{1b}[31m name");
    }

    #[test]
    fn the_alternate_form_is_everything_and_steers_no_terminal() {
        let error = Error::input("bad")
            .at("a", Some(7))
            .detail("b\u{1b}[31m")
            .output("as it was\nbefore")
            .help(Hint::set("go on", "mode", "overwrite"))
            .help("stop");
        assert_eq!(error.to_string(), "a at byte 7: bad");
        assert_eq!(
            format!("{error:#}"),
            "a at byte 7: bad\n  b\\u{1b}[31m\n  output: as it was\\u{a}before\n  help: go on: mode = \
             \"overwrite\"\n  help: stop"
        );
        assert_eq!(format!("{:#}", Error::usage("alone")), "alone");
    }

    #[test]
    fn a_refusal_names_what_is_not_supported_for_people_and_as_data() {
        let refused =
            [(Need::Zstd, "no reader"), (Need::Bloom, "no writer"), (Need::Gzip, "no reader")];
        let error = Error::unsupported("b", &refused);
        assert_eq!(
            error.to_string(),
            "the backend b can't do what the plan asks for: reading zstd (`input:zstd`), bloom \
             filters (`bloom`), reading gzip (`input:gzip`)"
        );
        assert_eq!(error.details, ["input:zstd, input:gzip: no reader", "bloom: no writer"]);
        assert!(error.is_refusal_of(&Need::Bloom) && !error.is_refusal_of(&Need::Dropped));
        let text = serde_json::to_string(&error).unwrap();
        assert!(
            text.contains(r#""refused":{"backend":"b","needs":["input:zstd","bloom","#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Error>(&text).unwrap(), error);
    }

    #[test]
    fn operating_system_errors_hide_rust() {
        let cause = std::io::Error::from_raw_os_error(28);
        let error = Error::io("write", "x.parquet", &cause);
        assert_eq!(error.to_string(), "x.parquet: cannot write: No space left on device");
        assert_eq!(error.fault.exit_status(), 3);
    }
}
