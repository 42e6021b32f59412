//! All attempts to write the groups of a run, of which one for each becomes part of the output.
//!
//! On a file system they lie in the staging directory beside the output, which no reader sees, and which this run or
//! the next removes: an attempt that writes on after the run has ended (a zombie) fails, as its directory is gone. In a
//! store of objects they are uploads to the names that the objects will have: those that nobody completes are no objects,
//! and the next run to the output aborts them.

use std::collections::BTreeMap;
use std::path::Path;

use distil_output::parts::part_name;
use distil_plan::{Error, Layout, Result, Staging, parent};
use distil_storage::Storage;

use crate::job::Place;
use crate::write_account::WriteAccount;

/// The output of an attempt, in its directory.
pub(crate) const OUTPUT: &str = "output";
/// Its dropped records.
pub(crate) const DROPPED: &str = "dropped";

/// Where all attempts of one run are.
pub(crate) struct Attempts<'a> {
    storage: &'a dyn Storage,
    staging: &'a Staging,
    pub(crate) place: Place,
}

impl<'a> Attempts<'a> {
    /// The place for the attempts of a run: on a file system a directory beside the staged output.
    ///
    /// # Errors
    /// An environment error if it can't be created.
    pub(crate) fn create(storage: &'a dyn Storage, staging: &'a Staging) -> Result<Self> {
        let Staging { output, dropped, .. } = staging;
        let place = if storage.objects(output).is_some() {
            Place::Uploads { output: output.clone(), dropped: dropped.clone() }
        } else {
            let beside = parent(output).unwrap_or(Path::new(""));
            let path = storage.canonical(beside)?.join("attempts");
            storage.disk(&path)?.create_dir(&path)?;
            Place::Directory(path)
        };
        Ok(Self { storage, staging, place })
    }

    /// One account for each group, whichever attempts came, the first by name; and those of all others.
    pub(crate) fn choose(accounts: Vec<WriteAccount>) -> (Vec<WriteAccount>, Vec<WriteAccount>) {
        let mut chosen: BTreeMap<u32, WriteAccount> = BTreeMap::new();
        let mut others = Vec::new();
        for account in accounts {
            let known = chosen.remove(&account.group);
            let (first, second) = match known {
                Some(known) if known.attempt <= account.attempt => (known, Some(account)),
                known => (account, known),
            };
            chosen.insert(first.group, first);
            others.extend(second);
        }
        (chosen.into_values().collect(), others)
    }

    /// Makes the staged output of the files of the chosen attempts, in order, and removes all others. `empty` writes
    /// an output without rows, and says in how many files.
    ///
    /// # Errors
    /// An environment error if that fails; a bug if one file was wanted, and more were written.
    pub(crate) fn publish(
        &self,
        chosen: &[WriteAccount],
        others: &[WriteAccount],
        layout: Layout,
        empty: impl FnOnce() -> Result<u64>,
    ) -> Result<u64> {
        if layout == Layout::File && chosen.len() > 1 {
            return Err(Error::bug("several tasks wrote the one file of the output"));
        }
        let empty = if chosen.is_empty() { empty()? } else { 0 };
        match &self.place {
            Place::Directory(path) => self.rename(path, chosen, layout)?,
            Place::Uploads { .. } => self.take_over(chosen, others)?,
        }
        Ok(empty + chosen.iter().map(|account| account.totals.files).sum::<u64>())
    }

    /// Gives the files of the chosen attempts their names, and removes everything else.
    fn rename(&self, path: &Path, chosen: &[WriteAccount], layout: Layout) -> Result<()> {
        let disk = self.storage.disk(path)?;
        let mut files = 0;
        for account in chosen {
            let directory = path.join(&account.attempt);
            let written = directory.join(OUTPUT);
            match layout {
                Layout::File => disk.rename(&written, &self.staging.output)?,
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
        disk.remove_dir_all(path)
    }

    /// Has the uploads of the chosen attempts wait for their completion, and aborts all others.
    fn take_over(&self, chosen: &[WriteAccount], others: &[WriteAccount]) -> Result<()> {
        for (path, upload) in others.iter().flat_map(|account| &account.uploads) {
            self.store_of(path)?.take_over(path, upload)?;
            self.store_of(path)?.abort(&[path])?;
        }
        for (path, upload) in chosen.iter().flat_map(|account| &account.uploads) {
            self.store_of(path)?.take_over(path, upload)?;
        }
        Ok(())
    }

    fn store_of(&self, path: &Path) -> Result<&'a dyn distil_storage::Objects> {
        self.storage
            .objects(path)
            .ok_or_else(|| Error::bug("a part left its store").at(path.to_string_lossy(), None))
    }
}
