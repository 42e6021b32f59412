//! Where the value of an option comes from, and how its option is spelled there.

use std::path::{Path, PathBuf};

use distil_plan::Error;

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    File(PathBuf),
    Environment,
    Flag,
    /// A program that uses the library.
    Program,
}

impl Origin {
    /// The directory that paths are relative to.
    pub(crate) fn base(&self) -> &Path {
        match self {
            Self::File(path) => path.parent().unwrap_or(Path::new("")),
            Self::Environment | Self::Flag | Self::Program => Path::new(""),
        }
    }

    /// Adds to an error where the value stands; a flag and an argument are plain from their names.
    pub(crate) fn mark(&self, error: Error) -> Error {
        match self {
            Self::File(path) => error.at(path.to_string_lossy(), None),
            Self::Environment => error.at("environment", None),
            Self::Flag | Self::Program => error,
        }
    }

    /// A key as it is spelled there.
    pub(crate) fn key(&self, key: &str) -> String {
        match self {
            Self::File(_) | Self::Flag => key.to_owned(),
            // Its options stand in no section.
            Self::Program => key.trim_start_matches('.').to_owned(),
            Self::Environment => format!("DISTIL_{}", key.to_uppercase().replace('.', "__")),
        }
    }
}
