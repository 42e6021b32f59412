//! The values of options. All can be written as text, since the environment knows nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use distil_emr::Dollars;
use distil_plan::{
    Added, ColumnPath, Compression, Error, ExtraMembers, Keep, Key, Layout, MaxQuarantined, Mode,
    NullKeys, NullText, OnConflict, OrderBy, RecordsPath, Repairs, Result, Shape, Type, parse_size,
    scheme,
};
use distil_submit::DeployMode;
use figment::value::Value;
use serde::de::DeserializeOwned;

use super::declare::Setting;

/// Text of a value that is written as text or a whole number.
fn text(value: &Value, written: &str) -> Result<String> {
    match value {
        Value::String(_, text) => Ok(text.clone()),
        Value::Num(_, number) if number.to_u128_lossy().is_some() => {
            Ok(number.to_u128_lossy().unwrap_or_default().to_string())
        }
        _ => Err(Error::usage(format!("{written} is expected, not {}", value.to_actual()))),
    }
}

/// One text or several.
fn texts(value: &Value, written: &str) -> Result<Vec<String>> {
    match value {
        Value::Array(_, values) => values.iter().map(|value| text(value, written)).collect(),
        one => Ok(vec![text(one, written)?]),
    }
}

impl Setting for String {
    const WRITTEN: &'static str = "text";
    const VALUE: Option<&'static str> = Some("TEXT");

    fn read(value: &Value, _: &Path) -> Result<Self> {
        text(value, Self::WRITTEN)
    }
}

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What must not be shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl Setting for Secret {
    const WRITTEN: &'static str = "text, in the environment only";
    const VALUE: Option<&'static str> = Some("TEXT");
    const SECRET: bool = true;

    fn read(value: &Value, _: &Path) -> Result<Self> {
        match value {
            Value::String(_, text) => Ok(Self(text.clone())),
            _ => Err(Error::usage("text is expected")),
        }
    }
}

impl Setting for bool {
    const WRITTEN: &'static str = "`true` or `false`";
    const VALUE: Option<&'static str> = None;

    fn read(value: &Value, _: &Path) -> Result<Self> {
        match value {
            Value::Bool(_, value) => Ok(*value),
            Value::String(_, text) if text == "true" => Ok(true),
            Value::String(_, text) if text == "false" => Ok(false),
            _ => Err(Error::usage("true or false is expected")),
        }
    }
}

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl Setting for Size {
    const WRITTEN: &'static str = "a size: `\"4GiB\"`";
    const VALUE: Option<&'static str> = Some("SIZE");

    fn read(value: &Value, _: &Path) -> Result<Self> {
        parse_size(&text(value, "a size such as \"4GiB\"")?).map(Self)
    }
}

impl Setting for u64 {
    const WRITTEN: &'static str = "a whole number";
    const VALUE: Option<&'static str> = Some("N");

    fn read(value: &Value, _: &Path) -> Result<Self> {
        let text = text(value, Self::WRITTEN)?;
        text.parse().map_err(|_| Error::usage(format!("`{text}` is not a whole number")))
    }
}

impl Setting for PathBuf {
    const WRITTEN: &'static str = "a path";
    const VALUE: Option<&'static str> = Some("PATH");

    fn read(value: &Value, base: &Path) -> Result<Self> {
        text(value, Self::WRITTEN).map(|path| match scheme(Path::new(&path)) {
            Some(_) => path.into(),
            None => base.join(path),
        })
    }
}

/// A path as a plan spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathText(pub String);

impl PathText {
    fn below(base: &Path, path: &str) -> Self {
        // The empty base is where the command runs: the path stays as it was written.
        let is_url = scheme(Path::new(path)).is_some();
        let is_absolute = path == "-" || is_url || Path::new(path).is_absolute();
        let is_plain = base.as_os_str().is_empty() || is_absolute;
        Self(if is_plain {
            path.to_owned()
        } else {
            format!("{}/{path}", base.to_string_lossy().trim_end_matches('/'))
        })
    }
}

impl Setting for PathText {
    const WRITTEN: &'static str = "a path";
    const VALUE: Option<&'static str> = Some("PATH");

    fn read(value: &Value, base: &Path) -> Result<Self> {
        text(value, Self::WRITTEN).map(|path| Self::below(base, &path))
    }
}

/// Paths, as a plan spells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTexts(pub Vec<String>);

impl Setting for PathTexts {
    const WRITTEN: &'static str = "a path or a list of paths";
    const VALUE: Option<&'static str> = Some("PATH");
    const REPEATS: bool = true;

    fn read(value: &Value, base: &Path) -> Result<Self> {
        let paths = texts(value, Self::WRITTEN)?;
        Ok(Self(paths.iter().map(|path| PathText::below(base, path).0).collect()))
    }
}

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program(pub Vec<String>);

impl Setting for Program {
    const WRITTEN: &'static str = "a program, or a list of it and its arguments";
    const VALUE: Option<&'static str> = Some("PROGRAM");

    fn read(value: &Value, base: &Path) -> Result<Self> {
        let mut words = texts(value, Self::WRITTEN)?;
        match words.first_mut() {
            None => Err(Error::usage("the program is missing")),
            Some(program) => {
                // A bare name is looked for as a shell does; everything else is a path.
                if program.contains('/') {
                    *program = PathText::below(base, program).0;
                }
                Ok(Self(words))
            }
        }
    }
}

/// Texts, one or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

impl Setting for Texts {
    const WRITTEN: &'static str = "a text or a list of texts";
    const VALUE: Option<&'static str> = Some("TEXT");
    const REPEATS: bool = true;

    fn read(value: &Value, _: &Path) -> Result<Self> {
        texts(value, Self::WRITTEN).map(Self)
    }
}

impl Setting for Dollars {
    const WRITTEN: &'static str = "dollars: `5` or `0.192`";
    const VALUE: Option<&'static str> = Some("DOLLARS");

    fn read(value: &Value, _: &Path) -> Result<Self> {
        match value {
            Value::Num(..) => {
                let number: f64 =
                    value.deserialize().map_err(|_| Error::usage("dollars are expected"))?;
                number.to_string().parse()
            }
            value => text(value, "dollars")?.parse(),
        }
    }
}

/// Prices of an hour, by types of instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices(pub BTreeMap<String, Dollars>);

impl Prices {
    /// Adds what a table holds. A type has a dot, so without quotes it is a table in a table.
    fn add(&mut self, name: &str, value: &Value) -> Result<()> {
        if let Value::Dict(_, below) = value {
            return below
                .iter()
                .try_for_each(|(step, value)| self.add(&format!("{name}.{step}"), value));
        }
        self.0
            .insert(name.trim_start_matches('.').to_owned(), Dollars::read(value, Path::new(""))?);
        Ok(())
    }
}

impl Setting for Prices {
    const WRITTEN: &'static str = "a table of types: `{ \"m5.xlarge\" = 0.24 }`";
    const VALUE: Option<&'static str> = Some("TYPE=DOLLARS");
    const REPEATS: bool = true;

    fn read(value: &Value, _: &Path) -> Result<Self> {
        let mut prices = Self::default();
        if let Value::Dict(..) = value {
            prices.add("", value)?;
            return Ok(prices);
        }
        for text in texts(value, Self::WRITTEN)? {
            let (name, value) = text.split_once('=').ok_or_else(|| {
                Error::usage("this is not TYPE=DOLLARS").help("as in m5.xlarge=0.24")
            })?;
            prices.add(name.trim(), &Value::from(value.trim()))?;
        }
        Ok(prices)
    }
}

/// Properties of Spark. The command line of a program is no secret, so no secret can be one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(pub BTreeMap<String, String>);

impl Properties {
    /// Adds what a table holds. A name with dots that is not in quotes is a table in a table.
    fn add(&mut self, name: &str, value: &Value) -> Result<()> {
        let text = match value {
            Value::Dict(_, below) => {
                for (step, value) in below {
                    self.add(&format!("{name}.{step}"), value)?;
                }
                return Ok(());
            }
            Value::Bool(_, value) => value.to_string(),
            value => text(value, "a text, a number, true or false")?,
        };
        let name = name.trim_start_matches('.');
        let lower = name.to_ascii_lowercase();
        let words = ["secret", "password", "token", "accesskey", "access.key"];
        if words.iter().any(|word| lower.contains(word)) || super::redact(&text) != text {
            return Err(Error::usage(format!("{name}: a secret must not stand here")).help(
                "set it in spark-defaults.conf, in the directory that SPARK_CONF_DIR names",
            ));
        }
        self.0.insert(name.to_owned(), text);
        Ok(())
    }
}

impl Setting for Properties {
    const WRITTEN: &'static str = "a table of properties: `{ \"spark.executor.memory\" = \"2g\" }`";
    const VALUE: Option<&'static str> = Some("NAME=VALUE");
    const REPEATS: bool = true;

    fn read(value: &Value, _: &Path) -> Result<Self> {
        let mut properties = Self::default();
        if let Value::Dict(..) = value {
            properties.add("", value)?;
            return Ok(properties);
        }
        for text in texts(value, Self::WRITTEN)? {
            let (name, value) = text.split_once('=').ok_or_else(|| {
                Error::usage("this is not NAME=VALUE").help("as in spark.executor.memory=2g")
            })?;
            properties.add(name.trim(), &Value::from(value.trim()))?;
        }
        Ok(properties)
    }
}

/// The schema of `--schema`: its text, or the path of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaText(pub String);

impl Setting for SchemaText {
    const WRITTEN: &'static str = "columns and types, or the path of a `.json` file";
    const VALUE: Option<&'static str> = Some("SCHEMA");

    fn read(value: &Value, base: &Path) -> Result<Self> {
        let text = text(value, "text")?;
        let is_file = text.to_ascii_lowercase().ends_with(".json");
        Ok(Self(if is_file { PathText::below(base, &text).0 } else { text }))
    }
}

impl Setting for Key {
    const WRITTEN: &'static str = "a column, a list of columns, or `\"*\"`";
    const VALUE: Option<&'static str> = Some("COLS");

    fn read(value: &Value, base: &Path) -> Result<Self> {
        match value {
            Value::String(_, text) if text.trim() == "*" => Ok(Self::Record),
            _ => Vec::<ColumnPath>::read(value, base).map(Self::Columns),
        }
    }
}

impl Setting for Vec<ColumnPath> {
    const WRITTEN: &'static str = "a column or a list of columns";
    const VALUE: Option<&'static str> = Some("COLS");

    fn read(value: &Value, _: &Path) -> Result<Self> {
        ColumnPath::parse_list(&texts(value, Self::WRITTEN)?.join(","))
    }
}

impl Setting for Vec<Added> {
    const WRITTEN: &'static str = "`NAME=/PATH` or a list of them";
    const VALUE: Option<&'static str> = Some("NAME=PATH");
    const REPEATS: bool = true;

    fn read(value: &Value, _: &Path) -> Result<Self> {
        texts(value, Self::WRITTEN)?.iter().map(|text| text.parse()).collect()
    }
}

impl Setting for Vec<OrderBy> {
    const WRITTEN: &'static str =
        "a list of columns, each with `asc` or `desc` behind it or without";
    const VALUE: Option<&'static str> = Some("ORDER");

    fn read(value: &Value, _: &Path) -> Result<Self> {
        OrderBy::parse_list(&texts(value, Self::WRITTEN)?.join(","))
    }
}

impl Setting for Repairs {
    const WRITTEN: &'static str = "a list of `nan`, `surrogates` and `duplicate-members`";
    const VALUE: Option<&'static str> = Some("KINDS");

    fn read(value: &Value, _: &Path) -> Result<Self> {
        texts(value, Self::WRITTEN)?.join(",").parse()
    }
}

/// Types of single columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Types(pub Vec<(ColumnPath, Type)>);

impl Setting for Types {
    const WRITTEN: &'static str = "a table of columns: `{ ts = \"timestamp(us)\" }`";
    const VALUE: Option<&'static str> = Some("NAME=TYPE");
    const REPEATS: bool = true;

    fn read(value: &Value, _: &Path) -> Result<Self> {
        let types: Result<_> = match value {
            Value::Dict(_, columns) => {
                let typed = |(name, value): (&String, &Value)| {
                    Ok((name.parse()?, text(value, "the name of a type")?.parse()?))
                };
                columns.iter().map(typed).collect()
            }
            value => texts(value, Self::WRITTEN)?.iter().map(|text| typed(text)).collect(),
        };
        types.map(Self)
    }
}

/// Strings that stand for null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NullTexts(pub NullText);

impl Setting for NullTexts {
    const WRITTEN: &'static str =
        "a table of columns: `{ price = [\"NA\", \"N/A\"] }`, or text: `\"price=NA|N/A,qty=-\"`";
    const VALUE: Option<&'static str> = Some("[NAME=]TEXT");
    const REPEATS: bool = true;

    fn read(value: &Value, _: &Path) -> Result<Self> {
        let mut null_text = NullText::default();
        match value {
            Value::Dict(_, columns) => {
                for (name, value) in columns {
                    null_text.columns.push((name.parse()?, texts(value, "a text or several")?));
                }
            }
            value => {
                for text in texts(value, Self::WRITTEN)? {
                    null_text.extend(text.parse()?);
                }
            }
        }
        Ok(Self(null_text))
    }
}

/// A column and its type, as in `ts=timestamp(us)`.
fn typed(text: &str) -> Result<(ColumnPath, Type)> {
    let (path, rest) = ColumnPath::parse_prefix_until(text, '=')?;
    let data_type = rest.strip_prefix('=').ok_or_else(|| {
        Error::usage(format!("`{text}` is not NAME=TYPE"))
            .help("write a column and its type, as in ts=timestamp(us)")
    })?;
    Ok((path, data_type.parse()?))
}

/// Settings that are read by [`FromStr`].
macro_rules! parsed {
    ($($type:ty: $value:literal, $written:literal;)*) => { $(
        impl Setting for $type {
            const WRITTEN: &'static str = $written;
            const VALUE: Option<&'static str> = Some($value);

            fn read(value: &Value, _: &Path) -> Result<Self> {
                Self::from_str(&text(value, "text")?)
            }
        }
    )* };
}

parsed! {
    Shape: "SHAPE", "`auto`, `lines`, `concatenated`, `array`, or a `/PATH` as `records` has it";
    RecordsPath: "PATH", "a path: `/data/items`, `/*` or `/{id}`";
    Compression: "CODEC", "`zstd`, `zstd:1` to `zstd:22`, `snappy`, `lz4` or `none`";
    MaxQuarantined: "N|P%", "a count, or a share such as `\"0.1%\"`";
}

fn chosen<T: DeserializeOwned>(value: &Value, written: &str) -> Result<T> {
    let wrong = |_| match value.as_str() {
        Some(text) => Error::usage(format!("`{text}` is not {written}")),
        None => Error::usage(format!("{written} is expected")),
    };
    value.deserialize().map_err(wrong)
}

/// Settings that are one of two or three words.
macro_rules! chosen {
    ($($type:ty: $value:literal, $($choice:literal)|+;)*) => { $(
        impl Setting for $type {
            const WRITTEN: &'static str = chosen!(@written $($choice),+);
            const VALUE: Option<&'static str> = Some($value);
            const CHOICES: &'static [&'static str] = &[$($choice),+];

            fn read(value: &Value, _: &Path) -> Result<Self> {
                chosen(value, Self::WRITTEN)
            }
        }
    )* };
    (@written $a:literal, $b:literal) => { concat!("`", $a, "` or `", $b, "`") };
    (@written $a:literal, $b:literal, $c:literal) => {
        concat!("`", $a, "`, `", $b, "` or `", $c, "`")
    };
}

chosen! {
    Keep: "END", "first" | "last";
    NullKeys: "WHAT", "error" | "value";
    OnConflict: "WHAT", "keep" | "warn" | "error";
    ExtraMembers: "WHAT", "error" | "ignore" | "keep";
    Mode: "MODE", "error" | "overwrite";
    Layout: "LAYOUT", "file" | "dir";
    DeployMode: "MODE", "client" | "cluster";
}
