//! HDFS as a storage, against a real one: `DISTIL_HDFS=hdfs://127.0.0.1:PORT` of a running one (`hdfs.py up`), whose
//! superuser is the user of the tests. Without it, the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod faults;
mod files;
mod locks;
mod names;
mod processes;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard};

use distil_hdfs::Hdfs;
use distil_plan::{Cancel, Error};
use distil_storage::{Disk, InputFile, Storage};
use hdfs_native::{Client, ClientBuilder};
use tokio::runtime::Runtime;

/// Taken to write by the test that stops all others from changing anything.
pub(crate) static CALM: RwLock<()> = RwLock::new(());

pub(crate) fn runtime() -> Arc<Runtime> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    Arc::new(runtime.unwrap())
}

/// A directory of a test's own, and a storage.
pub(crate) struct Fixture {
    pub(crate) url: String,
    pub(crate) directory: PathBuf,
    pub(crate) hdfs: Hdfs,
    pub(crate) cancel: Cancel,
    pub(crate) runtime: Arc<Runtime>,
    _calm: Option<RwLockReadGuard<'static, ()>>,
}

impl Fixture {
    pub(crate) fn new(name: &str) -> Option<Self> {
        let calm = CALM.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut fixture = Self::uncalm(name)?;
        fixture._calm = Some(calm);
        Some(fixture)
    }

    pub(crate) fn uncalm(name: &str) -> Option<Self> {
        let Ok(url) = std::env::var("DISTIL_HDFS") else {
            eprintln!("{name}: skipped, as DISTIL_HDFS names no HDFS");
            return None;
        };
        let runtime = runtime();
        let cancel = Cancel::new();
        let hdfs = Hdfs::new(Arc::clone(&runtime), cancel.clone());
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = PathBuf::from(format!("{url}/{name}-{}-{number}", std::process::id()));
        hdfs.create_dir(&directory).unwrap();
        Some(Self { url, directory, hdfs, cancel, runtime, _calm: None })
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.at(name);
        let mut file = self.hdfs.create_new(&path).unwrap();
        file.write_all(bytes).unwrap();
        file.sync().unwrap();
        path
    }

    pub(crate) fn read(&self, path: &Path) -> Vec<u8> {
        read_all(&*self.hdfs.open(path).unwrap(), 1 << 16)
    }

    pub(crate) fn names(&self) -> Vec<PathBuf> {
        self.hdfs.list(&self.directory).unwrap()
    }

    /// Another client, as another process has it.
    pub(crate) fn other(&self) -> Hdfs {
        Hdfs::new(Arc::clone(&self.runtime), Cancel::new())
    }

    pub(crate) fn raw(&self) -> Client {
        ClientBuilder::new()
            .with_url(&self.url)
            .with_io_runtime(self.runtime.handle().clone())
            .build()
            .unwrap()
    }

    pub(crate) fn raw_path(&self, name: &str) -> String {
        self.at(name).to_str().unwrap()[self.url.len()..].to_owned()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = self.other().remove_dir_all(&self.directory);
    }
}

pub(crate) fn read_all(file: &dyn InputFile, step: usize) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = vec![0; step];
    loop {
        match file.read_at(all.len() as u64, &mut buffer).unwrap() {
            0 => return all,
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

pub(crate) fn failed<T>(result: distil_plan::Result<T>) -> Error {
    match result {
        Ok(_) => panic!("it should have failed"),
        Err(error) => error,
    }
}
