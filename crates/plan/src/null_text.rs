//! Strings that stand for null: `price=NA|N/A,qty=-`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::excerpt;
use crate::{ColumnPath, Error, Result};

/// Strings that stand for null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NullText {
    /// Those of every column whose type is declared, and is neither `string` nor `json`, and of inferred
    /// columns all of whose other values are no strings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub everywhere: Vec<String>,
    /// Those of single columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<(ColumnPath, Vec<String>)>,
    /// Whether such inferred columns are among `columns`, or there are none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
}

impl NullText {
    /// A text as it is written in a list of them.
    pub fn quoted(text: &str) -> String {
        if text.contains([',', '|', '=', '"']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    }

    /// Whether no string stands for null.
    pub fn is_empty(&self) -> bool {
        self.everywhere.is_empty() && self.columns.is_empty()
    }

    /// Adds those of another list; the texts of a column that both name come together.
    pub fn extend(&mut self, other: Self) {
        self.everywhere.extend(other.everywhere);
        for (path, texts) in other.columns {
            match self.columns.iter_mut().find(|(known, _)| *known == path) {
                Some((_, known)) => known.extend(texts),
                None => self.columns.push((path, texts)),
            }
        }
    }
}

impl FromStr for NullText {
    type Err = Error;

    /// Reads items with commas between them: `COLUMN=TEXT|TEXT`, or `TEXT|TEXT` for every column. A text
    /// that holds a comma, a bar, an equals sign or a quote stands in double quotes, with `""` for a quote
    /// inside; no text at all is the empty one.
    fn from_str(text: &str) -> Result<Self> {
        let mut found = Self::default();
        let mut rest = text;
        loop {
            let column = column(rest)?;
            let (path, after) = column.map_or((None, rest), |(path, after)| (Some(path), after));
            let mut texts = Vec::new();
            rest = after;
            loop {
                let (one, after) = one_text(rest, text)?;
                texts.push(one);
                rest = after;
                match rest.strip_prefix('|') {
                    Some(after) => rest = after,
                    None => break,
                }
            }
            found.extend(match path {
                Some(path) => Self { columns: vec![(path, texts)], ..Self::default() },
                None => Self { everywhere: texts, ..Self::default() },
            });
            match rest.strip_prefix(',') {
                Some(after) => rest = after,
                None => return Ok(found),
            }
        }
    }
}

/// The column before the equals sign of an item, and what is behind that; `None` for one without.
fn column(item: &str) -> Result<Option<(ColumnPath, &str)>> {
    let mut is_quoted = false;
    let end = item.find(|c: char| {
        is_quoted ^= c == '"';
        !is_quoted && matches!(c, '=' | ',' | '|')
    });
    if end.is_none_or(|end| !item[end..].starts_with('=')) {
        return Ok(None);
    }
    let (path, rest) = ColumnPath::parse_prefix_until(item, '=')?;
    match rest.strip_prefix('=') {
        Some(rest) => Ok(Some((path, rest))),
        None => Err(wrong(item)),
    }
}

/// One text, in quotes or without, and what is behind it.
fn one_text<'a>(text: &'a str, whole: &str) -> Result<(String, &'a str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '|']).unwrap_or(text.len());
        let (one, rest) = text.split_at(end);
        return if one.contains(['"', '=']) {
            Err(wrong(whole))
        } else {
            Ok((one.to_owned(), rest))
        };
    };
    let mut one = String::new();
    loop {
        let Some((before, after)) = rest.split_once('"') else { return Err(wrong(whole)) };
        one.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                one.push('"');
                rest = after;
            }
            None if after.is_empty() || after.starts_with([',', '|']) => return Ok((one, after)),
            None => return Err(wrong(whole)),
        }
    }
}

fn wrong(text: &str) -> Error {
    Error::usage(format!("cannot read the null texts `{}`", excerpt(text))).help(
        "write columns and their texts, as in price=NA|N/A,qty=-, and a text that holds a comma, a bar, \
         an equals sign or a quote in double quotes",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let NullText { everywhere, columns, .. } = text.parse().unwrap();
        let columns: Vec<String> =
            columns.iter().map(|(path, texts)| format!("{path}={texts:?}")).collect();
        format!("{everywhere:?} {}", columns.join(" "))
    }

    #[test]
    fn columns_and_texts_read_as_written() {
        for (text, expected) in [
            ("price=NA|N/A,qty=-", r#"[] price=["NA", "N/A"] qty=["-"]"#),
            ("NA|n/a,-", r#"["NA", "n/a", "-"] "#),
            ("", r#"[""] "#),
            ("a.b=,c=|x", r#"[] a.b=[""] c=["", "x"]"#),
            (r#""a=b"="x=y"|"p|q, r",a="""""#, r#"[] a=b=["x=y", "p|q, r"] a=["\""]"#),
            ("NA,price=-,price=x", r#"["NA"] price=["-", "x"]"#),
            (r#""x=y""#, r#"["x=y"] "#),
            ("a= NA ", r#"[] a=[" NA "]"#),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        for wrong in ["a=b=c", "a=\"x", "a=\"x\"y", "=x", "a b=x", "a=x\"y\""] {
            assert!(wrong.parse::<NullText>().is_err(), "{wrong}");
        }
    }
}
