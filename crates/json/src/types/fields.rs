//! The tree of columns: what is declared, what was seen, and the schema that follows.

use std::collections::HashMap;
use std::sync::Arc;

use distil_plan::{
    Code, ColumnPath, Error, ExtraMembers, FILE_COLUMN, Field as Column, Hint, NullText,
    POSITION_COLUMN, Result, Schema, SchemaSpec, Type, TypeNote,
};

use crate::types::facts::{Facts, Position, Verdict, earlier, fact};
use crate::types::sort_column::SortColumn;
use crate::values::encoding;
use crate::values::instant_text::InstantReader;

/// Index of a field in the tree.
pub(crate) type FieldId = u32;

/// The record itself.
pub(crate) const ROOT: FieldId = 0;

/// Most member names of a column that is a struct.
pub(super) const MAX_MEMBERS: usize = 1_000;
/// Most leaf columns of an output.
pub(super) const MAX_LEAVES: usize = 10_000;
/// Most fields of bad records that are kept, to say which column may have been meant.
pub(crate) const MOST_LEFT: usize = 10_000;
/// Deepest level at which a column may hold objects or lists: a top-level column is level 1.
const MAX_LEVEL: u32 = Type::MOST_LEVELS as u32;
/// The column of members outside a declared schema.
pub(crate) const EXTRA: &str = "_extra";

/// What a field is by the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    /// Nothing: its type is inferred.
    Open,
    /// A scalar or `json`.
    Scalar(Type),
    /// A list; its element is a field.
    List,
    /// A struct with these members and no others.
    Struct,
    /// A struct, because something inside is hinted; its other members are inferred.
    OpenStruct,
}

/// SortColumn of the row that holds a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Among the rest, by name.
    Rest,
    /// A part of its own: the key's parts come first, then the order's.
    SortColumn(u32),
    /// Nowhere: it says where the record lies, which goes beside the row.
    Place,
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Mark and name as in an encoded object.
    pub(crate) encoded_name: Vec<u8>,
    pub(crate) declared: Declared,
    /// Whether whoever declared it knew no value that says what it is.
    unknown: bool,
    /// Reads instants whose form the plan gives.
    pub(crate) instants: Option<Arc<InstantReader>>,
    /// Strings that stand for null.
    pub(super) null_text: Arc<[Vec<u8>]>,
    pub(crate) role: Role,
    /// Whether it lies in a list, where no path leads.
    pub(super) in_list: bool,
    /// The field that it is a member or the element of.
    parent: FieldId,
    /// The record is 0, a top-level column 1.
    pub(crate) level: u32,
    pub(crate) facts: Facts,
    pub(crate) children: Vec<FieldId>,
    lookup: HashMap<String, FieldId>,
    pub(crate) element: Option<FieldId>,
    /// How many children had a fact when they were last counted, and how many children there were.
    counted: (usize, usize),
    /// Ordinal of the hint that names it, if one does.
    hinted: Option<u32>,
    /// The first record that had it and was bad for a null in its key.
    pub(crate) seen: Option<Position>,
}

/// All columns that the plan names or a record had.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(super) fields: Vec<Field>,
    pub(crate) extra_members: ExtraMembers,
    /// Whether the output has the column of extra members.
    pub(crate) keeps_extra: bool,
    /// Whether strings of some column stand for null.
    pub(super) has_null_text: bool,
    /// The texts of the plan without a column, of a decoder that surveys.
    pub(super) surveyed: Option<Arc<[Vec<u8>]>>,
}

impl Fields {
    /// The tree before any record.
    ///
    /// # Errors
    /// A usage error if a column that the plan names can't be there.
    pub(crate) fn new(
        spec: &SchemaSpec,
        extra_members: ExtraMembers,
        null_text: &NullText,
        sort_columns: &[SortColumn],
        origin: bool,
    ) -> Result<Self> {
        let mut tree = Self {
            fields: Vec::new(),
            extra_members,
            keeps_extra: false,
            has_null_text: false,
            surveyed: None,
        };
        tree.add(String::new(), ROOT, 0);
        match &spec.declared {
            Some(schema) => {
                tree.declare_struct(ROOT, &schema.fields)?;
                tree.keeps_extra = extra_members == ExtraMembers::Keep;
            }
            None => {
                for (ordinal, (path, data_type)) in spec.hints.iter().enumerate() {
                    let id = tree.walk(path, true)?;
                    tree.declare(id, data_type)?;
                    tree.fields[id as usize].hinted = Some(ordinal as u32);
                    tree.keeps_extra |=
                        extra_members == ExtraMembers::Keep && matches!(data_type, Type::Struct(_));
                }
            }
        }
        if tree.keeps_extra && tree.child(ROOT, EXTRA).is_some() {
            return Err(Error::usage(format!(
                "the column {EXTRA} is declared, but it holds the extra members"
            ))
            .help("leave it out of the schema")
            .help(Hint::set("or leave extra members out", "extra_members", "ignore")));
        }
        if origin {
            // Every record has them, and the plan no others of these names.
            for (name, data_type) in [(FILE_COLUMN, Type::String), (POSITION_COLUMN, Type::Int64)] {
                let id = tree.add_child(ROOT, name);
                tree.declare(id, &data_type)?;
            }
        }
        tree.set_null_text(null_text)?;
        for (ordinal, part) in sort_columns.iter().enumerate() {
            let id = tree.walk(&part.path, false)?;
            let field = &mut tree.fields[id as usize];
            field.role = Role::SortColumn(ordinal as u32);
            if matches!(field.declared, Declared::List | Declared::Struct | Declared::OpenStruct)
                || matches!(field.declared, Declared::Scalar(Type::Json | Type::JsonText))
            {
                return Err(part.not_scalar());
            }
        }
        for name in [FILE_COLUMN, POSITION_COLUMN] {
            if let Some(id) = tree.child(ROOT, name).filter(|_| origin) {
                tree.get_mut(id).role = Role::Place;
            }
        }
        Ok(tree)
    }

    pub(crate) fn get(&self, id: FieldId) -> &Field {
        &self.fields[id as usize]
    }

    pub(crate) fn get_mut(&mut self, id: FieldId) -> &mut Field {
        &mut self.fields[id as usize]
    }

    /// The member of this name, if the tree has it.
    pub(crate) fn child(&self, id: FieldId, name: &str) -> Option<FieldId> {
        self.get(id).lookup.get(name).copied()
    }

    /// The member of this name of an inferred object; `None` once the object has too many.
    pub(crate) fn child_or_new(&mut self, id: FieldId, name: &str) -> Option<FieldId> {
        if let Some(child) = self.child(id, name) {
            return Some(child);
        }
        if self.has_too_many(id) { None } else { Some(self.add_child(id, name)) }
    }

    /// Whether more members would change nothing: the object has too many to be columns already, or will
    /// have if the record at hand is accepted.
    fn has_too_many(&mut self, id: FieldId) -> bool {
        let limit = if id == ROOT { MAX_LEAVES } else { MAX_MEMBERS };
        let field = self.get(id);
        let children = field.children.len();
        if children <= limit {
            return false;
        }
        let (mut appeared, counted) = field.counted;
        // Counted anew once they have doubled, so that counting costs no more than adding.
        if appeared <= limit && children >= 2 * counted {
            appeared = field.children.iter().filter(|c| self.get(**c).facts.bits != 0).count();
            self.get_mut(id).counted = (appeared, children);
        }
        // Of those without a fact at most `MOST_LEFT` are not of the record at hand.
        appeared > limit || children > appeared + MOST_LEFT + limit
    }

    /// How many fields there are, for [`Fields::forget_from`].
    pub(crate) fn count(&self) -> usize {
        self.fields.len()
    }

    /// Takes back the fields that a record added that is bad: endless bad records must not add endless
    /// fields.
    pub(crate) fn forget_from(&mut self, count: usize) {
        for id in (count..self.fields.len()).rev() {
            let Some(gone) = self.fields.pop() else { return };
            let Some(parent) = self.fields.get_mut(gone.parent as usize) else { continue };
            if parent.element == Some(id as FieldId) {
                parent.element = None;
            } else {
                parent.children.pop();
                parent.lookup.remove(&gone.name);
            }
        }
    }

    /// The element field of an inferred list.
    pub(crate) fn element_or_new(&mut self, id: FieldId) -> FieldId {
        if let Some(element) = self.get(id).element {
            return element;
        }
        let level = self.get(id).level + 1;
        let element = self.add(String::new(), id, level);
        self.get_mut(element).in_list = true;
        self.get_mut(id).element = Some(element);
        element
    }

    /// Whether the values of this inferred field may become a list or a struct.
    pub(crate) fn nests(&self, id: FieldId) -> bool {
        self.get(id).level <= MAX_LEVEL
    }

    fn add(&mut self, name: String, parent: FieldId, level: u32) -> FieldId {
        let mut encoded_name = Vec::new();
        encoding::member_name(&mut encoded_name, name.as_bytes());
        let in_list = self.fields.get(parent as usize).is_some_and(|field| field.in_list);
        self.fields.push(Field {
            in_list,
            name,
            encoded_name,
            declared: Declared::Open,
            unknown: false,
            instants: None,
            null_text: Arc::default(),
            role: Role::Rest,
            parent,
            level,
            facts: Facts::default(),
            children: Vec::new(),
            lookup: HashMap::new(),
            element: None,
            counted: (0, 0),
            hinted: None,
            seen: None,
        });
        (self.fields.len() - 1) as FieldId
    }

    pub(super) fn add_child(&mut self, id: FieldId, name: &str) -> FieldId {
        let level = self.get(id).level + 1;
        let child = self.add(name.to_owned(), id, level);
        let field = self.get_mut(id);
        field.children.push(child);
        field.lookup.insert(name.to_owned(), child);
        child
    }

    fn declare(&mut self, id: FieldId, data_type: &Type) -> Result<()> {
        match data_type {
            Type::List(element) => {
                self.get_mut(id).declared = Declared::List;
                let child = self.element_or_new(id);
                self.declare(child, element)?;
            }
            Type::Struct(columns) => self.declare_struct(id, columns)?,
            other => {
                let field = self.get_mut(id);
                field.declared = Declared::Scalar(other.clone());
                self.has_null_text |= *other == Type::JsonText;
                let field = self.get_mut(id);
                if let Type::TimestampText(format) = other {
                    field.instants = Some(Arc::new(InstantReader::new(format)?));
                }
            }
        }
        Ok(())
    }

    fn declare_struct(&mut self, id: FieldId, columns: &[Column]) -> Result<()> {
        self.get_mut(id).declared = Declared::Struct;
        for column in columns {
            let child = self.add_child(id, &column.name);
            self.declare(child, &column.data_type)?;
            self.get_mut(child).unknown = column.unknown;
        }
        Ok(())
    }

    /// The field at a path, made on the way; a hint makes the objects around it structs.
    pub(super) fn walk(&mut self, path: &ColumnPath, hint: bool) -> Result<FieldId> {
        let mut id = ROOT;
        for step in path.steps() {
            if hint && id != ROOT && self.get(id).declared == Declared::Open {
                self.get_mut(id).declared = Declared::OpenStruct;
            }
            id = match (self.child(id, step), &self.get(id).declared) {
                (Some(child), _) => child,
                (None, Declared::Open | Declared::OpenStruct) => self.add_child(id, step),
                (None, _) => return Err(self.no_such_column(path)),
            };
        }
        Ok(id)
    }

    /// The field at a path, if the tree has it.
    pub(crate) fn find(&self, path: &ColumnPath) -> Option<FieldId> {
        path.steps().iter().try_fold(ROOT, |id, step| self.child(id, step))
    }

    /// Adds what another tree of the same plan saw.
    pub(crate) fn join(&mut self, other: &Self) {
        self.join_field(ROOT, other, ROOT);
    }

    /// Moves all facts to a tree of their own; the fields stay.
    pub(crate) fn take_facts(&mut self) -> Self {
        let seen = self.clone();
        for field in &mut self.fields {
            field.facts = Facts::default();
        }
        seen
    }

    /// Forgets what was first seen after a place.
    pub(crate) fn forget_behind(&mut self, place: (usize, u64)) {
        for field in &mut self.fields {
            field.facts.forget_behind(place);
            field.seen.take_if(|position| position.is_behind(place));
        }
    }

    fn join_field(&mut self, mine: FieldId, other: &Self, theirs: FieldId) {
        let theirs = other.get(theirs);
        let field = self.get_mut(mine);
        field.facts.join(&theirs.facts);
        field.seen = earlier(field.seen, theirs.seen);
        for child in &theirs.children {
            let name = &other.get(*child).name;
            // Not `child_or_new`: the limits are on what all records have, so a tree may hold more.
            let id = match self.child(mine, name) {
                Some(id) => id,
                None => self.add_child(mine, name),
            };
            self.join_field(id, other, *child);
        }
        if let Some(element) = theirs.element {
            let id = self.element_or_new(mine);
            self.join_field(id, other, element);
        }
    }

    pub(super) fn exists(&self, id: FieldId) -> bool {
        let field = self.get(id);
        field.seen.is_some() || field.facts.bits != 0 || field.declared != Declared::Open
    }

    /// Whether some record had the column, a bad one perhaps, or the plan declares it.
    pub(crate) fn has(&self, path: &ColumnPath) -> bool {
        self.find(path).is_some_and(|id| self.exists(id))
    }

    /// The schema that all facts together make.
    ///
    /// # Errors
    /// Input errors: no column at all, too many columns, a key that is no scalar, text in a
    /// key or an order that would decide wrongly.
    pub(crate) fn resolve(&self, sort_columns: &[SortColumn]) -> Result<Schema> {
        let mut schema = Schema { fields: self.members(ROOT) };
        let columns = schema.index();
        for part in sort_columns {
            let id = self.find(&part.path).filter(|id| self.exists(*id));
            let Some(id) = id else { return Err(self.no_such_column(&part.path)) };
            let field = self.get(id);
            if field.declared == Declared::Open
                && field.facts.verdict() == Verdict::Scalar(Type::String)
            {
                field.facts.text_order.check(part, sort_columns)?;
            }
            match columns.find(&part.path) {
                Some(data_type) if data_type.is_scalar() => {}
                // Only bad records had it.
                None if self.get(id).facts.bits == 0 => {
                    return Err(Error::input(format!(
                        "no row would be written: no record has a value in the key column {}",
                        part.path
                    ))
                    .coded(Code::NoRows)
                    .help(Hint::set(
                        "keep records without a key",
                        "null_keys",
                        "value",
                    )));
                }
                _ => return Err(part.not_scalar()),
            }
        }
        if self.keeps_extra {
            schema.fields.push(Column::new(EXTRA, Type::Json));
        }
        if schema.fields.is_empty() {
            return Err(Error::input("the records have no column")
                .help(Hint::choose("declare the columns", "schema")));
        }
        let leaves: usize = schema.fields.iter().map(|f| f.data_type.leaf_count()).sum();
        if leaves > MAX_LEAVES {
            return Err(self.too_many());
        }
        Ok(schema)
    }

    /// What is to be said of an order column whose text decides although it spells numbers.
    pub(crate) fn text_order_note(
        &self,
        part: &SortColumn,
        parts: &[SortColumn],
    ) -> Option<TypeNote> {
        let field = self.get(self.find(&part.path)?);
        let is_text = field.declared == Declared::Open
            && field.facts.verdict() == Verdict::Scalar(Type::String);
        let position = field.facts.position(fact::TEXT)?;
        if is_text { field.facts.text_order.note_of(part, parts, position) } else { None }
    }

    /// How many there are is not known: once there are too many, not all are counted.
    fn too_many(&self) -> Error {
        let mut widest = (0, None);
        self.widest(ROOT, None, &mut widest);
        let error = Error::input(format!("the records have more than {MAX_LEAVES} columns"));
        match widest.1 {
            Some(path) => error.help(Hint::set(
                "keep the widest as JSON text",
                "types",
                format!("{path}=json"),
            )),
            None => error.help(
                "are some member names values? Reshape the records, or declare the columns with \
                 --schema and put the rest into one `json` column with --extra-members keep",
            ),
        }
    }

    fn widest(
        &self,
        id: FieldId,
        path: Option<&ColumnPath>,
        widest: &mut (usize, Option<ColumnPath>),
    ) {
        let count = self.get(id).children.len();
        if count > widest.0 {
            *widest = (count, path.cloned());
        }
        for child in &self.get(id).children {
            let name = &self.get(*child).name;
            let path = path.map_or_else(|| ColumnPath::name(name), |path| path.child(name));
            self.widest(*child, Some(&path), widest);
        }
    }

    fn members(&self, id: FieldId) -> Vec<Column> {
        self.columns_in(id).into_iter().map(|child| self.column(child)).collect()
    }

    /// The members that are columns, as they stand in the schema.
    pub(super) fn columns_in(&self, id: FieldId) -> Vec<FieldId> {
        let field = self.get(id);
        let mut children: Vec<FieldId> =
            field.children.iter().copied().filter(|child| self.is_column(*child)).collect();
        if field.declared != Declared::Struct {
            children.sort_by_cached_key(|child| self.rank(*child));
        }
        children
    }

    /// Whether the field is in the schema: a record had it, or the plan declares it.
    fn is_column(&self, id: FieldId) -> bool {
        let field = self.get(id);
        field.declared != Declared::Open || field.facts.bits != 0
    }

    /// Columns that records have first, in order of appearance; then those of the hints alone, and last those of
    /// places, which a record need not name.
    fn rank(&self, id: FieldId) -> (bool, Option<Position>, u32) {
        if self.get(id).role == Role::Place {
            return (true, None, u32::MAX);
        }
        let appeared = self.get(id).facts.appeared();
        (appeared.is_none(), appeared, self.first_hint(id))
    }

    fn first_hint(&self, id: FieldId) -> u32 {
        let field = self.get(id);
        let inside = field.children.iter().map(|child| self.first_hint(*child)).min();
        field.hinted.into_iter().chain(inside).min().unwrap_or(u32::MAX)
    }

    fn column(&self, id: FieldId) -> Column {
        let (data_type, unknown) = self.data_type(id);
        Column { name: self.get(id).name.clone(), data_type, unknown }
    }

    /// The type of a field, and whether nothing says what it is: what was declared as unknown stays so
    /// until a value is seen.
    pub(super) fn data_type(&self, id: FieldId) -> (Type, bool) {
        let field = self.get(id);
        match &field.declared {
            Declared::Scalar(data_type) => {
                (data_type.stored(), field.unknown && field.facts.bits == 0)
            }
            Declared::List => {
                let no_fact = |element: FieldId| self.get(element).facts.bits == 0;
                (self.list(id).0, field.unknown && field.element.is_none_or(no_fact))
            }
            Declared::Struct | Declared::OpenStruct => (Type::Struct(self.members(id)), false),
            Declared::Open => match field.facts.verdict() {
                Verdict::Unknown => (Type::String, true),
                Verdict::Scalar(data_type) => (data_type, false),
                Verdict::Json => (Type::Json, false),
                Verdict::List | Verdict::Struct if !self.nests(id) => (Type::Json, false),
                Verdict::List => self.list(id),
                Verdict::Struct => {
                    let members = self.members(id);
                    if members.len() > MAX_MEMBERS {
                        (Type::Json, false)
                    } else {
                        (Type::Struct(members), false)
                    }
                }
            },
        }
    }

    fn list(&self, id: FieldId) -> (Type, bool) {
        let (element, unknown) =
            self.get(id).element.map_or((Type::String, true), |element| self.data_type(element));
        (Type::List(Box::new(element)), unknown)
    }
}
