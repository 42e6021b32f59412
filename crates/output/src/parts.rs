//! The files of one output: created, named, closed with their footers, and counted.
//!
//! How rows become the bytes of a file is up to a writer of the Parquet crate: the native engine appends
//! encoded column chunks, a backend whose rows come as Arrow batches appends these.

use std::path::{Path, PathBuf};

use distil_json::digest::Digest;
use distil_kernel::parquet_error;
use distil_plan::{Error, Layout, Result};
use distil_storage::{Storage, StorageWriter};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;

use crate::footer::Footer;

/// A Parquet file that is being written.
pub trait ParquetFile {
    /// Adds an entry to the metadata of the footer.
    fn add_metadata(&mut self, entry: KeyValue);

    /// Writes what is missing; returns the bytes of the file.
    ///
    /// # Errors
    /// Those of the writer below, or of the encoder.
    fn finish(&mut self) -> Result<u64, ParquetError>;

    /// The writer below.
    fn writer(&mut self) -> &mut StorageWriter;
}

impl ParquetFile for SerializedFileWriter<StorageWriter> {
    fn add_metadata(&mut self, entry: KeyValue) {
        self.append_key_value_metadata(entry);
    }

    fn finish(&mut self) -> Result<u64, ParquetError> {
        Self::finish(self)?;
        Ok(self.bytes_written() as u64)
    }

    fn writer(&mut self) -> &mut StorageWriter {
        self.inner_mut()
    }
}

impl ParquetFile for ArrowWriter<StorageWriter> {
    fn add_metadata(&mut self, entry: KeyValue) {
        self.append_key_value_metadata(entry);
    }

    fn finish(&mut self) -> Result<u64, ParquetError> {
        Self::finish(self)?;
        Ok(self.bytes_written() as u64)
    }

    fn writer(&mut self) -> &mut StorageWriter {
        self.inner_mut()
    }
}

/// A file that is being written, and what is in it.
pub struct Part<F> {
    /// The file.
    pub file: F,
    /// Where it is.
    pub path: PathBuf,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of the row groups in it, as far as the caller counts them.
    pub bytes: u64,
    /// The digest of the rows in it, as far as the caller computes it.
    pub digest: Digest,
}

/// The name of a file of an output that is a directory, counted from 0.
pub fn part_name(at: u64) -> String {
    format!("part-{at:05}.parquet")
}

/// How the files of a directory are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartNames {
    /// By their number.
    #[default]
    Counted,
    /// The one file that this part of the rows has.
    One(u32),
    /// The files of this part of the rows, by their number in it. They lie between those of the parts before and behind
    /// it, however many these have.
    Several(u32),
}

/// Files that a part of the rows may have.
const SEVERAL: u64 = 1_000_000;

impl PartNames {
    /// The name of a file, counted from 0.
    ///
    /// # Errors
    /// A usage error if there are more files than there are names.
    fn name(self, at: u64) -> Result<String> {
        let most = match self {
            Self::Counted => u64::MAX,
            Self::One(_) => 1,
            Self::Several(_) => SEVERAL,
        };
        if at >= most {
            return Err(Error::usage(format!(
                "one part of the output would have more than {most} files"
            ))
            .help("allow the files more rows or bytes"));
        }
        Ok(match self {
            Self::Counted => part_name(at),
            Self::One(part) => part_name(part.into()),
            Self::Several(part) => format!("part-{part:05}{at:06}.parquet"),
        })
    }
}

/// The files of one output.
pub struct Parts<'a, F> {
    storage: &'a dyn Storage,
    path: PathBuf,
    layout: Layout,
    names: PartNames,
    footer: Footer,
    open: Option<Part<F>>,
    files: u64,
    bytes: u64,
}

impl<'a, F: ParquetFile> Parts<'a, F> {
    /// An output at a staged path: a file, or a directory of parts. Each footer says what `footer` does,
    /// with the rows of its own file, and their digest if `footer` has one.
    pub fn new(storage: &'a dyn Storage, path: &Path, layout: Layout, footer: Footer) -> Self {
        let names = PartNames::default();
        Self {
            storage,
            path: path.to_owned(),
            layout,
            names,
            footer,
            open: None,
            files: 0,
            bytes: 0,
        }
    }

    /// The same, with other names of files.
    #[must_use]
    pub fn named(mut self, names: PartNames) -> Self {
        self.names = names;
        self
    }

    /// What the footers say.
    pub fn footer(&self) -> &Footer {
        &self.footer
    }

    /// The file that is being written, if one is.
    pub fn current(&self) -> Option<&Part<F>> {
        self.open.as_ref()
    }

    /// The file that is being written; a new one if there is none.
    ///
    /// # Errors
    /// An environment error if it can't be created; a bug if the rows have no Parquet form.
    pub fn open(
        &mut self,
        create: impl FnOnce(StorageWriter) -> Result<F, ParquetError>,
    ) -> Result<&mut Part<F>> {
        let part = match self.open.take() {
            Some(part) => part,
            None => {
                let path = match self.layout {
                    Layout::File => self.path.clone(),
                    Layout::Dir => self.path.join(self.names.name(self.files)?),
                };
                let writer = StorageWriter::new(self.storage.create_new(&path)?);
                self.files += 1;
                let file = create(writer).map_err(parquet_error)?;
                Part { file, path, rows: 0, bytes: 0, digest: Digest(0) }
            }
        };
        Ok(self.open.insert(part))
    }

    /// Completes and syncs the file that is being written, if one is.
    ///
    /// # Errors
    /// An environment error when writing fails.
    pub fn close(&mut self) -> Result<()> {
        let Some(mut part) = self.open.take() else { return Ok(()) };
        let footer = Footer {
            rows: Some(part.rows),
            digest: self.footer.digest.map(|_| part.digest),
            ..self.footer.clone()
        };
        for (key, value) in footer.to_pairs()? {
            part.file.add_metadata(KeyValue::new(key, value));
        }
        self.bytes += part.file.finish().map_err(parquet_error)?;
        part.file.writer().sync()
    }

    /// Files begun so far.
    pub fn files(&self) -> u64 {
        self.files
    }

    /// Bytes of the completed files.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a limit on files closes them: only a directory has more than one.
    pub fn may_split(&self) -> bool {
        self.layout == Layout::Dir
    }
}
