//! The engine's log, kept until the thread that waits for a run hands it to Python.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

/// Most lines that wait. Older ones go: no thread of the engine waits for whoever reads them.
const MOST: usize = 10_000;

static LINES: Mutex<VecDeque<Line>> = Mutex::new(VecDeque::new());
/// The least level that is wanted, as Python numbers it; 255 for none.
static WANTED: AtomicU8 = AtomicU8::new(u8::MAX);

/// A line of the log: its level, as Python numbers it, the logger, the text.
pub(crate) type Line = (u8, String, String);

/// Keeps lines from now on, those of this level and above.
pub(crate) fn listen(level: u8) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Where the command runs in this process, it has taken the log.
        let _ = tracing::subscriber::set_global_default(Keeper);
    });
    WANTED.store(level, Ordering::Relaxed);
}

/// Hands all lines that wait to the loggers of Python.
///
/// # Errors
/// Those of a handler.
pub(crate) fn drain(py: Python<'_>) -> PyResult<()> {
    let lines: Vec<Line> = LINES.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
    if lines.is_empty() {
        return Ok(());
    }
    py.import("distil._log")?.call_method1("emit", (lines,))?;
    Ok(())
}

/// Takes the events of the engine.
struct Keeper;

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && metadata.target().starts_with("distil")
            && number(*metadata.level()) >= WANTED.load(Ordering::Relaxed)
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // The level that is wanted changes.
        Interest::sometimes()
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let Text { message, fields } = text;
        let target = event.metadata().target().replace("distil_", "distil.");
        let logger: Vec<&str> = target.split("::").take(1).collect();
        let line = (number(*event.metadata().level()), logger.concat(), message + &fields);
        let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MOST {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn number(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a text does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
