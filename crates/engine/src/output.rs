//! Encoded row groups to files, in order.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use distil_job::footer::Footer;
use distil_json::digest::Digest;
use distil_plan::{Dedup, Error, Layout, Result, Schema, Sink};
use distil_storage::{OutputFile, Storage};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;

use crate::encode::{EncodedGroup, Encoder, parquet_error};

/// Bytes collected before they are written.
const BUFFER: usize = 1 << 20;

/// What the footers of an output say.
#[derive(Clone)]
pub(crate) struct Description {
    pub(crate) schema: Schema,
    pub(crate) dedup: Option<Dedup>,
    pub(crate) selected: bool,
    pub(crate) digest: bool,
}

/// The files of one output.
pub(crate) struct Output<'a> {
    storage: &'a dyn Storage,
    encoder: &'a Encoder,
    description: Description,
    path: PathBuf,
    layout: Layout,
    most_rows: u64,
    most_bytes: u64,
    next: usize,
    waiting: BTreeMap<usize, EncodedGroup>,
    open: Option<OpenFile>,
    pub(crate) totals: Totals,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) row_groups: u64,
    pub(crate) rows: u64,
    pub(crate) digest: u128,
}

struct OpenFile {
    path: PathBuf,
    writer: SerializedFileWriter<FileSink>,
    failure: Failure,
    rows: u64,
    bytes: u64,
    digest: u128,
}

impl<'a> Output<'a> {
    /// An output at a staged path: a file, or a directory of parts.
    pub(crate) fn new(
        storage: &'a dyn Storage,
        encoder: &'a Encoder,
        description: Description,
        path: PathBuf,
        sink: &Sink,
        layout: Layout,
    ) -> Self {
        Self {
            storage,
            encoder,
            description,
            path,
            layout,
            most_rows: sink.max_file_rows.unwrap_or(u64::MAX),
            most_bytes: sink.max_file_bytes.unwrap_or(u64::MAX),
            next: 0,
            waiting: BTreeMap::new(),
            open: None,
            totals: Totals::default(),
        }
    }

    /// Takes a row group; those before it may come later. Returns the file that was written to, if any.
    ///
    /// # Errors
    /// An environment error when writing fails.
    pub(crate) fn push(&mut self, ordinal: usize, group: EncodedGroup) -> Result<Option<PathBuf>> {
        self.waiting.insert(ordinal, group);
        let mut written = false;
        while let Some(group) = self.waiting.remove(&self.next) {
            self.next += 1;
            self.write(group)?;
            written = true;
        }
        Ok(self.open.as_ref().filter(|_| written).map(|file| file.path.clone()))
    }

    fn write(&mut self, group: EncodedGroup) -> Result<()> {
        let full = self.open.as_ref().is_some_and(|file| {
            file.rows + group.rows > self.most_rows || file.bytes + group.bytes > self.most_bytes
        });
        if full && self.layout == Layout::Dir {
            self.close_file()?;
        }
        let mut file = match self.open.take() {
            Some(file) => file,
            None => self.create()?,
        };
        file.rows += group.rows;
        file.bytes += group.bytes;
        file.digest = file.digest.wrapping_add(group.digest.0);
        self.totals.row_groups += 1;
        self.totals.rows += group.rows;
        self.totals.digest = self.totals.digest.wrapping_add(group.digest.0);
        let appended = (|| {
            let mut writer = file.writer.next_row_group()?;
            for chunk in group.chunks {
                chunk.append_to_row_group(&mut writer)?;
            }
            writer.close().map(|_| ())
        })();
        let failure = Arc::clone(&file.failure);
        self.open = Some(file);
        appended.map_err(|error| cause(&failure, error))
    }

    fn create(&mut self) -> Result<OpenFile> {
        let path = match self.layout {
            Layout::File => self.path.clone(),
            Layout::Dir => self.path.join(format!("part-{:05}.parquet", self.totals.files)),
        };
        self.totals.files += 1;
        let failure = Failure::default();
        let sink = FileSink {
            file: self.storage.create_new(&path)?,
            buffer: Vec::with_capacity(BUFFER),
            failure: Arc::clone(&failure),
        };
        let writer = SerializedFileWriter::new(
            sink,
            self.encoder.parquet_schema.root_schema_ptr(),
            Arc::clone(&self.encoder.properties),
        )
        .map_err(|error| cause(&failure, error))?;
        Ok(OpenFile { path, writer, failure, rows: 0, bytes: 0, digest: 0 })
    }

    fn close_file(&mut self) -> Result<()> {
        let Some(mut file) = self.open.take() else { return Ok(()) };
        let footer = Footer {
            schema: self.description.schema.clone(),
            dedup: self.description.dedup.clone(),
            selected: self.description.selected,
            rows: Some(file.rows),
            digest: self.description.digest.then_some(Digest(file.digest)),
        };
        for (key, value) in footer.to_pairs()? {
            file.writer.append_key_value_metadata(KeyValue::new(key, value));
        }
        file.writer.finish().map_err(|error| cause(&file.failure, error))?;
        self.totals.bytes += file.writer.bytes_written() as u64;
        let sink = file.writer.inner_mut();
        sink.flush_buffer()?;
        sink.file.sync()
    }

    /// Ends the output: every file is complete and synced. An output without rows is one file.
    ///
    /// # Errors
    /// An environment error when writing fails; a bug if a row group is missing.
    pub(crate) fn finish(&mut self) -> Result<Totals> {
        if !self.waiting.is_empty() {
            return Err(Error::bug("a row group is missing"));
        }
        if self.totals.files == 0 {
            let file = self.create()?;
            self.open = Some(file);
        }
        self.close_file()?;
        Ok(self.totals)
    }
}

/// Keeps the error of a write while the Parquet crate passes its own on.
type Failure = Arc<Mutex<Option<Error>>>;

fn cause(failure: &Failure, error: ParquetError) -> Error {
    let kept = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    kept.unwrap_or_else(|| parquet_error(error))
}

struct FileSink {
    file: Box<dyn OutputFile>,
    buffer: Vec<u8>,
    failure: Failure,
}

impl FileSink {
    fn flush_buffer(&mut self) -> Result<()> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        written
    }
}

impl io::Write for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER
            && let Err(error) = self.flush_buffer()
        {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            return Err(io::Error::other("see the kept error"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
