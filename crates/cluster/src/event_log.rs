//! Event logs: one file, or a directory of files that roll on, or a zip of either; whole, or still being written.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use distil_plan::{Code, Error, Result};
use distil_storage::{InputFile, InputStream, Kind, Storage};
use serde::de::IgnoredAny;

use crate::application::{Application, Outcome, Seen, host_of};
use crate::codec::LogText;
use crate::event::{
    ApplicationStart, BlockManagerAdded, Ended, Environment, ExecutorAdded, ExecutorRemoved,
    JobEnd, LogStart, Named, OtherProcess, StageEvent, TaskEnd, TaskMetrics, TaskStart,
};
use crate::lines::{Line, Lines};
use crate::zip;

/// Tasks that run at once; those of a log that tells of no end are no more.
const RUNNING: usize = 1_000_000;
/// Names of codecs behind those of logs.
const CODECS: [&str; 6] = [".zstd", ".zst", ".lz4", ".snappy", ".lzf", ".inprogress"];
/// What the directory of a log that rolls on is called, and its files.
const ROLLING: &str = "eventlog_v2_";
const PART: &str = "events_";

/// The name of a log without what says how it is written.
fn plain_name(name: &str) -> &str {
    let mut name = name.strip_prefix(ROLLING).unwrap_or(name);
    while let Some(shorter) = CODECS.iter().find_map(|codec| name.strip_suffix(codec)) {
        name = shorter;
    }
    name
}

/// Whether a log of this name may be that of an application: its name is the id, and with more attempts than one theirs.
fn is_of(name: &str, id: &str) -> bool {
    plain_name(name).strip_prefix(id).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Reads the log at `path`; in a directory of logs, that of the application `id`, or the only one.
///
/// # Errors
/// An input error: there is none, or it is something else. A usage error: there are several. An environment error with
/// the path.
pub(crate) fn read(storage: &dyn Storage, path: &Path, id: Option<&str>) -> Result<Application> {
    match storage.metadata(path)?.map(|found| found.kind) {
        None => Err(Error::input("there is no such event log")
            .coded(Code::NotFound)
            .at(path.to_string_lossy(), None)),
        Some(Kind::Directory) => read_directory(storage, path, id),
        Some(_) => {
            let mut reader = Reader::default();
            read_file(storage, path, &mut reader)?;
            reader.finish(path)
        }
    }
}

fn read_directory(storage: &dyn Storage, path: &Path, id: Option<&str>) -> Result<Application> {
    let names: Vec<String> = storage
        .list(path)?
        .into_iter()
        .filter_map(|name| Some(name.to_str()?.to_owned()))
        .filter(|name| !name.starts_with(['.', '_']))
        .collect();
    if names.iter().any(|name| name.starts_with(PART)) {
        let mut reader = Reader::default();
        let (parts, is_compacted) = parts_in_order(names.iter().map(String::as_str));
        for name in parts {
            read_text(
                InputStream::open(storage, &path.join(name))?,
                &path.join(name),
                &mut reader,
            )?;
        }
        reader.compacted(is_compacted);
        return reader.finish(path);
    }
    let is_meant = |name: &&String| id.is_none_or(|id| is_of(name, id));
    let found: Vec<&String> = names.iter().filter(is_meant).collect();
    let at = |error: Error| error.at(path.to_string_lossy(), None);
    match (found.as_slice(), id) {
        // Of attempts the last, by its number.
        ([.., last], Some(_)) => {
            let number = |name: &str| {
                plain_name(name).rsplit_once('_').and_then(|(_, number)| number.parse::<u64>().ok())
            };
            let last = found.iter().max_by_key(|name| number(name)).unwrap_or(last);
            read(storage, &path.join(last), None)
        }
        ([only], None) => read(storage, &path.join(only), None),
        ([], Some(id)) => Err(at(Error::input(format!("there is no event log of {id}"))
            .coded(Code::NotFound)
            .help("have Spark write one: spark.eventLog.enabled=true, and spark.eventLog.dir"))),
        ([], None) => Err(at(Error::input("there is no event log").coded(Code::NotFound))),
        (several, None) => {
            let error = Error::usage(format!("there are {} event logs here", several.len()));
            let last = several.iter().rev().take(5).map(|name| plain_name(name));
            let error = last.fold(at(error), Error::detail);
            Err(error.help("name an application: distil audit APPLICATION --from DIRECTORY"))
        }
    }
}

/// The files of a log that rolls on, in their order. What a History Server compacted stands for all before it, without
/// the tasks of jobs that were over.
fn parts_in_order<'n>(names: impl Iterator<Item = &'n str>) -> (Vec<&'n str>, bool) {
    let number = |name: &str| {
        let name = name.rsplit('/').next()?.strip_prefix(PART)?;
        name.split('_').next()?.parse::<u64>().ok()
    };
    let is_compact = |name: &str| name.ends_with(".compact");
    let mut parts: Vec<(u64, bool, &str)> =
        names.filter_map(|name| Some((number(name)?, is_compact(name), name))).collect();
    parts.sort_unstable();
    let begin = parts.iter().rposition(|(_, is_compact, _)| *is_compact);
    let names = parts[begin.unwrap_or(0)..].iter().map(|(_, _, name)| *name).collect();
    (names, begin.is_some())
}

fn read_file(storage: &dyn Storage, path: &Path, reader: &mut Reader) -> Result<()> {
    let file: Arc<dyn InputFile> = Arc::from(storage.open(path)?);
    let mut magic = [0; 4];
    if !file.is_stream() && file.read_at(0, &mut magic)? == 4 && magic == zip::MAGIC {
        return read_zip(&file, path, reader);
    }
    drop(file);
    read_text(InputStream::open(storage, path)?, path, reader)
}

/// Reads the log that is in a zip.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_zip(file: &Arc<dyn InputFile>, path: &Path, reader: &mut Reader) -> Result<()> {
    let entries = zip::entries(&**file, path)?;
    let names = entries.iter().map(|entry| entry.name.as_str());
    let (mut parts, is_compacted) = parts_in_order(names.clone());
    if parts.is_empty() {
        parts =
            names.filter(|name| !name.rsplit('/').next().unwrap_or("").starts_with('.')).collect();
    }
    if parts.is_empty() {
        return Err(
            Error::input("there is no event log in this zip").at(path.to_string_lossy(), None)
        );
    }
    for name in parts {
        let Some(entry) = entries.iter().find(|entry| entry.name == name) else { continue };
        let shown: PathBuf = path.join(name);
        let input = InputStream::from_reader(zip::open(file, entry, path)?, &shown)?;
        read_text(input, &shown, reader)?;
    }
    reader.compacted(is_compacted);
    Ok(())
}

fn read_text(input: InputStream, path: &Path, reader: &mut Reader) -> Result<()> {
    let mut lines = Lines::new(LogText::new(input, path)?);
    reader.is_cut = false;
    while let Some(line) = lines.next()? {
        match line {
            Line::Whole(line) => reader.line(line)?,
            Line::Cut(line) => {
                reader.is_cut = serde_json::from_slice::<IgnoredAny>(line).is_err();
                reader.lines += 1;
                if !reader.is_cut {
                    reader.line(line)?;
                }
            }
            Line::TooLong => {
                reader.lines += 1;
                reader.skipped += 1;
            }
        }
    }
    reader.is_cut |= lines.broken().is_some();
    Ok(())
}

/// An application that is being read.
#[derive(Default)]
pub(crate) struct Reader {
    application: Application,
    /// Tasks that began, by stage and task.
    running: HashMap<u64, Running>,
    /// Lines that were not empty, events among them, and what is none.
    lines: u64,
    events: u64,
    skipped: u64,
    is_cut: bool,
}

struct Running {
    stage: (u64, u64),
    executor: String,
    host: String,
    launched: i64,
    speculative: bool,
}

impl Reader {
    fn compacted(&mut self, is_compacted: bool) {
        if is_compacted {
            let gap = "a History Server compacted it, and left out tasks of jobs that were over";
            self.application.gaps.push(gap.to_owned());
        }
    }

    /// What was read.
    ///
    /// # Errors
    /// An input error if it was no event log.
    pub(crate) fn finish(mut self, path: &Path) -> Result<Application> {
        if self.events == 0 {
            let what = match self.lines == 0 {
                true => "the event log is empty: Spark has not written to it yet",
                false => "this is no event log of Spark",
            };
            return Err(Error::input(what).at(path.to_string_lossy(), None).help(
                "have Spark write one: spark.eventLog.enabled=true, and spark.eventLog.dir",
            ));
        }
        let last = self.application.last;
        let mut running: Vec<(u64, Running)> = self.running.into_iter().collect();
        running.sort_unstable_by_key(|(id, _)| *id);
        for (_, task) in running {
            self.application.task(&Seen {
                stage: task.stage,
                executor: &task.executor,
                host: &task.host,
                launched: Some(task.launched),
                finished: Some(self.application.ended.unwrap_or(last)),
                outcome: Outcome::Running,
                speculative: task.speculative,
                metrics: TaskMetrics::default(),
            })?;
        }
        if self.skipped > 0 {
            let gap = format!("{} of its lines are no events", self.skipped);
            self.application.gaps.push(gap);
        }
        if self.is_cut && self.application.ended.is_none() {
            self.application.gaps.push("its last line is cut".to_owned());
        }
        Ok(self.application)
    }

    /// Takes a line. One that is no event is counted, and those of others are passed over.
    fn line(&mut self, line: &[u8]) -> Result<()> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok(());
        }
        self.lines += 1;
        match self.event(line) {
            Ok(is_known) => self.events += u64::from(is_known),
            Err(Refused::Line) => self.skipped += 1,
            Err(Refused::Application(error)) => return Err(error),
        }
        Ok(())
    }

    /// Takes an event; says whether it is one of Spark's that are known.
    fn event(&mut self, line: &[u8]) -> Result<bool, Refused> {
        // Spark writes the name first, and most of a log are events that nobody asks for.
        let name = line
            .strip_prefix(b"{\"Event\":\"")
            .and_then(|rest| std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok());
        let named;
        let name = match name {
            Some(name) => name,
            None => {
                named = serde_json::from_slice::<Named<'_>>(line)?;
                named.event.get()
            }
        };
        let application = &mut self.application;
        match name {
            "SparkListenerLogStart" => {
                let event: LogStart<'_> = serde_json::from_slice(line)?;
                event.version.get().clone_into(&mut application.version);
            }
            "SparkListenerApplicationStart" => {
                let event: ApplicationStart<'_> = serde_json::from_slice(line)?;
                event.name.get().clone_into(&mut application.name);
                event.id.get().clone_into(&mut application.id);
                let attempt = event.attempt.get();
                application.attempt = (!attempt.is_empty()).then(|| attempt.to_owned());
                application.started = event.time.instant();
                application.see(event.time.instant());
            }
            "SparkListenerApplicationEnd" => {
                let event: Ended = serde_json::from_slice(line)?;
                application.ended = event.time.instant();
                application.see(event.time.instant());
            }
            "SparkListenerEnvironmentUpdate" => {
                let event: Environment<'_> = serde_json::from_slice(line)?;
                for (name, value) in &event.properties {
                    if let Ok(value) = serde_json::from_str::<String>(value.get()) {
                        application.property(name, &value);
                    }
                }
            }
            "SparkListenerExecutorAdded" => {
                let event: ExecutorAdded<'_> = serde_json::from_slice(line)?;
                application.see(event.time.instant());
                let executor = application.executor(event.id.get())?;
                event.info.host.get().clone_into(&mut executor.host);
                executor.cores = event.info.cores.count();
                executor.added = event.time.instant();
            }
            "SparkListenerExecutorRemoved" => {
                let event: ExecutorRemoved<'_> = serde_json::from_slice(line)?;
                application.see(event.time.instant());
                let executor = application.executor(event.id.get())?;
                executor.removed = event.time.instant();
                executor.reason = Some(event.reason.get().to_owned());
            }
            "SparkListenerBlockManagerAdded" => {
                let event: BlockManagerAdded<'_> = serde_json::from_slice(line)?;
                if event.id.executor.get() == "driver" {
                    application.driver = Some(event.id.host.get().to_owned());
                }
            }
            "org.apache.spark.scheduler.SparkListenerMiscellaneousProcessAdded" => {
                let event: OtherProcess<'_> = serde_json::from_slice(line)?;
                if event.id.get() == "yarn-am" {
                    application.master = Some(host_of(event.info.host_port.get()).to_owned());
                }
            }
            "SparkListenerStageSubmitted" | "SparkListenerStageCompleted" => {
                let event: StageEvent<'_> = serde_json::from_slice(line)?;
                let (info, completed) = (&event.stage, event.stage.completed.instant());
                application.see(info.submitted.instant());
                application.see(completed);
                let stage = application.stage((info.id.count(), info.attempt.count()))?;
                info.name.get().clone_into(&mut stage.name);
                stage.size = info.tasks.count();
                stage.submitted = info.submitted.instant().or(stage.submitted);
                stage.completed = completed.or(stage.completed);
                stage.failed = !info.failure.get().is_empty();
            }
            "SparkListenerJobEnd" => {
                let event: JobEnd<'_> = serde_json::from_slice(line)?;
                application.see(event.time.instant());
                application.failed_jobs += u64::from(event.result.result.get() == "JobFailed");
            }
            "SparkListenerTaskStart" => {
                let event: TaskStart<'_> = serde_json::from_slice(line)?;
                let Some(launched) = event.info.launched.instant() else { return Ok(true) };
                application.see(Some(launched));
                if self.running.len() < RUNNING {
                    let running = Running {
                        stage: (event.stage.count(), event.attempt.count()),
                        executor: event.info.executor.get().to_owned(),
                        host: event.info.host.get().to_owned(),
                        launched,
                        speculative: event.info.speculative.0,
                    };
                    self.running.insert(event.info.id.count(), running);
                }
            }
            "SparkListenerTaskEnd" => {
                let event: TaskEnd<'_> = serde_json::from_slice(line)?;
                let info = &event.info;
                self.running.remove(&info.id.count());
                application.task(&Seen {
                    stage: (event.stage.count(), event.attempt.count()),
                    executor: info.executor.get(),
                    host: info.host.get(),
                    launched: info.launched.instant(),
                    finished: info.finished.instant(),
                    outcome: match (info.failed.0, info.killed.0) {
                        (_, true) => Outcome::Killed,
                        (true, _) => Outcome::Failed,
                        _ => Outcome::Done,
                    },
                    speculative: info.speculative.0,
                    metrics: event.metrics.unwrap_or_default(),
                })?;
            }
            "" => return Err(Refused::Line),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Why a line is not taken.
enum Refused {
    /// It is no event, or one of another form.
    Line,
    /// The application as a whole can't be.
    Application(Error),
}

impl From<serde_json::Error> for Refused {
    fn from(_: serde_json::Error) -> Self {
        Self::Line
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Application(error)
    }
}
