//! What a run may replace: the checks on the places it will publish to.

use std::path::{Path, PathBuf};

use distil_output::own::stranger;
use distil_plan::{
    Code, Error, Fault, Hint, InputFormat, Layout, Location, Mode, Plan, Result, parent,
};
use distil_storage::{Kind, Metadata, Storage};
use xxhash_rust::xxh3::xxh3_64;

use crate::places::Place;
use crate::publish::obstacles::{exists, fits};

/// Bytes of the longest name that file systems take.
const LONGEST_NAME: usize = 255;

/// A name that a run publishes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// What it is, for messages.
    pub(crate) role: &'static str,
    /// Its path.
    pub(crate) path: PathBuf,
    is_dir: bool,
    mode: Mode,
    parent: PathBuf,
    name: String,
}

/// The targets of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Targets {
    /// The rows.
    pub(crate) output: Target,
    /// The files published before the output, in this order.
    pub(crate) dropped: Option<Target>,
    pub(crate) quarantine: Option<Target>,
    /// Whether the output may replace inputs: rows are read whole before it appears. Records are not
    /// replaced, as rows do not hold all that they may say.
    replaces_inputs: bool,
}

impl Targets {
    pub(crate) fn of(plan: &Plan) -> Result<Self> {
        let target =
            |role, path: &Location, is_dir| Target::new(role, path, is_dir, plan.sink.mode);
        let file = |role, path: &Option<Location>| {
            path.as_ref().map(|path| target(role, path, false)).transpose()
        };
        Ok(Self {
            output: target("output", &plan.sink.path, plan.sink.layout == Layout::Dir)?,
            dropped: file("file of dropped duplicates", &plan.dropped)?,
            quarantine: file("quarantine file", &plan.quarantine.path)?,
            replaces_inputs: plan.format == InputFormat::Parquet,
        })
    }

    /// All of them in the order of publication, the output last.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Target> {
        self.dropped.iter().chain(&self.quarantine).chain([&self.output])
    }

    /// The targets as places that must not overlap with sources.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place<'_>> {
        self.all().map(|target| Place {
            replaces_inputs: self.replaces_inputs && std::ptr::eq(target, &self.output),
            ..Place::target(target.role, &target.path, target.is_dir)
        })
    }

    /// Checks that all of them may be published, changing nothing.
    ///
    /// A file beside the output that a dead run published is no obstacle while there is no output:
    /// that run never committed.
    pub(crate) fn check(&self, storage: &dyn Storage) -> Result<()> {
        let has_output = storage.metadata(&self.output.path)?.is_some();
        self.output.check(storage)?;
        for target in self.dropped.iter().chain(&self.quarantine) {
            let orphan = !has_output && target.is_fresh(storage)?;
            if !orphan {
                target.check(storage)?;
            }
        }
        Ok(())
    }
}

impl Target {
    fn new(role: &'static str, path: &Location, is_dir: bool, mode: Mode) -> Result<Self> {
        // Without slashes at the end.
        let (Some(parent), Some(name)) = (parent(path), path.file_name()) else {
            return Err(Error::usage(format!("the {role} needs a name")).at(path.to_string(), None));
        };
        let trimmed = parent.join(name);
        Ok(Self {
            role,
            path: trimmed,
            is_dir,
            mode,
            parent: parent.to_owned(),
            name: name.to_string_lossy().into_owned(),
        })
    }

    /// The directory that holds the target.
    pub(crate) fn parent(&self) -> &Path {
        &self.parent
    }

    /// The name within it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_dir(&self) -> bool {
        self.is_dir
    }

    /// Held for the length of a run.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.parent.join(self.hidden("distil-lock"))
    }

    /// Holds what is not published yet, and what was exchanged for it.
    pub(crate) fn staging_path(&self) -> PathBuf {
        self.parent.join(self.hidden("distil-staging"))
    }

    /// A hidden name for what belongs to the target. The name of the target stands in it, as much of it as
    /// file systems take.
    fn hidden(&self, suffix: &str) -> String {
        let whole = format!(".{}.{suffix}", self.name);
        if whole.len() <= LONGEST_NAME {
            return whole;
        }
        let hash = xxh3_64(self.name.as_bytes());
        let room = LONGEST_NAME - format!(".~{hash:016x}.{suffix}").len();
        let end = (0..=room).rev().find(|end| self.name.is_char_boundary(*end)).unwrap_or(0);
        format!(".{}~{hash:016x}.{suffix}", &self.name[..end])
    }

    /// What is published under the name, until then.
    pub(crate) fn staged(&self) -> PathBuf {
        self.staging_path().join("staged")
    }

    /// Exists in the staging directory while a file stands at a target that was free before, and the
    /// run that put it there has not committed.
    pub(crate) fn fresh_mark(&self) -> PathBuf {
        self.staging_path().join("fresh")
    }

    /// Whether a dead run of this user left the mark. In a directory that others may write to, or made, it
    /// may be theirs, and says nothing.
    pub(crate) fn is_fresh(&self, storage: &dyn Storage) -> Result<bool> {
        let is_ours = |found: Metadata| found.is_own && !found.is_shared && !found.is_link;
        Ok(storage.metadata(&self.staging_path())?.is_some_and(is_ours)
            && storage.metadata(&self.fresh_mark())?.is_some_and(is_ours))
    }

    /// Checks that something may be published here, and whether something is replaced.
    pub(crate) fn check(&self, storage: &dyn Storage) -> Result<bool> {
        self.check_parent(storage)?;
        let Some(metadata) = storage.metadata(&self.path)? else {
            if storage.list(&self.parent)?.iter().any(|name| name == Path::new(&self.name)) {
                return Err(self.refuse("is a link that leads nowhere").help("remove the link"));
            }
            return Ok(false);
        };
        if metadata.is_link {
            return Err(self
                .refuse("is a link, and what it leads to would not be replaced")
                .help("give the path that the link leads to, or remove the link"));
        }
        fits(self.role, &self.path, self.is_dir, metadata.kind)?;
        if self.mode == Mode::Error {
            return Err(exists(self.role, &self.path).help(Hint::set(
                "replace it as a whole",
                "mode",
                "overwrite",
            )));
        }
        if self.is_dir {
            self.check_replaceable(storage)?;
            if !storage.disk(&self.parent)?.can_exchange(&self.parent)? {
                return Err(Error::environment(
                    "the directory can't be replaced in one step on this file system",
                )
                .at(self.path.to_string_lossy(), None)
                .output("it was not touched, and nothing was read")
                .help("write to a new directory, or to one file"));
            }
        }
        Ok(true)
    }

    /// Checks that a directory holds nothing but what distil wrote there.
    pub(crate) fn check_replaceable(&self, storage: &dyn Storage) -> Result<()> {
        match stranger(storage, &self.path)? {
            None => Ok(()),
            Some(name) => Err(Error::new(
                Fault::Exists,
                format!("the directory holds {}, which distil did not write", name.display()),
            )
            .coded(Code::ForeignFiles)
            .at(self.path.to_string_lossy(), None)
            .output("it was not touched")
            .help(
                "a directory is only replaced when everything in it comes from distil: move the \
                   rest away, or choose another name",
            )),
        }
    }

    fn check_parent(&self, storage: &dyn Storage) -> Result<()> {
        let parent = self.parent.display();
        match storage.metadata(&self.parent)? {
            Some(metadata) if metadata.kind == Kind::Directory => Ok(()),
            Some(_) => Err(self.refuse(&format!("can't be made: {parent} is not a directory"))),
            None => Err(self
                .refuse(&format!("can't be made: there is no directory {parent}"))
                .help(make_directory(&self.parent))),
        }
    }

    fn refuse(&self, why: &str) -> Error {
        Error::usage(format!("the {} {why}", self.role)).at(self.path.to_string_lossy(), None)
    }
}

/// Advice to make a directory, as a command that a shell reads.
pub(super) fn make_directory(path: &Path) -> String {
    let path = path.to_string_lossy();
    format!("mkdir -p {}", shlex::try_quote(&path).unwrap_or_else(|_| path.clone()))
}
