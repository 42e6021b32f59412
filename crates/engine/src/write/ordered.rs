//! Encoded row groups, whatever order they come in, to files, in order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use distil_kernel::encode::EncodedRowGroup;
use distil_output::row_group_writer::{RowGroupWriter, Totals};
use distil_plan::{Error, Result};

/// The row groups of one output that wait for those before them.
pub(crate) struct OrderedOutput<'a> {
    writer: RowGroupWriter<'a>,
    next: usize,
    waiting: BTreeMap<usize, EncodedRowGroup>,
}

impl<'a> OrderedOutput<'a> {
    /// An output without row groups.
    pub(crate) fn new(writer: RowGroupWriter<'a>) -> Self {
        Self { writer, next: 0, waiting: BTreeMap::new() }
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
            self.writer.push(row_group)?;
            written = true;
        }
        Ok(self.writer.current().filter(|_| written).map(Path::to_owned))
    }

    /// Ends the output; see [`RowGroupWriter::finish`].
    ///
    /// # Errors
    /// An environment error when writing fails; a bug if a row group is missing.
    pub(crate) fn finish(&mut self) -> Result<Totals> {
        if !self.waiting.is_empty() {
            return Err(Error::bug("a row group is missing"));
        }
        self.writer.finish()
    }
}
