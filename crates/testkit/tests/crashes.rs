//! The native engine on a file system that crashes, loses its power, or fails once, at every call that
//! changes something, in turn.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use distil_engine::{EngineOptions, Native};
use distil_job::run::{Job, run};
use distil_plan::{Fault, Layout, Mode, Plan, Result, Sink};
use distil_storage::{Disk, Failure, Memory, Storage, Survive};
use distil_testkit::reliability::SCENARIOS;
use distil_testkit::suite::case;

/// Where runs begin, and what they do.
struct Scenario {
    name: &'static str,
    plan: Plan,
    /// Bytes of rows in memory; a little makes the run spill.
    row_bytes: u64,
    /// Whether an earlier run left an output.
    old: bool,
    /// Whether a run died on the way, and where.
    died: Option<Died>,
}

/// Where a run died.
#[derive(Clone, Copy)]
enum Died {
    /// Half of its calls were done.
    Halfway,
    /// The next call would have made the output visible.
    BeforeItsOutput,
}

/// Names and contents.
type Content = BTreeMap<PathBuf, Vec<u8>>;

fn plan(output: &str, sides: bool) -> Plan {
    let mut plan = case("").key("k").order("v").plan;
    plan.sink = Sink { mode: Mode::Overwrite, ..Sink::new(output) };
    plan.quarantine.path = None;
    if plan.sink.layout == Layout::Dir {
        plan.sink.max_file_rows = Some(12);
        plan.sink.row_group_rows = 12;
    }
    if sides {
        plan.quarantine.path = Some("elsewhere/q.ndjson".into());
        plan.dropped = Some("dropped.parquet".into());
    }
    plan
}

/// Lines with keys that meet, and with bad ones where they can be set aside.
fn lines(salt: u64, bad: bool) -> String {
    let mut text: String = (0..40u64)
        .map(|at| format!("{{\"k\":{},\"v\":\"{:x}\"}}\n", (at * 7 + salt) % 30, at * 7919 * salt))
        .collect();
    if bad {
        text.push_str("7\n{\"v\":\n");
    }
    text
}

fn run_on(memory: &Memory, plan: &Plan, row_bytes: u64) -> Result<()> {
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let options = EngineOptions { read_chunk: 512, row_bytes, ..EngineOptions::new(1, 64 << 20) };
    let backend = Native::new(Arc::clone(&storage), options);
    let job = Job { temp_dir: Some("tmp".into()), ..Job::new(storage, plan.clone(), &backend) };
    run(&job).1
}

impl Scenario {
    /// What is there before the run.
    fn memory(&self) -> Memory {
        let memory = Memory::new();
        let bad = self.plan.quarantine.path.is_some();
        memory.put_dir("elsewhere");
        memory.put_dir("tmp");
        if self.old {
            memory.put("in/a.json", lines(3, bad));
            self.run(&memory).unwrap();
        }
        memory.put("in/a.json", lines(5, bad));
        let Some(died) = self.died else { return memory.after_kill() };
        let whole = memory.after_kill();
        self.run(&whole).unwrap();
        let calls = match died {
            Died::Halfway => 1..=whole.calls() / 2,
            Died::BeforeItsOutput => 1..=whole.calls(),
        };
        let dead = calls.rev().map(|call| {
            let dead = memory.after_kill();
            dead.crash_after(call);
            self.run(&dead).unwrap_err();
            dead.after_kill()
        });
        let old = self.output(&memory);
        dead.into_iter().find(|dead| self.output(dead) == old).unwrap()
    }

    fn run(&self, memory: &Memory) -> Result<()> {
        run_on(memory, &self.plan, self.row_bytes)
    }

    /// The files of the output.
    fn output(&self, memory: &Memory) -> Content {
        let place = PathBuf::from("/").join(&self.plan.sink.path);
        memory.files().into_iter().filter(|(path, _)| path.starts_with(&place)).collect()
    }
}

/// The files beside the output and the inputs.
fn sides(memory: &Memory) -> Content {
    let is_side = |path: &PathBuf| path.ends_with("q.ndjson") || path.ends_with("dropped.parquet");
    memory.files().into_iter().filter(|(path, _)| is_side(path)).collect()
}

fn hidden(memory: &Memory) -> Vec<PathBuf> {
    let hidden = |path: &PathBuf| path.to_string_lossy().contains("/.");
    let mut hidden: Vec<PathBuf> = memory.files().into_keys().filter(hidden).collect();
    hidden.extend(memory.names("tmp").into_iter().map(PathBuf::from));
    hidden
}

fn scenarios() -> Vec<Scenario> {
    let scenario = |name, plan, old| Scenario { name, plan, row_bytes: 1 << 20, old, died: None };
    let spilling = |scenario| Scenario { row_bytes: 300, ..scenario };
    let after = |died, scenario| Scenario { died: Some(died), ..scenario };
    vec![
        scenario("new file", plan("out.parquet", false), false),
        scenario("new file, quarantine and dropped", plan("out.parquet", true), false),
        scenario("file over file", plan("out.parquet", false), true),
        scenario("file over file, sides over sides", plan("out.parquet", true), true),
        scenario("new directory", plan("out", false), false),
        scenario("new directory, quarantine and dropped", plan("out", true), false),
        scenario("directory over directory", plan("out", false), true),
        scenario("directory over directory, sides over sides", plan("out", true), true),
        spilling(scenario("new file, spilled", plan("out.parquet", false), false)),
        spilling(scenario(
            "directory over directory, spilled, with sides",
            plan("out", true),
            true,
        )),
        after(
            Died::Halfway,
            scenario(
                "leftovers of a run that died while it wrote",
                plan("out.parquet", true),
                false,
            ),
        ),
        after(
            Died::BeforeItsOutput,
            scenario(
                "leftovers of a run that died in its commit",
                plan("out.parquet", true),
                false,
            ),
        ),
        after(
            Died::BeforeItsOutput,
            scenario("leftovers in a commit over a directory", plan("out", true), true),
        ),
        after(
            Died::Halfway,
            spilling(scenario(
                "leftovers of a run that had spilled",
                plan("out.parquet", false),
                true,
            )),
        ),
    ]
}

#[test]
fn the_scoreboard_tells_how_many_scenarios_there_are() {
    assert_eq!(scenarios().len(), SCENARIOS);
}

/// Checks that the output is the old or the new one, whole, and that a new one has all that belongs to
/// it; and says which.
struct Judge {
    scenario: Scenario,
    /// What is there before the run.
    start: Memory,
    calls: u64,
    old: Content,
    new: Content,
    new_sides: Content,
}

impl Judge {
    fn of(scenario: Scenario) -> Self {
        let start = scenario.memory();
        let memory = start.after_kill();
        let old = scenario.output(&memory);
        scenario.run(&memory).unwrap();
        let (new, new_sides) = (scenario.output(&memory), sides(&memory));
        assert!(!new.is_empty() && new != old, "{}", scenario.name);
        assert_eq!(new_sides.len(), if scenario.plan.dropped.is_some() { 2 } else { 0 });
        assert!(hidden(&memory).is_empty(), "{}: {:?}", scenario.name, hidden(&memory));
        Self { calls: memory.calls(), start, old, new, new_sides, scenario }
    }

    fn is_new(&self, memory: &Memory, when: &str) -> bool {
        let found = self.scenario.output(memory);
        let is_new = found == self.new;
        let names = || found.keys().collect::<Vec<_>>();
        assert!(is_new || found == self.old, "{}: {when}: {:?}", self.scenario.name, names());
        assert!(!is_new || sides(memory) == self.new_sides, "{}: {when}", self.scenario.name);
        is_new
    }
}

#[test]
fn a_crash_at_any_call_of_the_engine_leaves_the_old_or_the_new_output_and_the_next_run_cleans_up() {
    let mut crashes = 0;
    for judge in scenarios().into_iter().map(Judge::of) {
        let mut news = 0;
        for call in 1..=judge.calls {
            let memory = judge.start.after_kill();
            memory.crash_after(call);
            let result = judge.scenario.run(&memory);
            for (how, after) in [
                ("kill", memory.after_kill()),
                ("loss of power", memory.after_power_loss(Survive::Synced)),
                ("loss of power, names kept", memory.after_power_loss(Survive::Names)),
            ] {
                let when = format!("{how} at call {call} of {}", judge.calls);
                let is_new = judge.is_new(&after, &when);
                assert!(is_new || result.is_err(), "{}: {when}", judge.scenario.name);
                news += u64::from(is_new);
                crashes += 1;
                judge.scenario.run(&after).unwrap();
                assert!(judge.is_new(&after, &when), "{}: {when}", judge.scenario.name);
                let left = hidden(&after);
                assert!(left.is_empty(), "{}: {when}: {left:?}", judge.scenario.name);
            }
        }
        assert!(news > 1, "{}: no crash came after the commit", judge.scenario.name);
    }
    println!("{crashes} crashes");
}

#[test]
fn a_failure_at_any_call_of_the_engine_leaves_the_old_output_or_says_that_the_new_one_is_there() {
    let mut failures = 0;
    for judge in scenarios().into_iter().map(Judge::of) {
        for (call, failure) in
            (1..=judge.calls).flat_map(|call| [(call, Failure::NoSpace), (call, Failure::Io)])
        {
            let memory = judge.start.after_kill();
            let before = sides(&memory);
            let left_before = hidden(&memory);
            memory.fail_at(call, failure);
            let when = format!("{failure:?} at call {call} of {}", judge.calls);
            let name = judge.scenario.name;
            let result = judge.scenario.run(&memory);
            let is_new = judge.is_new(&memory, &when);
            failures += 1;
            if let Err(error) = &result {
                let committed = error.fault == Fault::AfterCommit;
                assert_eq!(is_new, committed, "{name}: {when}: {error:?}");
                let environment = committed || error.fault == Fault::Environment;
                assert!(environment, "{name}: {when}: {error:?}");
                assert!(error.output.is_some(), "{name}: {when}: {error:?}");
            } else {
                assert!(is_new, "{name}: {when}");
            }
            if !is_new {
                let fresh = hidden(&memory).into_iter().filter(|path| !left_before.contains(path));
                assert_eq!(fresh.collect::<Vec<_>>(), Vec::<PathBuf>::new(), "{name}: {when}");
                let (now, replaced) = (sides(&memory), !before.is_empty());
                assert!(replaced || now.is_empty(), "{name}: {when}: {:?}", now.keys());
            }
            run_on(&memory, &judge.scenario.plan, judge.scenario.row_bytes).unwrap();
            assert!(judge.is_new(&memory, &when), "{name}: {when}");
            assert!(hidden(&memory).is_empty(), "{name}: {when}: {:?}", hidden(&memory));
        }
    }
    println!("{failures} failures");
}

/// All files but the locks: those beside the output are taken before its own, and let go again.
fn without_locks(memory: &Memory) -> Content {
    let is_lock = |path: &PathBuf| path.to_string_lossy().ends_with(".distil-lock");
    memory.files().into_iter().filter(|(path, _)| !is_lock(path)).collect()
}

#[test]
fn a_run_to_the_output_of_a_living_one_changes_nothing() {
    for scenario in scenarios() {
        let memory = scenario.memory();
        let name = &scenario.plan.sink.path;
        let _lock = memory.lock(format!(".{name}.distil-lock").as_ref()).unwrap().unwrap();
        let before = without_locks(&memory);
        let calls = memory.calls();
        let error = scenario.run(&memory).unwrap_err();
        assert_eq!(error.fault, Fault::Exists, "{}: {error}", scenario.name);
        assert!(without_locks(&memory) == before, "{}", scenario.name);
        assert!(memory.calls() - calls <= 4, "{}", scenario.name);
    }
}
