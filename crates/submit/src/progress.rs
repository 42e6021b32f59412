//! How far an application is, where its command can't hear what it prints: a file beside the order.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use distil_plan::{Cancel, Events, Phase, Result, Watch};
use distil_storage::Storage;
use serde::{Deserialize, Serialize};

use crate::order::{order_is_there, progress_path, read, write};

/// Between two looks of the application at the order, and at most one file in it.
const PAUSE: Duration = Duration::from_secs(2);

/// What an application does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Decode,
    Encode,
}

impl Stage {
    pub(crate) fn phase(self) -> Phase {
        match self {
            Self::Decode => Phase::Decode,
            Self::Encode => Phase::Encode,
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The stage; none before the first.
    stage: Option<Stage>,
    /// Its units, where they are known.
    total: Option<u64>,
    /// Those that are done.
    units: u64,
    /// Records of all stages.
    records: u64,
}

impl Progress {
    /// Tells what is new since `self` was told.
    pub(crate) fn go_on(&mut self, now: Self, events: &dyn Events) {
        if let Some(stage) = now.stage
            && (self.stage, self.total) != (now.stage, now.total)
        {
            events.begin(stage.phase(), now.total);
            self.units = 0;
        }
        let (units, records) =
            (now.units.saturating_sub(self.units), now.records.saturating_sub(self.records));
        if units > 0 || records > 0 {
            events.advance(units, records);
        }
        *self = now;
    }

    /// What the application said last; nothing before it says anything, and while the store does not answer.
    pub(crate) fn read(storage: &dyn Storage, order: &Path) -> Option<Self> {
        read(storage, &progress_path(order)).ok().flatten()
    }
}

/// Keeps what is told, and hands it on.
struct Kept<'a> {
    now: Mutex<Progress>,
    events: &'a dyn Events,
}

impl Kept<'_> {
    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Events for Kept<'_> {
    fn begin(&self, stage: Phase, total: Option<u64>) {
        let stage = match stage {
            Phase::Decode => Some(Stage::Decode),
            Phase::Encode => Some(Stage::Encode),
            // That is the command's.
            Phase::Commit => None,
        };
        self.change(|now| *now = Progress { stage, total, units: 0, ..*now });
        self.events.begin(stage.map_or(Phase::Commit, Stage::phase), total);
    }

    fn advance(&self, units: u64, records: u64) {
        self.change(|now| {
            now.units += units;
            now.records += records;
        });
        self.events.advance(units, records);
    }
}

/// Does the work, and tells how far it is in a file beside the order meanwhile. When the order is gone, so is the command
/// that gave it, and the work is asked to stop.
pub(crate) fn telling<T>(
    storage: &dyn Storage,
    order: &Path,
    watch: Watch<'_>,
    work: impl FnOnce(Watch<'_>) -> Result<T>,
) -> Result<T> {
    let kept = Kept { now: Mutex::default(), events: watch.events };
    let watched = Watch { events: &kept, cancel: watch.cancel };
    thread::scope(|scope| {
        let (over, wait) = sync_channel::<()>(0);
        let kept = &kept;
        scope.spawn(move || tell(storage, order, kept, watch.cancel, &wait));
        let done = work(watched);
        drop(over);
        done
    })
}

fn tell(
    storage: &dyn Storage,
    order: &Path,
    kept: &Kept<'_>,
    cancel: &Cancel,
    over: &Receiver<()>,
) {
    let mut last = Progress::default();
    while let Err(RecvTimeoutError::Timeout) = over.recv_timeout(PAUSE) {
        if matches!(order_is_there(storage, order), Ok(false)) {
            tracing::warn!("nobody waits for this application any more: it ends");
            cancel.interrupt();
            return;
        }
        let now = *kept.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now != last {
            // Nothing depends on it.
            match write(storage, &progress_path(order), &now) {
                Ok(()) => last = now,
                Err(error) => tracing::debug!(%error, "how far it is could not be told"),
            }
        }
    }
}
