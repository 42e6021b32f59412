//! Members outside a declared struct: what makes a record bad, or goes to the member `_extra`.

use distil_plan::{ColumnPath, ExtraMembers, Reason};

use crate::parse::tape::{Kind, Node, Tape};
use crate::rows::record::{Bad, RecordEncoder};
use crate::rows::value::name_text;
use crate::types::fields::{Declared, EXTRA, FieldId, ROOT};
use crate::values::encoding::{self, Flip};

impl RecordEncoder {
    /// The first member outside a declared struct that makes the record bad.
    pub(super) fn find_extra(
        &mut self,
        tape: &Tape,
        bytes: &[u8],
        object: u32,
        id: FieldId,
        in_list: bool,
    ) -> Option<Bad> {
        let nodes = tape.nodes();
        let keep = self.fields.extra_members == ExtraMembers::Keep && !in_list;
        match (&self.fields.get(id).declared, nodes[object as usize].kind) {
            (Declared::List, Kind::List) => {
                let element = self.fields.get(id).element?;
                let mut child = object + 1;
                while child < nodes[object as usize].next {
                    if let Some(bad) = self.find_extra(tape, bytes, child, element, true) {
                        return Some(bad);
                    }
                    child = nodes[child as usize].next;
                }
                None
            }
            (declared, Kind::Object) if id == ROOT || *declared != Declared::Open => {
                let closed = *declared == Declared::Struct;
                let mut child = object + 1;
                while child < nodes[object as usize].next {
                    name_text(&nodes[child as usize], bytes, &mut self.text);
                    let name = String::from_utf8_lossy(&self.text).into_owned();
                    let value = child + 1;
                    match self.fields.child(id, &name) {
                        Some(field) => {
                            if let Some(bad) = self.find_extra(tape, bytes, value, field, in_list) {
                                return Some(bad);
                            }
                        }
                        None if closed && !keep && nodes[value as usize].kind != Kind::Null => {
                            return Some(extra_member(&name, &nodes[child as usize]));
                        }
                        None => {}
                    }
                    child = nodes[value as usize].next;
                }
                None
            }
            _ => None,
        }
    }

    /// Members outside a declared struct, as the member `_extra` of the row; `None` if there are none.
    pub(super) fn extra_of(
        &mut self,
        tape: &Tape,
        bytes: &[u8],
        flip: Flip,
    ) -> Result<Vec<u8>, Bad> {
        let mut out = Vec::new();
        encoding::member_name(&mut out, EXTRA.as_bytes());
        let found = self.collect_extra(tape, bytes, 0, ROOT, flip, &mut out)?;
        if !found {
            out.clear();
        }
        Ok(out)
    }

    /// Recursion goes as deep as declared structs do.
    fn collect_extra(
        &mut self,
        tape: &Tape,
        bytes: &[u8],
        object: u32,
        id: FieldId,
        flip: Flip,
        out: &mut Vec<u8>,
    ) -> Result<bool, Bad> {
        let nodes = tape.nodes();
        let mut names = Vec::new();
        let mut child = object + 1;
        while child < nodes[object as usize].next {
            name_text(&nodes[child as usize], bytes, &mut self.text);
            names.push((self.text.clone(), child + 1));
            child = nodes[child as usize + 1].next;
        }
        names.sort_unstable();
        let closed = self.fields.get(id).declared == Declared::Struct;
        encoding::begin_object(out, flip);
        let mut found = false;
        for (name, value) in names {
            let kind = nodes[value as usize].kind;
            let field = self.fields.child(id, &String::from_utf8_lossy(&name));
            let start = out.len();
            let inner = match field {
                Some(field) => {
                    let declared = &self.fields.get(field).declared;
                    let walks = matches!(declared, Declared::Struct | Declared::OpenStruct);
                    if !walks || kind != Kind::Object {
                        continue;
                    }
                    encoding::member_name(out, &name);
                    self.collect_extra(tape, bytes, value, field, flip, out)?
                }
                None if (closed || (id == ROOT && name == EXTRA.as_bytes()))
                    && kind != Kind::Null =>
                {
                    encoding::member_name(out, &name);
                    self.values.encode(tape, bytes, value, out, flip)?;
                    true
                }
                None => continue,
            };
            if !inner {
                out.truncate(start);
            }
            found |= inner;
        }
        encoding::end_object(out);
        Ok(found)
    }

    pub(super) fn refuse_extra_in_list(
        &mut self,
        tape: &Tape,
        bytes: &[u8],
        object: u32,
        id: FieldId,
    ) -> Result<(), Bad> {
        match self.find_extra(tape, bytes, object, id, true) {
            Some(bad) => Err(bad),
            None => Ok(()),
        }
    }
}

pub(super) fn extra_member(name: &str, node: &Node) -> Bad {
    let detail = format!("the member {} is not in the declared schema", ColumnPath::name(name));
    Bad::new(Reason::ExtraMember, detail).at(node.start as usize - 1)
}
