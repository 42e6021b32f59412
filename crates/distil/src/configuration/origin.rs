//! Where the value of an option comes from, and how its option is spelled there.

use std::path::{Path, PathBuf};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    File(PathBuf),
    Environment,
}

impl Origin {
    /// The directory that paths are relative to.
    pub(crate) fn base(&self) -> &Path {
        match self {
            Self::File(path) => path.parent().unwrap_or(Path::new("")),
            Self::Environment => Path::new(""),
        }
    }

    /// The file, or what stands for one.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::File(path) => path.to_string_lossy().into_owned(),
            Self::Environment => "environment".to_owned(),
        }
    }

    /// A key as it is spelled there.
    pub(crate) fn key(&self, key: &str) -> String {
        match self {
            Self::File(_) => key.to_owned(),
            Self::Environment => format!("DISTIL_{}", key.to_uppercase().replace('.', "__")),
        }
    }
}
