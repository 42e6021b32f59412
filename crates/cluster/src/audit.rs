//! The audit: figures by node, executor and stage, what was found, and the verdict.

use std::collections::{BTreeMap, HashMap};

use distil_plan::DISTIL_VERSION;
use serde::Serialize;

use crate::application::{Application, Executor, Sums};
use crate::findings::findings;
use crate::nodes::{Cluster, ClusterNode};
use crate::stages::{StageUse, stages};
use crate::text::share;
use crate::thresholds::{ExpectedNodes, Thresholds};
use crate::timeline::{Timeline, timeline};

/// What an application did with the nodes that it could have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    /// The version of distil.
    pub distil: String,
    /// Whether every node worked.
    pub verdict: Verdict,
    /// The application.
    pub application: About,
    /// What was found, what fails first.
    pub findings: Vec<Finding>,
    /// Where the time went.
    pub times: Times,
    /// The nodes, by name: those that worked, and those that should have.
    pub nodes: Vec<NodeUse>,
    /// The executors, in the order in which they came.
    pub executors: Vec<ExecutorUse>,
    /// The stages, in the order in which they were submitted.
    pub stages: Vec<StageUse>,
    /// What the cluster has, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterUse>,
    /// Which cores were busy when.
    pub timeline: Timeline,
    /// What was asked for.
    pub thresholds: Thresholds,
}

/// Whether every node worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// It did.
    pub passed: bool,
    /// Why, in one sentence without a final period.
    pub reason: String,
    /// What to change, if something is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable word for its kind.
    pub code: &'static str,
    /// Whether the run fails for it.
    pub fails: bool,
    /// What it is, in one sentence without a final period.
    pub sentence: String,
    /// What to change about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
}

/// The application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct About {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// The version of Spark.
    pub spark: String,
    /// The master, as Spark spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master: Option<String>,
    /// Where the driver runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy_mode: Option<String>,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// Whether its end was recorded; no while it runs.
    pub ended: bool,
    /// The host of the driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The host of the application master, where it is not the driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_master: Option<String>,
    /// What its record lacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
}

/// Where the time went, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// From the start of the application to its end, or to the last that is known.
    pub run: f64,
    /// Until the first executor came.
    pub until_executor: f64,
    /// While a stage ran.
    pub stages: f64,
    /// After the first executor came and while no stage ran: executors wait for the driver.
    pub driver_only: f64,
}

/// What a node did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NodeUse {
    /// Its host.
    pub node: String,
    /// Its state, as the cluster spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// Whether the cluster names it, or the thresholds do.
    pub expected: bool,
    /// Executors that it had.
    pub executors: u64,
    /// Cores that they had at once.
    pub cores: u64,
    /// Cores that it offers to all applications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered_cores: Option<u64>,
    /// Seconds after the start of the application at which its first executor came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub came_seconds: Option<f64>,
    /// Share of the time of its cores in which they had a task, from the start of each executor to its end.
    pub busy_share: f64,
    /// What its tasks used.
    #[serde(flatten)]
    pub used: Used,
}

/// What an executor did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExecutorUse {
    /// Its id.
    pub executor: String,
    /// Its node.
    pub node: String,
    /// Its cores.
    pub cores: u64,
    /// Seconds after the start of the application at which it came.
    pub came_seconds: f64,
    /// Seconds after the start of the application at which it went, if it went before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub went_seconds: Option<f64>,
    /// Why it went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Share of the time of its cores in which they had a task.
    pub busy_share: f64,
    /// What its tasks used.
    #[serde(flatten)]
    pub used: Used,
}

/// What tasks used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Used {
    /// Attempts of tasks.
    pub tasks: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Ended by Spark.
    pub killed: u64,
    /// Speculative.
    pub speculative: u64,
    /// Seconds from launch to end, of all of them together.
    pub busy_seconds: f64,
    /// Share of the time in the executor in which Java computed; less where tasks wait, or compute outside of Java.
    pub cpu_share: f64,
    /// Share of it in which garbage was collected.
    pub gc_share: f64,
    /// Share of it in which other executors were waited for.
    pub wait_share: f64,
    /// Bytes of input.
    pub input_bytes: u64,
    /// Bytes of the shuffle that were read.
    pub shuffle_read_bytes: u64,
    /// Bytes of the shuffle that were written.
    pub shuffle_write_bytes: u64,
    /// Bytes that were spilled to disk.
    pub spilled_bytes: u64,
}

impl From<&Sums> for Used {
    fn from(sums: &Sums) -> Self {
        let run = sums.run_ms as f64;
        Self {
            tasks: sums.tasks,
            failed: sums.failed,
            killed: sums.killed,
            speculative: sums.speculative,
            busy_seconds: sums.busy_ms as f64 / 1000.0,
            cpu_share: share(sums.cpu_ns as f64 / 1e6, run),
            gc_share: share(sums.gc_ms as f64, run),
            wait_share: share(sums.wait_ms as f64, run),
            input_bytes: sums.input,
            shuffle_read_bytes: sums.shuffle_read,
            shuffle_write_bytes: sums.shuffle_write,
            spilled_bytes: sums.spilled_disk,
        }
    }
}

/// What the cluster has, and what of it the application took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterUse {
    /// Who was asked.
    pub kind: &'static str,
    /// Nodes that take work.
    pub nodes: u64,
    /// Their cores.
    pub cores: u64,
    /// Their memory, in MB.
    pub memory_mb: u64,
    /// Cores that the executors had at once.
    pub executor_cores: u64,
    /// Share of the cores of the cluster that the application was given, from its submission to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocated_share: Option<f64>,
}

/// Judges an application by what it and its cluster say.
pub fn audit(
    application: &Application,
    cluster: Option<&Cluster>,
    thresholds: &Thresholds,
) -> Audit {
    let (begin, end) = window(application);
    let cpus = application.properties.get("spark.task.cpus");
    let cpus = cpus.and_then(|text| text.parse::<u64>().ok()).unwrap_or(1).clamp(1, 1_000_000);
    let executors = executors(application, begin, end, cpus);
    let mut nodes = Nodes::of_executors(application, &executors, (begin, end), cpus);
    for known in cluster.iter().flat_map(|cluster| &cluster.nodes) {
        nodes.expect(&known.name, Some(known));
    }
    if let Some(ExpectedNodes::Names(names)) = &thresholds.nodes {
        names.iter().for_each(|name| nodes.expect(name, None));
    }
    let mut nodes = nodes.nodes;
    nodes.sort_by(|a, b| a.node.cmp(&b.node));
    let stages = stages(application, begin, cpus, thresholds.max_skew);
    let timeline = timeline(application, (begin, end), &nodes, cpus as f64);
    let mut audit = Audit {
        distil: DISTIL_VERSION.to_owned(),
        verdict: Verdict { passed: false, reason: String::new(), change: None },
        application: about(application, cluster),
        findings: Vec::new(),
        times: times(application, &executors, begin, end),
        cluster: cluster.map(|cluster| cluster_use(cluster, &nodes)),
        nodes,
        executors,
        stages,
        timeline,
        thresholds: thresholds.clone(),
    };
    (audit.findings, audit.verdict) = findings(&audit, application);
    audit
}

/// When the run began and ended, as far as that is known.
fn window(application: &Application) -> (i64, i64) {
    let launched = application.tasks.iter().map(|task| task.launched);
    let added = application.executors.iter().filter_map(|executor| executor.added);
    let begin = application.started.or_else(|| launched.chain(added).min()).unwrap_or(0);
    (begin, application.ended.unwrap_or(application.last).max(begin))
}

fn about(application: &Application, cluster: Option<&Cluster>) -> About {
    let property = |name: &str| application.properties.get(name).cloned();
    let started = application.started.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    let master = cluster.and_then(|cluster| cluster.master.clone());
    About {
        id: application.id.clone(),
        name: application.name.clone(),
        attempt: application.attempt.clone(),
        spark: application.version.clone(),
        master: property("spark.master"),
        deploy_mode: property("spark.submit.deployMode"),
        started: started.map(|at| at.to_string()),
        ended: application.ended.is_some(),
        driver: application.driver.clone(),
        application_master: application.master.clone().or(master),
        gaps: application.gaps.clone(),
    }
}

/// Whether an executor is one. The driver is, if nobody else computes.
fn is_executor(application: &Application, executor: &Executor) -> bool {
    let is_known = !executor.host.is_empty() || executor.sums.tasks > 0;
    is_known && (executor.id != "driver" || application.executors.len() == 1)
}

/// When an executor was there, in milliseconds.
fn lifetime(executor: &Executor, begin: i64, end: i64) -> (i64, i64) {
    let from = executor.added.unwrap_or(begin).clamp(begin, end);
    (from, executor.removed.unwrap_or(end).clamp(from, end))
}

fn core_milliseconds(executor: &Executor, begin: i64, end: i64, cpus: u64) -> f64 {
    let (from, to) = lifetime(executor, begin, end);
    (to - from) as f64 * executor.cores.max(cpus) as f64
}

fn executors(application: &Application, begin: i64, end: i64, cpus: u64) -> Vec<ExecutorUse> {
    let executors = application.executors.iter();
    let executors = executors.filter(|executor| is_executor(application, executor));
    let seconds = |at: i64| (at - begin) as f64 / 1000.0;
    let uses = executors.map(|executor| {
        let (from, to) = lifetime(executor, begin, end);
        let busy = executor.sums.busy_ms as f64 * cpus as f64;
        ExecutorUse {
            executor: executor.id.clone(),
            node: executor.host.clone(),
            cores: executor.cores,
            came_seconds: seconds(from),
            went_seconds: executor.removed.map(|_| seconds(to)),
            reason: executor.reason.clone(),
            busy_share: share(busy, core_milliseconds(executor, begin, end, cpus)).min(1.0),
            used: Used::from(&executor.sums),
        }
    });
    uses.collect()
}

/// Nodes that executors were on, and those that should have had one.
struct Nodes {
    nodes: Vec<NodeUse>,
    places: HashMap<String, usize>,
}

/// A name without its domain; an address as it is.
fn short(name: &str) -> String {
    let is_name = name.contains(|c: char| c.is_ascii_alphabetic()) && !name.contains(':');
    let short = if is_name { name.split('.').next().unwrap_or(name) } else { name };
    short.to_ascii_lowercase()
}

impl Nodes {
    fn of_executors(
        application: &Application,
        executors: &[ExecutorUse],
        (begin, end): (i64, i64),
        cpus: u64,
    ) -> Self {
        let mut by_host: BTreeMap<&str, (Vec<&ExecutorUse>, Sums, f64)> = BTreeMap::new();
        let known = application.executors.iter();
        let known = known.filter(|executor| is_executor(application, executor));
        for (executor, used) in known.zip(executors) {
            let (uses, sums, there) = by_host.entry(&executor.host).or_default();
            uses.push(used);
            sums.add(&executor.sums);
            *there += core_milliseconds(executor, begin, end, cpus);
        }
        let nodes = by_host.into_iter().map(|(host, (uses, sums, there))| NodeUse {
            node: host.to_owned(),
            executors: uses.len() as u64,
            cores: cores_at_once(&uses),
            came_seconds: uses.iter().map(|used| used.came_seconds).min_by(f64::total_cmp),
            busy_share: share(sums.busy_ms as f64 * cpus as f64, there).min(1.0),
            used: Used::from(&sums),
            ..NodeUse::default()
        });
        let nodes: Vec<NodeUse> = nodes.collect();
        let places = nodes.iter().enumerate().map(|(at, node)| (short(&node.node), at)).collect();
        Self { nodes, places }
    }

    /// Marks the node of this name as one that should work, and adds it if it did nothing.
    fn expect(&mut self, name: &str, known: Option<&ClusterNode>) {
        let at = self.places.get(&short(name)).copied();
        // Those that went without having worked are none that could have.
        let is_gone = known.is_some_and(|known| !known.is_usable && known.state != "UNHEALTHY");
        if at.is_none() && is_gone {
            return;
        }
        let at = at.unwrap_or_else(|| {
            self.nodes.push(NodeUse { node: name.to_owned(), ..NodeUse::default() });
            self.places.insert(short(name), self.nodes.len() - 1);
            self.nodes.len() - 1
        });
        let node = &mut self.nodes[at];
        node.expected = true;
        if let Some(known) = known {
            node.state = Some(known.state.clone());
            node.health = (!known.health.is_empty()).then(|| known.health.clone());
            node.offered_cores = Some(known.cores);
        }
    }
}

/// The most cores that executors had at once.
pub(crate) fn cores_at_once(executors: &[&ExecutorUse]) -> u64 {
    let mut changes: Vec<(f64, bool, u64)> = Vec::new();
    for executor in executors {
        changes.push((executor.came_seconds, true, executor.cores));
        if let Some(went) = executor.went_seconds {
            changes.push((went, false, executor.cores));
        }
    }
    // One that goes makes room for one that comes at the same instant.
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (mut now, mut most) = (0_u64, 0);
    for (_, comes, cores) in changes {
        now = if comes { now.saturating_add(cores) } else { now.saturating_sub(cores) };
        most = most.max(now);
    }
    most
}

fn times(application: &Application, executors: &[ExecutorUse], begin: i64, end: i64) -> Times {
    let run = (end - begin) as f64 / 1000.0;
    let first = executors.iter().map(|executor| executor.came_seconds).min_by(f64::total_cmp);
    let until_executor = first.unwrap_or(run);
    let mut spans: Vec<(i64, i64)> = application
        .stages
        .iter()
        .filter(|stage| stage.sums.tasks > 0)
        .filter_map(|stage| {
            let from = stage.submitted?.clamp(begin, end);
            Some((from, stage.completed.unwrap_or(end).clamp(from, end)))
        })
        .collect();
    spans.sort_unstable();
    let first = begin + (until_executor * 1000.0) as i64;
    let (mut stages, mut after, mut reached) = (0, 0, begin);
    for (from, to) in spans {
        let from = from.max(reached);
        stages += (to - from).max(0);
        after += (to - from.max(first)).max(0);
        reached = reached.max(to);
    }
    let driver_only = (run - until_executor - after as f64 / 1000.0).max(0.0);
    Times { run, until_executor, stages: stages as f64 / 1000.0, driver_only }
}

fn cluster_use(cluster: &Cluster, nodes: &[NodeUse]) -> ClusterUse {
    let usable = || cluster.nodes.iter().filter(|node| node.is_usable);
    let sum = |of: fn(&ClusterNode) -> u64| usable().map(of).fold(0_u64, u64::saturating_add);
    let cores = sum(|node| node.cores);
    let given = cluster.core_seconds.zip(cluster.elapsed_ms).filter(|(_, elapsed)| *elapsed > 0);
    ClusterUse {
        kind: cluster.kind,
        nodes: usable().count() as u64,
        cores,
        memory_mb: sum(|node| node.memory_mb),
        executor_cores: nodes.iter().map(|node| node.cores).fold(0, u64::saturating_add),
        allocated_share: given.map(|(core_seconds, elapsed)| {
            share(core_seconds as f64 * 1000.0, elapsed as f64 * cores as f64)
        }),
    }
}
