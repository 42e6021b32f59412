//! Decoding by expectation: the shape of one record, as the bytes between its values.
//!
//! Records of one source look alike. A template is what stands between the values of a record that the
//! parser accepted; a record that has the same bytes there, and a scalar wherever the other had one, is
//! valid JSON of the same members without being parsed. Whatever differs (blanks, order, an escape, a
//! list) is left to the parser, which is the definition.
//!
//! Bytes of strings are not checked to be UTF-8 here: the caller checks whole slices.

use crate::parse::scan::string_end;
use crate::parse::tape::{Kind, Node, Tape, number};
use crate::types::fields::{FieldId, Fields, ROOT};

/// Most values of a record that is expected.
const MOST_VALUES: usize = 256;

/// A scalar in the bytes: a string without its quotes, a number, or nothing but a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) kind: SpanKind,
}

/// What a span is. A member that is missing is not one that is null: only null was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpanKind {
    Missing,
    Null,
    False,
    True,
    Integer,
    Fraction,
    String,
}

impl Span {
    pub(crate) const MISSING: Self = Self { start: 0, end: 0, kind: SpanKind::Missing };

    pub(crate) fn text<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The span as a scalar of a tape has it.
    pub(crate) fn node(&self) -> Node {
        let kind = match self.kind {
            SpanKind::Missing | SpanKind::Null => Kind::Null,
            SpanKind::False => Kind::False,
            SpanKind::True => Kind::True,
            SpanKind::Integer => Kind::Integer,
            SpanKind::Fraction => Kind::Fraction,
            SpanKind::String => Kind::String,
        };
        Node { kind, escaped: false, start: self.start, end: self.end, next: 0 }
    }

    pub(crate) fn is_value(&self) -> bool {
        !matches!(self.kind, SpanKind::Missing | SpanKind::Null)
    }
}

/// Bytes to be met; the first sixteen as masked words, since nearly all are no longer.
#[derive(Clone, Debug, PartialEq)]
struct Literal {
    words: [u64; 2],
    masks: [u64; 2],
    bytes: Vec<u8>,
}

impl Literal {
    fn new(bytes: &[u8]) -> Self {
        let mut literal = Self { words: [0; 2], masks: [0; 2], bytes: bytes.to_vec() };
        for (at, byte) in bytes.iter().take(16).enumerate() {
            literal.words[at / 8] |= u64::from(*byte) << (at % 8 * 8);
            literal.masks[at / 8] |= 0xFF << (at % 8 * 8);
        }
        literal
    }

    /// Whether `bytes` have it at `at`.
    #[inline]
    fn is_at(&self, bytes: &[u8], at: usize) -> bool {
        let Some([a, b]) = bytes.get(at..at + 16).and_then(|chunk| {
            let (a, b) = chunk.split_first_chunk::<8>()?;
            Some([u64::from_le_bytes(*a), u64::from_le_bytes(*b.first_chunk::<8>()?)])
        }) else {
            return bytes.get(at..).is_some_and(|rest| rest.starts_with(&self.bytes));
        };
        let differs = (a ^ self.words[0]) & self.masks[0] | (b ^ self.words[1]) & self.masks[1];
        differs == 0
            && (self.bytes.len() <= 16
                || bytes.get(at + 16..).is_some_and(|rest| rest.starts_with(&self.bytes[16..])))
    }
}

/// A value of the expected record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slot {
    /// The column.
    pub(crate) field: FieldId,
    /// Its ordinal in the record, as positions have it.
    pub(crate) ordinal: u32,
}

/// The shape of a record of scalars.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    /// What stands before each value.
    before: Vec<Literal>,
    /// What closes the record.
    close: Literal,
    pub(crate) slots: Vec<Slot>,
    /// Whether the record went over several lines: then it is not the record of a line.
    pub(crate) has_line_feed: bool,
}

impl Template {
    /// The template of the record on the tape, which was accepted; `None` if it is no object of scalars
    /// in columns of their own.
    pub(crate) fn learn(tape: &Tape, bytes: &[u8], fields: &Fields) -> Option<Self> {
        let nodes = tape.nodes();
        let root = nodes.first().filter(|node| node.kind == Kind::Object)?;
        let record = bytes.get(root.start as usize..root.end as usize)?;
        let mut template = Self {
            before: Vec::new(),
            close: Literal::new(b""),
            slots: Vec::new(),
            has_line_feed: memchr::memchr(b'\n', record).is_some(),
        };
        let mut from = root.start as usize;
        let mut name = Vec::new();
        let mut child = 1;
        while child < root.next {
            let value: &Node = nodes.get(child as usize + 1)?;
            if matches!(value.kind, Kind::List | Kind::Object)
                || template.slots.len() == MOST_VALUES
            {
                return None;
            }
            crate::rows::value::name_text(nodes.get(child as usize)?, bytes, &mut name);
            let field = fields.child(ROOT, std::str::from_utf8(&name).ok()?)?;
            let quote = usize::from(value.kind == Kind::String);
            template.before.push(Literal::new(bytes.get(from..value.start as usize - quote)?));
            template.slots.push(Slot { field, ordinal: child + 1 });
            from = value.end as usize + quote;
            child = value.next;
        }
        template.close = Literal::new(bytes.get(from..root.end as usize)?);
        Some(template)
    }

    /// Matches the record at `at`. Returns its end, with a span for each slot; `None` if it is not
    /// as expected, with `spans` as they come.
    #[inline]
    pub(crate) fn match_at(
        &self,
        bytes: &[u8],
        mut at: usize,
        mut span: impl FnMut(usize, Span),
    ) -> Option<usize> {
        for (slot, before) in self.before.iter().enumerate() {
            if !before.is_at(bytes, at) {
                return None;
            }
            at += before.bytes.len();
            let (kind, start, end) = match *bytes.get(at)? {
                b'"' => {
                    let end = string_end(bytes, at + 1);
                    if bytes.get(end) != Some(&b'"') {
                        return None;
                    }
                    (SpanKind::String, at + 1, end)
                }
                b'-' | b'0'..=b'9' => match number(bytes, at).ok()? {
                    (end, Kind::Integer) => (SpanKind::Integer, at, end),
                    (end, _) => (SpanKind::Fraction, at, end),
                },
                b't' if bytes.get(at..at + 4)? == b"true" => (SpanKind::True, at, at + 4),
                b'f' if bytes.get(at..at + 5)? == b"false" => (SpanKind::False, at, at + 5),
                b'n' if bytes.get(at..at + 4)? == b"null" => (SpanKind::Null, at, at + 4),
                _ => return None,
            };
            span(slot, Span { start: start as u32, end: end as u32, kind });
            at = end + usize::from(kind == SpanKind::String);
        }
        self.close.is_at(bytes, at).then(|| at + self.close.bytes.len())
    }
}
