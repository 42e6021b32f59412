//! Arrow batches to rows: the rows that the same values as JSON records have, byte for byte.

use std::collections::HashMap;

use arrow_array::RecordBatch;
use distil_json::decimal::{Decimal, Scratch};
use distil_json::encoding::{self, Flip};
use distil_json::{Decoder, EncodedRow, JsonText, RowParts, Seen, Sink, SortColumn, in_years};
use distil_plan::{BadPart, ColumnPath, Error, Plan, Reason, Result, Schema, TimeUnit};

use super::records::refuse_not_finite;
use super::values::{Column, Member, Value, columns_of, instant};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Decodes batches of the columns that a plan declares, or of some of them.
pub struct BatchDecoder {
    schema: Schema,
    sort_columns: Vec<SortColumn>,
    encoder: RowEncoder,
    seen: Seen,
}

/// Encodes one row after another.
struct RowEncoder {
    parts: RowParts,
    rest: Vec<u8>,
    rest_flip: Flip,
    values: Values,
}

/// Encodes values, and counts their bytes as row groups do.
#[derive(Default)]
struct Values {
    json: JsonText,
    value_bytes: u64,
}

/// A column, and where its values go.
struct Target<'a> {
    member: &'a Member,
    /// Mark and name as in an encoded object.
    name: Vec<u8>,
    role: Role<'a>,
}

enum Role<'a> {
    Rest,
    /// The part of this ordinal.
    Part(usize),
    /// A struct with a part inside.
    Struct(Vec<Target<'a>>),
}

/// Why a row is bad.
struct Flaw {
    reason: Reason,
    detail: String,
}

impl BatchDecoder {
    /// A decoder for a plan that declares its schema.
    ///
    /// # Errors
    /// A usage error if the schema has not the columns of key and order, or none is declared.
    pub fn new(plan: &Plan) -> Result<Self> {
        let Some(schema) = plan.schema.declared.clone() else {
            return Err(Error::usage("a plan that reads batches declares their schema"));
        };
        let (seen, _) = Decoder::new(plan)?.finish();
        let (sort_columns, is_rest_reversed) = SortColumn::of(plan.dedup.as_ref());
        let null_keys = plan.dedup.as_ref().map(|dedup| dedup.null_keys).unwrap_or_default();
        let encoder = RowEncoder {
            parts: RowParts::new(sort_columns.clone(), null_keys),
            rest: Vec::new(),
            rest_flip: Flip::reversed(is_rest_reversed),
            values: Values::default(),
        };
        Ok(Self { schema, sort_columns, encoder, seen })
    }

    /// Decodes the rows of a batch, of which the first is the row `first_row` of the input. A column of the
    /// schema that the batch does not have counts as null.
    ///
    /// # Errors
    /// An input error for a column that can't be read, and for NaN and infinities; those of the sink.
    pub fn decode(
        &mut self,
        input: usize,
        first_row: u64,
        batch: &RecordBatch,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let columns = columns_of(batch, Some(&self.schema))?;
        refuse_not_finite(&columns)?;
        let paths = self.sort_columns.iter().map(|sort| sort.path.steps()).enumerate();
        let paths: Vec<(usize, &[String])> = paths.collect();
        let targets = targets(&columns, &paths, 0);
        for row in 0..batch.num_rows() {
            match self.encoder.encode(&targets, row) {
                Ok((bytes, key_length)) => {
                    let value_bytes = self.encoder.values.value_bytes;
                    let value_bytes = u32::try_from(value_bytes).unwrap_or(u32::MAX);
                    sink.row(&EncodedRow { bytes: &bytes, key_length, value_bytes, origin: None })?;
                    self.encoder.rest = bytes;
                }
                Err(Flaw { reason, detail }) => sink.bad(BadPart {
                    input,
                    offset: first_row + row as u64,
                    length: 0,
                    reason,
                    detail,
                    at: None,
                    added: Vec::new(),
                    raw: None,
                })?,
            }
        }
        Ok(())
    }

    /// Ends decoding: what is known of the columns.
    pub fn finish(self) -> Seen {
        self.seen
    }
}

/// Where the columns of a batch go; `paths` are those of the sort columns that lead here by `depth` steps,
/// each with its ordinal.
fn targets<'a>(
    columns: &'a [Member],
    paths: &[(usize, &[String])],
    depth: usize,
) -> Vec<Target<'a>> {
    let mut by_name: HashMap<&str, Vec<(usize, &[String])>> = HashMap::new();
    for (ordinal, path) in paths {
        if let Some(step) = path.get(depth) {
            by_name.entry(step).or_default().push((*ordinal, path));
        }
    }
    let target = |member: &'a Member| {
        let inside = by_name.get(member.name.as_str()).map(Vec::as_slice);
        let role = match (inside, &member.column) {
            (Some(inside), Column::Struct(_, members)) => {
                Role::Struct(targets(members, inside, depth + 1))
            }
            (Some([(ordinal, _), ..]), _) => Role::Part(*ordinal),
            (Some([]) | None, _) => Role::Rest,
        };
        let mut name = Vec::new();
        encoding::member_name(&mut name, member.name.as_bytes());
        Target { member, name, role }
    };
    columns.iter().map(target).collect()
}

impl RowEncoder {
    /// The row of these columns at `row`, and the length of its key.
    fn encode(&mut self, targets: &[Target<'_>], row: usize) -> Result<(Vec<u8>, usize), Flaw> {
        self.rest.clear();
        self.parts.clear();
        self.values.value_bytes = 0;
        self.members(targets, row)?;
        let rest = std::mem::take(&mut self.rest);
        self.parts
            .assemble(rest)
            .map_err(|null_key| Flaw { reason: Reason::NullKey, detail: null_key.0 })
    }

    /// Appends the members that are not null, and the end of their object.
    fn members(&mut self, targets: &[Target<'_>], row: usize) -> Result<(), Flaw> {
        for Target { member, name, role } in targets {
            let value = member.column.value(row);
            let done = match role {
                _ if is_null(&value) => Ok(()),
                Role::Rest => {
                    self.rest.extend_from_slice(name);
                    self.values.encode(value, &mut self.rest, self.rest_flip)
                }
                Role::Part(ordinal) => {
                    let (part, flip) = self.parts.part(*ordinal);
                    self.values.encode(value, part, flip)
                }
                Role::Struct(inside) => {
                    self.rest.extend_from_slice(name);
                    encoding::begin_object(&mut self.rest, self.rest_flip);
                    self.members(inside, row)?;
                    Ok(())
                }
            };
            done.map_err(|why| {
                let detail = format!("{}: {why}", ColumnPath::name(&member.name));
                Flaw { reason: Reason::BadValue, detail }
            })?;
        }
        encoding::end_object(&mut self.rest);
        Ok(())
    }
}

impl Values {
    /// Appends a value.
    ///
    /// # Errors
    /// What is wrong with the value, for people.
    fn encode(&mut self, value: Value<'_>, out: &mut Vec<u8>, flip: Flip) -> Result<(), String> {
        let scratch = &mut Scratch::new();
        let number = match value {
            Value::Int(value) => Some(Decimal::from_i64(value, scratch)),
            Value::UInt(value) => Some(Decimal::from_u64(value, scratch)),
            Value::Decimal(value, scale) => Some(Decimal::from_i128(value, scale, scratch)),
            Value::Float32(value) => Decimal::from_f32(value, scratch),
            Value::Float64(value) => Decimal::from_f64(value, scratch),
            _ => None,
        };
        if let Some(number) = number {
            encoding::number(out, &number, flip);
            self.value_bytes += 8;
            return Ok(());
        }
        self.value_bytes += match value {
            Value::Boolean(value) => {
                encoding::boolean(out, value, flip);
                1
            }
            Value::String(text) => {
                encoding::string(out, text.as_bytes(), flip);
                text.len() as u64
            }
            Value::Binary(bytes) => {
                encoding::binary(out, bytes, flip);
                bytes.len() as u64
            }
            Value::Json(text) => self
                .json
                .encode(text, out, flip)
                .map_err(|flaw| format!("expected the text of a JSON value: {flaw}"))?,
            Value::Date(days) => {
                in_calendar(i64::from(days) * DAY, TimeUnit::Millis)?;
                encoding::date(out, days, flip);
                8
            }
            Value::Timestamp(count, nanoseconds) => {
                let (count, unit) = instant(count, nanoseconds);
                in_calendar(count, unit)?;
                encoding::timestamp(out, count, flip);
                8
            }
            Value::List(elements, range) => {
                encoding::begin_list(out, flip);
                range.into_iter().try_for_each(|at| self.encode(elements.value(at), out, flip))?;
                encoding::end_list(out, flip);
                0
            }
            Value::Object(members, row) => {
                encoding::begin_object(out, flip);
                for Member { name, column } in members {
                    let value = column.value(row);
                    if !is_null(&value) {
                        encoding::member_name(out, name.as_bytes());
                        self.encode(value, out, flip)?;
                    }
                }
                encoding::end_object(out);
                0
            }
            // Numbers are done; those that are not finite were refused with their batch.
            _ => {
                encoding::null(out);
                0
            }
        };
        Ok(())
    }
}

/// Whether a member with this value is left out. distil writes no text for a null, but others may.
fn is_null(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Json(text) => text.trim_ascii() == "null",
        _ => false,
    }
}

fn in_calendar(count: i64, unit: TimeUnit) -> Result<(), String> {
    if in_years(count, unit) {
        return Ok(());
    }
    Err("expected a time in the years 0001 to 9999".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int32Type;
    use arrow_array::{
        Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
        Float32Array, Float64Array, Int8Array, Int64Array, LargeListArray, ListArray, StringArray,
        StructArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
    };
    use arrow_buffer::{NullBuffer, OffsetBuffer};
    use arrow_schema::{DataType, Field};
    use distil_json::{Dictionary, FrameSlice, Frames};
    use distil_plan::{Dedup, Keep, NullKeys, OrderBy, Sink as PlanSink, Type};
    use proptest::prelude::*;

    use super::super::{record_schema, write_records};
    use super::*;

    /// Rows, and bad records by their reason, in order.
    #[derive(Debug, Default, PartialEq)]
    struct Found {
        rows: Vec<(Vec<u8>, usize, u32)>,
        bad: Vec<(Reason, String)>,
    }

    impl Sink for Found {
        fn row(&mut self, row: &EncodedRow<'_>) -> Result<()> {
            self.rows.push((row.bytes.to_vec(), row.key_length, row.value_bytes));
            Ok(())
        }

        fn packed(&mut self, _: &[u64], _: &[Dictionary]) -> Result<()> {
            Err(Error::bug("nothing is expected, so nothing is packed"))
        }

        fn bad(&mut self, part: BadPart) -> Result<()> {
            self.bad.push((part.reason, part.detail));
            Ok(())
        }
    }

    fn plan_of(batch: &RecordBatch, known: &Schema, dedup: Option<Dedup>) -> Plan {
        let mut plan = Plan::new(vec!["in".to_owned()], PlanSink::new("out.parquet"));
        plan.schema.declared = Some(record_schema(&batch.schema(), Some(known)).unwrap());
        plan.dedup = dedup;
        plan
    }

    fn directly(batch: &RecordBatch, plan: &Plan) -> Found {
        let mut found = Found::default();
        BatchDecoder::new(plan).unwrap().decode(0, 0, batch, &mut found).unwrap();
        found
    }

    fn as_records(batch: &RecordBatch, known: &Schema, plan: &Plan) -> Found {
        let mut text = Vec::new();
        write_records(batch, Some(known), &str::to_owned, &mut text).unwrap();
        let slice = FrameSlice { input: 0, offset: 0, bytes: &text, frames: &Frames::Lines };
        let mut found = Found::default();
        Decoder::new(plan).unwrap().decode(&slice, &mut found).unwrap();
        found
    }

    type Row = (
        (Option<bool>, Option<i8>, Option<i64>, Option<u64>, Option<i128>),
        (Option<f32>, Option<f64>, Option<String>, Option<Vec<u8>>, Option<i32>),
        (Option<i64>, Option<i64>, Option<usize>, Option<usize>, Option<Vec<Option<i64>>>),
        (bool, Option<String>, bool, Option<i8>),
    );

    /// Texts of `json` columns, as distil writes them.
    const JSON: [&str; 6] =
        ["null", "1e400", r#""\u0000a""#, r#"{"a":[1,{}],"b":"x"}"#, "[]", "-0.5"];
    const NAMES: [&str; 3] = ["", "p", "\u{1}q"];

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        fn or_null<S: Strategy>(values: S) -> impl Strategy<Value = Option<S::Value>> {
            prop::option::weighted(0.8, values)
        }
        let finite = prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL;
        let single = prop::num::f32::NORMAL | prop::num::f32::ZERO | prop::num::f32::SUBNORMAL;
        let text = || or_null("[\u{0}-\u{2}a-c\"é😀]{0,4}");
        let most = 10i128.pow(30) - 1;
        prop::collection::vec(
            (
                (
                    or_null(any::<bool>()),
                    or_null(any::<i8>()),
                    or_null(any::<i64>()),
                    or_null(any::<u64>()),
                    or_null(-most..=most),
                ),
                (
                    or_null(single),
                    or_null(finite),
                    text(),
                    or_null(prop::collection::vec(0u8..4, 0..4)),
                    or_null(-719_170i32..2_932_900),
                ),
                (
                    or_null(any::<i64>()),
                    or_null(prop_oneof![-62_135_596_900i64..=253_402_300_900, any::<i64>()]),
                    or_null(0..NAMES.len()),
                    or_null(0..JSON.len()),
                    or_null(prop::collection::vec(or_null(any::<i64>()), 0..3)),
                ),
                (any::<bool>(), text(), any::<bool>(), or_null(any::<i8>())),
            ),
            1..12,
        )
    }

    /// The column `o` is `struct<a: string, i: struct<b: int8>>`, `l` and `w` are lists.
    fn batch_of(rows: &[Row]) -> RecordBatch {
        let column = |values: ArrayRef, name: &str| (name.to_owned(), values);
        let lists = || rows.iter().map(|row| row.2.4.clone());
        let elements = || Int64Array::from_iter(lists().flatten().flatten());
        let lengths = || lists().map(|list| list.map_or(0, |list| list.len()));
        let nulls = || NullBuffer::from_iter(lists().map(|list| list.is_some()));
        let element = || Arc::new(Field::new("item", DataType::Int64, true));
        let inner = StructArray::new(
            vec![Field::new("b", DataType::Int8, true)].into(),
            vec![Arc::new(Int8Array::from_iter(rows.iter().map(|row| row.3.3)))],
            Some(NullBuffer::from_iter(rows.iter().map(|row| row.3.2))),
        );
        let outer = StructArray::new(
            vec![
                Field::new("i", inner.data_type().clone(), true),
                Field::new("a", DataType::Utf8, true),
            ]
            .into(),
            vec![
                Arc::new(inner),
                Arc::new(StringArray::from_iter(rows.iter().map(|row| row.3.1.clone()))),
            ],
            Some(NullBuffer::from_iter(rows.iter().map(|row| row.3.0))),
        );
        let decimals = Decimal128Array::from_iter(rows.iter().map(|row| row.0.4));
        let columns: Vec<(String, ArrayRef)> = vec![
            column(Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.0.0))), "t"),
            column(Arc::new(Int8Array::from_iter(rows.iter().map(|row| row.0.1))), "k"),
            column(Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0.2))), "n"),
            column(Arc::new(UInt64Array::from_iter(rows.iter().map(|row| row.0.3))), "u"),
            column(Arc::new(decimals.with_precision_and_scale(30, 7).unwrap()), "m"),
            column(Arc::new(Float32Array::from_iter(rows.iter().map(|row| row.1.0))), "g"),
            column(Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.1.1))), "f"),
            column(Arc::new(StringArray::from_iter(rows.iter().map(|row| row.1.2.clone()))), "s"),
            column(Arc::new(BinaryArray::from_iter(rows.iter().map(|row| row.1.3.clone()))), "b"),
            column(Arc::new(Date32Array::from_iter(rows.iter().map(|row| row.1.4))), "d"),
            column(
                Arc::new(
                    TimestampNanosecondArray::from_iter(rows.iter().map(|row| row.2.0))
                        .with_timezone("+02:00"),
                ),
                "e",
            ),
            column(
                Arc::new(
                    TimestampSecondArray::from_iter(rows.iter().map(|row| row.2.1))
                        .with_timezone("UTC"),
                ),
                "c",
            ),
            column(
                Arc::new(DictionaryArray::<Int32Type>::from_iter(
                    rows.iter().map(|row| row.2.2.map(|at| NAMES[at])),
                )),
                "y",
            ),
            column(
                Arc::new(StringArray::from_iter(rows.iter().map(|row| row.2.3.map(|at| JSON[at])))),
                "j",
            ),
            column(
                Arc::new(ListArray::new(
                    element(),
                    OffsetBuffer::from_lengths(lengths()),
                    Arc::new(elements()),
                    Some(nulls()),
                )),
                "l",
            ),
            column(
                Arc::new(LargeListArray::new(
                    element(),
                    OffsetBuffer::from_lengths(lengths()),
                    Arc::new(elements()),
                    Some(nulls()),
                )),
                "w",
            ),
            column(Arc::new(outer), "o"),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
            .unwrap()
    }

    fn known() -> Schema {
        Schema::new(vec![distil_plan::Field::new("j", Type::Json)]).unwrap()
    }

    fn dedups() -> impl Strategy<Value = Option<Dedup>> {
        let keys = prop::sample::select(vec!["k", "s,k", "o.i.b", "o.a,t", "e", "m,d", "y"]);
        let orders = prop::sample::select(vec!["", "f desc", "o.i.b desc,n", "c,b desc", "u,g"]);
        let columns = (keys, orders, any::<bool>(), any::<bool>()).prop_filter_map(
            "a column of the key orders nothing",
            |(key, order, last, nulls)| {
                let dedup = Dedup {
                    order_by: match order {
                        "" => Vec::new(),
                        order => OrderBy::parse_list(order).unwrap(),
                    },
                    keep: if last { Keep::Last } else { Keep::First },
                    null_keys: if nulls { NullKeys::Value } else { NullKeys::Error },
                    ..Dedup::on_columns(ColumnPath::parse_list(key).unwrap())
                };
                let twice = key
                    .split(',')
                    .any(|key| order.split(',').any(|order| order.split(' ').next() == Some(key)));
                (!twice).then_some(Some(dedup))
            },
        );
        prop_oneof![Just(None), Just(Some(Dedup::on_record())), columns]
    }

    proptest! {
        /// Whatever came by way of text before: the same rows, keys, sizes and reasons.
        #[test]
        fn rows_are_those_of_the_same_values_as_records(rows in rows(), dedup in dedups(), cut in 0usize..3) {
            let batch = batch_of(&rows);
            let plan = plan_of(&batch, &known(), dedup);
            // The arrays of a slice do not begin where their buffers do.
            let batch = batch.slice(cut.min(rows.len()), rows.len() - cut.min(rows.len()));
            let (direct, expected) = (directly(&batch, &plan), as_records(&batch, &known(), &plan));
            prop_assert_eq!(direct.rows, expected.rows);
            let reasons = |found: &[(Reason, String)]| found.iter().map(|bad| bad.0).collect::<Vec<_>>();
            prop_assert_eq!(reasons(&direct.bad), reasons(&expected.bad));
        }
    }

    #[test]
    fn what_is_no_value_of_its_type_is_told() {
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("d", Arc::new(Date32Array::from(vec![0, 2_932_897, 1])) as ArrayRef, true),
            ("j", Arc::new(StringArray::from(vec!["{}", "{}", "{\"a\":1,\"a\":1}"])), true),
        ])
        .unwrap();
        let plan = plan_of(&batch, &known(), None);
        let found = directly(&batch, &plan);
        assert_eq!(found.rows.len(), 1);
        let details: Vec<&str> = found.bad.iter().map(|bad| bad.1.as_str()).collect();
        assert_eq!(
            details,
            [
                "d: expected a time in the years 0001 to 9999",
                "j: expected the text of a JSON value: the member a occurs twice",
            ]
        );
        // More digits than the type has, as a broken file may have them.
        let wide = Decimal128Array::from(vec![1000]).with_precision_and_scale(38, 0).unwrap();
        let wide = wide.into_data().into_builder().data_type(DataType::Decimal128(3, 0));
        let wide: ArrayRef = Arc::new(Decimal128Array::from(wide.build().unwrap()));
        let batch = RecordBatch::try_from_iter([("m", wide)]).unwrap();
        let plan = plan_of(&batch, &known(), None);
        let mut nothing = Found::default();
        let decoded = BatchDecoder::new(&plan).unwrap().decode(0, 0, &batch, &mut nothing);
        assert!(decoded.unwrap_err().what.contains("more digits than its type"));
    }
}
