//! The values of options. All can be written as text, since the environment knows nothing else.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use distil_plan::{
    ColumnPath, Compression, Error, ExtraMembers, Keep, Key, Layout, MaxQuarantined, Mode,
    NullKeys, OnConflict, OrderBy, Result, Shape, Type, parse_size,
};
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

    fn read(value: &Value, _: &Path) -> Result<Self> {
        parse_size(&text(value, "a size such as \"4GiB\"")?).map(Self)
    }
}

impl Setting for u64 {
    const WRITTEN: &'static str = "a whole number";

    fn read(value: &Value, _: &Path) -> Result<Self> {
        let text = text(value, Self::WRITTEN)?;
        text.parse().map_err(|_| Error::usage(format!("`{text}` is no whole number")))
    }
}

impl Setting for PathBuf {
    const WRITTEN: &'static str = "a path";

    fn read(value: &Value, base: &Path) -> Result<Self> {
        text(value, Self::WRITTEN).map(|path| base.join(path))
    }
}

/// A path as a plan spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathText(pub String);

impl PathText {
    fn below(base: &Path, path: &str) -> Self {
        // The empty base is where the command runs: the path stays as it was written.
        let is_plain = base.as_os_str().is_empty() || path == "-" || Path::new(path).is_absolute();
        Self(if is_plain {
            path.to_owned()
        } else {
            format!("{}/{path}", base.to_string_lossy().trim_end_matches('/'))
        })
    }
}

impl Setting for PathText {
    const WRITTEN: &'static str = "a path";

    fn read(value: &Value, base: &Path) -> Result<Self> {
        text(value, Self::WRITTEN).map(|path| Self::below(base, &path))
    }
}

/// Paths, as a plan spells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTexts(pub Vec<String>);

impl Setting for PathTexts {
    const WRITTEN: &'static str = "a path or a list of paths";

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

/// The schema of `--schema`: its text, or the path of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaText(pub String);

impl Setting for SchemaText {
    const WRITTEN: &'static str = "columns and types, or the path of a `.json` file";

    fn read(value: &Value, base: &Path) -> Result<Self> {
        let text = text(value, "text")?;
        let is_file = text.to_ascii_lowercase().ends_with(".json");
        Ok(Self(if is_file { PathText::below(base, &text).0 } else { text }))
    }
}

impl Setting for Key {
    const WRITTEN: &'static str = "a column, a list of columns, or `\"*\"`";

    fn read(value: &Value, base: &Path) -> Result<Self> {
        match value {
            Value::String(_, text) if text.trim() == "*" => Ok(Self::Record),
            _ => Vec::<ColumnPath>::read(value, base).map(Self::Columns),
        }
    }
}

impl Setting for Vec<ColumnPath> {
    const WRITTEN: &'static str = "a column or a list of columns";

    fn read(value: &Value, _: &Path) -> Result<Self> {
        ColumnPath::parse_list(&texts(value, Self::WRITTEN)?.join(","))
    }
}

impl Setting for Vec<OrderBy> {
    const WRITTEN: &'static str =
        "a list of columns, each with `asc` or `desc` behind it or without";

    fn read(value: &Value, _: &Path) -> Result<Self> {
        OrderBy::parse_list(&texts(value, Self::WRITTEN)?.join(","))
    }
}

/// Types of single columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Types(pub Vec<(ColumnPath, Type)>);

impl Setting for Types {
    const WRITTEN: &'static str = "a table of columns: `{ ts = \"timestamp(us)\" }`";

    fn read(value: &Value, _: &Path) -> Result<Self> {
        let Value::Dict(_, columns) = value else {
            return Err(Error::usage("a table is expected, as in { ts = \"timestamp(us)\" }"));
        };
        let typed = |(name, value): (&String, &Value)| {
            Ok((name.parse()?, text(value, "the name of a type")?.parse()?))
        };
        columns.iter().map(typed).collect::<Result<_>>().map(Self)
    }
}

/// Settings that are read by [`FromStr`].
macro_rules! parsed {
    ($($type:ty: $written:literal),* $(,)?) => { $(
        impl Setting for $type {
            const WRITTEN: &'static str = $written;

            fn read(value: &Value, _: &Path) -> Result<Self> {
                Self::from_str(&text(value, "text")?)
            }
        }
    )* };
}

parsed! {
    Shape: "`auto`, `lines`, `concatenated`, `array` or the `/PATH` of an array in a document",
    Compression: "`zstd`, `zstd:1` to `zstd:22`, `snappy`, `lz4` or `none`",
    MaxQuarantined: "a count, or a share such as `\"0.1%\"`",
}

fn chosen<T: DeserializeOwned>(value: &Value, written: &str) -> Result<T> {
    let wrong = |_| match value.as_str() {
        Some(text) => Error::usage(format!("`{text}` is not {written}")),
        None => Error::usage(format!("{written} is expected")),
    };
    value.deserialize().map_err(wrong)
}

/// Settings that are one of a few words.
macro_rules! chosen {
    ($($type:ty: $written:literal),* $(,)?) => { $(
        impl Setting for $type {
            const WRITTEN: &'static str = $written;

            fn read(value: &Value, _: &Path) -> Result<Self> {
                chosen(value, Self::WRITTEN)
            }
        }
    )* };
}

chosen! {
    Keep: "`first` or `last`",
    NullKeys: "`error` or `value`",
    OnConflict: "`keep`, `warn` or `error`",
    ExtraMembers: "`error`, `ignore` or `keep`",
    Mode: "`error` or `overwrite`",
    Layout: "`file` or `dir`",
}
