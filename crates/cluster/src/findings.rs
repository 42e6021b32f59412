//! What the figures come to: each finding in one sentence, with what to change about it, and the verdict.

use distil_plan::format_bytes;

use crate::application::Application;
use crate::audit::{Audit, Finding, NodeUse, Verdict, cores_at_once};
use crate::stages::StageUse;
use crate::text::{counted, named, percent, seconds, share};
use crate::thresholds::ExpectedNodes;

/// A stage, or what it costs, is worth a word from this share of the run on.
const MATTERS: f64 = 0.1;
/// What a skewed stage costs at least, in seconds and as a share of the run.
const SKEW_SECONDS: f64 = 5.0;
const SKEW_SHARE: f64 = 0.05;
/// Below this tasks are too small, if there are many of them for each core.
const SMALL_SECONDS: f64 = 0.2;
const MANY_TASKS: u64 = 10;
/// Shares from which on garbage, waiting for others, and the driver alone are worth a word.
const GARBAGE: f64 = 0.1;
const WAITING: f64 = 0.2;
const DRIVER: f64 = 0.25;
/// An executor that is busy for less than this is idle.
const IDLE: f64 = 0.05;

/// Everything that was found, what fails first, and the verdict that follows from it.
pub(crate) fn findings(audit: &Audit, application: &Application) -> (Vec<Finding>, Verdict) {
    let mut found = Found { audit, application, findings: Vec::new() };
    found.nodes();
    found.busy();
    found.skew();
    found.stages();
    found.executors();
    found.times();
    found.memory();
    found.cluster();
    found.record();
    let mut findings = found.findings;
    findings.sort_by_key(|finding| !finding.fails);
    let verdict = match findings.first().filter(|finding| finding.fails) {
        Some(finding) => Verdict {
            passed: false,
            reason: finding.sentence.clone(),
            change: finding.change.clone(),
        },
        None => Verdict { passed: true, reason: worked(audit), change: None },
    };
    (findings, verdict)
}

/// What is said of a run in which every node worked.
fn worked(audit: &Audit) -> String {
    let shares = || audit.nodes.iter().filter(|node| node.used.tasks > 0).map(|n| n.busy_share);
    let least = shares().min_by(f64::total_cmp).unwrap_or(0.0);
    let most = shares().max_by(f64::total_cmp).unwrap_or(0.0);
    let busy = match percent(least) == percent(most) {
        true => percent(least),
        false => format!("{} to {}", percent(least), percent(most)),
    };
    match shares().count() {
        1 => format!("the only node worked: its cores were busy {busy} of their time"),
        nodes => format!("all {nodes} nodes worked: their cores were busy {busy} of their time"),
    }
}

struct Found<'a> {
    audit: &'a Audit,
    application: &'a Application,
    findings: Vec<Finding>,
}

impl Found<'_> {
    fn fail(&mut self, code: &'static str, sentence: String, change: impl Into<Option<String>>) {
        self.findings.push(Finding { code, fails: true, sentence, change: change.into() });
    }

    fn note(&mut self, code: &'static str, sentence: String, change: impl Into<Option<String>>) {
        self.findings.push(Finding { code, fails: false, sentence, change: change.into() });
    }

    fn property(&self, name: &str) -> Option<&str> {
        self.application.properties.get(name).map(String::as_str)
    }

    /// Whether each node had an executor and a task.
    fn nodes(&mut self) {
        let audit = self.audit;
        let all: Vec<&NodeUse> =
            audit.nodes.iter().filter(|node| node.state.as_deref() != Some("UNHEALTHY")).collect();
        for node in &audit.nodes {
            if node.state.as_deref() == Some("UNHEALTHY") {
                let health = node.health.as_deref().map_or(String::new(), |why| format!(": {why}"));
                self.fail(
                    "unhealthy_node",
                    format!("{} is unhealthy and takes no work{health}", node.node),
                    "mend the node: YARN takes it back by itself".to_owned(),
                );
            }
        }
        let worked = all.iter().filter(|node| node.used.tasks > 0).count();
        if worked == 0 {
            let change = match audit.executors.is_empty() {
                true => "see whether the cluster has room for its executors",
                false => "see why it failed: its log says more than this audit",
            };
            self.fail("no_tasks", "no task ran".to_owned(), change.to_owned());
            return;
        }
        // Where the cluster gives nodes other names than Spark does, only their numbers can be compared.
        let expected = all.iter().filter(|node| node.expected).count();
        let is_joined = expected == 0 || all.iter().any(|node| node.expected && node.executors > 0);
        let idle: Vec<&NodeUse> = match is_joined {
            true => all.iter().copied().filter(|node| node.used.tasks == 0).collect(),
            false => Vec::new(),
        };
        let without: Vec<&str> =
            idle.iter().filter(|node| node.executors == 0).map(|n| n.node.as_str()).collect();
        let unused: Vec<&str> =
            idle.iter().filter(|node| node.executors > 0).map(|n| n.node.as_str()).collect();
        if !without.is_empty() {
            let sentence = format!(
                "{} of {} had no executor: {}",
                without.len(),
                counted(all.len() as u64, "node"),
                named(&without)
            );
            let change = self.more_executors(all.len() as u64);
            self.fail("idle_node", sentence, change);
        }
        if !unused.is_empty() {
            let sentence = format!(
                "{} of {} had an executor and no task: {}",
                unused.len(),
                counted(all.len() as u64, "node"),
                named(&unused)
            );
            let change = "cut the work into more tasks, at least as many as there are cores";
            self.fail("idle_node", sentence, change.to_owned());
        }
        let wanted = match &audit.thresholds.nodes {
            Some(ExpectedNodes::Count(count)) => *count,
            _ if is_joined => 0,
            _ => expected as u64,
        };
        if (worked as u64) < wanted && idle.is_empty() {
            let sentence = format!("{worked} of {} worked", counted(wanted, "node"));
            let change = self.more_executors(wanted);
            self.fail("too_few_nodes", sentence, change);
        }
        if !is_joined {
            self.note(
                "other_names",
                "the cluster gives its nodes other names than Spark, so that only their numbers were compared"
                    .to_owned(),
                None,
            );
        }
        if audit.cluster.is_none() && audit.thresholds.nodes.is_none() {
            self.note(
                "unknown_nodes",
                "a node without an executor is in no record of Spark, and the cluster was not asked for its nodes"
                    .to_owned(),
                "give its URL, --cluster http://RESOURCEMANAGER:8088 or http://MASTER:8080, or their number, --nodes N"
                    .to_owned(),
            );
        }
    }

    /// How to have an executor on each of so many nodes.
    fn more_executors(&self, nodes: u64) -> String {
        let number = |name: &str| self.property(name)?.parse::<u64>().ok();
        let instances = number("spark.executor.instances").filter(|instances| *instances < nodes);
        let is_dynamic = self.property("spark.dynamicAllocation.enabled") == Some("true");
        let most = number("spark.dynamicAllocation.maxExecutors").filter(|most| *most < nodes);
        let cores = number("spark.cores.max");
        match (is_dynamic, instances, most, cores) {
            (true, _, Some(most), _) => format!(
                "spark.dynamicAllocation.maxExecutors is {most} for {nodes} nodes: set it to {nodes} or more"
            ),
            (false, Some(instances), ..) => format!(
                "spark.executor.instances is {instances} for {nodes} nodes: set it to {nodes} or more"
            ),
            (_, _, _, Some(cores)) => format!(
                "spark.cores.max is {cores} for {nodes} nodes: raise it, or leave it out to take every core"
            ),
            (true, ..) => {
                "cut the work into more tasks: executors are asked for by their number".to_owned()
            }
            _ => format!(
                "ask for an executor on each node: spark.executor.instances={nodes} or more, of a size that one fits on a node"
            ),
        }
    }

    /// Whether those that worked did so for long enough, and alike.
    fn busy(&mut self) {
        let audit = self.audit;
        let worked: Vec<&NodeUse> = audit.nodes.iter().filter(|n| n.used.tasks > 0).collect();
        let least = audit.thresholds.min_busy;
        let low: Vec<&NodeUse> =
            worked.iter().copied().filter(|node| node.busy_share < least).collect();
        if !low.is_empty() {
            let each: Vec<String> = low
                .iter()
                .map(|node| format!("{} {}", node.node, percent(node.busy_share)))
                .collect();
            let each: Vec<&str> = each.iter().map(String::as_str).collect();
            let sentence = format!(
                "the cores of {} were busy for less than {} of their time: {}",
                counted(low.len() as u64, "node"),
                percent(least),
                named(&each)
            );
            let change = self.why_idle();
            self.fail("low_busy", sentence, change);
        }
        let shares = || worked.iter().map(|node| (node.busy_share, node.node.as_str()));
        let order = |a: &(f64, &str), b: &(f64, &str)| a.0.total_cmp(&b.0);
        if let (Some(low), Some(high)) = (shares().min_by(order), shares().max_by(order))
            && high.0 - low.0 > audit.thresholds.max_spread
        {
            let sentence = format!(
                "the nodes did not work alike: {} was busy {} of the time of its cores, and {} {}",
                high.1,
                percent(high.0),
                low.1,
                percent(low.0)
            );
            let change = "cut the work into more and smaller tasks, two to four for each core";
            self.fail("uneven", sentence, change.to_owned());
        }
    }

    /// What to do about cores that wait.
    fn why_idle(&self) -> String {
        let audit = self.audit;
        let there = audit.times.run - audit.times.until_executor;
        let cores = self.cores();
        let few = audit.stages.iter().filter(|stage| stage.tasks < cores);
        let few: f64 = few.map(|stage| stage.seconds).sum();
        match () {
            () if share(audit.times.driver_only, there) > 0.5 => {
                "give it more data or fewer cores: most of the time executors waited for the driver"
            }
            () if share(few, there) > 0.25 => {
                "cut the work into more tasks: long stages had fewer than there are cores"
            }
            () => "give it more data, or fewer and smaller executors",
        }
        .to_owned()
    }

    /// Cores of all executors at once.
    fn cores(&self) -> u64 {
        let executors: Vec<_> = self.audit.executors.iter().collect();
        cores_at_once(&executors)
    }

    /// Whether one task of a stage took far longer than the others.
    fn skew(&mut self) {
        let audit = self.audit;
        for stage in &audit.stages {
            let lost = stage.longest_seconds - stage.median_seconds;
            if stage.skew <= audit.thresholds.max_skew
                || lost < SKEW_SECONDS
                || lost < SKEW_SHARE * audit.times.run
            {
                continue;
            }
            let took = format!(
                "its longest task took {} and the median {}",
                seconds(stage.longest_seconds * 1000.0),
                seconds(stage.median_seconds * 1000.0)
            );
            let is_known = stage.median_bytes > 0;
            let reads_more = stage.longest_bytes as f64 > 1.5 * stage.median_bytes as f64;
            let StageUse { stage: id, longest_node, .. } = stage;
            match (is_known, reads_more) {
                (true, true) => self.fail(
                    "skew",
                    format!(
                        "stage {id} is skewed: {took}, having read {} where the median read {}",
                        format_bytes(stage.longest_bytes),
                        format_bytes(stage.median_bytes)
                    ),
                    "cut the input or the keys so that the tasks of a stage read about the same".to_owned(),
                ),
                (false, _) => self.fail(
                    "skew",
                    format!("stage {id} is skewed: {took}"),
                    "cut the work so that the tasks of a stage have about the same to do".to_owned(),
                ),
                (true, false) => self.note(
                    "slow_task",
                    format!("a task of stage {id} was slow on {longest_node}: {took}, and it read no more"),
                    "see what else that node does; spark.speculation=true starts such tasks a second time"
                        .to_owned(),
                ),
            }
        }
    }

    /// Whether stages were cut for the cores that there are.
    fn stages(&mut self) {
        let audit = self.audit;
        let cores = self.cores();
        for stage in &audit.stages {
            if stage.seconds < MATTERS * audit.times.run {
                continue;
            }
            let (id, tasks) = (stage.stage, counted(stage.tasks, "task"));
            if stage.tasks < cores {
                self.note(
                    "few_tasks",
                    format!(
                        "stage {id} had {tasks} for {} and took {}",
                        counted(cores, "core"),
                        seconds(stage.seconds * 1000.0)
                    ),
                    "cut it into more tasks: spark.sql.shuffle.partitions, or smaller input files or splits"
                        .to_owned(),
                );
            }
            let is_small = stage.median_seconds > 0.0 && stage.median_seconds < SMALL_SECONDS;
            if is_small && stage.tasks > MANY_TASKS.saturating_mul(cores) {
                self.note(
                    "small_tasks",
                    format!(
                        "stage {id} had {tasks} of {:.0} ms each, of which Spark takes a part to start them",
                        stage.median_seconds * 1000.0
                    ),
                    "cut it into fewer tasks".to_owned(),
                );
            }
            if stage.stragglers > 0 && stage.stragglers <= stage.tasks / 4 {
                let sentence = format!(
                    "{} of stage {id} ended late, after 1.5 times as long as three quarters of the others",
                    counted(stage.stragglers, "task")
                );
                self.note("stragglers", sentence, None);
            }
        }
    }

    fn executors(&mut self) {
        let audit = self.audit;
        let idle: Vec<&str> = audit
            .executors
            .iter()
            .filter(|executor| executor.busy_share < IDLE)
            .map(|executor| executor.executor.as_str())
            .collect();
        if !idle.is_empty() && idle.len() < audit.executors.len() {
            let sentence = format!(
                "{} of {} were idle: {}",
                idle.len(),
                counted(audit.executors.len() as u64, "executor"),
                named(&idle)
            );
            self.note("idle_executor", sentence, None);
        }
        let lost: Vec<String> = audit
            .executors
            .iter()
            .filter(|executor| executor.went_seconds.is_some_and(|went| went < audit.times.run))
            .filter_map(|executor| {
                let reason = executor.reason.as_deref().filter(|reason| !is_ordinary(reason))?;
                Some(format!("{} on {} ({reason})", executor.executor, executor.node))
            })
            .collect();
        if !lost.is_empty() {
            let lost_names: Vec<&str> = lost.iter().map(String::as_str).collect();
            let things = counted(lost.len() as u64, "executor");
            let sentence = format!("{things} went before the end: {}", named(&lost_names));
            self.note("lost_executor", sentence, None);
        }
        let sum = |of: fn(&NodeUse) -> u64| audit.nodes.iter().map(of).fold(0, u64::saturating_add);
        let failed = sum(|node| node.used.failed);
        if failed > 0 {
            let sentence = format!("{} failed and ran again", counted(failed, "task"));
            self.note("failed_tasks", sentence, None);
        }
        let speculative = sum(|node| node.used.speculative);
        if speculative > 0 {
            let sentence = format!("{} started a second time", counted(speculative, "task"));
            self.note("speculative_tasks", sentence, None);
        }
        if self.application.failed_jobs > 0 {
            let sentence = format!("{} failed", counted(self.application.failed_jobs, "job"));
            self.note("failed_jobs", sentence, None);
        }
    }

    /// Executors that came late, and a driver that is alone.
    fn times(&mut self) {
        let times = &self.audit.times;
        if !self.audit.executors.is_empty() && times.until_executor > MATTERS * times.run {
            let sentence = format!(
                "the first executor came after {}, {} of the run",
                seconds(times.until_executor * 1000.0),
                percent(share(times.until_executor, times.run))
            );
            self.note("late_start", sentence, None);
        }
        let late: Vec<&str> = self
            .audit
            .nodes
            .iter()
            .filter(|node| {
                node.came_seconds
                    .is_some_and(|came| came - times.until_executor > MATTERS * times.run)
            })
            .map(|node| node.node.as_str())
            .collect();
        if !late.is_empty() {
            let sentence = format!(
                "{} came late, by more than a tenth of the run after the first: {}",
                counted(late.len() as u64, "node"),
                named(&late)
            );
            self.note("late_node", sentence, None);
        }
        if times.driver_only > DRIVER * times.run {
            let sentence = format!(
                "executors waited for the driver for {}, {} of the run",
                seconds(times.driver_only * 1000.0),
                percent(share(times.driver_only, times.run))
            );
            self.note("driver_only", sentence, None);
        }
    }

    fn memory(&mut self) {
        let mut all = crate::application::Sums::default();
        self.application.executors.iter().for_each(|executor| all.add(&executor.sums));
        if all.spilled_disk > 0 {
            self.note(
                "spill",
                format!("{} were spilled to disk", format_bytes(all.spilled_disk)),
                "give executors more memory, or cut the work into more tasks".to_owned(),
            );
        }
        let garbage = share(all.gc_ms as f64, all.run_ms as f64);
        if garbage > GARBAGE {
            self.note(
                "garbage",
                format!("Java collected garbage for {} of the time of the tasks", percent(garbage)),
                "give executors more memory".to_owned(),
            );
        }
        let waiting = share(all.wait_ms as f64, all.run_ms as f64);
        if waiting > WAITING {
            let sentence = format!(
                "tasks waited for rows of other executors for {} of their time",
                percent(waiting)
            );
            self.note("shuffle_wait", sentence, None);
        }
    }

    /// What the cluster has and the executors did not take.
    fn cluster(&mut self) {
        let Some(cluster) = &self.audit.cluster else { return };
        if cluster.executor_cores < cluster.cores {
            let given = cluster.allocated_share.map_or(String::new(), |share| {
                format!("; over its time it was given {} of all cores", percent(share))
            });
            let sentence = format!(
                "{} has {} on {}, and the executors had {}{given}",
                cluster.kind,
                counted(cluster.cores, "core"),
                counted(cluster.nodes, "node"),
                cluster.executor_cores
            );
            self.note(
                "unused_cores",
                sentence,
                "raise spark.executor.cores, or the number of executors".to_owned(),
            );
        }
    }

    /// What the record lacks.
    fn record(&mut self) {
        if self.application.ended.is_none() {
            let sentence = "its end is not recorded: it runs, or was ended by force".to_owned();
            self.note("not_ended", sentence, None);
        }
        for gap in &self.application.gaps {
            self.note("incomplete_record", format!("the record is incomplete: {gap}"), None);
        }
    }
}

/// Whether an executor that goes for this reason was not needed any more.
fn is_ordinary(reason: &str) -> bool {
    ["", "Executor finished with state KILLED", "finished", "idle", "Command exited with code 0"]
        .iter()
        .any(|ordinary| reason == *ordinary || !ordinary.is_empty() && reason.contains(ordinary))
}
