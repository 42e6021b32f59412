//! Backends that are another process: a resolved plan in, a report out, as lines of JSON
//! (`docs/backends.md`).
//!
//! The process is taken at its word in nothing that can be looked at: its counts must add up, and
//! what it wrote is read back before anything is committed.

mod conversation;
mod needs;
mod process;
mod protocol;

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use distil_output::expected::ExpectedOutput;
use distil_plan::{Backend, Error, Hint, Need, Report, Request, Result, StageReport, Support};

use crate::conversation::Conversation;
pub use crate::process::{Heard, Process};
use crate::protocol::{Footers, Run};

/// How to start a process, and how long to wait for it.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    /// The program, looked for as a shell does.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables of the environment that it does not get.
    pub without: Vec<OsString>,
    /// What to do when the program is not there, or ends before it says hello; one line.
    pub remedy: Option<String>,
    /// The longest silence before the process counts as hanging.
    pub silence: Duration,
    /// The longest wait for its first message.
    pub start: Duration,
    /// The time it has to end by itself when the run is cancelled.
    pub grace: Duration,
    /// Lines of its standard error that are kept, the last ones.
    pub kept: usize,
}

impl ProcessOptions {
    /// Options with the usual waits: a minute of silence, a minute to start, two seconds to end.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            without: Vec::new(),
            remedy: None,
            silence: Duration::from_secs(60),
            start: Duration::from_secs(60),
            grace: Duration::from_secs(2),
            kept: 12,
        }
    }
}

/// What a process says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The name and version of the engine and what it stands on.
    pub version: String,
    /// What it supports, in the words of `docs/backends.md`.
    pub supports: Vec<String>,
}

/// A backend in another process, which is started once for many plans, and again if it died.
pub struct External {
    name: String,
    options: ProcessOptions,
    conversation: Mutex<Option<Conversation>>,
}

impl External {
    /// A backend of the given name; nothing is started yet. The process reads the inputs itself.
    pub fn new(name: impl Into<String>, options: ProcessOptions) -> Self {
        Self { name: name.into(), options, conversation: Mutex::new(None) }
    }

    /// The `pandas` backend, on this Python interpreter.
    pub fn pandas(python: &Path) -> Self {
        Self::new("pandas", Self::pandas_options(python))
    }

    /// How the process of the `pandas` backend is started, on this Python interpreter.
    pub fn pandas_options(python: &Path) -> ProcessOptions {
        let mut options = ProcessOptions::new(python);
        options.arguments = vec!["-c".into(), include_str!("../python/distil_pandas.py").into()];
        options.remedy = Some(format!(
            "install Python 3.9 or later, then '{}' -m pip install pandas pyarrow; or name another \
             Python in the configuration: python = \".venv/bin/python\"",
            python.display()
        ));
        options
    }

    /// Starts the process, unless it runs, and asks it what it is.
    ///
    /// # Errors
    /// An environment error: the program is not there, or does not answer, or speaks another version
    /// of the protocol.
    pub fn describe(&self) -> Result<Description> {
        let mut place = self.place();
        let conversation = self.running(&mut place)?;
        Ok(conversation.description().clone())
    }

    fn place(&self) -> MutexGuard<'_, Option<Conversation>> {
        self.conversation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running<'a>(&self, place: &'a mut Option<Conversation>) -> Result<&'a mut Conversation> {
        if place.as_mut().is_some_and(|conversation| !conversation.is_alive()) {
            *place = None;
        }
        match place {
            Some(conversation) => Ok(conversation),
            None => Ok(place.insert(Conversation::start(&self.name, &self.options)?)),
        }
    }
}

impl Backend for External {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<String> {
        Ok(self.describe()?.version)
    }

    fn supports(&self, need: &Need) -> Result<Support> {
        match needs::settled(need) {
            Some(support) => Ok(support),
            None => Ok(needs::support(need, &self.describe()?.supports)),
        }
    }

    fn run(&self, request: &Request<'_>) -> Result<Report> {
        let began = Instant::now();
        let Some(schema) = &request.plan.schema else {
            return Err(Error::bug("a plan without a schema came to a backend in another process"));
        };
        let expected = ExpectedOutput::of(request.plan, schema);
        let footers = Footers {
            output: expected.output().to_pairs()?,
            dropped: expected.dropped().to_pairs()?,
        };
        let message = Run::new(request, &footers);
        let mut place = self.place();
        let conversation = self.running(&mut place)?;
        let done = match conversation.run(&message, request) {
            Ok(done) => done,
            Err(error) => {
                // An error that the process itself reports leaves it fit for the next plan.
                if !conversation.is_alive() {
                    *place = None;
                }
                return Err(error);
            }
        };
        drop(place);
        let mut report = done.report(&self.name, request.plan).map_err(|error| self.lie(&error))?;
        report.stages.push(StageReport {
            name: self.name.clone(),
            seconds: began.elapsed().as_secs_f64(),
            rows: report.records.read,
            ..StageReport::default()
        });
        Ok(report)
    }
}

impl External {
    /// What the process did does not fit what it said.
    fn lie(&self, found: &Error) -> Error {
        let mut error =
            Error::environment(format!("the backend {} is wrong: {}", self.name, found.what)).help(
                Hint::native(
                    "run it on the native engine, and report this to whoever made the backend",
                ),
            );
        error.details.clone_from(&found.details);
        error
    }
}
