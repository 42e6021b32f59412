//! Files from servers that do not serve ranges: fetched once, one after another, into one temporary file.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use distil_plan::{Error, Result};
use distil_storage::{InputFile, Stamp};
use http::Version;
use http::header::TRANSFER_ENCODING;
use reqwest::Response;
use xxhash_rust::xxh3::Xxh3;

use super::file::{Answer, WebFile};

/// How often a file is fetched that breaks off.
const TRIES: usize = 4;

/// A temporary file without a name, which goes with the last of its readers, and with the process.
pub(super) struct Spool {
    directory: PathBuf,
    file: Option<Arc<File>>,
    end: u64,
}

impl Spool {
    /// It is made with the first file, in this directory or in that of the system.
    pub(super) fn new(directory: Option<PathBuf>) -> Self {
        let directory = directory.unwrap_or_else(std::env::temp_dir);
        Self { directory, file: None, end: 0 }
    }

    /// Fetches what an answer brings. One that breaks off is asked for again, and one whose end is told by nothing but the
    /// end of the connection, until it comes twice the same. The version of what came is a hash of its bytes.
    ///
    /// # Errors
    /// An environment error: the server breaks off again and again, or the disk is full.
    pub(super) async fn fetch(
        &mut self,
        web: &WebFile,
        response: Response,
        identity: Stamp,
    ) -> Result<Download> {
        let directory = self.directory.clone();
        let failed = |cause: std::io::Error| {
            Error::io("keep a file of a web server in", directory.display(), &cause)
        };
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => {
                let made = Arc::new(tempfile::tempfile_in(&directory).map_err(failed)?);
                Arc::clone(self.file.insert(made))
            }
        };
        let (mut response, mut before) = (response, None);
        for _ in 0..TRIES {
            let has_end = has_end(&response);
            let (mut hash, mut size) = (Xxh3::new(), 0);
            let whole = loop {
                match response.chunk().await {
                    Ok(None) => break true,
                    Err(_) => break false,
                    Ok(Some(bytes)) => {
                        hash.update(&bytes);
                        file.write_all_at(&bytes, self.end + size).map_err(failed)?;
                        size += bytes.len() as u64;
                    }
                }
            };
            let version = hash.digest().max(1);
            if whole && (has_end || before == Some((size, version))) {
                let stamp = Stamp { size, version, ..identity };
                let begin = self.end;
                self.end += size;
                return Ok(Download { file, begin, shown: web.shown().to_owned(), stamp });
            }
            before = whole.then_some((size, version));
            tracing::debug!(url = web.shown(), size, whole, "the answer may have ended early");
            let Answer::Whole(again) = web.whole().await? else { break };
            response = again;
        }
        Err(Error::environment("the server ends its answers early, again and again")
            .at(web.shown(), None)
            .help("see whether something between here and the server cuts connections"))
    }
}

/// Whether an answer tells where it ends.
fn has_end(response: &Response) -> bool {
    let is_chunked = response.headers().get(TRANSFER_ENCODING).is_some();
    response.content_length().is_some() || is_chunked || response.version() >= Version::HTTP_2
}

/// A file that was fetched.
pub(super) struct Download {
    file: Arc<File>,
    /// Where it begins in the temporary file.
    begin: u64,
    shown: String,
    stamp: Stamp,
}

impl Download {
    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(super) fn open(self: Arc<Self>) -> Fetched {
        Fetched(self)
    }
}

/// A file that was fetched, open.
pub(super) struct Fetched(Arc<Download>);

impl InputFile for Fetched {
    fn stamp(&self) -> Stamp {
        self.0.stamp
    }

    fn stamp_now(&self) -> Result<Stamp> {
        Ok(self.0.stamp)
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn is_pinned(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let Download { file, begin, shown, stamp } = &*self.0;
        let left = stamp.size.saturating_sub(offset);
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.read_at(&mut buffer[..length], begin + offset)
            .map_err(|cause| Error::io("read", shown.clone(), &cause))
    }
}
