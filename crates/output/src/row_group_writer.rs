//! Encoded row groups, in order, to the files of an output.

use std::path::Path;
use std::sync::Arc;

use distil_json::digest::Digest;
use distil_kernel::encode::{EncodedRowGroup, Encoder};
use distil_kernel::parquet_error;
use distil_plan::{Layout, Result, Sink};
use distil_storage::{Storage, StorageWriter};
use parquet::file::writer::SerializedFileWriter;

use crate::footer::Footer;
use crate::parts::{PartNames, Parts};

/// The row groups of one output on their way to its files, which are cut at row groups.
pub struct RowGroupWriter<'a> {
    parts: Parts<'a, SerializedFileWriter<StorageWriter>>,
    encoder: &'a Encoder,
    most_rows: u64,
    most_bytes: u64,
    totals: Totals,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Files.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Row groups.
    pub row_groups: u64,
    /// Rows.
    pub rows: u64,
    /// The sum of the digests of all row groups.
    pub digest: u128,
}

impl<'a> RowGroupWriter<'a> {
    /// An output at a staged path; `footer` is what the footer of each file says.
    pub fn new(
        storage: &'a dyn Storage,
        encoder: &'a Encoder,
        footer: Footer,
        path: &Path,
        sink: &Sink,
        layout: Layout,
    ) -> Self {
        Self {
            parts: Parts::new(storage, path, layout, footer),
            encoder,
            most_rows: sink.max_file_rows.unwrap_or(u64::MAX),
            most_bytes: sink.max_file_bytes.unwrap_or(u64::MAX),
            totals: Totals::default(),
        }
    }

    /// The same, with other names of the files of a directory.
    #[must_use]
    pub fn named(mut self, names: PartNames) -> Self {
        self.parts = self.parts.named(names);
        self
    }

    /// The file that is being written, if one is.
    pub fn current(&self) -> Option<&Path> {
        self.parts.current().map(|part| part.path.as_path())
    }

    /// Writes the next row group.
    ///
    /// # Errors
    /// An environment error when writing fails.
    pub fn push(&mut self, row_group: EncodedRowGroup) -> Result<()> {
        let full = self.parts.current().is_some_and(|part| {
            part.rows + row_group.rows > self.most_rows
                || part.bytes + row_group.bytes > self.most_bytes
        });
        if full && self.parts.may_split() {
            self.parts.close()?;
        }
        self.totals.row_groups += 1;
        self.totals.rows += row_group.rows;
        self.totals.digest = self.totals.digest.wrapping_add(row_group.digest.0);
        let encoder = self.encoder;
        let part = self.parts.open(|writer| create(encoder, writer))?;
        part.rows += row_group.rows;
        part.bytes += row_group.bytes;
        part.digest = Digest(part.digest.0.wrapping_add(row_group.digest.0));
        let appended = (|| {
            let mut writer = part.file.next_row_group()?;
            for chunk in row_group.chunks {
                chunk.append_to_row_group(&mut writer)?;
            }
            writer.close().map(|_| ())
        })();
        appended.map_err(parquet_error)
    }

    /// Ends the output: every file is complete and synced. An output without rows is one file.
    ///
    /// # Errors
    /// An environment error when writing fails.
    pub fn finish(&mut self) -> Result<Totals> {
        if self.parts.files() == 0 {
            self.parts.open(|writer| create(self.encoder, writer))?;
        }
        self.parts.close()?;
        Ok(Totals { files: self.parts.files(), bytes: self.parts.bytes(), ..self.totals })
    }
}

fn create(
    encoder: &Encoder,
    writer: StorageWriter,
) -> parquet::errors::Result<SerializedFileWriter<StorageWriter>> {
    let schema = encoder.parquet_schema.root_schema_ptr();
    SerializedFileWriter::new(writer, schema, Arc::clone(&encoder.properties))
}
