//! Reading outputs back: distil's own, and Parquet files of others.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use distil_plan::{Error, Result};
use distil_storage::{InputFile, Kind, Known, Stamp, Storage, check_unchanged};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};

use crate::claims::impossible;
use crate::footer::Footer;
use crate::guard::guarded;

/// Most rows of a batch.
const BATCH_ROWS: usize = 8192;
/// Bytes that a batch of a row group should have.
const BATCH_BYTES: u64 = 4 << 20;

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
    /// Opens a Parquet file.
    ///
    /// # Errors
    /// An input error if it is none, an environment error if it can't be read.
    pub fn open(storage: &dyn Storage, path: &Path) -> Result<Self> {
        Self::open_with(path, storage.open(path)?, PageIndexPolicy::Skip)
    }

    /// As [`PartFile::open`], of a file that was seen before.
    ///
    /// # Errors
    /// As [`PartFile::open`].
    pub fn open_known(storage: &dyn Storage, path: &Path, known: Known) -> Result<Self> {
        Self::open_with(path, storage.open_known(path, known)?, PageIndexPolicy::Skip)
    }

    /// Opens a Parquet file for samples: with its page index, if it has one.
    ///
    /// # Errors
    /// As [`PartFile::open`], and an input error for a broken page index.
    pub fn open_to_sample(storage: &dyn Storage, path: &Path, known: Known) -> Result<Self> {
        Self::open_with(path, storage.open_known(path, known)?, PageIndexPolicy::Optional)
    }

    fn open_with(path: &Path, input: Box<dyn InputFile>, index: PageIndexPolicy) -> Result<Self> {
        let input: Arc<dyn InputFile> = Arc::from(input);
        if input.is_stream() {
            return Err(Error::input("a Parquet file can't be read from a pipe")
                .at(path.to_string_lossy(), None));
        }
        let file = StorageChunks { length: input.stamp().size, input };
        // What the Parquet schema says counts, not what its writer kept in memory.
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_offset_index_policy(index);
        let metadata = checked(path, || {
            file.check_claims()?;
            ArrowReaderMetadata::load(&file, options)
        })?;
        check_codecs(&metadata).map_err(|error| error.at(path.to_string_lossy(), None))?;
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

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.file.length
    }

    /// The file as it was when it was opened.
    pub fn stamp(&self) -> Stamp {
        self.file.input.stamp()
    }

    /// Its row groups.
    pub fn row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Rows of a row group.
    pub fn group_rows(&self, group: usize) -> u64 {
        u64::try_from(self.metadata.metadata().row_group(group).num_rows()).unwrap_or(0)
    }

    /// About how many bytes the values of a row group have, encodings and compression undone.
    pub fn group_bytes(&self, group: usize) -> u64 {
        let columns = self.metadata.metadata().row_group(group).columns();
        let bytes = |column: &ColumnChunkMetaData| {
            let encoded = column.uncompressed_size();
            encoded.max(column.unencoded_byte_array_data_bytes().unwrap_or(0))
        };
        columns.iter().map(|column| u64::try_from(bytes(column)).unwrap_or(0)).sum()
    }

    /// Its columns.
    pub fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// What distil wrote into its footer; `None` for a file of others.
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
    pub fn batches(&self, columns: Option<&[&str]>) -> Result<Batches> {
        self.read(columns, |builder| builder.with_batch_size(BATCH_ROWS))
    }

    /// The rows of one row group in order, in batches of some megabytes.
    ///
    /// # Errors
    /// As [`PartFile::batches`].
    pub fn group_batches(&self, group: usize) -> Result<Batches> {
        let row_bytes = self.group_bytes(group) / self.group_rows(group).max(1);
        let rows = usize::try_from(BATCH_BYTES / row_bytes.max(1)).unwrap_or(BATCH_ROWS);
        let rows = rows.clamp(1, BATCH_ROWS);
        self.read(None, |builder| builder.with_row_groups(vec![group]).with_batch_size(rows))
    }

    /// Rows from `spots` places in a row group, at most `most` from each, of these top-level columns or of
    /// all. A file that was not opened with a page index is read at its beginning alone: all else would be
    /// read on the way.
    ///
    /// # Errors
    /// As [`PartFile::batches`].
    pub fn sample_group(
        &self,
        group: usize,
        spots: usize,
        most: usize,
        columns: Option<&[&str]>,
    ) -> Result<Batches> {
        let rows = usize::try_from(self.group_rows(group)).unwrap_or(usize::MAX);
        let has_index = self.metadata.metadata().offset_index().is_some();
        let spots = if has_index { spots.clamp(1, rows.max(1)) } else { 1 };
        let each = rows / spots;
        let taken = most.min(each.max(1)).min(rows);
        let selection: Vec<RowSelector> = (0..spots)
            .flat_map(|_| {
                [RowSelector::select(taken), RowSelector::skip(each.saturating_sub(taken))]
            })
            .collect();
        self.read(columns, |builder| {
            builder
                .with_row_groups(vec![group])
                .with_row_selection(RowSelection::from(selection))
                .with_batch_size(taken.max(1))
        })
    }

    /// Makes sure that the file is still the one that was opened, unchanged.
    ///
    /// # Errors
    /// As [`distil_storage::check_unchanged`].
    pub fn check_unchanged(&self, storage: &dyn Storage) -> Result<()> {
        check_unchanged(storage, &self.path, &*self.file.input)
    }

    fn read(
        &self,
        columns: Option<&[&str]>,
        set: impl FnOnce(Builder) -> Builder,
    ) -> Result<Batches> {
        let mut builder = set(Builder::new_with_metadata(self.file.clone(), self.metadata.clone()));
        if let Some(columns) = columns {
            let fields = self.schema().fields().iter().enumerate();
            let roots = fields
                .filter(|(_, field)| columns.contains(&field.name().as_str()))
                .map(|(at, _)| at);
            let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
            builder = builder.with_projection(mask);
        }
        let reader = checked(&self.path, || builder.build())?;
        Ok(Batches { path: self.path.clone(), reader: Some(reader) })
    }
}

/// Refuses the one codec of the format that the library lacks, before anything is read.
fn check_codecs(metadata: &ArrowReaderMetadata) -> Result<()> {
    let mut columns = metadata.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
    match columns.find(|column| column.compression() == Compression::LZO) {
        Some(column) => Err(Error::input(format!(
            "its column {} is compressed by LZO, which can't be read",
            column.column_path().string()
        ))
        .help("have what wrote it compress by zstd, snappy, gzip, brotli or lz4, or not at all")),
        None => Ok(()),
    }
}

type Builder = ParquetRecordBatchReaderBuilder<StorageChunks>;

/// The rows of a [`PartFile`], which may be dropped meanwhile.
pub struct Batches {
    path: PathBuf,
    /// `None` after an error.
    reader: Option<ParquetRecordBatchReader>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let next = || reader.next().transpose().map_err(ParquetError::from);
        let batch = checked(&self.path, next);
        if batch.is_err() {
            self.reader = None;
        }
        batch.transpose()
    }
}

/// What the Parquet crate returns of a file that may be broken.
fn checked<T>(path: &Path, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T> {
    let broken = || ParquetError::General("its bytes are broken".to_owned());
    guarded(read).unwrap_or_else(|| Err(broken())).map_err(|error| failed(path, error))
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

impl StorageChunks {
    /// Refuses a footer that claims what would end the process. One that is not there, or encrypted, is
    /// left to the library.
    fn check_claims(&self) -> Result<(), ParquetError> {
        const END: usize = 8;
        let Some(end) = self.length.checked_sub(END as u64) else { return Ok(()) };
        let bytes = self.get_bytes(end, END)?;
        let (length, mark) = bytes.split_at(4);
        let length = length.try_into().map_or(0, u32::from_le_bytes);
        let Some(begin) = end.checked_sub(u64::from(length)).filter(|_| mark == b"PAR1") else {
            return Ok(());
        };
        match impossible(&self.get_bytes(begin, length as usize)?) {
            Some(problem) => Err(ParquetError::General(problem)),
            None => Ok(()),
        }
    }
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
