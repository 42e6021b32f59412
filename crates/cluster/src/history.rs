//! The REST of a History Server, and of a driver while it runs: <https://spark.apache.org/docs/latest/monitoring.html>.

use std::path::PathBuf;
use std::sync::Arc;

use distil_plan::{Code, Error, Result};
use distil_storage::{InputFile, Storage};
use serde::Deserialize;

use crate::application::{Application, Outcome, Seen, host_of};
use crate::event::TaskMetrics;
use crate::event_log::{Reader, read_zip};
use crate::rest::ask;
use crate::value::{Flag, Number};
use crate::zip;

const WHOSE: &str = "a History Server or a driver of Spark";
/// Tasks of one answer.
const PAGE: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    attempts: Vec<Attempt>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attempt {
    attempt_id: Option<String>,
    #[serde(default)]
    start_time: Number,
    #[serde(default)]
    end_time: Number,
    #[serde(default)]
    duration: Number,
    #[serde(default)]
    completed: Flag,
    #[serde(default)]
    app_spark_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecutorSummary {
    id: String,
    #[serde(default)]
    host_port: String,
    #[serde(default)]
    total_cores: Number,
    #[serde(default)]
    add_time: Number,
    #[serde(default)]
    remove_time: Number,
    remove_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StageData {
    #[serde(default)]
    status: String,
    #[serde(default)]
    stage_id: Number,
    #[serde(default)]
    attempt_id: Number,
    #[serde(default)]
    num_tasks: Number,
    #[serde(default)]
    submission_time: Number,
    #[serde(default)]
    completion_time: Number,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskData {
    #[serde(default)]
    launch_time: Number,
    duration: Option<Number>,
    #[serde(default)]
    executor_id: String,
    #[serde(default)]
    host: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    speculative: Flag,
    task_metrics: Option<TaskMetrics>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnvironmentInfo {
    #[serde(default)]
    spark_properties: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    #[serde(default)]
    id: String,
    #[serde(default)]
    host_port: String,
}

/// Reads an application, or the only one of the server: its event log where the server has it, else what it answers.
///
/// # Errors
/// An input error: there is no such application. A usage error: there are several. An environment error: the server
/// can't be reached.
pub(crate) fn read(storage: &dyn Storage, base: &str, id: Option<&str>) -> Result<Application> {
    let root = format!("{base}/api/v1/applications");
    let listed = match id {
        Some(id) => ask::<Listed>(storage, &format!("{root}/{id}"), WHOSE)?
            .ok_or_else(|| unknown(base, id))?,
        None => only(storage, &root, base)?,
    };
    let number = |attempt: &Attempt| {
        attempt.attempt_id.as_ref().and_then(|id| id.parse::<u64>().ok()).unwrap_or(0)
    };
    let Some(attempt) = listed.attempts.iter().max_by_key(|attempt| number(attempt)) else {
        return Err(unknown(base, &listed.id));
    };
    // Where there are attempts, an address without one is unknown.
    let path = match &attempt.attempt_id {
        Some(attempt) => format!("{root}/{}/{attempt}", listed.id),
        None => format!("{root}/{}", listed.id),
    };
    match from_log(storage, &path)? {
        Some(application) => Ok(application),
        None => answered(storage, &path, &listed, attempt),
    }
}

fn unknown(base: &str, id: &str) -> Error {
    Error::input(format!("there is no application {id}"))
        .coded(Code::NotFound)
        .at(base, None)
        .help("a History Server lists an application some seconds after its event log begins")
}

fn only(storage: &dyn Storage, root: &str, base: &str) -> Result<Listed> {
    let mut listed = ask::<Vec<Listed>>(storage, root, WHOSE)?.ok_or_else(|| {
        Error::input(format!("what answers at this URL is not {WHOSE}")).at(base, None)
    })?;
    match listed.len() {
        0 => {
            let error = Error::input("the server knows no application").coded(Code::NotFound);
            return Err(error.at(base, None));
        }
        1 => return Ok(listed.remove(0)),
        _ => {}
    }
    let error = Error::usage(format!("the server knows {} applications", listed.len()));
    let error = listed.iter().take(5).fold(error.at(base, None), |error, listed| {
        error.detail(format!("{} {}", listed.id, listed.name))
    });
    Err(error.help(format!("name one: distil audit APPLICATION --from {base}")))
}

/// What the event log says that the server has: a driver gives none, or a zip without files.
fn from_log(storage: &dyn Storage, path: &str) -> Result<Option<Application>> {
    let url = PathBuf::from(format!("{path}/logs"));
    let file: Arc<dyn InputFile> = match storage.open(&url) {
        Ok(file) => Arc::from(file),
        Err(error) if error.code == Code::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut magic = [0; 4];
    if file.read_at(0, &mut magic)? < magic.len() || magic != zip::MAGIC {
        return Ok(None);
    }
    let mut reader = Reader::default();
    read_zip(&file, &url, &mut reader)?;
    reader.finish(&url).map(Some)
}

/// What the server answers, one question after another.
fn answered(
    storage: &dyn Storage,
    path: &str,
    listed: &Listed,
    attempt: &Attempt,
) -> Result<Application> {
    let mut application = Application {
        id: cut(&listed.id),
        name: cut(&listed.name),
        attempt: attempt.attempt_id.as_deref().map(cut),
        version: cut(&attempt.app_spark_version),
        started: attempt.start_time.instant(),
        ended: attempt.end_time.instant().filter(|_| attempt.completed.0),
        ..Application::default()
    };
    let duration = i64::try_from(attempt.duration.count()).unwrap_or(0);
    application.see(application.started.map(|started| started.saturating_add(duration)));
    application.see(application.ended);
    let environment: Option<EnvironmentInfo> = ask(storage, &format!("{path}/environment"), WHOSE)?;
    for (name, value) in environment.into_iter().flat_map(|found| found.spark_properties) {
        application.property(&name, &value);
    }
    let processes: Option<Vec<Process>> =
        ask(storage, &format!("{path}/allmiscellaneousprocess"), WHOSE)?;
    let master = processes.into_iter().flatten().find(|process| process.id == "yarn-am");
    application.master = master.map(|process| cut(host_of(&process.host_port)));
    executors(storage, path, &mut application)?;
    stages(storage, path, &mut application)?;
    Ok(application)
}

/// A text of others as it is kept.
fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

fn executors(storage: &dyn Storage, path: &str, application: &mut Application) -> Result<()> {
    let found: Option<Vec<ExecutorSummary>> = ask(storage, &format!("{path}/allexecutors"), WHOSE)?;
    for summary in found.into_iter().flatten() {
        let host = cut(host_of(&summary.host_port));
        if summary.id == "driver" {
            application.driver = Some(host.clone());
            // One that computes has cores.
            if summary.total_cores.count() == 0 {
                continue;
            }
        }
        let executor = application.executor(&cut(&summary.id))?;
        executor.host = host;
        executor.cores = summary.total_cores.count();
        executor.added = summary.add_time.instant();
        executor.removed = summary.remove_time.instant();
        executor.reason = summary.remove_reason.as_deref().map(cut);
        application.see(summary.add_time.instant());
        application.see(summary.remove_time.instant());
    }
    Ok(())
}

fn stages(storage: &dyn Storage, path: &str, application: &mut Application) -> Result<()> {
    let found: Option<Vec<StageData>> = ask(storage, &format!("{path}/stages"), WHOSE)?;
    // The last comes first.
    for data in found.into_iter().flatten().rev() {
        if data.status == "SKIPPED" || data.status == "PENDING" {
            continue;
        }
        let id = (data.stage_id.count(), data.attempt_id.count());
        application.see(data.submission_time.instant());
        application.see(data.completion_time.instant());
        let stage = application.stage(id)?;
        stage.name = cut(&data.name);
        stage.size = data.num_tasks.count();
        stage.submitted = data.submission_time.instant();
        stage.completed = data.completion_time.instant();
        stage.failed = data.status == "FAILED";
        tasks(storage, path, id, application)?;
    }
    Ok(())
}

fn tasks(
    storage: &dyn Storage,
    path: &str,
    stage: (u64, u64),
    application: &mut Application,
) -> Result<()> {
    let list = format!("{path}/stages/{}/{}/taskList", stage.0, stage.1);
    let mut offset = 0;
    loop {
        let url = format!("{list}?offset={offset}&length={PAGE}");
        let found: Vec<TaskData> = ask(storage, &url, WHOSE)?.unwrap_or_default();
        let count = found.len();
        for data in found {
            let outcome = match data.status.as_str() {
                "SUCCESS" => Outcome::Done,
                "FAILED" => Outcome::Failed,
                "KILLED" => Outcome::Killed,
                _ => Outcome::Running,
            };
            let launched = data.launch_time.instant();
            let took = data.duration.map(|took| i64::try_from(took.count()).unwrap_or(0));
            application.task(&Seen {
                stage,
                executor: &cut(&data.executor_id),
                host: &cut(&data.host),
                launched,
                finished: launched.zip(took).map(|(at, took)| at.saturating_add(took)),
                outcome,
                speculative: data.speculative.0,
                metrics: data.task_metrics.unwrap_or_default(),
            })?;
        }
        offset += count;
        if count < PAGE {
            return Ok(());
        }
    }
}
