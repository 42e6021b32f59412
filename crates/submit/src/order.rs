//! What goes between the command and the application, as files of a directory that both see.
//!
//! Beside a driver on this machine that is the directory of temporary files. A driver on a node sees the staging directory, as
//! the tasks write their parts there.

use std::path::{Path, PathBuf};

use distil_plan::{Error, Report, ResolvedPlan, Result, Staging, parent};
use distil_storage::Storage;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::options::DeployMode;
use crate::uploads::Uploads;

/// The file of the order.
const ORDER: &str = "order.json";
/// The file of the answer.
const ANSWER: &str = "answer.json";
/// The file of the progress.
const PROGRESS: &str = "progress.json";

/// One request of a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The version of distil that gives it.
    pub(crate) distil: String,
    /// What to do.
    pub(crate) plan: ResolvedPlan,
    /// Where to write.
    pub(crate) staging: Staging,
}

/// What it came to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Done {
        report: Box<Report>,
        /// What the command has to complete.
        #[serde(default)]
        uploads: Uploads,
    },
    Error(Box<Error>),
}

/// Where the order of a run is.
pub(crate) fn order_path(staging: &Staging, mode: DeployMode) -> PathBuf {
    match mode {
        DeployMode::Client => staging.scratch.join(ORDER),
        DeployMode::Cluster => parent(&staging.output).unwrap_or(Path::new("")).join(ORDER),
    }
}

/// Where the answer to an order is.
pub(crate) fn answer_path(order: &Path) -> PathBuf {
    parent(order).unwrap_or(Path::new("")).join(ANSWER)
}

/// Where the progress of an order is.
pub(crate) fn progress_path(order: &Path) -> PathBuf {
    parent(order).unwrap_or(Path::new("")).join(PROGRESS)
}

/// Whether an order is still there.
///
/// # Errors
/// An environment error.
pub(crate) fn order_is_there(storage: &dyn Storage, order: &Path) -> Result<bool> {
    Ok(storage.metadata(order)?.is_some())
}

/// Writes a file, which is there whole or not at all.
///
/// # Errors
/// An environment error.
pub(crate) fn write(storage: &dyn Storage, path: &Path, content: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(content)
        .map_err(|error| Error::usage(format!("this can't be told to another process: {error}")))?;
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    storage.remove_file(&new)?;
    let mut file = storage.create_new(&new)?;
    file.write_all(&text)?;
    file.sync()?;
    drop(file);
    storage.disk(path)?.rename(&new, path)
}

/// Reads a file that [`write`] wrote; `None` if it is not there.
///
/// # Errors
/// An environment error.
pub(crate) fn read<T: DeserializeOwned>(storage: &dyn Storage, path: &Path) -> Result<Option<T>> {
    let Some(found) = storage.metadata(path)? else { return Ok(None) };
    let file = storage.open(path)?;
    let mut text = vec![0; usize::try_from(found.stamp.size).unwrap_or(usize::MAX)];
    let mut at = 0;
    while at < text.len() {
        match file.read_at(at as u64, &mut text[at..])? {
            0 => break,
            count => at += count,
        }
    }
    serde_json::from_slice(&text[..at]).map(Some).map_err(|error| {
        Error::environment(format!("the file can't be read: {error}"))
            .at(path.to_string_lossy(), None)
    })
}
