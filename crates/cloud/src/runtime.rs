//! Waiting for a store: futures on threads of their own, and a look at who asks the run to stop.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use distil_plan::{Cancel, Error, Result};
use distil_storage::Limits;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::buffers::Buffers;

/// How often a waiting call looks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(50);
/// Threads that move bytes: encryption is what they spend their time with.
const THREADS: usize = 1;
/// Memory is counted in pieces of this size.
const UNIT: u64 = 64 << 10;

/// The threads of a run's stores, started with its first call. They end with it: none outlives a call of a program
/// that forks.
#[derive(Default)]
pub(crate) struct Runtime(OnceLock<tokio::runtime::Runtime>);

impl Runtime {
    fn handle(&self) -> Result<&Handle> {
        if let Some(runtime) = self.0.get() {
            return Ok(runtime.handle());
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("distil-store")
            .enable_all()
            .build()
            .map_err(|cause| Error::io("start the threads for stores", "-", &cause))?;
        // Of two that are made at once, one is dropped.
        Ok(self.0.get_or_init(|| runtime).handle())
    }
}

impl Drop for Runtime {
    /// A request that nobody waits for any more keeps no process alive for long.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(PATIENCE);
        }
    }
}

/// What the calls of one run share: where they wait, who stops them, and their memory.
#[derive(Clone)]
pub(crate) struct Run {
    runtime: Arc<Runtime>,
    cancel: Cancel,
    memory: u64,
    pub(crate) buffers: Buffers,
    /// Reading has all of the memory, as a run reads first, and writing half of it. None takes from the other: a reader
    /// that waited for an upload, which waits for what is read ahead, would wait for ever.
    reading: Arc<Semaphore>,
    writing: Arc<Semaphore>,
}

impl Run {
    pub(crate) fn new(limits: &Limits) -> Self {
        let permits = |bytes: u64| {
            Arc::new(Semaphore::new(((bytes / UNIT).max(1) as usize).min(Semaphore::MAX_PERMITS)))
        };
        Self {
            runtime: Arc::default(),
            cancel: limits.cancel.clone(),
            memory: limits.memory,
            buffers: Buffers::default(),
            reading: permits(limits.memory),
            writing: permits(limits.memory / 2),
        }
    }

    /// Bytes that may be on their way.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    /// Waits for a future.
    ///
    /// # Errors
    /// That of the cancelled run, once it is asked to stop.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        self.cancel.check()?;
        self.runtime.handle()?.block_on(async {
            let mut future = std::pin::pin!(future);
            loop {
                match tokio::time::timeout(PATIENCE, &mut future).await {
                    Ok(done) => return Ok(done),
                    Err(_) => self.cancel.check()?,
                }
            }
        })
    }

    /// Waits for a future at most this long, whether the run was asked to stop or not: for what is to be put
    /// away in any case.
    pub(crate) fn wait_at_most<T>(
        &self,
        time: Duration,
        future: impl Future<Output = T>,
    ) -> Result<Option<T>> {
        let handle = self.runtime.handle()?;
        Ok(handle.block_on(async { tokio::time::timeout(time, future).await.ok() }))
    }

    /// Waits for a future, whether the run was asked to stop or not: for a commit, which is not left in the middle.
    pub(crate) fn finish<T>(&self, future: impl Future<Output = T>) -> Result<T> {
        Ok(self.runtime.handle()?.block_on(future))
    }

    /// Starts a future that is waited for later.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<Started<T>> {
        Ok(Started(self.runtime.handle()?.spawn(future)))
    }

    /// Memory for bytes that are read before anyone waits for them, if there is some.
    pub(crate) fn try_to_read(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        Arc::clone(&self.reading).try_acquire_many_owned(units).ok()
    }

    /// Memory for bytes that are written, once there is some; for more than all of it, all of it.
    ///
    /// # Errors
    /// As [`Run::wait`].
    pub(crate) fn to_write(&self, bytes: u64) -> Result<Option<OwnedSemaphorePermit>> {
        let all = (self.memory / 2 / UNIT).max(1);
        let units = u32::try_from(bytes.div_ceil(UNIT).min(all)).unwrap_or(u32::MAX);
        // It is never closed.
        Ok(self.wait(Arc::clone(&self.writing).acquire_many_owned(units))?.ok())
    }
}

/// A future that runs by itself, and ends when nobody wants its result any more.
pub(crate) struct Started<T>(tokio::task::JoinHandle<T>);

impl<T> Started<T> {
    pub(crate) fn is_done(&self) -> bool {
        self.0.is_finished()
    }

    /// Its result.
    ///
    /// # Errors
    /// As [`Run::wait`]; a bug if it panicked.
    pub(crate) fn wait(&mut self, run: &Run) -> Result<T> {
        run.wait(&mut self.0)?.map_err(|_| Error::bug("a request to a store panicked"))
    }
}

impl<T> Drop for Started<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
