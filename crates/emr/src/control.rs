//! A conversation with EMR: questions that are asked again, and the end of a cluster, which is looked for until it is seen.

use std::time::{Duration, Instant, SystemTime};

use distil_plan::{Cancel, Code, Error, Fault, Result};
use serde_json::{Value, json};

use crate::answers::{Cluster, Step, clusters, instances, steps};
use crate::client::{Call, Client, Kind};
use crate::options::Options;
use crate::receipt::Receipt;
use crate::request::{LIMIT_TAG, NAME_TAG};

/// How often a question is asked before it counts as one without an answer: of a cluster that runs, and of none.
const ATTEMPTS: [u32; 2] = [20, 3];
/// How often an ending cluster is looked at: twenty minutes of the usual interval.
const LOOKS: u32 = 80;
/// After so many looks it is asked to end once more.
const AGAIN: u32 = 20;
/// How often a pause looks whether it was cancelled.
const TICK: Duration = Duration::from_millis(50);
/// The states of clusters that cost money.
const ACTIVE: [&str; 5] = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING", "TERMINATING"];

/// What goes on beside a command.
pub struct Watch<'a> {
    /// The time between two looks at a cluster.
    pub poll: Duration,
    /// Asks the command to stop.
    pub cancel: &'a Cancel,
    /// Receives lines for people, and whether one is urgent: something costs money.
    pub tell: &'a dyn Fn(&str, bool),
}

/// EMR, for one command.
pub struct Emr<'a> {
    pub(crate) client: Client,
    pub(crate) options: &'a Options,
    watch: Watch<'a>,
    /// Whether a cluster of this command may run: then nothing is given up early.
    pub(crate) has_cluster: bool,
    /// Whether a cluster is being ended: then the wish to stop is known.
    is_ending: bool,
}

impl<'a> Emr<'a> {
    /// Starts what asks AWS.
    ///
    /// # Errors
    /// An environment error if neither the command `aws` nor boto3 is there.
    pub fn open(options: &'a Options, watch: Watch<'a>) -> Result<Self> {
        Ok(Self { client: Client::open()?, options, watch, has_cluster: false, is_ending: false })
    }

    pub(crate) fn tell(&self, line: &str) {
        (self.watch.tell)(line, false);
    }

    pub(crate) fn warn(&self, line: &str) {
        (self.watch.tell)(line, true);
    }

    /// # Errors
    /// Once the command is asked to stop, unless it is about to.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_ending { Ok(()) } else { self.watch.cancel.check() }
    }

    /// Waits until the next look.
    pub(crate) fn pause(&self) -> Result<()> {
        let began = Instant::now();
        self.check()?;
        while let Some(left) = self.watch.poll.checked_sub(began.elapsed()) {
            std::thread::sleep(left.min(TICK));
            self.check()?;
        }
        Ok(())
    }

    /// Asks a question, or for what may be done twice, until there is an answer that can be read.
    pub(crate) fn ask<T>(
        &mut self,
        operation: &str,
        parameters: Value,
        read: impl Fn(&Value) -> Result<T>,
    ) -> Result<T> {
        let call = Call::emr(operation, parameters);
        let mut attempts = ATTEMPTS[usize::from(!self.has_cluster)];
        loop {
            let error = match self.client.call(&call) {
                Ok(answer) => match read(&answer) {
                    Ok(read) => return Ok(read),
                    Err(odd) => odd,
                },
                Err(failure) if failure.kind == Kind::Refused => {
                    return Err(failure.error(operation));
                }
                Err(failure) => failure.error(operation),
            };
            attempts -= 1;
            if attempts == 0 {
                return Err(error);
            }
            self.tell(&format!("EMR is asked again: {error}"));
            self.pause()?;
        }
    }

    pub(crate) fn describe(&mut self, id: &str) -> Result<Cluster> {
        self.ask("DescribeCluster", json!({"ClusterId": id}), Cluster::read)
    }

    pub(crate) fn steps(&mut self, id: &str) -> Result<Vec<Step>> {
        self.ask("ListSteps", json!({"ClusterId": id}), steps)
    }

    /// The identities and names of all clusters of the account that cost money.
    pub(crate) fn active(&mut self) -> Result<Vec<(String, String)>> {
        self.ask("ListClusters", json!({"ClusterStates": ACTIVE}), clusters)
    }

    /// Those of them that distil created: of this name, or of any.
    pub(crate) fn ours(&mut self, name: Option<&str>) -> Result<Vec<Cluster>> {
        let mut found = Vec::new();
        for (id, _) in self.active()? {
            let cluster = self.describe(&id)?;
            let tag = cluster.tag(NAME_TAG);
            if tag.is_some() && (name.is_none() || tag == name) && !cluster.is_over() {
                found.push(cluster);
            }
        }
        Ok(found)
    }

    /// Ends a cluster and waits until it has ended. Returns it, and whether it had to be asked. A wish to stop is not
    /// heard any more: a second Ctrl-C ends the command at once.
    ///
    /// # Errors
    /// An environment error with the code `left_running` if it does not end.
    pub(crate) fn end(&mut self, id: &str) -> Result<(Cluster, bool)> {
        (self.is_ending, self.has_cluster) = (true, true);
        let ended = self.try_end(id);
        self.is_ending = false;
        ended.map_err(|error| left_running(id, &error))
    }

    fn try_end(&mut self, id: &str) -> Result<(Cluster, bool)> {
        let mut is_asked = false;
        let mut state = String::new();
        for look in 0..LOOKS {
            let seen = match self.describe(id) {
                Ok(seen) if seen.is_over() => {
                    self.tell(&format!("{id} is {}: nothing of it runs any more", seen.state));
                    return Ok((seen, is_asked));
                }
                seen => seen,
            };
            // A cluster that can't be seen may run as well, so it is asked to end before that is an error.
            let is_ending = seen.as_ref().is_ok_and(|seen| seen.state == "TERMINATING");
            if look % AGAIN == 0 && (look > 0 || !is_ending) {
                self.ask("TerminateJobFlows", json!({"JobFlowIds": [id]}), |_| Ok(()))?;
                is_asked = true;
            }
            let seen = seen.map_err(|error| match is_asked {
                true => Error { what: format!("it was asked to end, but {}", error.what), ..error },
                false => error,
            })?;
            if seen.state != state {
                self.tell(&format!("{id} is {}, and asked to end", seen.state));
                state = seen.state;
            }
            // What was just asked is looked at once without a pause.
            if look > 0 {
                self.pause()?;
            }
        }
        Err(Error::environment(format!("it is still {state} after {LOOKS} looks")))
    }

    /// Ends a cluster because of an error, which is returned with what became of the cluster.
    pub(crate) fn end_after(&mut self, id: &str, error: Error) -> (Error, Option<Receipt>) {
        let why = match error.fault {
            Fault::Interrupted | Fault::Terminated => "interrupted",
            _ => "after an error",
        };
        self.warn(&format!("{id} is ended: {error}"));
        match self.end(id) {
            Ok((cluster, is_asked)) => {
                let receipt = self.receipt(&cluster, is_asked.then_some(why));
                let cost = receipt
                    .as_ref()
                    .map_or(String::new(), |found| format!(", it cost {}", found.sum()));
                (error.output(format!("the cluster {id} has ended{cost}")), receipt)
            }
            Err(left) => (left.detail(format!("what came before: {error}")), None),
        }
    }

    /// The receipt of a cluster. Without an answer there is none; that is no reason to fail.
    pub(crate) fn receipt(&mut self, cluster: &Cluster, by_this: Option<&str>) -> Option<Receipt> {
        match self.ask("ListInstances", json!({"ClusterId": cluster.id}), instances) {
            Ok(instances) => Some(Receipt::of(self.options, cluster, &instances, now(), by_this)),
            Err(error) => {
                self.tell(&format!("there is no receipt of {}: {error}", cluster.id));
                None
            }
        }
    }

    /// # Errors
    /// If the cluster is older than its limit allows.
    pub(crate) fn check_limit(&self, cluster: &Cluster) -> Result<()> {
        let limit = self.limit(cluster);
        if !is_past(cluster, limit, now()) {
            return Ok(());
        }
        Err(Error::environment(format!(
            "the cluster {} is older than its limit of {limit} minutes",
            cluster.id
        ))
        .help("give it more time, if it needs that: --max-minutes"))
    }

    /// The minutes that a cluster was given when it was created.
    pub(crate) fn limit(&self, cluster: &Cluster) -> u64 {
        let tag = cluster.tag(LIMIT_TAG).and_then(|text| text.parse().ok());
        tag.unwrap_or(self.options.max_minutes)
    }
}

/// Whether a cluster is older than so many minutes.
pub(crate) fn is_past(cluster: &Cluster, minutes: u64, now: i64) -> bool {
    let seconds = i64::try_from(minutes.saturating_mul(60)).unwrap_or(i64::MAX);
    cluster.created.is_some_and(|created| now.saturating_sub(created) > seconds)
}

/// Seconds since 1970.
#[allow(clippy::disallowed_methods, reason = "the age of a cluster, which no output depends on")]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The error of a cluster that is not seen to have ended.
pub(crate) fn left_running(id: &str, why: &Error) -> Error {
    let mut error =
        Error::environment(format!("the cluster {id} may still run, and cost money: {}", why.what))
            .coded(Code::LeftRunning)
            .help(format!("end it: distil emr down --cluster {id}"))
            .help(format!("or: aws emr terminate-clusters --cluster-ids {id}"))
            .help(format!(
                "then look: aws emr describe-cluster --cluster-id {id} --query Cluster.Status"
            ));
    if why.what.contains("protect") {
        error = error.help(format!(
            "it is protected; take that away first: aws emr modify-cluster-attributes --cluster-id {id} --no-termination-protected"
        ));
    }
    error.hints.extend(why.hints.iter().cloned());
    error
}
