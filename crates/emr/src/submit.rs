//! A job for a cluster that runs.

use distil_plan::{Code, Error, Fault, Result};
use serde_json::{Value, json};

use crate::answers::{Cluster, added, is_id};
use crate::client::{Call, Failure, Kind};
use crate::control::Emr;
use crate::follow::Seen;
use crate::request::{NAME_TAG, Places, step};
use crate::up::Outcome;

/// How often a step that was cancelled is looked at.
const LOOKS: u32 = 20;
/// How often a request is repeated where EMR is too busy to take it.
const ATTEMPTS: u32 = 10;

impl Emr<'_> {
    /// Adds a step for a job of this name to a cluster, the only one of the options' name unless an identity is given,
    /// and follows it to its end. After a wish to stop the step is cancelled; a cluster that is not kept is ended.
    pub fn submit(
        &mut self,
        cluster: Option<&str>,
        job: &str,
        plan: &str,
        detach: bool,
    ) -> (Outcome, Result<()>) {
        let mut outcome = Outcome::default();
        let done = self.try_submit(cluster, job, plan, detach, &mut outcome);
        (outcome, done)
    }

    fn try_submit(
        &mut self,
        cluster: Option<&str>,
        job: &str,
        plan: &str,
        detach: bool,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let cluster = self.the_cluster(cluster)?;
        let id = cluster.id.clone();
        let Some(places) = Places::of_log_uri(&cluster.log_uri) else {
            let what = format!(
                "the cluster {id} was not created by this version of distil: its logs go to {}",
                cluster.log_uri
            );
            return Err(Error::usage(what));
        };
        let url = places.plan(job);
        self.client
            .put_text(&url, plan)
            .map_err(|failure| failure.error("the upload of the plan").at(&url, None))?;
        outcome.cluster = Some(id.clone());
        outcome.runs = true;
        let report = places.report(job);
        let added = self.add(&id, &step(&places, job, cluster.is_kept), &report)?;
        self.has_cluster = true;
        self.tell(&format!("{id} step {added} is added"));
        if detach {
            return Ok(());
        }
        let done = self.follow_job(&cluster, &report, outcome);
        let Err(error) = done else { return Ok(()) };
        let is_past = self.check_limit(&cluster).is_err();
        if !cluster.is_kept || is_past {
            let (error, receipt) = self.end_after(&id, error);
            (outcome.receipt, outcome.runs) = (receipt, error.code == Code::LeftRunning);
            return Err(error);
        }
        if matches!(error.fault, Fault::Interrupted | Fault::Terminated) {
            self.cancel_step(&id, &added);
        }
        Err(error.output(format!(
            "the cluster {id} is kept and still runs: distil emr down --cluster {id}"
        )))
    }

    fn follow_job(&mut self, cluster: &Cluster, report: &str, outcome: &mut Outcome) -> Result<()> {
        let is_kept = cluster.is_kept;
        let is_done = |seen: &Seen| is_kept && seen.step(report).is_some_and(|step| step.is_over());
        let seen = self.follow(&cluster.id, &is_done)?;
        outcome.report = self.judge(&seen, report)?;
        outcome.runs = !seen.cluster.is_over();
        if !outcome.runs {
            outcome.receipt = self.receipt(&seen.cluster, None);
        }
        Ok(())
    }

    /// The cluster that is meant.
    pub fn the_cluster(&mut self, id: Option<&str>) -> Result<Cluster> {
        let name = &self.options.name;
        if let Some(id) = id {
            return self.one(id);
        }
        let mut all = self.ours(Some(&name.clone()))?;
        all.retain(|cluster| cluster.state != "TERMINATING");
        match all.len() {
            0 => Err(Error::usage(format!("no cluster of emr.{name} runs"))
                .help(format!("create one: distil emr up {name} --plan plan.json"))),
            1 => Ok(all.remove(0)),
            _ => {
                let error = Error::usage(format!("{} clusters of emr.{name} run", all.len()));
                Err(all.iter().fold(error, |error, one| {
                    error.help(format!("choose one: --cluster {}", one.id))
                }))
            }
        }
    }

    /// A cluster of distil by its identity.
    pub(crate) fn one(&mut self, id: &str) -> Result<Cluster> {
        if !is_id(id) {
            return Err(Error::usage(format!(
                "`{id}` is not the identity of a cluster, such as j-2AXXXXXXGAPLF"
            )));
        }
        let cluster = self.describe(id)?;
        match cluster.tag(NAME_TAG) {
            Some(_) => Ok(cluster),
            None => Err(Error::usage(format!(
                "the cluster {id} was not created by distil: it has no tag `{NAME_TAG}`"
            ))
            .help(format!("if you mean it: aws emr terminate-clusters --cluster-ids {id}"))),
        }
    }

    /// Adds a step. It is sent again only where it is known that it was not done.
    fn add(&mut self, id: &str, step: &Value, report: &str) -> Result<String> {
        let call = Call {
            once: true,
            ..Call::emr("AddJobFlowSteps", json!({"JobFlowId": id, "Steps": [step]}))
        };
        let mut attempts = ATTEMPTS;
        loop {
            self.check()?;
            let failure = match self.client.call(&call) {
                Ok(answer) => match added(&answer) {
                    Ok(step) => return Ok(step),
                    Err(odd) => Failure::new(Kind::Unclear, "", odd.what),
                },
                Err(failure) => failure,
            };
            attempts -= 1;
            if failure.kind == Kind::Throttled && attempts > 0 {
                self.pause()?;
                continue;
            }
            // It may be there although the answer was lost.
            if failure.kind == Kind::Unclear {
                let steps = self.steps(id)?;
                let is_ours = |words: &[String]| words.iter().any(|word| word == report);
                if let Some(step) = steps.iter().find(|step| is_ours(&step.arguments)) {
                    return Ok(step.id.clone());
                }
            }
            return Err(failure.error("AddJobFlowSteps").output("no step was added"));
        }
    }

    /// Cancels a step and waits until it is, as long as EMR goes along.
    fn cancel_step(&mut self, id: &str, step: &str) {
        self.warn(&format!("{id} step {step} is cancelled"));
        let parameters = json!({"ClusterId": id, "StepIds": [step], "StepCancellationOption": "TERMINATE_PROCESS"});
        if let Err(failure) = self.client.call(&Call::emr("CancelSteps", parameters)) {
            self.warn(&failure.error("CancelSteps").to_string());
            return;
        }
        for _ in 0..LOOKS {
            let Ok(steps) = self.steps(id) else { return };
            match steps.iter().find(|one| one.id == step) {
                Some(one) if !one.is_over() => drop(self.pause()),
                Some(one) => return self.tell(&format!("{id} step {step} is {}", one.state)),
                None => return,
            }
        }
    }
}
