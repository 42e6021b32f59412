//! The job that a driver describes to its tasks.

use std::path::PathBuf;

use distil_json::{MessageReader, MessageWriter, PackedLayout};
use distil_kernel::slice::Slice;
use distil_kernel::splitters::Splitters;
use distil_plan::{DISTIL_VERSION, Error, Location, ResolvedPlan, Result, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const NAME: &[u8] = b"distil-job";

/// A job, as all of its tasks know it.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) plan: ResolvedPlan,
    /// Where the inputs are for a process with another working directory.
    pub(crate) paths: Vec<Location>,
    pub(crate) splitters: Splitters,
    /// What records are like, and whether their rows are packed: all tasks pack alike.
    pub(crate) layout: Option<PackedLayout>,
    /// The slices of each task that decodes.
    pub(crate) tasks: Vec<Vec<Slice>>,
    /// Groups of partitions that follow each other: the rows of one go to one task.
    pub(crate) groups: u32,
    /// Bytes of rows that a task holds while it decodes.
    pub(crate) bound: u64,
    /// What only tasks that write need to know.
    pub(crate) output: Option<Output>,
}

/// What is written, and where attempts to do so go.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// The schema of all records.
    pub(crate) schema: Schema,
    pub(crate) place: Place,
}

/// Where attempts write what nobody sees yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    /// To a directory that all tasks see, in which each attempt has one of its own.
    Directory(PathBuf),
    /// To the names of the outputs in a store of objects, by uploads that the driver completes.
    Uploads {
        /// The output.
        output: PathBuf,
        /// The file of dropped records.
        dropped: Option<PathBuf>,
    },
}

impl Job {
    /// The group that a partition belongs to. Groups follow each other as their partitions do.
    pub(crate) fn group(&self, partition: u32) -> u32 {
        let partitions = self.splitters.partitions() as u64;
        (u64::from(partition) * u64::from(self.groups) / partitions) as u32
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut message = MessageWriter::default();
        message.bytes(NAME);
        message.bytes(DISTIL_VERSION.as_bytes());
        message.bytes(&json(&self.plan)?);
        message.bytes(&json(&self.paths)?);
        self.splitters.write(&mut message);
        message.flag(self.layout.is_some());
        if let Some(layout) = &self.layout {
            layout.write(&mut message);
        }
        message.number(self.tasks.len() as u64);
        for slices in &self.tasks {
            message.number(slices.len() as u64);
            for slice in slices {
                message.number(u64::from(slice.input));
                message.number(slice.begin);
                message.flag(slice.end.is_some());
                message.number(slice.end.unwrap_or_default());
            }
        }
        message.number(u64::from(self.groups));
        message.number(self.bound);
        message.flag(self.output.is_some());
        if let Some(Output { schema, place }) = &self.output {
            message.bytes(&json(schema)?);
            message.bytes(&json(place)?);
        }
        Ok(message.finish())
    }

    /// The job that a driver describes.
    ///
    /// # Errors
    /// An environment error if it is of another version of distil, which is named, or broken.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let mut message = MessageReader::new(bytes);
        if message.bytes()? != NAME {
            return Err(Error::environment("a task got a job that is none of distil"));
        }
        let driver = message.text()?;
        if driver != DISTIL_VERSION {
            return Err(Error::environment(format!(
                "the driver runs distil {driver}, this process distil {DISTIL_VERSION}"
            ))
            .help("install the same version of distil on all nodes"));
        }
        let plan: ResolvedPlan = parsed(message.bytes()?)?;
        let paths = parsed(message.bytes()?)?;
        let splitters = Splitters::read(&mut message)?;
        let layout = match message.flag()? {
            true => Some(PackedLayout::read(&mut message, &plan.plan)?),
            false => None,
        };
        let mut tasks = Vec::new();
        for _ in 0..message.count(8)? {
            let mut slices = Vec::new();
            for _ in 0..message.count(25)? {
                let (input, begin) = (message.small()?, message.number()?);
                let (cut, end) = (message.flag()?, message.number()?);
                slices.push(Slice { input, begin, end: cut.then_some(end) });
            }
            tasks.push(slices);
        }
        let (groups, bound) = (message.small()?, message.number()?);
        let output = match message.flag()? {
            true => {
                Some(Output { schema: parsed(message.bytes()?)?, place: parsed(message.bytes()?)? })
            }
            false => None,
        };
        message.finish()?;
        Ok(Self { plan, paths, splitters, layout, tasks, groups, bound, output })
    }
}

fn json(data: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(data)
        .map_err(|error| Error::bug(format!("a part of the job has no JSON form: {error}")))
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::environment(format!("a task got a broken job: {error}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use distil_plan::{Field, Plan, Sink, Type};

    use super::*;

    fn job() -> Job {
        let plan = Plan::new(vec!["in".to_owned()], Sink::new("out/"));
        let schema = Schema { fields: vec![Field::new("id", Type::String)] };
        let slice = |begin, end| Slice { input: 0, begin, end };
        Job {
            plan: ResolvedPlan { plan, inputs: Vec::new(), schema: None, admitted: false },
            paths: vec!["/data/in".into()],
            splitters: Splitters::new(vec![vec![1], vec![2], vec![3], vec![4]], 4),
            layout: None,
            tasks: vec![vec![slice(0, Some(9)), slice(9, None)], Vec::new()],
            groups: 2,
            bound: 77,
            output: Some(Output { schema, place: Place::Directory("/data/.attempts".into()) }),
        }
    }

    #[test]
    fn a_job_comes_out_of_its_bytes_as_it_went_in_and_cut_bytes_are_an_error() {
        let bytes = job().to_bytes().unwrap();
        let read = Job::of_bytes(&bytes).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", job()));
        for end in 0..bytes.len() {
            Job::of_bytes(&bytes[..end]).unwrap_err();
        }
    }

    #[test]
    fn a_driver_of_another_version_is_refused_with_both_versions() {
        let mut message = MessageWriter::default();
        message.bytes(NAME);
        message.bytes(b"99.0.0");
        let error = Job::of_bytes(&message.finish()).unwrap_err();
        assert!(error.what.contains("99.0.0") && error.what.contains(DISTIL_VERSION), "{error}");
    }

    #[test]
    fn groups_follow_each_other_as_partitions_do() {
        let job = job();
        let groups: Vec<u32> = (0..4).map(|partition| job.group(partition)).collect();
        assert_eq!((job.splitters.partitions(), groups), (4, vec![0, 0, 1, 1]));
    }
}
