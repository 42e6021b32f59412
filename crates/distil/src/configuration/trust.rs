//! Which configuration files the user trusts.
//!
//! A file that lies where a command happens to run may come from anybody. Until the user trusts it, it may
//! set what changes results and resources, but neither start a program nor reach an address, and no file
//! is read as a secret for it. Trust is a copy of the file in the user's configuration directory: a file
//! is trusted as long as it is the copy, byte for byte, and lies where it lay.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use distil_plan::{Code, Error, Fault, Hint, Result};
use distil_storage::Storage;
use xxhash_rust::xxh3::xxh3_128;

use super::sources::{FILE, user_directory};
use crate::files::read_text;

/// The options of a backend that start a program, reach an address, or read a file as a secret.
pub(crate) const GUARDED: [&str; 10] = [
    "engine",
    "url",
    "python",
    "command",
    "token_file",
    "master",
    "submit",
    "application",
    "archives",
    "conf",
];

/// The files that the user trusts.
#[derive(Clone, Debug)]
pub struct TrustedFiles {
    /// Where the copies are; `None` for a user without a configuration directory.
    directory: Option<PathBuf>,
}

impl TrustedFiles {
    /// Those of the user of this process.
    pub fn from_env() -> Self {
        let variables: Vec<(String, String)> = ["XDG_CONFIG_HOME", "HOME"]
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
            .collect();
        Self::of(&variables)
    }

    /// Those of the user that these variables describe.
    pub(crate) fn of(variables: &[(String, String)]) -> Self {
        Self { directory: user_directory(variables).map(|directory| directory.join("trusted")) }
    }

    /// Trusts a configuration file as it is now.
    ///
    /// # Errors
    /// An environment error if it can't be read, or the copy not be written; a usage error without a
    /// configuration directory.
    pub fn trust(&self, storage: &dyn Storage, file: &Path) -> Result<()> {
        let text = read_text(storage, file)?;
        let (copy, content) = self.copy(storage, file, &text)?;
        let disk = storage.disk(&copy)?;
        let missing = copy.ancestors().skip(1).take_while(|directory| {
            !directory.as_os_str().is_empty()
                && disk.metadata(directory).is_ok_and(|is| is.is_none())
        });
        let missing: Vec<&Path> = missing.collect();
        for directory in missing.into_iter().rev() {
            disk.create_dir(directory)?;
        }
        let new = copy.with_extension(format!("new-{}", std::process::id()));
        disk.remove_file(&new)?;
        let mut written = disk.create_new(&new)?;
        written.write_all(content.as_bytes())?;
        written.sync()?;
        drop(written);
        disk.rename(&new, &copy)
    }

    /// Stops trusting a file; it is no error if it was not trusted.
    ///
    /// # Errors
    /// As [`TrustedFiles::trust`].
    pub fn forget(&self, storage: &dyn Storage, file: &Path) -> Result<()> {
        let (copy, _) = self.copy(storage, file, "")?;
        storage.disk(&copy)?.remove_file(&copy)
    }

    /// Whether a file with this text is trusted.
    pub(crate) fn is_trusted(&self, storage: &dyn Storage, file: &Path, text: &str) -> bool {
        self.copy(storage, file, text).is_ok_and(|(copy, content)| {
            // What can't be read was not trusted.
            read_text(storage, &copy).is_ok_and(|found| found == content)
        })
    }

    /// The place and the content of the copy of a file: its path in the first line, then its text.
    fn copy(&self, storage: &dyn Storage, file: &Path, text: &str) -> Result<(PathBuf, String)> {
        let Some(directory) = &self.directory else {
            return Err(Error::usage(
                "there is no configuration directory for the copies of trusted files",
            )
            .help("set HOME or XDG_CONFIG_HOME"));
        };
        let path = storage.canonical(file)?;
        let shown = path.to_string_lossy().replace('\n', "\\n");
        let name = format!("{:032x}.toml", xxh3_128(path.as_os_str().as_encoded_bytes()));
        Ok((directory.join(name), format!("# {shown}\n{text}")))
    }
}

/// What a configuration asks for by a file that is not trusted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Untrusted {
    /// Backends of which the file sets a guarded option.
    pub(crate) backends: BTreeSet<String>,
    /// Backends, by name or URL, that the file chooses.
    pub(crate) chosen: BTreeSet<String>,
    /// Clusters of which the file sets an option.
    pub(crate) clusters: BTreeSet<String>,
}

/// The error for a backend that only a trusted file may name.
pub(crate) fn not_trusted(backend: &str) -> Error {
    Error::new(
        Fault::Usage,
        format!(
            "the file is not trusted, so it can't choose the backend {backend}, which starts a \
             program or reaches an address"
        ),
    )
    .coded(Code::NotTrusted)
    .at(FILE, None)
    .help("read the file, and trust it as it is now: distil trust")
    .help(Hint::set("or trust it for this run", "config", FILE))
    .help(Hint::native("or run the plan on the native engine"))
}

/// The error for a cluster that only a trusted file may describe.
pub(crate) fn cluster_not_trusted(name: &str) -> Error {
    let what =
        format!("the file is not trusted, so nothing of its section emr.{name} is asked of AWS");
    Error::usage(what)
        .coded(Code::NotTrusted)
        .at(FILE, None)
        .help("read the file, and trust it as it is now: distil trust")
        .help(Hint::set("or trust it for this run", "config", FILE))
}
