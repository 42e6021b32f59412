//! Processes that misbehave: every one is told from the others, nothing is left, and the old output
//! stays.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests may, and they look at the disk past the storage"
)]

mod support;

use std::time::{Duration, Instant};

use distil_external::External;
use distil_plan::{Backend, Cancel, Error, Fault, Mode, Need};

use support::{Folder, child, dedup, impatient, run_on, run_until, storage};

/// A fake backend: says hello, then runs a piece of Python for each order `order`.
fn fake(body: &str) -> External {
    child(distil_testkit::python().to_str().unwrap(), &["-c", &program(body)])
}

fn program(body: &str) -> String {
    format!(
        r#"
import json, os, signal, sys, time
def tell(**message):
    print(json.dumps(message), flush=True)
def start(supports=("type:int64", "shape:lines", "compression:zstd", "key:none")):
    sys.stdin.readline()
    tell(message="hello", protocol=1, version="fake 1", supports=list(supports))
{body}
"#
    )
}

fn on_run(body: &str) -> External {
    let body = body.replace('\n', "\n    ");
    fake(&format!("start()\nfor line in sys.stdin:\n    order = json.loads(line)\n    {body}"))
}

/// Runs a backend that must fail over an output that exists, and checks that nothing changed.
fn failure(backend: &dyn Backend) -> Error {
    let folder = Folder::new(&[("a.json", b"{\"a\":1}\n{\"a\":2}")]);
    let mut plan = folder.plan("o.parquet");
    plan.dedup = dedup("a", "");
    run_on(&plan, &support::native()).1.unwrap();
    let before = std::fs::read(folder.path("o.parquet")).unwrap();
    plan.sink.mode = Mode::Overwrite;
    let error = run_on(&plan, backend).1.unwrap_err();
    assert_eq!(std::fs::read(folder.path("o.parquet")).unwrap(), before);
    assert_eq!(folder.names(), ["o.parquet"], "something was left behind");
    assert!(error.output.as_deref().unwrap().contains("as it was before"));
    error
}

#[track_caller]
fn fails(body: &str, what: &str) -> Error {
    let error = failure(&on_run(body));
    assert_eq!(error.fault, Fault::Environment, "{error}");
    assert!(error.what.contains(what), "{error} {:?}", error.details);
    error
}

#[test]
fn a_program_that_is_not_there_is_told_with_the_remedy() {
    let error = failure(&External::pandas("/nowhere/python".as_ref()));
    assert_eq!(error.fault, Fault::Environment);
    assert_eq!(
        error.to_string(),
        "/nowhere/python: the backend pandas did not start: cannot start the program: No such file \
         or directory"
    );
    assert!(error.hints[0].text.contains("-m pip install pandas pyarrow"), "{:?}", error.hints);
}

#[test]
fn a_python_without_pandas_is_told_with_the_command_that_mends_it() {
    let folder = Folder::new(&[]);
    let bare = folder.path("python");
    let python = distil_testkit::python();
    let script = format!("#!/bin/sh\nexec '{}' -S -I \"$@\"\n", python.display());
    std::fs::write(&bare, script).unwrap();
    std::fs::set_permissions(&bare, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let error = failure(&External::pandas(&bare));
    assert_eq!(error.fault, Fault::Environment);
    assert!(error.what.contains("No module named"), "{error}");
    assert!(error.hints[0].text.contains("-m pip install pandas pyarrow"), "{:?}", error.hints);
}

#[test]
fn a_program_of_another_version_or_without_a_hello_is_refused() {
    let error = failure(&fake(
        "print('{\"message\":\"hello\",\"protocol\":2,\"version\":\"x\",\"supports\":[]}', flush=True); sys.stdin.read()",
    ));
    assert!(error.what.contains("speaks version 2 of the protocol"), "{error}");
    let error = failure(&fake("tell(message='alive'); sys.stdin.read()"));
    assert!(error.what.contains("something else than hello"), "{error}");
    let error = failure(&fake("sys.exit('no licence')"));
    assert!(error.what.contains("ended with status 1 before it was done"), "{error}");
    assert_eq!(error.details, ["no licence"]);
}

#[test]
fn a_process_that_dies_is_told_with_how_and_its_last_words() {
    let error = fails("os.kill(os.getpid(), signal.SIGSEGV)", "was killed by signal 11");
    assert!(error.details.is_empty(), "{:?}", error.details);
    let error = fails("sys.stderr.write('a\\nout of luck\\n'); sys.exit(3)", "ended with status 3");
    assert_eq!(error.details, ["a", "out of luck"]);
    // Whatever it wrote until then is gone.
    fails("open(order['staging']['output'], 'w').write('x'); os._exit(0)", "ended with status 0");
}

#[test]
fn a_process_that_hangs_is_stopped_even_if_it_never_reads() {
    let body = "start(('type:int64', 'shape:lines', 'compression:zstd'))\n\
                signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)";
    let python = distil_testkit::python();
    let python = python.to_str().unwrap();
    let silence = Duration::from_millis(600);
    let backend = impatient(python, &["-c", &program(body)], silence);
    // More inputs than fit the pipe.
    let names: Vec<String> = (0..900).map(|at| format!("{at:0200}.json")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(|name| (name.as_str(), b"{\"a\":1}".as_slice())).collect();
    let folder = Folder::new(&files);
    let mut plan = folder.plan("o.parquet");
    plan.dedup = dedup("a", "");
    let error = run_on(&plan, &backend).1.unwrap_err();
    assert_eq!(error.what, "the backend child said nothing for 0.6 seconds, and was stopped");
    assert_eq!(error.fault, Fault::Environment);
    assert_eq!(folder.names(), Vec::<String>::new());
}

#[test]
fn a_process_that_writes_garbage_is_stopped() {
    fails("print('Loading ...', flush=True)\ntime.sleep(3600)", "not a message: `Loading ...`");
    fails("tell(message='done', written=1)\ntime.sleep(3600)", "not a message");
    fails("tell(message='hello', protocol=1, version='', supports=[])", "said hello twice");
    fails("os.write(1, b'x' * (17 << 20))\ntime.sleep(3600)", "before it was done");
}

#[test]
fn counts_that_do_not_add_up_are_lies() {
    let done = |members: &str| format!("tell(message='done', {members})");
    fails(&done("inputs=[2], written=1, identical=0, conflicting=0"), "it read 2 records");
    fails(&done("inputs=[2, 0], written=2, identical=0, conflicting=0"), "2 inputs of 1");
    fails(&done("inputs=[2], written=1, identical=0, conflicting=1"), "0 conflicts of 1");
    fails(
        &done("inputs=[2**63], written=2**63, identical=2**63, conflicting=2**63"),
        "beyond all numbers",
    );
    fails(
        &done("inputs=[2], written=1, identical=0, conflicting=1, conflicts=[['{', '{}']]"),
        "not a JSON object",
    );
}

#[test]
fn what_is_staged_is_read_back_and_believed_instead_of_the_report() {
    fails("tell(message='done', inputs=[2], written=2, identical=0, conflicting=0)", "is wrong");
    fails(
        "open(order['staging']['output'], 'w').write('x')\n\
         tell(message='done', inputs=[2], written=2, identical=0, conflicting=0)",
        "not a Parquet file",
    );
}

/// The real Python, with a program that writes what it likes.
fn writes(columns: &str, footer: &str, done: &str) -> Error {
    let program = format!(
        r#"
import json, sys, pyarrow as pa, pyarrow.parquet as pq
def tell(**message):
    print(json.dumps(message), flush=True)
sys.stdin.readline()
tell(message="hello", protocol=1, version="liar", supports=["type:int64", "shape:lines", "compression:zstd"])
for line in sys.stdin:
    order = json.loads(line)
    table = pa.table({columns})
    footer = dict(order["footer"])
    {footer}
    pq.write_table(table.replace_schema_metadata(footer), order["staging"]["output"])
    tell(message="done", {done})
"#
    );
    let python = distil_testkit::python();
    let error = failure(&child(python.to_str().unwrap(), &["-c", &program]));
    assert_eq!(error.fault, Fault::Environment, "{error}");
    error
}

#[test]
fn a_wrong_file_behind_right_counts_is_found() {
    let right = "inputs=[2], written=2, identical=0, conflicting=0";
    let told = |columns: &str, footer: &str, done: &str, what: &str| {
        let error = writes(columns, footer, done);
        assert!(error.what.contains(what), "{error}");
    };
    let good = "{'a': pa.array([1, 2], pa.int64())}";
    told("{'a': pa.array([2, 1], pa.int64())}", "pass", right, "its key comes earlier");
    told("{'a': pa.array([1, 1], pa.int64())}", "pass", right, "the key of the row before it");
    told("{'a': pa.array([1], pa.int64())}", "pass", right, "has 1 rows, but it reports 2");
    told("{'a': pa.array([1, 2], pa.int32())}", "pass", right, "the column a is Int32, not int64");
    told("{'b': pa.array([1, 2], pa.int64())}", "pass", right, "the column b is named a");
    told(good, "footer.clear()", right, "a footer of distil is missing");
    told(good, "footer['distil.columns'] = 'selected'", right, "not the one that it was given");
    // Another reading of the input than distil's own scan.
    told(
        good,
        "pass",
        "inputs=[3], written=2, identical=1, conflicting=0",
        "read 3 records, where distil found 2",
    );
}

#[test]
fn an_error_that_a_process_reports_keeps_it_for_the_next_plan() {
    let backend =
        on_run("tell(message='error', fault='input', what='run %s' % os.getpid(), help=['look'])");
    let first = failure(&backend);
    assert_eq!((first.fault, first.hints.as_slice()), (Fault::Input, &["look".into()][..]));
    assert_eq!(failure(&backend).what, first.what, "it was started anew");
}

#[test]
fn a_process_that_died_is_started_again_for_the_next_plan() {
    let backend = on_run("sys.stderr.write(str(os.getpid())); sys.exit(1)");
    assert_ne!(failure(&backend).details, failure(&backend).details);
    assert_eq!(backend.describe().unwrap().version, "fake 1");
}

#[test]
fn a_plan_beyond_what_a_process_supports_is_refused_by_name() {
    let error = failure(&fake("start(supports=['type:int64'])\nsys.stdin.read()"));
    assert_eq!(error.fault, Fault::Usage);
    assert_eq!(
        error.what,
        "the backend child can't do what the plan asks for: reading files of the shape lines \
         (`shape:lines`), pages compressed by zstd (`compression:zstd`)"
    );
    let why = "shape:lines, compression:zstd: the process does not name it in `supports`";
    assert_eq!(error.details, [why]);
    assert!(error.is_refusal_of(&Need::Lines) && error.is_refusal_of(&Need::ZstdPages));
    assert!(!error.is_refusal_of(&Need::Type("int64")));
}

/// Runs a process that writes its number and that of a child of its own, and cancels the run.
#[test]
fn a_cancelled_run_ends_the_process_and_all_that_it_started() {
    let folder = Folder::new(&[("a.json", b"{\"a\":1}")]);
    let pids = folder.path("in/.pids");
    let backend = on_run(&format!(
        "import subprocess\nchild = subprocess.Popen(['sleep', '3600'])\n\
         open('{}', 'w').write('%d %d' % (os.getpid(), child.pid))\n\
         while True: tell(message='alive'); time.sleep(0.05)",
        pids.display()
    ));
    let mut plan = folder.plan("o.parquet");
    plan.dedup = dedup("a", "");
    let cancel = Cancel::new();
    let waits = {
        let (cancel, pids) = (cancel.clone(), pids.clone());
        std::thread::spawn(move || {
            while !std::fs::metadata(&pids).is_ok_and(|found| found.len() > 2) {
                std::thread::sleep(Duration::from_millis(10));
            }
            cancel.interrupt();
        })
    };
    let error = run_until(&plan, &backend, &cancel).1.unwrap_err();
    waits.join().unwrap();
    assert_eq!(error.fault, Fault::Interrupted);
    assert_eq!(folder.names(), Vec::<String>::new());
    gone(&std::fs::read_to_string(&pids).unwrap());
}

#[test]
fn a_dropped_backend_leaves_no_process() {
    let folder = Folder::new(&[]);
    let pid = folder.path("pid");
    let backend = fake(&format!(
        "open('{}', 'w').write(str(os.getpid()))\nstart()\nsys.stdin.read()\ntime.sleep(3600)",
        pid.display()
    ));
    backend.describe().unwrap();
    let pid = std::fs::read_to_string(&pid).unwrap();
    assert!(std::fs::metadata(format!("/proc/{pid}")).is_ok());
    drop(backend);
    gone(&pid);
}

/// Processes that no longer run; an orphan may wait a moment for its new parent to notice.
fn gone(pids: &str) {
    for pid in pids.split(' ') {
        let runs = || {
            std::fs::read_to_string(format!("/proc/{pid}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z "))
        };
        let patience = Instant::now() + support::STANDSTILL;
        while runs() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!runs(), "process {pid} still runs");
    }
}

#[test]
fn a_plan_without_a_scan_is_refused() {
    let backend = on_run("pass");
    let folder = Folder::new(&[("a.json", b"{\"a\":1}")]);
    let job = distil_job::run::Job::new(storage(), folder.plan("o.parquet"), &backend);
    let error = distil_job::run::run(&job).1.unwrap_err();
    assert!(error.what.contains("needs a native scan"), "{error}");
    let job = distil_job::run::Job {
        plan: distil_plan::Plan { sources: vec!["-".into()], ..folder.plan("o.parquet") },
        ..job
    };
    let error = distil_job::run::run(&job).1.unwrap_err();
    assert!(error.what.contains("can be read only once"), "{error}");
}
