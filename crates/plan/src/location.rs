//! Where something is: a path, or a URL of some store.

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where something is, spelled as it was given: a path of the file system, or a URL such as `s3://bucket/key`,
/// whose scheme says which store knows it. Its JSON form is the text.
///
/// Names of files need not be text, so a location is bytes as a path is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
        Self(path.into())
    }
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
    fn its_json_form_is_the_text() {
        let location = Location::from("s3://b/k");
        assert_eq!(serde_json::to_string(&location).unwrap(), "\"s3://b/k\"");
        assert_eq!(serde_json::from_str::<Location>("\"s3://b/k\"").unwrap(), location);
    }
}
