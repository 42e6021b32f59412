//! The law of partials: however the inputs are cut, wherever the slices are decoded, whatever order the
//! parts are combined in, the result is that of one run on one machine, byte for byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and its processes meet in files"
)]

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use distil_plan::{Error, Plan};
use distil_testkit::generate::scenarios;
use distil_testkit::sliced::{Cut, RunTask, Sent, Sliced, Task};
use distil_testkit::subject_native::{NativeSubject, run_on};
use distil_testkit::suite::{Files, Output, Stretch, Subject, cases, check_over};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// Names the folder of a task to the test that is started to run it.
const TASK: &str = "DISTIL_TEST_TASK";

/// The kernels under the suite; every output is compared with that of the native engine.
struct Kernels {
    run_task: Arc<RunTask>,
}

impl Kernels {
    /// Tasks run here; only their form outside is that of another process.
    fn here() -> Self {
        Self { run_task: Arc::new(|task: &Task, inputs: &[Vec<u8>]| task.run(inputs)) }
    }

    /// Each task runs in a process of its own.
    fn apart() -> Self {
        Self { run_task: Arc::new(in_a_process) }
    }
}

impl Subject for Kernels {
    fn name(&self) -> &str {
        "kernels"
    }

    fn run(&self, files: &Files, plan: &Plan, stretch: &Stretch) -> Result<Output, Box<Error>> {
        let seed = files.iter().map(|(_, content)| content.len() as u64).sum::<u64>();
        let cut = Cut {
            slice_bytes: [1, 7, 40, 200][(seed % 4) as usize].max(seed / 50),
            tasks: stretch.threads,
            partitions: 1 + (seed % 5) as usize,
            bound: if stretch.memory.is_some() { 300 } else { 1 << 20 },
            pushed: stretch.read_chunk,
            seed,
        };
        let run_task = Arc::clone(&self.run_task);
        run_on(files, plan, |storage| Box::new(Sliced { storage, cut, run_task }))
    }
}

/// Checks a case against the oracle, and its bytes against those of the native engine.
fn check(
    case: &distil_testkit::suite::Case,
    kernels: &Kernels,
    stretches: &[Stretch],
) -> Result<(), String> {
    check_over(case, kernels, stretches)?;
    let native = NativeSubject.run(&case.files, &case.plan, &Stretch::plain());
    let ours = kernels.run(&case.files, &case.plan, &stretches[0]);
    if let (Ok(native), Ok(ours)) = (native, ours) {
        let same = native.files == ours.files
            && native.beside == ours.beside
            && native.report.records == ours.report.records
            && native.report.conflicts == ours.report.conflicts
            && native.report.inputs == ours.report.inputs
            && native.report.warnings == ours.report.warnings;
        if !same {
            return Err(format!("{}: differs from the native engine", case.name));
        }
    }
    Ok(())
}

#[test]
fn the_suite_passes_on_slices() {
    let kernels = Kernels::here();
    let mut problems = Vec::new();
    for case in cases() {
        let bytes = case.files.iter().map(|(_, content)| content.len()).sum();
        let stretches = kernels.stretches(bytes, case.files.len());
        problems.extend(check(&case, &kernels, &stretches).err());
    }
    assert!(problems.is_empty(), "{} cases fail\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn generated_inputs_in_processes_of_their_own_give_the_native_output() {
    let config = Config { cases: 25, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let kernels = Kernels::apart();
    let result = TestRunner::new_with_rng(config, rng).run(&scenarios(), |(case, stretches)| {
        let stretch = Stretch { threads: 3, ..stretches[0].clone() };
        check(&case, &kernels, &[stretch]).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn generated_inputs_on_slices_equal_the_oracle() {
    let cases = std::env::var("DISTIL_CASES").map_or(300, |text| text.parse().expect("a number"));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    let kernels = Kernels::here();
    let result = TestRunner::new_with_rng(config, rng).run(&scenarios(), |(case, stretches)| {
        check(&case, &kernels, &stretches).map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Starts this test program once more, for [`task`] alone.
fn in_a_process(task: &Task, inputs: &[Vec<u8>]) -> Result<Sent, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("task.json"), serde_json::to_vec(task).unwrap()).unwrap();
    for (ordinal, input) in inputs.iter().enumerate() {
        std::fs::write(path(&format!("input-{ordinal}")), input).unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["task", "--exact"])
        .env(TASK, folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    if let Ok(error) = std::fs::read(path("error.json")) {
        return Err(serde_json::from_slice(&error).unwrap());
    }
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    Ok(Sent { message: read("message"), rows: read("rows"), bad: read("bad") })
}

/// Not a test of its own: what [`in_a_process`] starts. Without a task there is nothing to do.
#[test]
fn task() {
    let Some(folder) = std::env::var_os(TASK).map(PathBuf::from) else { return };
    let path = |name: &str| folder.join(name);
    let task: Task = serde_json::from_slice(&std::fs::read(path("task.json")).unwrap()).unwrap();
    let mut inputs = Vec::new();
    while let Ok(input) = std::fs::read(path(&format!("input-{}", inputs.len()))) {
        inputs.push(input);
    }
    let write = |name: &str, content: &[u8]| std::fs::write(path(name), content).unwrap();
    match task.run(&inputs) {
        Ok(Sent { message, rows, bad }) => {
            write("message", &message);
            write("rows", &rows);
            write("bad", &bad);
        }
        Err(error) => write("error.json", &serde_json::to_vec(&error).unwrap()),
    }
}

/// A plan and its partials, decoded in two tasks.
fn two_tasks() -> (
    distil_plan::ResolvedPlan,
    Vec<distil_kernel::slice::Slice>,
    Vec<distil_kernel::partial::Partial>,
) {
    use distil_plan::{ColumnPath, Dedup, Input, ResolvedPlan, Sink};
    use distil_storage::{Memory, Storage};

    let memory = Memory::new();
    memory.put("in.ndjson", b"{\"id\":1,\"v\":2}\n{\"id\":2}\n{\"id\":1,\"v\":1}\n");
    let mut plan = Plan::new(vec!["in.ndjson".to_owned()], Sink::new("out.parquet"));
    plan.dedup = Some(Dedup::on_columns(vec![ColumnPath::name("id")]));
    let input = Input {
        path: "in.ndjson".into(),
        bytes: Some(40),
        version: 0,
        compression: None,
        shape: None,
    };
    let plan = ResolvedPlan { plan, inputs: vec![input], schema: None, admitted: false };
    let storage: Arc<dyn Storage> = Arc::new(memory);
    let cut =
        Cut { slice_bytes: 5, tasks: 2, partitions: 2, bound: 1 << 20, pushed: 5, seed: 9_876_543 };
    let sliced = Sliced { storage, cut, run_task: Kernels::here().run_task };
    let (plan, _, slices, partials) = sliced.partials(&plan).unwrap();
    (plan, slices, partials)
}

#[test]
fn a_slice_that_comes_twice_is_refused() {
    let (.., partials) = two_tasks();
    let (.., again) = two_tasks();
    let held = |partial: &distil_kernel::partial::Partial| !partial.accounts.is_empty();
    let one = partials.into_iter().find(held).unwrap();
    let same = again.into_iter().find(held).unwrap();
    let error = one.combine(same).unwrap_err();
    assert!(error.what.contains("is in two partials"), "{}", error.what);
}

#[test]
fn a_slice_that_is_missing_is_refused() {
    let (plan, slices, partials) = two_tasks();
    assert!(slices.len() > 2);
    for partial in partials {
        assert!(partial.accounts.len() < slices.len());
        let error = partial.finish(&plan, &slices).unwrap_err();
        assert!(error.what.contains("is missing"), "{}", error.what);
    }
}

#[test]
fn a_part_of_another_version_is_refused_with_both_named() {
    use distil_kernel::splitters::Splitters;
    use distil_kernel::wire::{read_message, write_message};

    let (plan, _, partials) = two_tasks();
    let splitters = Splitters::default();
    let message = write_message(&partials[0]);
    let other = String::from_utf8_lossy(&message).find(distil_plan::DISTIL_VERSION).unwrap();
    let mut changed = message.clone();
    changed[other] = b'9';
    let error = read_message(&plan, &splitters, &changed).unwrap_err();
    assert!(error.what.contains(distil_plan::DISTIL_VERSION), "{}", error.what);
    assert!(error.what.contains("distil 9"), "{}", error.what);
    // Of another job: these splitters are not those of the partial.
    let error = read_message(&plan, &splitters, &message).unwrap_err();
    assert!(error.what.contains("another job"), "{}", error.what);
    for length in 0..message.len() {
        read_message(&plan, &splitters, &message[..length]).unwrap_err();
    }
}
