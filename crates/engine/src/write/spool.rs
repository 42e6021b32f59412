//! What waits until its row group is complete: arrays of its batches, and pages of its chunks.
//!
//! A row group may be larger than the memory. Only so much of what waits stays in memory; the rest goes to files of the
//! scratch directory, each of which is removed once all of it was read.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, RecordBatch, new_null_array};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use bytes::Bytes;
use distil_kernel::encode::PageStores;
use distil_plan::{Cancel, Error, Result};
use distil_storage::{InputFile, OutputFile, Storage};
use parquet::column::page_store::{PageKey, PageStore};
use parquet::errors::ParquetError;

/// Bytes after which another file is begun.
const FILE_BYTES: u64 = 64 << 20;

/// What an array takes beside its values: of thousands of columns, it is most of it.
const ARRAY: u64 = 256;

/// Memory and files for what waits. Clones share both.
#[derive(Clone)]
pub(crate) struct Spool(Arc<Shared>);

struct Shared {
    storage: Arc<dyn Storage>,
    scratch: PathBuf,
    /// Bytes that may wait in memory.
    most: u64,
    held: AtomicU64,
    spilled: AtomicU64,
    file: Mutex<Files>,
    cancel: Cancel,
}

#[derive(Default)]
struct Files {
    begun: usize,
    open: Option<OpenFile>,
}

struct OpenFile {
    output: Box<dyn OutputFile>,
    file: Arc<SpoolFile>,
    written: u64,
}

/// A file that is there for as long as something of it may be read.
struct SpoolFile {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    input: Box<dyn InputFile>,
}

impl Drop for SpoolFile {
    fn drop(&mut self) {
        // What can't be removed goes with the scratch directory.
        let _ = self.storage.remove_file(&self.path);
    }
}

/// A share of the memory, given back when it is dropped.
struct Held(Arc<Shared>, u64);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.fetch_sub(self.1, Ordering::Relaxed);
    }
}

/// Bytes on disk.
struct Place {
    file: Arc<SpoolFile>,
    offset: u64,
    length: usize,
}

impl Spool {
    /// Keeps at most `most` bytes in memory; the rest goes to files in `scratch`.
    pub(crate) fn new(
        storage: &Arc<dyn Storage>,
        scratch: PathBuf,
        most: u64,
        cancel: &Cancel,
    ) -> Self {
        Self(Arc::new(Shared {
            storage: Arc::clone(storage),
            scratch,
            most,
            held: AtomicU64::new(0),
            spilled: AtomicU64::new(0),
            file: Mutex::default(),
            cancel: cancel.clone(),
        }))
    }

    /// Bytes that went to disk.
    pub(crate) fn spilled_bytes(&self) -> u64 {
        self.0.spilled.load(Ordering::Relaxed)
    }

    /// Keeps arrays of the same rows until they are wanted. Those of flat columns that are null throughout take no place of
    /// their own: where records have few of thousands of columns, they are most of all arrays.
    ///
    /// # Errors
    /// An environment error, for a full disk among others.
    pub(crate) fn keep_all(&self, arrays: Vec<ArrayRef>) -> Result<Vec<KeptArray>> {
        let mut nulls: Vec<(DataType, KeptArray)> = Vec::new();
        let mut keep = |array: ArrayRef| {
            let data_type = array.data_type();
            if array.null_count() < array.len() || data_type.is_nested() {
                return self.keep(array);
            }
            if let Some((_, kept)) = nulls.iter().find(|(of, _)| of == data_type) {
                return Ok(kept.clone());
            }
            let kept = KeptArray(Arc::new(Kept::Nulls(data_type.clone(), array.len())));
            nulls.push((data_type.clone(), kept.clone()));
            Ok(kept)
        };
        arrays.into_iter().map(&mut keep).collect()
    }

    fn keep(&self, array: ArrayRef) -> Result<KeptArray> {
        let bytes = ARRAY + array.get_array_memory_size() as u64;
        if let Some(held) = self.hold(bytes) {
            return Ok(KeptArray(Arc::new(Kept::InMemory(array, held))));
        }
        self.write(&serialized(&array)?).map(|place| KeptArray(Arc::new(Kept::OnDisk(place))))
    }

    /// A share of the memory, if there is as much left.
    fn hold(&self, bytes: u64) -> Option<Held> {
        let held = &self.0.held;
        let most = self.0.most;
        let fits = |held: u64| held.checked_add(bytes).filter(|sum| *sum <= most);
        let taken = held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        taken.ok().map(|_| Held(Arc::clone(&self.0), bytes))
    }

    /// Writes bytes to the file that is open.
    fn write(&self, bytes: &[u8]) -> Result<Place> {
        let mut files = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = match files.open.take() {
            Some(open) if open.written < FILE_BYTES => open,
            _ => {
                files.begun += 1;
                self.create(files.begun)?
            }
        };
        open.output.write_all(bytes)?;
        let place =
            Place { file: Arc::clone(&open.file), offset: open.written, length: bytes.len() };
        open.written += bytes.len() as u64;
        self.0.spilled.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        files.open = Some(open);
        Ok(place)
    }

    fn create(&self, ordinal: usize) -> Result<OpenFile> {
        let Shared { storage, scratch, .. } = self.0.as_ref();
        let path = scratch.join(format!("row-group-{ordinal}"));
        let output = storage.create_new(&path)?;
        let input = storage.open(&path)?;
        let file = Arc::new(SpoolFile { storage: Arc::clone(storage), path, input });
        Ok(OpenFile { output, file, written: 0 })
    }
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("most", &self.0.most).finish_non_exhaustive()
    }
}

impl Place {
    fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.length];
        let mut filled = 0;
        while filled < bytes.len() {
            let at = self.offset + filled as u64;
            match self.file.input.read_at(at, &mut bytes[filled..])? {
                0 => return Err(crate::exchange::shortened()),
                count => filled += count,
            }
        }
        Ok(bytes)
    }
}

/// An array that waits. Clones are the same one.
#[derive(Clone)]
pub(crate) struct KeptArray(Arc<Kept>);

enum Kept {
    InMemory(ArrayRef, #[expect(dead_code, reason = "given back with the array")] Held),
    OnDisk(Place),
    Nulls(DataType, usize),
}

impl KeptArray {
    /// The array, which may be read again.
    ///
    /// # Errors
    /// An environment error if it can't be read back.
    pub(crate) fn read(&self) -> Result<ArrayRef> {
        match self.0.as_ref() {
            Kept::InMemory(array, _) => Ok(Arc::clone(array)),
            Kept::OnDisk(place) => deserialized(&place.read()?),
            Kept::Nulls(data_type, length) => Ok(new_null_array(data_type, *length)),
        }
    }
}

/// An array as an Arrow stream of one column.
fn serialized(array: &ArrayRef) -> Result<Vec<u8>> {
    let field = Field::new("", array.data_type().clone(), true);
    let write = || {
        let schema = Arc::new(Schema::new(vec![field]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::clone(array)])?;
        let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
        writer.write(&batch)?;
        writer.into_inner()
    };
    write().map_err(broken)
}

fn deserialized(bytes: &[u8]) -> Result<ArrayRef> {
    let mut reader = StreamReader::try_new(bytes, None).map_err(broken)?;
    let batch = reader.next().ok_or_else(|| Error::bug("an array is missing"))?;
    Ok(Arc::clone(batch.map_err(broken)?.column(0)))
}

fn broken(error: ArrowError) -> Error {
    Error::bug(format!("an array can't be written and read back: {error}"))
}

impl PageStores for Spool {
    fn store(&self) -> Box<dyn PageStore> {
        Box::new(SpooledPages { spool: self.clone(), pages: Vec::new() })
    }
}

/// The pages of one chunk.
struct SpooledPages {
    spool: Spool,
    pages: Vec<Option<KeptPage>>,
}

enum KeptPage {
    InMemory(Bytes, #[expect(dead_code, reason = "given back with the page")] Held),
    OnDisk(Place),
}

impl PageStore for SpooledPages {
    /// Also where a run that is asked to stop does so while it encodes: a chunk may take long, a page does not.
    fn put(&mut self, page: Bytes) -> Result<PageKey, ParquetError> {
        self.spool.0.cancel.check().map_err(external)?;
        let kept = match self.spool.hold(page.len() as u64) {
            Some(held) => KeptPage::InMemory(page, held),
            None => KeptPage::OnDisk(self.spool.write(&page).map_err(external)?),
        };
        self.pages.push(Some(kept));
        Ok(PageKey::new(self.pages.len() as u64 - 1))
    }

    /// Row groups are written page by page: here, too, a run that is asked to stop does so.
    fn take(&mut self, key: PageKey) -> Result<Bytes, ParquetError> {
        self.spool.0.cancel.check().map_err(external)?;
        match self.pages.get_mut(key.get() as usize).and_then(Option::take) {
            Some(KeptPage::InMemory(page, _)) => Ok(page),
            Some(KeptPage::OnDisk(place)) => Ok(place.read().map_err(external)?.into()),
            None => Err(ParquetError::General("a page is taken twice".to_owned())),
        }
    }
}

/// An error that passes through the Parquet writer.
fn external(error: Error) -> ParquetError {
    ParquetError::External(Box::new(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int64Array, StringArray};
    use distil_storage::Memory;

    use super::*;

    fn spool(most: u64) -> (Memory, Spool) {
        let memory = Memory::new();
        memory.put_dir("scratch");
        let storage: Arc<dyn Storage> = Arc::new(memory.clone());
        (memory, Spool::new(&storage, "scratch".into(), most, &Cancel::new()))
    }

    #[test]
    fn arrays_of_nulls_take_no_place() {
        let nulls: ArrayRef = Arc::new(Int64Array::new_null(3));
        let texts: ArrayRef = Arc::new(StringArray::new_null(3));
        let (memory, spool) = spool(0);
        let kept = spool.keep_all(vec![nulls.clone(), texts.clone(), nulls.clone()]).unwrap();
        assert!(memory.list("scratch".as_ref()).unwrap().is_empty());
        assert_eq!(spool.0.held.load(Ordering::Relaxed), 0);
        for (kept, array) in kept.iter().zip([&nulls, &texts, &nulls]) {
            assert_eq!(&kept.read().unwrap(), array);
        }
        assert!(Arc::ptr_eq(&kept[0].0, &kept[2].0), "they share one");
        let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, None]));
        let kept = spool.keep_all(vec![values.clone()]).unwrap();
        assert_eq!(memory.list("scratch".as_ref()).unwrap().len(), 1);
        assert_eq!(&kept[0].read().unwrap(), &values);
    }

    #[test]
    fn what_the_memory_does_not_hold_comes_back_from_disk() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("ü")]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        for most in [0, 1000, u64::MAX] {
            let (memory, spool) = spool(most);
            let kept: Vec<_> = [&texts, &numbers, &texts]
                .map(|array| spool.keep(Arc::clone(array)).unwrap())
                .into_iter()
                .collect();
            let mut pages = spool.store();
            let keys: Vec<_> = ["one", "two"].map(|page| pages.put(page.into()).unwrap()).into();
            assert_eq!(memory.list("scratch".as_ref()).unwrap().is_empty(), most == u64::MAX);
            for (kept, array) in kept.iter().zip([&texts, &numbers, &texts]) {
                assert_eq!(&kept.read().unwrap(), array);
                assert_eq!(&kept.read().unwrap(), array, "it may be read again");
            }
            assert_eq!(pages.take(keys[1]).unwrap(), "two");
            assert_eq!(pages.take(keys[0]).unwrap(), "one");
            assert!(pages.take(keys[0]).is_err());
            drop((kept, pages));
            assert_eq!(spool.0.held.load(Ordering::Relaxed), 0);
            drop(spool);
            assert!(memory.list("scratch".as_ref()).unwrap().is_empty());
        }
    }
}
