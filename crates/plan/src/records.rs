//! Where in each value of a file its records are: a path of names, wildcards and maps.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A step of a [`RecordsPath`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathStep {
    /// The member of this name of an object; of an array the element of this index, where the name is one.
    Name(String),
    /// Every element of an array, or every member of an object.
    Each,
    /// Every member of an object, whose name becomes the column of this name.
    Member(String),
}

/// A JSON pointer (RFC 6901) to the records in a value, with `*` for every element or member, and
/// `{column}` for every member, whose name becomes a column. The empty path is the value itself.
///
/// `~2` in a name is `*`, and `~3` is `{`, beside the `~0` and `~1` of the RFC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordsPath(pub Vec<PathStep>);

/// Most steps of a path: the records of a value are at one of its 1,024 levels.
const MOST_STEPS: usize = 1_000;

/// Refuses a path of more steps than there are levels.
pub(crate) fn check_steps(steps: usize) -> Result<()> {
    if steps > MOST_STEPS {
        return Err(Error::usage(format!("a path to records has over {MOST_STEPS} steps")));
    }
    Ok(())
}

impl RecordsPath {
    /// A path of these names.
    pub fn of_names(names: &[String]) -> Self {
        Self(names.iter().cloned().map(PathStep::Name).collect())
    }

    /// Its names, if it has no other steps, and one at least.
    pub fn names(&self) -> Option<Vec<String>> {
        let names: Option<Vec<String>> = self
            .0
            .iter()
            .map(|step| match step {
                PathStep::Name(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        names.filter(|names| !names.is_empty())
    }

    /// The columns that its maps make, in the order of the steps.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|step| match step {
            PathStep::Member(column) => Some(column.as_str()),
            _ => None,
        })
    }
}

fn escape(name: &str) -> String {
    let mut text = name.replace('~', "~0").replace('/', "~1");
    if text == "*" {
        text = "~2".to_owned();
    }
    match text.strip_prefix('{') {
        Some(rest) => format!("~3{rest}"),
        None => text,
    }
}

fn unescape(step: &str) -> Result<String> {
    let mut name = String::new();
    let mut rest = step.chars();
    while let Some(c) = rest.next() {
        name.push(match (c, c == '~') {
            (c, false) => c,
            _ => match rest.next() {
                Some('0') => '~',
                Some('1') => '/',
                Some('2') => '*',
                Some('3') => '{',
                _ => {
                    return Err(Error::usage(format!("`~` in the step `{step}` escapes nothing"))
                        .help("write ~0 for ~, ~1 for /, ~2 for * and ~3 for {"));
                }
            },
        });
    }
    Ok(name)
}

impl fmt::Display for PathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(&escape(name)),
            Self::Each => f.write_str("*"),
            Self::Member(column) => {
                write!(f, "{{{}}}", column.replace('~', "~0").replace('/', "~1"))
            }
        }
    }
}

impl fmt::Display for RecordsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "/{step}"))
    }
}

impl FromStr for RecordsPath {
    type Err = Error;

    /// Reads a path such as `/data/items`, `/*`, `/users/{id}`, or the empty text.
    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let steps = text.strip_prefix('/').ok_or_else(|| {
            Error::usage(format!("`{text}` is not a path to records"))
                .help("a path begins with a slash: /data/items, '/*', '/users/{id}'")
        })?;
        let mut path = Self::default();
        for step in steps.split('/') {
            path.0.push(match step {
                "*" => PathStep::Each,
                _ => match step.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                    // `{id as user}` names the column `user`: what stands before says what the names are.
                    Some(map) => {
                        let column = map.rsplit_once(" as ").map_or(map, |(_, column)| column);
                        if column.is_empty() {
                            return Err(Error::usage("a map in a path has no name for its column")
                                .help("write the name of the column in braces: '/{id}'"));
                        }
                        PathStep::Member(unescape(column)?)
                    }
                    None => PathStep::Name(unescape(step)?),
                },
            });
            check_steps(path.0.len())?;
        }
        Ok(path)
    }
}

impl TryFrom<String> for RecordsPath {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<RecordsPath> for String {
    fn from(path: RecordsPath) -> Self {
        path.to_string()
    }
}

/// A member of the value around its records that each of them gets as a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Added {
    /// The column.
    pub name: String,
    /// Where the member is in the value. It may begin with the same steps as the path to the records, and
    /// means the same elements then; behind them stand names.
    pub pointer: RecordsPath,
}

impl Added {
    /// How many of its first steps are those of the path to the records.
    pub fn shared(&self, records: &RecordsPath) -> usize {
        let pairs = self.pointer.0.iter().zip(&records.0);
        pairs.take_while(|(own, other)| own == other).count()
    }
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.pointer)
    }
}

impl FromStr for Added {
    type Err = Error;

    /// Reads `NAME=/POINTER`.
    fn from_str(text: &str) -> Result<Self> {
        let (name, pointer) = text.split_once("=/").ok_or_else(|| {
            Error::usage(format!("`{text}` names no member to add"))
                .help("write a column and the path of the member: page=/meta/page")
        })?;
        if name.is_empty() {
            return Err(Error::usage(format!("`{text}` has no name for the column")));
        }
        Ok(Self { name: name.to_owned(), pointer: format!("/{pointer}").parse()? })
    }
}

impl TryFrom<String> for Added {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Added> for String {
    fn from(added: Added) -> Self {
        added.to_string()
    }
}

/// Checks that columns which the plan adds can be told apart, and that what they are taken from lies around
/// the records.
///
/// # Errors
/// A usage error for the first that does not.
pub(crate) fn check_added(records: Option<&RecordsPath>, added: &[Added]) -> Result<()> {
    let Some(records) = records else {
        if added.is_empty() {
            return Ok(());
        }
        return Err(Error::usage("members can be added to records that lie within a value only")
            .help(crate::Hint::choose("say where the records are", "records")));
    };
    let mut names: Vec<&str> = records.columns().collect();
    names.extend(added.iter().map(|added| added.name.as_str()));
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::usage(format!("the column {} is added twice", pair[0])));
    }
    for one in added {
        let shared = one.shared(records);
        let behind = &one.pointer.0[shared..];
        if behind.iter().any(|step| !matches!(step, PathStep::Name(_))) {
            return Err(Error::usage(format!(
                "the path of the added column {} leaves that of the records, and has a * or a map \
                 behind that",
                one.name
            )));
        }
        if behind.is_empty() || shared == records.0.len() {
            return Err(Error::usage(format!(
                "the member {} of the added column {} is not beside the records, which are at \
                 `{records}`",
                one.pointer, one.name
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    #[test]
    fn paths_read_as_written() {
        for text in [
            "",
            "/Records",
            "/data/items",
            "/*",
            "/{id}",
            "/{group}/x",
            "/a~1b/~0",
            "/~2/~3x}",
            "/",
        ] {
            assert_eq!(text.parse::<RecordsPath>().unwrap().to_string(), text, "{text}");
        }
        let path: RecordsPath = "/users/{id as user}/*/0".parse().unwrap();
        assert_eq!(
            path.0,
            [
                PathStep::Name("users".into()),
                PathStep::Member("user".into()),
                PathStep::Each,
                PathStep::Name("0".into())
            ]
        );
        assert_eq!(path.columns().collect::<Vec<_>>(), ["user"]);
        for bad in ["a", "/a~9", "/{}", "/~"] {
            assert!(bad.parse::<RecordsPath>().is_err(), "{bad}");
        }
        let parse = |steps: usize| {
            let text = "/a".repeat(steps);
            (text.parse::<RecordsPath>().is_ok(), text.parse::<Shape>().is_ok())
        };
        assert_eq!(parse(1_000), (true, true));
        assert_eq!(parse(1_001), (false, false), "a shape that is a path is one of these");
    }

    #[test]
    fn what_is_added_lies_beside_the_records() {
        let check = |records: &str, added: &[&str]| {
            let added: Vec<Added> = added.iter().map(|text| text.parse().unwrap()).collect();
            check_added(Some(&records.parse().unwrap()), &added)
        };
        check("/items", &["page=/page", "total=/meta/total"]).unwrap();
        check("/{group}/x", &["owner=/{group}/owner"]).unwrap();
        assert!(check("/items", &["a=/items"]).is_err());
        assert!(check("/items", &["a=/items/n"]).is_err());
        assert!(check("/a/b", &["a=/a"]).is_err());
        assert!(check("/a", &["a=/b/*"]).is_err());
        assert!(check("/{id}", &["id=/n"]).is_err());
        assert!(check("/{a}/{a}", &[]).is_err());
        assert!(check_added(None, &["a=/b".parse().unwrap()]).is_err());
        assert!("page".parse::<Added>().is_err() && "=/a".parse::<Added>().is_err());
    }
}
