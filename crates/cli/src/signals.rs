//! Ctrl-C and SIGTERM: the first asks the run to stop and clean up, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use distil::{Cancel, Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// A flag that signals set.
///
/// # Errors
/// An environment error if handlers can't be installed.
pub(crate) fn cancel_on_signals() -> Result<Cancel> {
    let failed = |cause: std::io::Error| Error::io("listen for signals", "the process", &cause);
    // Armed by the first signal: then the second has its default effect.
    let armed = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_default(signal, Arc::clone(&armed)).map_err(failed)?;
        flag::register(signal, Arc::clone(&armed)).map_err(failed)?;
    }
    let cancel = Cancel::new();
    let flag = cancel.clone();
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGINT { flag.interrupt() } else { flag.terminate() }
        }
    });
    Ok(cancel)
}
