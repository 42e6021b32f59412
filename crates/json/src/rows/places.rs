//! Columns that say where a record lies.

use std::sync::Arc;

use distil_plan::{FILE_COLUMN, Origin, Reason, is_place};

use crate::parse::tape::{Kind, Node, Tape};
use crate::rows::parts::RowParts;
use crate::rows::record::{Bad, RecordEncoder};
use crate::rows::value::name_text;
use crate::types::fields::{FieldId, ROOT};
use crate::types::sort_column::SortColumn;
use crate::values::decimal::{Decimal, Scratch};
use crate::values::encoding;

/// Where records lie, for a plan that wants to know.
pub(crate) struct Places {
    /// The paths of the inputs.
    files: Arc<[String]>,
    /// The parts of the row, if places decide the order: ordinal, and whether the part is that of the file.
    parts: Vec<(usize, bool)>,
    /// Where the record at hand lies.
    pub(crate) origin: Origin,
}

impl Places {
    /// Those of inputs with these paths, in rows with these sort columns.
    pub(crate) fn new(files: Arc<[String]>, sort_columns: &[SortColumn]) -> Self {
        let parts = sort_columns.iter().enumerate().filter_map(|(ordinal, column)| {
            let [name] = column.path.steps() else { return None };
            is_place(name).then_some((ordinal, name == FILE_COLUMN))
        });
        Self { files, parts: parts.collect(), origin: Origin { input: 0, offset: 0 } }
    }

    fn file(&self) -> &str {
        self.files.get(self.origin.input as usize).map_or("", String::as_str)
    }

    /// Fills the parts of the row that the place of its record decides.
    pub(crate) fn fill(&self, parts: &mut RowParts) {
        for (ordinal, is_file) in &self.parts {
            let (part, flip) = parts.part(*ordinal);
            if *is_file {
                encoding::string(part, self.file().as_bytes(), flip);
            } else {
                let mut scratch = Scratch::new();
                let offset = Decimal::from_u64(self.origin.offset, &mut scratch);
                encoding::number(part, &offset, flip);
            }
        }
    }

    /// Whether a member of the record at hand has the value of the column of its name.
    pub(crate) fn is_own(&self, node: &Node, bytes: &[u8], name: &str) -> bool {
        let is_file = name == FILE_COLUMN;
        match node.kind {
            Kind::String if is_file => {
                let mut text = Vec::new();
                name_text(node, bytes, &mut text);
                text == self.file().as_bytes()
            }
            Kind::Integer | Kind::Fraction if !is_file => {
                let mut scratch = Scratch::new();
                let own = Decimal::from_u64(self.origin.offset, &mut scratch);
                Decimal::parse(node.text(bytes)).is_ok_and(|value| value == own)
            }
            _ => false,
        }
    }
}

impl RecordEncoder {
    /// Checks that a record does not say that it lies elsewhere.
    pub(super) fn check_place(
        &mut self,
        node: &Node,
        bytes: &[u8],
        id: FieldId,
    ) -> Result<(), Bad> {
        let name = &self.fields.get(id).name;
        let is_own = self.places.as_ref().is_some_and(|places| places.is_own(node, bytes, name));
        if node.kind == Kind::Null || is_own {
            return Ok(());
        }
        let detail = format!("the plan adds another value of the member `{name}`");
        Err(Bad::new(Reason::NameClash, detail))
    }

    /// A member by which a record says that it lies elsewhere.
    pub(super) fn find_place_clash(&mut self, tape: &Tape, bytes: &[u8]) -> Option<Bad> {
        self.places.as_ref()?;
        let nodes = tape.nodes();
        let mut member = 1;
        while member < nodes.first()?.next {
            name_text(&nodes[member as usize], bytes, &mut self.text);
            let name = String::from_utf8_lossy(&self.text).into_owned();
            if is_place(&name)
                && let Some(id) = self.fields.child(ROOT, &name)
                && let Err(clash) = self.check_place(&nodes[member as usize + 1], bytes, id)
            {
                return Some(clash);
            }
            member = nodes[member as usize + 1].next;
        }
        None
    }
}
