//! Whether everything in a directory is of an output of distil: only then may another output replace it.

use std::path::{Path, PathBuf};

use distil_plan::Result;
use distil_storage::{Kind, Storage};
use serde::Deserialize;

use crate::read_whole::read_whole;
use crate::reader::PartFile;

/// Beside the parts, in directories of distil 0.1.0 before its parts told whose they are.
const OLD_LIST: &str = "_distil.json";
/// More than any such list for the files that a directory can have.
const LARGEST_LIST: u64 = 256 << 20;

/// The list of files that a directory used to hold.
#[derive(Deserialize)]
struct OldList {
    #[serde(rename = "version")]
    _version: u32,
    files: Vec<String>,
}

/// The first entry of a directory that distil did not write. Everything else is a part: a file of such a
/// name, with a footer of distil. Footers are only read if all names are those of parts.
///
/// # Errors
/// An environment error if the directory or a file in it can't be read.
pub fn stranger(storage: &dyn Storage, directory: &Path) -> Result<Option<PathBuf>> {
    let names = storage.list(directory)?;
    let is_list = |name: &Path| name == Path::new(OLD_LIST);
    if let Some(name) = names.iter().find(|name| !is_part(name) && !is_list(name)) {
        return Ok(Some(name.clone()));
    }
    for name in &names {
        let path = directory.join(name);
        let metadata = storage.metadata(&path)?;
        let is_file = metadata.is_some_and(|found| found.kind == Kind::File && !found.is_link);
        let is_own = is_file
            && if is_list(name) {
                lists(storage, &path, &names)?
            } else {
                has_footer(storage, &path)
            };
        if !is_own {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

/// Whether a name is that of a part: `part-` and at least five digits, `.parquet`.
pub fn is_part(name: &Path) -> bool {
    let digits = name
        .to_str()
        .and_then(|name| name.strip_prefix("part-"))
        .and_then(|rest| rest.strip_suffix(".parquet"));
    digits
        .is_some_and(|digits| digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A file that is broken, or of a later version, is nothing that this distil may replace.
fn has_footer(storage: &dyn Storage, path: &Path) -> bool {
    PartFile::open(storage, path).and_then(|part| part.footer()).is_ok_and(|found| found.is_some())
}

/// Whether the file is the list of just these parts.
fn lists(storage: &dyn Storage, path: &Path, names: &[PathBuf]) -> Result<bool> {
    let content = read_whole(storage, path, LARGEST_LIST)?;
    let Ok(mut list) = serde_json::from_slice::<OldList>(&content) else { return Ok(false) };
    list.files.sort_unstable();
    let parts = names.iter().filter(|name| is_part(name));
    Ok(parts.eq(list.files.iter().map(Path::new)))
}
