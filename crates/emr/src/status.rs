//! What runs, and its end.

use distil_plan::{Error, Result};
use serde::Serialize;

use crate::control::{Emr, is_past, now};
use crate::receipt::Receipt;
use crate::request::NAME_TAG;

/// A cluster that costs money.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Running {
    /// `j-...`
    pub cluster: String,
    /// The section of the configuration that it was made of.
    pub name: String,
    /// Its state, in the word of EMR.
    pub state: String,
    /// Minutes since it was asked for.
    pub minutes: Option<u64>,
    /// The minutes that it was given.
    pub max_minutes: u64,
    /// Steps that are not over.
    pub steps: usize,
    /// What it came to until now.
    pub receipt: Option<Receipt>,
    /// Why it should not run any more, if that is so.
    pub left_running: Option<String>,
}

impl Emr<'_> {
    /// The clusters of distil that cost money: of one name, or of all.
    ///
    /// # Errors
    /// An environment error if EMR does not answer.
    pub fn status(&mut self, name: Option<&str>) -> Result<Vec<Running>> {
        let mut found = Vec::new();
        for cluster in self.ours(name)? {
            let steps = self.steps(&cluster.id)?.iter().filter(|step| !step.is_over()).count();
            let (max_minutes, now) = (self.limit(&cluster), now());
            let left_running = if is_past(&cluster, max_minutes, now) {
                Some(format!("it is older than its {max_minutes} minutes"))
            } else {
                (cluster.state == "WAITING")
                    .then(|| "it waits, and nothing is to be done".to_owned())
            };
            let seconds = cluster.created.map(|created| now.saturating_sub(created));
            found.push(Running {
                name: cluster.tag(NAME_TAG).unwrap_or_default().to_owned(),
                minutes: seconds
                    .and_then(|seconds| u64::try_from(seconds).ok())
                    .map(|seconds| seconds / 60),
                max_minutes,
                steps,
                receipt: self.receipt(&cluster, None),
                left_running,
                state: cluster.state,
                cluster: cluster.id,
            });
        }
        Ok(found)
    }

    /// Ends clusters and sees that they ended: one by its identity, or all of the options' name. Each has its receipt,
    /// also where another one does not end.
    pub fn down(&mut self, cluster: Option<&str>) -> (Vec<Receipt>, Result<()>) {
        let mut receipts = Vec::new();
        let name = self.options.name.clone();
        let all = match cluster {
            Some(id) => self.one(id).map(|cluster| vec![cluster]),
            None => self.ours(Some(&name)),
        };
        let all = match all {
            Ok(all) => all,
            Err(error) => return (receipts, Err(error)),
        };
        let mut failed: Option<Error> = None;
        for cluster in all {
            match self.end(&cluster.id) {
                Ok((cluster, is_asked)) => {
                    receipts.extend(
                        self.receipt(&cluster, is_asked.then_some("asked by distil emr down")),
                    );
                }
                Err(error) => {
                    self.warn(&error.to_string());
                    failed.get_or_insert(error);
                }
            }
        }
        (receipts, failed.map_or(Ok(()), Err))
    }

    /// Where the event logs of a cluster are.
    ///
    /// # Errors
    /// A usage error if it is not one of distil, or not the only one of its name; an environment error if EMR does not
    /// answer.
    pub fn event_logs(&mut self, cluster: Option<&str>) -> Result<String> {
        let cluster = self.the_cluster(cluster)?;
        let places = crate::request::Places::of_log_uri(&cluster.log_uri);
        places.map(|places| places.events()).ok_or_else(|| {
            Error::usage(format!(
                "the logs of {} are not where distil puts them: {}",
                cluster.id, cluster.log_uri
            ))
        })
    }
}
