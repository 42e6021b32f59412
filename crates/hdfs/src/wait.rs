//! Waiting for what the client of HDFS does on its runtime.

use std::future::Future;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use distil_plan::{Cancel, Error, Result};
use tokio::runtime::{Handle, Runtime};
use tokio::task::AbortHandle;

/// How often a wait looks whether the run is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// How long an answer may take. The client itself waits for ever for a server that is frozen, or cut off
/// without a word. A name node that collects garbage, or writes a checkpoint, answers within this.
const LIMIT: Duration = Duration::from_secs(180);

/// How long all that is done after the wish to stop may take together: temporary files are removed, and
/// locks released.
const GRACE: Duration = Duration::from_secs(10);

/// What a wish to stop does to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// It moves data: it ends at once, and none begins any more.
    Data,
    /// It looks at something: it ends at once, but cleaning up may look too.
    Look,
    /// It changes something: it goes on for a moment, as a change that was cut off may have happened or not.
    Change,
    /// It gives a name: that is how an output appears, and it is not left in the middle.
    Commit,
}

/// Runs futures on a runtime and waits for them, looking whether the run is to stop.
pub(super) struct Waiter {
    runtime: Arc<Runtime>,
    cancel: Cancel,
    /// When everything must end, once the run is asked to stop.
    end: OnceLock<Instant>,
}

impl Waiter {
    pub(super) fn new(runtime: Arc<Runtime>, cancel: Cancel) -> Self {
        Self { runtime, cancel, end: OnceLock::new() }
    }

    pub(super) fn handle(&self) -> Handle {
        self.runtime.handle().clone()
    }

    /// Whether the run is to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.cancel.check().is_err()
    }

    /// Begins a future, which is dropped with what is returned.
    ///
    /// It runs as a task: so it may be waited for from any thread, and a panic in it is an error here.
    pub(super) fn start<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Pending<T> {
        let (sender, answer) = sync_channel(1);
        let task = self.runtime.spawn(async move {
            // Nobody waits any more: nobody misses it.
            let _ = sender.send(future.await);
        });
        Pending { answer, task: task.abort_handle() }
    }

    /// Waits for a future.
    ///
    /// # Errors
    /// The run is to stop, as its urgency says; there was no answer in time; the client panicked.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        urgency: Urgency,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        let urgency = match urgency {
            Urgency::Look if self.is_stopping() => Urgency::Change,
            urgency => urgency,
        };
        self.finish(urgency, &self.start(future))
    }

    /// As [`Waiter::wait`], for what was begun before.
    pub(super) fn finish<T>(&self, urgency: Urgency, pending: &Pending<T>) -> Result<T> {
        let limit = Instant::now() + LIMIT;
        if urgency == Urgency::Data {
            self.cancel.check()?;
        }
        loop {
            match pending.answer.recv_timeout(LOOK) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::environment("the client of HDFS broke off"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            if let Err(stop) = self.cancel.check()
                && urgency != Urgency::Commit
                && (urgency != Urgency::Change || now > *self.end.get_or_init(|| now + GRACE))
            {
                return Err(stop);
            }
            if now > limit {
                let what = format!("HDFS did not answer for {} seconds", LIMIT.as_secs());
                return Err(Error::environment(what)
                    .help("look whether its name node and data nodes are alive, and run again"));
            }
        }
    }

    /// Does nothing for a while.
    ///
    /// # Errors
    /// The run is to stop, but for a commit.
    pub(super) fn pause(&self, urgency: Urgency, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        loop {
            if urgency != Urgency::Commit {
                self.cancel.check()?;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(LOOK));
        }
    }
}

/// The answer of a future that runs.
pub(super) struct Pending<T> {
    answer: Receiver<T>,
    task: AbortHandle,
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use distil_plan::Fault;

    use super::*;

    fn waiter() -> (Waiter, Cancel) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let cancel = Cancel::new();
        (Waiter::new(Arc::new(runtime), cancel.clone()), cancel)
    }

    #[test]
    fn a_wish_to_stop_ends_a_wait_for_data_at_once_and_lets_a_change_go_on() {
        let (waiter, cancel) = waiter();
        let stop = {
            let cancel = cancel.clone();
            std::thread::Builder::new()
                .spawn(move || {
                    std::thread::sleep(Duration::from_millis(100));
                    cancel.interrupt();
                })
                .unwrap()
        };
        // One that never ends: a wait that was not ended by the wish would have another fault.
        let stopped = waiter.wait(Urgency::Data, std::future::pending::<()>()).unwrap_err();
        assert_eq!(stopped.fault, Fault::Interrupted);
        stop.join().unwrap();
        assert!(waiter.wait(Urgency::Data, async { 1 }).is_err());
        let slow = || async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            7
        };
        assert_eq!(waiter.wait(Urgency::Change, slow()).unwrap(), 7);
        assert_eq!(waiter.wait(Urgency::Look, slow()).unwrap(), 7);
        assert!(waiter.pause(Urgency::Change, Duration::from_secs(9)).is_err());
    }

    #[test]
    fn a_commit_is_not_left_in_the_middle() {
        let (waiter, cancel) = waiter();
        cancel.interrupt();
        // As if the time for cleaning up had passed already.
        waiter.end.set(Instant::now()).unwrap();
        let slow = || async { tokio::time::sleep(LOOK * 3).await };
        assert_eq!(waiter.wait(Urgency::Change, slow()).unwrap_err().fault, Fault::Interrupted);
        waiter.wait(Urgency::Commit, slow()).unwrap();
        waiter.pause(Urgency::Commit, LOOK).unwrap();
    }

    #[test]
    fn a_panic_of_the_client_is_an_error() {
        let (waiter, _) = waiter();
        let error = waiter.wait(Urgency::Look, async { panic!("of the client") }).unwrap_err();
        assert_eq!(error.to_string(), "the client of HDFS broke off");
    }
}
