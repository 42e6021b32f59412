//! Frames by where their rows come from.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use distil_plan::{Plan, Sink, without_secrets};

use super::DataFrame;
use super::source::Source;
use super::steps::Step;
use crate::{ReadOptions, Session};

/// Paths, one or several: files, directories, globs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths(Vec<String>);

impl Paths {
    /// Signed links are shown without their secrets wherever a frame is told of.
    fn of(paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let shown = |path: String| without_secrets(&path).unwrap_or(path);
        Self(paths.into_iter().map(|path| shown(path.into())).collect())
    }
}

impl From<&str> for Paths {
    fn from(path: &str) -> Self {
        Self::of([path])
    }
}

impl From<String> for Paths {
    fn from(path: String) -> Self {
        Self::of([path])
    }
}

impl From<&Path> for Paths {
    fn from(path: &Path) -> Self {
        Self::of([path.to_string_lossy()])
    }
}

impl<S: Into<String>> From<Vec<S>> for Paths {
    fn from(paths: Vec<S>) -> Self {
        Self::of(paths)
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for Paths {
    fn from(paths: [S; N]) -> Self {
        Self::of(paths)
    }
}

impl Session {
    /// The records of JSON files, directories or globs.
    pub fn read_json(&self, sources: impl Into<Paths>) -> DataFrame {
        let Paths(sources) = sources.into();
        self.rows(Source::Json(Box::new(Plan::new(sources, Sink::new("")))))
    }

    /// The rows that a plan writes. [`DataFrame::run`] takes the place to write them to.
    pub fn frame(&self, mut plan: Plan) -> DataFrame {
        let dedup = plan.dedup.take().map(|dedup| Step::DropDuplicates(dedup.into()));
        let columns = plan.columns.take().map(|columns| Step::Select(Ok(columns)));
        let steps = dedup.into_iter().chain(columns).collect();
        DataFrame { steps, ..self.rows(Source::Json(Box::new(plan))) }
    }

    /// The records of JSON files, read as the options say: their shape, their schema, what becomes of bad
    /// ones. An error of the options is told when the frame is used.
    pub fn read_json_with(&self, sources: impl Into<Paths>, options: ReadOptions) -> DataFrame {
        let Paths(sources) = sources.into();
        self.rows(match options.plan(&*self.stores(), sources) {
            Ok(plan) => Source::Json(Box::new(plan)),
            Err(error) => Source::Wrong(error),
        })
    }

    /// The rows of Parquet files or directories of them, of distil or of others, in every codec but LZO. Every value is
    /// carried exactly; a column whose type can't be is refused by its name when the rows are read.
    pub fn read_parquet(&self, paths: impl Into<Paths>) -> DataFrame {
        let Paths(paths) = paths.into();
        self.rows(Source::Parquet(paths.into_iter().map(PathBuf::from).collect()))
    }

    /// The rows of Arrow batches of the same columns. Every value is carried exactly; a column whose
    /// type can't be is refused by its name when the rows are read.
    pub fn from_arrow(&self, batches: impl IntoIterator<Item = RecordBatch>) -> DataFrame {
        self.rows(Source::Arrow(batches.into_iter().collect()))
    }

    pub(super) fn rows(&self, source: Source) -> DataFrame {
        DataFrame { session: self.clone(), source, steps: Vec::new() }
    }
}
