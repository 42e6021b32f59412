//! Writing one object: its parts on their way while the next one fills.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::BytesMut;
use distil_plan::{Error, Result};
use distil_storage::OutputFile;
use object_store::PutPayload;
use object_store::multipart::PartId;

use crate::error::{again, explain};
use crate::runtime::{Run, Started};
use crate::uploads::{Content, Target, Uploads};

/// Bytes of a part. S3 wants at least 5 MiB, and takes 10,000 of them; some stores want all but the last to be equal.
const PART: usize = 5 << 20;
/// From this part on they are larger, so that an object may have terabytes.
const MANY: usize = 5_000;
const LARGE_PART: usize = 64 << 20;
/// The end of a file that is remembered, to tell it from another: of Parquet the footer, or most of it.
pub(crate) const TAIL: usize = 64 << 10;

/// An object that is being written.
pub(crate) struct Upload {
    path: PathBuf,
    target: Target,
    uploads: Arc<Uploads>,
    run: Run,
    buffer: BytesMut,
    /// Buffers of parts that are there: each new one would be memory that the allocator keeps for another thread.
    spare: Vec<BytesMut>,
    tail: Vec<u8>,
    bytes: u64,
    id: Option<String>,
    parts: Vec<Part>,
    failed: bool,
}

/// A part on its way, or there.
enum Part {
    Going(Started<Sent>),
    There(PartId),
}

/// A part that was sent, and its buffer if nobody else has it any more.
type Sent = (object_store::Result<PartId>, Option<BytesMut>);

impl Upload {
    pub(crate) fn new(path: PathBuf, target: Target, uploads: Arc<Uploads>, run: Run) -> Self {
        Self {
            path,
            target,
            uploads,
            run,
            buffer: BytesMut::new(),
            spare: Vec::new(),
            tail: Vec::new(),
            bytes: 0,
            id: None,
            parts: Vec::new(),
            failed: false,
        }
    }

    fn part_size(&self) -> usize {
        match self.parts.len() {
            count if count >= MANY => LARGE_PART,
            _ => PART,
        }
    }

    fn explain(&self, error: &object_store::Error) -> Error {
        explain(error, self.target.bucket.name.service, &self.path.to_string_lossy())
    }

    /// The name of the upload, which is begun with the first part.
    fn begun(&mut self) -> Result<String> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        let Target { bucket, key } = &self.target;
        let id = self
            .run
            .wait(again(|| bucket.multipart.create_multipart(key)))?
            .map_err(|error| self.explain(&error))?;
        self.uploads.begun(&self.path, &self.target, &id);
        self.id = Some(id.clone());
        Ok(id)
    }

    fn send(&mut self) -> Result<()> {
        let id = self.begun()?;
        self.look()?;
        let bytes = std::mem::take(&mut self.buffer).freeze();
        self.remember(&bytes);
        let memory = self.run.to_write(bytes.len() as u64)?;
        let (target, at) = (self.target.clone(), self.parts.len());
        let going = self.run.start(async move {
            let payload = PutPayload::from_bytes(bytes.clone());
            let part = target.bucket.multipart.put_part(&target.key, &id, at, payload).await;
            drop(memory);
            (part, bytes.try_into_mut().ok())
        })?;
        self.parts.push(Part::Going(going));
        Ok(())
    }

    fn remember(&mut self, bytes: &[u8]) {
        let keep = TAIL.saturating_sub(bytes.len()).min(self.tail.len());
        self.tail.drain(..self.tail.len() - keep);
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
    }

    /// Takes note of the parts that are there.
    ///
    /// # Errors
    /// An environment error: one of them failed.
    fn look(&mut self) -> Result<()> {
        self.settle(Started::is_done)
    }

    fn settle(&mut self, which: impl Fn(&Started<Sent>) -> bool) -> Result<()> {
        for at in 0..self.parts.len() {
            if let Part::Going(going) = &mut self.parts[at]
                && which(going)
            {
                let (part, buffer) = going.wait(&self.run)?;
                self.spare.extend(buffer);
                self.parts[at] = Part::There(part.map_err(|error| self.explain(&error))?);
            }
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let size = self.part_size();
            if self.buffer.capacity() == 0 {
                self.buffer = self.spare.pop().unwrap_or_default();
                self.buffer.clear();
                self.buffer.reserve(size);
            }
            let count = bytes.len().min(size - self.buffer.len());
            self.buffer.extend_from_slice(&bytes[..count]);
            self.bytes += count as u64;
            bytes = &bytes[count..];
            if self.buffer.len() == size {
                self.send()?;
            }
        }
        Ok(())
    }

    fn complete(&mut self) -> Result<()> {
        let content = if self.id.is_none() && self.uploads.may_hold(self.buffer.len(), &self.run) {
            let bytes = std::mem::take(&mut self.buffer);
            self.remember(&bytes);
            Content::Whole(bytes.into())
        } else {
            if !self.buffer.is_empty() || self.parts.is_empty() {
                self.send()?;
            }
            self.settle(|_| true)?;
            let id = self.begun()?;
            let there = self.parts.drain(..).filter_map(|part| match part {
                Part::There(part) => Some(part),
                Part::Going(_) => None,
            });
            Content::Parts { id, parts: there.collect() }
        };
        let tail = std::mem::take(&mut self.tail);
        self.uploads.synced(&self.path, self.target.clone(), content, self.bytes, tail)
    }
}

impl OutputFile for Upload {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        if self.failed {
            return Err(failed_before(&self.path));
        }
        let written = self.write(bytes);
        self.failed = written.is_err();
        written
    }

    fn sync(&mut self) -> Result<()> {
        if self.failed {
            return Err(failed_before(&self.path));
        }
        let completed = self.complete();
        // Whatever is written now has no place any more.
        self.failed = true;
        completed
    }
}

fn failed_before(path: &std::path::Path) -> Error {
    Error::environment("nothing more can be written to an upload that failed or is complete")
        .at(path.to_string_lossy(), None)
}
