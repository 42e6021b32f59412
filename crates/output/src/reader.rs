//! Reading outputs back: distil's own, and Parquet files of others.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use distil_plan::{Error, Result};
use distil_storage::{InputFile, Kind, Storage};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::footer::Footer;

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

/// One Parquet file, opened.
pub struct PartFile {
    path: PathBuf,
    file: StorageChunks,
    metadata: ArrowReaderMetadata,
}

/// Opens an output: a Parquet file, or a directory of them in order of their names, where names that
/// begin with `.` or `_` are left out.
///
/// # Errors
/// An input error if there is nothing, or something that is not a Parquet file; an environment error.
pub fn open_output(storage: &dyn Storage, path: &Path) -> Result<Vec<PartFile>> {
    let Some(metadata) = storage.metadata(path)? else {
        return Err(
            Error::input("there is no such file or directory").at(path.to_string_lossy(), None)
        );
    };
    if metadata.kind != Kind::Directory {
        return Ok(vec![PartFile::open(storage, path)?]);
    }
    let parts: Vec<PartFile> = storage
        .list(path)?
        .iter()
        .filter(|name| !name.to_string_lossy().starts_with(['.', '_']))
        .map(|name| PartFile::open(storage, &path.join(name)))
        .collect::<Result<_>>()?;
    if parts.is_empty() {
        return Err(
            Error::input("the directory holds no Parquet file").at(path.to_string_lossy(), None)
        );
    }
    Ok(parts)
}

impl PartFile {
    pub(crate) fn open(storage: &dyn Storage, path: &Path) -> Result<Self> {
        let input: Arc<dyn InputFile> = Arc::from(storage.open(path)?);
        if input.is_stream() {
            return Err(Error::input("a Parquet file can't be read from a pipe")
                .at(path.to_string_lossy(), None));
        }
        let file = StorageChunks { length: input.stamp().size, input };
        // What the Parquet schema says counts, not what its writer kept in memory.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&file, options).map_err(|e| failed(path, e))?;
        Ok(Self { path: path.to_owned(), file, metadata })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its rows, as the footer counts them.
    pub fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// Its row groups.
    pub fn row_groups(&self) -> u64 {
        self.metadata.metadata().num_row_groups() as u64
    }

    /// Its columns.
    pub fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// What distil wrote into its footer; nothing for a file of others.
    ///
    /// # Errors
    /// As [`Footer::from_pairs`], with the path.
    pub fn footer(&self) -> Result<Option<Footer>> {
        let pairs = self.metadata.metadata().file_metadata().key_value_metadata();
        let pairs = pairs.into_iter().flatten();
        Footer::from_pairs(
            pairs.filter_map(|pair| pair.value.as_deref().map(|value| (pair.key.as_str(), value))),
        )
        .map_err(|error| error.at(self.path.to_string_lossy(), None))
    }

    /// Its rows in order, of the top-level columns of these names, or of all columns.
    ///
    /// # Errors
    /// An input error for a broken file, an environment error if it can't be read; so for every
    /// batch.
    pub fn batches(&self, columns: Option<&[&str]>) -> Result<Batches<'_>> {
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.file.clone(),
            self.metadata.clone(),
        )
        .with_batch_size(BATCH_ROWS);
        if let Some(columns) = columns {
            let fields = self.schema().fields().iter().enumerate();
            let roots = fields
                .filter(|(_, field)| columns.contains(&field.name().as_str()))
                .map(|(at, _)| at);
            let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
            builder = builder.with_projection(mask);
        }
        let reader = builder.build().map_err(|e| failed(&self.path, e))?;
        Ok(Batches { part: self, reader })
    }
}

/// The rows of a [`PartFile`].
pub struct Batches<'a> {
    part: &'a PartFile,
    reader: ParquetRecordBatchReader,
}

impl Iterator for Batches<'_> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|e| failed(&self.part.path, ParquetError::from(e))))
    }
}

/// A broken file is the input's fault; an error of the storage below keeps what it says.
fn failed(path: &Path, cause: ParquetError) -> Error {
    let mut inner: Option<&(dyn std::error::Error + 'static)> = Some(&cause);
    while let Some(error) = inner {
        if let Some(error) = error.downcast_ref::<Error>() {
            return error.clone();
        }
        inner = match error.downcast_ref::<ParquetError>() {
            Some(ParquetError::External(boxed)) => Some(&**boxed),
            _ => error.source(),
        };
    }
    let text = match &cause {
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::ArrowError(text) => {
            text.clone()
        }
        other => other.to_string(),
    };
    Error::input(format!("it is not a Parquet file that can be read: {text}"))
        .at(path.to_string_lossy(), None)
}

/// A file as the Parquet reader wants it.
#[derive(Clone)]
struct StorageChunks {
    input: Arc<dyn InputFile>,
    length: u64,
}

impl Length for StorageChunks {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for StorageChunks {
    type T = BufReader<ReadFrom>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::new(ReadFrom { input: Arc::clone(&self.input), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|end| *end <= self.length);
        if end.is_none() {
            return Err(ParquetError::EOF("it ends before the data that its footer names".into()));
        }
        let mut bytes = vec![0; length];
        ReadFrom { input: Arc::clone(&self.input), at: start }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads a file from an offset on.
struct ReadFrom {
    input: Arc<dyn InputFile>,
    at: u64,
}

impl Read for ReadFrom {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read_at(self.at, buffer).map_err(std::io::Error::other)?;
        self.at += count as u64;
        Ok(count)
    }
}
