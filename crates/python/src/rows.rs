//! Rows in memory, and rows that stream.

use std::sync::Mutex;

use arrow_array::{RecordBatchIterator, RecordBatchReader};
use distil::{Table, Type};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use pyo3_arrow::PyRecordBatchReader;
use serde_json::json;

use crate::errors::value;

/// Rows in memory.
#[pyclass(frozen, module = "distil._native")]
pub(crate) struct Rows(pub(crate) Table);

#[pymethods]
impl Rows {
    /// How many there are here.
    #[getter]
    fn num_rows(&self) -> usize {
        self.0.num_rows()
    }

    /// All rows that these are the first of.
    #[getter]
    fn total(&self) -> u64 {
        self.0.total
    }

    /// The columns as JSON: names, types, and the types as trees.
    fn columns(&self) -> String {
        columns(&self.0.schema)
    }

    /// Rows as JSON objects without their null columns, from `start` on.
    fn images(&self, py: Python<'_>, start: usize, most: usize) -> PyResult<Vec<String>> {
        let images = value(py, py.detach(|| self.0.images(start, most)))?;
        Ok(images.into_iter().map(|image| image.0).collect())
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let batches = self.0.batches.clone().into_iter().map(Ok);
        let reader = RecordBatchIterator::new(batches, self.0.arrow.clone());
        capsule(py, Box::new(reader), requested_schema)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(pyo3_arrow::ffi::to_schema_pycapsule(py, self.0.arrow.as_ref())?)
    }
}

/// Rows that are read as they are taken, once.
#[pyclass(frozen, module = "distil._native")]
pub(crate) struct Stream(Mutex<Option<Box<dyn RecordBatchReader + Send>>>);

impl Stream {
    pub(crate) fn new(reader: Box<dyn RecordBatchReader + Send>) -> Self {
        Self(Mutex::new(Some(reader)))
    }
}

#[pymethods]
impl Stream {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let taken = self.0.lock().map_or(None, |mut reader| reader.take());
        let reader = taken.ok_or_else(|| {
            pyo3::exceptions::PyRuntimeError::new_err("this stream was taken already")
        })?;
        capsule(py, reader, requested_schema)
    }
}

fn capsule<'py>(
    py: Python<'py>,
    reader: Box<dyn RecordBatchReader + Send>,
    requested_schema: Option<Bound<'py, PyCapsule>>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let reader = Bound::new(py, PyRecordBatchReader::new(reader))?;
    let arguments = PyTuple::new(py, [requested_schema])?;
    Ok(reader.call_method1("__arrow_c_stream__", arguments)?.cast_into()?)
}

/// Columns as JSON: `[{"name", "type", "tree"}]`.
pub(crate) fn columns(schema: &distil::Schema) -> String {
    let told = |field: &distil::Field| {
        json!({
            "name": field.name, "type": field.data_type.to_string(), "unknown": field.unknown,
            "tree": tree(&field.data_type),
        })
    };
    serde_json::Value::Array(schema.fields.iter().map(told).collect()).to_string()
}

/// A type that a program can walk: its name, what a list holds, and the members of a struct.
fn tree(data_type: &Type) -> serde_json::Value {
    match data_type {
        Type::List(element) => json!({"name": "list", "element": tree(element)}),
        Type::Struct(fields) => {
            let members = fields.iter().map(|field| json!([field.name, tree(&field.data_type)]));
            json!({"name": "struct", "members": members.collect::<Vec<_>>()})
        }
        Type::Decimal { scale, .. } => json!({"name": "decimal", "scale": scale}),
        other => json!({"name": other.name()}),
    }
}
