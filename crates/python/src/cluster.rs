//! A cluster that Python schedules, and its tasks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use distil::cluster::{self, Cluster, Kind, Payload, Tasks, decode};
use distil::{Cancel, EngineReport, Error, Result, Watch};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::call;

/// Between two looks whether the run should stop.
const PAUSE: Duration = Duration::from_millis(100);
/// Between two calls of `cancel`.
const BETWEEN_CALLS: Duration = Duration::from_secs(1);
/// Payloads of a task that may wait to be taken.
const WAITING: usize = 2;

/// A payload as Python has it: kind, group, bytes.
pub(crate) type Told = (u8, u32, Py<PyBytes>);

/// An object of Python with the methods of [`Cluster`], and `cancel`.
pub(crate) struct PythonCluster(pub(crate) Py<PyAny>);

impl PythonCluster {
    fn call(&self, method: &str, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>> {
        let mut advanced = 0;
        let mut advance = || {
            let units = (self.progress() * tasks.units as f64) as u64;
            watch.events.advance(units.saturating_sub(advanced), 0);
            advanced = advanced.max(units);
        };
        let called = cancellable(&self.0, watch.cancel, &mut advance, |py| {
            let job = PyBytes::new(py, tasks.job);
            let given = (job, tasks.decoding, tasks.groups);
            let payloads = self.0.call_method1(py, method, given)?;
            payloads.extract::<Vec<(u8, u32, PyBackedBytes)>>(py)
        })?;
        called.map_err(|error| raised(&error))?.into_iter().map(payload).collect()
    }

    /// The share of the tasks of the call that are done: 0 where nobody knows.
    fn progress(&self) -> f64 {
        let share = Python::attach(|py| self.0.call_method0(py, "progress")?.extract::<f64>(py));
        share.unwrap_or(0.0).clamp(0.0, 1.0)
    }
}

/// Calls something that takes long, does something else every tenth of a second meanwhile, and calls `cancel` of the
/// object while the run is asked to stop: again and again, as the work may begin after it was asked to end.
///
/// # Errors
/// That of the cancelled run.
pub(crate) fn cancellable<T>(
    object: &Py<PyAny>,
    cancel: &Cancel,
    meanwhile: &mut (dyn FnMut() + Send),
    call: impl FnOnce(Python<'_>) -> PyResult<T>,
) -> Result<PyResult<T>> {
    cancel.check()?;
    let called = std::thread::scope(|scope| {
        let (done, wait) = sync_channel::<()>(0);
        scope.spawn(move || {
            let mut pause = PAUSE;
            while let Err(RecvTimeoutError::Timeout) = wait.recv_timeout(pause) {
                if cancel.check().is_err() {
                    // What it says comes as the exception of the call.
                    let _ = Python::attach(|py| object.call_method0(py, "cancel"));
                    pause = BETWEEN_CALLS;
                } else {
                    meanwhile();
                }
            }
        });
        let called = Python::attach(call);
        drop(done);
        called
    });
    cancel.check()?;
    Ok(called)
}

fn payload((kind, group, bytes): (u8, u32, PyBackedBytes)) -> Result<Payload> {
    Ok(Payload { kind: Kind::of(kind)?, group, bytes: bytes.to_vec() })
}

/// An exception of whoever schedules.
fn raised(error: &PyErr) -> Error {
    let text = error.to_string();
    let mut lines = text.lines().map(str::to_owned);
    let first = lines.next().unwrap_or_default();
    let error = Error::environment(format!("the cluster failed: {first}"));
    lines.take(20).fold(error, Error::detail)
}

impl Cluster for PythonCluster {
    fn name(&self) -> &str {
        "spark"
    }

    fn check(&self) -> Result<EngineReport> {
        let told = Python::attach(|py| {
            self.0.call_method0(py, "check")?.extract::<(String, Option<String>)>(py)
        });
        let (version, application) = told.map_err(|error| raised(&error))?;
        Ok(EngineReport { version, application })
    }

    fn at_once(&self) -> usize {
        let told = Python::attach(|py| self.0.call_method0(py, "at_once")?.extract(py));
        told.unwrap_or(0)
    }

    fn decode(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>> {
        self.call("decode", tasks, watch)
    }

    fn write(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>> {
        self.call("write", tasks, watch)
    }

    fn decode_and_write(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>> {
        self.call("decode_and_write", tasks, watch)
    }

    fn forget(&self) {
        // Nothing depends on it.
        let _ = Python::attach(|py| self.0.call_method0(py, "forget"));
    }
}

/// What a task that decodes hands on, one payload after another.
#[pyclass(module = "distil._native")]
pub(crate) struct Decoding(Mutex<Receiver<Result<Payload>>>);

#[pymethods]
impl Decoding {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Told>> {
        let next = py.detach(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).recv());
        match next {
            Ok(Ok(payload)) => Ok(Some(told(py, &payload))),
            Ok(Err(error)) => Err(failed(&error)),
            // It has handed on everything.
            Err(_) => Ok(None),
        }
    }
}

fn told(py: Python<'_>, payload: &Payload) -> Told {
    (payload.kind.number(), payload.group, PyBytes::new(py, &payload.bytes).unbind())
}

/// The error of a task as an exception whose text is its JSON.
fn failed(error: &Error) -> PyErr {
    PyRuntimeError::new_err(
        serde_json::to_string(error).unwrap_or_else(|_| format!("{{\"what\": {:?}}}", error.what)),
    )
}

/// Begins a task that decodes.
pub(crate) fn decoding(job: &PyBackedBytes, task: usize, host: String) -> PyResult<Decoding> {
    let (send, receive) = sync_channel(WAITING);
    let job = job.to_vec();
    let work = move || {
        let mut hand_on = |payload| {
            // Nobody takes it any more: the task is over.
            send.send(Ok(payload)).map_err(|_| Error::environment("nobody takes the rows"))
        };
        let done = catch_unwind(AssertUnwindSafe(|| {
            decode(&job, task, &host, &Cancel::new(), &mut hand_on)
        }));
        // A panic must not look like the end of a task that handed on everything.
        if let Err(error) = done.unwrap_or_else(|panic| Err(call::told(&*panic))) {
            let _ = send.send(Err(error));
        }
    };
    let started = std::thread::Builder::new().name("distil-task".to_owned()).spawn(work);
    started.map_err(|cause| failed(&Error::io("start a thread", "this process", &cause)))?;
    Ok(Decoding(Mutex::new(receive)))
}

/// A task that writes.
#[pyclass(module = "distil._native")]
pub(crate) struct Writing(Mutex<Option<cluster::Writing>>);

#[pymethods]
impl Writing {
    #[new]
    #[pyo3(signature = (job, attempt, temp_dir))]
    fn new(job: PyBackedBytes, attempt: &str, temp_dir: PathBuf) -> PyResult<Self> {
        let begun = cluster::Writing::begin(&job, attempt, &temp_dir, &Cancel::new());
        Ok(Self(Mutex::new(Some(begun.map_err(|error| failed(&error))?))))
    }

    /// Takes what tasks that decode handed on.
    fn push(&self, py: Python<'_>, kind: u8, part: u32, content: PyBackedBytes) -> PyResult<()> {
        py.detach(|| {
            let payload = payload((kind, part, content))?;
            match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                Some(writing) => writing.push(payload),
                None => Err(Error::bug("a task that wrote gets more rows")),
            }
        })
        .map_err(|error| failed(&error))
    }

    /// Writes all rows, on the node of that name, and returns what became of them.
    fn finish(&self, py: Python<'_>, host: &str) -> PyResult<Vec<Told>> {
        let done = py.detach(|| {
            let writing = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            writing.ok_or_else(|| Error::bug("a task writes twice"))?.finish(host)
        });
        let done = done.map_err(|error| failed(&error))?;
        Ok(done.iter().map(|payload| told(py, payload)).collect())
    }
}
