//! A call that may take long: it runs on a thread of its own, and the thread of Python waits for it.
//!
//! No thread of the engine ever touches Python. The one that waits looks every [`PAUSE`] for signals, shows
//! progress and hands on the log. An exception of any of these stops the run, which leaves nothing behind,
//! and is raised then.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use distil::{Cancel, Error, Events};
use pyo3::prelude::*;

use crate::errors::exception;
use crate::monitor::{Monitor, Snapshot};
use crate::{log, session};

/// Between two looks at signals, progress and the log.
const PAUSE: Duration = Duration::from_millis(50);
/// Between two calls of whoever watches the progress.
const TELL: Duration = Duration::from_millis(100);

/// Runs `work` and waits for it. `watch` is called with what it does, `running` can stop it.
///
/// # Errors
/// An exception that came meanwhile; `InternalError` for a panic.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    running: Option<&session::Running>,
    watch: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(Arc<dyn Events>, Cancel) -> T + Send + 'static,
) -> PyResult<T> {
    log::listen(py.import("distil._log")?.call_method0("level")?.extract()?);
    let monitor = Arc::new(Monitor::default());
    let cancel = Cancel::new();
    let _registered = running.map(|running| running.register(cancel.clone()));
    let (send, receive) = sync_channel(1);
    let (events, flag) = (Arc::clone(&monitor) as Arc<dyn Events>, cancel.clone());
    let guarded = move || {
        let done = catch_unwind(AssertUnwindSafe(|| work(events, flag)));
        // Who waits is there until it has this.
        let _ = send.send(done);
    };
    let thread = std::thread::Builder::new().name("distil".to_owned()).spawn(guarded);
    let thread = thread.map_err(|cause| {
        exception(py, &Error::io("start a thread", "this process", &cause), None)
    })?;
    let waiting = Mutex::new(receive);
    let mut teller = Teller { watch, begun: Instant::now(), last: None };
    let mut raised = None;
    let done = loop {
        match py.detach(|| next(&waiting)) {
            Ok(done) => break done,
            Err(RecvTimeoutError::Disconnected) => {
                break Err(Box::new("a call ended without a word"));
            }
            Err(RecvTimeoutError::Timeout) if raised.is_none() => {
                let heard = py.check_signals().and_then(|()| log::drain(py));
                if let Err(error) = heard.and_then(|()| teller.tell(monitor.snapshot())) {
                    cancel.interrupt();
                    raised = Some(error);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    };
    // It has sent its last word.
    let _ = py.detach(|| thread.join());
    if let Some(error) = raised {
        return Err(error);
    }
    log::drain(py)?;
    done.map_err(|panic| exception(py, &told(&*panic), None))
}

fn next<T>(waiting: &Mutex<Receiver<T>>) -> Result<T, RecvTimeoutError> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(PAUSE)
}

/// A panic as the bug that it is.
pub(crate) fn told(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::bug(format!("an internal check failed: {}", text.unwrap_or("no message")))
        .output("it is either the previous output or the complete new one")
}

/// Tells somebody how far the run is.
struct Teller<'a, 'py> {
    watch: Option<&'a Bound<'py, PyAny>>,
    begun: Instant,
    /// What was told last, and when.
    last: Option<(Instant, Snapshot)>,
}

impl Teller<'_, '_> {
    fn tell(&mut self, now: Snapshot) -> PyResult<()> {
        let (Some(watch), Some(stage)) = (self.watch, now.stage) else { return Ok(()) };
        let due = self.last.is_none_or(|(when, told)| when.elapsed() >= TELL && told != now);
        if due {
            self.last = Some((Instant::now(), now));
            let seconds = self.begun.elapsed().as_secs_f64();
            watch.call1((stage, now.done, now.total, now.records, seconds))?;
        }
        Ok(())
    }
}
