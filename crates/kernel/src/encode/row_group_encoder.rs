//! Row groups encoded one after the other, by one thread.

use std::collections::VecDeque;

use arrow_array::ArrayRef;
use distil_json::digest::Digest;
use distil_plan::Result;

use super::encoder::{EncodedRowGroup, Encoder};
use crate::row_groups::{Cut, Wanted};

/// Encodes what a cutter makes of the rows of one output: what threads that share the work do in pieces.
pub struct RowGroupEncoder<'a> {
    encoder: &'a Encoder,
    wanted: Wanted,
    /// For each batch of the row group its leaves.
    batches: Vec<VecDeque<ArrayRef>>,
    digest: Digest,
}

impl<'a> RowGroupEncoder<'a> {
    /// For the kept or the dropped rows.
    pub fn new(encoder: &'a Encoder, wanted: Wanted) -> Self {
        Self { encoder, wanted, batches: Vec::new(), digest: Digest(0) }
    }

    /// Takes what comes next of the rows; returns a row group that ends with it.
    ///
    /// # Errors
    /// As [`Encoder::read`], [`Encoder::write`] and [`Encoder::write_packed`].
    pub fn push(&mut self, cut: Cut) -> Result<Option<EncodedRowGroup>> {
        let leaves = 0..self.encoder.leaves();
        let (chunks, rows) = match cut {
            Cut::Batch(_, batch) => {
                let (arrays, digest) = self.encoder.read(self.wanted, &batch)?;
                self.batches.push(arrays.into());
                self.digest = Digest(self.digest.0.wrapping_add(digest.0));
                return Ok(None);
            }
            Cut::End(_, rows) => {
                let mut batches = std::mem::take(&mut self.batches);
                let chunks = leaves.map(|leaf| {
                    let arrays: Vec<ArrayRef> =
                        batches.iter_mut().filter_map(VecDeque::pop_front).collect();
                    self.encoder.write(leaf, rows, arrays.iter().cloned().map(Ok))
                });
                (chunks.collect::<Result<Vec<_>>>()?, rows)
            }
            Cut::Packed(_, packed) => {
                let chunks = leaves.map(|leaf| self.encoder.write_packed(&packed, leaf));
                (chunks.collect::<Result<Vec<_>>>()?, packed.rows)
            }
        };
        let digest = std::mem::replace(&mut self.digest, Digest(0));
        Ok(Some(EncodedRowGroup::new(chunks, rows, digest)))
    }
}
