//! Paths to columns: `a`, `a.b` (member `b` of object `a`), `"a.b"` (one member named `a.b`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::excerpt;
use crate::{Error, Result, Type};

/// Most steps of a path: columns lie no deeper.
const MOST_STEPS: usize = Type::MOST_LEVELS + 1;

/// A path from the record to a column, one member name a step, of at most 32 steps.
///
/// The text form separates steps by dots; a step that holds a dot, a comma, a blank, a quote or
/// nothing at all is written in double quotes, with `""` for a quote inside. Paths order by their
/// names, step by step, as UTF-8 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ColumnPath(Vec<String>);

impl ColumnPath {
    /// A path of one step, taken literally.
    pub fn name(name: impl Into<String>) -> Self {
        Self(vec![name.into()])
    }

    /// A path of the given steps.
    ///
    /// # Errors
    /// A usage error when there is no step, or more than there can be.
    pub fn new(steps: Vec<String>) -> Result<Self> {
        if steps.is_empty() {
            return Err(Error::usage("a column path needs at least one name"));
        }
        if steps.len() > MOST_STEPS {
            return Err(too_deep(&steps.join(".")));
        }
        Ok(Self(steps))
    }

    /// The names on the way, outermost first; never empty.
    pub fn steps(&self) -> &[String] {
        &self.0
    }

    /// The name of the top-level column.
    pub fn top(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether `self` is `other` or lies above it.
    pub fn is_prefix_of(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The path one step further down.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(name.to_owned());
        Self(steps)
    }

    /// Parses a comma-separated list, such as `id, a.b, "x,y"`.
    ///
    /// # Errors
    /// A usage error that shows the text, for an empty step or an open quote.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        let mut rest = text;
        let mut paths = Vec::new();
        loop {
            let (path, tail) = Self::parse_prefix(rest, text)?;
            paths.push(path);
            match tail.trim_start().strip_prefix(',') {
                Some(next) => rest = next,
                None if tail.trim().is_empty() => return Ok(paths),
                None => {
                    return Err(Error::usage(format!(
                        "cannot read `{}` after a column in `{}`",
                        excerpt(tail.trim()),
                        excerpt(text)
                    ))
                    .help("separate columns by commas"));
                }
            }
        }
    }

    /// Reads one path at the start of `text`, which ends at the mark too, and returns it with the unread
    /// rest.
    ///
    /// # Errors
    /// As [`ColumnPath::parse_list`].
    pub fn parse_prefix_until(text: &str, mark: char) -> Result<(Self, &str)> {
        Self::parse_steps(text, text, Some(mark))
    }

    /// Reads one path at the start of `text` and returns it with the unread rest.
    ///
    /// # Errors
    /// As [`ColumnPath::parse_list`]; `whole` is the text shown in the message.
    pub fn parse_prefix<'a>(text: &'a str, whole: &str) -> Result<(Self, &'a str)> {
        Self::parse_steps(text, whole, None)
    }

    fn parse_steps<'a>(text: &'a str, whole: &str, mark: Option<char>) -> Result<(Self, &'a str)> {
        let mut steps = Vec::new();
        let mut rest = text.trim_start();
        loop {
            let step;
            if let Some(quoted) = rest.strip_prefix('"') {
                (step, rest) = parse_quoted(quoted).ok_or_else(|| {
                    let whole = excerpt(whole);
                    Error::usage(format!("a quote is left open in the column path `{whole}`"))
                })?;
            } else {
                let end = rest
                    .find(|c: char| {
                        c == '.' || c == ',' || c == '"' || Some(c) == mark || c.is_whitespace()
                    })
                    .unwrap_or(rest.len());
                step = rest[..end].to_owned();
                if step.is_empty() {
                    return Err(Error::usage(format!(
                        "an empty name in the column path `{}`",
                        excerpt(whole)
                    ))
                    .help("an empty name is written \"\", a name with a dot \"a.b\""));
                }
                rest = &rest[end..];
            }
            steps.push(step);
            if steps.len() > MOST_STEPS {
                return Err(too_deep(whole));
            }
            match rest.strip_prefix('.') {
                Some(next) => rest = next,
                None => return Ok((Self(steps), rest)),
            }
        }
    }
}

fn too_deep(text: &str) -> Error {
    Error::usage(format!(
        "the column path `{}` has more than {MOST_STEPS} names, and columns lie no deeper",
        excerpt(text)
    ))
}

/// The first pair of paths, by their place, of which one is the other or lies above it; the later one
/// first.
pub(crate) fn overlap(paths: &[&ColumnPath]) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..paths.len()).collect();
    // What lies in a path stands right after it.
    order.sort_by_key(|at| paths[*at]);
    let mut found: Option<(usize, usize)> = None;
    let mut above: Option<usize> = None;
    for at in order {
        match above {
            Some(other) if paths[other].is_prefix_of(paths[at]) => {
                let pair = (at.max(other), at.min(other));
                found = Some(found.map_or(pair, |first| first.min(pair)));
            }
            _ => above = Some(at),
        }
    }
    found
}

fn parse_quoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            name.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == '"') {
            chars.next();
            name.push('"');
        } else {
            return Some((name, &text[at + 1..]));
        }
    }
    None
}

impl fmt::Display for ColumnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            let special = |c: char| matches!(c, '.' | ',' | '"' | ':' | '<' | '>' | '(' | ')');
            if step.is_empty()
                || step.contains(|c: char| special(c) || c.is_whitespace() || c.is_control())
                || step == "*"
            {
                write!(f, "\"{}\"", step.replace('"', "\"\""))?;
            } else {
                f.write_str(step)?;
            }
        }
        Ok(())
    }
}

impl FromStr for ColumnPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match Self::parse_prefix(text, text)? {
            (path, rest) if rest.trim().is_empty() => Ok(path),
            _ => Err(Error::usage(format!("`{text}` is not one column path"))
                .help("a name with blanks, commas or dots is quoted: \"a.b\"")),
        }
    }
}

impl TryFrom<String> for ColumnPath {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ColumnPath> for String {
    fn from(path: ColumnPath) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_what_it_prints() {
        for steps in
            [vec!["a"], vec!["a", "b"], vec!["a.b"], vec![""], vec!["x\"y", "z,q"], vec!["*"]]
        {
            let path = ColumnPath::new(steps.iter().map(|s| (*s).to_owned()).collect()).unwrap();
            assert_eq!(path.to_string().parse::<ColumnPath>().unwrap(), path, "{path}");
        }
    }

    #[test]
    fn a_list_is_split_at_commas_outside_quotes() {
        let paths = ColumnPath::parse_list("id, a.b,\"x,y\"").unwrap();
        assert_eq!(
            paths.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["id", "a.b", "\"x,y\""]
        );
        assert!(ColumnPath::parse_list("id,").is_err());
        assert!(ColumnPath::parse_list("\"id").is_err());
        assert!(ColumnPath::parse_list("id ts").is_err());
    }
}
