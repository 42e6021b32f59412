//! What goes wrong around a run: a clear error, the right exit status, the old output untouched.
#![allow(clippy::disallowed_methods, reason = "tests may, and they look at files past the storage")]

use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use distil_job::run::{Job, run};
use distil_plan::{Cancel, Error, Events, Fault, Mode, Phase, Plan, Report, Schema, Sink, Watch};
use distil_spark::{ConnectServer, Spark};
use distil_testkit::disk::{Folder, NativeScan, dedup, native, run_on, storage};

use super::servers::{Server, backend, shared};

const RECORDS: &str = "{\"id\":\"a\",\"n\":1}\n{\"id\":\"b\",\"n\":2}\n{\"id\":\"a\",\"n\":3}\n";

/// A folder with records and an output of before.
struct Before {
    folder: Folder,
    content: Vec<u8>,
}

impl Before {
    fn new(records: &str) -> Self {
        let folder = Folder::new(&[("a.json", b"{\"id\":\"old\"}\n")]);
        run_on(&folder.plan("o.parquet"), &native()).1.unwrap();
        write(&folder.path("in/a.json"), records.as_bytes());
        let content = read(&folder.path("o.parquet"));
        Self { folder, content }
    }

    fn plan(&self) -> Plan {
        let mut plan = self.folder.plan("o.parquet");
        plan.dedup = dedup("id", "n");
        plan.sink.mode = Mode::Overwrite;
        plan
    }

    /// The run failed as it should, and nothing but the old output is there.
    fn holds(&self, outcome: (Report, Result<(), Error>), fault: Fault, says: &str) -> Error {
        let error = outcome.1.expect_err("the run should fail");
        let text = format!(
            "{error}\n{}\n{}",
            error.details.join("\n"),
            error.hints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        );
        assert_eq!(error.fault, fault, "{text}");
        assert!(text.contains(says), "should say {says:?}:\n{text}");
        assert!(!error.hints.is_empty(), "no way on is told:\n{text}");
        assert_eq!(self.folder.names(), ["o.parquet"], "something was left behind");
        assert!(read(&self.folder.path("o.parquet")) == self.content, "the old output changed");
        error
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn write(path: &Path, content: &[u8]) {
    std::fs::write(path, content).unwrap();
}

fn impatient(url: &str) -> Spark {
    let server = ConnectServer::new(url).unwrap().patience(Duration::from_secs(4));
    Spark::new("spark", storage(), Box::new(server))
}

#[test]
fn a_url_that_is_none_is_a_usage_error_that_never_shows_a_token() {
    for url in [
        "spark://host:7077",
        "sc://",
        "sc://host/;user_id=me",
        "sc://host/;token=secret;session_id=x",
    ] {
        let error = ConnectServer::new(url).err().unwrap();
        assert_eq!(error.fault, Fault::Usage, "{url}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn nobody_at_the_url() {
    let before = Before::new(RECORDS);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("sc://127.0.0.1:{port}/;token=secret");
    let error = before.holds(
        run_on(&before.plan(), &impatient(&url)),
        Fault::Environment,
        "can't be reached",
    );
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    let nowhere = impatient("sc://no-such-host.invalid:15002");
    before.holds(run_on(&before.plan(), &nowhere), Fault::Environment, "can't be reached");
}

#[test]
fn something_else_than_spark_connect_at_the_url() {
    let before = Before::new(RECORDS);
    // It takes connections and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("sc://{}", listener.local_addr().unwrap());
    let outcome = run_on(&before.plan(), &impatient(&url));
    before.holds(outcome, Fault::Environment, "does not answer");
}

#[test]
fn tls_against_a_plain_port() {
    let Some(url) = shared("sail") else { return };
    let before = Before::new(RECORDS);
    let outcome = run_on(&before.plan(), &impatient(&format!("{url}/;use_ssl=true")));
    before.holds(outcome, Fault::Environment, "use_ssl");
}

#[test]
fn a_wrong_token_and_the_right_one() {
    let Some(server) = Server::start("spark", &["--token", "right"]) else { return };
    let before = Before::new(RECORDS);
    let url = &server.url;
    for url in [url.clone(), format!("{url}/;token=wrong")] {
        let outcome = run_on(&before.plan(), &backend(&url));
        let error = before.holds(outcome, Fault::Environment, "token");
        assert!(!format!("{error:?}").contains("wrong"), "{error:?}");
    }
    let (report, result) = run_on(&before.plan(), &backend(&format!("{url}/;token=right")));
    result.unwrap();
    assert_eq!((report.records.written, report.records.duplicates.conflicting), (2, 1));
}

/// Many records, so that a run takes a while.
fn many() -> String {
    (0..400_000).map(|n| format!("{{\"id\":\"{}\",\"n\":{n}}}\n", n % 300_000)).collect()
}

#[test]
fn a_server_that_is_killed_in_the_middle() {
    struct Kill(Server, AtomicU64);
    impl Events for Kill {
        fn begin(&self, stage: Phase, _: Option<u64>) {
            // The second time it is the backend that reads; the first time it is the scan.
            if stage == Phase::Decode && self.1.fetch_add(1, Ordering::Relaxed) == 1 {
                self.0.kill();
            }
        }
        fn advance(&self, _: u64, _: u64) {}
    }
    let Some(server) = Server::start("sail", &[]) else { return };
    let before = Before::new(&many());
    let backend = impatient(&server.url);
    // The session is open before the run begins, however slowly the server answers.
    while backend.version().is_err() {}
    let kill = Kill(server, AtomicU64::new(0));
    let outcome = run(&Job {
        scan: Some(&NativeScan),
        watch: Watch { events: &kill, cancel: &Cancel::new() },
        ..Job::new(storage(), before.plan(), &backend)
    });
    before.holds(outcome, Fault::Environment, "server");
    assert_eq!(kill.1.into_inner(), 2, "the backend did not read");
}

fn cancelled(server: &'static str) {
    /// Asks the run to end once the backend reads, however fast that is.
    struct Interrupt(Cancel, AtomicU64);
    impl Events for Interrupt {
        fn begin(&self, stage: Phase, _: Option<u64>) {
            // The first time it is the scan that reads.
            if stage == Phase::Decode && self.1.fetch_add(1, Ordering::Relaxed) == 1 {
                self.0.interrupt();
            }
        }
        fn advance(&self, _: u64, _: u64) {}
    }
    let Some(url) = shared(server) else { return };
    let before = Before::new(&many());
    let backend = backend(url);
    backend.version().unwrap();
    let cancel = Cancel::new();
    let (_, result) = run(&Job {
        scan: Some(&NativeScan),
        watch: Watch { events: &Interrupt(cancel.clone(), AtomicU64::new(0)), cancel: &cancel },
        ..Job::new(storage(), before.plan(), &backend)
    });
    let error = result.expect_err("the run should be cancelled");
    assert_eq!(error.fault, Fault::Interrupted, "{error}");
    assert_eq!(before.folder.names(), ["o.parquet"]);
    assert!(read(&before.folder.path("o.parquet")) == before.content);
    // The backend is fit for the next plan.
    let (report, result) = run_on(&before.plan(), &backend);
    result.unwrap();
    assert_eq!(report.records.written, 300_000);
}

#[test]
fn a_cancelled_run_leaves_the_old_output_on_sail() {
    cancelled("sail");
}

#[test]
fn a_cancelled_run_leaves_the_old_output_on_spark() {
    cancelled("spark");
}

#[test]
fn a_server_that_does_not_see_the_files() {
    // The current directory of a server is another one, so that this path leads elsewhere there.
    for server in ["sail", "spark"] {
        let Some(url) = shared(server) else { return };
        let before = Before::new(RECORDS);
        let backend = backend(url);
        let job = Job {
            scan: Some(&NativeScan),
            temp_dir: Some("/proc/self/cwd".into()),
            ..Job::new(storage(), before.plan(), &backend)
        };
        before.holds(run(&job), Fault::Environment, "does not see");
    }
}

#[test]
fn bad_records_are_told_by_the_scan() {
    let Some(url) = shared("sail") else { return };
    let before = Before::new("{\"id\":\"a\",\"n\":1}\n{\"id\":\"a\",\"n\":1,\"n\":2}\n");
    before.holds(run_on(&before.plan(), &backend(url)), Fault::Input, "every record is valid");
}

#[test]
fn what_spark_cannot_keep_is_refused_by_name() {
    let Some(url) = shared("sail") else { return };
    let before = Before::new("{\"id\":\"a\",\"n\":1}\n{\"id\":\"b\",\"n\":\"x\"}\n");
    let mut plan = before.plan();
    plan.dedup = dedup("id", "");
    before.holds(run_on(&plan, &backend(url)), Fault::Usage, "columns of the type json");
    let before = Before::new(RECORDS);
    let mut plan = before.plan();
    plan.sink = Sink { max_file_bytes: Some(1000), layout: distil_plan::Layout::Dir, ..plan.sink };
    plan.sink.path = before.folder.text("o").into();
    let error = run_on(&plan, &backend(url)).1.unwrap_err();
    assert!(error.what.contains("max_file_bytes"), "{error}");
}

#[test]
fn assumed_input_is_read_strictly_or_not_at_all() {
    let declare = |plan: &mut Plan| {
        plan.assume_valid = true;
        plan.schema.declared = Some(Schema::parse("id string, n int64").unwrap());
    };
    if let Some(url) = shared("sail") {
        let before = Before::new(RECORDS);
        let mut plan = before.plan();
        declare(&mut plan);
        before.holds(run_on(&plan, &backend(url)), Fault::Usage, "assume_valid");
    }
    if let Some(url) = shared("spark") {
        let before = Before::new("{\"id\":\"a\",\"n\":1}\n{\"id\":\"a\",\"n\":\"x\"}\n");
        let mut plan = before.plan();
        declare(&mut plan);
        before.holds(run_on(&plan, &backend(url)), Fault::Input, "Spark found a record");
        let before = Before::new("{\"id\":\"a\",\"n\":1}\n{\"n\":1}\n");
        let mut plan = before.plan();
        declare(&mut plan);
        before.holds(run_on(&plan, &backend(url)), Fault::Input, "no value in its key");
        let before = Before::new(RECORDS);
        let mut plan = before.plan();
        declare(&mut plan);
        let (report, result) = run_on(&plan, &backend(url));
        result.unwrap();
        assert_eq!(report.inputs[0].records, 3);
        assert!(report.warnings[0].contains("assume_valid"), "{:?}", report.warnings);
    }
}

#[test]
fn settings_reach_the_session_that_runs_the_sql() {
    // A client that splits its session would set them in another one, and change nothing here.
    for server in ["sail", "spark"] {
        let Some(url) = shared(server) else { return };
        let before = Before::new("{\"Id\":\"x\",\"id\":\"a\",\"n\":1}\n");
        let (report, result) = run_on(&before.plan(), &backend(url));
        result.unwrap();
        assert_eq!(report.schema.len(), 3);
    }
}

#[test]
fn a_server_that_closes_connections_is_no_server() {
    let before = Before::new(RECORDS);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("sc://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().read(&mut [0; 16]);
        }
    });
    let outcome = run_on(&before.plan(), &impatient(&url));
    before.holds(outcome, Fault::Environment, "server");
}
