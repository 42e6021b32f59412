//! The seam: a backend receives a whole resolved plan and returns a report.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::{DISTIL_VERSION, Error, Fault, Need, Report, ResolvedPlan, Result, Support};

/// A stage of a run, for progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading; units are bytes on disk.
    Decode,
    /// Deduplicating and writing; units are records.
    Encode,
    /// Making the output visible; no units.
    Commit,
}

/// Receives progress. Calls come from any thread and must be cheap.
pub trait Events: Send + Sync {
    /// A stage begins, with the units that it will go through, where that is known.
    fn begin(&self, stage: Phase, total: Option<u64>);
    /// The stage went through more units and records.
    fn advance(&self, units: u64, records: u64);
}

/// Ignores all events.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl Events for NoEvents {
    fn begin(&self, _: Phase, _: Option<u64>) {}
    fn advance(&self, _: u64, _: u64) {}
}

/// A flag that asks a run to stop. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicU8>);

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    /// Asks the run to stop, as SIGTERM does.
    pub fn terminate(&self) {
        self.0.store(2, Ordering::Relaxed);
    }

    /// # Errors
    /// Once the run is asked to stop. Backends call this at least a few times a second.
    pub fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            1 => Err(Error::new(Fault::Interrupted, "interrupted")),
            _ => Err(Error::new(Fault::Terminated, "asked to end")),
        }
    }
}

/// What goes on beside a piece of work: progress, and a wish to stop.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Receives progress events.
    pub events: &'a dyn Events,
    /// Asks the work to stop.
    pub cancel: &'a Cancel,
}

impl Watch<'static> {
    /// Work that reports no progress, and is never asked to stop.
    pub fn unwatched() -> Self {
        static NEVER: LazyLock<Cancel> = LazyLock::new(Cancel::new);
        Self { events: &NoEvents, cancel: &NEVER }
    }
}

/// Where a backend writes. Nothing there is visible to anyone until the frame commits it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staging {
    /// A file to create, or a directory that exists and is empty, by the layout of the sink.
    pub output: PathBuf,
    /// A file to create for quarantined records, when the plan wants one.
    pub quarantine: Option<PathBuf>,
    /// A file to create for dropped conflicting duplicates, when the plan wants one.
    pub dropped: Option<PathBuf>,
    /// An existing empty directory for temporary files; the frame removes it.
    pub scratch: PathBuf,
}

/// One run, as a backend sees it.
pub struct Request<'a> {
    /// What to do.
    pub plan: &'a ResolvedPlan,
    /// Where to write.
    pub staging: &'a Staging,
    /// Progress, and whether to stop.
    pub watch: Watch<'a>,
}

/// An engine that runs whole plans.
///
/// A backend **must** give exactly the rows, survivors, order, types and counts of the contract
/// (`docs/semantics.md`), or not support what the plan asks for ([`Backend::supports`]), so that the
/// plan is refused before anything is written. It must not choose an arbitrary survivor, infer what the plan settles, skip, round, or use the
/// machine's time zone or locale. It writes only below the paths of [`Staging`], syncs every file it
/// leaves there, and returns a report whose counts add up; a wrong count is found before commit and
/// reported as a bug.
pub trait Backend: Send + Sync {
    /// The name of the engine, as configuration and reports spell it.
    fn name(&self) -> &str;

    /// Finds out whether a plan could be run now, by starting or reaching what the backend stands on.
    /// Returns the versions of the engine and of that, for people.
    ///
    /// # Errors
    /// An environment error: what is missing or does not answer, with the command that mends it.
    fn check(&self) -> Result<String> {
        // An engine inside this process has nothing that could be missing.
        Ok(format!("distil {DISTIL_VERSION}"))
    }

    /// Whether the backend supports something that a plan may ask for. A plan that asks for anything
    /// else is refused before the run. [`Need::BadRecords`] and [`Need::SameBytes`] are answered
    /// without starting or reaching anything.
    ///
    /// # Errors
    /// As [`Backend::check`].
    fn supports(&self, need: &Need) -> Result<Support>;

    /// Runs the plan. The frame fills in what only it knows: status, the output's path and final
    /// size, the run's resources.
    ///
    /// # Errors
    /// Anything that kept the plan from being run; staged files may be left behind, the frame
    /// removes them.
    fn run(&self, request: &Request<'_>) -> Result<Report>;
}
