//! The events of Spark's log that an audit reads, and those members of them that it needs. The names are Spark's.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::value::{Flag, Number, Text};

/// The name of an event.
#[derive(Deserialize)]
pub(crate) struct Named<'a> {
    #[serde(rename = "Event", borrow, default)]
    pub(crate) event: Text<'a>,
}

#[derive(Deserialize)]
pub(crate) struct LogStart<'a> {
    #[serde(rename = "Spark Version", borrow, default)]
    pub(crate) version: Text<'a>,
}

#[derive(Deserialize)]
pub(crate) struct ApplicationStart<'a> {
    #[serde(rename = "App Name", borrow, default)]
    pub(crate) name: Text<'a>,
    #[serde(rename = "App ID", borrow, default)]
    pub(crate) id: Text<'a>,
    #[serde(rename = "App Attempt ID", borrow, default)]
    pub(crate) attempt: Text<'a>,
    #[serde(rename = "Timestamp", default)]
    pub(crate) time: Number,
}

/// An event that tells no more than when it was.
#[derive(Deserialize)]
pub(crate) struct Ended {
    #[serde(rename = "Timestamp", default)]
    pub(crate) time: Number,
}

#[derive(Deserialize)]
pub(crate) struct Environment<'a> {
    /// Values need not be texts.
    #[serde(rename = "Spark Properties", borrow, default)]
    pub(crate) properties: BTreeMap<String, &'a RawValue>,
}

#[derive(Deserialize)]
pub(crate) struct ExecutorAdded<'a> {
    #[serde(rename = "Timestamp", default)]
    pub(crate) time: Number,
    #[serde(rename = "Executor ID", borrow, default)]
    pub(crate) id: Text<'a>,
    #[serde(rename = "Executor Info", borrow, default)]
    pub(crate) info: ExecutorInfo<'a>,
}

#[derive(Default, Deserialize)]
pub(crate) struct ExecutorInfo<'a> {
    #[serde(rename = "Host", borrow, default)]
    pub(crate) host: Text<'a>,
    #[serde(rename = "Total Cores", default)]
    pub(crate) cores: Number,
}

#[derive(Deserialize)]
pub(crate) struct ExecutorRemoved<'a> {
    #[serde(rename = "Timestamp", default)]
    pub(crate) time: Number,
    #[serde(rename = "Executor ID", borrow, default)]
    pub(crate) id: Text<'a>,
    #[serde(rename = "Removed Reason", borrow, default)]
    pub(crate) reason: Text<'a>,
}

/// Where the memory of a process is: of the driver, this is the only event that says its host.
#[derive(Deserialize)]
pub(crate) struct BlockManagerAdded<'a> {
    #[serde(rename = "Block Manager ID", borrow, default)]
    pub(crate) id: BlockManagerId<'a>,
}

#[derive(Default, Deserialize)]
pub(crate) struct BlockManagerId<'a> {
    #[serde(rename = "Executor ID", borrow, default)]
    pub(crate) executor: Text<'a>,
    #[serde(rename = "Host", borrow, default)]
    pub(crate) host: Text<'a>,
}

/// A process that is neither driver nor executor: the application master of YARN in client mode.
#[derive(Deserialize)]
pub(crate) struct OtherProcess<'a> {
    #[serde(rename = "processId", borrow, default)]
    pub(crate) id: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) info: OtherProcessInfo<'a>,
}

#[derive(Default, Deserialize)]
pub(crate) struct OtherProcessInfo<'a> {
    #[serde(rename = "hostPort", borrow, default)]
    pub(crate) host_port: Text<'a>,
}

#[derive(Deserialize)]
pub(crate) struct StageEvent<'a> {
    #[serde(rename = "Stage Info", borrow)]
    pub(crate) stage: StageInfo<'a>,
}

#[derive(Deserialize)]
pub(crate) struct StageInfo<'a> {
    #[serde(rename = "Stage ID", default)]
    pub(crate) id: Number,
    #[serde(rename = "Stage Attempt ID", default)]
    pub(crate) attempt: Number,
    #[serde(rename = "Stage Name", borrow, default)]
    pub(crate) name: Text<'a>,
    #[serde(rename = "Number of Tasks", default)]
    pub(crate) tasks: Number,
    #[serde(rename = "Submission Time", default)]
    pub(crate) submitted: Number,
    #[serde(rename = "Completion Time", default)]
    pub(crate) completed: Number,
    #[serde(rename = "Failure Reason", borrow, default)]
    pub(crate) failure: Text<'a>,
}

#[derive(Deserialize)]
pub(crate) struct JobEnd<'a> {
    #[serde(rename = "Completion Time", default)]
    pub(crate) time: Number,
    #[serde(rename = "Job Result", borrow, default)]
    pub(crate) result: JobResult<'a>,
}

#[derive(Default, Deserialize)]
pub(crate) struct JobResult<'a> {
    #[serde(rename = "Result", borrow, default)]
    pub(crate) result: Text<'a>,
}

#[derive(Deserialize)]
pub(crate) struct TaskStart<'a> {
    #[serde(rename = "Stage ID", default)]
    pub(crate) stage: Number,
    #[serde(rename = "Stage Attempt ID", default)]
    pub(crate) attempt: Number,
    #[serde(rename = "Task Info", borrow)]
    pub(crate) info: TaskInfo<'a>,
}

#[derive(Deserialize)]
pub(crate) struct TaskEnd<'a> {
    #[serde(rename = "Stage ID", default)]
    pub(crate) stage: Number,
    #[serde(rename = "Stage Attempt ID", default)]
    pub(crate) attempt: Number,
    #[serde(rename = "Task Info", borrow)]
    pub(crate) info: TaskInfo<'a>,
    #[serde(rename = "Task Metrics")]
    pub(crate) metrics: Option<TaskMetrics>,
}

#[derive(Deserialize)]
pub(crate) struct TaskInfo<'a> {
    #[serde(rename = "Task ID", default)]
    pub(crate) id: Number,
    #[serde(rename = "Executor ID", borrow, default)]
    pub(crate) executor: Text<'a>,
    #[serde(rename = "Host", borrow, default)]
    pub(crate) host: Text<'a>,
    #[serde(rename = "Launch Time", default)]
    pub(crate) launched: Number,
    #[serde(rename = "Finish Time", default)]
    pub(crate) finished: Number,
    #[serde(rename = "Failed", default)]
    pub(crate) failed: Flag,
    #[serde(rename = "Killed", default)]
    pub(crate) killed: Flag,
    #[serde(rename = "Speculative", default)]
    pub(crate) speculative: Flag,
}

/// What a task used; the member names of the REST are aliases.
#[derive(Default, Deserialize)]
pub(crate) struct TaskMetrics {
    #[serde(rename = "Executor Run Time", alias = "executorRunTime", default)]
    pub(crate) run_ms: Number,
    #[serde(rename = "Executor CPU Time", alias = "executorCpuTime", default)]
    pub(crate) cpu_ns: Number,
    #[serde(rename = "JVM GC Time", alias = "jvmGcTime", default)]
    pub(crate) gc_ms: Number,
    #[serde(rename = "Memory Bytes Spilled", alias = "memoryBytesSpilled", default)]
    pub(crate) spilled_memory: Number,
    #[serde(rename = "Disk Bytes Spilled", alias = "diskBytesSpilled", default)]
    pub(crate) spilled_disk: Number,
    #[serde(rename = "Shuffle Read Metrics", alias = "shuffleReadMetrics")]
    pub(crate) shuffle_read: Option<ShuffleRead>,
    #[serde(rename = "Shuffle Write Metrics", alias = "shuffleWriteMetrics")]
    pub(crate) shuffle_write: Option<ShuffleWrite>,
    #[serde(rename = "Input Metrics", alias = "inputMetrics")]
    pub(crate) input: Option<InputMetrics>,
}

#[derive(Default, Deserialize)]
pub(crate) struct ShuffleRead {
    #[serde(rename = "Remote Bytes Read", alias = "remoteBytesRead", default)]
    pub(crate) remote: Number,
    #[serde(rename = "Local Bytes Read", alias = "localBytesRead", default)]
    pub(crate) local: Number,
    #[serde(rename = "Fetch Wait Time", alias = "fetchWaitTime", default)]
    pub(crate) wait_ms: Number,
}

#[derive(Default, Deserialize)]
pub(crate) struct ShuffleWrite {
    #[serde(rename = "Shuffle Bytes Written", alias = "bytesWritten", default)]
    pub(crate) bytes: Number,
}

#[derive(Default, Deserialize)]
pub(crate) struct InputMetrics {
    #[serde(rename = "Bytes Read", alias = "bytesRead", default)]
    pub(crate) bytes: Number,
}
