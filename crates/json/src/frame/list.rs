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

    /// All of a slice, whose frames have blanks and commas between them, with these members added.
    pub(crate) fn whole(length: usize, added: &[u8]) -> Self {
        let row = Row { start: 0, end: length, added: (0, added.len()) };
        Self { rows: vec![row], added: added.to_vec() }
    }

    /// The same frames, with these members added before their own.
    pub(crate) fn with(&self, added: &[u8]) -> Self {
        let mut list = Self::default();
        let mut last: Option<((usize, usize), (usize, usize))> = None;
        for row in &self.rows {
            let range = match last {
                Some((own, range)) if own == row.added => range,
                _ => {
                    let start = list.added.len();
                    list.added.extend_from_slice(added);
                    list.added.extend_from_slice(&self.added[row.added.0..row.added.1]);
                    (start, list.added.len())
                }
            };
            last = Some((row.added, range));
            list.rows.push(Row { added: range, ..*row });
        }
        list
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
