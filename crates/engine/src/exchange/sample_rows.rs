//! Keys from all over inputs of Parquet.
//!
//! Rows of a file are in the order of some key more often than not, so a few are read from many places of
//! each row group, where a page index says how to get there.

use distil_json::{Dictionary, EncodedRow, Sink};
use distil_kernel::arrow::BatchDecoder;
use distil_output::reader::PartFile;
use distil_plan::{BadPart, Fault, Key, Plan, Result};

use super::sample::{Pieces, most_pieces};
use crate::decode::{Inputs, known};

/// What rows are taken to grow by, from the values of a row group: they hold names and lengths too.
const ROW_GROWTH: u64 = 2;
/// The same from the bytes of a file.
const FILE_GROWTH: u64 = 8;

/// Receives rows, of which it keeps the keys.
struct Keys(Vec<Vec<u8>>);

impl Sink for Keys {
    fn row(&mut self, row: &EncodedRow<'_>) -> Result<()> {
        self.0.push(row.bytes[..row.key_length].to_vec());
        Ok(())
    }

    fn packed(&mut self, _: &[u64], _: &[Dictionary]) -> Result<()> {
        Ok(())
    }

    fn bad(&mut self, _: BadPart) -> Result<()> {
        Ok(())
    }
}

/// Some keys, at most `most` of a piece, and how many bytes the rows of all inputs may have.
///
/// # Errors
/// An environment error if an input can't be read. A broken one is an error only when it is read whole.
pub(super) fn sample_rows(
    inputs: &Inputs<'_>,
    mut pieces: Pieces,
    most: usize,
) -> Result<(Vec<Vec<u8>>, u64)> {
    let mut keys = Keys(Vec::new());
    let mut bytes = 0;
    let most_pieces = most_pieces(inputs);
    for (ordinal, input) in inputs.plan.inputs.iter().enumerate() {
        inputs.watch.cancel.check()?;
        let size = input.bytes.unwrap_or(0);
        let pieces = pieces.next(size, most_pieces);
        bytes += match pieces {
            0 if ordinal > 0 => size * FILE_GROWTH,
            pieces => match sample_file(inputs, ordinal, pieces.max(1), most, &mut keys) {
                Ok(values) => values * ROW_GROWTH,
                Err(error) if error.fault == Fault::Input => 0,
                Err(error) => return Err(error),
            },
        };
    }
    Ok((keys.0, bytes))
}

/// Samples a file, and returns the bytes of its values.
fn sample_file(
    inputs: &Inputs<'_>,
    ordinal: usize,
    pieces: u64,
    most: usize,
    keys: &mut Keys,
) -> Result<u64> {
    let input = &inputs.plan.inputs[ordinal];
    let part = PartFile::open_to_sample(inputs.storage.as_ref(), &input.path, known(input))?;
    let bytes = (0..part.row_groups()).map(|group| part.group_bytes(group)).sum();
    let mut decoder = BatchDecoder::new(&inputs.plan.plan)?;
    let columns = key_columns(&inputs.plan.plan);
    let mut spots = Pieces::of(bytes);
    for group in 0..part.row_groups() {
        let spots = spots.next(part.group_bytes(group), pieces);
        if spots == 0 && group > 0 {
            continue;
        }
        for batch in part.sample_group(group, spots as usize, most, columns.as_deref())? {
            decoder.decode(ordinal, 0, &batch?, keys)?;
        }
    }
    Ok(bytes)
}

/// The top-level columns of the key; `None` if the whole row is the key.
fn key_columns(plan: &Plan) -> Option<Vec<&str>> {
    match plan.dedup.as_ref().map(|dedup| &dedup.key) {
        Some(Key::Columns(columns)) => {
            Some(columns.iter().filter_map(|path| Some(path.steps().first()?.as_str())).collect())
        }
        Some(Key::Record) | None => None,
    }
}
