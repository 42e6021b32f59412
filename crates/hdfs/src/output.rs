//! Writing a file of HDFS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use distil_plan::Result;
use distil_storage::OutputFile;
use hdfs_native::HdfsError;
use hdfs_native::file::FileWriter;

use super::Hdfs;
use super::fault::{Side, failed, own};
use super::place::Place;
use super::service::{Service, named};
use super::wait::Urgency;

/// Bytes that are handed to the client at once. It has up to 6 MiB on their way by itself.
const PIECE: u64 = 4 << 20;

/// Blocks that are written before the file is closed and opened again.
///
/// The name node gives a file a new block only once it has heard that all but the last are stored
/// (`NotReplicatedYetException` until then). The data nodes tell it by themselves, a moment later. Other clients
/// ask again; this one loses the file. Closing it waits, and with two blocks at a time all but the last are those
/// of a closed file.
const BLOCKS: u64 = 2;

/// How often to wait for the name node to hear of the last block: fifteen seconds each time.
const TRIES: usize = 6;

/// A file that was created.
pub(super) struct HdfsOutput {
    hdfs: Hdfs,
    path: PathBuf,
    service: Arc<Service>,
    place: Place,
    state: State,
    written: u64,
    /// Bytes that are written before the file is closed and opened again, once that is known.
    span: Option<u64>,
}

enum State {
    /// Open for writing: nobody can read what is in its last block yet.
    Open(Box<FileWriter>),
    /// Everything is durable.
    Closed,
    /// Something failed: what the file holds is not known.
    Failed,
}

impl HdfsOutput {
    pub(super) fn new(
        hdfs: &Hdfs,
        path: &Path,
        service: Arc<Service>,
        place: Place,
        writer: FileWriter,
    ) -> Self {
        let (hdfs, path, state) = (hdfs.clone(), path.to_owned(), State::Open(Box::new(writer)));
        Self { hdfs, path, service, place, state, written: 0, span: None }
    }

    /// The writer, which is put back if what it is used for succeeds.
    fn writer(&mut self) -> Result<Box<FileWriter>> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Open(writer) => Ok(writer),
            State::Closed => self.append(),
            State::Failed => {
                Err(own("cannot go on after a failed write: its content may be lost", &self.path))
            }
        }
    }

    fn append(&self) -> Result<Box<FileWriter>> {
        self.hdfs.guard(&self.place, &self.path)?;
        let opened = self.service.call(&self.hdfs.0.waiter, Urgency::Data, |client| {
            let path = self.place.path.clone();
            async move { client.append(&path).await }
        });
        opened.map(Box::new).map_err(|e| e.of("write", &self.path))
    }

    /// Bytes that may still be written before the file is to be closed.
    fn room(&mut self) -> Result<u64> {
        let span = match self.span {
            Some(span) => span,
            None => {
                let found = self.hdfs.existing("write", &self.path)?;
                let block = found.blocksize.filter(|bytes| *bytes > 0).unwrap_or(1 << 27);
                *self.span.insert(block.saturating_mul(BLOCKS))
            }
        };
        Ok(span - self.written % span)
    }

    fn write(&mut self, piece: &[u8]) -> Result<()> {
        let mut writer = self.writer()?;
        let bytes = Bytes::copy_from_slice(piece);
        let (writer, written) = self
            .hdfs
            .0
            .waiter
            .wait(Urgency::Data, async move {
                let written = writer.write(bytes).await;
                (writer, written)
            })
            .map_err(|error| named(error, &self.path))?;
        written.map_err(|cause| failed("write", &self.path, Side::Data, &cause))?;
        self.state = State::Open(writer);
        self.written += piece.len() as u64;
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        if matches!(self.state, State::Closed) {
            return Ok(());
        }
        let mut writer = self.writer()?;
        for attempt in 1.. {
            let (same, closed) = self
                .hdfs
                .0
                .waiter
                .wait(Urgency::Data, async move {
                    let closed = writer.close().await;
                    (writer, closed)
                })
                .map_err(|error| named(error, &self.path))?;
            match closed {
                Err(HdfsError::OperationFailed(_)) if attempt < TRIES => writer = same,
                Err(cause) => return Err(failed("sync", &self.path, Side::Data, &cause)),
                Ok(()) => break,
            }
        }
        self.state = State::Closed;
        Ok(())
    }
}

impl OutputFile for HdfsOutput {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = self.room()?.min(PIECE);
            let piece;
            (piece, rest) = rest
                .split_at(usize::try_from(room).map_or(rest.len(), |room| room.min(rest.len())));
            self.write(piece)?;
            if self.span.is_some_and(|span| self.written.is_multiple_of(span)) {
                self.close()?;
            }
        }
        Ok(())
    }

    /// Closes the file: the client has no other way to tell the data nodes to put its bytes on their disks. They
    /// have done so when this returns, as many of them as the file has copies.
    fn sync(&mut self) -> Result<()> {
        self.close()
    }
}

impl Drop for HdfsOutput {
    fn drop(&mut self) {
        // What was not synced may still be read, as on a disk: so the file must be closed. A run that is to stop
        // reads nothing any more, and removes it.
        let is_open = matches!(self.state, State::Open(_));
        if is_open && !self.hdfs.0.waiter.is_stopping() && self.close().is_err() {
            // Nobody hears of the failure, so nobody may take what is there for the whole: without the file,
            // reading it fails.
            let _ = self.service.delete(&self.hdfs.0.waiter, &self.place.path, false);
        }
    }
}
