//! EMR as far as these tests need it: JSON 1.1 over HTTP. Clusters go through the states of a script, one at each look, so
//! that nothing depends on a clock.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

/// When every cluster is asked for, unless a test says otherwise: no clock is there yet, so none is too old.
pub const CREATED: i64 = 4_102_444_800;
/// What every cluster takes.
pub const SECONDS: i64 = 1000;

/// What happens to one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is refused because there are too many.
    Throttled,
    /// It is refused for this reason.
    Refused(&'static str, &'static str),
    /// The server is in trouble.
    Internal,
    /// The connection is closed before it is done.
    Cut,
    /// It is done, and the connection closed before the answer.
    Lost,
    /// The answer is this text.
    Odd(&'static str),
}

/// How a cluster goes on when it is looked at.
#[derive(Clone, Debug)]
pub struct Script {
    /// States of the cluster and of its step, look by look; the last one stays.
    pub looks: Vec<(&'static str, &'static str)>,
    /// Why it ends.
    pub reason: (&'static str, &'static str),
    /// What EMR says of the failure of the step.
    pub failure: Value,
    /// How many looks it is `TERMINATING` once it is asked to end.
    pub ending: usize,
    /// When it was asked for.
    pub created: i64,
}

impl Script {
    /// These states, and the end that goes with them.
    pub fn new(looks: &[(&'static str, &'static str)]) -> Self {
        Self {
            looks: looks.to_vec(),
            reason: ("ALL_STEPS_COMPLETED", "Steps completed"),
            failure: Value::Null,
            ending: 1,
            created: CREATED,
        }
    }

    /// A job that ends well.
    pub fn good() -> Self {
        Self::new(&[
            ("STARTING", "PENDING"),
            ("BOOTSTRAPPING", "PENDING"),
            ("RUNNING", "RUNNING"),
            ("TERMINATING", "COMPLETED"),
            ("TERMINATED", "COMPLETED"),
        ])
    }

    /// A cluster that is kept: it waits until a step comes, which then takes a look.
    pub fn kept() -> Self {
        Self::new(&[("STARTING", "PENDING"), ("WAITING", "RUNNING"), ("WAITING", "COMPLETED")])
    }
}

/// A cluster of the server.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub id: String,
    /// The request that made it.
    pub request: Value,
    script: Script,
    look: usize,
    steps: Vec<Value>,
    cancelled: bool,
    /// Looks since it was asked to end.
    ending: Option<usize>,
}

impl Cluster {
    pub fn state(&self) -> &'static str {
        match self.ending {
            Some(looks) if looks >= self.script.ending => "TERMINATED",
            Some(_) => "TERMINATING",
            None => self.script.looks[self.look.min(self.script.looks.len() - 1)].0,
        }
    }

    pub fn is_over(&self) -> bool {
        self.state().starts_with("TERMINATED")
    }

    fn step_state(&self) -> &'static str {
        if self.cancelled {
            return "CANCELLED";
        }
        self.script.looks[self.look.min(self.script.looks.len() - 1)].1
    }

    /// The next state, unless the last one is reached. A cluster that waits goes on with its step.
    fn advance(&mut self) {
        let waits = self.state() == "WAITING" && self.steps.is_empty();
        match &mut self.ending {
            Some(looks) => *looks = looks.saturating_add(1),
            None if waits => {}
            None => self.look = (self.look + 1).min(self.script.looks.len() - 1),
        }
    }

    fn timeline(&self) -> Value {
        let mut timeline = json!({"CreationDateTime": self.script.created});
        if self.is_over() {
            timeline["EndDateTime"] = json!(self.script.created + SECONDS);
        }
        timeline
    }

    fn described(&self) -> Value {
        let reason = match (self.ending, self.is_over()) {
            (Some(_), _) => ("USER_REQUEST", "Terminated by user request"),
            (None, true) => self.script.reason,
            (None, false) => ("", ""),
        };
        let request = &self.request;
        json!({
            "Id": self.id, "Name": request["Name"], "ReleaseLabel": request["ReleaseLabel"],
            "LogUri": request["LogUri"], "Tags": request["Tags"],
            "AutoTerminate": request["Instances"]["KeepJobFlowAliveWhenNoSteps"] != true,
            "Status": {
                "State": self.state(), "Timeline": self.timeline(),
                "StateChangeReason": {"Code": reason.0, "Message": reason.1},
            },
        })
    }
}

/// What the server knows, and what was asked of it.
#[derive(Default)]
pub struct State {
    pub clusters: Vec<Cluster>,
    /// Operations and their parameters.
    pub calls: Vec<(String, Value)>,
    scripts: VecDeque<Script>,
    faults: Vec<(&'static str, Fault)>,
}

/// A server on a free port, which ends with the test.
pub struct Fake {
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// A server whose clusters go by these scripts, one after another.
    pub fn new(scripts: impl IntoIterator<Item = Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = State { scripts: scripts.into_iter().collect(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::Builder::new()
            .spawn(move || {
                for stream in listener.incoming() {
                    let shared = Arc::clone(&shared);
                    let serve = move || drop(serve(&stream.unwrap(), &shared));
                    std::thread::Builder::new().spawn(serve).unwrap();
                }
            })
            .unwrap();
        Self { address, state }
    }

    /// The next requests of this operation meet these faults, in order.
    pub fn inject(&self, operation: &'static str, faults: &[Fault]) {
        self.state().faults.extend(faults.iter().map(|fault| (operation, fault.clone())));
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How often an operation was asked for.
    pub fn count(&self, operation: &str) -> usize {
        self.state().calls.iter().filter(|(asked, _)| asked == operation).count()
    }

    /// A cluster that is there already.
    pub fn add(&self, request: Value) -> String {
        self.state().create(request)
    }

    /// What ends at once from now on, however long it was to take.
    pub fn let_go(&self) {
        for cluster in &mut self.state().clusters {
            cluster.script.ending = 0;
        }
    }

    /// Nothing costs money any more.
    #[track_caller]
    pub fn assert_nothing_runs(&self) {
        for cluster in &self.state().clusters {
            assert!(cluster.is_over(), "{} is {}", cluster.id, cluster.state());
        }
    }
}

impl State {
    fn create(&mut self, request: Value) -> String {
        let id = format!("j-TEST{}", self.clusters.len() + 1);
        let script = self.scripts.pop_front().unwrap_or_else(Script::good);
        let steps = request["Steps"].as_array().cloned().unwrap_or_default();
        let cluster = Cluster {
            id: id.clone(),
            request,
            script,
            look: 0,
            steps,
            cancelled: false,
            ending: None,
        };
        self.clusters.push(cluster);
        id
    }

    fn cluster(&mut self, asked: &Value) -> Option<&mut Cluster> {
        let id = asked.as_str()?;
        self.clusters.iter_mut().find(|cluster| cluster.id == id)
    }

    fn fault(&mut self, operation: &str) -> Option<Fault> {
        let at = self.faults.iter().position(|(name, _)| *name == operation)?;
        Some(self.faults.remove(at).1)
    }

    fn answer(
        &mut self,
        operation: &str,
        asked: &Value,
    ) -> Result<Value, (&'static str, &'static str)> {
        let unknown = ("InvalidRequestException", "Cluster id is not valid.");
        match operation {
            "RunJobFlow" => Ok(json!({"JobFlowId": self.create(asked.clone())})),
            "ListClusters" => {
                let states = asked["ClusterStates"].as_array().unwrap();
                let is_asked =
                    |cluster: &&Cluster| states.iter().any(|state| state == cluster.state());
                let shown =
                    |cluster: &Cluster| json!({"Id": cluster.id, "Name": cluster.request["Name"]});
                Ok(
                    json!({"Clusters": self.clusters.iter().filter(is_asked).map(shown).collect::<Vec<_>>()}),
                )
            }
            "TerminateJobFlows" => {
                for id in asked["JobFlowIds"].as_array().unwrap() {
                    let cluster = self.cluster(id).ok_or(unknown)?;
                    if !cluster.is_over() {
                        cluster.ending.get_or_insert(0);
                    }
                }
                Ok(json!({}))
            }
            "AddJobFlowSteps" => {
                let cluster = self.cluster(&asked["JobFlowId"]).ok_or(unknown)?;
                cluster.steps.extend(asked["Steps"].as_array().unwrap().iter().cloned());
                Ok(json!({"StepIds": [format!("s-{}", cluster.steps.len())]}))
            }
            _ => {
                let cluster = self.cluster(&asked["ClusterId"]).ok_or(unknown)?;
                Ok(match operation {
                    "DescribeCluster" => {
                        cluster.advance();
                        json!({"Cluster": cluster.described()})
                    }
                    "ListSteps" => json!({"Steps": cluster.listed()}),
                    "ListInstances" => {
                        let instance = json!({"Id": "ci-1", "InstanceType": "m5.xlarge", "Status": {"Timeline": cluster.timeline()}});
                        json!({"Instances": [instance, instance, instance]})
                    }
                    "CancelSteps" => {
                        cluster.cancelled = true;
                        json!({"CancelStepsInfoList": []})
                    }
                    // What the command `aws` asks for beside what it is asked.
                    "ListInstanceGroups" => json!({"InstanceGroups": []}),
                    "ListBootstrapActions" => json!({"BootstrapActions": []}),
                    _ => panic!("the server does not play {operation}"),
                })
            }
        }
    }
}

impl Cluster {
    /// Its steps, the newest first. Those before the last are done.
    fn listed(&self) -> Vec<Value> {
        let last = self.steps.len();
        let listed = |(at, step): (usize, &Value)| {
            let state = if at + 1 == last { self.step_state() } else { "COMPLETED" };
            let mut status = json!({"State": state, "StateChangeReason": {}});
            if state == "FAILED" {
                status["FailureDetails"] = self.script.failure.clone();
            }
            json!({
                "Id": format!("s-{}", at + 1), "Name": step["Name"], "Status": status,
                "Config": {"Args": step["HadoopJarStep"]["Args"]},
            })
        };
        self.steps.iter().enumerate().map(listed).rev().collect()
    }
}

/// Answers the requests of a connection until it ends.
fn serve(stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let (mut operation, mut length, mut is_first) = (String::new(), 0, true);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim();
            if line.is_empty() && !is_first {
                break;
            }
            is_first = false;
            let (name, value) = line.split_once(':').unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "x-amz-target" => operation = value.trim().replace("ElasticMapReduce.", ""),
                "content-length" => length = value.trim().parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let (status, text) = {
            let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            state.calls.push((operation.clone(), asked.clone()));
            let failure =
                |code: &str, message: &str| json!({"__type": code, "message": message}).to_string();
            match state.fault(&operation) {
                Some(Fault::Cut) => return Ok(()),
                Some(Fault::Lost) => {
                    state.answer(&operation, &asked).unwrap();
                    return Ok(());
                }
                Some(Fault::Throttled) => (400, failure("ThrottlingException", "Rate exceeded")),
                Some(Fault::Refused(code, message)) => (400, failure(code, message)),
                Some(Fault::Internal) => (500, failure("InternalServerException", "")),
                Some(Fault::Odd(text)) => (200, text.to_owned()),
                None => match state.answer(&operation, &asked) {
                    Ok(answer) => (200, answer.to_string()),
                    Err((code, message)) => (400, failure(code, message)),
                },
            }
        };
        let head = format!(
            "HTTP/1.1 {status} told\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        stream.write_all(&[head.as_bytes(), text.as_bytes()].concat())?;
    }
}
