//! Reading a file of HDFS.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use distil_plan::{Error, Result};
use distil_storage::{InputFile, Stamp};
use hdfs_native::HdfsError;
use hdfs_native::file::FileReader;

use super::fault::{Side, failed, own};
use super::service::named;
use super::wait::{Pending, Urgency};
use super::{Hdfs, stamp};

/// Bytes of the first piece that is read of a file, or from where a reader went on to: it may want no more than
/// its first bytes.
const FIRST: usize = 1 << 18;

/// Bytes of the largest pieces. Each costs a question to a data node and the way there and back.
const MOST: usize = 8 << 20;

/// How often a file is looked at while it changes, before we give up.
const LOOKS: usize = 3;

type Piece = hdfs_native::Result<Bytes>;

/// An open file.
pub(super) struct HdfsInput {
    hdfs: Hdfs,
    path: PathBuf,
    stamp: Stamp,
    /// Knows where the blocks of the file are.
    reader: Mutex<Arc<FileReader>>,
    ahead: Mutex<Ahead>,
}

/// What was read ahead.
struct Ahead {
    /// Where the piece begins.
    start: u64,
    piece: Bytes,
    /// The piece that follows it, on its way.
    next: Option<Pending<Piece>>,
    /// Bytes of the next piece to ask for.
    step: usize,
    /// Where the last read ended: one that goes on there is one of many.
    follows: u64,
}

impl Ahead {
    fn new() -> Self {
        Self { start: 0, piece: Bytes::new(), next: None, step: FIRST, follows: 0 }
    }

    fn end(&self) -> u64 {
        self.start + self.piece.len() as u64
    }

    /// The bytes at `offset` that are there.
    fn take(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let begin = usize::try_from(offset.wrapping_sub(self.start)).unwrap_or(usize::MAX);
        self.piece.get(begin..).map_or(0, |rest| fill(buffer, rest))
    }
}

/// Copies what fits.
fn fill(buffer: &mut [u8], bytes: &[u8]) -> usize {
    let count = buffer.len().min(bytes.len());
    buffer[..count].copy_from_slice(&bytes[..count]);
    count
}

impl HdfsInput {
    pub(super) fn open(hdfs: &Hdfs, path: &Path) -> Result<Self> {
        let (_, place) = hdfs.at(path)?;
        for _ in 0..LOOKS {
            let found = hdfs.existing("open", path)?;
            if found.isdir {
                return Err(own("cannot open: it is a directory", path));
            }
            let stamp = stamp(&place, &found);
            let reader = reader(hdfs, path)?;
            if reader.file_length() as u64 == stamp.size {
                return Ok(Self {
                    hdfs: hdfs.clone(),
                    path: path.to_owned(),
                    stamp,
                    reader: Mutex::new(Arc::new(reader)),
                    ahead: Mutex::new(Ahead::new()),
                });
            }
        }
        // The name node counts a block that is being written; its bytes can't be read.
        Err(own("cannot open: somebody is still writing it", path)
            .help("wait until it is closed, and run again"))
    }

    /// Begins to read `length` bytes, which the file must have.
    fn start(&self, offset: u64, length: usize) -> Pending<Piece> {
        let reader = Arc::clone(&self.reader.lock().unwrap_or_else(PoisonError::into_inner));
        self.hdfs.0.waiter.start(async move {
            let Ok(offset) = usize::try_from(offset) else {
                return Err(HdfsError::InvalidArgument("the file is too large".to_owned()));
            };
            let read = reader.read_range(offset, length).await?;
            if read.len() != length {
                let what = format!("{} bytes instead of {length}", read.len());
                return Err(HdfsError::DataTransferError(what));
            }
            Ok(read)
        })
    }

    /// Waits for bytes. What fails is tried once more, with blocks that may have moved, and permissions to read
    /// them that may have expired.
    fn finish(&self, offset: u64, length: usize, pending: &Pending<Piece>) -> Result<Bytes> {
        let waiter = &self.hdfs.0.waiter;
        let wait = |pending: &Pending<Piece>| {
            waiter.finish(Urgency::Data, pending).map_err(|error| named(error, &self.path))
        };
        if let Ok(piece) = wait(pending)? {
            return Ok(piece);
        }
        let fresh = reader(&self.hdfs, &self.path)?;
        if self.stamp_now()? != self.stamp || fresh.file_length() as u64 != self.stamp.size {
            return Err(Error::input("the file was changed while it was read")
                .at(self.path.display().to_string(), None)
                .help("wait until nothing writes to it any more, and run again"));
        }
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        wait(&self.start(offset, length))?
            .map_err(|cause| failed("read", &self.path, Side::Data, &cause))
    }

    fn left(&self, offset: u64) -> usize {
        usize::try_from(self.stamp.size.saturating_sub(offset)).unwrap_or(usize::MAX)
    }

    /// Makes the piece that follows the one there is the one there is, and begins to read the one after.
    fn go_on(&self, ahead: &mut Ahead, offset: u64, wanted: usize) -> Result<()> {
        let is_next = offset == ahead.end();
        let length = |step: usize, at: u64| step.min(self.left(at));
        let (size, pending) = match ahead.next.take() {
            Some(pending) if is_next => (length(ahead.step, offset), pending),
            _ => {
                // A reader that comes from elsewhere may not go on.
                ahead.step = FIRST.max(wanted.min(MOST));
                let size = length(ahead.step, offset);
                (size, self.start(offset, size))
            }
        };
        let goes_on = is_next && offset > 0;
        ahead.piece = Bytes::new();
        ahead.piece = self.finish(offset, size, &pending)?;
        ahead.start = offset;
        let following = ahead.end();
        if goes_on && following < self.stamp.size {
            ahead.step = (ahead.step * 4).min(MOST);
            ahead.next = Some(self.start(following, length(ahead.step, following)));
        }
        Ok(())
    }
}

/// Asks where the blocks of a file are.
fn reader(hdfs: &Hdfs, path: &Path) -> Result<FileReader> {
    let (service, place) = hdfs.at(path)?;
    let opened = service.call(&hdfs.0.waiter, Urgency::Data, |client| {
        let path = place.path.clone();
        async move { client.read(&path).await }
    });
    opened.map_err(|e| e.of("open", path))
}

impl InputFile for HdfsInput {
    fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// That of what has the name now: HDFS opens nothing.
    fn stamp_now(&self) -> Result<Stamp> {
        let (_, place) = self.hdfs.at(&self.path)?;
        Ok(stamp(&place, &self.hdfs.existing("look at", &self.path)?))
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let wanted = buffer.len().min(self.left(offset));
        if wanted == 0 {
            return Ok(0);
        }
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = ahead.take(offset, buffer);
        if count == 0 && offset == ahead.follows {
            self.go_on(&mut ahead, offset, wanted)?;
            count = ahead.take(offset, buffer);
        }
        if count > 0 {
            ahead.follows = offset + count as u64;
            return Ok(count);
        }
        // Here and there, as in Parquet files, by several threads at once: no more than is asked for.
        let length = wanted.min(MOST);
        ahead.follows = offset + length as u64;
        drop(ahead);
        let piece = self.finish(offset, length, &self.start(offset, length))?;
        Ok(fill(buffer, &piece))
    }
}
