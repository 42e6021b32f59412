//! What was seen of columns, in a message between parts of a job.

use distil_plan::Result;

use crate::message::{MessageReader, MessageWriter, broken};
use crate::types::facts::{Facts, read_place, write_place};
use crate::types::fields::{FieldId, Fields, ROOT};

/// Levels of a message: more than a record can have.
const MAX_MESSAGE_DEPTH: u32 = 1_100;
/// Bytes that a member takes in a message at least: its name, what was seen of its values, two flags, and how many
/// members it has.
const LEAST_FIELD_BYTES: usize = 8 + Facts::LEAST_BYTES + 2 + 8;

impl Fields {
    /// Writes what was seen of the columns; what the plan says of them is in the plan.
    pub(crate) fn write(&self, message: &mut MessageWriter) {
        self.write_field(ROOT, message);
    }

    fn write_field(&self, id: FieldId, message: &mut MessageWriter) {
        let field = self.get(id);
        field.facts.write(message);
        write_place(field.seen, message);
        message.flag(field.element.is_some());
        if let Some(element) = field.element {
            self.write_field(element, message);
        }
        message.number(field.children.len() as u64);
        for child in &field.children {
            message.bytes(self.get(*child).name.as_bytes());
            self.write_field(*child, message);
        }
    }

    /// Reads what another tree of the same plan saw to this one, which has seen nothing yet.
    ///
    /// # Errors
    /// An environment error if the message is broken.
    pub(crate) fn read(&mut self, message: &mut MessageReader<'_>) -> Result<()> {
        self.read_field(ROOT, message, MAX_MESSAGE_DEPTH)
    }

    fn read_field(
        &mut self,
        id: FieldId,
        message: &mut MessageReader<'_>,
        depth: u32,
    ) -> Result<()> {
        let depth = depth.checked_sub(1).ok_or_else(broken)?;
        let facts = Facts::read(message)?;
        let field = self.get_mut(id);
        field.facts = facts;
        field.seen = read_place(message)?;
        if message.flag()? {
            let element = self.element_or_new(id);
            self.read_field(element, message, depth)?;
        }
        for _ in 0..message.count(LEAST_FIELD_BYTES)? {
            let name = message.text()?;
            let child = match self.child(id, name) {
                Some(child) => child,
                None => self.add_child(id, name),
            };
            self.read_field(child, message, depth)?;
        }
        Ok(())
    }
}
