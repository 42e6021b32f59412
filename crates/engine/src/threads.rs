//! Threads, where the system may not give as many as were asked for.

use std::io;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use distil_plan::Error;

/// Starts at most one thread for each piece of work. No result depends on how many there are, so a
/// system that gives fewer gets a slower run; nothing of the work that has no thread is begun.
///
/// # Errors
/// An environment error if not even one could be started.
pub(crate) fn start<'scope, F, T>(
    scope: &'scope Scope<'scope, '_>,
    work: impl Iterator<Item = F>,
) -> Result<Vec<ScopedJoinHandle<'scope, T>>, Error>
where
    F: FnOnce() -> T + Send + 'scope,
    T: Send + 'scope,
{
    let mut threads = Vec::new();
    for piece in work {
        match Builder::new().spawn_scoped(scope, piece) {
            Ok(thread) => threads.push(thread),
            Err(cause) if threads.is_empty() => return Err(refused(&cause)),
            Err(_) => break,
        }
    }
    Ok(threads)
}

/// The error for a thread that the system does not give.
pub(crate) fn refused(cause: &io::Error) -> Error {
    Error::io("start a thread", "this process", cause)
        .help("too many processes or too little memory: close others, or raise `ulimit -u`")
}
