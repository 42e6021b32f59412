//! A conversation with a process: who says what when, and what it means when somebody does not.

use std::time::{Duration, Instant};

use distil_plan::{Cancel, DISTIL_VERSION, Error, Fault, Hint, Phase, Request, Result};

use crate::process::{Heard, Process};
use crate::protocol::{Answer, Done, FaultName, Order, PROTOCOL, Run, StageName};
use crate::{Description, ProcessOptions};

/// How long a process may take to end after it closed its standard output.
const CLOSING: Duration = Duration::from_secs(5);

/// How often a waiting run looks whether it was cancelled.
const TICK: Duration = Duration::from_millis(50);

/// A process that said hello.
pub(crate) struct Conversation {
    name: String,
    process: Process,
    options: ProcessOptions,
    description: Description,
}

impl Conversation {
    /// Starts a process and waits for its hello.
    ///
    /// # Errors
    /// An environment error.
    pub(crate) fn start(name: &str, options: &ProcessOptions) -> Result<Self> {
        let remedy = |error: Error| match &options.remedy {
            Some(remedy) => error.help(remedy.as_str()),
            None => error,
        };
        let process = Process::start(options).map_err(|mut error| {
            error.hints.clear();
            error.what = format!("the backend {name} did not start: {}", error.what);
            remedy(error)
        })?;
        let mut conversation = Self {
            name: name.to_owned(),
            process,
            options: options.clone(),
            description: Description { version: String::new(), supports: Vec::new() },
        };
        conversation.send(&Order::Hello { protocol: PROTOCOL, distil: DISTIL_VERSION })?;
        // A start is short: a run that is cancelled meanwhile notices right after it.
        let heard = conversation.answer(options.start, &Cancel::new());
        match heard.map_err(|error| if error.hints.is_empty() { remedy(error) } else { error })? {
            Answer::Hello { protocol: PROTOCOL, version, supports } => {
                conversation.description = Description { version, supports };
                Ok(conversation)
            }
            Answer::Hello { protocol, .. } => {
                conversation.process.end(Duration::ZERO);
                Err(Error::environment(format!(
                    "the backend {name} speaks version {protocol} of the protocol, this distil \
                     speaks version {PROTOCOL}"
                ))
                .help("use versions of both that belong together"))
            }
            Answer::Error { fault, what, help } => {
                conversation.process.end(Duration::ZERO);
                Err(conversation.told(fault, &what, help))
            }
            _ => Err(conversation.broken("said something else than hello first")),
        }
    }

    pub(crate) fn description(&self) -> &Description {
        &self.description
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.is_alive()
    }

    /// Has a plan run. After any error that the process did not report itself, it is ended.
    ///
    /// # Errors
    /// What the process reports; an environment error if it ends, hangs or says what it should not;
    /// a cancelled run.
    pub(crate) fn run(&mut self, run: &Run<'_>, request: &Request<'_>) -> Result<Done> {
        self.send(&Order::Run(run))?;
        loop {
            match self.answer(self.options.silence, request.watch.cancel)? {
                Answer::Alive => {}
                Answer::Begin { stage, total } => {
                    let stage = match stage {
                        StageName::Decode => Phase::Decode,
                        StageName::Encode => Phase::Encode,
                    };
                    request.watch.events.begin(stage, total);
                }
                Answer::Advance { units, records } => request.watch.events.advance(units, records),
                Answer::Done(done) => return Ok(done),
                Answer::Error { fault, what, help } => return Err(self.told(fault, &what, help)),
                Answer::Hello { .. } => return Err(self.broken("said hello twice")),
            }
        }
    }

    fn send(&self, order: &Order<'_>) -> Result<()> {
        let line = serde_json::to_vec(order)
            .map_err(|e| Error::usage(format!("the plan can't be told to another process: {e}")))?;
        self.process.send(line);
        Ok(())
    }

    /// The next message.
    fn answer(&mut self, patience: Duration, cancel: &Cancel) -> Result<Answer> {
        let asked = Instant::now();
        loop {
            if let Err(cancelled) = cancel.check() {
                self.send(&Order::Cancel)?;
                self.process.end(self.options.grace);
                return Err(cancelled);
            }
            match self.process.hear(TICK.min(patience)) {
                Heard::Line(line) => {
                    return serde_json::from_slice(&line).map_err(|_| {
                        let text = String::from_utf8_lossy(&line[..line.len().min(200)]);
                        self.broken(&format!("wrote something that is not a message: `{text}`"))
                    });
                }
                Heard::Silence if asked.elapsed() >= patience => {
                    let seconds = patience.as_secs_f64();
                    return Err(self.broken(&format!("said nothing for {seconds} seconds")));
                }
                Heard::Silence => {}
                Heard::Closed => {
                    let how = self.process.end(CLOSING);
                    return Err(self.with_last_words(format!(
                        "the backend {} {how} before it was done",
                        self.name
                    )));
                }
            }
        }
    }

    /// Ends a process that can't be trusted any more.
    fn broken(&mut self, what: &str) -> Error {
        self.process.end(Duration::ZERO);
        self.with_last_words(format!("the backend {} {what}, and was stopped", self.name))
    }

    fn with_last_words(&self, what: String) -> Error {
        let mut error = Error::environment(what);
        error.details = self.process.said();
        error
    }

    /// What the process itself reports.
    fn told(&self, fault: FaultName, what: &str, help: Vec<Hint>) -> Error {
        let fault = match fault {
            FaultName::Input => Fault::Input,
            FaultName::Usage => Fault::Usage,
            FaultName::Environment => Fault::Environment,
        };
        let mut error = Error::new(fault, format!("the backend {}: {what}", self.name));
        error.hints = help;
        error
    }
}
