//! `distil audit` on recorded runs: what it prints and writes, and how it ends.

use std::path::PathBuf;

use insta::assert_snapshot;

use crate::context::Context;

const NODES: &str = "node1,node2,node3";

fn fixture(name: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../cluster/tests/fixtures");
    PathBuf::from(root).join(name).canonicalize().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_good_run_passes_with_a_table() {
    let context = Context::new();
    let told = context.run(&["audit", &fixture("small-client-mode"), "--nodes", "3"]);
    assert_snapshot!(told, @"
    exit: 0
    --- stdout
    dedup, application_1795571790821_0006, Spark 4.3.0, yarn, client, 178.1 s

    node   executors  cores    came  tasks  busy  cpu  gc     input   shuffle  spilled
    node1          1      1  50.8 s      9   44%   8%  2%  6.61 MiB  9.33 MiB        -
    node2          1      1  50.0 s     11   44%   9%  3%  5.30 MiB  8.78 MiB        -
    node3          1      1  50.2 s      7   44%   8%  2%  3.97 MiB  8.50 MiB        -

    stage  tasks    took  median  longest     input  shuffled
    0         12  27.1 s   1.7 s    2.5 s  15.9 MiB         -
    2          3  11.9 s  11.2 s   11.4 s         -  5.50 MiB
    4          3   5.5 s   4.4 s    4.9 s         -  5.50 MiB
    7          3  14.6 s  13.3 s   13.8 s         -  5.06 MiB
    8          1   0.9 s   0.7 s    0.7 s         -         -
    9          4   1.9 s   1.5 s    1.8 s  26.4 KiB         -
    11         1   0.5 s   0.4 s    0.4 s         -     233 B

    note: the first executor came after 50.0 s, 28% of the run
    note: executors waited for the driver for 65.6 s, 37% of the run

    passed: all 3 nodes worked: their cores were busy 44% of their time
    ");
}

#[test]
fn a_bad_run_fails_with_its_reason_and_what_to_change() {
    let context = Context::new();
    let told = context.run(&["audit", &fixture("idle-node"), "--nodes", NODES, "-q"]);
    assert_snapshot!(told, @"
    exit: 1
    --- stderr
    error: 1 of 3 nodes had no executor: node1
      help: spark.executor.instances is 2 for 3 nodes: set it to 3 or more
    ");
    let told = context.run(&["audit", &fixture("skewed"), "--nodes", NODES, "-q"]);
    assert_snapshot!(told, @"
    exit: 1
    --- stderr
    error: stage 0 is skewed: its longest task took 36.3 s and the median 0.9 s, having read 12.6 MiB where the median read 135 KiB
      help: cut the input or the keys so that the tasks of a stage read about the same
    ");
}

#[test]
fn json_and_the_page_say_the_same_and_replace_nothing_else() {
    let context = Context::new();
    let log = fixture("good-cluster-mode");
    let arguments = ["audit", &log, "--nodes", NODES, "--json", "--report", "audit.html"];
    let json: serde_json::Value = serde_json::from_str(&context.out(&arguments)).unwrap();
    assert_eq!(json["verdict"]["passed"], true);
    assert_eq!(json["nodes"][2]["tasks"], 50);
    let page = context.read("audit.html");
    assert!(page.starts_with("<!doctype html>\n") && page.ends_with("</html>\n"), "{page}");
    for part in [
        "<title>dedup · passed · distil</title>",
        "all 3 nodes worked: their cores were busy 65% to 71% of their time",
        "cores over time",
        "nodes over time",
        "node2: its first executor came after 56.54 s",
        "stage 0: 100 tasks, 61.28 s",
        "color-scheme:light dark",
    ] {
        assert!(page.contains(part), "{part:?} is missing in {page}");
    }
    for outside in ["http://", "https://", "<script", "<link", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    // An earlier audit is replaced, in either form; nothing else is.
    context.out(&arguments);
    let other = ["audit", &log, "--nodes", NODES, "-q", "--report"];
    context.out(&[&other[..], &["a.json"]].concat());
    context.out(&[&other[..], &["a.json"]].concat());
    context.write("mine.html", "<!doctype html>mine");
    let told = context.run(&[&other[..], &["mine.html"]].concat());
    assert!(told.starts_with("exit: 5\n"), "{told}");
    assert_eq!(context.read("mine.html"), "<!doctype html>mine");
}

#[test]
fn texts_of_a_log_are_no_markup_and_steer_no_terminal() {
    let context = Context::new();
    let event = |text: &str| format!("{{\"Event\":\"SparkListener{text}}}\n");
    let log = event(
        "ApplicationStart\",\"App Name\":\"<b>\\u001b[31m\",\"App ID\":\"app-1-0\",\"Timestamp\":1000",
    ) + &event(
        "ExecutorAdded\",\"Timestamp\":1000,\"Executor ID\":\"1\",\"Executor Info\":{\"Host\":\"<i>\\u202e\",\"Total Cores\":1}",
    ) + &event(
        "TaskEnd\",\"Stage ID\":0,\"Task Info\":{\"Task ID\":0,\"Executor ID\":\"1\",\"Host\":\"h\",\"Launch Time\":1000,\"Finish Time\":9000}",
    );
    context.write("log", log);
    let told = context.run(&["audit", "log", "--report", "page.html"]);
    assert!(told.contains("<b>\\u{1b}[31m, app-1-0") && !told.contains('\u{1b}'), "{told}");
    assert!(told.contains("note: its end is not recorded"), "{told}");
    let page = context.read("page.html");
    assert!(page.contains("&lt;b&gt;\\u{1b}[31m") && !page.contains("<b>"), "{page}");
    assert!(!page.contains("<i>") && !page.contains('\u{202e}'), "{page}");
}

#[test]
fn what_is_not_there_or_not_said_is_told() {
    let context = Context::new();
    assert_snapshot!(context.run(&["audit", "application_1_0001"]), @"
    exit: 2
    --- stderr
    error: `application_1_0001` is the id of an application, and nothing says where it is recorded
      help: say where: distil audit application_1_0001 --from http://HISTORY:18080, or --from DIRECTORY of event logs
      help: or ask YARN: distil audit application_1_0001 --cluster http://RESOURCEMANAGER:8088
    ");
    assert_snapshot!(context.run(&["audit", "none/log"]), @"
    exit: 1
    --- stderr
    error: none/log: there is no such event log
    ");
    context.write("in.json", "{\"id\":1}\n");
    assert_snapshot!(context.run(&["audit", "in.json"]), @"
    exit: 1
    --- stderr
    error: in.json: this is no event log of Spark
      help: have Spark write one: spark.eventLog.enabled=true, and spark.eventLog.dir
    ");
    let told = context.run(&["audit", "in.json", "--max-skew", "x"]);
    assert!(told.starts_with("exit: 2\n") && told.contains("is not a number of times"), "{told}");
}

#[cfg(feature = "cloud")]
mod servers {
    use std::collections::HashMap;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;

    const ID: &str = "application_1795574059731_0001";

    type Answers = HashMap<String, Vec<Vec<u8>>>;

    /// A server that answers what was recorded. It ends with the process of the test.
    struct Server {
        address: SocketAddr,
        answers: Arc<Mutex<Answers>>,
        asked: Arc<AtomicU64>,
    }

    impl Server {
        fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let (answers, asked) =
                (Arc::new(Mutex::new(Answers::new())), Arc::new(AtomicU64::new(0)));
            let server = Self { address, answers: Arc::clone(&answers), asked: Arc::clone(&asked) };
            let serve = move || {
                for stream in listener.incoming() {
                    asked.fetch_add(1, Ordering::Relaxed);
                    answer(stream.unwrap(), &answers);
                }
            };
            std::thread::Builder::new().spawn(serve).unwrap();
            server
        }

        fn url(&self) -> String {
            format!("http://{}", self.address)
        }

        /// Answers this, after what was given before was answered once each.
        fn put(&self, path: &str, answer: Vec<u8>) {
            self.answers.lock().unwrap().entry(path.to_owned()).or_default().push(answer);
        }

        /// As a History Server does that has no event log, or a driver.
        fn put_rest(&self) {
            let root = format!("/api/v1/applications/{ID}");
            for name in ["allexecutors", "stages", "environment", "allmiscellaneousprocess"] {
                self.put(&format!("{root}/{name}"), recorded(&format!("{name}.json.zst")));
            }
            for stage in [0, 2, 4, 7, 8, 9, 11] {
                let list = format!("{root}/stages/{stage}/0/taskList?offset=0&length=10000");
                self.put(&list, recorded(&format!("taskList-{stage}.json.zst")));
            }
        }
    }

    fn answer(stream: TcpStream, answers: &Mutex<Answers>) {
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first).unwrap();
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
        let path = first.split(' ').nth(1).unwrap_or_default();
        let mut answers = answers.lock().unwrap();
        let (status, body) = match answers.get_mut(path) {
            Some(bodies) if bodies.len() > 1 => ("200 OK", bodies.remove(0)),
            Some(bodies) => ("200 OK", bodies[0].clone()),
            None => ("404 Not Found", b"unknown".to_vec()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        // Whoever asked may have enough.
        let _ = reader.get_mut().write_all(&[head.as_bytes(), &body].concat());
    }

    fn recorded(name: &str) -> Vec<u8> {
        let bytes = std::fs::read(fixture("rest") + "/" + name).unwrap();
        if name.ends_with(".zst") { zstd::decode_all(&bytes[..]).unwrap() } else { bytes }
    }

    const SKEWED: &str = "stage 0 is skewed: its longest task took 36.3 s and the median 0.9 s";

    #[test]
    fn a_history_server_is_asked_for_the_log_and_yarn_for_its_nodes() {
        let (context, history, yarn) = (Context::new(), Server::start(), Server::start());
        history.put("/api/v1/applications", recorded("applications.json"));
        history.put(&format!("/api/v1/applications/{ID}"), recorded("application.json"));
        history.put(&format!("/api/v1/applications/{ID}/logs"), recorded("logs.zip"));
        let nodes = std::fs::read(fixture("yarn/nodes.json")).unwrap();
        yarn.put("/ws/v1/cluster/nodes", nodes);
        let (from, cluster) = (history.url(), yarn.url());
        let told = context.run(&["audit", ID, "--from", &from, "--cluster", &cluster]);
        assert!(told.starts_with("exit: 1\n") && told.contains(SKEWED), "{told}");
        assert!(
            told.contains("note: YARN has 6 cores on 3 nodes, and the executors had 3\n"),
            "{told}"
        );
        let page = format!("{from}/history/{ID}/jobs/");
        assert!(context.run(&["audit", &page, "-q"]).contains(SKEWED));
        // Which of several is meant has to be said.
        let told = context.run(&["audit", &from]);
        assert!(
            told.starts_with("exit: 2\n") && told.contains("the server knows 5 applications"),
            "{told}"
        );
        let told = context.run(&["audit", "application_1_0001", "--from", &from]);
        assert!(
            told.starts_with("exit: 1\n")
                && told.contains("there is no application application_1_0001"),
            "{told}"
        );
        // YARN says where an application is recorded.
        let app =
            format!("{{\"app\":{{\"trackingUrl\":\"{from}/history/{ID}/1\",\"vcoreSeconds\":7}}}}");
        yarn.put(&format!("/ws/v1/cluster/apps/{ID}"), app.into_bytes());
        assert!(context.run(&["audit", ID, "--cluster", &cluster, "-q"]).contains(SKEWED));
        // One that is neither is no cluster.
        let told = context.run(&["audit", ID, "--from", &from, "--cluster", &from]);
        assert!(
            told.contains(
                "what answers at this URL is not a ResourceManager of YARN or a Master of Spark"
            ),
            "{told}"
        );
    }

    #[test]
    fn a_running_application_is_watched_until_it_is_over() {
        let (context, driver) = (Context::new(), Server::start());
        let done = String::from_utf8(recorded("application.json")).unwrap();
        let running = done.replace("\"completed\" : true", "\"completed\" : false");
        assert_ne!(running, done);
        let path = format!("/api/v1/applications/{ID}");
        for answer in [&running, &running, &done] {
            driver.put(&path, answer.clone().into_bytes());
        }
        driver.put("/api/v1/applications", format!("[{done}]").into_bytes());
        driver.put_rest();
        let url = format!("{}{path}", driver.url());
        let told = context.run(&["audit", &url, "--watch", "--every", "1", "--nodes", "3"]);
        assert!(told.starts_with("exit: 1\n") && told.contains(SKEWED), "{told}");
        let line = "219.1 s: 3 nodes worked, 26 tasks; busy: node1 41%, node2 34%, node3 35%\n";
        assert_eq!(told.matches(line).count(), 3, "{told}");
        // A driver has one application, which need not be named.
        let asked = driver.asked.load(Ordering::Relaxed);
        assert!(context.run(&["audit", &driver.url(), "-q"]).contains(SKEWED));
        assert!(driver.asked.load(Ordering::Relaxed) > asked);
    }

    #[test]
    fn a_server_that_answers_anything_else_is_told() {
        let (context, server) = (Context::new(), Server::start());
        server.put("/api/v1/applications", b"<html>login</html>".to_vec());
        let told = context.run(&["audit", &server.url()]);
        assert!(told.starts_with("exit: 1\n"), "{told}");
        assert!(
            told.contains("the answer is not that of a History Server or a driver of Spark"),
            "{told}"
        );
    }
}
