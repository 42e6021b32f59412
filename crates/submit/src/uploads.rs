//! An output in a store of objects: the application gives its uploads away with its answer, and the command, which commits,
//! takes them over.

use std::path::{Path, PathBuf};

use distil_plan::{Error, Result, Staging};
use distil_storage::Storage;

/// Uploads by path, as their store spells them.
pub(crate) type Uploads = Vec<(PathBuf, Vec<u8>)>;

/// The targets of a run that are in stores of objects.
fn targets<'a>(storage: &dyn Storage, staging: &'a Staging) -> Vec<&'a Path> {
    let Staging { output, quarantine, dropped, .. } = staging;
    let all = [Some(output), quarantine.as_ref(), dropped.as_ref()];
    let all = all.into_iter().flatten().map(PathBuf::as_path);
    all.filter(|path| storage.objects(path).is_some()).collect()
}

/// Gives away all that was written.
///
/// # Errors
/// An environment error if a store fails.
pub(crate) fn hand_over(storage: &dyn Storage, staging: &Staging) -> Result<Uploads> {
    let mut uploads = Vec::new();
    for target in targets(storage, staging) {
        if let Some(store) = storage.objects(target) {
            for path in store.synced_below(target) {
                let upload = store.hand_over(&path)?;
                uploads.push((path, upload));
            }
        }
    }
    Ok(uploads)
}

/// Takes them over.
///
/// # Errors
/// An environment error if these are no uploads to the targets of the run.
pub(crate) fn take_over(storage: &dyn Storage, staging: &Staging, uploads: Uploads) -> Result<()> {
    let targets = targets(storage, staging);
    for (path, upload) in uploads {
        let is_ours = targets.iter().any(|target| path.starts_with(target));
        match storage.objects(&path) {
            Some(store) if is_ours => store.take_over(&path, &upload)?,
            _ => {
                return Err(Error::environment("the application wrote to another place")
                    .at(path.to_string_lossy(), None));
            }
        }
    }
    Ok(())
}

/// Aborts what a run that failed has written.
pub(crate) fn abort(storage: &dyn Storage, staging: &Staging) {
    for target in targets(storage, staging) {
        if let Some(Err(error)) = storage.objects(target).map(|store| store.abort(&[target])) {
            tracing::warn!(%error, "an upload is left: the next run to the output aborts it");
        }
    }
}
