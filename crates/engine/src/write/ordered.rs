//! Encoded row groups to files, in order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_json::digest::Digest;
use distil_kernel::encode::{EncodedRowGroup, Encoder};
use distil_output::footer::Footer;
use distil_output::parts::{Parts, cause};
use distil_plan::{Error, Layout, Result, Sink};
use distil_storage::{Storage, StorageWriter};
use parquet::file::writer::SerializedFileWriter;

/// The row groups of one output on their way to its files.
pub(crate) struct OrderedOutput<'a> {
    parts: Parts<'a, SerializedFileWriter<StorageWriter>>,
    encoder: &'a Encoder,
    most_rows: u64,
    most_bytes: u64,
    next: usize,
    waiting: BTreeMap<usize, EncodedRowGroup>,
    totals: Totals,
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

impl<'a> OrderedOutput<'a> {
    /// An output at a staged path; `footer` is what the footer of each file says.
    pub(crate) fn new(
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
            next: 0,
            waiting: BTreeMap::new(),
            totals: Totals::default(),
        }
    }

    /// Takes a row group; those before it may come later. Returns the file that was written to, if any.
    ///
    /// # Errors
    /// An environment error when writing fails.
    pub(crate) fn push(
        &mut self,
        ordinal: usize,
        row_group: EncodedRowGroup,
    ) -> Result<Option<PathBuf>> {
        self.waiting.insert(ordinal, row_group);
        let mut written = false;
        while let Some(row_group) = self.waiting.remove(&self.next) {
            self.next += 1;
            self.write(row_group)?;
            written = true;
        }
        Ok(self.parts.current().filter(|_| written).map(|part| part.path.clone()))
    }

    fn write(&mut self, row_group: EncodedRowGroup) -> Result<()> {
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
        appended.map_err(cause)
    }

    /// Ends the output: every file is complete and synced. An output without rows is one file.
    ///
    /// # Errors
    /// An environment error when writing fails; a bug if a row group is missing.
    pub(crate) fn finish(&mut self) -> Result<Totals> {
        if !self.waiting.is_empty() {
            return Err(Error::bug("a row group is missing"));
        }
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
