//! A session of Spark that Python holds, which runs the SQL of plans.

use std::sync::atomic::{AtomicU64, Ordering};

use distil::spark::{Engine, Host, Limits, Query, SETTINGS, Session, WRITER_OPTIONS, translate};
use distil::{Cancel, Error, Result, StageReport};
use pyo3::prelude::*;

use crate::cluster::cancellable;

/// A query as Python has it: settings, views (name, URLs, options), and the text.
pub(crate) type Told = (Vec<Pair>, Vec<(String, Vec<String>, Vec<Pair>)>, String);
type Pair = (&'static str, &'static str);

/// A query for Python.
pub(crate) fn told(query: &Query) -> Told {
    let views = query.views.iter();
    let views =
        views.map(|view| (view.name.clone(), view.urls.clone(), view.options.clone())).collect();
    (SETTINGS.to_vec(), views, query.sql.clone())
}

/// An object of Python with the methods `check`, `write`, `has_rows`, `is_true` and `cancel`, and what every report has to say
/// of it.
pub(crate) struct PythonSpark {
    pub(crate) object: Py<PyAny>,
    pub(crate) warning: Option<String>,
}

impl Host for PythonSpark {
    fn open(&self) -> Result<Box<dyn Session>> {
        let (object, engine) = Python::attach(|py| {
            let known = self.object.call_method0(py, "check")?;
            let (version, application) = known.extract::<(String, Option<String>)>(py)?;
            let ask = |query: &str| {
                let query = Query { views: Vec::new(), sql: query.to_owned() };
                self.object.call_method1(py, "is_true", (told(&query),))?.extract::<bool>(py)
            };
            let limits = Limits::found(ask, ToString::to_string)?;
            Ok((self.object.clone_ref(py), Engine { version, application, limits }))
        })
        .map_err(|error| raised(&error))?;
        Ok(Box::new(Opened { object, engine, id: name() }))
    }

    fn describe(&self, version: &str) -> String {
        format!("{version}, by SQL")
    }

    fn warning(&self) -> Option<String> {
        self.warning.clone()
    }
}

/// A name that nobody else in this process has.
fn name() -> String {
    static OPENED: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), OPENED.fetch_add(1, Ordering::Relaxed))
}

/// The session, once it was asked what it can do.
struct Opened {
    object: Py<PyAny>,
    engine: Engine,
    id: String,
}

impl Session for Opened {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn write(
        &self,
        query: &Query,
        url: &str,
        cancel: &Cancel,
        _: &mut dyn FnMut(u64),
    ) -> Result<Vec<StageReport>> {
        let given = (told(query), url, WRITER_OPTIONS.to_vec());
        cancellable(&self.object, cancel, &mut || {}, |py| {
            self.object.call_method1(py, "write", given)
        })?
        .map_err(|error| raised(&error))?;
        // Spark tells Python nothing of its stages while they run.
        Ok(Vec::new())
    }

    fn has_rows(&self, query: &Query, cancel: &Cancel) -> Result<bool> {
        let given = (told(query),);
        cancellable(&self.object, cancel, &mut || {}, |py| {
            self.object.call_method1(py, "has_rows", given)?.extract::<bool>(py)
        })?
        .map_err(|error| raised(&error))
    }
}

fn raised(error: &PyErr) -> Error {
    let text = Python::attach(|py| error.value(py).to_string());
    // The bridge to Java says where it called before what came of it.
    let called = text.starts_with("An error occurred while calling");
    let text = if called { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    translate(text.trim_start_matches([':', ' ']))
}
