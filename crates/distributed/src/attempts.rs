//! The directories of attempts, of which one for each group becomes part of the output.
//!
//! They lie in the staging directory beside the output, which no reader sees, and which this run or the next removes.
//! An attempt that writes on after the run has ended (a zombie) fails, as its directory is gone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use distil_output::parts::part_name;
use distil_plan::{Error, Layout, Result, Staging, parent};
use distil_storage::Storage;

use crate::write_account::WriteAccount;

/// The output of an attempt, in its directory.
pub(crate) const OUTPUT: &str = "output";
/// Its dropped records.
pub(crate) const DROPPED: &str = "dropped";

/// Where all attempts of one run are.
pub(crate) struct Attempts<'a> {
    storage: &'a dyn Storage,
    staging: &'a Staging,
    pub(crate) path: PathBuf,
}

impl<'a> Attempts<'a> {
    /// A directory for attempts, beside the staged output.
    ///
    /// # Errors
    /// A usage error if the output lies in no file system; an environment error if it can't be created.
    pub(crate) fn create(storage: &'a dyn Storage, staging: &'a Staging) -> Result<Self> {
        let beside = parent(&staging.output).unwrap_or(Path::new(""));
        let path = storage.canonical(beside)?.join("attempts");
        storage.disk(&path)?.create_dir(&path)?;
        Ok(Self { storage, staging, path })
    }

    /// One account for each group, whichever attempts came: the first by name.
    pub(crate) fn chosen(accounts: Vec<WriteAccount>) -> Vec<WriteAccount> {
        let mut chosen: BTreeMap<u32, WriteAccount> = BTreeMap::new();
        for account in accounts {
            match chosen.get(&account.group) {
                Some(known) if known.attempt <= account.attempt => {}
                _ => drop(chosen.insert(account.group, account)),
            }
        }
        chosen.into_values().collect()
    }

    /// Gives the files of the chosen attempts their names, in order, and removes all others. `empty` writes an output
    /// without rows, and says in how many files.
    ///
    /// # Errors
    /// An environment error if that fails; a bug if one file was wanted, and more were written.
    pub(crate) fn publish(
        &self,
        chosen: &[WriteAccount],
        layout: Layout,
        empty: impl FnOnce() -> Result<u64>,
    ) -> Result<u64> {
        let disk = self.storage.disk(&self.path)?;
        let mut files = 0;
        if chosen.is_empty() {
            files = empty()?;
        }
        if layout == Layout::File && chosen.len() > 1 {
            return Err(Error::bug("several tasks wrote the one file of the output"));
        }
        for account in chosen {
            let directory = self.path.join(&account.attempt);
            let written = directory.join(OUTPUT);
            match layout {
                Layout::File => {
                    disk.rename(&written, &self.staging.output)?;
                    files += 1;
                }
                Layout::Dir => {
                    for at in 0..account.totals.files {
                        let from = written.join(part_name(at));
                        disk.rename(&from, &self.staging.output.join(part_name(files)))?;
                        files += 1;
                    }
                }
            }
            if let Some(dropped) = &self.staging.dropped {
                disk.rename(&directory.join(DROPPED), dropped)?;
            }
        }
        disk.remove_dir_all(&self.path)?;
        Ok(files)
    }
}
