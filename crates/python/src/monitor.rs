//! What a run is doing, for the thread that waits for it.

use std::sync::{Mutex, PoisonError};

use distil::{Events, Phase};

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The stage; `None` before the first.
    pub(crate) stage: Option<&'static str>,
    /// Units of the stage that are done: bytes of the decoding, records of the encoding.
    pub(crate) done: u64,
    /// All of its units, where that is known.
    pub(crate) total: Option<u64>,
    /// Records that were read.
    pub(crate) records: u64,
}

/// Keeps the last of what the engine tells. Its threads never wait for Python.
#[derive(Debug, Default)]
pub(crate) struct Monitor(Mutex<Snapshot>);

impl Monitor {
    pub(crate) fn snapshot(&self) -> Snapshot {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Events for Monitor {
    fn begin(&self, stage: Phase, total: Option<u64>) {
        let stage = match stage {
            Phase::Decode => "decode",
            Phase::Encode => "encode",
            Phase::Commit => "commit",
        };
        self.change(|now| *now = Snapshot { stage: Some(stage), done: 0, total, ..*now });
    }

    fn advance(&self, units: u64, records: u64) {
        self.change(|now| {
            now.done += units;
            now.records += records;
        });
    }
}
