//! Writing the files of a data set, and the answer beside them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use distil_plan::{Error, Fault, Result};
use distil_storage::{Kind, OutputFile, Storage, put_in_place};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::answer::{Answer, Collector};
use crate::parameters::{Parameters, Shape};
use crate::records::Records;
use crate::text::write_record;

/// Bytes handed to the file system at once.
const CHUNK: usize = 1 << 20;

/// Writes a data set into `directory`, which must be new or empty, and its answer beside it
/// ([`answer_path`]).
///
/// `progress` is called with the number of records written since its last call, from any thread.
/// The files are the same for any number of threads. They are not synced: who needs them after a
/// crash generates them again. On failure nothing is left behind.
///
/// # Errors
/// A usage error for impossible parameters; [`Fault::Exists`] if the directory is not empty or there
/// is an answer already; an environment error if a file can't be written.
pub fn generate(
    storage: &dyn Storage,
    directory: &Path,
    parameters: &Parameters,
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Answer> {
    parameters.check()?;
    let answer_path = answer_path(directory)?;
    if storage.objects(directory).is_none() {
        storage.disk(directory)?;
    }
    if storage.metadata(&answer_path)?.is_some() {
        return Err(Error::new(Fault::Exists, "an answer exists already, of other data")
            .at(answer_path.display().to_string(), None)
            .output("nothing was written")
            .help("remove it, or generate into another directory"));
    }
    let created = claim_directory(storage, directory)?;
    let writer = Writer { storage, directory, parameters, progress };
    let outcome = writer.write_files(threads).and_then(|answer| {
        let mut file = storage.create_new(&answer_path)?;
        file.write_all(answer.to_json()?.as_bytes())
            .and_then(|()| put_in_place(storage, &answer_path, &mut *file))
            .inspect_err(|_| discard(storage.remove_file(&answer_path)))?;
        Ok(answer)
    });
    outcome.map_err(|error| {
        if created {
            discard(storage.disk(directory).and_then(|disk| disk.remove_dir_all(directory)));
        } else {
            if let Some(objects) = storage.objects(directory) {
                discard(objects.abort(&[directory, &answer_path]));
            }
            for file in 0..parameters.files {
                discard(storage.remove_file(&writer.path(file)));
            }
        }
        error.output("the files written so far were removed")
    })
}

/// The failure of a clean-up must not hide the error that led to it.
fn discard<T>(_: Result<T>) {}

/// Where the answer of the data set in `directory` is: `data.answer.json` beside `data`.
///
/// # Errors
/// A usage error for a directory without a name: `.`, `..` and `/` have none, so it is not plain what
/// lies beside them.
pub fn answer_path(directory: &Path) -> Result<PathBuf> {
    let Some(name) = directory.file_name() else {
        return Err(Error::usage("there is no place for the answer beside this directory")
            .at(directory.display().to_string(), None)
            .help("give the name of a new directory"));
    };
    let mut answer = name.to_owned();
    answer.push(".answer.json");
    Ok(directory.with_file_name(answer))
}

/// Makes sure that the directory exists and is empty. Whether it had to be created.
fn claim_directory(storage: &dyn Storage, directory: &Path) -> Result<bool> {
    let refuse = |what: &str| {
        Err(Error::new(Fault::Exists, what)
            .at(directory.display().to_string(), None)
            .output("nothing was written")
            .help("give the name of a new directory"))
    };
    match storage.metadata(directory)? {
        None if storage.objects(directory).is_some() => Ok(false),
        None => storage.disk(directory)?.create_dir(directory).map(|()| true),
        Some(found) if found.kind != Kind::Directory => refuse("this is not a directory"),
        Some(_) if storage.list(directory)?.is_empty() => Ok(false),
        Some(_) => refuse("the directory is not empty"),
    }
}

struct Writer<'a> {
    storage: &'a dyn Storage,
    directory: &'a Path,
    parameters: &'a Parameters,
    progress: &'a (dyn Fn(u64) + Sync),
}

impl Writer<'_> {
    /// Writes all files; each thread takes the next that is left.
    fn write_files(&self, threads: usize) -> Result<Answer> {
        let records = Records::new(self.parameters);
        let next = AtomicU64::new(0);
        let stop = AtomicBool::new(false);
        let first_error = Mutex::new(None::<(u64, Error)>);
        let total = Mutex::new(Collector::default());
        let work = || {
            let mut part = Collector::default();
            while !stop.load(Ordering::Relaxed) {
                let file = next.fetch_add(1, Ordering::Relaxed);
                if file >= self.parameters.files {
                    break;
                }
                if let Err(error) = self.write_file(&records, file) {
                    stop.store(true, Ordering::Relaxed);
                    let mut first = lock(&first_error);
                    if first.as_ref().is_none_or(|(earlier, _)| file < *earlier) {
                        *first = Some((file, error));
                    }
                    break;
                }
                part.add_file(&records, file);
            }
            lock(&total).merge(&part);
        };
        let extra = threads
            .saturating_sub(1)
            .min(usize::try_from(self.parameters.files).unwrap_or(usize::MAX) - 1);
        std::thread::scope(|scope| {
            for _ in 0..extra {
                scope.spawn(work);
            }
            work();
        });
        if let Some((_, error)) = lock(&first_error).take() {
            return Err(error);
        }
        let total = std::mem::take(&mut *lock(&total));
        Ok(total.finish(self.parameters))
    }

    fn write_file(&self, records: &Records<'_>, file: u64) -> Result<()> {
        let (open, separator, close): (&[u8], &[u8], &[u8]) = match self.parameters.shape {
            Shape::Document => (b"{\"records\": [", b", ", b"]}"),
            Shape::Array => (b"[", b", ", b"]"),
            Shape::Lines => (b"", b"\n", b"\n"),
        };
        let path = self.path(file);
        let mut sink = Sink::new(self.storage.create_new(&path)?, self.parameters.gzip);
        let mut chunk = Vec::with_capacity(CHUNK + 128);
        chunk.extend_from_slice(open);
        let mut unreported = 0;
        for (index, record) in records.of_file(file).enumerate() {
            if index > 0 {
                chunk.extend_from_slice(separator);
            }
            write_record(&record, &mut chunk);
            unreported += 1;
            if chunk.len() >= CHUNK {
                sink.write(&chunk)?;
                chunk.clear();
                (self.progress)(std::mem::take(&mut unreported));
            }
        }
        chunk.extend_from_slice(close);
        sink.write(&chunk)?;
        put_in_place(self.storage, &path, &mut *sink.finish()?)?;
        (self.progress)(unreported);
        Ok(())
    }

    /// The path of a file; in byte order the files stand in the order of their numbers.
    fn path(&self, file: u64) -> PathBuf {
        let width = (self.parameters.files - 1).to_string().len().max(5);
        let extension = match self.parameters.shape {
            Shape::Document | Shape::Array => "json",
            Shape::Lines => "ndjson",
        };
        let gzip = if self.parameters.gzip { ".gz" } else { "" };
        self.directory.join(format!("records-{file:0width$}.{extension}{gzip}"))
    }
}

/// A file, compressed or not.
struct Sink {
    file: Box<dyn OutputFile>,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

impl Sink {
    fn new(file: Box<dyn OutputFile>, gzip: bool) -> Self {
        Self { file, gzip: gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast())) }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(encoder) = &mut self.gzip else {
            return self.file.write_all(bytes);
        };
        encoder.write_all(bytes).map_err(|cause| broken_encoder(&cause))?;
        self.file.write_all(encoder.get_ref())?;
        encoder.get_mut().clear();
        Ok(())
    }

    /// Ends the file and gives it back.
    fn finish(mut self) -> Result<Box<dyn OutputFile>> {
        if let Some(encoder) = self.gzip {
            self.file.write_all(&encoder.finish().map_err(|cause| broken_encoder(&cause))?)?;
        }
        Ok(self.file)
    }
}

/// Writing into memory does not fail.
fn broken_encoder(cause: &std::io::Error) -> Error {
    Error::bug(format!("gzip could not compress: {cause}"))
}

/// A thread that panicked while it held the lock left nothing half done: the data are counts.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
