//! What a task says of the parts that it wrote.

use std::path::PathBuf;

use distil_json::{MessageReader, MessageWriter};
use distil_kernel::reduce_partition::{ShownRow, Tally};
use distil_output::row_group_writer::Totals;
use distil_plan::{Origin, Result};

/// One attempt to write the rows of a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteAccount {
    pub(crate) group: u32,
    /// The name of its directory among those of all attempts.
    pub(crate) attempt: String,
    pub(crate) totals: Totals,
    pub(crate) tally: Tally,
    /// Bytes of rows that went to temporary files.
    pub(crate) spilled_bytes: u64,
    /// The uploads that the driver takes over, by their paths: all that was written to a store of objects.
    pub(crate) uploads: Vec<(PathBuf, Vec<u8>)>,
    /// The first conflicts, as encoded rows.
    pub(crate) conflicts: Vec<(ShownRow, ShownRow)>,
}

impl WriteAccount {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut message = MessageWriter::default();
        let Totals { files, bytes, row_groups, rows, digest } = self.totals;
        let Tally { written, identical, conflicting } = self.tally;
        message.number(u64::from(self.group));
        message.bytes(self.attempt.as_bytes());
        for number in [files, bytes, row_groups, rows, written, identical, conflicting] {
            message.number(number);
        }
        message.wide(digest);
        message.number(self.spilled_bytes);
        message.number(self.uploads.len() as u64);
        for (path, upload) in &self.uploads {
            message.bytes(path.as_os_str().as_encoded_bytes());
            message.bytes(upload);
        }
        message.number(self.conflicts.len() as u64);
        for (kept, dropped) in &self.conflicts {
            write_row(kept, &mut message);
            write_row(dropped, &mut message);
        }
        message.finish()
    }

    /// # Errors
    /// An environment error if these bytes are no account.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut message = MessageReader::new(bytes);
        let group = message.small()?;
        let attempt = message.text()?.to_owned();
        let mut number = || message.number();
        let totals = Totals {
            files: number()?,
            bytes: number()?,
            row_groups: number()?,
            rows: number()?,
            digest: 0,
        };
        let tally = Tally { written: number()?, identical: number()?, conflicting: number()? };
        let totals = Totals { digest: message.wide()?, ..totals };
        let spilled_bytes = message.number()?;
        let count = message.count(16)?;
        let uploads = (0..count)
            .map(|_| Ok((message.text()?.into(), message.bytes()?.to_vec())))
            .collect::<Result<_>>()?;
        let count = message.count(34)?;
        let conflicts = (0..count)
            .map(|_| Ok((read_row(&mut message)?, read_row(&mut message)?)))
            .collect::<Result<_>>()?;
        message.finish()?;
        Ok(Self { group, attempt, totals, tally, spilled_bytes, uploads, conflicts })
    }
}

fn write_row((bytes, origin): &ShownRow, message: &mut MessageWriter) {
    message.bytes(bytes);
    message.flag(origin.is_some());
    message.number(origin.map_or(0, |origin| u64::from(origin.input)));
    message.number(origin.map_or(0, |origin| origin.offset));
}

fn read_row(message: &mut MessageReader<'_>) -> Result<ShownRow> {
    let bytes = message.bytes()?.to_vec();
    let has_origin = message.flag()?;
    let (input, offset) = (message.small()?, message.number()?);
    Ok((bytes, has_origin.then_some(Origin { input, offset })))
}
