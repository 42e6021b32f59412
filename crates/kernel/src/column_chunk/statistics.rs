//! Bounds of values as footers and page indexes hold them.

use parquet::basic::{ConvertedType, LogicalType};
use parquet::schema::types::ColumnDescriptor;

/// Bytes that a bound of strings has at most.
pub(super) const BOUND_BYTES: usize = 64;

/// Whether the column's bytes are text, so that bounds have to be, too.
pub(super) fn is_text(column: &ColumnDescriptor) -> bool {
    column.logical_type_ref() == Some(&LogicalType::String)
        || column.converted_type() == ConvertedType::UTF8
}

/// The longest prefix of text, or of bytes, within the limit.
fn prefix(value: &[u8], text: bool) -> &[u8] {
    let mut end = BOUND_BYTES.min(value.len());
    if text && end < value.len() {
        // A character has no more than three bytes after its first one.
        while end > 0 && value[end] & 0xc0 == 0x80 {
            end -= 1;
        }
    }
    &value[..end]
}

/// A short value that is not above the given one.
pub(super) fn lower(value: &[u8], text: bool) -> Vec<u8> {
    prefix(value, text).to_vec()
}

/// A short value that is not below the given one; the value itself if there is none.
pub(super) fn upper(value: &[u8], text: bool) -> Vec<u8> {
    let short = prefix(value, text);
    if short.len() == value.len() {
        return value.to_vec();
    }
    let next = if text { next_text(short) } else { next_bytes(short) };
    next.unwrap_or_else(|| value.to_vec())
}

/// The least byte string above all that begin like this one.
fn next_bytes(value: &[u8]) -> Option<Vec<u8>> {
    let last = value.iter().rposition(|byte| *byte != 0xff)?;
    let mut next = value[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

/// Some text above all that begins like this one: its last character that has a successor of the same
/// length is replaced by that one.
fn next_text(value: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(value).ok()?;
    text.char_indices().rev().find_map(|(at, last)| {
        let next = char::from_u32(last as u32 + 1)?;
        if next.len_utf8() != last.len_utf8() {
            return None;
        }
        let mut bound = value[..at].to_vec();
        bound.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
        Some(bound)
    })
}
