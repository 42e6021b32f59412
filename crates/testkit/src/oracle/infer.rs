//! Inference (2.1) and what depends on it: columns that must be there, or must be scalars (2.5, 3.1),
//! and text that would decide wrongly (2.3).

use distil_plan::{ColumnPath, Field, Schema, Type};

use super::json::{Decimal, Value};
use super::spelled::spelled;
use super::time::{Rfc3339, rfc3339};
use super::types::Want;

const MAX_LEVEL: usize = 32;
const MAX_MEMBERS: usize = 1_000;

/// The columns of records, given what the plan says of them.
pub fn schema(records: &[&Value], want: &Want) -> Vec<Field> {
    match want {
        Want::Exact(Type::Struct(fields)) => {
            fields.iter().map(|f| Field { data_type: f.data_type.stored(), ..f.clone() }).collect()
        }
        Want::Open(hints) => members(records, hints, 0),
        other => panic!("{other:?} is no record"),
    }
}

/// The members of an object column at `level`.
fn members(objects: &[&Value], hints: &[(String, Want)], level: usize) -> Vec<Field> {
    let mut columns: Vec<(&str, Vec<&Value>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for object in objects {
        let Value::Object(members) = object else { continue };
        for (name, value) in members {
            let place = *places.entry(name.as_str()).or_insert_with(|| {
                columns.push((name, Vec::new()));
                columns.len() - 1
            });
            columns[place].1.push(value);
        }
    }
    for (name, _) in hints {
        if !places.contains_key(name.as_str()) {
            columns.push((name, Vec::new()));
        }
    }
    columns
        .into_iter()
        .map(|(name, values)| {
            let want = hints.iter().find(|(n, _)| n == name).map_or(&Want::Infer, |(_, w)| w);
            let (data_type, unknown) = column(&values, want, level + 1);
            Field { name: name.to_owned(), data_type, unknown }
        })
        .collect()
}

/// The type of a column at `level`, and whether no value says what it is.
fn column(values: &[&Value], want: &Want, level: usize) -> (Type, bool) {
    match want {
        Want::Exact(data_type) => return (data_type.stored(), false),
        Want::Open(hints) => return (Type::Struct(members(values, hints, level)), false),
        Want::Infer => {}
    }
    let values: Vec<&Value> = values.iter().copied().filter(|v| **v != Value::Null).collect();
    let all = |is: fn(&Value) -> bool| values.iter().all(|v| is(v));
    let known = |data_type| (data_type, false);
    if values.is_empty() {
        (Type::String, true)
    } else if all(|v| matches!(v, Value::Bool(_))) {
        known(Type::Boolean)
    } else if all(|v| matches!(v, Value::Number(_))) {
        known(numbers(&values))
    } else if all(|v| matches!(v, Value::String(_))) {
        known(strings(&values))
    } else if all(|v| matches!(v, Value::List(_))) && level < MAX_LEVEL {
        let elements: Vec<&Value> = values
            .iter()
            .flat_map(|v| match v {
                Value::List(elements) => elements,
                _ => unreachable!(),
            })
            .collect();
        let (element, unknown) = column(&elements, &Want::Infer, level + 1);
        (Type::List(Box::new(element)), unknown)
    } else if all(|v| matches!(v, Value::Object(_))) && level < MAX_LEVEL {
        let fields = members(&values, &[], level);
        let is_struct = (1..=MAX_MEMBERS).contains(&fields.len());
        known(if is_struct { Type::Struct(fields) } else { Type::Json })
    } else {
        known(Type::Json)
    }
}

fn numbers(values: &[&Value]) -> Type {
    let numbers: Vec<&Decimal> = values
        .iter()
        .map(|v| match v {
            Value::Number(n) => n,
            _ => unreachable!(),
        })
        .collect();
    let is_i64 = |n: &Decimal| n.scaled(0).is_some_and(|n| i64::try_from(n).is_ok());
    if numbers.iter().all(|n| n.integer.is_some()) {
        if numbers.iter().all(|n| is_i64(n)) {
            return Type::Int64;
        }
        if numbers.iter().all(|n| n.integer <= Some(38)) {
            return Type::Decimal { precision: 38, scale: 0 };
        }
    } else if numbers.iter().all(|n| n.nearest_f64().as_ref() == Some(n)) {
        return Type::Float64;
    } else {
        let holds_all = |scale: &u8| numbers.iter().all(|n| n.scaled(i64::from(*scale)).is_some());
        if let Some(scale) = (0..=36).step_by(3).find(holds_all) {
            return Type::Decimal { precision: 38, scale };
        }
    }
    Type::Json
}

fn strings(values: &[&Value]) -> Type {
    let instants: Option<Vec<Rfc3339>> = values.iter().map(|v| instant(v)).collect();
    let Some(instants) = instants else { return Type::String };
    let digits = instants[0].digits;
    let same = |i: &Rfc3339| i.separator == b'T' && i.zone == "Z" && i.digits == digits;
    match digits {
        _ if !instants.iter().all(same) => Type::String,
        0 | 3 => Type::Timestamp(distil_plan::TimeUnit::Millis),
        6 => Type::Timestamp(distil_plan::TimeUnit::Micros),
        _ => Type::String,
    }
}

fn instant(value: &Value) -> Option<Rfc3339> {
    match value {
        Value::String(text) => rfc3339(text),
        _ => None,
    }
}

/// The value at a path.
pub fn at<'a>(record: &'a Value, path: &ColumnPath) -> &'a Value {
    path.steps().iter().fold(record, |value, step| value.member(step))
}

/// Whether a record names a path, even if its value is null.
pub fn has_member(record: &Value, path: &ColumnPath) -> bool {
    let (last, above) = path.steps().split_last().unwrap();
    match above.iter().fold(record, |value, step| value.member(step)) {
        Value::Object(members) => members.iter().any(|(name, _)| name == last),
        _ => false,
    }
}

/// What the plan itself says of a column: nothing, or a type, or that there is none.
pub fn declared(want: &Want, path: &ColumnPath) -> Option<Option<Type>> {
    let mut want = want.clone();
    for step in path.steps() {
        let next = match &want {
            Want::Infer => None,
            Want::Exact(Type::Struct(fields)) => match fields.iter().find(|f| f.name == *step) {
                Some(field) => Some(Want::Exact(field.data_type.clone())),
                None => return Some(None),
            },
            Want::Exact(_) => return Some(None),
            Want::Open(members) => {
                members.iter().find(|(name, _)| name == step).map(|(_, member)| member.clone())
            }
        };
        want = next?;
    }
    match want {
        Want::Exact(data_type) => Some(Some(data_type)),
        // A struct, whatever is in it.
        Want::Open(_) => Some(Some(Type::Struct(Vec::new()))),
        Want::Infer => None,
    }
}

/// The strings of a column that was inferred as `string`.
fn texts<'a>(records: &[&'a Value], path: &ColumnPath) -> Vec<&'a str> {
    let text = |record: &&'a Value| match at(record, path) {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    };
    records.iter().filter_map(text).collect()
}

/// Whether a key column that was inferred as `string` mixes forms of instants (2.3).
pub fn mixes_instants(records: &[&Value], path: &ColumnPath) -> bool {
    let texts = texts(records, path);
    let short = texts.iter().filter(|text| text.len() <= 64);
    let forms: Vec<_> =
        short.filter_map(|t| rfc3339(t)).map(|i| (i.separator, i.digits, i.zone)).collect();
    2 * forms.len() >= texts.len() && forms.iter().any(|form| *form != forms[0])
}

/// Whether the text of an order column that was inferred as `string` does not order like what it
/// spells (2.3), and the run fails for it: digits alone may ascend.
pub fn misleads(records: &[&Value], path: &ColumnPath, ascends: bool) -> bool {
    let texts = texts(records, path);
    let shapes: Vec<(&str, Option<String>)> =
        texts.iter().filter_map(|text| Some((*text, spelled(text)?))).collect();
    let digits = shapes.iter().all(|(text, _)| text.bytes().all(|b| b.is_ascii_digit()));
    2 * shapes.len() >= texts.len()
        && !(ascends && digits)
        && shapes.iter().any(|(_, shape)| shape.is_none() || *shape != shapes[0].1)
}

/// The columns that are written (2.5): all, or the chosen ones with the structs around them.
pub fn project(schema: &[Field], columns: &[ColumnPath]) -> Vec<Field> {
    let mut out: Vec<Field> = Vec::new();
    for path in columns {
        let name = path.top();
        if out.iter().any(|f| f.name == name) {
            continue;
        }
        let field = schema.iter().find(|f| f.name == name).unwrap();
        let inner: Vec<ColumnPath> = columns
            .iter()
            .filter(|p| p.top() == name && p.steps().len() > 1)
            .map(|p| ColumnPath::new(p.steps()[1..].to_vec()).unwrap())
            .collect();
        let data_type = match &field.data_type {
            Type::Struct(fields) if !inner.is_empty() => Type::Struct(project(fields, &inner)),
            whole => whole.clone(),
        };
        out.push(Field { data_type, ..field.clone() });
    }
    out
}

/// Whether the schema has a column.
pub fn has(schema: &[Field], path: &ColumnPath) -> bool {
    Schema { fields: schema.to_vec() }.find(path).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::json::parse;
    use super::*;

    /// The columns of lines of records.
    fn of(lines: &str) -> String {
        let records: Vec<Value> =
            lines.lines().map(|l| parse(l.trim().as_bytes()).unwrap().value).collect();
        let records: Vec<&Value> = records.iter().collect();
        let fields = schema(&records, &Want::Open(vec![]));
        let unknown = |f: &Field| if f.unknown { "?" } else { "" };
        let text = |f: &Field| format!("{} {}{}", f.name, f.data_type, unknown(f));
        fields.iter().map(text).collect::<Vec<_>>().join(", ")
    }

    /// The type of a column with these values.
    fn column_of(values: &str) -> String {
        let lines: Vec<String> = values.split(' ').map(|v| format!("{{\"c\":{v}}}")).collect();
        of(&lines.join("\n"))[2..].to_owned()
    }

    #[test]
    fn every_row_of_the_table() {
        for (values, expected) in [
            ("1 -0 null 9223372036854775807 -9223372036854775808", "int64"),
            ("1 9223372036854775808", "decimal(38,0)"),
            ("99999999999999999999999999999999999999", "decimal(38,0)"),
            ("100000000000000000000000000000000000000", "json"),
            ("100000000000000000000000000000000000000 0.5", "float64"),
            ("1 1.0", "float64"),
            ("1e2", "float64"),
            ("9007199254740992 0.5", "float64"),
            ("9007199254740993 0.5", "decimal(38,3)"),
            ("9007199254740993 1", "int64"),
            ("0.1 5e-324 -0.0", "float64"),
            ("1e400", "json"),
            ("1e-400", "json"),
            ("0.1000000000000000055", "decimal(38,21)"),
            ("0.10000000000000001 21.5 100", "decimal(38,18)"),
            ("9007199254740993.0", "decimal(38,0)"),
            ("51.507350912345678901 5", "decimal(38,18)"),
            ("0.1000000000000000055 123456789012345678", "json"),
            ("0.1000000000000000055 12345678901234567", "decimal(38,21)"),
            ("12.34567890123456789012345678901234567890", "json"),
            ("[0.10000000000000001]", "list<decimal(38,18)>"),
            ("true false null", "boolean"),
            ("true 1", "json"),
            ("\"2019-04-23T17:25:43Z\" null", "timestamp(ms, UTC)"),
            ("\"2019-04-23T17:25:43.111Z\"", "timestamp(ms, UTC)"),
            ("\"2019-04-23T17:25:43.111000Z\"", "timestamp(us, UTC)"),
            ("\"2019-04-23T17:25:43.11Z\"", "string"),
            ("\"2019-04-23T17:25:43Z\" \"2019-04-23T17:25:43.111Z\"", "string"),
            ("\"2019-04-23T17:25:43+00:00\"", "string"),
            ("\"2019-04-23t17:25:43Z\"", "string"),
            ("\"0000-04-23T17:25:43Z\"", "string"),
            ("\"2019-04-23T17:25:60Z\"", "string"),
            ("\"2019-02-30T17:25:00Z\"", "string"),
            ("\"a\" \"2019-04-23T17:25:43Z\"", "string"),
            ("\"a\" 1", "json"),
            ("{\"a\":1} {} {\"b\":null}", "struct<a: int64, b: string>"),
            ("{} {}", "json"),
            ("{\"a\":1} 1", "json"),
            ("{\"a\":1} []", "json"),
            ("[1] [] [null]", "list<int64>"),
            ("[1] [\"a\"]", "list<json>"),
            ("[[]] [[1.5]]", "list<list<float64>>"),
            ("[] [null]", "list<string>?"),
            ("[[]]", "list<list<string>>?"),
            ("[{}]", "list<json>"),
            ("[{\"a\":1}] [{\"b\":true}]", "list<struct<a: int64, b: boolean>>"),
            ("null null", "string?"),
        ] {
            assert_eq!(column_of(values), expected, "{values}");
        }
    }

    #[test]
    fn columns_stand_in_order_of_appearance_nulls_included() {
        assert_eq!(of("{\"b\":1,\"a\":null}\n{\"c\":2,\"a\":true}"), "b int64, a boolean, c int64");
    }

    #[test]
    fn a_column_at_level_32_is_a_scalar_or_json() {
        let nested = |levels: usize| {
            format!("{{\"c\":{}1{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1))
        };
        let lists =
            |n: usize, inner: &str| format!("c {}{inner}{}", "list<".repeat(n), ">".repeat(n));
        assert_eq!(of(&nested(32)), lists(31, "int64"));
        assert_eq!(of(&nested(33)), lists(31, "json"));
        assert_eq!(of(&nested(1024)), lists(31, "json"));
    }

    #[test]
    fn a_thousand_members_are_a_struct_and_one_more_is_json() {
        let object = |n: usize| {
            let members: Vec<String> = (0..n).map(|i| format!("\"m{i}\":1")).collect();
            format!("{{\"c\":{{{}}}}}", members.join(","))
        };
        assert!(of(&object(1000)).starts_with("c struct<m0: int64, "));
        assert_eq!(of(&object(1001)), "c json");
    }
}
