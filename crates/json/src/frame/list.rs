//! Frames that do not follow each other: those under a path lie in the text around them.

/// Frames one after another, with blanks and commas between them, that get the same members added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// First byte in the slice.
    pub(crate) start: usize,
    /// End in the slice.
    pub(crate) end: usize,
    /// Range of [`FrameList::added`]: members with a comma after each, as `"id":"u1",`.
    pub(crate) added: (usize, usize),
}

/// Where the frames of a slice are, in order, and what their records get added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameList {
    pub(crate) rows: Vec<Row>,
    pub(crate) added: Vec<u8>,
}

impl FrameList {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds frames behind those that are there.
    pub(crate) fn push(&mut self, start: usize, end: usize, added: (usize, usize)) {
        match self.rows.last_mut() {
            // Records of an array, which no hole parts.
            Some(last) if last.added == added && last.end == start => last.end = end,
            _ => self.rows.push(Row { start, end, added }),
        }
    }
}

/// How the frames lie in a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frames {
    /// One a line.
    Lines,
    /// Blanks, and in an array commas, between them.
    Blanks,
    /// At places of a list.
    Listed(FrameList),
}
