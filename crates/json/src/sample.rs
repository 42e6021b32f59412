//! Records from somewhere in a file, to guess how keys are distributed and what records are like. A
//! wrong guess costs time, never correctness.

use distil_plan::{BadPart, Plan, ResolvedPlan, Result};

use crate::decode::{Decoder, FrameSlice};
use crate::frame::list::Frames;
use crate::packed::dictionary::Dictionary;
use crate::packed::layout::PackedLayout;
use crate::parse::tape::Tape;
use crate::rows::sink::{EncodedRow, Sink};

/// Most objects that are decoded for one that is a record: an array inside a record has many that are not.
const TRIES: usize = 4;
/// Most bytes without a record that are searched.
const FRUITLESS: usize = 1 << 16;
/// How often a piece is parsed at most: an object is parsed again for every object around it that is no
/// record, which would be the square of the depth.
const ROUNDS: usize = 8;

struct Keys<'a>(&'a mut Vec<Vec<u8>>);

impl Sink for Keys<'_> {
    fn packed(&mut self, _: &[u64], _: &[Dictionary]) -> Result<()> {
        Ok(())
    }

    fn row(&mut self, row: &EncodedRow<'_>) -> Result<()> {
        self.0.push(row.bytes[..row.key_length].to_vec());
        Ok(())
    }

    fn bad(&mut self, _: BadPart) -> Result<()> {
        Ok(())
    }
}

/// Samples the records of a run.
pub struct Sampler {
    decoder: Decoder,
    tape: Tape,
    keys: Vec<Vec<u8>>,
    sampled: u64,
}

impl Sampler {
    /// A sampler that has seen nothing.
    ///
    /// # Errors
    /// A usage error if the plan can't be decoded at all.
    pub fn new(plan: &Plan) -> Result<Self> {
        let decoder = Decoder::new(plan)?;
        Ok(Self { decoder, tape: Tape::default(), keys: Vec::new(), sampled: 0 })
    }

    /// Knows the inputs of the plan: see [`Decoder::of_inputs`].
    ///
    /// # Errors
    /// As there.
    pub fn of_inputs(mut self, plan: &ResolvedPlan) -> Result<Self> {
        self.decoder = self.decoder.of_inputs(plan)?;
        Ok(self)
    }

    /// Samples what look like records in `window`, a piece of an input that may begin and end anywhere, but
    /// no more than `most` of them.
    ///
    /// # Errors
    /// None by the input.
    pub fn sample(&mut self, input: usize, window: &[u8], most: usize) -> Result<()> {
        let mut at = 0;
        let mut fruitless = 0;
        let mut tries = most.saturating_mul(TRIES);
        let mut left = window.len().saturating_mul(ROUNDS);
        let most = self.keys.len().saturating_add(most);
        while self.keys.len() < most
            && tries > 0
            && left > 0
            && let Some(found) = memchr::memchr(b'{', &window[at..])
        {
            at += found;
            let end = match self.tape.parse(window, at) {
                Ok(end) => end,
                Err(flaw) => {
                    left = left.saturating_sub(flaw.at - at);
                    fruitless += found + 1;
                    at += 1;
                    if fruitless > FRUITLESS {
                        break;
                    }
                    continue;
                }
            };
            left = left.saturating_sub(end - at);
            let slice = FrameSlice {
                input,
                offset: self.sampled + at as u64,
                bytes: &window[at..end],
                frames: &Frames::Blanks,
            };
            tries -= 1;
            let before = self.keys.len();
            self.decoder.decode(&slice, &mut Keys(&mut self.keys))?;
            // A value that is no record may hold one.
            at = if self.keys.len() > before { end } else { at + 1 };
        }
        self.sampled += window.len() as u64;
        Ok(())
    }

    /// The keys that were found, and a layout for records like those that were seen, where they are
    /// alike.
    pub fn finish(self, plan: &Plan) -> (Vec<Vec<u8>>, Option<PackedLayout>) {
        let layout = self.decoder.finish().0.layout(plan);
        (self.keys, layout)
    }
}

#[cfg(test)]
mod tests {
    use distil_plan::{ColumnPath, Dedup, Sink};

    use super::*;

    #[test]
    fn of_each_piece_no_more_records_are_taken_than_asked_for() {
        let mut plan = Plan::new(vec!["in".to_owned()], Sink::new("out.parquet"));
        plan.dedup = Some(Dedup::on_columns(vec![ColumnPath::name("k")]));
        let piece = b"1}, {\"k\":1}, 7, {\"k\":2}, {\"k\":3}, {\"k\"";
        for (most, expected) in [(0, 0), (1, 2), (2, 4), (3, 6), (usize::MAX, 6)] {
            let mut sampler = Sampler::new(&plan).unwrap();
            sampler.sample(0, piece, most).unwrap();
            sampler.sample(0, piece, most).unwrap();
            assert_eq!(sampler.finish(&plan).0.len(), expected);
        }
    }
}
