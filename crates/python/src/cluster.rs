//! A cluster that Python schedules, and its tasks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use distil::cluster::{Cluster, Kind, Payload, Tasks, decode, write};
use distil::{Cancel, EngineReport, Error, Result, Watch};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::call;

/// Between two looks whether the run should stop.
const PAUSE: Duration = Duration::from_millis(100);
/// Payloads of a task that may wait to be taken.
const WAITING: usize = 2;

/// A payload as Python has it: kind, group, bytes.
pub(crate) type Told = (u8, u32, Py<PyBytes>);

/// An object of Python with the methods of [`Cluster`], and `cancel`.
pub(crate) struct PythonCluster(pub(crate) Py<PyAny>);

impl PythonCluster {
    /// Calls a method, and `cancel` once the run is asked to stop.
    fn call(&self, method: &str, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>> {
        watch.cancel.check()?;
        let called = std::thread::scope(|scope| {
            let (done, wait) = sync_channel::<()>(0);
            scope.spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = wait.recv_timeout(PAUSE) {
                    if watch.cancel.check().is_err() {
                        // What it says comes as the exception of the call.
                        let _ = Python::attach(|py| self.0.call_method0(py, "cancel"));
                        return;
                    }
                }
            });
            let called = Python::attach(|py| {
                let job = PyBytes::new(py, tasks.job);
                let given = (job, tasks.decoding, tasks.groups);
                let payloads = self.0.call_method1(py, method, given)?;
                payloads.extract::<Vec<(u8, u32, PyBackedBytes)>>(py)
            });
            drop(done);
            called
        });
        watch.cancel.check()?;
        called.map_err(|error| raised(&error))?.into_iter().map(payload).collect()
    }
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

    fn decode(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>> {
        self.call("decode", tasks, watch)
    }

    fn write(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>> {
        self.call("write", tasks, watch)
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
pub(crate) fn decoding(job: &PyBackedBytes, task: usize) -> PyResult<Decoding> {
    let (send, receive) = sync_channel(WAITING);
    let job = job.to_vec();
    let work = move || {
        let mut hand_on = |payload| {
            // Nobody takes it any more: the task is over.
            send.send(Ok(payload)).map_err(|_| Error::environment("nobody takes the rows"))
        };
        let done =
            catch_unwind(AssertUnwindSafe(|| decode(&job, task, &Cancel::new(), &mut hand_on)));
        // A panic must not look like the end of a task that handed on everything.
        if let Err(error) = done.unwrap_or_else(|panic| Err(call::told(&*panic))) {
            let _ = send.send(Err(error));
        }
    };
    let started = std::thread::Builder::new().name("distil-task".to_owned()).spawn(work);
    started.map_err(|cause| failed(&Error::io("start a thread", "this process", &cause)))?;
    Ok(Decoding(Mutex::new(receive)))
}

/// Runs a task that writes.
pub(crate) fn writing(
    py: Python<'_>,
    job: &PyBackedBytes,
    attempt: &str,
    payloads: Vec<(u8, u32, PyBackedBytes)>,
) -> PyResult<Vec<Told>> {
    let done = py.detach(|| {
        let payloads = payloads.into_iter().map(payload).collect::<Result<_>>()?;
        write(job, attempt, payloads, &Cancel::new())
    });
    let done = done.map_err(|error| failed(&error))?;
    Ok(done.iter().map(|payload| told(py, payload)).collect())
}
