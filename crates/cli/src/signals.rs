//! Signals: the first one asks the run to stop and clean up, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use distil::{Cancel, Error, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// A flag that signals set. The end of the terminal (SIGHUP) is one, unless whoever started the process
/// had it ignored, as `nohup` does.
///
/// # Errors
/// An environment error if handlers can't be installed.
pub(crate) fn cancel_on_signals() -> Result<Cancel> {
    let failed = |cause| {
        refused("listen for signals", &cause).help("a run needs some open files: `ulimit -n 1024`")
    };
    let mut heard = vec![SIGINT, SIGTERM];
    if !is_ignored(SIGHUP) {
        heard.push(SIGHUP);
    }
    // Armed by the first signal: then the second has its default effect.
    let armed = Arc::new(AtomicBool::new(false));
    for signal in &heard {
        flag::register_conditional_default(*signal, Arc::clone(&armed)).map_err(failed)?;
        flag::register(*signal, Arc::clone(&armed)).map_err(failed)?;
    }
    let cancel = Cancel::new();
    let flag = cancel.clone();
    let mut signals = Signals::new(heard).map_err(failed)?;
    let listen = move || {
        for signal in signals.forever() {
            if signal == SIGINT { flag.interrupt() } else { flag.terminate() }
        }
    };
    std::thread::Builder::new().spawn(listen).map_err(|cause| {
        refused("start a thread", &cause)
            .help("too many processes or too little memory: close others, or raise `ulimit -u`")
    })?;
    Ok(cancel)
}

fn refused(doing: &str, cause: &std::io::Error) -> Error {
    Error::io(doing, "this process", cause)
        .output("nothing was written; the output is as it was before")
}

/// Whether the process was started with a signal ignored; no where the system does not tell.
#[allow(clippy::disallowed_methods, reason = "the kernel answers, not a disk")]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
