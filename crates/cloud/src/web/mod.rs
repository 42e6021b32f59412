//! Files of web servers, at `https://` and `http://`: they are read, and nothing is written there.
//!
//! A server that serves ranges is read as a store of objects is. From one that does not, a file is fetched once, into a
//! temporary file.

mod download;
mod explain;
mod file;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use distil_plan::{Error, Result, is_web};
use distil_storage::{InputFile, Kind, Known, Metadata, Stamp, changed};

use self::download::{Download, Spool};
use self::file::{Answer, WebFile};
use crate::read::{ObjectFile, Pinned};
use crate::runtime::Run;
use crate::store::identity_of;

/// Whether a path is the URL of a web server.
pub(crate) fn is_url(path: &Path) -> bool {
    path.to_str().is_some_and(is_web)
}

/// What can't be done there.
pub(crate) fn read_only(path: &Path) -> Error {
    Error::usage("nothing can be written to a web server")
        .at(path.to_string_lossy(), None)
        .help("write to a path or to a bucket, such as s3://BUCKET/KEY")
}

/// The files of web servers, as one run reads them.
#[derive(Clone)]
pub(crate) struct Web {
    run: Run,
    /// What any run has fetched, while it goes on.
    fetched: Arc<Mutex<HashMap<PathBuf, Weak<Download>>>>,
    /// What this one keeps of it until it ends: so no file is fetched twice, though a run looks at its files through
    /// several storages.
    kept: Option<Arc<Mutex<Vec<Arc<Download>>>>>,
    spool: Arc<Mutex<Spool>>,
}

impl Web {
    /// For who belongs to no run: what is fetched is not kept.
    pub(crate) fn new(run: Run) -> Self {
        let spool = Arc::new(Mutex::new(Spool::new(None)));
        Self { run, fetched: Arc::default(), kept: None, spool }
    }

    /// For one run, whose temporary files lie in this directory, or in that of the system.
    pub(crate) fn within(&self, run: Run, temp_dir: Option<PathBuf>) -> Self {
        let spool = Arc::new(Mutex::new(Spool::new(temp_dir)));
        Self { run, fetched: Arc::clone(&self.fetched), kept: Some(Arc::default()), spool }
    }

    pub(crate) fn metadata(&self, path: &Path) -> Result<Metadata> {
        let stamp = match self.ask(path)? {
            Asked::Ranges(_, stamp) => stamp,
            Asked::Whole(download) => download.stamp(),
        };
        Ok(Metadata { kind: Kind::File, stamp, is_link: false, is_own: true, is_shared: false })
    }

    pub(crate) fn open(&self, path: &Path) -> Result<Box<dyn InputFile>> {
        match self.ask(path)? {
            Asked::Ranges(file, stamp) => {
                let shown = file.shown().to_owned();
                let object = Arc::new(Pinned::new(file, shown, stamp));
                Ok(Box::new(ObjectFile::new(object, self.run.clone(), None)))
            }
            Asked::Whole(download) => Ok(Box::new(download.open())),
        }
    }

    /// As [`Web::open`], for a file of which this is known.
    ///
    /// # Errors
    /// As [`Web::open`]; that another content is there.
    pub(crate) fn open_known(&self, path: &Path, known: Known) -> Result<Box<dyn InputFile>> {
        let opened = self.open(path)?;
        let stamp = opened.stamp();
        if known.bytes != Some(stamp.size) || known.version != stamp.version {
            return Err(changed(path, "was replaced"));
        }
        Ok(opened)
    }

    /// Asks for the first byte: the answer says whether there are more, or is all of them.
    fn ask(&self, path: &Path) -> Result<Asked> {
        if let Some(download) = self.known(path) {
            return Ok(Asked::Whole(download));
        }
        let file = Arc::new(WebFile::new(path)?);
        let identity = identity_of(file.shown());
        match self.run.wait(file.ask())?? {
            Answer::Ranges { size, version } => {
                Ok(Asked::Ranges(file, Stamp { size, version, ..identity }))
            }
            Answer::Whole(response) => {
                // One after another, into one file.
                let mut spool = self.spool.lock().unwrap_or_else(PoisonError::into_inner);
                let download = self.run.wait(spool.fetch(&file, response, identity))??;
                let download = Arc::new(download);
                let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
                fetched.retain(|_, download| download.strong_count() > 0);
                fetched.insert(path.to_owned(), Arc::downgrade(&download));
                self.keep(&download);
                Ok(Asked::Whole(download))
            }
        }
    }

    fn known(&self, path: &Path) -> Option<Arc<Download>> {
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        let download = fetched.get(path)?.upgrade()?;
        self.keep(&download);
        Some(download)
    }

    fn keep(&self, download: &Arc<Download>) {
        let Some(kept) = &self.kept else { return };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.iter().any(|other| Arc::ptr_eq(other, download)) {
            kept.push(Arc::clone(download));
        }
    }
}

enum Asked {
    Ranges(Arc<WebFile>, Stamp),
    Whole(Arc<Download>),
}
