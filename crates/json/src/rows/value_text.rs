//! One value of a record, for people.

use crate::parse::tape::{Kind, Tape};

/// Most bytes of a text that is shown.
const SHOWN: usize = 40;

/// The text of a value of the record that `bytes` begin with, by its ordinal as in a
/// [`Position`](crate::Position). `None` if the record is not there as a whole, or the value has
/// members or elements.
pub fn value_text(bytes: &[u8], ordinal: u32) -> Option<String> {
    let mut tape = Tape::default();
    tape.parse(bytes, 0).ok()?;
    let node = tape.nodes().get(ordinal as usize)?;
    let text = match node.kind {
        Kind::Null => "null",
        Kind::False => "false",
        Kind::True => "true",
        Kind::List | Kind::Object => return None,
        _ => std::str::from_utf8(node.text(bytes)).ok()?,
    };
    let end = text.floor_char_boundary(SHOWN);
    let (shown, rest) = text.split_at(end);
    let quote = if node.kind == Kind::String { "\"" } else { "" };
    let dots = if rest.is_empty() { "" } else { "…" };
    Some(format!("{quote}{shown}{dots}{quote}"))
}
