//! Keys from somewhere in a file, to guess how keys are distributed. A wrong guess costs time, never
//! correctness.

use distil_plan::{BadPart, Plan, Result};

use crate::decode::{Decoder, Sink, Slice};
use crate::framer::Separator;
use crate::tape::Tape;

/// Most bytes without a record that are searched.
const FRUITLESS: usize = 1 << 16;

struct Keys<'a>(&'a mut Vec<Vec<u8>>);

impl Sink for Keys<'_> {
    fn row(&mut self, row: &[u8], key_length: usize, _: u32) -> Result<()> {
        self.0.push(row[..key_length].to_vec());
        Ok(())
    }

    fn bad(&mut self, _: BadPart) -> Result<()> {
        Ok(())
    }
}

/// Appends the keys of what look like records in `window`, a piece of a file that may begin and end
/// anywhere.
///
/// # Errors
/// A usage error if the plan can't be decoded at all.
pub fn sample_keys(plan: &Plan, window: &[u8], keys: &mut Vec<Vec<u8>>) -> Result<()> {
    let mut decoder = Decoder::new(plan)?;
    let mut tape = Tape::default();
    let mut at = 0;
    let mut fruitless = 0;
    while let Some(found) = memchr::memchr(b'{', &window[at..]) {
        at += found;
        let Ok(end) = tape.parse(window, at) else {
            fruitless += found + 1;
            at += 1;
            if fruitless > FRUITLESS {
                break;
            }
            continue;
        };
        let slice = Slice {
            input: 0,
            offset: at as u64,
            bytes: &window[at..end],
            separator: Separator::Blank,
        };
        let before = keys.len();
        decoder.decode(&slice, &mut Keys(keys))?;
        // A value that is no record may hold one.
        at = if keys.len() > before { end } else { at + 1 };
    }
    Ok(())
}
