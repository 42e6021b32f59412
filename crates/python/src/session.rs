//! Sessions: a backend, and what this process may use.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use distil::configuration::{BackendOptions, JobOptions};
use distil::{Cancel, Choice, Configuration, Plan, ReadOptions, Sink, Stores};
use distil_datagen::{Parameters, generate};
use pyo3::prelude::*;
use pyo3_arrow::PyRecordBatchReader;
use serde_json::json as object;

use crate::call;
use crate::cluster::PythonCluster;
use crate::errors::{exception, json, parsed, value};
use crate::frame::{Frame, column_names};
use crate::rows::columns;
use crate::spark::PythonSpark;

type Values = serde_json::Map<String, serde_json::Value>;

/// What runs now, so that another thread can stop it.
#[derive(Default)]
pub(crate) struct Running(Mutex<Vec<(u64, Cancel)>>);

/// A run that can be stopped for as long as this lives.
pub(crate) struct Registered<'a>(&'a Running, u64);

impl Running {
    pub(crate) fn register(&self, cancel: Cancel) -> Registered<'_> {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = runs.last().map_or(0, |(last, _)| last + 1);
        runs.push((id, cancel));
        Registered(self, id)
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        let mut runs = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|(id, _)| *id != self.1);
    }
}

/// A backend, and what this process may use.
#[pyclass(frozen, module = "distil._native")]
pub(crate) struct Session {
    session: distil::Session,
    configuration: Configuration,
    running: Arc<Running>,
}

impl Session {
    fn frame_of(&self, frame: distil::DataFrame) -> Frame {
        Frame { frame, running: Arc::clone(&self.running) }
    }
}

#[pymethods]
impl Session {
    /// `config` is a file, `values` what one would hold, as JSON; without both it is `./distil.toml`.
    /// `options` are those of backends, as JSON; `job` is the job whose backend is meant. `cluster` is what runs tasks,
    /// and `spark` what runs SQL, in place of a backend.
    #[new]
    #[pyo3(signature = (backend, config, values, options, job=None, cluster=None, spark=None))]
    #[allow(clippy::too_many_arguments, reason = "Python gives each by its name")]
    fn new(
        py: Python<'_>,
        backend: Option<&str>,
        config: Option<PathBuf>,
        values: Option<&str>,
        options: &str,
        job: Option<&str>,
        cluster: Option<(Py<PyAny>, Option<u64>)>,
        spark: Option<(Py<PyAny>, Option<String>)>,
    ) -> PyResult<Self> {
        let stores = Stores::default();
        let configuration = match values {
            Some(values) => Configuration::read_values(&stores, &parsed::<Values>(py, values)?),
            None => Configuration::read(&stores, config.as_deref()),
        };
        let configuration = value(py, configuration)?;
        let job = match job {
            Some(name) => value(py, configuration.job(name))?.backend.clone(),
            None => None,
        };
        let options = value(py, BackendOptions::of_values(&parsed::<Values>(py, options)?))?;
        if let Some((cluster, task_bytes)) = cluster {
            let cluster = Box::new(PythonCluster(cluster));
            let session = distil::Session::on_cluster(stores, cluster, &options, task_bytes);
            let session = value(py, session)?;
            return Ok(Self { session, configuration, running: Arc::default() });
        }
        if let Some((object, warning)) = spark {
            let host = Box::new(PythonSpark { object, warning });
            let session = value(py, distil::Session::on_spark(stores, host, &options))?;
            return Ok(Self { session, configuration, running: Arc::default() });
        }
        let choice = Choice { backend, job_backend: job.as_deref(), options };
        let session = value(py, distil::Session::open(&configuration, &choice))?;
        Ok(Self { session, configuration, running: Arc::default() })
    }

    /// What runs here: versions, or what is missing.
    fn check(&self, py: Python<'_>) -> PyResult<String> {
        let session = self.session.clone();
        value(py, call::run(py, Some(&self.running), None, move |_, _| session.check())?)
    }

    /// Stops what runs on this session.
    fn cancel(&self) {
        let runs = self.running.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.iter().for_each(|(_, cancel)| cancel.interrupt());
    }

    /// Threads and memory in bytes.
    fn resources(&self) -> (usize, u64) {
        let options = self.session.options();
        (options.threads, options.memory)
    }

    fn read_json(&self, py: Python<'_>, sources: Vec<String>, options: &str) -> PyResult<Frame> {
        let given = parsed::<Values>(py, options)?;
        let options = (given.iter())
            .fold(ReadOptions::new(), |options, (name, value)| options.set(name, value));
        Ok(self.frame_of(self.session.read_json_with(sources, options)))
    }

    fn read_parquet(&self, paths: Vec<String>) -> Frame {
        self.frame_of(self.session.read_parquet(paths))
    }

    /// The rows of anything that gives an Arrow stream or array.
    fn read_arrow(&self, py: Python<'_>, data: PyRecordBatchReader) -> PyResult<Frame> {
        let mut reader = data.into_reader()?;
        // What is behind the reader may be Python.
        let read = reader.by_ref().collect::<Result<Vec<_>, _>>();
        let mut batches = read.map_err(|error| {
            let what = format!("the Arrow data can't be read: {error}");
            exception(py, &distil::Error::input(what), None)
        })?;
        if batches.is_empty() {
            batches.push(arrow_array::RecordBatch::new_empty(reader.schema()));
        }
        Ok(self.frame_of(self.session.from_arrow(batches)))
    }

    /// The frame and the output of a plan, which is JSON: where it goes, and what else is to be done.
    #[pyo3(signature = (plan, report=None, watch=None, dry_run=false))]
    fn run(
        &self,
        py: Python<'_>,
        plan: &str,
        report: Option<PathBuf>,
        watch: Option<Bound<'_, PyAny>>,
        dry_run: bool,
    ) -> PyResult<String> {
        let plan = value(py, parsed::<Plan>(py, plan)?.check())?;
        let session = self.session.clone().reporting(report);
        let run = move |events, cancel| {
            let session = session.watched(events, cancel);
            if dry_run {
                let (report, result) = session.dry_run(plan);
                return (report, result.map(|_| ()));
            }
            let sink = plan.sink.clone();
            session.frame(plan).run(sink)
        };
        let (report, result) = call::run(py, Some(&self.running), watch.as_ref(), run)?;
        match result {
            Ok(()) => json(&report),
            Err(error) => Err(exception(py, &error, Some(&report))),
        }
    }

    /// Does what an order of the backend `spark-submit` asks for; returns the exit status. `scratch` is an empty directory of
    /// a driver on a node.
    #[pyo3(signature = (order, watch=None, scratch=None))]
    fn fulfil(
        &self,
        py: Python<'_>,
        order: PathBuf,
        watch: Option<Bound<'_, PyAny>>,
        scratch: Option<PathBuf>,
    ) -> PyResult<u8> {
        let session = self.session.clone();
        let fulfil = move |events, cancel| {
            session.watched(events, cancel).fulfil(&order, scratch.as_deref())
        };
        value(py, call::run(py, Some(&self.running), watch.as_ref(), fulfil)?)
    }

    /// The plan that options mean, and those of a job where they say nothing; with the report that is
    /// asked for.
    #[pyo3(signature = (options, job=None))]
    fn plan(
        &self,
        py: Python<'_>,
        options: &str,
        job: Option<&str>,
    ) -> PyResult<(String, Option<String>)> {
        let mut options = value(py, JobOptions::of_values(&parsed::<Values>(py, options)?))?;
        if let Some(job) = job {
            options = options.or(value(py, self.configuration.job(job))?.clone());
        }
        let plan = value(py, options.plan(&Stores::default()))?;
        Ok((json(&plan)?, options.report.map(|path| path.0)))
    }

    /// The plan of a file.
    fn read_plan(&self, py: Python<'_>, path: PathBuf) -> PyResult<String> {
        json(&value(py, distil::read_plan(&Stores::default(), &path))?)
    }

    /// The schema of sources, with why each column has its type, as JSON.
    #[pyo3(signature = (sources, options, watch=None))]
    fn infer(
        &self,
        py: Python<'_>,
        sources: Vec<String>,
        options: &str,
        watch: Option<Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let options = value(py, JobOptions::of_values(&parsed::<Values>(py, options)?))?;
        let plan = value(py, options.reading_plan(&Stores::default()))?;
        let plan = Plan { sources, sink: Sink::new("schema.parquet"), ..plan };
        let session = self.session.clone();
        let infer = move |events, cancel| session.watched(events, cancel).infer(plan);
        let inferred = value(py, call::run(py, Some(&self.running), watch.as_ref(), infer)?)?;
        let columns: serde_json::Value = parsed(py, &columns(&inferred.schema))?;
        Ok(object!({"columns": columns, "warnings": inferred.warnings}).to_string())
    }

    /// The digest of an output.
    fn digest(&self, py: Python<'_>, path: PathBuf) -> PyResult<String> {
        let session = self.session.clone();
        let digest = move |_, _| session.digest(&path);
        let (digest, _) = value(py, call::run(py, Some(&self.running), None, digest)?)?;
        Ok(digest.to_string())
    }

    /// Checks an output: what was found, as JSON.
    #[pyo3(signature = (path, reference=None))]
    fn verify(
        &self,
        py: Python<'_>,
        path: PathBuf,
        reference: Option<PathBuf>,
    ) -> PyResult<String> {
        let session = self.session.clone();
        let verify = move |_, _| session.verify(&path, reference.as_deref());
        let verified = value(py, call::run(py, Some(&self.running), None, verify)?)?;
        let checks = verified.checks.iter().map(
            |check| object!({"aspect": check.aspect.name(), "done": check.done, "how": check.how}),
        );
        let checks: Vec<_> = checks.collect();
        let digest = verified.digest.to_string();
        Ok(object!({"rows": verified.rows, "digest": digest, "checks": checks}).to_string())
    }

    /// Writes data with a known answer; the answer as JSON. `parameters` are those of `distil generate`, and
    /// those that are missing have its defaults.
    fn generate(&self, py: Python<'_>, directory: PathBuf, parameters: &str) -> PyResult<String> {
        let parameters: Parameters = parsed(py, parameters)?;
        let threads = self.session.options().threads;
        let generate =
            move |_, _| generate(&Stores::default(), &directory, &parameters, threads, &|_| {});
        let answer = value(py, call::run(py, Some(&self.running), None, generate)?)?;
        value(py, answer.to_json())
    }

    /// Columns in one text, one by one.
    #[staticmethod]
    fn column_names(py: Python<'_>, text: &str) -> PyResult<Vec<String>> {
        column_names(py, text)
    }

    /// The backends that can be named: each with its engine, as JSON.
    fn backends(&self, py: Python<'_>) -> PyResult<String> {
        let entries = value(py, distil::Entry::all(&self.configuration))?;
        let told: Vec<_> = (entries.iter())
            .map(|entry| object!({"name": entry.name, "engine": entry.engine, "place": entry.place()}))
            .collect();
        Ok(serde_json::Value::Array(told).to_string())
    }
}
