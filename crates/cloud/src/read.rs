//! Reading one object: ranges of one content, in parallel, ahead of who reads on.

use std::collections::VecDeque;
use std::ops;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use distil_plan::{Error, Result};
use distil_storage::{InputFile, Stamp, changed};
use futures_util::StreamExt;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange};
use tokio::sync::OwnedSemaphorePermit;

use crate::bucket::Bucket;
use crate::buffers::Buffer;
use crate::error::explain;
use crate::runtime::{Run, Started};
use crate::store::version;

/// The first range of a reader, unless the object is not much larger: it may want no more than its beginning.
const FIRST: u64 = 256 << 10;
/// How much longer each further one is. Whoever reads on reads all of it, and a request costs as much as some hundred
/// kilobytes.
const GROWTH: u64 = 64;
/// An object of this size is one range.
const WHOLE: u64 = 1 << 20;
/// The first range of a reader that begins in the middle, and what is fetched of a large object that will be opened
/// soon: nobody may want more than that.
const PROBE: u64 = 64 << 10;
/// Most of one range: more takes longer to begin with than it saves.
const LARGEST: u64 = 8 << 20;
/// Ranges of one reader that are on their way at once.
const AT_ONCE: usize = 16;
/// The same in the beginning, for a reader of which is known that it reads on.
const AHEAD: usize = 4;
/// Readers of one object at different places that are told apart: columns of a row group, places of a sample.
const READERS: usize = 128;
/// How often a range that ends early is asked for.
const TRIES: usize = 4;

/// Most of one range within the memory of a run.
fn largest(run: &Run) -> u64 {
    (run.memory() / 16).clamp(FIRST, LARGEST)
}

/// Where the bytes of an object come from.
#[async_trait]
pub(crate) trait Content: Send + Sync {
    /// Appends the bytes of a range, of the content that has this ETag if one is known: fewer if the answer broke off.
    ///
    /// # Errors
    /// That another content is there, or none; else an environment error.
    async fn append(
        &self,
        range: ops::Range<u64>,
        e_tag: Option<&str>,
        bytes: &mut Vec<u8>,
    ) -> Result<Whole>;
}

/// What an answer with some bytes of an object says of all of it.
pub(crate) struct Whole {
    /// Bytes of the whole object.
    pub(crate) size: u64,
    pub(crate) e_tag: Option<String>,
    /// What tells one content from another; 0 if nothing does.
    pub(crate) version: u64,
}

/// An object of a bucket.
pub(crate) struct BucketObject {
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) key: Key,
    pub(crate) url: String,
}

#[async_trait]
impl Content for BucketObject {
    async fn append(
        &self,
        range: ops::Range<u64>,
        e_tag: Option<&str>,
        bytes: &mut Vec<u8>,
    ) -> Result<Whole> {
        use object_store::Error as E;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: e_tag.map(str::to_owned),
            ..GetOptions::default()
        };
        let failed = |error: E| match error {
            E::Precondition { .. } => changed(self.url.as_ref(), "was replaced"),
            E::NotFound { .. } => changed(self.url.as_ref(), "was removed"),
            error => explain(&error, self.bucket.name.service, &self.url),
        };
        let got = self.bucket.objects.get_opts(&self.key, options).await.map_err(failed)?;
        let (size, e_tag, version) = (got.meta.size, got.meta.e_tag.clone(), version(&got.meta));
        let mut pieces = got.into_stream();
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece.map_err(failed)?);
        }
        Ok(Whole { size, e_tag, version })
    }
}

/// One content of an object.
pub(crate) struct Pinned {
    content: Arc<dyn Content>,
    url: String,
    stamp: Stamp,
    /// Known with the first bytes; then every range is of it.
    e_tag: OnceLock<Option<String>>,
}

impl Pinned {
    pub(crate) fn new(content: Arc<dyn Content>, url: String, stamp: Stamp) -> Self {
        Self { content, url, stamp, e_tag: OnceLock::new() }
    }

    /// The bytes of a range.
    async fn fetch(&self, begin: u64, end: u64, mut buffer: Buffer) -> Result<Buffer> {
        for _ in 0..TRIES {
            buffer.bytes.clear();
            let e_tag = self.e_tag.get().and_then(Option::as_deref);
            let whole = self.content.append(begin..end, e_tag, &mut buffer.bytes).await?;
            let e_tag = self.e_tag.get_or_init(|| whole.e_tag.clone());
            let is_other = self.stamp.version != 0 && whole.version != self.stamp.version;
            if *e_tag != whole.e_tag || is_other || whole.size != self.stamp.size {
                return Err(changed(self.url.as_ref(), "was replaced"));
            }
            if buffer.bytes.len() as u64 == end - begin {
                return Ok(buffer);
            }
            // Less than was asked for, and no error: a server that hangs up in the middle.
            tracing::debug!(url = self.url, begin, end, "the range ended early");
        }
        Err(Error::environment("the store ends its answers early, again and again")
            .at(self.url.clone(), None)
            .help("see whether something between here and the store cuts connections"))
    }
}

/// A range that was asked for.
struct Range {
    begin: u64,
    end: u64,
    state: State,
    /// Memory that it takes; of the range that is read next, nothing.
    _memory: Option<OwnedSemaphorePermit>,
}

enum State {
    Coming(Started<Result<Buffer>>),
    Here(Buffer),
}

impl Range {
    fn start(
        object: &Arc<Pinned>,
        run: &Run,
        begin: u64,
        end: u64,
        memory: Option<OwnedSemaphorePermit>,
    ) -> Result<Self> {
        let object = Arc::clone(object);
        let buffer = run.buffers.take((end - begin) as usize);
        let coming = run.start(async move { object.fetch(begin, end, buffer).await })?;
        Ok(Self { begin, end, state: State::Coming(coming), _memory: memory })
    }

    /// The beginning of an object of which this much will be read, if there is memory for it.
    fn beginning(object: &Arc<Pinned>, run: &Run, length: u64) -> Option<Self> {
        let end = match object.stamp.size {
            0 => return None,
            size if size <= WHOLE => size,
            size => size.min(length.clamp(PROBE, largest(run))),
        };
        let memory = run.try_to_read(end)?;
        Self::start(object, run, 0, end, Some(memory)).ok()
    }

    fn bytes(&mut self, run: &Run) -> Result<&[u8]> {
        if let State::Coming(coming) = &mut self.state {
            self.state = State::Here(coming.wait(run)??);
        }
        match &self.state {
            State::Here(buffer) => Ok(&buffer.bytes),
            State::Coming(_) => Err(Error::bug("a range that came is not here")),
        }
    }
}

/// Somebody who reads on from one place.
pub(crate) struct Reader {
    ranges: VecDeque<Range>,
    /// Where the ranges end.
    end: u64,
    /// Length of the next one.
    next: u64,
    /// How many of them may be on their way: more with every one that was read to its end.
    at_once: usize,
}

impl Reader {
    /// Somebody who will read this much from the beginning on, as far as there is memory for it.
    pub(crate) fn expected(object: &Arc<Pinned>, run: &Run, length: u64) -> Option<Self> {
        let beginning = Range::beginning(object, run, length)?;
        let end = beginning.end;
        let mut reader = Self {
            ranges: VecDeque::from([beginning]),
            end,
            next: (end * GROWTH).min(largest(run)),
            at_once: if length > PROBE { AHEAD } else { 1 },
        };
        reader.ask_on(object, run).ok()?;
        Some(reader)
    }

    /// Whether what is wanted is among what was asked for.
    fn has(&self, offset: u64) -> bool {
        let begin = self.ranges.front().map_or(self.end, |range| range.begin);
        (begin..=self.end).contains(&offset) && self.next > 0
    }

    fn read(
        &mut self,
        object: &Arc<Pinned>,
        run: &Run,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize> {
        while self.ranges.front().is_some_and(|range| range.end <= offset) {
            self.ranges.pop_front();
            self.at_once = (self.at_once * 4).min(AT_ONCE);
        }
        self.ask_on(object, run)?;
        let Some(range) = self.ranges.front_mut() else {
            return Err(Error::bug("nothing was asked of an object"));
        };
        let (begin, end) = (range.begin, range.end);
        let bytes = range.bytes(run)?;
        let from = (offset - begin) as usize;
        let count = buffer.len().min((end - offset) as usize);
        buffer[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    /// Asks for further ranges: always for one, and for more as far as there is memory.
    fn ask_on(&mut self, object: &Arc<Pinned>, run: &Run) -> Result<()> {
        let size = object.stamp.size;
        let largest = largest(run);
        while self.end < size && self.ranges.len() < self.at_once {
            let end = size.min(self.end + self.next);
            let memory = match run.try_to_read(end - self.end) {
                None if !self.ranges.is_empty() => break,
                memory => memory,
            };
            self.ranges.push_back(Range::start(object, run, self.end, end, memory)?);
            self.end = end;
            self.next = (self.next * GROWTH).min(largest);
        }
        Ok(())
    }
}

/// An object that is being read.
pub(crate) struct ObjectFile {
    object: Arc<Pinned>,
    run: Run,
    /// Those that nobody uses right now.
    readers: Mutex<Vec<Reader>>,
    /// All of an object that is one range, once it was asked for: whoever reads it in pieces asks the store once.
    whole: Mutex<Option<Range>>,
}

impl ObjectFile {
    /// An object, and what was asked of it already.
    pub(crate) fn new(object: Arc<Pinned>, run: Run, expected: Option<Reader>) -> Self {
        let is_whole = object.stamp.size <= WHOLE;
        let (whole, readers) = match expected {
            Some(mut reader) if is_whole => (reader.ranges.pop_front(), Vec::new()),
            expected => (None, expected.into_iter().collect()),
        };
        Self { object, run, readers: Mutex::new(readers), whole: Mutex::new(whole) }
    }

    /// Bytes of an object that is one range.
    fn read_whole(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let range = match &mut *whole {
            Some(range) => range,
            whole => {
                let size = self.object.stamp.size;
                whole.insert(Range::start(&self.object, &self.run, 0, size, None)?)
            }
        };
        let bytes = match range.bytes(&self.run) {
            Ok(bytes) => bytes,
            Err(error) => {
                *whole = None;
                return Err(error);
            }
        };
        let rest = &bytes[offset as usize..];
        let count = buffer.len().min(rest.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    /// Who reads on at this place, or somebody new.
    fn reader(&self, offset: u64, length: usize) -> Reader {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        match readers.iter().position(|reader| reader.has(offset)) {
            Some(at) => readers.remove(at),
            None => {
                let next = match offset {
                    0 => FIRST,
                    _ => PROBE.max(length as u64).min(LARGEST),
                };
                Reader { ranges: VecDeque::new(), end: offset, next, at_once: 1 }
            }
        }
    }

    /// Takes a reader back, until its place is read again.
    fn keep(&self, reader: Reader) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() == READERS {
            readers.remove(0);
        }
        readers.push(reader);
    }
}

impl InputFile for ObjectFile {
    fn stamp(&self) -> Stamp {
        self.object.stamp
    }

    fn stamp_now(&self) -> Result<Stamp> {
        Ok(self.object.stamp)
    }

    fn is_stream(&self) -> bool {
        false
    }

    fn is_pinned(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() || offset >= self.object.stamp.size {
            return Ok(0);
        }
        if self.object.stamp.size <= WHOLE {
            return self.read_whole(offset, buffer);
        }
        let mut reader = self.reader(offset, buffer.len());
        let count = reader.read(&self.object, &self.run, offset, buffer)?;
        self.keep(reader);
        Ok(count)
    }

    fn will_read(&self, offset: u64, length: usize) {
        if self.object.stamp.size <= WHOLE {
            let mut whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
            *whole = whole.take().or_else(|| Range::beginning(&self.object, &self.run, WHOLE));
            return;
        }
        let end = self.object.stamp.size.min(offset + length as u64);
        let memory = if offset < end { self.run.try_to_read(end - offset) } else { None };
        let Some(memory) = memory else { return };
        if let Ok(range) = Range::start(&self.object, &self.run, offset, end, Some(memory)) {
            let ranges = VecDeque::from([range]);
            self.keep(Reader { ranges, end, next: PROBE, at_once: 1 });
        }
    }
}

/// A file that was said to be opened soon.
pub(crate) struct Expected {
    pub(crate) object: Arc<Pinned>,
    pub(crate) reader: Reader,
}
