//! Following a cluster and the step of a job, and what its end means.

use distil_plan::{Error, Report, Result};

use crate::answers::{Cluster, Step};
use crate::control::Emr;
use crate::request::Places;

/// After so many looks a cluster that should end by itself, and waits for steps instead, is not believed any more.
const WAITS: u32 = 3;

/// What was seen last.
pub(crate) struct Seen {
    pub(crate) cluster: Cluster,
    pub(crate) steps: Vec<Step>,
}

impl Seen {
    /// The step that writes this report.
    pub(crate) fn step(&self, report: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.arguments.iter().any(|word| word == report))
    }
}

impl Emr<'_> {
    /// Looks at a cluster again and again until it has ended, or what is waited for has come.
    ///
    /// # Errors
    /// That of the cancelled command; an environment error if EMR does not answer any more, or the cluster is older
    /// than its limit, or waits for steps although it should end after the last one.
    pub(crate) fn follow(&mut self, id: &str, until: &dyn Fn(&Seen) -> bool) -> Result<Seen> {
        self.has_cluster = true;
        let (mut state, mut states, mut waits) = (String::new(), Vec::new(), 0);
        loop {
            self.check()?;
            let seen = Seen { cluster: self.describe(id)?, steps: self.steps(id)? };
            let cluster = &seen.cluster;
            if cluster.state != state {
                state.clone_from(&cluster.state);
                let why = if cluster.is_over() {
                    format!(": {}", cluster.reason())
                } else {
                    String::new()
                };
                self.tell(&format!("{id} is {state}{why}"));
            }
            let told: Vec<String> = seen
                .steps
                .iter()
                .map(|step| format!("{id} step {} is {}", step.id, step.state))
                .collect();
            for line in told.iter().filter(|line| !states.contains(*line)) {
                self.tell(line);
            }
            states = told;
            if cluster.is_over() || until(&seen) {
                return Ok(seen);
            }
            self.check_limit(cluster)?;
            if !cluster.is_kept && cluster.state == "WAITING" {
                waits += 1;
                if waits == WAITS {
                    let what = format!(
                        "the cluster {id} waits for steps, and should end after its last one"
                    );
                    return Err(Error::environment(what));
                }
            }
            self.pause()?;
        }
    }

    /// What the end of a job means, and its report where there is one.
    ///
    /// # Errors
    /// The error of the run, as its report has it; else an environment error that says how the step or the cluster
    /// ended.
    pub(crate) fn judge(&mut self, seen: &Seen, report: &str) -> Result<Option<String>> {
        let cluster = &seen.cluster;
        let Some(step) = seen.step(report) else { return Err(ended(cluster)) };
        let text = match step.state.as_str() {
            // A step that never ran has none.
            "PENDING" | "CANCELLED" => None,
            _ => self.client.get_text(report).ok(),
        };
        if step.is_completed() {
            return Ok(text);
        }
        let of_run = text.and_then(|text| serde_json::from_str::<Report>(&text).ok());
        let of_run = of_run.and_then(|report| report.error).map(|found| found.error);
        let mut error = match of_run {
            Some(error) => {
                error.detail(format!("the step {} of {} is {}", step.id, cluster.id, step.state))
            }
            None if step.is_over() && !step.failure.is_empty() => failed(cluster, step),
            None if cluster.is_over() => ended(cluster),
            None => failed(cluster, step),
        };
        error.details.truncate(40);
        Err(error)
    }
}

/// The error of a step that left no report.
fn failed(cluster: &Cluster, step: &Step) -> Error {
    let error = Error::environment(format!(
        "the step {} of the cluster {} is {}",
        step.id, cluster.id, step.state
    ));
    let error = step.failure.iter().fold(error, |error, line| error.detail(line.as_str()));
    match Places::of_log_uri(&cluster.log_uri) {
        Some(places) => error
            .help(format!(
                "read its log, once EMR has copied it: aws s3 cp --recursive {}{}/steps/{}/ step-log/",
                places.logs(),
                cluster.id,
                step.id
            ))
            .help(format!("and that of the driver: aws s3 ls --recursive {}{}/containers/", places.logs(), cluster.id)),
        None => error,
    }
}

/// The error of a cluster that ended by itself, or by somebody else.
pub(crate) fn ended(cluster: &Cluster) -> Error {
    let Cluster { id, state, code, message, .. } = cluster;
    let error = Error::environment(format!("the cluster {id} is {state}: {}", cluster.reason()));
    let logs = Places::of_log_uri(&cluster.log_uri).map(|places| places.logs());
    let is_said = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if code == "BOOTSTRAP_FAILURE" {
        let logs = logs.unwrap_or_default();
        return error.help(format!(
            "read what the bootstrap action said: aws s3 cp --recursive {logs}{id}/node/ node-log/"
        ));
    }
    if is_said(&["apacity", "not supported in", "limit", "quota"]) {
        return error
            .help("take another type of instance: --instance-type m6i.xlarge")
            .help("or a subnet in another zone: --subnet subnet-...");
    }
    match code.as_str() {
        "USER_REQUEST" => {
            error.help("somebody asked for it: CloudTrail says who, as TerminateJobFlows")
        }
        "STEP_FAILURE" | "INSTANCE_FAILURE" | "INTERNAL_ERROR" => {
            error.help("try again: distil emr up")
        }
        _ => error,
    }
}
