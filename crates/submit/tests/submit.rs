//! A script in the place of Spark: what goes to it, what it says and leaves, and every way in which it can fail.
//!
//! That the answer is right is tested with Spark itself (`crates/python/tests/test_submit.py`).
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests may, and they look at the disk past the storage"
)]

use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::time::Duration;

use distil_job::run::{Job, run};
use distil_plan::{
    Backend, Cancel, Code, DISTIL_VERSION, Error, Events, Fault, Mode, Need, Phase, Plan, Report,
    Request, Result, Support, Watch,
};
use distil_submit::{DeployMode, Submit, SubmitOptions, fulfil};
use distil_testkit::disk::{Folder, NativeScan, dedup, native, run_on, storage};

/// A folder with one input, the output of an earlier run, and programs in the place of Spark and of its Python.
struct Spark {
    folder: Folder,
    plan: Plan,
    before: Report,
}

impl Spark {
    fn new() -> Self {
        let folder = Folder::new(&[("a.json", b"{\"a\":1}\n{\"a\":2}\n{\"a\":2}")]);
        let mut plan = folder.plan("o.parquet");
        plan.dedup = dedup("a", "");
        let (before, done) = run_on(&plan, &native());
        done.unwrap();
        plan.sink.mode = Mode::Overwrite;
        Self { folder, plan, before }
    }

    /// A backend on a Python with this package, and a `spark-submit` with this end of its program.
    fn backend(&self, package: &str, submit: &str) -> Submit {
        self.backend_on("local[2]", DeployMode::Client, package, submit)
    }

    /// The same on another master. The classes of YARN's client say what they are asked for in the file `.asked`.
    fn backend_on(
        &self,
        master: &str,
        deploy_mode: DeployMode,
        package: &str,
        submit: &str,
    ) -> Submit {
        let there = self.folder.text("in");
        let python = self.program("python", &format!("print(json.dumps({package}))"));
        let banner = "      /_/   version 4.3.0";
        let submit = format!(
            r#"
if sys.argv[1:] == ["--version"]:
    sys.exit(print({banner:?}, file=sys.stderr))
if "--class" in sys.argv:
    words = sys.argv[sys.argv.index("--class") + 1:]
    with open("{there}/.asked", "a") as asked:
        print(*words, file=asked)
    print("Total Nodes:3" if words[-1] == "-list" else "Killed application " + words[-1])
    sys.exit()
path = sys.argv[-1]
order = json.load(open(path))
def tell(**message):
    print(json.dumps(message), flush=True)
def answer(**content):
    with open(os.path.join(os.path.dirname(path), "answer.json"), "w") as file:
        json.dump(content, file)
{submit}
"#
        );
        let options = SubmitOptions {
            submit: vec![self.program("spark-submit", &submit)],
            python,
            deploy_mode,
            ..SubmitOptions::new(master)
        };
        Submit::new(storage(), options).unwrap()
    }

    fn program(&self, name: &str, body: &str) -> String {
        let path = self.folder.path("in").join(format!(".{name}"));
        let python = distil_testkit::python();
        let text =
            format!("#!{}\nimport json, os, shutil, signal, sys, time\n{body}", python.display());
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs a plan that must fail over the output of before, and checks that nothing changed.
    fn fails(&self, package: &str, submit: &str) -> Error {
        let output = || std::fs::read(self.folder.path("o.parquet")).unwrap();
        let before = output();
        let error = run_on(&self.plan, &self.backend(package, submit)).1.unwrap_err();
        assert_eq!(output(), before);
        assert_eq!(self.folder.names(), ["o.parquet"], "something was left behind");
        error
    }
}

/// The package as it should be.
fn package() -> String {
    format!("{{'version': '{DISTIL_VERSION}', 'application': 'application.py'}}")
}

/// Keeps what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<(Option<Phase>, u64)>>);

impl Events for Told {
    fn begin(&self, stage: Phase, total: Option<u64>) {
        self.0.lock().unwrap().push((Some(stage), total.unwrap_or_default()));
    }

    fn advance(&self, units: u64, _: u64) {
        self.0.lock().unwrap().push((None, units));
    }
}

#[test]
fn the_request_goes_to_the_application_and_its_report_and_progress_come_back() {
    let spark = Spark::new();
    let report = serde_json::to_string(&spark.before).unwrap();
    std::fs::write(spark.folder.path("in/.report"), report).unwrap();
    std::fs::copy(spark.folder.path("o.parquet"), spark.folder.path("in/.rows")).unwrap();
    let there = spark.folder.text("in");
    let backend = spark.backend(
        &package(),
        &format!(
            "print('a line of somebody else')\n\
             tell(message='begin', stage='decode', total=7)\n\
             tell(message='advance', units=3, records=1)\n\
             tell(message='begin', stage='encode', total=None)\n\
             assert order['distil'] == '{DISTIL_VERSION}' and len(order['plan']['inputs']) == 1\n\
             shutil.copy('{there}/.rows', order['staging']['output'])\n\
             answer(done={{'report': json.load(open('{there}/.report'))}})\n\
             tell(message='done')\n\
             os.close(1), os.close(2)\n"
        ),
    );
    assert_eq!(
        backend.check().unwrap(),
        format!("Spark 4.3.0, master local[2], distil {DISTIL_VERSION} in {there}/.python")
    );
    let told = Told::default();
    let (report, done) = run(&Job {
        scan: Some(&NativeScan),
        watch: Watch { events: &told, cancel: &Cancel::new() },
        ..Job::new(storage(), spark.plan.clone(), &backend)
    });
    done.unwrap();
    assert_eq!((report.backend.as_str(), report.records.written), ("spark-submit", 2));
    assert_eq!(report.output.digest, spark.before.output.digest);
    let expected =
        [(Some(Phase::Decode), 7), (None, 3), (Some(Phase::Encode), 0), (Some(Phase::Commit), 0)];
    assert_eq!(*told.0.lock().unwrap(), expected);
    assert_eq!(spark.folder.names(), ["o.parquet"]);
}

#[test]
fn the_error_of_the_application_is_the_error_of_the_run() {
    let spark = Spark::new();
    let mut given = Error::input("1 bad record").coded(Code::BadRecords).at("a.json", Some(8));
    given = given.detail("why").help("look");
    let text = serde_json::to_string(&given).unwrap();
    let body = format!(
        "print('Spark ends', file=sys.stderr)\nanswer(error=json.loads({text:?}))\nsys.exit(1)"
    );
    let error = spark.fails(&package(), &body);
    assert_eq!(
        (error.fault, error.code, &error.what),
        (Fault::Input, Code::BadRecords, &given.what)
    );
    assert_eq!((error.place, error.details), (given.place, given.details));
    assert_eq!(error.hints[0], given.hints[0]);
}

#[test]
fn an_application_without_an_answer_is_told_by_the_log_of_spark() {
    let spark = Spark::new();
    let fails = |body: &str, what: &str| {
        let error = spark.fails(&package(), body);
        assert_eq!(error.fault, Fault::Environment);
        assert!(error.what.contains(what), "{error}");
        error
    };
    let error = fails(
        "print('26/11/30 22:00:01 ERROR SparkContext: no disk', file=sys.stderr)\nsys.exit('Caused by: gremlins')",
        "ended with status 1 before it was done",
    );
    assert_eq!(error.details, ["ERROR SparkContext: no disk", "Caused by: gremlins"]);
    let error =
        fails("os.kill(os.getpid(), signal.SIGKILL)", "was killed by signal 9 before it was done");
    assert!(error.hints[0].text.contains("lack of memory"), "{:?}", error.hints);
    fails("print('JAVA_HOME is not set', file=sys.stderr)\nsys.exit(1)", "Spark finds no Java");
    fails("tell(message='done')", "ended with status 0 before it was done");
    fails("open(path[:-10] + 'answer.json', 'w').write('{')", "the file can't be read");
}

#[test]
fn what_is_missing_is_found_before_anything_is_written() {
    let spark = Spark::new();
    let never = "open('/nowhere/started')";
    let error = spark.fails("{'missing': \"No module named 'distil'\"}", never);
    assert!(
        error.what.ends_with("does not have the package distil: No module named 'distil'"),
        "{error}"
    );
    assert!(error.hints[0].text.contains("-m pip install distil=="), "{:?}", error.hints);
    let error = spark.fails("{'version': '0.0.9', 'application': 'a.py'}", never);
    assert!(error.what.contains("has distil 0.0.9, and this is distil"), "{error}");
    let check =
        |options: SubmitOptions| Submit::new(storage(), options).unwrap().check().unwrap_err();
    let python = spark.program("python", &format!("print(json.dumps({}))", package()));
    let options = |master: &str, submit: &str| SubmitOptions {
        submit: vec![submit.into()],
        python: python.clone(),
        ..SubmitOptions::new(master)
    };
    let error = check(options("local[2]", "/nowhere/spark-submit"));
    assert_eq!(
        error.to_string(),
        "/nowhere/spark-submit: the backend spark-submit did not start: cannot start the program: \
         No such file or directory"
    );
    assert!(error.hints[0].text.contains("submit = "), "{:?}", error.hints);
    let mut nowhere = options("local[2]", "spark-submit");
    nowhere.python = "/nowhere/python".into();
    assert!(check(nowhere).hints[0].text.contains("python = "));
    // Nothing listens on a port that was just let go.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let master = format!("spark://127.0.0.1:{port}");
    let submit =
        spark.program("spark-submit", "print('      /_/   version 4.3.0', file=sys.stderr)");
    let error = check(options(&master, &submit));
    assert_eq!(error.what, format!("the master {master} does not answer: Connection refused"));
    let silent = spark.program("spark-submit", "sys.exit('java: command not found')");
    assert!(check(options("local[2]", &silent)).what.contains("Spark finds no Java"));
}

#[test]
fn a_plan_beyond_the_executors_is_refused_by_name() {
    let spark = Spark::new();
    let backend = spark.backend(&package(), "");
    assert!(backend.supports(&Need::BadRecords).unwrap().is_yes());
    for need in [Need::Parquet, Need::OpaquePath] {
        assert!(!backend.supports(&need).unwrap().is_yes(), "{need:?}");
    }
}

#[test]
fn a_cancelled_run_ends_spark_and_leaves_nothing() {
    let spark = Spark::new();
    let marks = spark.folder.path("in/.marks");
    // It writes when it has begun, and once more when it is asked to end.
    let body = format!(
        "marks = open({:?}, 'ab', buffering=0)\n\
         def end(*_):\n    marks.write(b'asked'), sys.exit(143)\n\
         signal.signal(signal.SIGTERM, end)\n\
         marks.write(b'begun ')\n\
         while True: time.sleep(0.05)",
        marks.display()
    );
    let backend = spark.backend(&package(), &body);
    let cancel = Cancel::new();
    let waits = {
        let (cancel, marks) = (cancel.clone(), marks.clone());
        std::thread::spawn(move || {
            while !std::fs::metadata(&marks).is_ok_and(|found| found.len() > 0) {
                std::thread::sleep(Duration::from_millis(10));
            }
            cancel.interrupt();
        })
    };
    let error = distil_testkit::disk::run_until(&spark.plan, &backend, &cancel).1.unwrap_err();
    waits.join().unwrap();
    assert_eq!(error.fault, Fault::Interrupted);
    assert_eq!(std::fs::read_to_string(&marks).unwrap(), "begun asked");
    assert_eq!(spark.folder.names(), ["o.parquet"]);
}

/// What the client of YARN was asked for, without the packages of its classes.
fn asked(spark: &Spark) -> Vec<String> {
    let text = std::fs::read_to_string(spark.folder.path("in/.asked")).unwrap();
    text.lines().map(|line| line.rsplit("cli.").next().unwrap().to_owned()).collect()
}

const NODES: &str = "NodeCLI spark-internal -list";
const KILL: &str = "ApplicationCLI spark-internal application -kill application_1_2";

/// Keeps what it is told, and leaves a file when work has advanced.
struct Marking(Told, std::path::PathBuf);

impl Events for Marking {
    fn begin(&self, stage: Phase, total: Option<u64>) {
        self.0.begin(stage, total);
    }

    fn advance(&self, units: u64, records: u64) {
        self.0.advance(units, records);
        std::fs::write(&self.1, "").unwrap();
    }
}

#[test]
fn a_driver_on_a_node_is_followed_by_files_beside_its_order() {
    let spark = Spark::new();
    let report = serde_json::to_string(&spark.before).unwrap();
    std::fs::write(spark.folder.path("in/.report"), report).unwrap();
    std::fs::copy(spark.folder.path("o.parquet"), spark.folder.path("in/.rows")).unwrap();
    let there = spark.folder.text("in");
    let body = format!(
        "assert sys.argv[3:5] == ['--deploy-mode', 'cluster']\n\
         assert os.path.dirname(path) == os.path.dirname(order['staging']['output'])\n\
         with open(os.path.join(os.path.dirname(path), 'progress.json'), 'w') as file:\n    \
             json.dump(dict(stage='decode', total=7, units=3, records=1), file)\n\
         while not os.path.exists('{there}/.advanced'): time.sleep(0.05)\n\
         shutil.copy('{there}/.rows', order['staging']['output'])\n\
         answer(done={{'report': json.load(open('{there}/.report'))}})\n"
    );
    let backend = spark.backend_on("yarn", DeployMode::Cluster, &package(), &body);
    assert!(backend.check().unwrap().starts_with("Spark 4.3.0, master yarn of 3 nodes, distil"));
    let told = Marking(Told::default(), spark.folder.path("in/.advanced"));
    let (report, done) = run(&Job {
        scan: Some(&NativeScan),
        watch: Watch { events: &told, cancel: &Cancel::new() },
        ..Job::new(storage(), spark.plan.clone(), &backend)
    });
    done.unwrap();
    assert_eq!(report.output.digest, spark.before.output.digest);
    let expected = [(Some(Phase::Decode), 7), (None, 3), (Some(Phase::Commit), 0)];
    assert_eq!(*told.0.0.lock().unwrap(), expected);
    assert_eq!(spark.folder.names(), ["o.parquet"]);
    assert_eq!(asked(&spark), [NODES]);
}

#[test]
fn an_application_on_a_node_is_killed_where_nobody_else_ends_it() {
    let submitted = "print('INFO Client: Submitted application application_1_2', file=sys.stderr)";
    let fails = |spark: &Spark, body: &str| {
        let backend = spark.backend_on("yarn", DeployMode::Cluster, &package(), body);
        let error = run_on(&spark.plan, &backend).1.unwrap_err();
        assert_eq!(spark.folder.names(), ["o.parquet"]);
        error
    };
    let spark = Spark::new();
    let error = fails(&spark, &format!("{submitted}\nos.kill(os.getpid(), signal.SIGKILL)"));
    assert!(error.what.contains("was killed by signal 9"), "{error}");
    assert_eq!(asked(&spark), [NODES, KILL]);
    let spark = Spark::new();
    let ended = "print('\\t diagnostics: User application exited with status 66', file=sys.stderr)\n\
                 print('\\t final status: FAILED', file=sys.stderr)\nsys.exit(1)";
    let error = fails(&spark, &format!("{submitted}\n{ended}"));
    assert!(error.what.contains("the node of the driver does not see the order"), "{error}");
    assert_eq!(error.details, ["diagnostics: User application exited with status 66"]);
    let hints: Vec<_> = error.hints.iter().map(|hint| hint.text.as_str()).collect();
    assert_eq!(hints.last(), Some(&"read its log: yarn logs -applicationId application_1_2"));
    assert_eq!(asked(&spark), [NODES]);
}

#[test]
fn a_cancelled_run_kills_its_application_on_a_node() {
    let spark = Spark::new();
    let begun = spark.folder.path("in/.begun");
    let body = format!(
        "print('Submitted application application_1_2', file=sys.stderr, flush=True)\n\
         open({:?}, 'w').close()\n\
         while ' -kill ' not in open(os.path.join({:?}, '.asked')).read(): time.sleep(0.05)",
        begun.display(),
        spark.folder.path("in").display()
    );
    let backend = spark.backend_on("yarn", DeployMode::Cluster, &package(), &body);
    let cancel = Cancel::new();
    let waits = {
        let (cancel, begun) = (cancel.clone(), begun.clone());
        std::thread::spawn(move || {
            while !begun.exists() {
                std::thread::sleep(Duration::from_millis(10));
            }
            cancel.interrupt();
        })
    };
    let error = distil_testkit::disk::run_until(&spark.plan, &backend, &cancel).1.unwrap_err();
    waits.join().unwrap();
    assert_eq!((error.fault, error.details.len()), (Fault::Interrupted, 0));
    assert_eq!(asked(&spark), [NODES, KILL]);
    assert_eq!(spark.folder.names(), ["o.parquet"]);
}

#[test]
fn a_yarn_that_is_not_there_is_not_waited_for() {
    let spark = Spark::new();
    let python = spark.program("python", &format!("print(json.dumps({}))", package()));
    let submit = spark.program(
        "spark-submit",
        "print('      /_/   version 4.3.0', file=sys.stderr, flush=True)\n\
         if '--class' in sys.argv:\n    \
             print('INFO Client: Retrying connect to server: h/1.2.3.4:8032. Already tried 9 time(s);', file=sys.stderr, flush=True)\n    \
             while True: time.sleep(0.05)",
    );
    let options = SubmitOptions { submit: vec![submit], python, ..SubmitOptions::new("yarn") };
    let error = Submit::new(storage(), options).unwrap().check().unwrap_err();
    assert!(error.what.contains("the ResourceManager of YARN does not answer"), "{error}");
    assert!(error.hints[0].text.contains("HADOOP_CONF_DIR"), "{:?}", error.hints);
    assert!(error.details[0].contains("h/1.2.3.4:8032"), "{:?}", error.details);
}

/// A backend that works until it is asked to stop: it says how far it is, and takes the order away once that was told.
struct Endless(std::path::PathBuf);

impl Backend for Endless {
    fn name(&self) -> &str {
        "endless"
    }

    fn supports(&self, _: &Need) -> Result<Support> {
        Ok(Support::Yes)
    }

    fn run(&self, request: &Request<'_>) -> Result<Report> {
        request.watch.events.begin(Phase::Decode, Some(7));
        request.watch.events.advance(3, 1);
        assert_eq!(request.staging.scratch, self.0);
        let progress = self.0.join("progress.json");
        loop {
            if std::fs::read_to_string(&progress).is_ok() {
                let _ = std::fs::remove_file(self.0.join("order.json"));
            }
            request.watch.cancel.check()?;
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn an_application_whose_command_is_gone_ends_by_itself() {
    let spark = Spark::new();
    let backend = spark.backend_on(
        "yarn",
        DeployMode::Cluster,
        &package(),
        &format!("shutil.copy(path, '{}/.order')\nsys.exit(1)", spark.folder.text("in")),
    );
    run_on(&spark.plan, &backend).1.unwrap_err();
    let own = spark.folder.path("in/.own");
    std::fs::create_dir(&own).unwrap();
    let order = own.join("order.json");
    std::fs::rename(spark.folder.path("in/.order"), &order).unwrap();
    let watch = Watch::unwatched();
    let cancel = Cancel::new();
    let watch = Watch { cancel: &cancel, ..watch };
    let status = fulfil(&*storage(), &Endless(own.clone()), watch, &order, Some(&own)).unwrap();
    assert_eq!(status, 130);
    let progress = std::fs::read_to_string(own.join("progress.json")).unwrap();
    assert_eq!(progress, r#"{"stage":"decode","total":7,"units":3,"records":1}"#);
    assert!(!std::fs::read_to_string(own.join("answer.json")).unwrap().contains("done"));
}
