//! Records with the members that the plan adds to them, as the text that they would be if they held them.
//!
//! So whatever reads records serves these, too. Places in the text are told as places in the input.

use crate::frame::list::FrameList;
use crate::parse::scan::FrameScan;
use crate::parse::tape::{Kind, Tape, skip_blanks};
use crate::rows::value::{DuplicateMember, ValueEncoder, name_text};
use crate::values::encoding::Flip;

/// A frame of the text, and of the slice that it was made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) source: (usize, usize),
    /// What it got added: a range of the list.
    pub(crate) added: (usize, usize),
}

impl Placed {
    /// The place in the slice of a byte of the text.
    pub(crate) fn source_of(&self, at: usize) -> usize {
        let longer = (self.end - self.start).saturating_sub(self.source.1 - self.source.0);
        self.source.0 + (at.min(self.end) - self.start).saturating_sub(longer)
    }
}

/// The records of a slice with what is added to them.
#[derive(Debug, Default)]
pub(crate) struct Rewritten {
    pub(crate) text: Vec<u8>,
    pub(crate) places: Vec<Placed>,
}

impl Rewritten {
    /// Rewrites records on lines, each with the same members.
    pub(crate) fn fill_lines(&mut self, source: &[u8], added: &[u8]) {
        self.text.clear();
        self.places.clear();
        let mut at = 0;
        while at < source.len() {
            let line_end = memchr::memchr(b'\n', &source[at..]).map_or(source.len(), |n| at + n);
            let (start, end) = trim(source, at, line_end);
            if start < end {
                self.add(source, (start, end), added, (0, added.len()));
            }
            at = line_end + 1;
        }
    }

    fn add(&mut self, source: &[u8], frame: (usize, usize), added: &[u8], range: (usize, usize)) {
        let start = self.text.len();
        write(&source[frame.0..frame.1], &added[range.0..range.1], &mut self.text);
        self.places.push(Placed { start, end: self.text.len(), source: frame, added: range });
        self.text.push(b'\n');
    }

    /// Rewrites the records of a slice.
    pub(crate) fn fill(&mut self, source: &[u8], list: &FrameList) {
        self.text.clear();
        self.places.clear();
        for row in &list.rows {
            let frames = &source[..row.end];
            let mut at = row.start;
            loop {
                while let Some(b' ' | b'\t' | b'\n' | b'\r' | b',') = frames.get(at) {
                    at += 1;
                }
                if at >= frames.len() {
                    break;
                }
                let end = FrameScan::default().advance(frames, at).unwrap_or(frames.len());
                self.add(frames, (at, end), &list.added, row.added);
                at = end;
            }
        }
    }
}

/// The text of a line without the blanks around it; nothing at its end, if that is all.
pub(crate) fn trim(bytes: &[u8], start: usize, end: usize) -> (usize, usize) {
    let line = &bytes[start..end];
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    let Some(first) = line.iter().position(|byte| !blank(byte)) else { return (end, end) };
    let last = line.iter().rposition(|byte| !blank(byte)).unwrap_or(first);
    (start + first, start + last + 1)
}

/// A record with members before its own; what is no object stays as it is.
fn write(record: &[u8], added: &[u8], out: &mut Vec<u8>) {
    let Some(own) = record.strip_prefix(b"{") else {
        out.extend_from_slice(record);
        return;
    };
    out.push(b'{');
    let is_empty = own.get(skip_blanks(own, 0)) == Some(&b'}');
    out.extend_from_slice(added.strip_suffix(b",").filter(|_| is_empty).unwrap_or(added));
    out.extend_from_slice(own);
}

/// A record as the text that it would be with these members, each with a comma behind it. A member that it has with an
/// equal value, or as null, is that one; where its value is another, the record has both, and is bad.
pub fn with_members(record: &[u8], added: &[u8]) -> Vec<u8> {
    let mut tape = Tape::default();
    let is_object = record.first() == Some(&b'{');
    if is_object
        && tape.parse_frame(record, 0, record.len()).is_ok()
        && let Ok(merged) = Merger::default().merge(record, added)
    {
        return merged;
    }
    let mut text = Vec::new();
    write(record, added, &mut text);
    text
}

/// Why a record can't get what the plan adds.
pub(crate) enum Clash {
    /// It has a member twice by itself.
    Duplicate(DuplicateMember),
    /// A member of it has another value than the one that is added.
    Differs(String),
}

/// Joins records that have members of names that the plan adds.
#[derive(Default)]
pub(crate) struct Merger {
    record: Tape,
    added: Tape,
    values: ValueEncoder,
}

impl Merger {
    /// A record without the members that it would get: those must be null, or equal to what is added.
    ///
    /// # Errors
    /// What is wrong with the record.
    pub(crate) fn merge(&mut self, record: &[u8], added: &[u8]) -> Result<Vec<u8>, Clash> {
        let mut adding = vec![b'{'];
        adding.extend_from_slice(added.strip_suffix(b",").unwrap_or(added));
        adding.push(b'}');
        // Both were parsed before: what is on the tapes is all of them.
        let (own, new) = (self.record.parse(record, 0), self.added.parse(&adding, 0));
        debug_assert!(own.is_ok() && new.is_ok());
        self.values.check_duplicates(&self.record, record, 0).map_err(Clash::Duplicate)?;
        let new = members(&self.added, &adding);
        let mut text = vec![b'{'];
        text.extend_from_slice(added);
        for (name, value) in members(&self.record, record) {
            let Some((_, other)) = new.iter().find(|(added, _)| *added == name) else {
                text.extend_from_slice(self.member(record, value));
                text.push(b',');
                continue;
            };
            let mut own_value = Vec::new();
            let mut new_value = Vec::new();
            let own = self.values.encode(&self.record, record, value, &mut own_value, Flip::ASC);
            let new = self.values.encode(&self.added, &adding, *other, &mut new_value, Flip::ASC);
            let is_null = self.record.nodes()[value as usize].kind == Kind::Null;
            if !is_null && (own.is_err() || new.is_err() || own_value != new_value) {
                return Err(Clash::Differs(String::from_utf8_lossy(&name).into_owned()));
            }
        }
        if text.last() == Some(&b',') {
            text.pop();
        }
        text.push(b'}');
        Ok(text)
    }

    /// The text of a member of the record, from its name to its value.
    fn member<'a>(&self, record: &'a [u8], value: u32) -> &'a [u8] {
        let nodes = self.record.nodes();
        let (name, value) = (nodes[value as usize - 1], nodes[value as usize]);
        let quote = usize::from(value.kind == Kind::String);
        &record[name.start as usize - 1..value.end as usize + quote]
    }
}

/// Names of the members of the object on a tape, and the nodes of their values.
fn members(tape: &Tape, bytes: &[u8]) -> Vec<(Vec<u8>, u32)> {
    let nodes = tape.nodes();
    let mut found = Vec::new();
    let mut member = 1;
    while member < nodes.first().map_or(0, |object| object.next) {
        let mut name = Vec::new();
        name_text(&nodes[member as usize], bytes, &mut name);
        found.push((name, member + 1));
        member = nodes[member as usize + 1].next;
    }
    found
}
