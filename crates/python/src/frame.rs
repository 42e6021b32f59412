//! The DataFrame: each method is one of the façade's.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatchReader;
use distil::configuration::JobOptions;
use distil::{Cancel, ColumnPath, DataFrame, Dedup, Events, Key, plan};
use pyo3::prelude::*;

use crate::call;
use crate::errors::{exception, json, parsed, value};
use crate::rows::{Rows, Stream, columns};
use crate::session::Running;
use crate::spark;

type Values = serde_json::Map<String, serde_json::Value>;

/// Rows, by what is to be done to get them.
#[pyclass(frozen, module = "distil._native")]
pub(crate) struct Frame {
    pub(crate) frame: DataFrame,
    pub(crate) running: Arc<Running>,
}

impl Frame {
    fn then(&self, step: impl FnOnce(DataFrame) -> DataFrame) -> Self {
        Self { frame: step(self.frame.clone()), running: Arc::clone(&self.running) }
    }

    /// Asks something of the rows, and waits for it.
    fn ask<T: Send + 'static>(
        &self,
        py: Python<'_>,
        watch: Option<&Bound<'_, PyAny>>,
        ask: impl FnOnce(&DataFrame) -> distil::Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let frame = self.frame.clone();
        let ask =
            move |events: Arc<dyn Events>, cancel: Cancel| ask(&frame.watched(events, cancel));
        value(py, call::run(py, Some(&self.running), watch, ask)?)
    }
}

#[pymethods]
impl Frame {
    fn select(&self, columns: Vec<String>) -> Self {
        self.then(|frame| frame.select(columns))
    }

    fn rename(&self, names: Vec<(String, String)>) -> Self {
        self.then(|frame| frame.rename(names))
    }

    /// One row of every key. `options` are those of jobs, as JSON: `key`, `order_by`, `dropped` ...
    fn drop_duplicates(&self, py: Python<'_>, options: &str) -> PyResult<Self> {
        let options: Values = parsed(py, options)?;
        let options = value(py, JobOptions::of_values(&options))?;
        let mut dedup = Dedup::from(plan::Dedup {
            key: options.key.unwrap_or(Key::Record),
            order_by: options.order_by.unwrap_or_default(),
            keep: options.keep.unwrap_or_default(),
            null_keys: options.null_keys.unwrap_or_default(),
            on_conflict: options.on_conflict.unwrap_or_default(),
        });
        if let Some(path) = options.dropped {
            dedup = dedup.dropped(path.0);
        }
        Ok(self.then(|frame| frame.drop_duplicates(dedup)))
    }

    /// Writes the rows; the report as JSON. `options` are those of jobs that say what is written, and how.
    #[pyo3(signature = (path, options, watch=None))]
    fn write(
        &self,
        py: Python<'_>,
        path: &str,
        options: &str,
        watch: Option<Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let options: Values = parsed(py, options)?;
        let options = value(py, JobOptions::of_values(&options))?;
        let output = options.output(path);
        let report = options.report.map(|path| PathBuf::from(path.0));
        let frame = self.frame.clone().reporting(report);
        let run = move |events, cancel| frame.watched(events, cancel).run(output);
        let (report, result) = call::run(py, Some(&self.running), watch.as_ref(), run)?;
        match result {
            Ok(()) => json(&report),
            Err(error) => Err(exception(py, &error, Some(&report))),
        }
    }

    #[pyo3(signature = (watch=None))]
    fn count(&self, py: Python<'_>, watch: Option<Bound<'_, PyAny>>) -> PyResult<u64> {
        self.ask(py, watch.as_ref(), DataFrame::count)
    }

    /// The first rows, at most this many.
    #[pyo3(signature = (most, watch=None))]
    fn table(
        &self,
        py: Python<'_>,
        most: usize,
        watch: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Rows> {
        self.ask(py, watch.as_ref(), move |frame| frame.table(most)).map(Rows)
    }

    /// The same rows, in a file that lives as long as the frame.
    #[pyo3(signature = (watch=None))]
    fn cache(&self, py: Python<'_>, watch: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let frame = self.ask(py, watch.as_ref(), DataFrame::cache)?;
        Ok(Self { frame, running: Arc::clone(&self.running) })
    }

    /// The rows as a stream of Arrow batches.
    #[pyo3(signature = (watch=None))]
    fn stream(&self, py: Python<'_>, watch: Option<Bound<'_, PyAny>>) -> PyResult<Stream> {
        let rows = self.ask(py, watch.as_ref(), DataFrame::stream)?;
        let reader: Box<dyn RecordBatchReader + Send> = Box::new(rows.into_reader());
        Ok(Stream::new(reader))
    }

    /// The columns as JSON.
    #[pyo3(signature = (watch=None))]
    fn schema(&self, py: Python<'_>, watch: Option<Bound<'_, PyAny>>) -> PyResult<String> {
        self.ask(py, watch.as_ref(), DataFrame::schema).map(|schema| columns(&schema))
    }

    /// The rows as a query for Spark over views with names that begin with `prefix`: the query, the names of its columns,
    /// and one that differs from another in case alone.
    #[pyo3(signature = (prefix, watch=None))]
    fn relation(
        &self,
        py: Python<'_>,
        prefix: String,
        watch: Option<Bound<'_, PyAny>>,
    ) -> PyResult<(spark::Told, Vec<String>, Option<String>)> {
        let found = self.ask(py, watch.as_ref(), move |frame| frame.relation(&prefix))?;
        Ok((spark::told(&found.query), found.names, found.folded))
    }

    fn explain(&self, py: Python<'_>) -> PyResult<String> {
        value(py, self.frame.explain())
    }
}

/// Columns, each spelled as on the command line, one by one.
pub(crate) fn column_names(py: Python<'_>, text: &str) -> PyResult<Vec<String>> {
    let columns = value(py, ColumnPath::parse_list(text))?;
    Ok(columns.iter().map(ToString::to_string).collect())
}
