//! What the footer of a Parquet file claims, looked at before the library believes it.
//!
//! The Parquet crate goes down a schema by recursion, and makes room for as many row groups as a list says that it has:
//! a footer of some kilobytes could end the process by its stack or its memory. This reads the footer as what it
//! is, a struct in the compact protocol of Thrift, and only follows lengths. What is broken in another way is left
//! to the library, which says what it is.

/// Most levels of groups in a schema. Types of distil have at most 31, each of them two groups in Parquet.
const MOST_LEVELS: usize = 100;
/// Most levels of structs and lists in a footer: the format has six.
const MOST_NESTED: usize = 32;
/// The field of the footer that holds the schema, and the field of an element of it that counts its children.
const SCHEMA: i64 = 2;
const CHILDREN: i64 = 5;

/// What a footer, without its length and mark, claims and can't have.
pub(crate) fn impossible(footer: &[u8]) -> Option<String> {
    let mut reader = Reader { bytes: footer, open: Vec::new(), problem: None };
    // Broken bytes end the walk early, with a problem or without one.
    let _ = reader.footer();
    reader.problem
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// For each group of the schema that is open, how many children are still to come.
    open: Vec<i64>,
    problem: Option<String>,
}

/// The kinds of values, as fields and lists write them.
mod kind {
    pub(super) const BOOLEANS: [u8; 2] = [1, 2];
    pub(super) const BYTE: u8 = 3;
    pub(super) const INTEGERS: [u8; 3] = [4, 5, 6];
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LISTS: [u8; 2] = [9, 10];
    pub(super) const MAP: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
}

impl Reader<'_> {
    fn footer(&mut self) -> Option<()> {
        let mut id = 0;
        while let Some(found) = self.field(&mut id)? {
            if id == SCHEMA && kind::LISTS.contains(&found) {
                let (count, element) = self.list()?;
                for _ in 0..count {
                    if element == kind::STRUCT {
                        self.schema_element()?;
                    } else {
                        self.skip(element, 0, true)?;
                    }
                }
            } else {
                self.skip(found, 0, false)?;
            }
        }
        Some(())
    }

    fn schema_element(&mut self) -> Option<()> {
        let (mut id, mut children) = (0, 0);
        while let Some(found) = self.field(&mut id)? {
            if id == CHILDREN && kind::INTEGERS.contains(&found) {
                children = zigzag(self.varint()?);
            } else {
                self.skip(found, 1, false)?;
            }
        }
        while self.open.last() == Some(&0) {
            self.open.pop();
        }
        if let Some(left) = self.open.last_mut() {
            *left -= 1;
        }
        if children > 0 {
            self.open.push(children);
        }
        if self.open.len() > MOST_LEVELS {
            return self.refuse(format!("its schema nests more than {MOST_LEVELS} levels"));
        }
        Some(())
    }

    /// The kind of the next field, whose number replaces that of the one before; `None` inside at the end.
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte & 0x0f == 0 {
            return Some(None);
        }
        *id = match byte >> 4 {
            0 => zigzag(self.varint()?),
            step => id.checked_add(i64::from(step))?,
        };
        Some(Some(byte & 0x0f))
    }

    /// How many elements a list has, and their kind.
    fn list(&mut self) -> Option<(u64, u8)> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        // Every element has a byte at least.
        if count > self.bytes.len() as u64 {
            return self.refuse("a list in its footer is longer than the footer".to_owned());
        }
        Some((count, byte & 0x0f))
    }

    fn skip(&mut self, found: u8, nested: usize, in_list: bool) -> Option<()> {
        if nested > MOST_NESTED {
            return self.refuse(format!("its footer nests more than {MOST_NESTED} levels"));
        }
        match found {
            // A field says in its kind whether it is true.
            _ if kind::BOOLEANS.contains(&found) => {
                if in_list {
                    self.byte()?;
                }
            }
            kind::BYTE => drop(self.byte()?),
            _ if kind::INTEGERS.contains(&found) => drop(self.varint()?),
            kind::DOUBLE => self.bytes = self.bytes.get(8..)?,
            kind::BINARY => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.bytes = self.bytes.get(length..)?;
            }
            _ if kind::LISTS.contains(&found) => {
                let (count, element) = self.list()?;
                for _ in 0..count {
                    self.skip(element, nested + 1, true)?;
                }
            }
            kind::MAP => {
                let count = self.varint()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                for _ in 0..count {
                    self.skip(kinds >> 4, nested + 1, true)?;
                    self.skip(kinds & 0x0f, nested + 1, true)?;
                }
            }
            kind::STRUCT => {
                let mut id = 0;
                while let Some(found) = self.field(&mut id)? {
                    self.skip(found, nested + 1, false)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn refuse<T>(&mut self, problem: String) -> Option<T> {
        self.problem = Some(problem);
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element of a schema: its name, and how many children it has.
    fn element(children: u8) -> Vec<u8> {
        vec![0x48, 1, b'a', 0x15, children << 1, 0]
    }

    fn footer(elements: &[Vec<u8>], rest: &[u8]) -> Vec<u8> {
        let count = elements.len();
        let mut bytes = vec![0x15, 2, 0x19, 0xfc, count as u8 & 0x7f | 0x80, (count >> 7) as u8];
        bytes.extend(elements.concat());
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn levels_are_counted_where_children_end() {
        // Many siblings, each with a child, nest one level.
        let flat: Vec<Vec<u8>> = [element(120)]
            .into_iter()
            .chain((0..120).flat_map(|_| [element(1), element(0)]))
            .collect();
        assert_eq!(impossible(&footer(&flat, &[0])), None);
        for (levels, is_refused) in [(100, false), (101, true), (5_000, true)] {
            let deep = vec![element(1); levels];
            assert_eq!(impossible(&footer(&deep, &[0])).is_some(), is_refused, "{levels}");
        }
    }

    #[test]
    fn a_list_has_no_more_elements_than_there_are_bytes() {
        let groups = [0x16, 0, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 7, 0];
        assert!(impossible(&footer(&[element(0)], &groups)).is_some());
        let groups = [0x16, 0, 0x19, 0x1c, 0, 0];
        assert_eq!(impossible(&footer(&[element(0)], &groups)), None);
    }

    #[test]
    fn what_is_broken_otherwise_is_left_to_the_library() {
        let whole = footer(&[element(1), element(0)], &[0x16, 0, 0x19, 0x0c, 0]);
        assert_eq!(impossible(&whole), None);
        for end in (0..3).chain(6..whole.len() - 1) {
            let problem = impossible(&whole[..end]);
            assert!(problem.is_none_or(|problem| problem.contains("longer")), "{end}");
        }
        for byte in 0..=255 {
            impossible(&[byte; 100]);
        }
        // Structs in structs, in a field that nothing knows.
        assert!(impossible(&[0x1c; 100_000]).is_some());
    }
}
