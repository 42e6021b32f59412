//! Errors of distil as those of `distil.errors`.

use distil::{Error, Report};
use pyo3::prelude::*;

/// The exception for an error, and the report of the run that it ended.
pub(crate) fn exception(py: Python<'_>, error: &Error, report: Option<&Report>) -> PyErr {
    match raised(py, error, report) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

fn raised<'py>(
    py: Python<'py>,
    error: &Error,
    report: Option<&Report>,
) -> PyResult<Bound<'py, PyAny>> {
    let report = report.map(json).transpose()?;
    let told = serde_json::to_value(error).map_err(|error| no_form(&error))?;
    let mut told = match told {
        serde_json::Value::Object(told) => told,
        _ => serde_json::Map::new(),
    };
    told.insert("first_line".to_owned(), error.to_string().into());
    py.import("distil.errors")?.call_method1("_of_native", (json(&told)?, report))
}

/// The JSON text of plain data.
///
/// # Errors
/// An error of distil itself, if it has none.
pub(crate) fn json(data: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(data).map_err(|error| no_form(&error))
}

fn no_form(error: &serde_json::Error) -> PyErr {
    pyo3::exceptions::PyRuntimeError::new_err(format!("there is no JSON form: {error}"))
}

/// What JSON text says.
///
/// # Errors
/// The exception of a usage error.
pub(crate) fn parsed<T: serde::de::DeserializeOwned>(py: Python<'_>, text: &str) -> PyResult<T> {
    serde_json::from_str(text)
        .map_err(|error| exception(py, &Error::usage(format!("this can't be read: {error}")), None))
}

/// The value, or the exception for the error.
pub(crate) fn value<T>(py: Python<'_>, result: distil::Result<T>) -> PyResult<T> {
    result.map_err(|error| exception(py, &error, None))
}
