//! The native half of the Python package `distil`: plans as JSON text, rows as Arrow.
//!
//! What users see is Python (`python/distil`); it alone calls this module, whose functions take and give
//! texts and capsules, and raise the errors of `distil.errors`.

mod call;
mod cluster;
mod errors;
mod frame;
mod log;
mod monitor;
mod rows;
mod session;
mod spark;

/// The system's allocator is slow for many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The native module.
#[pyo3::pymodule(name = "_native")]
mod native {
    use std::ffi::OsString;

    use distil::configuration::{BackendOptions, Declared, JobOptions};
    use pyo3::prelude::*;
    use serde_json::json;

    use pyo3::pybacked::PyBackedBytes;

    use crate::errors::parsed;

    #[pymodule_export]
    use crate::cluster::{Decoding, Writing};
    #[pymodule_export]
    use crate::frame::Frame;
    #[pymodule_export]
    use crate::rows::{Rows, Stream};
    #[pymodule_export]
    use crate::session::Session;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("VERSION", distil::DISTIL_VERSION)?;
        module.add("OPTIMISED", !cfg!(debug_assertions))
    }

    /// Runs the command with these arguments, the name of the program first; returns the exit status.
    #[pyfunction]
    fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
        py.detach(|| distil_cli::main(arguments))
    }

    /// Begins a task that decodes, on the node of that name: its payloads, one after another.
    #[pyfunction]
    fn decode_task(job: PyBackedBytes, task: usize, host: String) -> PyResult<Decoding> {
        crate::cluster::decoding(&job, task, host)
    }

    /// The options that there are, as JSON: those of jobs, then those of backends.
    #[pyfunction]
    fn options() -> String {
        let told = |option: &Declared| {
            json!({
                "name": option.name, "meaning": option.meaning, "written": option.written,
                "choices": option.choices, "default": option.default, "secret": option.secret,
                "heading": option.heading.map(distil::configuration::Heading::text),
            })
        };
        let jobs: Vec<_> = JobOptions::OPTIONS.iter().map(told).collect();
        let backends: Vec<_> = BackendOptions::OPTIONS.iter().map(told).collect();
        json!({"jobs": jobs, "backends": backends}).to_string()
    }

    /// The closing table of the command for a report.
    #[pyfunction]
    fn report_table(py: Python<'_>, report: &str) -> PyResult<String> {
        Ok(distil_cli::closing_table(&parsed(py, report)?))
    }

    /// A report as HTML, for a notebook.
    #[pyfunction]
    fn report_html(py: Python<'_>, report: &str) -> PyResult<String> {
        Ok(distil::report_html(&parsed(py, report)?))
    }

    /// A report as a page of HTML.
    #[pyfunction]
    fn report_page(py: Python<'_>, report: &str) -> PyResult<String> {
        Ok(distil::report_page(&parsed(py, report)?))
    }

    /// A size as people read it.
    #[pyfunction]
    fn format_bytes(bytes: u64) -> String {
        distil::format_bytes(bytes)
    }

    /// Text without what could steer a terminal.
    #[pyfunction]
    fn printable(text: &str) -> String {
        distil::printable(text)
    }

    /// Panics in a call, as nothing should: how that ends is tested with it.
    #[pyfunction]
    fn panic(py: Python<'_>) -> PyResult<()> {
        #[allow(clippy::panic, reason = "what it is for")]
        crate::call::run(py, None, None, |_, _| panic!("a panic that was asked for"))
    }
}
