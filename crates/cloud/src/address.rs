//! URLs of objects, taken apart.

use std::fmt;
use std::path::{Path, PathBuf};

use distil_plan::{Error, Result, scheme};
use object_store::path::Path as Key;

/// Who keeps the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Service {
    /// Amazon S3, and what speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage and Data Lake Storage.
    Azure,
}

/// The schemes of URLs, and whose they are.
pub(crate) const SCHEMES: [(&str, Service); 8] = [
    ("s3", Service::S3),
    ("s3a", Service::S3),
    ("s3n", Service::S3),
    ("gs", Service::Google),
    ("az", Service::Azure),
    ("azure", Service::Azure),
    ("abfs", Service::Azure),
    ("abfss", Service::Azure),
];

/// A bucket of S3 or Google, or a container of Azure with its account where the URL has one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BucketName {
    pub(crate) service: Service,
    /// What stands between `://` and the next slash.
    pub(crate) name: String,
}

impl BucketName {
    /// The URL in the usual spelling of the service.
    pub(crate) fn url(&self) -> String {
        let scheme = match self.service {
            Service::S3 => "s3",
            Service::Google => "gs",
            Service::Azure if self.name.contains('@') => "abfss",
            Service::Azure => "az",
        };
        format!("{scheme}://{}", self.name)
    }
}

/// A URL of an object, of what lies below a name, or of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) bucket: BucketName,
    /// The key; of a whole bucket it is empty.
    pub(crate) key: Key,
    /// Whether it ends in a slash: only what lies below can be meant.
    pub(crate) is_directory: bool,
}

impl Address {
    /// Takes a URL apart. A key is taken as it is spelled, as the tools of the clouds do: nothing in it is an escape.
    ///
    /// # Errors
    /// A usage error for a URL without a bucket, with a user or a password, and for a key that has no name
    /// between two slashes, `.` or `..` in it.
    pub(crate) fn parse(path: &Path) -> Result<Self> {
        let refuse = |what: &str| Error::usage(what.to_owned()).at(path.to_string_lossy(), None);
        let text = path.to_str().ok_or_else(|| refuse("a URL is UTF-8"))?;
        let found = scheme(path).unwrap_or_default();
        let known = SCHEMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(found));
        let (_, service) = *known.ok_or_else(|| refuse("this is no URL of a store of objects"))?;
        let rest = &text[found.len() + "://".len()..];
        let (name, key) = rest.split_once('/').unwrap_or((rest, ""));
        let name = match service {
            // Data Lake Storage and Blob Storage are two doors to one account.
            Service::Azure => name.replacen(".dfs.", ".blob.", 1),
            _ if name.contains(['@', ':']) => {
                let what = "a URL of a bucket has no user, password or port";
                return Err(Error::usage(what).at(format!("{found}://..."), None));
            }
            _ => name.to_owned(),
        };
        if name.is_empty() {
            return Err(refuse("the URL has no bucket").help(format!("write {found}://BUCKET/KEY")));
        }
        let is_directory = key.is_empty() || key.ends_with('/');
        let unusable = || {
            refuse("a key with an empty name, `.` or `..` between its slashes can't be used")
                .help("rename the object, or read it from standard input")
        };
        let key = key.strip_suffix('/').unwrap_or(key);
        // Taken for the same key without it.
        if key.starts_with('/') {
            return Err(unusable());
        }
        let key = Key::parse(key).map_err(|_| unusable())?;
        Ok(Self { bucket: BucketName { service, name }, key, is_directory })
    }

    /// The URL in the usual spelling of the service, without a slash at its end.
    pub(crate) fn url(&self) -> String {
        let bucket = self.bucket.url();
        match self.key.as_ref() {
            "" => bucket,
            key => format!("{bucket}/{key}"),
        }
    }

    /// The same as a path.
    pub(crate) fn path(&self) -> PathBuf {
        self.url().into()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address> {
        Address::parse(Path::new(url))
    }

    #[test]
    fn a_url_is_a_bucket_and_a_key_as_spelled() {
        for (url, bucket, key, is_directory) in [
            ("s3://b/a/c.json", "s3://b", "a/c.json", false),
            ("S3A://b/a b/ü%20.json", "s3://b", "a b/ü%20.json", false),
            ("s3://b", "s3://b", "", true),
            ("s3://b/", "s3://b", "", true),
            ("s3://b/d/", "s3://b", "d", true),
            ("gs://b/k?x=1", "gs://b", "k?x=1", false),
            ("az://c/k", "az://c", "k", false),
            ("abfss://c@a.dfs.core.windows.net/k", "abfss://c@a.blob.core.windows.net", "k", false),
        ] {
            let found = parse(url).unwrap();
            assert_eq!(
                (found.bucket.url().as_str(), found.key.as_ref(), found.is_directory),
                (bucket, key, is_directory),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_such_url_is_refused_and_no_secret_is_shown() {
        for url in ["s3://", "s3:///k", "s3://b//k", "s3://b/../k", "s3://b/a/./k", "ftp://b/k"] {
            assert_eq!(parse(url).unwrap_err().fault.exit_status(), 2, "{url}");
        }
        let error = parse("s3://key:secret@b/k").unwrap_err();
        assert!(!format!("{error:?}").contains("secret"));
    }
}
