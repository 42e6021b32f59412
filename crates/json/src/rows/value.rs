//! Values without a schema: from the tape to the order-preserving encoding, and from there to
//! canonical JSON text.

use crate::parse::tape::{Kind, Node, Tape, unescape};
use crate::values::decimal::Decimal;
use crate::values::encoding::{self, Cursor, Flip, Value};

/// A member name occurs twice in one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DuplicateMember {
    pub(crate) name: Vec<u8>,
    /// Where it stands again: its quote.
    pub(crate) at: usize,
}

impl DuplicateMember {
    /// Of a name that `node` is the second of.
    pub(crate) fn of(name: &[u8], node: &Node) -> Self {
        Self { name: name.to_vec(), at: node.start as usize - 1 }
    }
}

enum Work {
    Value(u32),
    /// The name node of a member.
    Member(u32),
    EndList,
    EndObject,
}

/// Encodes values of any depth without recursion.
#[derive(Default)]
pub(crate) struct ValueEncoder {
    /// Bytes of the values encoded since this was last set: see [`scalar`].
    pub(crate) value_bytes: u64,
    work: Vec<Work>,
    /// Member names of one object, escapes resolved, and their nodes.
    names: Vec<(Vec<u8>, u32)>,
    text: Vec<u8>,
}

impl ValueEncoder {
    /// Appends the encoding of the value at `node`; null members are left out.
    pub(crate) fn encode(
        &mut self,
        tape: &Tape,
        bytes: &[u8],
        node: u32,
        out: &mut Vec<u8>,
        flip: Flip,
    ) -> Result<(), DuplicateMember> {
        let nodes = tape.nodes();
        self.work.clear();
        self.work.push(Work::Value(node));
        while let Some(work) = self.work.pop() {
            let index = match work {
                Work::EndList => {
                    encoding::end_list(out, flip);
                    continue;
                }
                Work::EndObject => {
                    encoding::end_object(out);
                    continue;
                }
                Work::Member(name) => {
                    name_text(&nodes[name as usize], bytes, &mut self.text);
                    encoding::member_name(out, &self.text);
                    name + 1
                }
                Work::Value(index) => index,
            };
            let value = &nodes[index as usize];
            match value.kind {
                Kind::List => {
                    encoding::begin_list(out, flip);
                    self.work.push(Work::EndList);
                    let first = self.work.len();
                    let mut child = index + 1;
                    while child < value.next {
                        self.work.push(Work::Value(child));
                        child = nodes[child as usize].next;
                    }
                    self.work[first..].reverse();
                }
                Kind::Object => {
                    encoding::begin_object(out, flip);
                    self.sort_members(nodes, bytes, index)?;
                    self.work.push(Work::EndObject);
                    for (_, name) in self.names.iter().rev() {
                        if nodes[*name as usize + 1].kind != Kind::Null {
                            self.work.push(Work::Member(*name));
                        }
                    }
                }
                _ => self.value_bytes += scalar(value, bytes, out, flip, &mut self.text),
            }
        }
        Ok(())
    }

    /// Looks for a member name that occurs twice in the value at `node`, at any depth.
    pub(crate) fn check_duplicates(
        &mut self,
        tape: &Tape,
        bytes: &[u8],
        node: u32,
    ) -> Result<(), DuplicateMember> {
        let nodes = tape.nodes();
        for index in node..nodes[node as usize].next {
            if nodes[index as usize].kind == Kind::Object {
                self.sort_members(nodes, bytes, index)?;
            }
        }
        Ok(())
    }

    fn sort_members(
        &mut self,
        nodes: &[Node],
        bytes: &[u8],
        object: u32,
    ) -> Result<(), DuplicateMember> {
        self.names.clear();
        let mut child = object + 1;
        while child < nodes[object as usize].next {
            let mut name = Vec::new();
            name_text(&nodes[child as usize], bytes, &mut name);
            self.names.push((name, child));
            child = nodes[child as usize + 1].next;
        }
        self.names.sort_unstable();
        match self.names.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(DuplicateMember::of(&pair[1].0, &nodes[pair[1].1 as usize])),
            None => Ok(()),
        }
    }
}

/// The text of a name or string, escapes resolved.
pub(crate) fn name_text(node: &Node, bytes: &[u8], out: &mut Vec<u8>) {
    out.clear();
    if node.escaped {
        unescape(node.text(bytes), out);
    } else {
        out.extend_from_slice(node.text(bytes));
    }
}

/// Appends the encoding of a scalar; returns its bytes as a value: 8 for a number, 1 for a boolean, the
/// length of a string. That is a pure function of the value, whatever type its column ends with.
pub(crate) fn scalar(
    node: &Node,
    bytes: &[u8],
    out: &mut Vec<u8>,
    flip: Flip,
    text: &mut Vec<u8>,
) -> u64 {
    match node.kind {
        Kind::False => encoding::boolean(out, false, flip),
        Kind::True => encoding::boolean(out, true, flip),
        Kind::Integer | Kind::Fraction => {
            // The parser checked the exponent.
            let number = Decimal::parse(node.text(bytes)).unwrap_or(Decimal::ZERO);
            encoding::number(out, &number, flip);
            return 8;
        }
        Kind::String if node.escaped => {
            text.clear();
            unescape(node.text(bytes), text);
            encoding::string(out, text, flip);
            return text.len() as u64;
        }
        Kind::String => {
            encoding::plain_string(out, node.text(bytes), flip);
            return u64::from(node.end - node.start);
        }
        _ => {
            encoding::null(out);
            return 0;
        }
    }
    1
}

/// Appends a string as JSON text with the fewest escapes.
pub fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends the canonical JSON text of the next encoded value, and uses it.
pub(crate) fn write_json(cursor: &mut Cursor<'_>, buffer: &mut Vec<u8>, out: &mut Vec<u8>) {
    // Each open composite: whether it is an object, and whether something stands in it.
    let mut open: Vec<(bool, bool)> = Vec::new();
    loop {
        match cursor.next(buffer) {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Value::Number { negative, exponent } => {
                Decimal::from_parts(negative, buffer, exponent).write_canonical(out);
            }
            Value::String => write_string(buffer, out),
            Value::List => {
                out.push(b'[');
                open.push((false, false));
            }
            Value::Object => {
                out.push(b'{');
                open.push((true, false));
            }
            // Values of declared types do not occur inside values without a schema.
            Value::Binary | Value::Timestamp(_) | Value::Date(_) => out.extend_from_slice(b"null"),
        }
        loop {
            let Some((object, filled)) = open.last_mut() else { return };
            if *object && cursor.ends_object() {
                out.push(b'}');
            } else if !*object && cursor.ends_list() {
                out.push(b']');
            } else {
                if std::mem::replace(filled, true) {
                    out.push(b',');
                }
                if *object {
                    cursor.name(buffer);
                    write_string(buffer, out);
                    out.push(b':');
                }
                break;
            }
            open.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str, flip: Flip) -> String {
        let mut tape = Tape::default();
        tape.parse_frame(text.as_bytes(), 0, text.len()).unwrap();
        let mut encoded = Vec::new();
        ValueEncoder::default().encode(&tape, text.as_bytes(), 0, &mut encoded, flip).unwrap();
        let mut cursor = Cursor::new(&encoded, flip);
        let (mut out, mut buffer) = (Vec::new(), Vec::new());
        write_json(&mut cursor, &mut buffer, &mut out);
        assert!(cursor.bytes.is_empty());
        let mut cursor = Cursor::new(&encoded, flip);
        cursor.skip_value();
        assert!(cursor.bytes.is_empty());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn canonical_text_comes_back_from_both_directions() {
        for (text, expected) in [
            (r#" { "b" : 1.0 , "a" : [ ] , "c":null } "#, r#"{"a":[],"b":1}"#),
            (
                r#"[null,[{}],{"x":{"y":null}},"\u0041\u0001\/\ud83d\ude00"]"#,
                r#"[null,[{}],{"x":{}},"A\u0001/😀"]"#,
            ),
            ("-0.0", "0"),
            (
                "[1e400,12345678901234567890123456789012345678901,true,false]",
                "[1e400,12345678901234567890123456789012345678901,true,false]",
            ),
            (r#"{"":[[]],"\u0000\u0001":"\u0000"}"#, r#"{"":[[]],"\u0000\u0001":"\u0000"}"#),
        ] {
            assert_eq!(canonical(text, Flip::ASC), expected);
            assert_eq!(canonical(text, Flip::DESC), expected);
        }
    }

    #[test]
    fn deep_values_need_no_stack() {
        let text = format!("{}{}", "[".repeat(1024), "]".repeat(1024));
        let run = std::thread::Builder::new().stack_size(128 << 10);
        let handle = run.spawn(move || assert_eq!(canonical(&text, Flip::ASC), text)).unwrap();
        handle.join().unwrap();
    }

    fn order(a: &str, b: &str, flip: Flip) -> std::cmp::Ordering {
        let encoded = |text: &str| {
            let mut tape = Tape::default();
            tape.parse_frame(text.as_bytes(), 0, text.len()).unwrap();
            let mut out = Vec::new();
            ValueEncoder::default().encode(&tape, text.as_bytes(), 0, &mut out, flip).unwrap();
            out
        };
        encoded(a).cmp(&encoded(b))
    }

    #[test]
    fn kinds_and_composites_order_as_the_contract_says() {
        use std::cmp::Ordering::{Greater, Less};
        let ascending = [
            "false",
            "true",
            "-1",
            "0",
            "\"\"",
            "\"a\"",
            "[]",
            "[1]",
            "[1,2]",
            "[1,null]",
            "[2]",
            "[null]",
            "{\"a\":1,\"b\":1}",
            "{\"a\":1}",
            "{\"b\":0}",
            "{}",
            "null",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(order(pair[0], pair[1], Flip::ASC), Less, "{pair:?}");
        }
        for (first, second) in [
            ("[1,2]", "[1]"),
            ("[1,null]", "[1]"),
            ("[1]", "[null]"),
            ("{\"a\":2}", "{\"a\":1}"),
            ("{\"a\":1}", "{}"),
            ("{}", "null"),
            ("{}", "[]"),
            ("true", "false"),
            ("{\"a\":1}", "{\"b\":9}"),
        ] {
            assert_eq!(order(first, second, Flip::DESC), Less, "{first} {second}");
            assert_eq!(order(second, first, Flip::DESC), Greater);
        }
    }

    #[test]
    fn duplicates_are_found_at_any_depth_and_under_any_spelling() {
        let check = |text: &str| {
            let mut tape = Tape::default();
            tape.parse_frame(text.as_bytes(), 0, text.len()).unwrap();
            ValueEncoder::default().check_duplicates(&tape, text.as_bytes(), 0)
        };
        assert!(check(r#"[{"a":[{"b":1,"c":2,"\u0062":3}]}]"#).is_err());
        assert!(check(r#"{"a":null,"a":null}"#).is_err());
        assert!(check(r#"{"a":{"a":{"a":1}},"b":{"a":1}}"#).is_ok());
    }
}
