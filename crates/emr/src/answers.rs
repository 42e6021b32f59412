//! What EMR says of clusters, steps and instances. Nothing of it is taken for granted: a server may leave out what it
//! likes, and an answer that lacks what is needed is an error.

use distil_plan::{Error, Result};
use serde_json::Value;

/// A cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// `j-...`
    pub id: String,
    /// Its identity, as this crate names clusters.
    pub name: String,
    /// `STARTING`, `BOOTSTRAPPING`, `RUNNING`, `WAITING`, `TERMINATING`, `TERMINATED` or `TERMINATED_WITH_ERRORS`.
    pub state: String,
    /// Why it is in that state: a code of EMR.
    pub code: String,
    /// The same for people.
    pub message: String,
    /// When it was asked for, in seconds since 1970.
    pub created: Option<i64>,
    /// When it had ended.
    pub ended: Option<i64>,
    /// Its release.
    pub release: String,
    /// Where its logs go.
    pub log_uri: String,
    /// Whether it waits for more steps after the last one.
    pub is_kept: bool,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

impl Cluster {
    /// # Errors
    /// An environment error if it has neither an identity nor a state.
    pub(crate) fn read(answer: &Value) -> Result<Self> {
        let found = &answer["Cluster"];
        let (id, state) = (text(found, "Id"), text(&found["Status"], "State"));
        if !is_id(&id) || state.is_empty() {
            return Err(odd("DescribeCluster", answer));
        }
        let reason = &found["Status"]["StateChangeReason"];
        let timeline = &found["Status"]["Timeline"];
        let tags = found["Tags"].as_array().into_iter().flatten();
        Ok(Self {
            id,
            name: text(found, "Name"),
            state,
            code: text(reason, "Code"),
            message: text(reason, "Message"),
            created: instant(&timeline["CreationDateTime"]),
            ended: instant(&timeline["EndDateTime"]),
            release: text(found, "ReleaseLabel"),
            log_uri: text(found, "LogUri"),
            is_kept: found["AutoTerminate"] == false,
            tags: tags.map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect(),
        })
    }

    /// Whether nothing of it runs any more.
    pub fn is_over(&self) -> bool {
        self.state.starts_with("TERMINATED")
    }

    /// The value of a tag.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Why it is as it is, for people.
    pub fn reason(&self) -> String {
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => "EMR gives no reason".to_owned(),
            ("", only) | (only, "") => only.to_owned(),
            (code, message) => format!("{code}: {message}"),
        }
    }
}

/// A step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// `s-...`
    pub id: String,
    /// `PENDING`, `RUNNING`, `COMPLETED`, `CANCELLED`, `FAILED`, `INTERRUPTED` ...
    pub state: String,
    /// The words that it runs.
    pub arguments: Vec<String>,
    /// Why it failed, and where its log is, as far as EMR says.
    pub failure: Vec<String>,
}

impl Step {
    /// Whether it will not change any more.
    pub fn is_over(&self) -> bool {
        ["COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED"].contains(&self.state.as_str())
    }

    /// Whether it ended well.
    pub fn is_completed(&self) -> bool {
        self.state == "COMPLETED"
    }
}

/// The steps of an answer, the oldest first.
pub(crate) fn steps(answer: &Value) -> Result<Vec<Step>> {
    let Some(all) = answer["Steps"].as_array() else { return Err(odd("ListSteps", answer)) };
    let read = |step: &Value| {
        let details = &step["Status"]["FailureDetails"];
        let reason = text(&step["Status"]["StateChangeReason"], "Message");
        let named = ["Reason", "Message"].map(|name| text(details, name));
        let log = Some(text(details, "LogFile")).filter(|log| !log.is_empty());
        let told = named.into_iter().chain([reason]).filter(|line| !line.is_empty());
        let arguments = step["Config"]["Args"].as_array().into_iter().flatten();
        Step {
            id: text(step, "Id"),
            state: text(&step["Status"], "State"),
            arguments: arguments.filter_map(|one| one.as_str().map(str::to_owned)).collect(),
            failure: told.chain(log.map(|log| format!("log: {log}"))).collect(),
        }
    };
    // EMR lists the newest first.
    Ok(all.iter().rev().map(read).filter(|step| !step.id.is_empty()).collect())
}

/// An instance of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instance {
    /// Its type.
    pub instance_type: String,
    /// When it was asked for, in seconds since 1970.
    pub created: Option<i64>,
    /// When it had ended.
    pub ended: Option<i64>,
}

/// The instances of an answer.
pub(crate) fn instances(answer: &Value) -> Result<Vec<Instance>> {
    let Some(all) = answer["Instances"].as_array() else {
        return Err(odd("ListInstances", answer));
    };
    let read = |instance: &Value| {
        let timeline = &instance["Status"]["Timeline"];
        Instance {
            instance_type: text(instance, "InstanceType"),
            created: instant(&timeline["CreationDateTime"]),
            ended: instant(&timeline["EndDateTime"]),
        }
    };
    Ok(all.iter().map(read).collect())
}

/// The identities and names of the clusters of an answer.
pub(crate) fn clusters(answer: &Value) -> Result<Vec<(String, String)>> {
    let Some(all) = answer["Clusters"].as_array() else { return Err(odd("ListClusters", answer)) };
    let read = all.iter().map(|one| (text(one, "Id"), text(one, "Name")));
    Ok(read.filter(|(id, _)| is_id(id)).collect())
}

/// The identity that a new cluster got.
pub(crate) fn created(answer: &Value) -> Result<String> {
    let id = text(answer, "JobFlowId");
    if is_id(&id) { Ok(id) } else { Err(odd("RunJobFlow", answer)) }
}

/// The identity that a new step got.
pub(crate) fn added(answer: &Value) -> Result<String> {
    let id = answer["StepIds"][0].as_str().unwrap_or_default();
    if id.is_empty() { Err(odd("AddJobFlowSteps", answer)) } else { Ok(id.to_owned()) }
}

/// Whether this is how EMR names clusters: it goes on to commands that are shown to be pasted.
pub(crate) fn is_id(id: &str) -> bool {
    let is_plain = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    id.strip_prefix("j-").is_some_and(|rest| (1..=64).contains(&rest.len()) && is_plain(rest))
}

/// An answer that can't be what EMR says.
fn odd(operation: &str, answer: &Value) -> Error {
    let shown: String = answer.to_string().chars().take(200).collect();
    Error::environment(format!("what answers {operation} is not EMR: {shown}"))
        .help("look at AWS_ENDPOINT_URL, and at the proxy between here and AWS")
}

fn text(value: &Value, name: &str) -> String {
    // Shown in lines and tables, so no longer than a line.
    value[name].as_str().unwrap_or_default().chars().take(2000).collect()
}

/// An instant: seconds since 1970 from boto3, and from the command what it was configured to print.
fn instant(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            let seconds = number.as_f64()?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it saturates, far beyond any cluster"
            )]
            Some(seconds as i64)
        }
        Value::String(text) => Some(text.parse::<jiff::Timestamp>().ok()?.as_second()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instant_is_a_number_or_a_text() {
        assert_eq!(instant(&json!(1_796_097_731.848)), Some(1_796_097_731));
        assert_eq!(instant(&json!("2026-12-01T04:02:11.848000+00:00")), Some(1_796_097_731));
        assert_eq!(instant(&json!("2026-12-01T05:02:11+01:00")), Some(1_796_097_731));
        for odd in [json!(null), json!("yesterday"), json!([1])] {
            assert_eq!(instant(&odd), None);
        }
        assert_eq!(instant(&json!(1e300)), Some(i64::MAX));
    }

    #[test]
    fn answers_of_somebody_else_are_errors() {
        for odd in [
            json!(null),
            json!([]),
            json!({"Cluster": 7}),
            json!({"Cluster": {"Id": "x; rm -rf", "Status": {"State": "RUNNING"}}}),
        ] {
            assert!(Cluster::read(&odd).is_err(), "{odd}");
            assert!(steps(&odd).is_err() && instances(&odd).is_err() && clusters(&odd).is_err());
            assert!(created(&odd).is_err() && added(&odd).is_err());
        }
        let least =
            Cluster::read(&json!({"Cluster": {"Id": "j-1", "Status": {"State": "NEW_ONE"}}}))
                .unwrap();
        assert!(!least.is_over() && !least.is_kept);
        assert_eq!(least.reason(), "EMR gives no reason");
        assert_eq!(steps(&json!({"Steps": [7, {}, {"Id": "s-1"}]})).unwrap().len(), 1);
        assert_eq!(instances(&json!({"Instances": [null]})).unwrap(), [Instance::default()]);
    }
}
