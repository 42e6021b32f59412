//! Records that are encoded from another text than their own: mended, or joined with what the plan adds.

use distil_plan::{Reason, Repair, Result};

use super::text::Text;
use super::{Decoder, Encoded, flawed, invalid_utf8, not_an_object};
use crate::parse::repair::Mended;
use crate::parse::tape::Flaw;
use crate::rewrite::{Clash, Placed};
use crate::rows::record::Bad;
use crate::rows::sink::Sink;
use crate::rows::tally::RepairTally;
use crate::types::facts::Position;

impl Decoder {
    /// Encodes a record that has a member twice, perhaps for what is added to it.
    pub(super) fn merged(
        &mut self,
        text: &Text<'_>,
        placed: &Placed,
        position: Position,
    ) -> std::result::Result<(), Bad> {
        let record = &text.source[placed.source.0..placed.source.1];
        self.encode_with(record, text.added_to(placed), position)
    }

    /// Encodes a record joined with what is added to it, which may be nothing but members that it has.
    fn encode_with(
        &mut self,
        record: &[u8],
        added: &[u8],
        position: Position,
    ) -> std::result::Result<(), Bad> {
        let merged = match self.merger.merge(record, added) {
            Ok(merged) => merged,
            Err(Clash::Duplicate(twice)) => return Err(twice.into()),
            Err(Clash::Differs(name)) => {
                let detail = format!("the plan adds another value of the member `{name}`");
                return Err(Bad::new(Reason::NameClash, detail));
            }
        };
        self.mended
            .parse_frame(&merged, 0, merged.len())
            .map_err(|flaw| flawed(&merged, (0, merged.len()), &flaw, false))?;
        // Places in the joined text are none in the input.
        self.encoder.encode(&self.mended, &merged, position).map_err(|bad| Bad { at: None, ..bad })
    }

    /// Encodes a record that could not be read, with what the plan allows mended; `None` if there is nothing to
    /// mend.
    pub(super) fn mend(
        &mut self,
        text: &Text<'_>,
        (start, end): (usize, usize),
        sink: &mut impl Sink,
    ) -> Result<Option<Encoded>> {
        if self.repairs.is_empty() {
            return Ok(None);
        }
        // What is added comes to the mended record, as it would to a sound one.
        let added = text.placed(start).map(|placed| text.added_to(&placed));
        let (start, end) = text.source_of(start, end);
        let source = Text { bytes: text.source, placed: None, ..*text };
        let mut mended = Mended::tokens(&source.bytes[start..end], &self.repairs);
        let offset = source.offset + start as u64;
        let position = Position { input: source.input as u32, offset, ordinal: 0 };
        let encoded = self.encode_mended(&mut mended, position, added);
        if mended.mends.is_empty() {
            return Ok(None);
        }
        match encoded {
            Ok(()) => {
                for mend in &mended.mends {
                    let first = Some((position.input, offset + mend.at as u64));
                    let tally = &mut self.encoder.total.repaired[mend.repair as usize];
                    tally.join(&RepairTally { count: 1, first });
                }
                Ok(Some(Encoded::Mended))
            }
            Err(bad) => {
                self.cancel.check()?;
                let bad = Bad { at: bad.at.map(|at| start + mended.original(at)), ..bad };
                let mut part = source.bad_part(start, end, bad);
                part.added = added.unwrap_or_default().to_vec();
                sink.bad(part)?;
                Ok(Some(Encoded::Bad))
            }
        }
    }

    /// Judges a record as its mended text is; nothing is accepted if nothing was mended.
    fn encode_mended(
        &mut self,
        mended: &mut Mended,
        position: Position,
        added: Option<&[u8]>,
    ) -> std::result::Result<(), Bad> {
        let tape = &mut self.mended;
        let whole = (0, mended.text.len());
        let flaw = |flaw: Flaw, text: &[u8]| flawed(text, (0, text.len()), &flaw, false);
        tape.parse_frame(&mended.text, whole.0, whole.1).map_err(|e| flaw(e, &mended.text))?;
        if let Some(bad) = invalid_utf8(&mended.text, whole, false) {
            return Err(bad);
        }
        if self.repairs.has(Repair::DuplicateMembers) && mended.drop_duplicates(tape) {
            let end = mended.text.len();
            tape.parse_frame(&mended.text, 0, end).map_err(|e| flaw(e, &mended.text))?;
        }
        let tape = &self.mended;
        if let Some(bad) = not_an_object(tape, 0) {
            return Err(bad);
        }
        self.encoder.values.check_duplicates(tape, &mended.text, 0)?;
        let columns = self.sort_columns.iter().map(|column| &column.path);
        if let Some((mend, column)) = mended.touches(tape, columns) {
            let detail =
                format!("{} would be repaired in the key or order column {column}", mend.repair);
            return Err(Bad { at: mend.place, ..Bad::new(Reason::RepairedKey, detail) });
        }
        if mended.mends.is_empty() {
            return Ok(());
        }
        match added {
            Some(added) => self.encode_with(&mended.text, added, position),
            None => self.encoder.encode(tape, &mended.text, position),
        }
    }
}
