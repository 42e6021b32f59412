//! What may stand in the way of an output, whatever store it is in.

use std::path::Path;

use distil_plan::{Error, Fault, Hint, Result};
use distil_storage::{Kind, Storage};

/// The error for something that is there, and may not be replaced.
pub(super) fn exists(role: &str, path: &Path) -> Error {
    Error::new(Fault::Exists, format!("the {role} exists already"))
        .at(path.to_string_lossy(), None)
        .output("it was not touched, and nothing was read")
}

/// Checks that what is there is of the kind that will be.
pub(super) fn fits(role: &str, path: &Path, is_dir: bool, kind: Kind) -> Result<()> {
    let refuse = |why: &str| {
        let error = Error::usage(format!("the {role} {why}")).at(path.to_string_lossy(), None);
        error.help("choose another name")
    };
    match kind {
        Kind::File if is_dir => Err(refuse(
            "is to be a directory, but there is a file of that name",
        )
        .help(Hint::set("or write one file", "layout", "file"))),
        Kind::Directory if !is_dir => {
            Err(refuse("is to be a file, but there is a directory of that name"))
        }
        Kind::File | Kind::Directory => Ok(()),
        Kind::Stream | Kind::Other => {
            Err(refuse("is to be a file, but a device or a pipe is there"))
        }
    }
}

/// Removes a directory that a run of this user made. One of somebody else, in a folder that they share, only has the
/// name of one.
pub(super) fn remove_own(storage: &dyn Storage, directory: &Path) -> Result<()> {
    match storage.metadata(directory)? {
        Some(found) if !found.is_own => Err(Error::new(
            Fault::Environment,
            "the name is needed for temporary files, but somebody else made it",
        )
        .at(directory.to_string_lossy(), None)
        .output("nothing was written; the output is as it was before")
        .help("have its owner remove it, or choose another place")),
        Some(_) => storage.disk(directory)?.remove_dir_all(directory),
        // A link that leads nowhere is not ours to remove either.
        None => Ok(()),
    }
}
