//! Who runs the tasks.

use distil_plan::{EngineReport, Result, Watch};

use crate::payload::Payload;

/// The tasks of a job.
#[derive(Clone, Copy, Debug)]
pub struct Tasks<'a> {
    /// The job in bytes, which every task gets unchanged: [`crate::decode`], [`crate::Writing`].
    pub job: &'a [u8],
    /// Tasks that decode, numbered from 0.
    pub decoding: usize,
    /// Groups of partitions, numbered from 0: the rows of one go to one task that writes.
    pub groups: u32,
    /// The units of progress that all of this comes to.
    pub units: u64,
}

/// What schedules tasks on other machines, moves rows between them and tries again what failed.
pub trait Cluster: Send + Sync {
    /// The name of what it is, for people and reports.
    fn name(&self) -> &str;

    /// Whether tasks could run now: what runs there, and how its logs name the application.
    ///
    /// # Errors
    /// An environment error: what is missing, and on which node.
    fn check(&self) -> Result<EngineReport>;

    /// How many tasks it runs at once, now; 0 if nobody knows.
    fn at_once(&self) -> usize;

    /// Has all tasks decode, keeps their rows, and returns everything else of what they handed on. What a task
    /// handed on in two attempts is returned once.
    ///
    /// # Errors
    /// An environment error if a task failed for good; that of the cancelled run.
    fn decode(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>>;

    /// Runs tasks that write the rows that were kept, and returns what they handed on.
    ///
    /// # Errors
    /// As [`Cluster::decode`].
    fn write(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>>;

    /// Has all tasks decode, and their rows go to tasks that write them, which hand on everything else as it is. Nothing
    /// has to be kept: it is for jobs whose types are known before a record is read.
    ///
    /// # Errors
    /// As [`Cluster::decode`].
    fn decode_and_write(&self, tasks: &Tasks<'_>, watch: Watch<'_>) -> Result<Vec<Payload>>;

    /// Lets go of the rows that were kept.
    fn forget(&self);
}
