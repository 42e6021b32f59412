//! Batches of rows to Parquet files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use distil_job::footer::Footer;
use distil_plan::{ColumnPath, Compression, Error, Layout, Result, Sink};
use distil_storage::{OutputFile, Storage};
use parquet::arrow::ArrowWriter;
use parquet::basic::ZstdLevel;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath as ParquetPath;

use crate::gather::pairs;
use crate::restore::arrow_schema;

/// The files of one output.
pub(crate) struct Output<'a> {
    storage: &'a dyn Storage,
    path: PathBuf,
    layout: Layout,
    most_rows: usize,
    properties: WriterProperties,
    footer: &'a Footer,
    files: usize,
    open: Option<OpenFile>,
}

struct OpenFile {
    writer: ArrowWriter<FileSink>,
    failure: Failure,
    rows: usize,
}

impl<'a> Output<'a> {
    /// An output at a staged path: a file, or a directory of parts.
    pub(crate) fn new(
        storage: &'a dyn Storage,
        path: &Path,
        sink: &Sink,
        layout: Layout,
        footer: &'a Footer,
    ) -> Result<Self> {
        let most_rows = match layout {
            Layout::File => None,
            Layout::Dir => sink.max_file_rows,
        };
        Ok(Self {
            storage,
            path: path.to_owned(),
            layout,
            most_rows: most_rows.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(usize::MAX),
            properties: properties(sink)?,
            footer,
            files: 0,
            open: None,
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// An environment error when writing fails.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut begin = 0;
        while begin < batch.num_rows() {
            if self.open.as_ref().is_some_and(|file| file.rows >= self.most_rows) {
                self.close_file()?;
            }
            let mut file = match self.open.take() {
                Some(file) => file,
                None => self.create()?,
            };
            let count = (batch.num_rows() - begin).min(self.most_rows - file.rows);
            let written = file.writer.write(&batch.slice(begin, count));
            written.map_err(|error| cause(&file.failure, error))?;
            file.rows += count;
            begin += count;
            self.open = Some(file);
        }
        Ok(())
    }

    fn create(&mut self) -> Result<OpenFile> {
        let path = match self.layout {
            Layout::File => self.path.clone(),
            Layout::Dir => self.path.join(format!("part-{:05}.parquet", self.files)),
        };
        self.files += 1;
        let failure = Failure::default();
        let file = FileSink { file: self.storage.create_new(&path)?, failure: failure.clone() };
        let schema = Arc::new(arrow_schema(&self.footer.schema));
        let writer = ArrowWriter::try_new(file, schema, Some(self.properties.clone()))
            .map_err(|error| cause(&failure, error))?;
        Ok(OpenFile { writer, failure, rows: 0 })
    }

    fn close_file(&mut self) -> Result<()> {
        let Some(mut file) = self.open.take() else { return Ok(()) };
        for (key, value) in pairs(self.footer, file.rows as u64)? {
            file.writer.append_key_value_metadata(KeyValue::new(key, value));
        }
        file.writer.finish().map_err(|error| cause(&file.failure, error))?;
        file.writer.inner_mut().file.sync()
    }

    /// Ends the output: every file is complete and synced. An output without rows is one file.
    ///
    /// # Errors
    /// An environment error when writing fails.
    pub(crate) fn finish(mut self) -> Result<()> {
        if self.files == 0 {
            self.open = Some(self.create()?);
        }
        self.close_file()
    }
}

fn properties(sink: &Sink) -> Result<WriterProperties> {
    let none = Failure::default();
    let compression = match sink.compression {
        Compression::Zstd(level) => parquet::basic::Compression::ZSTD(
            ZstdLevel::try_new(i32::from(level)).map_err(|error| cause(&none, error))?,
        ),
        Compression::Snappy => parquet::basic::Compression::SNAPPY,
        Compression::Lz4 => parquet::basic::Compression::LZ4_RAW,
        Compression::None => parquet::basic::Compression::UNCOMPRESSED,
    };
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_created_by(format!("distil version {}", distil_plan::DISTIL_VERSION))
        .set_compression(compression)
        .set_max_row_group_row_count(usize::try_from(sink.row_group_rows).ok());
    for path in &sink.bloom {
        builder = builder.set_column_bloom_filter_enabled(parquet_path(path), true);
    }
    Ok(builder.build())
}

fn parquet_path(path: &ColumnPath) -> ParquetPath {
    ParquetPath::new(path.steps().to_vec())
}

/// Keeps the error of a write while the Parquet crate passes its own on.
type Failure = Arc<Mutex<Option<Error>>>;

fn cause(failure: &Failure, error: ParquetError) -> Error {
    let kept = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    kept.unwrap_or_else(|| Error::bug(format!("the output has no Parquet form: {error}")))
}

struct FileSink {
    file: Box<dyn OutputFile>,
    failure: Failure,
}

impl io::Write for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.file.write_all(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Err(io::Error::other("see the kept error"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
