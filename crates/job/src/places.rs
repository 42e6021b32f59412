//! No output may lie where the run reads, and no input where it writes.

use std::path::{Path, PathBuf};

use distil_plan::{Error, Result, parent, scheme};
use distil_storage::Storage;

use crate::discover::{Discovery, STDIN};

/// Something that a run writes, or the directory it writes temporary files to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// What it is, for messages: `output`, `quarantine file` ...
    pub role: &'static str,
    /// Where it is; it need not exist.
    pub path: &'a Path,
    /// Whether it is a directory of files, so that other things can lie inside.
    pub is_dir: bool,
    /// Whether it belongs to the run alone (a temporary directory does not: outputs may lie there).
    pub is_target: bool,
    /// Whether inputs may lie there all the same: the run has read them whole when it replaces them.
    pub replaces_inputs: bool,
}

impl<'a> Place<'a> {
    /// A place that belongs to the run alone, inputs excluded.
    pub fn target(role: &'static str, path: &'a Path, is_dir: bool) -> Self {
        Self { role, path, is_dir, is_target: true, replaces_inputs: false }
    }
}

/// Checks that no place lies inside a source or is one, that no input lies inside a place, and that
/// no two targets are the same or lie inside each other.
///
/// Places are compared with all links resolved.
///
/// # Errors
/// A usage error that names both.
pub fn check_places(
    storage: &dyn Storage,
    discovery: &Discovery,
    places: &[Place<'_>],
) -> Result<()> {
    let resolved: Vec<PathBuf> =
        places.iter().map(|place| resolve(storage, place.path)).collect::<Result<_>>()?;
    targets_are_apart(places, &resolved)?;
    for region in &discovery.regions {
        let base = storage.canonical(&region.base)?;
        for (place, path) in places.iter().zip(&resolved) {
            let part = place.is_dir.then(|| path.join("part-00000.parquet"));
            if region.covers(&base, path) || part.is_some_and(|part| region.covers(&base, &part)) {
                return Err(Error::usage(format!(
                    "the {} lies inside the source {}: the next run would read it",
                    place.role, region.source
                ))
                .at(place.path.to_string_lossy(), None)
                .help("choose a place outside of all sources"));
            }
        }
    }
    let inputs = discovery.inputs.iter().filter(|found| found.path != Path::new(STDIN));
    // Many files lie in few directories, one after another.
    let mut directory: Option<(&Path, PathBuf)> = None;
    for input in inputs {
        let path = match (parent(&input.path), input.path.file_name()) {
            (Some(within), Some(name)) if !input.is_link => {
                let resolved = match directory.take_if(|(last, _)| *last == within) {
                    Some((_, resolved)) => resolved,
                    None => storage.canonical(within)?,
                };
                let path = resolved.join(name);
                directory = Some((within, resolved));
                path
            }
            _ => storage.canonical(&input.path)?,
        };
        let own = |place: &Place<'_>| place.is_target && !place.replaces_inputs;
        for (place, target) in places.iter().zip(&resolved).filter(|(place, _)| own(place)) {
            if path == *target {
                return Err(Error::usage(format!("the {} is also a source", place.role))
                    .at(place.path.to_string_lossy(), None)
                    .help(format!("choose another path for the {}", place.role)));
            }
            if place.is_dir && path.starts_with(target) {
                return Err(Error::usage(format!(
                    "the source {} lies inside the {}, which would be replaced as a whole",
                    input.path.display(),
                    place.role
                ))
                .at(place.path.to_string_lossy(), None)
                .help(format!("choose another path for the {}", place.role)));
            }
        }
    }
    Ok(())
}

fn targets_are_apart(places: &[Place<'_>], resolved: &[PathBuf]) -> Result<()> {
    let targets: Vec<(&Place<'_>, &PathBuf)> =
        places.iter().zip(resolved).filter(|(place, _)| place.is_target).collect();
    for (at, (place, path)) in targets.iter().enumerate() {
        for (other, other_path) in &targets[..at] {
            let relation = if path == other_path {
                "are the same file"
            } else if path.starts_with(other_path) || other_path.starts_with(path) {
                "lie one inside the other"
            } else {
                continue;
            };
            return Err(Error::usage(format!(
                "the {} and the {} {relation}",
                other.role, place.role
            ))
            .at(place.path.to_string_lossy(), None)
            .help(format!("choose another path for the {}", place.role)));
        }
    }
    Ok(())
}

/// The path with links resolved, as far as it exists.
fn resolve(storage: &dyn Storage, path: &Path) -> Result<PathBuf> {
    if storage.metadata(path)?.is_some() {
        return storage.canonical(path);
    }
    match (parent(path), path.file_name()) {
        (Some(parent), Some(name)) => Ok(resolve(storage, parent)?.join(name)),
        _ if scheme(path).is_some() => storage.canonical(path),
        _ => storage.canonical(Path::new("")),
    }
}
