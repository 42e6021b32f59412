//! Values of a record that are read otherwise than they stand, and what values are where somebody asks.

use crate::parse::tape::{Kind, Node, Tape, skip_blanks};
use crate::rows::record::{Bad, RecordEncoder};
use crate::rows::value::name_text;
use crate::types::facts::Bits;
use crate::types::fields::{FieldId, Fields};
use crate::types::spelled::Respelling;
use crate::types::survey::Sample;
use crate::values::encoding::Flip;

impl RecordEncoder {
    /// Notes a value that is read otherwise than it stands, for when the record is accepted.
    pub(super) fn note_respelled(&mut self, id: FieldId, respelling: Respelling, ordinal: u32) {
        match respelling {
            Respelling::Converted => self.tally.converted += 1,
            Respelling::Nulled => self.tally.nulled += 1,
        }
        self.respelled.push((id, respelling, ordinal));
    }

    /// Notes what a value is, for when the record is accepted.
    #[cold]
    pub(super) fn survey(&mut self, node: &Node, bits: Bits, bytes: &[u8], id: FieldId) {
        let sample = match node.kind {
            Kind::Null | Kind::List | Kind::Object => return,
            Kind::String => {
                name_text(node, bytes, &mut self.text);
                let is_null_text = self.fields.is_surveyed_text(&self.text);
                (id, Sample::of_text(&self.text), true, is_null_text)
            }
            _ => (id, Sample::of_facts(bits), false, false),
        };
        self.samples.push(sample);
    }

    /// Encodes the value that a string spells; what is no string is the value itself.
    pub(super) fn json_text(
        &mut self,
        (tape, bytes): (&Tape, &[u8]),
        index: u32,
        id: FieldId,
        (out, flip): (&mut Vec<u8>, Flip),
    ) -> Result<(), Bad> {
        let node = &tape.nodes()[index as usize];
        if node.kind != Kind::String {
            if self.strict && node.kind != Kind::Null {
                return Err(self.does_not_fit(node, bytes, id));
            }
            if node.kind != Kind::Null {
                self.note_respelled(id, Respelling::Converted, index);
            }
            return Ok(self.values.encode(tape, bytes, index, out, flip)?);
        }
        name_text(node, bytes, &mut self.text);
        let (mut inner, text) = (std::mem::take(&mut self.inner), std::mem::take(&mut self.text));
        let parsed = inner.parse_frame(&text, skip_blanks(&text, 0), text.len()).is_ok();
        let done = parsed && self.values.encode(&inner, &text, 0, out, flip).is_ok();
        (self.inner, self.text) = (inner, text);
        if done { Ok(()) } else { Err(self.does_not_fit(node, bytes, id)) }
    }
}

/// Whether a value is a string that stands for null in its field.
#[inline]
pub(super) fn stands_for_null(
    fields: &Fields,
    node: &Node,
    bytes: &[u8],
    id: FieldId,
    text: &mut Vec<u8>,
) -> bool {
    if node.kind != Kind::String || !fields.has_null_text(id) {
        return false;
    }
    name_text(node, bytes, text);
    fields.is_null_text(id, text)
}
