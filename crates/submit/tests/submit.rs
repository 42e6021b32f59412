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
    Watch,
};
use distil_submit::{Submit, SubmitOptions};
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
        let python = self.program("python", &format!("print(json.dumps({package}))"));
        let banner = "      /_/   version 4.3.0";
        let submit = format!(
            r#"
if sys.argv[1:] == ["--version"]:
    sys.exit(print({banner:?}, file=sys.stderr))
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
            ..SubmitOptions::new("local[2]")
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
             answer(report=json.load(open('{there}/.report')))\n\
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
    for need in [Need::Parquet, Need::Stores, Need::OpaquePath] {
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
