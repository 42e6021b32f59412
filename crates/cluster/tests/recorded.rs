//! The audit of recorded runs: good ones pass, and each bad one fails for its own reason.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests may, and they look at the disk past the storage"
)]

use std::path::{Path, PathBuf};

use distil_cluster::{Application, Audit, Cluster, ExpectedNodes, Source, Thresholds, audit};
use distil_plan::{Code, Error, Result};
use distil_storage::{InputFile, Local, Memory, Metadata, OutputFile, Storage};

/// Servers that answer what was put under a URL, which may begin with another one.
#[derive(Default)]
struct Web(Memory);

impl Web {
    fn name(url: &Path) -> PathBuf {
        url.to_str().unwrap().replace('/', "|").into()
    }

    fn put(&self, url: &str, answer: impl Into<Vec<u8>>) {
        self.0.put(Self::name(Path::new(url)), answer.into());
    }
}

impl Storage for Web {
    fn open(&self, url: &Path) -> Result<Box<dyn InputFile>> {
        match self.0.metadata(&Self::name(url))? {
            Some(_) => self.0.open(&Self::name(url)),
            None => Err(Error::input("there is no such file").coded(Code::NotFound)),
        }
    }

    fn metadata(&self, _: &Path) -> Result<Option<Metadata>> {
        unreachable!("a server is asked for what it answers alone")
    }

    fn list(&self, _: &Path) -> Result<Vec<PathBuf>> {
        unreachable!()
    }

    fn create_new(&self, _: &Path) -> Result<Box<dyn OutputFile>> {
        unreachable!()
    }

    fn remove_file(&self, _: &Path) -> Result<()> {
        unreachable!()
    }

    fn canonical(&self, _: &Path) -> Result<PathBuf> {
        unreachable!()
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn read(name: &str) -> Application {
    Source::EventLog(fixture(name), None).read(&Local).unwrap()
}

fn on(nodes: ExpectedNodes) -> Thresholds {
    Thresholds { nodes: Some(nodes), ..Thresholds::default() }
}

fn three() -> Thresholds {
    on("node1,node2,node3".parse().unwrap())
}

/// Node, tasks, and seconds in which it was busy.
fn nodes(audit: &Audit) -> Vec<(String, u64, f64)> {
    let nodes = audit.nodes.iter();
    nodes.map(|node| (node.node.clone(), node.used.tasks, node.used.busy_seconds)).collect()
}

fn notes(audit: &Audit) -> Vec<&str> {
    audit.findings.iter().filter(|f| !f.fails).map(|finding| finding.code).collect()
}

#[test]
fn good_runs_pass_with_the_figures_of_a_history_server() {
    let good = audit(&read("good-cluster-mode"), None, &three());
    assert_eq!(
        good.verdict.reason,
        "all 3 nodes worked: their cores were busy 65% to 71% of their time"
    );
    assert!(good.verdict.passed && good.verdict.change.is_none());
    assert_eq!(
        nodes(&good),
        [
            ("node1".into(), 38, 102.401),
            ("node2".into(), 47, 111.451),
            ("node3".into(), 50, 111.566)
        ]
    );
    let about = &good.application;
    assert_eq!(
        (about.id.as_str(), about.attempt.as_deref(), about.spark.as_str()),
        ("application_1795574059731_0002", Some("1"), "4.3.0")
    );
    assert_eq!(
        (about.driver.as_deref(), about.deploy_mode.as_deref()),
        (Some("node1"), Some("cluster"))
    );
    assert_eq!(about.started.as_deref(), Some("2026-11-25T02:39:33.939Z"));
    let stage = &good.stages[0];
    // The first tasks of the three executors took 18.6 to 20.9 s.
    assert_eq!((stage.tasks, stage.longest_seconds), (100, 4.232));
    assert_eq!((good.times.run, good.times.until_executor), (212.831, 54.683));
    assert_eq!(notes(&good), ["late_start"]);
}

#[test]
fn a_good_run_of_an_older_spark_and_one_of_little_data_pass() {
    let old = audit(&read("good-standalone-3.5"), None, &on(ExpectedNodes::Count(3)));
    assert_eq!(
        old.verdict.reason,
        "all 3 nodes worked: their cores were busy 69% to 79% of their time"
    );
    assert_eq!(old.application.spark, "3.5.6");
    let small = audit(&read("small-client-mode"), None, &three());
    assert_eq!(small.verdict.reason, "all 3 nodes worked: their cores were busy 44% of their time");
    assert_eq!(small.application.application_master.as_deref(), Some("node1"));
    assert!(notes(&small).contains(&"late_start"));
    // Without a list of nodes a node that did nothing is unknown, and that is said.
    let alone = audit(&read("small-client-mode"), None, &Thresholds::default());
    assert!(alone.verdict.passed && notes(&alone).contains(&"unknown_nodes"));
}

#[test]
fn an_idle_node_fails_whoever_names_it() {
    let application = read("idle-node");
    let by_name = audit(&application, None, &three());
    assert_eq!(by_name.verdict.reason, "1 of 3 nodes had no executor: node1");
    let change = "spark.executor.instances is 2 for 3 nodes: set it to 3 or more";
    assert_eq!(by_name.verdict.change.as_deref(), Some(change));
    let by_number = audit(&application, None, &on(ExpectedNodes::Count(3)));
    assert_eq!(by_number.verdict.reason, "2 of 3 nodes worked");
    assert_eq!(by_number.verdict.change.as_deref(), Some(change));
    let cluster = Cluster { elapsed_ms: None, ..yarn(&[]) };
    let by_yarn = audit(&application, Some(&cluster), &Thresholds::default());
    assert_eq!(by_yarn.verdict, by_name.verdict);
    assert_eq!(
        by_yarn.findings.iter().find(|finding| finding.code == "unused_cores").unwrap().sentence,
        "YARN has 6 cores on 3 nodes, and the executors had 2"
    );
    // Two nodes were asked for, and both worked.
    assert!(audit(&application, None, &on(ExpectedNodes::Count(2))).verdict.passed);
}

#[test]
fn a_skewed_stage_fails_though_the_task_is_the_first_of_its_executor() {
    let skewed = audit(&read("skewed"), None, &three());
    assert_eq!(
        skewed.verdict.reason,
        "stage 0 is skewed: its longest task took 36.3 s and the median 0.9 s, having read 12.6 MiB where the \
         median read 135 KiB"
    );
    let loose = Thresholds { max_skew: 100.0, ..three() };
    assert!(audit(&read("skewed"), None, &loose).verdict.passed);
}

#[test]
fn thresholds_fail_what_is_below_them() {
    let reason =
        |name, thresholds: Thresholds| audit(&read(name), None, &thresholds).verdict.reason;
    assert_eq!(
        reason("small-client-mode", Thresholds { min_busy: 0.5, ..three() }),
        "the cores of 3 nodes were busy for less than 50% of their time: node1 44%, node2 44% and node3 44%"
    );
    assert_eq!(
        reason("good-cluster-mode", Thresholds { max_spread: 0.05, ..three() }),
        "the nodes did not work alike: node2 was busy 71% of the time of its cores, and node1 65%"
    );
}

/// What the recorded ResourceManager answers, after these replacements.
fn yarn(replaced: &[(&str, &str)]) -> Cluster {
    let web = Web::default();
    let base = "http://rm:8088/ws/v1/cluster";
    for (name, url) in [
        ("nodes", format!("{base}/nodes")),
        ("apps-ID", format!("{base}/apps/application_1795571790821_0005")),
    ] {
        let mut text =
            std::fs::read_to_string(fixture("yarn").join(name).with_extension("json")).unwrap();
        for (from, to) in replaced {
            text = text.replace(from, to);
        }
        web.put(&url, text);
    }
    Cluster::read(&web, "http://rm:8088/cluster", "application_1795571790821_0005").unwrap()
}

#[test]
fn what_yarn_says_is_joined() {
    let cluster = yarn(&[]);
    assert_eq!(cluster.nodes.len(), 3);
    assert_eq!((cluster.core_seconds, cluster.master.as_deref()), (Some(270), Some("node1")));
    let good = audit(&read("good-cluster-mode"), Some(&cluster), &Thresholds::default());
    let unused = good.findings.iter().find(|finding| finding.code == "unused_cores").unwrap();
    assert_eq!(
        unused.sentence,
        "YARN has 6 cores on 3 nodes, and the executors had 3; over its time it was given 44% of all cores"
    );
    assert!(good.verdict.passed, "{:?}", good.verdict);
    let used = good.cluster.unwrap();
    assert_eq!((used.nodes, used.cores, used.memory_mb, used.executor_cores), (3, 6, 9216, 3));
    let sick = yarn(&[
        ("\"state\":\"RUNNING\",\"id\":\"node2", "\"state\":\"UNHEALTHY\",\"id\":\"node2"),
        ("\"healthReport\":\"\"", "\"healthReport\":\"1/1 local-dirs are bad\""),
    ]);
    let sick = audit(&read("good-cluster-mode"), Some(&sick), &Thresholds::default());
    assert_eq!(sick.verdict.reason, "node2 is unhealthy and takes no work: 1/1 local-dirs are bad");
    // Names of another kind can't be joined; their number can.
    let others = yarn(&[("\"nodeHostName\":\"node", "\"nodeHostName\":\"ip-10-0-0-")]);
    let others = audit(&read("idle-node"), Some(&others), &Thresholds::default());
    assert_eq!(others.verdict.reason, "2 of 3 nodes worked");
    let domain = yarn(&[("\"nodeHostName\":\"node1\"", "\"nodeHostName\":\"Node1.example.org\"")]);
    assert!(
        audit(&read("good-cluster-mode"), Some(&domain), &Thresholds::default()).verdict.passed
    );
}

#[test]
fn the_answers_of_a_history_server_say_what_its_event_log_says() {
    let web = Web::default();
    let application = "http://h:18080/api/v1/applications/application_1795574059731_0001";
    let put = |url: String, name: &str| {
        let bytes = std::fs::read(fixture("rest").join(name)).unwrap();
        let bytes =
            if name.ends_with(".zst") { zstd::decode_all(&bytes[..]).unwrap() } else { bytes };
        web.put(&url, bytes);
    };
    put(application.to_owned(), "application.json");
    for name in ["allexecutors", "stages", "environment", "allmiscellaneousprocess"] {
        put(format!("{application}/{name}"), &format!("{name}.json.zst"));
    }
    for stage in [0, 2, 4, 7, 8, 9, 11] {
        let url = format!("{application}/stages/{stage}/0/taskList?offset=0&length=10000");
        put(url, &format!("taskList-{stage}.json.zst"));
    }
    let page = "http://h:18080/history/application_1795574059731_0001/jobs/";
    let source = Source::parse(&web, page, None, None).unwrap();
    let asked = audit(&source.read(&web).unwrap(), None, &three());
    put(format!("{application}/logs"), "logs.zip");
    let zipped = audit(&source.read(&web).unwrap(), None, &three());
    let log = audit(&read("skewed"), None, &three());
    assert_eq!(zipped, log);
    assert_eq!(asked.verdict, log.verdict);
    assert_eq!((asked.nodes, asked.stages), (log.nodes, log.stages));
    assert_eq!((asked.times, asked.timeline), (log.times, log.timeline));
}
