//! HDFS for a session: nothing is started before the first URL is asked for, and each run has its own client.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use distil_plan::{Cancel, Error, Result};
use distil_storage::{Disk, InputFile, Limits, Metadata, OutputFile, Storage};
use tokio::runtime::Builder;

use crate::Hdfs;

/// Threads that move bytes.
const THREADS: usize = 2;

/// The file systems of HDFS, whose threads and clients begin with the first call, and end with this value.
#[derive(Default)]
pub struct HdfsStore {
    hdfs: OnceLock<Hdfs>,
    cancel: Cancel,
}

impl HdfsStore {
    fn hdfs(&self) -> Result<&Hdfs> {
        if let Some(hdfs) = self.hdfs.get() {
            return Ok(hdfs);
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("distil-hdfs")
            .enable_all()
            .build()
            .map_err(|cause| Error::io("start the threads for HDFS", "-", &cause))?;
        // Of two that are made at once, one is dropped.
        Ok(self.hdfs.get_or_init(|| Hdfs::new(Arc::new(runtime), self.cancel.clone())))
    }
}

impl Storage for HdfsStore {
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        self.hdfs()?.metadata(path)
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        self.hdfs()?.list(directory)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn InputFile>> {
        self.hdfs()?.open(path)
    }

    fn create_new(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        self.hdfs()?.create_new(path)
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.hdfs()?.remove_file(path)
    }

    fn canonical(&self, path: &Path) -> Result<PathBuf> {
        self.hdfs()?.canonical(path)
    }

    fn disk(&self, path: &Path) -> Result<&dyn Disk> {
        self.hdfs()?.disk(path)
    }

    fn within(&self, limits: &Limits) -> Option<Arc<dyn Storage>> {
        Some(Arc::new(Self { hdfs: OnceLock::new(), cancel: limits.cancel.clone() }))
    }
}
