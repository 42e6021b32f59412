//! Uploads that wait to become objects, and those that never will.

mod hand_over;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use distil_plan::{Error, Fault, Result};
use distil_storage::{Condition, Stamp};
use md5::{Digest, Md5};
use object_store::multipart::PartId;
use object_store::path::Path as Key;
use object_store::{
    GetOptions, GetRange, ObjectMeta, ObjectStoreExt, PutMode, PutOptions, PutPayload,
    UpdateVersion,
};

use crate::address::BucketName;
use crate::bucket::Bucket;
use crate::condition::on_condition;
use crate::error::{explain, is_conflict, is_unanswered};
use crate::runtime::Run;
use crate::store::version;

/// Files that are no larger together are kept in memory until they become objects: one request instead of three.
const HELD: usize = 1 << 20;
/// How long aborting may take, in a run that was asked to stop.
const ABORT: Duration = Duration::from_secs(10);

/// A key of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) key: Key,
}

/// What a synced upload holds.
pub(crate) enum Content {
    /// All bytes, which were not sent yet.
    Whole(Bytes),
    /// Parts in the store, durable.
    Parts { id: String, parts: Vec<PartId> },
}

/// An upload that only has to be completed.
struct Synced {
    target: Target,
    content: Content,
    bytes: u64,
    tail: Vec<u8>,
}

/// All uploads of a storage that are not completed.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<State>);

#[derive(Default)]
struct State {
    begun: BTreeMap<PathBuf, (Target, String)>,
    synced: BTreeMap<PathBuf, Synced>,
    held: usize,
}

impl Uploads {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether bytes may stay in memory.
    pub(crate) fn may_hold(&self, bytes: usize, run: &Run) -> bool {
        let most = HELD.min((run.memory() / 8) as usize);
        let mut state = self.state();
        let may = state.held + bytes <= most;
        state.held += if may { bytes } else { 0 };
        may
    }

    pub(crate) fn begun(&self, path: &Path, target: &Target, id: &str) {
        self.state().begun.insert(path.to_owned(), (target.clone(), id.to_owned()));
    }

    /// # Errors
    /// [`Fault::Exists`] if another upload waits for the path.
    pub(crate) fn synced(
        &self,
        path: &Path,
        target: Target,
        content: Content,
        bytes: u64,
        tail: Vec<u8>,
    ) -> Result<()> {
        let mut state = self.state();
        if state.synced.contains_key(path) {
            return Err(Error::new(Fault::Exists, "another upload waits for the name")
                .at(path.to_string_lossy(), None));
        }
        state.synced.insert(path.to_owned(), Synced { target, content, bytes, tail });
        Ok(())
    }

    /// Whether an upload to the path was begun, or waits.
    pub(crate) fn has(&self, path: &Path) -> bool {
        let state = self.state();
        state.synced.contains_key(path) || state.begun.contains_key(path)
    }

    pub(crate) fn bytes(&self, path: &Path) -> Option<u64> {
        self.state().synced.get(path).map(|synced| synced.bytes)
    }

    pub(crate) fn below(&self, directory: &Path) -> Vec<PathBuf> {
        let state = self.state();
        state.synced.keys().filter(|path| path.starts_with(directory)).cloned().collect()
    }

    /// See [`distil_storage::Objects::complete`].
    pub(crate) fn complete(
        &self,
        run: &Run,
        bucket: &Arc<Bucket>,
        path: &Path,
        condition: Condition,
    ) -> Result<()> {
        let synced = self.state().synced.remove(path);
        let Some(mut synced) = synced else {
            return Err(
                Error::bug("there is no upload to complete").at(path.to_string_lossy(), None)
            );
        };
        // Connections belong to the run that waits, which need not be the one that wrote.
        synced.target.bucket = Arc::clone(bucket);
        let result = run.finish(synced.complete(path, condition)).and_then(|result| result);
        let mut state = self.state();
        if let Content::Whole(bytes) = &synced.content {
            state.held -= bytes.len();
        }
        // A failed one is still to be aborted.
        if result.is_ok() {
            state.begun.remove(path);
        }
        result
    }

    /// See [`distil_storage::Objects::abort`].
    pub(crate) fn abort(
        &self,
        run: &Run,
        bucket_of: &dyn Fn(&BucketName) -> Result<Arc<Bucket>>,
        paths: &[&Path],
    ) -> Result<()> {
        let is_meant = |path: &PathBuf| paths.iter().any(|base| path.starts_with(base));
        let begun: Vec<(Target, String)> = {
            let mut state = self.state();
            let held =
                state.synced.extract_if(.., |path, _| is_meant(path)).map(
                    |(_, synced)| match synced.content {
                        Content::Whole(bytes) => bytes.len(),
                        Content::Parts { .. } => 0,
                    },
                );
            let held: usize = held.sum();
            state.held -= held;
            state.begun.extract_if(.., |path, _| is_meant(path)).map(|(_, begun)| begun).collect()
        };
        for (target, id) in begun {
            let (bucket, key) = (bucket_of(&target.bucket.name)?, &target.key);
            let aborted = run.wait_at_most(ABORT, bucket.multipart.abort_multipart(key, &id))?;
            match aborted {
                Some(Ok(())) => {}
                Some(Err(error)) if is_conflict(&error) => {}
                Some(Err(error)) => return Err(explain(&error, bucket.name.service, key.as_ref())),
                None => {
                    return Err(Error::environment(
                        "the store does not answer, and keeps an upload",
                    )
                    .at(key.as_ref(), None));
                }
            }
        }
        Ok(())
    }
}

impl Synced {
    async fn complete(&self, path: &Path, condition: Condition) -> Result<()> {
        let url = path.to_string_lossy();
        let failed =
            |error: &object_store::Error| explain(error, self.target.bucket.name.service, &url);
        let there = self.look().await.map_err(|error| failed(&error))?;
        let e_tag = match (condition, &there) {
            (Condition::Absent, None) => None,
            (Condition::Unchanged(stamp), Some(there)) if is_same(there, &stamp) => {
                there.e_tag.clone()
            }
            // Somebody else was there first, or took it away.
            _ => return Err(taken(&url)),
        };
        match self.send(condition, e_tag, there).await {
            Ok(()) => Ok(()),
            // It may be the answer to the second of two requests, of which the first one did its work.
            Err(error) if self.is_there().await => {
                tracing::debug!(url = %url, %error, "the object is there although the store complains");
                Ok(())
            }
            Err(error) if is_conflict(&error) => Err(taken(&url)),
            Err(error) if is_unanswered(&error) => Err(failed(&error).output(
                "it was about to appear, and no answer came: look whether it is there before you run it again",
            )),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn send(
        &self,
        condition: Condition,
        e_tag: Option<String>,
        there: Option<ObjectMeta>,
    ) -> object_store::Result<()> {
        let Target { bucket, key } = &self.target;
        match &self.content {
            Content::Whole(bytes) => {
                let mode = match condition {
                    Condition::Absent => PutMode::Create,
                    Condition::Unchanged(_) => {
                        let version = there.and_then(|there| there.version);
                        PutMode::Update(UpdateVersion { e_tag, version })
                    }
                };
                let options = PutOptions::from(mode);
                let payload = PutPayload::from_bytes(bytes.clone());
                bucket.objects.put_opts(key, payload, options).await.map(drop)
            }
            Content::Parts { id, parts } => {
                let completed = bucket.multipart.complete_multipart(key, id, parts.clone());
                if bucket.completes_on_condition() {
                    on_condition(e_tag.as_deref(), completed).await.map(drop)
                } else {
                    completed.await.map(drop)
                }
            }
        }
    }

    async fn look(&self) -> object_store::Result<Option<ObjectMeta>> {
        match self.target.bucket.objects.head(&self.target.key).await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the object that is there is this upload.
    async fn is_there(&self) -> bool {
        let Ok(Some(there)) = self.look().await else { return false };
        if there.size != self.bytes {
            return false;
        }
        match (self.e_tag(), there.e_tag.as_deref().map(|e_tag| e_tag.trim_matches('"'))) {
            (Some(own), Some(there)) if own == there => return true,
            // Of the form that tells of the content, and another.
            (Some(own), Some(there)) if own.len() == there.len() => return false,
            _ => {}
        }
        let begin = self.bytes - self.tail.len() as u64;
        let options = GetOptions {
            range: Some(GetRange::Bounded(begin..self.bytes)),
            if_match: there.e_tag,
            ..GetOptions::default()
        };
        match self.target.bucket.objects.get_opts(&self.target.key, options).await {
            Ok(got) => got.bytes().await.is_ok_and(|bytes| bytes == self.tail),
            Err(_) => false,
        }
    }

    /// The ETag that S3 gives: of the bytes, or of the ETags of the parts.
    fn e_tag(&self) -> Option<String> {
        match &self.content {
            Content::Whole(bytes) => Some(hex(&Md5::digest(bytes))),
            Content::Parts { parts, .. } => {
                let mut digest = Md5::new();
                for part in parts {
                    digest.update(md5_of(&part.content_id)?);
                }
                Some(format!("{}-{}", hex(&digest.finalize()), parts.len()))
            }
        }
    }
}

fn is_same(there: &ObjectMeta, stamp: &Stamp) -> bool {
    there.size == stamp.size && version(there) == stamp.version
}

fn taken(url: &str) -> Error {
    Error::new(Fault::Exists, "another run, or somebody else, wrote it meanwhile")
        .at(url, None)
        .help("look at what is there, and run it again if it is not what you want")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.len().is_multiple_of(2).then(|| pairs.map(byte).collect()).flatten()
}

/// The digest that an ETag is, where it is one of bytes.
fn md5_of(e_tag: &str) -> Option<Vec<u8>> {
    unhex(e_tag.trim_matches('"')).filter(|digest| digest.len() == 16)
}
