//! Values of a column that are read otherwise than they stand: how many, and where the first is.

use distil_plan::Result;

use crate::message::{MessageReader, MessageWriter};
use crate::types::facts::{Position, earlier, read_place, write_place};

/// How a value is read otherwise than it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Respelling {
    /// It has another spelling than its declared type, for exactly the same value.
    Converted,
    /// It is a text that the plan makes null.
    Nulled,
}

/// How many values, and where the first is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) count: u64,
    pub(crate) first: Option<Position>,
}

impl Counted {
    fn note(&mut self, position: Position) {
        self.count += 1;
        self.first = earlier(self.first, Some(position));
    }

    fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.first = earlier(self.first, other.first);
    }

    fn write(&self, message: &mut MessageWriter) {
        message.number(self.count);
        write_place(self.first, message);
    }

    fn read(message: &mut MessageReader<'_>) -> Result<Self> {
        Ok(Self { count: message.number()?, first: read_place(message)? })
    }
}

/// What was read otherwise than it stands in one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Respelled {
    pub(crate) converted: Counted,
    pub(crate) nulled: Counted,
}

impl Respelled {
    /// Bytes in a message at least.
    pub(crate) const LEAST_BYTES: usize = 2 * (8 + 1);

    pub(crate) fn note(&mut self, respelling: Respelling, position: Position) {
        match respelling {
            Respelling::Converted => self.converted.note(position),
            Respelling::Nulled => self.nulled.note(position),
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        self.converted.join(&other.converted);
        self.nulled.join(&other.nulled);
    }

    /// Forgets what was first found after a place.
    pub(crate) fn forget_behind(&mut self, place: (usize, u64)) {
        for counted in [&mut self.converted, &mut self.nulled] {
            counted.first.take_if(|position| position.is_behind(place));
        }
    }

    pub(crate) fn write(&self, message: &mut MessageWriter) {
        self.converted.write(message);
        self.nulled.write(message);
    }

    pub(crate) fn read(message: &mut MessageReader<'_>) -> Result<Self> {
        Ok(Self { converted: Counted::read(message)?, nulled: Counted::read(message)? })
    }
}
