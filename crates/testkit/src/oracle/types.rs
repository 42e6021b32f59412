//! Declared types and hints (2.2): what a record becomes under them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_plan::{EpochUnit, ExtraMembers, NullText, Plan, Type};

use super::format::formatted;
use super::json::{Decimal, Value, parse};
use super::text::canonical;
use super::time::{date, in_range, other_zone, rfc3339};

/// The column of extra members.
pub const EXTRA: &str = "_extra";

/// What a plan says of a column, or of the whole record.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// Nothing.
    Infer,
    /// Its type.
    Exact(Type),
    /// That it is an object; the types of some members.
    Open(Vec<(String, Want)>),
}

impl Want {
    /// What a plan says of the record.
    pub fn of(plan: &Plan) -> Self {
        let spec = &plan.schema;
        if let Some(schema) = &spec.declared {
            return Self::Exact(Type::Struct(schema.fields.clone()));
        }
        let mut root = Self::Open(Vec::new());
        for (path, data_type) in &spec.hints {
            root.insert(path.steps(), data_type);
        }
        for (path, _) in &plan.null_text.columns {
            root.open(&path.steps()[..path.steps().len() - 1]);
        }
        root
    }

    /// Says that there is an object at a path.
    fn open(&mut self, steps: &[String]) {
        if *self == Self::Infer {
            *self = Self::Open(Vec::new());
        }
        let (Self::Open(members), Some((first, rest))) = (self, steps.split_first()) else {
            return;
        };
        if !members.iter().any(|(name, _)| name == first) {
            members.push((first.clone(), Self::Infer));
        }
        let (_, member) = members.iter_mut().find(|(name, _)| name == first).unwrap();
        member.open(rest);
    }

    fn insert(&mut self, steps: &[String], data_type: &Type) {
        let Some((first, rest)) = steps.split_first() else {
            *self = Self::Exact(data_type.clone());
            return;
        };
        if *self == Self::Infer {
            *self = Self::Open(Vec::new());
        }
        let Self::Open(members) = self else { panic!("hints overlap") };
        if !members.iter().any(|(name, _)| name == first) {
            members.push((first.clone(), Self::Infer));
        }
        let (_, member) = members.iter_mut().find(|(name, _)| name == first).unwrap();
        member.insert(rest, data_type);
    }

    /// Whether there can be extra members outside lists.
    pub fn can_have_extra(&self) -> bool {
        match self {
            Self::Infer => false,
            Self::Exact(data_type) => matches!(data_type, Type::Struct(_)),
            Self::Open(members) => members.iter().any(|(_, want)| want.can_have_extra()),
        }
    }
}

/// Makes records fit what a plan says of them.
#[derive(Debug)]
pub struct Conform {
    /// What the plan does with extra members.
    pub extra_members: ExtraMembers,
    /// Whether there is a column [`EXTRA`].
    pub extra_column: bool,
    /// Strings that stand for null.
    pub null_text: NullText,
    /// Whether values must be spelled as their type is.
    pub strict: bool,
}

/// What was noticed on the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// A member is extra, and must not be.
    pub extra: bool,
    /// A value does not fit its type.
    pub bad: bool,
    /// Members that were left out.
    pub ignored: u64,
    /// Values that were rounded.
    pub rounded: u64,
    /// The columns of values in another spelling than their type has, one for each value.
    pub converted: Vec<Vec<String>>,
    /// The columns of strings that stood for null, one for each.
    pub nulled: Vec<Vec<String>>,
}

impl Conform {
    /// The record with its declared values converted, and with [`EXTRA`].
    pub fn record(&self, record: &Value, want: &Want, notes: &mut Notes) -> Value {
        let Value::Object(members) = record else { panic!("a record is an object") };
        let is_own = |name: &str| name == EXTRA && self.extra_column;
        let (stolen, members): (Vec<_>, Vec<_>) =
            members.iter().cloned().partition(|(name, _)| is_own(name));
        let (mut record, mut extras) =
            self.value(&Value::Object(members), want, (&[], false), notes);
        for (name, value) in stolen.into_iter().filter(|(_, value)| value != &Value::Null) {
            add(&mut extras, name, value);
        }
        if self.extra_column {
            add(&mut record, EXTRA.into(), extras);
        }
        record
    }

    /// Whether a string at a path stands for null.
    fn is_null_text(&self, text: &String, want: &Want, path: &[String]) -> bool {
        let takes_no_string = match want {
            Want::Exact(data_type) => {
                !matches!(data_type, Type::String | Type::Json | Type::JsonText)
            }
            Want::Infer | Want::Open(_) => false,
        };
        let is_json_null = matches!(want, Want::Exact(Type::JsonText))
            && text.trim_matches([' ', '\t', '\n', '\r']) == "null";
        let NullText { everywhere, columns, .. } = &self.null_text;
        is_json_null
            || takes_no_string && everywhere.contains(text)
            || columns.iter().any(|(named, texts)| named.steps() == path && texts.contains(text))
    }

    /// A value by its type, and an object of what is extra in it, or null. `place` is the path of the
    /// column, and whether the value lies in a list.
    fn value(
        &self,
        value: &Value,
        want: &Want,
        place: (&[String], bool),
        notes: &mut Notes,
    ) -> (Value, Value) {
        let mut extras = Value::Null;
        let (path, in_list) = place;
        let child = |name: &String| [path, std::slice::from_ref(name)].concat();
        if let Value::String(text) = value
            && self.is_null_text(text, want, path)
        {
            notes.nulled.push(path.to_vec());
            return (Value::Null, extras);
        }
        let data_type = match (want, value) {
            (Want::Infer, _) | (_, Value::Null) => return (value.clone(), extras),
            (Want::Open(wants), Value::Object(members)) => {
                let mut out = Vec::new();
                for (name, value) in members {
                    let want = wants.iter().find(|(n, _)| n == name).map_or(&Want::Infer, |w| &w.1);
                    let (value, extra) = self.value(value, want, (&child(name), in_list), notes);
                    if extra != Value::Null {
                        add(&mut extras, name.clone(), extra);
                    }
                    out.push((name.clone(), value));
                }
                return (Value::Object(out), extras);
            }
            (Want::Open(_), _) => {
                notes.bad = true;
                return (Value::Null, extras);
            }
            (Want::Exact(data_type), _) => data_type,
        };
        let converted = match (data_type, value) {
            (Type::Struct(fields), Value::Object(members)) => {
                let mut out = Vec::new();
                for (name, value) in members.iter().filter(|(_, value)| value != &Value::Null) {
                    if let Some(field) = fields.iter().find(|f| &f.name == name) {
                        let want = Want::Exact(field.data_type.clone());
                        let (value, extra) =
                            self.value(value, &want, (&child(name), in_list), notes);
                        if extra != Value::Null {
                            add(&mut extras, name.clone(), extra);
                        }
                        out.push((name.clone(), value));
                        continue;
                    }
                    match self.extra_members {
                        ExtraMembers::Ignore => notes.ignored += 1,
                        ExtraMembers::Keep if !in_list => {
                            add(&mut extras, name.clone(), value.clone());
                        }
                        ExtraMembers::Keep | ExtraMembers::Error => notes.extra = true,
                    }
                }
                Some(Value::Object(out))
            }
            (Type::List(element), Value::List(values)) => {
                let want = Want::Exact((**element).clone());
                Some(Value::List(
                    values.iter().map(|v| self.value(v, &want, (path, true), notes).0).collect(),
                ))
            }
            (Type::JsonText, Value::String(text)) => {
                parse(text.as_bytes()).ok().filter(|parsed| !parsed.duplicate).map(|p| p.value)
            }
            (Type::JsonText, _) if self.strict => None,
            (Type::JsonText, _) => {
                notes.converted.push(path.to_vec());
                Some(value.clone())
            }
            _ => scalar(data_type, value, notes).or_else(|| {
                let converted = respelled(data_type, value).filter(|_| !self.strict)?;
                notes.converted.push(path.to_vec());
                scalar(data_type, &converted, notes)
            }),
        };
        notes.bad |= converted.is_none();
        (converted.unwrap_or(Value::Null), extras)
    }
}

fn add(object: &mut Value, name: String, value: Value) {
    if !matches!(object, Value::Object(_)) {
        *object = Value::Object(Vec::new());
    }
    let Value::Object(members) = object else { unreachable!() };
    members.push((name, value));
}

/// The same value as one in the spelling of a type; `None` if it has none, or none that is exact.
fn respelled(data_type: &Type, value: &Value) -> Option<Value> {
    let number = |text: &String| {
        let value = parse(text.as_bytes()).ok()?.value;
        // Nothing around it, and no other kind.
        let is_begun = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let is_ended = text.ends_with(|c: char| c.is_ascii_digit());
        (is_begun && is_ended).then_some(value)
    };
    match (data_type, value) {
        (Type::String, Value::Bool(value)) => Some(Value::String(value.to_string())),
        (Type::String, Value::Number(number)) => {
            let text = canonical(value);
            (number.spelled == text).then_some(Value::String(text))
        }
        (Type::Boolean, Value::String(text)) => text.parse().ok().map(Value::Bool),
        (Type::Timestamp(unit), Value::String(text)) => {
            let read = other_zone(text)?;
            let fits = read.significant_digits <= unit.digits() as usize;
            (fits && in_range(read.nanos, *unit)).then_some(Value::Instant(read.nanos))
        }
        (Type::Epoch(unit), Value::String(text)) => match number(text)? {
            Value::Number(number) => instant(*unit, &number).map(Value::Instant),
            _ => None,
        },
        (Type::Epoch(unit), Value::Number(number)) => instant(*unit, number).map(Value::Instant),
        (
            Type::Int8
            | Type::Int16
            | Type::Int32
            | Type::Int64
            | Type::Decimal { .. }
            | Type::Float32
            | Type::Float64,
            Value::String(text),
        ) => number(text),
        _ => None,
    }
}

/// Nanoseconds since 1970 of a number of units, if the column holds the instant exactly.
fn instant(unit: EpochUnit, number: &Decimal) -> Option<i128> {
    let (scale, factor) = match unit {
        // The column has milliseconds.
        EpochUnit::Seconds => (3, 1_000_000),
        EpochUnit::Millis => (0, 1_000_000),
        EpochUnit::Micros => (0, 1_000),
        EpochUnit::Nanos => (0, 1),
    };
    let nanos = number.scaled(scale)?.checked_mul(factor)?;
    in_range(nanos, unit.column_unit()).then_some(nanos)
}

/// A value by a type without members or elements; `None` if it does not fit.
fn scalar(data_type: &Type, value: &Value, notes: &mut Notes) -> Option<Value> {
    let within = |n: &Decimal, bits: u32| {
        let limit = 1i128 << (bits - 1);
        n.scaled(0).is_some_and(|n| (-limit..limit).contains(&n))
    };
    let mut rounded = |n: &Decimal, nearest: Option<Decimal>| {
        let nearest = nearest?;
        notes.rounded += u64::from(*n != nearest);
        Some(Value::Number(nearest))
    };
    let fits = match (data_type, value) {
        (Type::Json, _) => true,
        (Type::Boolean, Value::Bool(_)) | (Type::String, Value::String(_)) => true,
        (Type::Int8, Value::Number(n)) => within(n, 8),
        (Type::Int16, Value::Number(n)) => within(n, 16),
        (Type::Int32, Value::Number(n)) => within(n, 32),
        (Type::Int64, Value::Number(n)) => within(n, 64),
        (Type::Decimal { precision, scale }, Value::Number(n)) => {
            let limit = 10i128.pow((*precision).into());
            n.scaled((*scale).into()).is_some_and(|n| -limit < n && n < limit)
        }
        (Type::Float32, Value::Number(n)) => return rounded(n, n.nearest_f32()),
        (Type::Float64, Value::Number(n)) => return rounded(n, n.nearest_f64()),
        (Type::Timestamp(unit), Value::String(text)) => {
            let read = rfc3339(text)?;
            let fits = read.significant_digits <= unit.digits() as usize;
            return (fits && in_range(read.nanos, *unit)).then_some(Value::Instant(read.nanos));
        }
        (Type::Epoch(unit), Value::Number(n)) => {
            return instant(*unit, n).filter(|_| n.is_integral()).map(Value::Instant);
        }
        // What was respelled.
        (Type::Timestamp(_) | Type::Epoch(_), Value::Instant(_)) => true,
        (Type::TimestampText(format), Value::String(text)) => {
            let (nanos, digits) = formatted(text, format.format(), format.zone())?;
            let fits = digits <= format.unit().digits() as usize;
            return (fits && in_range(nanos, format.unit())).then_some(Value::Instant(nanos));
        }
        (Type::Date, Value::String(text)) => return Some(Value::Date(date(text)?)),
        (Type::Binary, Value::String(text)) => {
            return STANDARD.decode(text).ok().map(Value::Binary);
        }
        _ => false,
    };
    fits.then(|| value.clone())
}

/// The value that is written for a value of a column.
pub fn written(data_type: &Type, value: &Value) -> Value {
    match (data_type, value) {
        (_, Value::Null) => Value::Null,
        (Type::Json | Type::JsonText, _) => Value::String(canonical(value)),
        (Type::Timestamp(_), Value::String(text)) => Value::Instant(rfc3339(text).unwrap().nanos),
        (Type::List(element), Value::List(values)) => {
            Value::List(values.iter().map(|v| written(element, v)).collect())
        }
        (Type::Struct(fields), Value::Object(_)) => Value::Object(
            fields
                .iter()
                .map(|f| (f.name.clone(), written(&f.data_type, value.member(&f.name))))
                .filter(|(_, value)| value != &Value::Null)
                .collect(),
        ),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::parse;
    use super::*;

    fn convert(data_type: &str, text: &str) -> Option<(Value, Notes)> {
        let conform = Conform {
            extra_members: ExtraMembers::Error,
            extra_column: false,
            null_text: NullText::default(),
            strict: false,
        };
        let mut notes = Notes::default();
        let value = parse(text.as_bytes()).unwrap().value;
        let want = Want::Exact(data_type.parse().unwrap());
        let (value, _) = conform.value(&value, &want, (&[], false), &mut notes);
        (!notes.bad && !notes.extra).then_some((value, notes))
    }

    fn fits(data_type: &str, text: &str) -> bool {
        convert(data_type, text).is_some()
    }

    #[test]
    fn numbers_fit_by_value() {
        for (data_type, good, bad) in [
            (
                "int8",
                &["127", "-128", "1.0", "1e2", "-0.0", "null", "\"1\"", "\"-1e2\""][..],
                &["128", "-129", "1.5", "\" 1\"", "\"0x1\"", "\"128\"", "true", "1e3"][..],
            ),
            (
                "int64",
                &["9223372036854775807", "-9223372036854775808"],
                &["9223372036854775808", "1e400"],
            ),
            ("decimal(5,2)", &["999.99", "-1e2", "0.010", "0"], &["1000", "0.001", "999.999"]),
            ("decimal(38,0)", &["99999999999999999999999999999999999999"], &["1e38", "0.5"]),
            (
                "float64",
                &["1.7976931348623157e308", "1e-400", "\"1\""],
                &["1e309", "\"1 \"", "\"NaN\""],
            ),
            ("float32", &["3.4028235e38", "3.40282356e38"], &["3.5e38"]),
            ("boolean", &["true", "\"true\""], &["1", "\"True\""]),
            ("string", &["\"\"", "1", "1.5", "true", "1e21"], &["1.10", "1e2", "-0", "[]"]),
            ("json", &["[1,{}]", "1"], &[]),
            (
                "date",
                &["\"2024-02-29\"", "\"0001-01-01\""],
                &["\"2023-02-29\"", "\"0000-01-01\"", "\"2024-2-29\"", "1"],
            ),
            (
                "binary",
                &["\"\"", "\"AA==\"", "\"+/8=\""],
                &["\"AA\"", "\"AB==\"", "\"_w==\"", "\"A A=\""],
            ),
            (
                "epoch(s)",
                &["0", "-62135596800", "253402300799", "1e3", "0.5", "\"1.125\""],
                &["253402300800", "-62135596801", "0.0005", "\"+1\""],
            ),
            ("epoch(ns)", &["9223372036854775807"], &["9223372036854775808"]),
            ("list<int8>", &["[]", "[1,null]"], &["[200]", "{}"]),
            (
                "struct<a: int8>",
                &["{}", "{\"a\":1}", "{\"b\":null}"],
                &["{\"a\":\"\"}", "{\"b\":1}", "[]"],
            ),
        ] {
            for text in good {
                assert!(fits(data_type, text), "{text} is {data_type}");
            }
            for text in bad {
                assert!(!fits(data_type, text), "{text} is no {data_type}");
            }
        }
        assert_eq!(convert("float64", "0.1").unwrap().1.rounded, 0);
        assert_eq!(convert("float64", "9007199254740993").unwrap().1.rounded, 1);
        assert_eq!(convert("float32", "0.1").unwrap().1.rounded, 0);
        let zero = Value::Number(Decimal::parse("0").unwrap());
        assert_eq!(convert("float64", "-1e-400").unwrap().0, zero);
    }

    #[test]
    fn instants_fit_the_digits_and_the_years_of_their_unit() {
        assert!(fits("timestamp(ms)", "\"2019-04-23T17:25:43.111000000000Z\""));
        assert!(!fits("timestamp(ms)", "\"2019-04-23T17:25:43.1111Z\""));
        assert!(!fits("timestamp(ns)", "\"2263-01-01T00:00:00Z\""));
    }

    #[test]
    fn extra_members_go_to_the_same_path() {
        let conform = Conform {
            extra_members: ExtraMembers::Keep,
            extra_column: true,
            null_text: NullText::default(),
            strict: false,
        };
        let mut notes = Notes::default();
        let text = r#"{"q":[1],"a":{"b":1,"z":{"y":2},"n":null},"_extra":5}"#;
        let want = Want::Exact("struct<a: struct<b: int8>>".parse().unwrap());
        let value = conform.record(&parse(text.as_bytes()).unwrap().value, &want, &mut notes);
        assert_eq!(
            canonical(&value),
            r#"{"_extra":{"_extra":5,"a":{"z":{"y":2}},"q":[1]},"a":{"b":1}}"#
        );
        assert_eq!(notes, Notes::default());
    }
}
