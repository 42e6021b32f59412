//! Where something is: a path, or a URL of some store.

use std::ffi::OsString;
use std::fmt;
use std::ops::Deref;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use crate::hidden::without_secrets;

/// Where something is, spelled as it was given: a path of the file system, or a URL such as `s3://bucket/key`,
/// whose scheme says which store knows it. Its JSON form is the text. A URL of the scheme `file` becomes its path, and
/// one of a web server is shown without its secrets (see [`crate::with_secrets`]).
///
/// Names of files need not be text, so a location is bytes as a path is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Location(PathBuf);

impl Location {
    /// The scheme of a URL: `s3` of `s3://bucket/key`; `None` for a path.
    pub fn scheme(&self) -> Option<&str> {
        scheme(&self.0)
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.as_os_str().is_empty()
    }
}

/// The scheme of a path that is the text of a URL: a letter, then letters, digits, `+`, `-` or `.`, then `://`
/// (RFC 3986, 3.1). A file system has such names only by accident: `./s3://x` names them.
pub fn scheme(path: &Path) -> Option<&str> {
    let bytes = path.as_os_str().as_encoded_bytes();
    let end = bytes.windows(3).position(|three| three == b"://")?;
    let scheme = std::str::from_utf8(&bytes[..end]).ok()?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then_some(scheme)
}

/// The directory of a path, as [`Path::parent`] has it. The root of a URL, which is its host or what stands for it, has
/// none.
pub fn parent(path: &Path) -> Option<&Path> {
    let Some(scheme) = scheme(path) else { return path.parent() };
    let text = path.to_str()?.trim_end_matches('/');
    let begin = scheme.len() + "://".len();
    let at = text.get(begin..)?.rfind('/')?;
    // The root of a URL without a host is a slash.
    Some(Path::new(text[..begin + at.max(1)].trim_end_matches(|c| at > 0 && c == '/')))
}

/// What a storage is asked for is a path, URLs included.
impl Deref for Location {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for Location {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

/// For people: what is not text is replaced.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string_lossy())
    }
}

impl<T: Into<PathBuf>> From<T> for Location {
    fn from(path: T) -> Self {
        let path = path.into();
        let other = local_path(&path)
            .or_else(|| path.to_str().and_then(without_secrets).map(PathBuf::from));
        Self(other.unwrap_or(path))
    }
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PathBuf::deserialize(deserializer).map(Self::from)
    }
}

/// The path that a URL of the scheme `file` names on this machine (RFC 8089), with its escapes decoded; nothing for
/// anything else.
pub fn local_path(path: &Path) -> Option<PathBuf> {
    let found = scheme(path).filter(|found| found.eq_ignore_ascii_case("file"))?;
    let rest = &path.as_os_str().as_encoded_bytes()[found.len() + "://".len()..];
    let rest = match rest {
        [b'/', ..] => rest,
        _ => rest.strip_prefix(b"localhost").filter(|rest| rest.starts_with(b"/"))?,
    };
    let hex = |digit: u8| char::from(digit).to_digit(16);
    let mut decoded = Vec::with_capacity(rest.len());
    let mut at = 0;
    while at < rest.len() {
        let escape = match rest[at..] {
            [b'%', high, low, ..] => hex(high).zip(hex(low)),
            _ => None,
        };
        match escape {
            Some((high, low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            None => {
                decoded.push(rest[at]);
                at += 1;
            }
        }
    }
    Some(OsString::from_vec(decoded).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_scheme_and_a_path_has_none() {
        let scheme = |text: &str| Location::from(text).scheme().map(str::to_owned);
        for (text, expected) in [
            ("s3://bucket/key", Some("s3")),
            ("abfss://c@a.dfs/x", Some("abfss")),
            ("HTTP://x", Some("HTTP")),
            ("s3a+x-1.2://b", Some("s3a+x-1.2")),
            ("out.parquet", None),
            ("/a/b://c", None),
            ("./s3://b", None),
            ("3s://b", None),
            ("://b", None),
            ("s3:/b", None),
            ("a b://c", None),
            ("", None),
        ] {
            assert_eq!(scheme(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_parent_of_a_url_is_one() {
        for (url, expected) in [
            ("hdfs:///a", Some("hdfs:///")),
            ("hdfs:///a/b/", Some("hdfs:///a")),
            ("hdfs://h:1/a", Some("hdfs://h:1")),
            ("s3://b/a//b", Some("s3://b/a")),
            ("hdfs://h:1/", None),
            ("https://h?x=1", None),
            ("hdfs:///", None),
            ("a/b", Some("a")),
            ("a", Some("")),
        ] {
            assert_eq!(parent(Path::new(url)), expected.map(Path::new), "{url}");
        }
    }

    #[test]
    fn a_url_of_a_file_is_its_path() {
        for (url, path) in [
            ("file:///tmp/a%20b%2F%zz", "/tmp/a b/%zz"),
            ("FILE://localhost/x", "/x"),
            ("file://host/x", "file://host/x"),
            ("file://x", "file://x"),
            ("/tmp/a%20b", "/tmp/a%20b"),
        ] {
            assert_eq!(Location::from(url).to_string(), path, "{url}");
        }
    }

    #[test]
    fn its_json_form_is_the_text() {
        let location = Location::from("s3://b/k");
        assert_eq!(serde_json::to_string(&location).unwrap(), "\"s3://b/k\"");
        assert_eq!(serde_json::from_str::<Location>("\"s3://b/k\"").unwrap(), location);
    }
}
