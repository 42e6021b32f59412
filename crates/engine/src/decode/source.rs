//! The bytes of an input: read directly, or by a thread of their own where waiting may be long.
//!
//! A pipe may be silent for hours, and nothing but a byte ends the wait of whoever reads it. So pipes
//! and standard input are read elsewhere, and the worker that wants their bytes looks now and then
//! whether the run was asked to stop. The reading thread then goes on to wait, alone, until the pipe
//! moves or the process ends.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use distil_plan::{Cancel, Error, InputCompression, Result};
use distil_storage::{InputStream, Known, Storage, WindowLimit};

use crate::threads;

/// Bytes of a piece, and pieces that may wait.
const PIECE: usize = 256 << 10;
const WAITING: usize = 4;
/// How often a waiting worker looks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// An opened input.
pub(crate) enum Source {
    /// A file.
    Direct(Box<InputStream>),
    /// A pipe.
    Background(Background),
}

/// The receiving end of a thread that reads.
pub(crate) struct Background {
    receiver: Receiver<Result<ReadBytes>>,
    cancel: Cancel,
    piece: ReadBytes,
    used: usize,
}

/// What was read since the last piece, and how the stream stands after it.
#[derive(Default)]
struct ReadBytes {
    bytes: Vec<u8>,
    position: u64,
    compression: InputCompression,
    broken: Option<String>,
    last: bool,
}

impl Source {
    /// Opens an input that was seen, or a pipe: reading that may take any time. Windows over the limit are refused.
    ///
    /// # Errors
    /// An environment error with the path.
    pub(crate) fn open(
        storage: &Arc<dyn Storage>,
        path: &Path,
        known: Option<Known>,
        limit: WindowLimit,
        cancel: &Cancel,
    ) -> Result<Self> {
        if let Some(known) = known {
            let stream = InputStream::open_known(storage.as_ref(), path, known)?.within(limit);
            return Ok(Self::Direct(Box::new(stream)));
        }
        let (sender, receiver) = sync_channel(WAITING);
        let (storage, path) = (Arc::clone(storage), path.to_owned());
        std::thread::Builder::new()
            .spawn(move || serve(&storage, &path, limit, &sender))
            .map_err(|cause| threads::refused(&cause))?;
        let cancel = cancel.clone();
        Ok(Self::Background(Background { receiver, cancel, piece: ReadBytes::default(), used: 0 }))
    }

    /// Fills `buffer` as far as there are bytes; 0 only at the end.
    ///
    /// # Errors
    /// An environment error with the path; that of the cancelled run.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self {
            Self::Direct(stream) => stream.read(buffer),
            Self::Background(background) => background.read(buffer),
        }
    }

    /// Why a compressed stream ended early.
    pub(crate) fn broken(&self) -> Option<&str> {
        match self {
            Self::Direct(stream) => stream.broken(),
            Self::Background(background) => background.piece.broken.as_deref(),
        }
    }

    /// Bytes consumed, before decompression.
    pub(crate) fn position(&self) -> u64 {
        match self {
            Self::Direct(stream) => stream.position(),
            Self::Background(background) => background.piece.position,
        }
    }

    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::Direct(stream) => stream.size(),
            Self::Background(_) => None,
        }
    }

    pub(crate) fn compression(&self) -> InputCompression {
        match self {
            Self::Direct(stream) => stream.compression(),
            Self::Background(background) => background.piece.compression,
        }
    }

    /// Checks that a file did not change while it was read; a pipe has nothing to compare.
    ///
    /// # Errors
    /// An input error that says what changed.
    pub(crate) fn finish(&self, storage: &dyn Storage) -> Result<()> {
        match self {
            Self::Direct(stream) => stream.finish(storage),
            Self::Background(_) => Ok(()),
        }
    }
}

impl Background {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.used == self.piece.bytes.len() && !self.piece.last {
            match self.receiver.recv_timeout(PATIENCE) {
                Ok(piece) => {
                    self.piece = piece?;
                    self.used = 0;
                }
                Err(RecvTimeoutError::Timeout) => self.cancel.check()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::bug("the thread that reads a pipe died"));
                }
            }
        }
        let rest = &self.piece.bytes[self.used..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.used += count;
        Ok(count)
    }
}

/// Reads until the end, or until the receiver is gone.
fn serve(
    storage: &Arc<dyn Storage>,
    path: &Path,
    limit: WindowLimit,
    sender: &SyncSender<Result<ReadBytes>>,
) {
    let mut stream = match InputStream::open(storage.as_ref(), path) {
        Ok(stream) => stream.within(limit),
        Err(error) => {
            // A receiver that is gone was cancelled.
            let _ = sender.send(Err(error));
            return;
        }
    };
    loop {
        let mut bytes = vec![0; PIECE];
        let piece = stream.read(&mut bytes).map(|count| {
            bytes.truncate(count);
            ReadBytes {
                bytes,
                position: stream.position(),
                compression: stream.compression(),
                broken: stream.broken().map(str::to_owned),
                last: count == 0,
            }
        });
        let done = piece.as_ref().map_or(true, |piece| piece.last);
        if sender.send(piece).is_err() || done {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use distil_storage::Memory;

    const ANY: WindowLimit = WindowLimit { bytes: u64::MAX, memory: u64::MAX };

    #[test]
    fn a_background_source_gives_the_same_bytes_as_a_direct_one() {
        let memory = Memory::new();
        let content: Vec<u8> = (0..700_000u32).map(|n| (n % 251) as u8).collect();
        memory.put("in", &content);
        let storage: Arc<dyn Storage> = Arc::new(memory);
        for known in [Some(Known::default()), None] {
            let mut source =
                Source::open(&storage, Path::new("in"), known, ANY, &Cancel::new()).unwrap();
            let mut found = Vec::new();
            let mut buffer = vec![0; 100_000];
            loop {
                match source.read(&mut buffer).unwrap() {
                    0 => break,
                    count => found.extend_from_slice(&buffer[..count]),
                }
            }
            assert!(found == content);
            assert_eq!(source.position(), content.len() as u64);
            source.finish(storage.as_ref()).unwrap();
        }
        let mut missing =
            Source::open(&storage, Path::new("none"), None, ANY, &Cancel::new()).unwrap();
        assert!(missing.read(&mut [0; 8]).is_err());
    }

    #[test]
    fn a_silent_pipe_does_not_keep_a_cancelled_run() {
        let (_sender, receiver) = sync_channel(1);
        let cancel = Cancel::new();
        cancel.interrupt();
        let mut silent = Background { receiver, cancel, piece: ReadBytes::default(), used: 0 };
        let error = silent.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.fault, distil_plan::Fault::Interrupted);
    }
}
