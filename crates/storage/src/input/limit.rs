//! How much of a window a stream may fill.

use distil_plan::{Error, Hint, format_bytes};

use super::window::Window;

/// How much of a window may be filled: what a frame asks for takes no memory by itself.
#[derive(Clone, Copy, Debug)]
pub struct WindowLimit {
    /// Bytes of one stream.
    pub bytes: u64,
    /// The budget of the run that they are a share of.
    pub memory: u64,
}

impl WindowLimit {
    /// No limit.
    pub(super) const NONE: Self = Self { bytes: u64::MAX, memory: u64::MAX };

    /// The error for a window that does not fit.
    pub(super) fn exceeded(self, wanted: u64, window: &Window) -> Error {
        let least = u128::from(self.memory) * u128::from(wanted) / u128::from(self.bytes.max(1));
        let least = format!("{}MiB", least.div_ceil(1 << 20));
        let wanted = format_bytes(wanted);
        Error::environment(format!(
            "cannot decompress within the memory budget: it was compressed with a window of {wanted}"
        ))
        .at(window.source().path().display().to_string(), None)
        .help(Hint::set("give the run more memory", "memory", least))
        .help(Hint::choose("or use fewer threads, each of which may hold a window", "threads"))
    }
}
