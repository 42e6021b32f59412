//! Encoded rows to Arrow columns of the final schema.
//!
//! Widening happens here: a row holds values, not types, so whatever type a column ends with, its
//! values are read from the rows that are there.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int8Builder, Int16Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder, TimestampMillisecondBuilder, TimestampNanosecondBuilder,
};
use arrow_array::{ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer};
use arrow_schema::{
    DataType, Field as ArrowField, FieldRef, Fields as ArrowFields, Schema as ArrowSchema,
    SchemaRef,
};
use distil_plan::{
    ColumnPath, Error, FILE_COLUMN, Field, Origin, POSITION_COLUMN, Result, Schema, TimeUnit, Type,
};

use crate::rows::form::RowForm;
use crate::rows::value::write_json;
use crate::types::sort_column::SortColumn;
use crate::values::decimal::Decimal;
use crate::values::encoding::{self, Cursor, Flip, Value};
use crate::values::time::Instant;

/// The Arrow type of a column. Timestamps are in UTC, `json` is text, everything may be null.
pub fn arrow_type(data_type: &Type) -> DataType {
    match data_type {
        Type::Boolean => DataType::Boolean,
        Type::Int8 => DataType::Int8,
        Type::Int16 => DataType::Int16,
        Type::Int32 => DataType::Int32,
        Type::Int64 => DataType::Int64,
        Type::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale as i8),
        Type::Float32 => DataType::Float32,
        Type::Float64 => DataType::Float64,
        Type::Timestamp(_) | Type::TimestampText(_) | Type::Epoch(_) => {
            let unit = match data_type {
                Type::TimestampText(format) => format.unit(),
                Type::Timestamp(unit) => *unit,
                Type::Epoch(unit) => unit.column_unit(),
                _ => TimeUnit::Millis,
            };
            let unit = match unit {
                TimeUnit::Millis => arrow_schema::TimeUnit::Millisecond,
                TimeUnit::Micros => arrow_schema::TimeUnit::Microsecond,
                TimeUnit::Nanos => arrow_schema::TimeUnit::Nanosecond,
            };
            DataType::Timestamp(unit, Some("UTC".into()))
        }
        Type::Date => DataType::Date32,
        Type::Binary => DataType::Binary,
        Type::String | Type::Json | Type::JsonText => DataType::Utf8,
        Type::List(element) => DataType::List(Arc::new(element_field(element))),
        Type::Struct(fields) => DataType::Struct(arrow_fields(fields)),
    }
}

/// The Arrow field of the elements of a list.
pub fn element_field(element: &Type) -> ArrowField {
    ArrowField::new("element", arrow_type(element), true)
}

/// The Arrow fields of columns or members.
pub fn arrow_fields(fields: &[Field]) -> ArrowFields {
    fields
        .iter()
        .map(|field| ArrowField::new(&field.name, arrow_type(&field.data_type), true))
        .collect()
}

/// The Arrow schema of an output.
pub fn arrow_schema(schema: &Schema) -> SchemaRef {
    Arc::new(ArrowSchema::new(arrow_fields(&schema.fields)))
}

enum Leaf {
    Boolean(BooleanBuilder),
    Int8(Int8Builder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Decimal(Decimal128Builder, i8),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Millis(TimestampMillisecondBuilder),
    Micros(TimestampMicrosecondBuilder),
    Nanos(TimestampNanosecondBuilder),
    Date(Date32Builder),
    Binary(BinaryBuilder),
    String(StringBuilder),
    Json(StringBuilder),
}

/// Calls the same on whichever builder it is.
macro_rules! each_leaf {
    ($leaf:expr, $builder:ident => $call:expr) => {
        match $leaf {
            Leaf::Boolean($builder) => $call,
            Leaf::Int8($builder) => $call,
            Leaf::Int16($builder) => $call,
            Leaf::Int32($builder) => $call,
            Leaf::Int64($builder) => $call,
            Leaf::Decimal($builder, _) => $call,
            Leaf::Float32($builder) => $call,
            Leaf::Float64($builder) => $call,
            Leaf::Millis($builder) => $call,
            Leaf::Micros($builder) => $call,
            Leaf::Nanos($builder) => $call,
            Leaf::Date($builder) => $call,
            Leaf::Binary($builder) => $call,
            Leaf::String($builder) | Leaf::Json($builder) => $call,
        }
    };
}

impl Leaf {
    /// A builder for a scalar type, with room for `rows` values; none for a composite.
    fn new(data_type: &Type, rows: usize) -> Option<Self> {
        Some(match data_type {
            Type::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            Type::Int8 => Self::Int8(Int8Builder::with_capacity(rows)),
            Type::Int16 => Self::Int16(Int16Builder::with_capacity(rows)),
            Type::Int32 => Self::Int32(Int32Builder::with_capacity(rows)),
            Type::Int64 => Self::Int64(Int64Builder::with_capacity(rows)),
            Type::Decimal { scale, .. } => {
                let builder =
                    Decimal128Builder::with_capacity(rows).with_data_type(arrow_type(data_type));
                Self::Decimal(builder, *scale as i8)
            }
            Type::Float32 => Self::Float32(Float32Builder::with_capacity(rows)),
            Type::Float64 => Self::Float64(Float64Builder::with_capacity(rows)),
            Type::Timestamp(TimeUnit::Millis) => {
                Self::Millis(TimestampMillisecondBuilder::with_capacity(rows).with_timezone("UTC"))
            }
            Type::Timestamp(TimeUnit::Micros) => {
                Self::Micros(TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC"))
            }
            Type::Timestamp(TimeUnit::Nanos) => {
                Self::Nanos(TimestampNanosecondBuilder::with_capacity(rows).with_timezone("UTC"))
            }
            Type::Date => Self::Date(Date32Builder::with_capacity(rows)),
            Type::Binary => Self::Binary(BinaryBuilder::with_capacity(rows, 0)),
            Type::String => Self::String(StringBuilder::with_capacity(rows, 0)),
            Type::Json => Self::Json(StringBuilder::with_capacity(rows, 0)),
            Type::TimestampText(_)
            | Type::Epoch(_)
            | Type::JsonText
            | Type::List(_)
            | Type::Struct(_) => {
                return None;
            }
        })
    }

    fn append_null(&mut self) {
        each_leaf!(self, builder => builder.append_null());
    }

    fn finish(&mut self) -> ArrayRef {
        each_leaf!(self, builder => Arc::new(builder.finish()))
    }

    fn append(&mut self, cursor: &mut Cursor<'_>, buffer: &mut Vec<u8>) -> Result<()> {
        if let Self::Json(builder) = self {
            if cursor.peek() == encoding::tag::NULL {
                cursor.skip(1);
                builder.append_null();
                return Ok(());
            }
            let mut text = Vec::new();
            write_json(cursor, buffer, &mut text);
            builder.append_value(utf8(&text)?);
            return Ok(());
        }
        match (self, cursor.next(buffer)) {
            (leaf, Value::Null) => leaf.append_null(),
            (Self::Boolean(builder), Value::Boolean(value)) => builder.append_value(value),
            (Self::String(builder), Value::String) => builder.append_value(utf8(buffer)?),
            (Self::Binary(builder), Value::Binary) => builder.append_value(buffer),
            (Self::Millis(builder), Value::Timestamp(count)) => builder.append_value(count),
            (Self::Micros(builder), Value::Timestamp(count)) => builder.append_value(count),
            (Self::Nanos(builder), Value::Timestamp(count)) => builder.append_value(count),
            (Self::Millis(builder), Value::String) => {
                builder.append_value(instant(buffer, TimeUnit::Millis)?);
            }
            (Self::Micros(builder), Value::String) => {
                builder.append_value(instant(buffer, TimeUnit::Micros)?);
            }
            (Self::Date(builder), Value::Date(days)) => builder.append_value(days),
            (leaf, Value::Number { negative, exponent }) => {
                let number = Decimal::from_parts(negative, buffer, exponent);
                let integer = || number.to_i64().ok_or_else(mismatch);
                match leaf {
                    Self::Int8(builder) => builder.append_value(integer()? as i8),
                    Self::Int16(builder) => builder.append_value(integer()? as i16),
                    Self::Int32(builder) => builder.append_value(integer()? as i32),
                    Self::Int64(builder) => builder.append_value(integer()?),
                    Self::Decimal(builder, scale) => {
                        builder.append_value(number.to_scaled_i128(*scale).ok_or_else(mismatch)?);
                    }
                    Self::Float32(builder) => builder.append_value(number.to_f32()),
                    Self::Float64(builder) => builder.append_value(number.to_f64()),
                    _ => return Err(mismatch()),
                }
            }
            _ => return Err(mismatch()),
        }
        Ok(())
    }
}

fn mismatch() -> Error {
    Error::bug("a value does not fit the type that was inferred from it")
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| mismatch())
}

fn instant(text: &[u8], unit: TimeUnit) -> Result<i64> {
    Instant::parse(text).and_then(|instant| instant.count(unit)).ok_or_else(mismatch)
}

enum Node {
    Leaf(Box<Leaf>),
    List { field: FieldRef, lengths: Vec<usize>, nulls: NullBufferBuilder, element: Box<Node> },
    Struct { members: Members, length: usize, nulls: NullBufferBuilder },
}

/// The members of an object.
struct Members {
    /// In the order of their names, as in the encoding.
    by_name: Vec<Member>,
    /// The members of the column, in the order of the schema.
    order: Vec<usize>,
    fields: ArrowFields,
}

struct Member {
    encoded_name: Vec<u8>,
    slot: Slot,
}

enum Slot {
    Here(Node),
    /// A part of the row holds it.
    SortColumn(usize),
    /// It is not wanted.
    Skip,
}

impl Node {
    fn new(data_type: &Type, path: &ColumnPath, wanted: &Wanted<'_>, rows: usize) -> Self {
        if let Some(leaf) = Leaf::new(data_type, rows) {
            return Self::Leaf(Box::new(leaf));
        }
        match data_type {
            Type::List(element) => {
                let field = element_field(element);
                // No part lies inside a list.
                let inside = Wanted::new(&[], None);
                Self::List {
                    field: Arc::new(field),
                    lengths: Vec::new(),
                    nulls: NullBufferBuilder::new(0),
                    // How many elements the rows have is not known.
                    element: Box::new(Self::new(element, path, &inside, 0)),
                }
            }
            Type::Struct(fields) => Self::Struct {
                members: Members::new(fields, Some(path), wanted, rows),
                length: 0,
                nulls: NullBufferBuilder::new(0),
            },
            other => Self::new(&other.stored(), path, wanted, rows),
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Leaf(leaf) => leaf.append_null(),
            Self::List { lengths, nulls, .. } => {
                lengths.push(0);
                nulls.append_null();
            }
            Self::Struct { members, length, nulls } => {
                members.append_null();
                *length += 1;
                nulls.append_null();
            }
        }
    }

    fn append(&mut self, cursor: &mut Cursor<'_>, buffer: &mut Vec<u8>) -> Result<()> {
        if let Self::Leaf(leaf) = self {
            return leaf.append(cursor, buffer);
        }
        match (cursor.next(buffer), self) {
            (Value::Null, node) => node.append_null(),
            (Value::List, Self::List { lengths, nulls, element, .. }) => {
                let mut length = 0;
                while !cursor.ends_list() {
                    element.append(cursor, buffer)?;
                    length += 1;
                }
                lengths.push(length);
                nulls.append_non_null();
            }
            (Value::Object, Self::Struct { members, length, nulls }) => {
                members.append(cursor, buffer)?;
                *length += 1;
                nulls.append_non_null();
            }
            _ => return Err(mismatch()),
        }
        Ok(())
    }

    fn finish(&mut self, sort_columns: &[ArrayRef]) -> Result<ArrayRef> {
        Ok(match self {
            Self::Leaf(leaf) => leaf.finish(),
            Self::List { field, lengths, nulls, element } => {
                let offsets = OffsetBuffer::from_lengths(lengths.drain(..));
                let array = ListArray::try_new(
                    Arc::clone(field),
                    offsets,
                    element.finish(sort_columns)?,
                    nulls.finish(),
                );
                Arc::new(array.map_err(arrow)?)
            }
            Self::Struct { members, length, nulls } => {
                let length = std::mem::take(length);
                let arrays = members.finish(sort_columns)?;
                let array = StructArray::try_new_with_length(
                    members.fields.clone(),
                    arrays,
                    nulls.finish(),
                    length,
                );
                Arc::new(array.map_err(arrow)?)
            }
        })
    }
}

fn arrow(error: arrow_schema::ArrowError) -> Error {
    Error::bug(format!("columns do not fit together: {error}"))
}

/// Where values are, and which are wanted.
struct Wanted<'a> {
    /// Which part of the row holds the column of a path.
    parts: HashMap<&'a ColumnPath, usize>,
    /// The places of the chosen columns in the choice, by their paths.
    chosen: Option<BTreeMap<&'a ColumnPath, usize>>,
}

impl<'a> Wanted<'a> {
    fn new(sort_columns: &'a [SortColumn], columns: Option<&'a [ColumnPath]>) -> Self {
        let parts = sort_columns.iter().enumerate().map(|(at, part)| (&part.path, at));
        let places = |columns: &'a [ColumnPath]| {
            columns.iter().enumerate().map(|(at, path)| (path, at)).collect()
        };
        Self { parts: parts.collect(), chosen: columns.map(places) }
    }

    /// The first place in the choice of a column that is the one at `path` or lies in it; `None` if that
    /// is not chosen, though it may lie in a column that is.
    fn place(&self, path: &ColumnPath) -> Option<usize> {
        let within = self.chosen.as_ref()?.range::<ColumnPath, _>(path..);
        within.take_while(|(column, _)| path.is_prefix_of(column)).map(|(_, at)| *at).min()
    }

    /// Whether the column at `path` is chosen, or holds or lies in one that is.
    fn takes(&self, path: &ColumnPath) -> bool {
        let Some(chosen) = &self.chosen else { return true };
        // A choice has no column inside another: only the one before can be above.
        let above = chosen.range::<ColumnPath, _>(..=path).next_back();
        self.place(path).is_some() || above.is_some_and(|(column, _)| column.is_prefix_of(path))
    }
}

impl Members {
    fn new(fields: &[Field], above: Option<&ColumnPath>, wanted: &Wanted<'_>, rows: usize) -> Self {
        let mut members = Vec::new();
        for (declared, field) in fields.iter().enumerate() {
            let path =
                above.map_or_else(|| ColumnPath::name(&field.name), |path| path.child(&field.name));
            let chosen = wanted.takes(&path);
            let part = wanted.parts.get(&path).copied();
            let slot = match (part, chosen) {
                (Some(part), _) => Slot::SortColumn(part),
                (None, true) => Slot::Here(Node::new(&field.data_type, &path, wanted, rows)),
                (None, false) => Slot::Skip,
            };
            let mut encoded_name = Vec::new();
            encoding::member_name(&mut encoded_name, field.name.as_bytes());
            let place = (wanted.place(&path), declared);
            members.push((field, place, chosen, Member { encoded_name, slot }));
        }
        members.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        let mut order: Vec<usize> = (0..members.len()).filter(|at| members[*at].2).collect();
        order.sort_by_key(|at| members[*at].1);
        let arrow = order.iter().map(|at| {
            let (field, _, _, member) = &members[*at];
            let data_type = match &member.slot {
                Slot::Here(Node::Struct { members, .. }) => {
                    DataType::Struct(members.fields.clone())
                }
                _ => arrow_type(&field.data_type),
            };
            ArrowField::new(&field.name, data_type, true)
        });
        let fields = arrow.collect();
        Self { by_name: members.into_iter().map(|(.., member)| member).collect(), order, fields }
    }

    fn append_null(&mut self) {
        for member in &mut self.by_name {
            if let Slot::Here(node) = &mut member.slot {
                node.append_null();
            }
        }
    }

    fn append(&mut self, cursor: &mut Cursor<'_>, buffer: &mut Vec<u8>) -> Result<()> {
        for member in &mut self.by_name {
            match &mut member.slot {
                Slot::SortColumn(_) => {}
                Slot::Here(node) if cursor.has_name(&member.encoded_name) => {
                    node.append(cursor, buffer)?
                }
                Slot::Here(node) => node.append_null(),
                Slot::Skip if cursor.has_name(&member.encoded_name) => cursor.skip_value(),
                Slot::Skip => {}
            }
        }
        if cursor.ends_object() {
            return Ok(());
        }
        Err(Error::bug("a row has a member that the schema does not have"))
    }

    fn finish(&mut self, sort_columns: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        let arrays: Vec<Option<ArrayRef>> = self
            .by_name
            .iter_mut()
            .map(|member| {
                Ok(match &mut member.slot {
                    Slot::Here(node) => Some(node.finish(sort_columns)?),
                    Slot::SortColumn(part) => sort_columns.get(*part).cloned(),
                    Slot::Skip => None,
                })
            })
            .collect::<Result<_>>()?;
        let wanted = self.order.iter().map(|at| arrays[*at].clone().ok_or_else(mismatch));
        wanted.collect()
    }
}

/// Reads rows into record batches.
pub struct RowReader {
    schema: SchemaRef,
    members: Members,
    sort_columns: Vec<(Leaf, Flip)>,
    rest_flip: Flip,
    /// Where rows lie: paths of inputs, and the columns.
    places: Option<(Arc<[String]>, StringBuilder, Int64Builder)>,
    rows: usize,
    buffer: Vec<u8>,
}

impl RowReader {
    /// A reader for rows of this form; `columns` are those wanted, in order. There is room for `rows` rows from the
    /// beginning, and for more once they come: where columns are thousands and rows are few, room for a usual number of
    /// them would be most of what the batch takes.
    ///
    /// # Errors
    /// A bug if a part is no scalar: the schema was to refuse that.
    pub fn new(
        schema: &Schema,
        form: &RowForm,
        columns: Option<&[ColumnPath]>,
        rows: usize,
    ) -> Result<Self> {
        let RowForm { sort_columns, rest_reversed, files } = form;
        let place_columns = [FILE_COLUMN, POSITION_COLUMN].map(ColumnPath::name);
        let mut wanted = Wanted::new(sort_columns, columns);
        if files.is_some() {
            // They come after the sort columns, unless they are some themselves.
            for (at, column) in place_columns.iter().enumerate() {
                wanted.parts.entry(column).or_insert(sort_columns.len() + at);
            }
        }
        let members = Members::new(&schema.fields, None, &wanted, rows);
        let types = schema.index();
        let leaves = sort_columns.iter().map(|part| {
            let data_type = types.find(&part.path).map(Type::stored);
            let leaf = data_type.as_ref().and_then(|data_type| Leaf::new(data_type, rows));
            let leaf = leaf.ok_or_else(mismatch)?;
            Ok((leaf, Flip::reversed(part.reversed)))
        });
        Ok(Self {
            schema: Arc::new(ArrowSchema::new(members.fields.clone())),
            sort_columns: leaves.collect::<Result<_>>()?,
            members,
            rest_flip: Flip::reversed(*rest_reversed),
            places: files.as_ref().map(|files| {
                let paths = StringBuilder::with_capacity(rows, 0);
                (Arc::clone(files), paths, Int64Builder::with_capacity(rows))
            }),
            rows: 0,
            buffer: Vec::new(),
        })
    }

    /// The Arrow schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Appends a row, which lies at `origin`.
    ///
    /// # Errors
    /// A bug if the row does not fit the schema, or lies nowhere where that is a column.
    pub fn append(&mut self, row: &[u8], origin: Option<Origin>) -> Result<()> {
        if let Some((files, file, position)) = &mut self.places {
            let found = origin.and_then(|Origin { input, offset }| {
                Some((files.get(input as usize)?, i64::try_from(offset).ok()?))
            });
            let (path, offset) = found.ok_or_else(|| Error::bug("a row lies nowhere"))?;
            file.append_value(path);
            position.append_value(offset);
        }
        let mut cursor = Cursor::new(row, Flip::ASC);
        for (leaf, flip) in &mut self.sort_columns {
            cursor.flip = *flip;
            leaf.append(&mut cursor, &mut self.buffer)?;
        }
        cursor.flip = self.rest_flip;
        self.rows += 1;
        self.members.append(&mut cursor, &mut self.buffer)
    }

    /// The rows appended since the last call.
    ///
    /// # Errors
    /// A bug if the columns do not fit together.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let mut sort_columns: Vec<ArrayRef> =
            self.sort_columns.iter_mut().map(|(leaf, _)| leaf.finish()).collect();
        if let Some((_, file, position)) = &mut self.places {
            sort_columns.extend([Arc::new(file.finish()) as ArrayRef, Arc::new(position.finish())]);
        }
        let arrays = self.members.finish(&sort_columns)?;
        let options =
            RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.rows)));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options).map_err(arrow)
    }
}
