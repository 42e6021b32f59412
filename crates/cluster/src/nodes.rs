//! What the cluster says of itself: the REST of YARN's ResourceManager, or the page of a standalone Master.

use std::collections::BTreeMap;

use distil_plan::{Code, Error, Fault, Result};
use distil_storage::Storage;
use serde::Deserialize;

use crate::application::host_of;
use crate::rest::ask;
use crate::value::Number;

const WHOSE: &str = "a ResourceManager of YARN or a Master of Spark";

/// The nodes of a cluster, and what it knows of an application.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// Who was asked: `YARN`, or `the Master`.
    pub kind: &'static str,
    /// Its nodes, by name.
    pub nodes: Vec<ClusterNode>,
    /// Cores that the application was given, times seconds.
    pub core_seconds: Option<u64>,
    /// Memory that the application was given, in MB times seconds.
    pub memory_seconds: Option<u64>,
    /// Milliseconds of the application from its submission on.
    pub elapsed_ms: Option<u64>,
    /// The node of the application master.
    pub master: Option<String>,
}

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterNode {
    /// Its host.
    pub name: String,
    /// Its state, as the cluster spells it.
    pub state: String,
    /// Whether it takes work.
    pub is_usable: bool,
    /// What is wrong with it, if anything.
    pub health: String,
    /// Cores that it offers.
    pub cores: u64,
    /// Memory that it offers, in MB.
    pub memory_mb: u64,
}

#[derive(Deserialize)]
struct NodesAnswer {
    nodes: Option<NodeList>,
}

#[derive(Deserialize)]
struct NodeList {
    #[serde(default)]
    node: Vec<YarnNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct YarnNode {
    #[serde(default)]
    node_host_name: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    health_report: String,
    #[serde(default)]
    used_virtual_cores: Number,
    #[serde(default)]
    available_virtual_cores: Number,
    #[serde(rename = "usedMemoryMB", default)]
    used_memory: Number,
    #[serde(rename = "availMemoryMB", default)]
    available_memory: Number,
}

#[derive(Deserialize)]
struct AppAnswer {
    app: App,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct App {
    #[serde(default)]
    tracking_url: String,
    #[serde(default)]
    vcore_seconds: Number,
    #[serde(default)]
    memory_seconds: Number,
    #[serde(default)]
    elapsed_time: Number,
    #[serde(default)]
    am_host_http_address: String,
}

#[derive(Deserialize)]
struct MasterAnswer {
    workers: Vec<Worker>,
}

#[derive(Deserialize)]
struct Worker {
    host: String,
    #[serde(default)]
    cores: Number,
    #[serde(default)]
    memory: Number,
    #[serde(default)]
    state: String,
}

/// A URL without what follows the server and its folder.
fn base_of(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    let root = url.find("://").map_or(0, |at| at + 3);
    let ends = ["/ws/v1", "/cluster", "/json"];
    let end = ends.iter().filter_map(|end| url[root..].find(end)).min();
    end.map_or(url, |end| &url[..root + end])
}

impl Cluster {
    /// Asks the server at `url` for its nodes, and a ResourceManager for the application too.
    ///
    /// # Errors
    /// An environment error: it can't be reached. An input error: it is something else.
    pub fn read(storage: &dyn Storage, url: &str, application: &str) -> Result<Self> {
        let base = base_of(url);
        let error = match ask(storage, &format!("{base}/ws/v1/cluster/nodes"), WHOSE) {
            Ok(Some(answer)) => return Self::yarn(storage, base, answer, application),
            Ok(None) => {
                Error::input(format!("what answers at this URL is not {WHOSE}")).at(url, None)
            }
            Err(error) if error.fault == Fault::Input => error,
            Err(error) => return Err(error),
        };
        match ask(storage, &format!("{base}/json/"), WHOSE) {
            Ok(Some(answer)) => Ok(Self::standalone(answer)),
            Ok(None) | Err(_) => Err(error),
        }
    }

    fn yarn(
        storage: &dyn Storage,
        base: &str,
        answer: NodesAnswer,
        application: &str,
    ) -> Result<Self> {
        let nodes = answer.nodes.map_or_else(Vec::new, |nodes| nodes.node);
        let nodes = nodes.into_iter().map(|node| {
            let sum = |a: Number, b: Number| a.count().saturating_add(b.count());
            ClusterNode {
                is_usable: node.state == "RUNNING",
                cores: sum(node.used_virtual_cores, node.available_virtual_cores),
                memory_mb: sum(node.used_memory, node.available_memory),
                name: node.node_host_name,
                state: node.state,
                health: node.health_report,
            }
        });
        let mut cluster = Self { kind: "YARN", nodes: by_host(nodes), ..Self::default() };
        // A ResourceManager forgets applications, and those of a standalone cluster are unknown to it.
        let is_id = application.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        if is_id
            && !application.is_empty()
            && let Some(AppAnswer { app }) = ask(storage, &app_url(base, application), WHOSE)?
        {
            cluster.core_seconds = Some(app.vcore_seconds.count());
            cluster.memory_seconds = Some(app.memory_seconds.count());
            cluster.elapsed_ms = Some(app.elapsed_time.count());
            let master = host_of(&app.am_host_http_address);
            cluster.master = (!master.is_empty()).then(|| master.to_owned());
        }
        Ok(cluster)
    }

    fn standalone(answer: MasterAnswer) -> Self {
        let nodes = answer.workers.into_iter().map(|worker| ClusterNode {
            name: worker.host,
            is_usable: worker.state == "ALIVE",
            state: worker.state,
            health: String::new(),
            cores: worker.cores.count(),
            memory_mb: worker.memory.count(),
        });
        Self { kind: "the Master", nodes: by_host(nodes), ..Self::default() }
    }
}

fn app_url(base: &str, application: &str) -> String {
    format!("{base}/ws/v1/cluster/apps/{application}")
}

/// Nodes by host: one may have several Workers, or one that went and one that came after it.
fn by_host(nodes: impl Iterator<Item = ClusterNode>) -> Vec<ClusterNode> {
    let mut hosts: BTreeMap<String, ClusterNode> = BTreeMap::new();
    for node in nodes {
        match hosts.get_mut(&node.name) {
            Some(known) if known.is_usable && node.is_usable => {
                known.cores = known.cores.saturating_add(node.cores);
                known.memory_mb = known.memory_mb.saturating_add(node.memory_mb);
            }
            Some(known) if known.is_usable => {}
            _ => {
                hosts.insert(node.name.clone(), node);
            }
        }
    }
    hosts.into_values().collect()
}

/// Where the ResourceManager says that an application is recorded.
///
/// # Errors
/// As [`Cluster::read`]; an input error: it knows no such application, or not where it is recorded.
pub(crate) fn tracking_url(storage: &dyn Storage, url: &str, application: &str) -> Result<String> {
    let base = base_of(url);
    let AppAnswer { app } = ask(storage, &app_url(base, application), WHOSE)?.ok_or_else(|| {
        Error::input(format!("there is no application {application}"))
            .coded(Code::NotFound)
            .at(url, None)
            .help("YARN forgets applications that are over: name their event log, or --from a History Server")
    })?;
    match app.tracking_url.is_empty() || app.tracking_url == "N/A" {
        false => Ok(app.tracking_url),
        true => Err(Error::input(format!("YARN does not say where {application} is recorded"))
            .at(url, None)
            .help(format!("say where: distil audit {application} --from http://HISTORY:18080"))),
    }
}
