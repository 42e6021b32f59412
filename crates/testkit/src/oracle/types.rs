//! Declared types and hints (2.2): what a record becomes under them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_plan::{EpochUnit, ExtraMembers, SchemaSpec, TimeUnit, Type};

use super::json::{Decimal, Value};
use super::text::canonical;

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
    pub fn of(spec: &SchemaSpec) -> Self {
        if let Some(schema) = &spec.declared {
            return Self::Exact(Type::Struct(schema.fields.clone()));
        }
        let mut root = Self::Open(Vec::new());
        for (path, data_type) in &spec.hints {
            root.insert(path.steps(), data_type);
        }
        root
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
}

impl Conform {
    /// The record with its declared values converted, and with [`EXTRA`].
    pub fn record(&self, record: &Value, want: &Want, notes: &mut Notes) -> Value {
        let Value::Object(members) = record else { panic!("a record is an object") };
        let is_own = |name: &str| name == EXTRA && self.extra_column;
        let (stolen, members): (Vec<_>, Vec<_>) =
            members.iter().cloned().partition(|(name, _)| is_own(name));
        let (mut record, mut extras) = self.value(&Value::Object(members), want, false, notes);
        for (name, value) in stolen.into_iter().filter(|(_, value)| value != &Value::Null) {
            add(&mut extras, name, value);
        }
        if self.extra_column {
            add(&mut record, EXTRA.into(), extras);
        }
        record
    }

    /// A value by its type, and an object of what is extra in it, or null.
    fn value(
        &self,
        value: &Value,
        want: &Want,
        in_list: bool,
        notes: &mut Notes,
    ) -> (Value, Value) {
        let mut extras = Value::Null;
        let data_type = match (want, value) {
            (Want::Infer, _) | (_, Value::Null) => return (value.clone(), extras),
            (Want::Open(wants), Value::Object(members)) => {
                let mut out = Vec::new();
                for (name, value) in members {
                    let want = wants.iter().find(|(n, _)| n == name).map_or(&Want::Infer, |w| &w.1);
                    let (value, extra) = self.value(value, want, in_list, notes);
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
                        let (value, extra) = self.value(value, &want, in_list, notes);
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
                    values.iter().map(|v| self.value(v, &want, true, notes).0).collect(),
                ))
            }
            _ => scalar(data_type, value, notes),
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

/// A value by a type without members or elements; nothing if it does not fit.
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
            let factor = match unit {
                EpochUnit::Seconds => 1_000_000_000,
                EpochUnit::Millis => 1_000_000,
                EpochUnit::Micros => 1_000,
                EpochUnit::Nanos => 1,
            };
            let nanos = n.scaled(0)?.checked_mul(factor)?;
            return in_range(nanos, unit.column_unit()).then_some(Value::Instant(nanos));
        }
        (Type::Date, Value::String(text)) => return Some(Value::Date(date(text)?)),
        (Type::Binary, Value::String(text)) => {
            return STANDARD.decode(text).ok().map(Value::Binary);
        }
        _ => false,
    };
    fits.then(|| value.clone())
}

/// An instant as it was spelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Rfc3339 {
    /// Nanoseconds since 1970; further digits are cut off.
    pub nanos: i128,
    /// Digits of the fraction.
    pub digits: usize,
    /// Digits of the fraction without the zeros at its end.
    pub significant_digits: usize,
    /// `T`, `t` or a blank.
    pub separator: u8,
    /// `Z`, `z` or an offset.
    pub zone: String,
}

/// Reads an instant in the years 0001 to 9999, both as spelled and in UTC.
pub fn rfc3339(text: &str) -> Option<Rfc3339> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() < 20 {
        return None;
    }
    let days = date(&text[..10])?;
    let separator = bytes[10];
    if !b"Tt ".contains(&separator) || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let (hour, minute, second) =
        (below(&text[11..13], 24)?, below(&text[14..16], 60)?, below(&text[17..19], 60)?);
    let mut rest = &text[19..];
    let mut fraction = "";
    if let Some(tail) = rest.strip_prefix('.') {
        let count = tail.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return None;
        }
        (fraction, rest) = tail.split_at(count);
    }
    let offset_minutes = match rest.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let minutes = below(&rest[1..3], 24)? * 60 + below(&rest[4..6], 60)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let seconds =
        i128::from(days) * 86_400 + hour * 3_600 + (minute - offset_minutes) * 60 + second;
    let nano_digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos = seconds * 1_000_000_000 + nano_digits.parse::<i128>().unwrap();
    in_range(nanos, TimeUnit::Millis).then(|| Rfc3339 {
        nanos,
        digits: fraction.len(),
        significant_digits: fraction.trim_end_matches('0').len(),
        separator,
        zone: rest.to_owned(),
    })
}

/// Two ASCII digits below a limit.
fn below(text: &str, limit: i128) -> Option<i128> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|n| *n < limit)
}

fn in_range(nanos: i128, unit: TimeUnit) -> bool {
    let first = i128::from(date("0001-01-01").unwrap()) * 86_400_000_000_000;
    let behind = (i128::from(date("9999-12-31").unwrap()) + 1) * 86_400_000_000_000;
    (first..behind).contains(&nanos) && (unit != TimeUnit::Nanos || i64::try_from(nanos).is_ok())
}

/// Days since 1970 of a real date `YYYY-MM-DD` in the years 0001 to 9999.
pub fn date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |text: Option<&str>| -> Option<i32> {
        text.filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
    };
    let (year, month, day) =
        (number(text.get(..4))?, number(text.get(5..7))?, number(text.get(8..))?);
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let before_year = |y: i32| 365 * (y - 1) + (y - 1) / 4 - (y - 1) / 100 + (y - 1) / 400;
    let before_month: i32 = (1..month).map(|m| days_in(year, m)).sum();
    Some(before_year(year) + before_month + day - 1 - before_year(1970))
}

fn days_in(year: i32, month: i32) -> i32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `YYYY-MM-DD` of a day.
pub fn date_text(days: i32) -> String {
    // Slow and sure: the last year, then the last month, that begins at or before the day.
    let of = |year: i32, month: i32| date(&format!("{year:04}-{month:02}-01")).unwrap();
    let mut year = (1970 + days / 366 - i32::from(days < 0)).max(1);
    while year < 9999 && of(year + 1, 1) <= days {
        year += 1;
    }
    while of(year, 1) > days {
        year -= 1;
    }
    let month = (1..=12).rev().find(|m| of(year, *m) <= days).unwrap();
    format!("{year:04}-{month:02}-{:02}", days - of(year, month) + 1)
}

/// `YYYY-MM-DDThh:mm:ss.fffZ` with as many digits as are asked for.
pub fn instant_text(nanos: i128, digits: usize) -> String {
    let (seconds, fraction) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    format!(
        "{}T{:02}:{:02}:{:02}.{}Z",
        date_text(days as i32),
        second / 3_600,
        second / 60 % 60,
        second % 60,
        &format!("{fraction:09}")[..digits]
    )
}

/// The value that is written for a value of a column.
pub fn written(data_type: &Type, value: &Value) -> Value {
    match (data_type, value) {
        (_, Value::Null) => Value::Null,
        (Type::Json, _) => Value::String(canonical(value)),
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
        let conform = Conform { extra_members: ExtraMembers::Error, extra_column: false };
        let mut notes = Notes::default();
        let value = parse(text.as_bytes()).unwrap().value;
        let want = Want::Exact(data_type.parse().unwrap());
        let (value, _) = conform.value(&value, &want, false, &mut notes);
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
                &["127", "-128", "1.0", "1e2", "-0.0", "null"][..],
                &["128", "-129", "1.5", "\"1\"", "true", "1e3"][..],
            ),
            (
                "int64",
                &["9223372036854775807", "-9223372036854775808"],
                &["9223372036854775808", "1e400"],
            ),
            ("decimal(5,2)", &["999.99", "-1e2", "0.010", "0"], &["1000", "0.001", "999.999"]),
            ("decimal(38,0)", &["99999999999999999999999999999999999999"], &["1e38", "0.5"]),
            ("float64", &["1.7976931348623157e308", "1e-400"], &["1e309", "\"1\""]),
            ("float32", &["3.4028235e38", "3.40282356e38"], &["3.5e38"]),
            ("boolean", &["true"], &["1", "\"true\""]),
            ("string", &["\"\""], &["1", "[]"]),
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
                &["0", "-62135596800", "253402300799", "1e3"],
                &["253402300800", "-62135596801", "0.5"],
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
    fn instants_follow_rfc_3339() {
        let nanos = |text: &str| rfc3339(text).map(|read| read.nanos);
        assert_eq!(nanos("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(nanos("2019-04-23T17:25:43.111Z"), Some(1_556_040_343_111_000_000));
        assert_eq!(nanos("2019-04-23 19:25:43.111+02:00"), nanos("2019-04-23t17:25:43.1110z"));
        assert_eq!(nanos("1969-12-31T23:59:59.5Z"), Some(-500_000_000));
        for bad in [
            "2019-04-23T17:25:60Z",
            "2019-04-23T24:00:00Z",
            "2019-02-30T00:00:00Z",
            "0000-12-31T23:00:00-02:00",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "2019-04-23T17:25:43.Z",
            "2019-04-23T17:25:43",
            "2019-04-23T17:25:43+24:00",
            "2019-04-23_17:25:43Z",
            "২০১৯-04-23T17:25:43Z",
            "2019-04-23T17:25:43ZZ",
            "+019-04-23T17:25:43Z",
        ] {
            assert_eq!(nanos(bad), None, "{bad}");
        }
        assert!(fits("timestamp(ms)", "\"2019-04-23T17:25:43.111000000000Z\""));
        assert!(!fits("timestamp(ms)", "\"2019-04-23T17:25:43.1111Z\""));
        assert!(!fits("timestamp(ns)", "\"2263-01-01T00:00:00Z\""));
    }

    #[test]
    fn days_read_back() {
        for text in [
            "0001-01-01",
            "1899-12-31",
            "1969-12-31",
            "1970-01-01",
            "2000-02-29",
            "2100-03-01",
            "9999-12-31",
        ] {
            assert_eq!(date_text(date(text).unwrap()), text);
        }
        assert_eq!(date("0001-01-01"), Some(-719_162));
        assert_eq!(instant_text(-1_000_000, 3), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn extra_members_go_to_the_same_path() {
        let conform = Conform { extra_members: ExtraMembers::Keep, extra_column: true };
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
