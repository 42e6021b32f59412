//! Column types and their text form, as in `ts timestamp(ms)` or `tags list<string>`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::excerpt;
use crate::instant_format::PARTS;
use crate::{ColumnPath, Error, Field, InstantFormat, Result, Schema};

/// Unit of a timestamp column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeUnit {
    /// Milliseconds, `ms`.
    Millis,
    /// Microseconds, `us`.
    Micros,
    /// Nanoseconds, `ns`: years 1677 to 2262.
    Nanos,
}

impl TimeUnit {
    /// Digits of a second's fraction that the unit holds: 3, 6 or 9.
    pub fn digits(self) -> u32 {
        match self {
            Self::Millis => 3,
            Self::Micros => 6,
            Self::Nanos => 9,
        }
    }

    /// Units in a second.
    pub fn per_second(self) -> i64 {
        10i64.pow(self.digits())
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Millis => "ms",
            Self::Micros => "us",
            Self::Nanos => "ns",
        }
    }
}

/// Unit of a number that counts from 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EpochUnit {
    /// Seconds; the column is a timestamp in milliseconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl EpochUnit {
    /// Unit of the column that such numbers become.
    pub fn column_unit(self) -> TimeUnit {
        match self {
            Self::Seconds | Self::Millis => TimeUnit::Millis,
            Self::Micros => TimeUnit::Micros,
            Self::Nanos => TimeUnit::Nanos,
        }
    }
}

/// The type of a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Type {
    /// `boolean`
    Boolean,
    /// `int8`
    Int8,
    /// `int16`
    Int16,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `decimal(p,s)`: up to 38 digits, `s` of them after the point.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// `float32`; declared, it is consent to the nearest value.
    Float32,
    /// `float64`; declared, it is consent to the nearest value.
    Float64,
    /// `timestamp(ms)`: an instant, read from an RFC 3339 string, kept in UTC.
    Timestamp(TimeUnit),
    /// `timestamp(ms, 'FORMAT', 'ZONE')`: an instant, read from a string of another form; only as a
    /// declaration or a hint.
    TimestampText(Box<InstantFormat>),
    /// `epoch(s)`: an instant, read from a number; only as a declaration or a hint.
    Epoch(EpochUnit),
    /// `date`: read from `YYYY-MM-DD`.
    Date,
    /// `binary`: read from base64 (RFC 4648 section 4, with padding).
    Binary,
    /// `string`
    String,
    /// `json`: any value, kept as its canonical JSON text.
    Json,
    /// `json(text)`: any value, read from a string that holds its JSON text; only as a declaration or a hint.
    JsonText,
    /// `list<T>`
    List(Box<Type>),
    /// `struct<a: T, b: U>`
    Struct(Vec<Field>),
}

impl Type {
    /// Whether a value of this type has no members or elements.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Struct(_) | Self::Json | Self::JsonText)
    }

    /// Most levels of lists and structs, one inside the other: as many as inferred columns have.
    pub const MOST_LEVELS: usize = 31;

    /// The type of the column in an output: [`Type::Epoch`] and [`Type::TimestampText`] become a
    /// timestamp, and [`Type::JsonText`] becomes [`Type::Json`], at any depth.
    #[must_use]
    pub fn stored(&self) -> Self {
        match self {
            Self::Epoch(unit) => Self::Timestamp(unit.column_unit()),
            Self::TimestampText(format) => Self::Timestamp(format.unit()),
            Self::JsonText => Self::Json,
            Self::List(element) => Self::List(Box::new(element.stored())),
            Self::Struct(fields) => Self::Struct(
                fields
                    .iter()
                    .map(|f| Field { data_type: f.data_type.stored(), ..f.clone() })
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    /// The name of the type, without what belongs to it: `decimal`, `list`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Decimal { .. } => "decimal",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Timestamp(_) | Self::TimestampText(_) => "timestamp",
            Self::Epoch(_) => "epoch",
            Self::Date => "date",
            Self::Binary => "binary",
            Self::String => "string",
            Self::Json | Self::JsonText => "json",
            Self::List(_) => "list",
            Self::Struct(_) => "struct",
        }
    }

    /// Levels of lists and structs; 0 for a scalar.
    pub fn levels(&self) -> usize {
        match self {
            Self::List(element) => 1 + element.levels(),
            Self::Struct(fields) => {
                1 + fields.iter().map(|f| f.data_type.levels()).max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// Columns without members below this type; 1 for a scalar.
    pub fn leaf_count(&self) -> usize {
        match self {
            Self::List(element) => element.leaf_count(),
            Self::Struct(fields) => fields.iter().map(|f| f.data_type.leaf_count()).sum(),
            _ => 1,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Decimal { precision, scale } => write!(f, "({precision},{scale})"),
            Self::Timestamp(unit) => write!(f, "({}, UTC)", unit.text()),
            Self::TimestampText(format) => {
                write!(f, "({}, {})", format.unit().text(), format.quoted())
            }
            Self::Epoch(unit) => f.write_str(match unit {
                EpochUnit::Seconds => "(s)",
                EpochUnit::Millis => "(ms)",
                EpochUnit::Micros => "(us)",
                EpochUnit::Nanos => "(ns)",
            }),
            Self::JsonText => f.write_str("(text)"),
            Self::List(element) => write!(f, "<{element}>"),
            Self::Struct(fields) => {
                f.write_str("<")?;
                for (at, field) in fields.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    let name = ColumnPath::name(&field.name);
                    write!(f, "{comma}{name}: {}", field.data_type)?;
                }
                f.write_str(">")
            }
            _ => Ok(()),
        }
    }
}

impl FromStr for Type {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut parser = Parser { text, rest: text, open: 0 };
        let parsed = parser.data_type()?;
        parser.end()?;
        Ok(parsed)
    }
}

impl TryFrom<String> for Type {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Type> for String {
    fn from(data_type: Type) -> Self {
        data_type.to_string()
    }
}

/// Parses `id string, ts timestamp(ms), place struct<city: string>`.
pub(crate) fn parse_columns(text: &str) -> Result<Schema> {
    let mut parser = Parser { text, rest: text, open: 0 };
    let mut fields: Vec<Field> = Vec::new();
    loop {
        let name = parser.name()?;
        parser.eat(":");
        let data_type = parser.data_type()?;
        fields.push(Field::new(name, data_type));
        if !parser.eat(",") {
            parser.end()?;
            return Schema::new(fields);
        }
    }
}

/// Words of types that a typing error may have been meant as, the likelier ones first.
const WORDS: [&str; 27] = [
    "int64",
    "float64",
    "string",
    "boolean",
    "timestamp",
    "int32",
    "int16",
    "int8",
    "float32",
    "int",
    "integer",
    "long",
    "bigint",
    "smallint",
    "tinyint",
    "decimal",
    "float",
    "double",
    "bool",
    "text",
    "varchar",
    "datetime",
    "epoch",
    "date",
    "binary",
    "json",
    "struct",
];
/// Words that may mean several types.
const AMBIGUOUS: [(&str, &str); 6] = [
    ("number", "int64, float64 or decimal(p,s)"),
    ("numeric", "int64, float64 or decimal(p,s)"),
    ("real", "float32 or float64"),
    ("object", "struct<name: T, ...> or json"),
    ("map", "struct<name: T, ...> or json"),
    ("time", "timestamp(us) or string"),
];

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    /// Lists and structs that are not closed.
    open: usize,
}

impl Parser<'_> {
    fn fail(&self, what: &str) -> Error {
        let at = self.rest.trim_start();
        let found = if at.is_empty() { "the end".to_owned() } else { format!("`{}`", excerpt(at)) };
        let text = excerpt(self.text);
        Error::usage(format!("cannot read the type `{text}`: {what} at {found}")).help(
            "types: boolean, int8 to int64, decimal(p,s), float32, float64, timestamp(ms|us|ns), \
             timestamp(UNIT, 'FORMAT'[, 'ZONE']), epoch(s|ms|us|ns), date, binary, string, json, json(text), \
             list<T>, struct<name: T, ...>",
        )
    }

    /// An error for a word that is no type, with the nearest that is one.
    fn no_such_type(&self, word: &str) -> Error {
        if let Some((_, better)) = AMBIGUOUS.iter().find(|(known, _)| *known == word) {
            return self.fail(&format!("no such type, write {better}"));
        }
        let near = |known: &&&str| strsim::osa_distance(known, word);
        let nearest = WORDS.iter().min_by_key(near).filter(|known| near(known) <= 2);
        match nearest.filter(|_| !word.is_empty() && word.len() < 30) {
            Some(nearest) => self.fail(&format!("no such type, did you mean `{nearest}`?")),
            None => self.fail("no such type"),
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn need(&mut self, token: &str) -> Result<()> {
        if self.eat(token) { Ok(()) } else { Err(self.fail(&format!("expected `{token}`"))) }
    }

    /// Begins a list or a struct.
    fn begin(&mut self) -> Result<()> {
        self.open += 1;
        if self.open > Type::MOST_LEVELS {
            let most = Type::MOST_LEVELS;
            return Err(self.fail(&format!("more than {most} lists and structs nest")));
        }
        self.need("<")
    }

    fn end_nested(&mut self) -> Result<()> {
        self.open -= 1;
        self.need(">")
    }

    fn end(&self) -> Result<()> {
        if self.rest.trim().is_empty() { Ok(()) } else { Err(self.fail("expected the end")) }
    }

    fn word(&mut self) -> String {
        let rest = self.rest.trim_start();
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        self.rest = &rest[end..];
        rest[..end].to_ascii_lowercase()
    }

    /// One member name; unquoted it ends at a blank or a mark of the grammar.
    fn name(&mut self) -> Result<String> {
        let rest = self.rest.trim_start();
        if rest.starts_with('"') {
            let (path, rest) = ColumnPath::parse_prefix(rest, self.text)?;
            self.rest = rest;
            return Ok(path.top().to_owned());
        }
        let end = rest
            .find(|c: char| {
                c.is_whitespace() || matches!(c, ':' | ',' | '<' | '>' | '(' | ')' | '"')
            })
            .unwrap_or(rest.len());
        if end == 0 {
            return Err(self.fail("expected a column name"));
        }
        self.rest = &rest[end..];
        Ok(rest[..end].to_owned())
    }

    fn number(&mut self) -> Result<u8> {
        let before = self.rest;
        let word = self.word();
        word.parse().map_err(|_| {
            self.rest = before;
            self.fail("expected a number")
        })
    }

    /// A text in single quotes, with `''` for one inside.
    fn quoted(&mut self) -> Result<String> {
        self.need("'")?;
        let mut text = String::new();
        loop {
            let Some((before, after)) = self.rest.split_once('\'') else {
                return Err(self.fail("a quote is left open"));
            };
            text.push_str(before);
            self.rest = after;
            match after.strip_prefix('\'') {
                Some(rest) => self.rest = rest,
                None => return Ok(text),
            }
            text.push('\'');
        }
    }

    /// How texts spell the instants of a column, and their zone where they say none.
    fn format(&mut self, unit: TimeUnit) -> Result<InstantFormat> {
        let before = self.rest;
        let format = self.quoted()?;
        let zone = if self.eat(",") { Some(self.quoted()?) } else { None };
        InstantFormat::new(unit, &format, zone.as_deref()).map_err(|what| {
            self.rest = before;
            self.fail(&what).help(PARTS)
        })
    }

    fn data_type(&mut self) -> Result<Type> {
        let before = self.rest;
        let word = self.word();
        Ok(match word.as_str() {
            "boolean" | "bool" => Type::Boolean,
            "int8" | "tinyint" => Type::Int8,
            "int16" | "smallint" => Type::Int16,
            "int32" => Type::Int32,
            "int64" | "int" | "integer" | "long" | "bigint" => Type::Int64,
            "float32" => Type::Float32,
            "float64" | "float" | "double" => Type::Float64,
            "date" => Type::Date,
            "binary" => Type::Binary,
            "string" | "str" | "text" | "varchar" | "utf8" => Type::String,
            "json" if self.eat("(") => {
                if self.word() != "text" {
                    return Err(self.fail("expected text"));
                }
                self.need(")")?;
                Type::JsonText
            }
            "json" => Type::Json,
            "datetime" | "timestamptz" => Type::Timestamp(TimeUnit::Micros),
            "timestamp" if !self.rest.trim_start().starts_with('(') => {
                Type::Timestamp(TimeUnit::Micros)
            }
            "decimal" => {
                self.need("(")?;
                let precision = self.number()?;
                self.need(",")?;
                let scale = self.number()?;
                self.need(")")?;
                if precision == 0 || precision > 38 || scale > precision {
                    return Err(self.fail("a decimal has 1 to 38 digits and no larger scale"));
                }
                Type::Decimal { precision, scale }
            }
            "timestamp" => {
                self.need("(")?;
                let unit = match self.word().as_str() {
                    "ms" => TimeUnit::Millis,
                    "us" => TimeUnit::Micros,
                    "ns" => TimeUnit::Nanos,
                    _ => return Err(self.fail("expected ms, us or ns")),
                };
                let data_type = match self.eat(",") {
                    true if self.rest.trim_start().starts_with('\'') => {
                        Type::TimestampText(Box::new(self.format(unit)?))
                    }
                    true if self.word() != "utc" => {
                        return Err(self.fail("expected UTC or a format in single quotes"));
                    }
                    _ => Type::Timestamp(unit),
                };
                self.need(")")?;
                data_type
            }
            "epoch" => {
                self.need("(")?;
                let unit = match self.word().as_str() {
                    "s" => EpochUnit::Seconds,
                    "ms" => EpochUnit::Millis,
                    "us" => EpochUnit::Micros,
                    "ns" => EpochUnit::Nanos,
                    _ => return Err(self.fail("expected s, ms, us or ns")),
                };
                self.need(")")?;
                Type::Epoch(unit)
            }
            "list" | "array" => {
                self.begin()?;
                let element = self.data_type()?;
                self.end_nested()?;
                Type::List(Box::new(element))
            }
            "struct" => {
                self.begin()?;
                let mut fields = Vec::new();
                loop {
                    let name = self.name()?;
                    self.need(":")?;
                    fields.push(Field::new(name, self.data_type()?));
                    if !self.eat(",") {
                        break;
                    }
                }
                self.end_nested()?;
                Type::Struct(Schema::new(fields)?.fields)
            }
            _ => {
                self.rest = before;
                return Err(self.no_such_type(&word));
            }
        })
    }
}

#[cfg(test)]
mod tests;
