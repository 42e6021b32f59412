//! Uploads on their way from the process that wrote them to the one that completes them.

use std::path::Path;
use std::sync::Arc;

use distil_plan::{Error, Result};
use object_store::PutPayload;
use object_store::multipart::PartId;
use serde::{Deserialize, Serialize};

use super::{Content, Synced, Target, Uploads, hex, unhex};
use crate::bucket::Bucket;
use crate::error::{again, explain};
use crate::runtime::Run;

/// Bytes of the end of a file that travel: of Parquet the footer, with the digest of the rows where there is one.
const TAIL: usize = 4 << 10;

/// An upload in words: no bytes of it but its end.
#[derive(Serialize, Deserialize)]
struct Message {
    id: String,
    parts: Vec<String>,
    bytes: u64,
    tail: String,
}

impl Uploads {
    /// See [`distil_storage::Objects::hand_over`].
    pub(crate) fn hand_over(
        &self,
        run: &Run,
        bucket: &Arc<Bucket>,
        path: &Path,
    ) -> Result<Vec<u8>> {
        let synced = self.state().synced.remove(path).ok_or_else(|| {
            Error::bug("there is no upload to hand over").at(path.to_string_lossy(), None)
        })?;
        let Synced { mut target, content, bytes, tail } = synced;
        target.bucket = Arc::clone(bucket);
        let (id, parts) = match content {
            Content::Parts { id, parts } => (id, parts),
            Content::Whole(bytes) => {
                self.state().held -= bytes.len();
                let failed =
                    |error| explain(&error, target.bucket.name.service, &path.to_string_lossy());
                let (multipart, key) = (&target.bucket.multipart, &target.key);
                let id = run.wait(again(|| multipart.create_multipart(key)))?.map_err(failed)?;
                self.begun(path, &target, &id);
                let payload = PutPayload::from_bytes(bytes);
                let part = run.wait(multipart.put_part(key, &id, 0, payload))?.map_err(failed)?;
                (id, vec![part])
            }
        };
        let message = Message {
            id,
            parts: parts.into_iter().map(|part| part.content_id).collect(),
            bytes,
            tail: hex(&tail[tail.len().saturating_sub(TAIL)..]),
        };
        let message = serde_json::to_vec(&message)
            .map_err(|error| Error::bug(format!("an upload has no JSON form: {error}")))?;
        self.state().begun.remove(path);
        Ok(message)
    }

    /// See [`distil_storage::Objects::take_over`].
    pub(crate) fn take_over(&self, path: &Path, target: Target, upload: &[u8]) -> Result<()> {
        let broken = || Error::environment("this is no upload").at(path.to_string_lossy(), None);
        let message: Message = serde_json::from_slice(upload).map_err(|_| broken())?;
        let tail = unhex(&message.tail).ok_or_else(broken)?;
        let parts = message.parts.into_iter().map(|content_id| PartId { content_id }).collect();
        let content = Content::Parts { id: message.id.clone(), parts };
        self.synced(path, target.clone(), content, message.bytes, tail)?;
        self.begun(path, &target, &message.id);
        Ok(())
    }
}
