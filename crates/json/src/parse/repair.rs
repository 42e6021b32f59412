//! Mends what a plan allows in a record that is no valid JSON, or has a member twice: its text is written anew,
//! and read as any other. Only records that could not be read come here, so nothing is slower without.

use std::collections::HashMap;
use std::ops::Range;

use distil_plan::{ColumnPath, Repair, Repairs};

use crate::parse::flaw::{is_not_finite, word};
use crate::parse::tape::{HALF_A_PAIR, Kind, Tape, escape};
use crate::rows::value::name_text;

/// Something that was mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mend {
    pub(crate) repair: Repair,
    /// Where it was in the record.
    pub(crate) at: usize,
    /// Where it is in the mended text; `None` if that part of the text was left out.
    pub(crate) place: Option<usize>,
}

/// The mended text of a record.
#[derive(Debug, Default)]
pub(crate) struct Mended {
    pub(crate) text: Vec<u8>,
    pub(crate) mends: Vec<Mend>,
    /// Where the text goes on as the record does: offsets in the text and in the record.
    pieces: Vec<(usize, usize)>,
}

impl Mended {
    /// Replaces what is wrong in single values and names of a record.
    pub(crate) fn tokens(record: &[u8], repairs: &Repairs) -> Self {
        let mut mended = Self::default();
        let mut at = 0;
        while let Some(byte) = record.get(at) {
            at = match byte {
                b'"' => mended.string(record, at, repairs.has(Repair::Surrogates)),
                b' ' | b'\t' | b'\n' | b'\r' | b'{' | b'}' | b'[' | b']' | b':' | b',' => {
                    mended.text.push(*byte);
                    at + 1
                }
                _ => {
                    let found = word(&record[at..]);
                    if repairs.has(Repair::Nan) && is_not_finite(found) {
                        mended.replace(Repair::Nan, at, found.len(), b"null");
                    } else {
                        mended.text.extend_from_slice(found);
                    }
                    at + found.len()
                }
            };
        }
        mended
    }

    /// Takes the string whose quote is at `at`; returns where it ends.
    fn string(&mut self, record: &[u8], mut at: usize, mends: bool) -> usize {
        self.text.push(b'"');
        at += 1;
        while let Some(&byte) = record.get(at) {
            let end = match (byte, escape(record, at)) {
                (b'\\', Ok(end)) => end,
                (b'\\', Err(flaw)) if mends && flaw.what == HALF_A_PAIR => {
                    self.replace(Repair::Surrogates, at, 6, b"\\ufffd");
                    at += 6;
                    continue;
                }
                (b'\\', Err(_)) => record.len().min(at + 2),
                _ => at + 1,
            };
            self.text.extend_from_slice(&record[at..end]);
            at = end;
            if byte == b'"' {
                break;
            }
        }
        at
    }

    fn replace(&mut self, repair: Repair, at: usize, length: usize, by: &[u8]) {
        self.mends.push(Mend { repair, at, place: Some(self.text.len()) });
        self.text.extend_from_slice(by);
        self.pieces.push((self.text.len(), at + length));
    }

    /// Leaves out all but the last of the members of each name of each object; `tape` is of the text. False if
    /// there was nothing to leave out.
    pub(crate) fn drop_duplicates(&mut self, tape: &Tape) -> bool {
        let cuts = self.duplicates(tape);
        if cuts.is_empty() {
            return false;
        }
        let old = std::mem::take(&mut self.text);
        let mut pieces = Vec::new();
        let mut places: Vec<Option<usize>> = vec![None; self.mends.len()];
        let (mut from, mut known, mut mend) = (0, 0, 0);
        // Where an offset of the old text is in the new one, while that is written.
        let outer = cuts.iter().filter(|cut| !cut.is_inside);
        let bounds = outer.map(|cut| (cut.begin, Some(cut))).chain([(old.len(), None)]);
        let mut kept = Vec::new();
        for (end, cut) in bounds {
            let shift = from - self.text.len();
            // They stand in the order of the text.
            while let Some(at) = self.mends.get(mend).and_then(|mend| mend.place) {
                if at >= end {
                    break;
                }
                places[mend] = (at >= from).then(|| at - shift);
                mend += 1;
            }
            while let Some((new, was)) = self.pieces.get(known).filter(|(new, _)| *new <= end) {
                if *new >= from {
                    pieces.push((new - shift, *was));
                }
                known += 1;
            }
            kept.push((from..end, shift));
            self.text.extend_from_slice(&old[from..end]);
            let Some(cut) = cut else { break };
            pieces.push((self.text.len(), self.original(cut.end)));
            from = cut.end;
        }
        for (mend, place) in self.mends.iter_mut().zip(places) {
            mend.place = place;
        }
        let dropped: Vec<Mend> = cuts
            .iter()
            .map(|cut| {
                let after = kept.partition_point(|(range, _)| range.end <= cut.kept);
                let kept = kept.get(after).filter(|(range, _)| range.contains(&cut.kept));
                let place = kept.map(|(_, shift)| cut.kept - shift);
                Mend { repair: Repair::DuplicateMembers, at: self.original(cut.begin), place }
            })
            .collect();
        self.mends.extend(dropped);
        self.pieces = pieces;
        true
    }

    /// What is left out of the text, in its order.
    fn duplicates(&self, tape: &Tape) -> Vec<Cut> {
        let nodes = tape.nodes();
        let mut is_cut = vec![false; nodes.len()];
        let mut cuts = Vec::new();
        let mut name = Vec::new();
        for (index, object) in nodes.iter().enumerate() {
            if object.kind != Kind::Object {
                continue;
            }
            let mut last: HashMap<Vec<u8>, usize> = HashMap::new();
            let mut members = Vec::new();
            let mut child = index + 1;
            while child < object.next as usize {
                name_text(&nodes[child], &self.text, &mut name);
                members.push((name.clone(), child));
                last.insert(name.clone(), child);
                child = nodes[child + 1].next as usize;
            }
            for (name, child) in members {
                let kept = last.get(&name).copied().unwrap_or(child);
                if kept == child {
                    continue;
                }
                let next = nodes[child + 1].next as usize;
                let quote = |node: usize| nodes[node].start as usize - 1;
                let (begin, end, kept) = (quote(child), quote(next), quote(kept));
                // What is in one that is left out goes with it.
                let is_inside = is_cut[child];
                if !is_inside {
                    is_cut[child..next].fill(true);
                }
                cuts.push(Cut { begin, end, kept, is_inside });
            }
        }
        cuts.sort_unstable_by_key(|cut| cut.begin);
        cuts
    }

    /// Where a byte of the text was in the record.
    pub(crate) fn original(&self, at: usize) -> usize {
        let after = self.pieces.partition_point(|(new, _)| *new <= at);
        match after.checked_sub(1).map(|last| self.pieces[last]) {
            Some((new, was)) => was + (at - new),
            None => at,
        }
    }

    /// The first mend that touches one of these columns; `tape` is of the text.
    pub(crate) fn touches<'a>(
        &self,
        tape: &Tape,
        columns: impl Iterator<Item = &'a ColumnPath> + Clone,
    ) -> Option<(&Mend, &'a ColumnPath)> {
        // A record may have as many mends as members: the columns are looked for once.
        let columns: Vec<_> = columns.map(|column| (column, self.regions(tape, column))).collect();
        self.mends.iter().find_map(|mend| {
            let at = mend.place?;
            let touched = columns
                .iter()
                .find(|(_, regions)| regions.iter().any(|region| region.contains(&at)));
            touched.map(|(column, _)| (mend, *column))
        })
    }

    /// Where the text decides what a column holds: the names on the way to it, and its value. What is in a list
    /// belongs to the list.
    fn regions(&self, tape: &Tape, column: &ColumnPath) -> Vec<Range<usize>> {
        let nodes = tape.nodes();
        let mut regions = Vec::new();
        let mut object = 0;
        let mut text = Vec::new();
        for (step, wanted) in column.steps().iter().enumerate() {
            let Some(found) = nodes.get(object).filter(|node| node.kind == Kind::Object) else {
                break;
            };
            let mut child = object + 1;
            while child < found.next as usize {
                name_text(&nodes[child], &self.text, &mut text);
                if text == wanted.as_bytes() {
                    break;
                }
                child = nodes[child + 1].next as usize;
            }
            if child >= found.next as usize {
                break;
            }
            let (name, value) = (&nodes[child], &nodes[child + 1]);
            let is_last = step + 1 == column.steps().len() || value.kind != Kind::Object;
            let end = match is_last {
                true => value.end as usize + usize::from(value.kind == Kind::String),
                false => name.end as usize + 1,
            };
            // From the quote before the name.
            regions.push(name.start as usize - 1..end);
            object = child + 1;
        }
        regions
    }
}

/// A member that is left out, up to the name of the next one.
struct Cut {
    begin: usize,
    end: usize,
    /// Where the member of the same name that stays begins.
    kept: usize,
    /// Whether it is in another that is left out.
    is_inside: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(record: &str) -> Mended {
        let repairs = Repairs::all();
        let mut mended = Mended::tokens(record.as_bytes(), &repairs);
        let mut tape = Tape::default();
        tape.parse_frame(&mended.text, 0, mended.text.len()).unwrap();
        mended.drop_duplicates(&tape);
        mended
    }

    fn text(record: &str) -> String {
        String::from_utf8(mended(record).text).unwrap()
    }

    #[test]
    fn what_is_wrong_is_replaced_and_the_last_of_two_members_stays() {
        for (record, expected) in [
            ("{\"a\":NaN,\"b\":[-Infinity, inf]}", "{\"a\":null,\"b\":[null, null]}"),
            ("{\"NaN\":\"-inf\\\"NaN\"}", "{\"NaN\":\"-inf\\\"NaN\"}"),
            (
                "{\"a\":\"x\\ud83d\",\"b\":\"\\udc00\\ud83d\\ude00\"}",
                "{\"a\":\"x\\ufffd\",\"b\":\"\\ufffd\\ud83d\\ude00\"}",
            ),
            (
                "{\"a\":\"\\ud83d\\ud83d\\ude00\\\\ud83d\"}",
                "{\"a\":\"\\ufffd\\ud83d\\ude00\\\\ud83d\"}",
            ),
            ("{\"a\":1, \"b\":2, \"\\u0061\":3 }", "{\"b\":2, \"\\u0061\":3 }"),
            (
                "{\"a\":{\"x\":1,\"x\":2},\"a\":{\"x\":3,\"x\":4},\"b\":5}",
                "{\"a\":{\"x\":4},\"b\":5}",
            ),
            ("{\"a\":1,\"a\":2,\"a\":NaN}", "{\"a\":null}"),
            ("{\"\\ud800\":1,\"\\ud801\":2}", "{\"\\ufffd\":2}"),
        ] {
            assert_eq!(text(record), expected, "{record}");
        }
    }

    #[test]
    fn every_mend_knows_where_it_was_and_which_column_it_touches() {
        let record = "{\"a\":NaN,\"b\":{\"c\":inf,\"d\":\"x\"},\"b\":{\"c\":[{\"e\":-inf}],\"d\":\"\\ud800\"},\"z\":1}";
        let mended = mended(record);
        let at: Vec<(Repair, usize)> =
            mended.mends.iter().map(|mend| (mend.repair, mend.at)).collect();
        let find = |text: &str| record.find(text).unwrap();
        let nan = |text| (Repair::Nan, find(text));
        assert_eq!(
            at,
            [
                nan("NaN"),
                nan("inf,"),
                nan("-inf"),
                (Repair::Surrogates, find("\\ud800")),
                (Repair::DuplicateMembers, find("\"b\"")),
            ]
        );
        let z = mended.text.iter().position(|byte| *byte == b'z').unwrap();
        assert_eq!(mended.original(z), find("z"));
        assert_eq!(mended.original(1), 1);
        let mut tape = Tape::default();
        tape.parse_frame(&mended.text, 0, mended.text.len()).unwrap();
        let touches = |path: &str| {
            let column: ColumnPath = path.parse().unwrap();
            mended.touches(&tape, [&column].into_iter()).map(|(mend, _)| mend.repair)
        };
        assert_eq!(touches("a"), Some(Repair::Nan));
        assert_eq!(touches("b.c"), Some(Repair::Nan));
        assert_eq!(touches("b.d"), Some(Repair::Surrogates));
        assert_eq!(touches("b.x"), Some(Repair::DuplicateMembers));
        assert_eq!(touches("z"), None);
    }
}
