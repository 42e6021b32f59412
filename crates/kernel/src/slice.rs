//! Inputs to slices: what can be decoded by itself, anywhere.

use distil_plan::{InputCompression, ResolvedPlan, Shape};

/// A stretch of one input that holds whole frames. The slices of an input cover it without gap or overlap.
///
/// The resolved plan, which every part of a job has, says where the input is and how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slice {
    /// Ordinal of the input in the plan.
    pub input: u32,
    /// First byte. A slice of lines that begins within a file holds the lines that begin in its range.
    pub begin: u64,
    /// First byte of the next slice; `None` for the last slice of the input, which ends with it.
    pub end: Option<u64>,
}

impl Slice {
    /// The first byte to be read: the one before the slice says whether a line begins with it.
    pub fn read_from(&self) -> u64 {
        self.begin.saturating_sub(1)
    }
}

/// Cuts the inputs of a plan into slices of about `bytes` bytes.
///
/// Only uncompressed lines of known size are cut, at any byte: a slice of them begins with the first line
/// that begins in it. Any other input is one slice, as only its beginning says where records are.
pub fn split(plan: &ResolvedPlan, bytes: u64) -> Vec<Slice> {
    let mut slices = Vec::new();
    for (ordinal, input) in plan.inputs.iter().enumerate() {
        let ordinal = ordinal as u32;
        let shape = input.shape.as_ref().unwrap_or(&plan.plan.shape);
        let plain = input.compression == Some(InputCompression::None);
        let size = match (shape, input.bytes) {
            (Shape::Lines, Some(size)) if plain => size,
            _ => 0,
        };
        let cuts = (1..size.div_ceil(bytes.max(1))).map(|cut| cut * bytes.max(1));
        let mut begin = 0;
        for cut in cuts {
            slices.push(Slice { input: ordinal, begin, end: Some(cut) });
            begin = cut;
        }
        slices.push(Slice { input: ordinal, begin, end: None });
    }
    slices
}

#[cfg(test)]
mod tests {

    use distil_plan::{Input, Plan, Sink};

    use super::*;

    #[test]
    fn slices_cover_each_input_once_and_only_plain_lines_are_cut() {
        let input = |bytes, compression, shape| Input {
            path: "in".into(),
            bytes,
            version: 0,
            compression: Some(compression),
            shape: Some(shape),
        };
        let plan = ResolvedPlan {
            plan: Plan::new(vec!["in".to_owned()], Sink::new("out.parquet")),
            inputs: vec![
                input(Some(25), InputCompression::None, Shape::Lines),
                input(Some(25), InputCompression::Gzip, Shape::Lines),
                input(Some(25), InputCompression::None, Shape::Array),
                input(None, InputCompression::None, Shape::Lines),
                input(Some(0), InputCompression::None, Shape::Lines),
                input(Some(10), InputCompression::None, Shape::Lines),
            ],
            schema: None,
            admitted: false,
        };
        let found: Vec<(u32, u64, Option<u64>)> =
            split(&plan, 10).iter().map(|slice| (slice.input, slice.begin, slice.end)).collect();
        let expected = [
            (0, 0, Some(10)),
            (0, 10, Some(20)),
            (0, 20, None),
            (1, 0, None),
            (2, 0, None),
            (3, 0, None),
            (4, 0, None),
            (5, 0, None),
        ];
        assert_eq!(found, expected);
        assert_eq!(split(&plan, 0).len(), 25 + 10 + 4);
    }
}
