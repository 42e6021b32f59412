//! Creating a cluster, with or without a job.

use distil_plan::{Code, Error, Result};
use serde::Serialize;
use serde_json::Value;

use crate::answers::created;
use crate::client::{Call, Failure, Kind};
use crate::control::{Emr, left_running};
use crate::follow::ended;
use crate::prices::estimate;
use crate::receipt::Receipt;
use crate::request::{BOOTSTRAP, Places, run_job_flow};

/// How often a request to create is repeated where EMR is too busy to take it.
const ATTEMPTS: u32 = 10;
/// How often a cluster is looked for of which nobody knows whether it was created.
const LOOKS: u32 = 3;
/// The job that a cluster is created with.
pub const FIRST_JOB: &str = "first";

/// A cluster to create.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// Its name, which no other cluster has.
    pub identity: &'a str,
    /// The plan of its first job, as JSON.
    pub plan: Option<&'a str>,
    /// Whether to return as soon as it is created.
    pub detach: bool,
}

/// What a command left.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// The cluster.
    pub cluster: Option<String>,
    /// Whether it still runs, on purpose.
    pub runs: bool,
    /// What it came to, once it has ended.
    pub receipt: Option<Receipt>,
    /// The report of the job, as it was written.
    #[serde(skip)]
    pub report: Option<String>,
}

impl Emr<'_> {
    /// Creates a cluster and follows it: one that is kept until it is ready and its job is done, any other one until it
    /// has ended. After an error, and after a wish to stop, it is ended.
    pub fn up(&mut self, new: &New<'_>) -> (Outcome, Result<()>) {
        let mut outcome = Outcome::default();
        let done = self.try_up(new, &mut outcome);
        (outcome, done)
    }

    fn try_up(&mut self, new: &New<'_>, outcome: &mut Outcome) -> Result<()> {
        let options = self.options;
        if new.plan.is_none() && !options.keep {
            return Err(Error::usage(
                "a cluster without a job would end as soon as it has started",
            )
            .help("give it a job: --plan FILE.json, or --job NAME")
            .help("or have it wait for jobs, and cost money until it is ended: --keep"));
        }
        let estimate = estimate(options)?;
        estimate.check(options)?;
        let job = new.plan.map(|_| FIRST_JOB);
        let request = run_job_flow(options, new.identity, job)?;
        self.upload(new).map_err(|error| error.output("nothing was created"))?;
        let id = self.create(&request, new.identity)?;
        outcome.cluster = Some(id.clone());
        self.has_cluster = true;
        self.tell(&format!(
            "{id} is created, as {}: at most {} dollars",
            new.identity, estimate.dollars
        ));
        let done = self.run_first(&id, new, outcome);
        if let Err(error) = done {
            let (error, receipt) = self.end_after(&id, error);
            outcome.receipt = receipt;
            return Err(error);
        }
        Ok(())
    }

    /// Everything after the creation. Whatever fails here, the cluster is ended.
    fn run_first(&mut self, id: &str, new: &New<'_>, outcome: &mut Outcome) -> Result<()> {
        if new.detach {
            self.check()?;
            outcome.runs = true;
            return Ok(());
        }
        let keep = self.options.keep;
        let report = new.plan.map(|_| Places::new(self.options, new.identity).report(FIRST_JOB));
        let seen = self.follow(id, &|seen| {
            let is_ready = ["RUNNING", "WAITING"].contains(&seen.cluster.state.as_str());
            let is_done = |report: &String| seen.step(report).is_some_and(|step| step.is_over());
            keep && report.as_ref().map_or(is_ready, is_done)
        })?;
        match &report {
            Some(report) => outcome.report = self.judge(&seen, report)?,
            None if seen.cluster.is_over() => return Err(ended(&seen.cluster)),
            None => {}
        }
        outcome.runs = !seen.cluster.is_over();
        if !outcome.runs {
            outcome.receipt = self.receipt(&seen.cluster, None);
        }
        Ok(())
    }

    /// Puts in place what the cluster reads.
    fn upload(&mut self, new: &New<'_>) -> Result<()> {
        let places = Places::new(self.options, new.identity);
        let texts = [
            (places.bootstrap(), Some(BOOTSTRAP)),
            (places.plan(FIRST_JOB), new.plan),
            // Spark writes event logs to directories that are there.
            (format!("{}.keep", places.events()), Some("distil\n")),
        ];
        for (url, text) in texts {
            self.check()?;
            let Some(text) = text else { continue };
            self.client.put_text(&url, text).map_err(|failure| not_put(&url, &failure))?;
        }
        for wheel in &self.options.wheels {
            let url = places.wheel(wheel);
            if url == *wheel {
                continue;
            }
            self.check()?;
            self.tell(&format!("{wheel} is copied to {url}"));
            self.client.put_file(&url, wheel).map_err(|failure| not_put(&url, &failure))?;
        }
        Ok(())
    }

    /// Creates a cluster. The request is sent again only where it is known that it was not done.
    fn create(&mut self, request: &Value, identity: &str) -> Result<String> {
        let call = Call { once: true, ..Call::emr("RunJobFlow", request.clone()) };
        for attempt in 1.. {
            self.check().map_err(|error| error.output("nothing was created"))?;
            let failure = match self.client.call(&call) {
                Ok(answer) => match created(&answer) {
                    Ok(id) => return Ok(id),
                    Err(odd) => Failure::new(Kind::Unclear, "", odd.what),
                },
                Err(failure) => failure,
            };
            match failure.kind {
                Kind::Unclear => return self.look_for(identity, &failure),
                Kind::Throttled if attempt < ATTEMPTS => {
                    self.tell(&format!("EMR is busy, and is asked again: {}", failure.code));
                    self.pause().map_err(|error| error.output("nothing was created"))?;
                }
                _ => return Err(failure.error("RunJobFlow").output("nothing was created")),
            }
        }
        Err(Error::bug("a loop without an end has ended"))
    }

    /// Looks for a cluster that may have been created although the answer was lost. Its name is its own.
    fn look_for(&mut self, identity: &str, failure: &Failure) -> Result<String> {
        self.has_cluster = true;
        self.warn(&format!(
            "EMR did not answer whether a cluster was created, and is asked: {}",
            failure.message
        ));
        let lost = failure.error("RunJobFlow");
        for look in 1..=LOOKS {
            // A wish to stop is heard once it is known what there is to end.
            match self.active() {
                Ok(all) => {
                    if let Some((id, _)) = all.into_iter().find(|(_, name)| name == identity) {
                        return Ok(id);
                    }
                }
                Err(error) => return Err(unknown(identity, &lost, &error)),
            }
            if look < LOOKS && self.pause().is_err() {
                continue;
            }
        }
        Err(lost
            .output(format!("no cluster {identity} is to be seen, so nothing was created"))
            .help("look again in a minute: distil emr status"))
    }
}

fn not_put(url: &str, failure: &Failure) -> Error {
    failure
        .error("the upload")
        .at(url, None)
        .help(format!("check that you can write there: echo | aws s3 cp - {url}"))
}

/// Neither the answer nor a look came through.
fn unknown(identity: &str, lost: &Error, why: &Error) -> Error {
    let error = left_running(identity, lost);
    Error { hints: Vec::new(), ..error }
        .coded(Code::LeftRunning)
        .detail(format!("and it can't be looked for: {why}"))
        .output("it is not known whether a cluster was created")
        .help("look as soon as AWS answers: distil emr status")
        .help("and end what is there: distil emr down")
}
