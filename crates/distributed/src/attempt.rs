//! One attempt to write the rows of a group, as its task sees it.

use std::path::{Path, PathBuf};

use distil_output::parts::PartNames;
use distil_plan::{Error, Layout, Result, Sink};
use distil_storage::Storage;

use crate::attempts::{DROPPED, OUTPUT};
use crate::job::Place;

/// Where an attempt writes.
pub(crate) struct Attempt<'a> {
    storage: &'a dyn Storage,
    /// The output: a file, or a directory of parts.
    pub(crate) output: PathBuf,
    /// The file of dropped records.
    pub(crate) dropped: PathBuf,
    /// The names of the parts.
    pub(crate) names: PartNames,
    is_uploads: bool,
}

impl<'a> Attempt<'a> {
    /// Makes the directories of an attempt, whose name no other attempt has.
    ///
    /// # Errors
    /// An environment error if that fails.
    pub(crate) fn create(
        storage: &'a dyn Storage,
        place: &Place,
        (group, name): (u32, &str),
        sink: &Sink,
    ) -> Result<Self> {
        match place {
            Place::Directory(all) => {
                let own = all.join(name);
                let disk = storage.disk(&own)?;
                disk.create_dir(&own)?;
                let (output, dropped) = (own.join(OUTPUT), own.join(DROPPED));
                if sink.layout == Layout::Dir {
                    disk.create_dir(&output)?;
                }
                let names = PartNames::Counted;
                Ok(Self { storage, output, dropped, names, is_uploads: false })
            }
            Place::Uploads { output, dropped } => {
                let is_cut = sink.max_file_rows.is_some() || sink.max_file_bytes.is_some();
                // The name of an upload is that of its object: no other group may have it.
                let names = if is_cut { PartNames::Several(group) } else { PartNames::One(group) };
                let (output, dropped) = (output.clone(), dropped.clone().unwrap_or_default());
                Ok(Self { storage, output, dropped, names, is_uploads: true })
            }
        }
    }

    /// What the driver takes over: nothing on a file system, where it knows the directory.
    ///
    /// # Errors
    /// An environment error if a store fails.
    pub(crate) fn hand_over(&self) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let mut uploads = Vec::new();
        for base in self.bases() {
            let store = self.storage.objects(base).ok_or_else(|| {
                Error::environment("a task sees no store at a target, and the driver does")
                    .at(base.to_string_lossy(), None)
            })?;
            for path in store.synced_below(base) {
                let upload = store.hand_over(&path)?;
                uploads.push((path, upload));
            }
        }
        Ok(uploads)
    }

    /// Aborts what an attempt that failed has begun. A directory goes with those of all attempts.
    pub(crate) fn abandon(&self) {
        for base in self.bases() {
            if let Some(Err(error)) = self.storage.objects(base).map(|store| store.abort(&[base])) {
                tracing::warn!(%error, "an upload is left: the next run to the output aborts it");
            }
        }
    }

    fn bases(&self) -> impl Iterator<Item = &Path> {
        let is_meant = move |path: &&Path| self.is_uploads && !path.as_os_str().is_empty();
        [&*self.output, &*self.dropped].into_iter().filter(is_meant)
    }
}
