//! Runs that end early: killed, asked to end, without power, or in each other's way.
//!
//! `DISTIL_KILLS` is how many are killed (20), `DISTIL_POWER_LOSSES` how many lose their power (none).

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use distil_testkit::reliability::{KILLS, POWER_LOSSES, SIGNALS};
use rustix::process::Signal;

use crate::context::{Context, end_of, wait_for};
use crate::support::{Choices, Told, listens_to, may_mount, send};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// A run to be disturbed, over data that it does not know yet, and what was there before.
struct Scenario {
    name: &'static str,
    output: &'static str,
    flags: &'static [&'static str],
    /// Whether an earlier output is there.
    replaces: bool,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario { name: "new file", output: "out.parquet", flags: &[], replaces: false },
    Scenario { name: "file over file", output: "out.parquet", flags: &[], replaces: true },
    Scenario {
        name: "directory over directory",
        output: "out",
        flags: &["--max-file-rows", "20000"],
        replaces: true,
    },
    Scenario {
        name: "with quarantine and dropped",
        output: "out.parquet",
        flags: &["--quarantine", "q.ndjson", "--dropped", "dropped.parquet"],
        replaces: true,
    },
    Scenario {
        name: "new directory, with quarantine, temporary files elsewhere",
        output: "out",
        flags: &["--quarantine", "q.ndjson", "--temp-dir", "temp", "--memory", "64MiB"],
        replaces: false,
    },
];

/// The directory of a disturbed run: `old` and `new` data, and the digest of the output of each.
struct Ground {
    context: Context,
    digests: [String; 2],
    /// How long an undisturbed run takes.
    usual: Duration,
}

impl Ground {
    fn new() -> Self {
        let context = Context::new();
        for (name, seed) in [("old", 1), ("new", 2)] {
            std::fs::create_dir(context.path(name)).unwrap();
            context.generate(&format!("{name}/data"), 80_000, seed);
            std::fs::remove_file(context.path(&format!("{name}/data.answer.json"))).unwrap();
            context.write(&format!("{name}/data/bad.ndjson"), "7\n8\n");
        }
        std::fs::create_dir(context.path("temp")).unwrap();
        let begun = Instant::now();
        let digests = ["old", "new"].map(|data| {
            let flags = ["run", "-q", data, "-o", "probe.parquet", "--mode", "overwrite"];
            context.out(&[&flags[..], &KEY, &["--quarantine", "probe.ndjson"]].concat());
            context.digest("probe.parquet").unwrap()
        });
        let usual = begun.elapsed() / 2;
        for probe in ["probe.parquet", "probe.ndjson"] {
            std::fs::remove_file(context.path(probe)).unwrap();
        }
        Self { context, digests, usual }
    }

    fn moments(&self, seed: u64) -> Moments {
        Moments { choices: Choices(number("DISTIL_SEED", seed)), usual: self.usual }
    }

    /// Starts from nothing but the data, and the old output where the scenario has one.
    fn reset(&self, scenario: &Scenario) {
        for name in self.context.all_names() {
            let path = self.context.path(&name);
            match &*name {
                "old" | "new" | "temp" => {}
                _ if path.is_dir() => std::fs::remove_dir_all(path).unwrap(),
                _ => std::fs::remove_file(path).unwrap(),
            }
        }
        if scenario.replaces {
            self.context.out(&scenario.arguments("old"));
        }
    }

    fn start(&self, scenario: &Scenario) -> Child {
        let mut command = self.context.command(&scenario.arguments("new"));
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Checks that the output is the old or the new one, and says which.
    fn is_new(&self, scenario: &Scenario, when: &str) -> bool {
        let found = self.context.digest(scenario.output);
        let [old, new] = &self.digests;
        if found.as_ref() == Some(new) {
            if scenario.flags.contains(&"--quarantine") {
                // Two bad lines, and the answer, which is no record.
                assert_eq!(self.context.read("q.ndjson").lines().count(), 3, "{when}");
            }
            return true;
        }
        assert_eq!(found.as_ref(), scenario.replaces.then_some(old), "{when}");
        false
    }

    /// Runs again, which must succeed and leave nothing of the dead.
    fn again(&self, scenario: &Scenario, when: &str) {
        let told = Told::of(&self.context.command(&scenario.arguments("new")).output().unwrap());
        assert_eq!(told.code, Some(0), "{when}: {}", told.stderr);
        assert!(self.is_new(scenario, when), "{when}");
        self.tidy(when);
    }

    fn tidy(&self, when: &str) {
        let names = self.context.all_names();
        assert!(names.iter().all(|name| !name.starts_with('.')), "{when}: {names:?}");
        let temporary = crate::support::all_names(&self.context.path("temp"));
        assert!(temporary.is_empty(), "{when}: {temporary:?}");
    }
}

/// What is read: documents, and lines that hold none.
const KEY: [&str; 6] = ["--key", "ts", "--order-by", "id,data", "--records", "/records"];

impl Scenario {
    fn arguments<'a>(&'a self, data: &'a str) -> Vec<&'a str> {
        let mut arguments = vec!["run", "-q", data, "-o", self.output, "--mode", "overwrite"];
        arguments.extend(KEY.iter().chain(self.flags));
        if !self.flags.contains(&"--quarantine") {
            arguments.extend(["--quarantine", "bad.ndjson"]);
        }
        arguments
    }
}

/// Moments within a run; every other one near its end, where the output appears.
///
/// What a run takes changes with what else the machine does, by far, so the moments follow the runs:
/// one that came to its end makes the next moments earlier, one that did not makes them later.
struct Moments {
    choices: Choices,
    usual: Duration,
}

impl Moments {
    fn next(&mut self) -> Duration {
        let usual = self.usual.as_micros() as u64;
        Duration::from_micros(match self.choices.below(2) {
            0 => self.choices.below(usual * 11 / 10),
            _ => usual * 3 / 4 + self.choices.below(usual / 2),
        })
    }

    fn learn(&mut self, moment: Duration, was_ended: bool) {
        self.usual = if was_ended { self.usual.min(moment) * 3 / 4 } else { self.usual * 9 / 8 };
    }
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_the_old_or_the_new_output_and_the_next_one_cleans_up()
{
    let ground = Ground::new();
    let mut moments = ground.moments(1);
    let (mut killed, mut news, mut rounds) = (0, 0, 0);
    let count = number("DISTIL_KILLS", KILLS);
    while killed < count {
        let scenario = &SCENARIOS[rounds as usize % SCENARIOS.len()];
        ground.reset(scenario);
        let delay = moments.next();
        let when = format!("{}: killed after {delay:?}, round {rounds}", scenario.name);
        let mut child = ground.start(scenario);
        std::thread::sleep(delay);
        send(&child, Signal::KILL);
        let status = child.wait().unwrap();
        moments.learn(delay, status.success());
        killed += u64::from(!status.success());
        let is_new = ground.is_new(scenario, &when);
        news += u64::from(is_new);
        assert!(is_new || !status.success(), "{when}");
        ground.again(scenario, &when);
        rounds += 1;
    }
    eprintln!("{killed} of {rounds} runs were killed before their end; {news} left the new output");
}

#[test]
fn a_run_that_is_asked_to_end_at_any_moment_leaves_nothing_behind() {
    let ground = Ground::new();
    let mut moments = ground.moments(2);
    for round in 0..SIGNALS {
        let scenario = &SCENARIOS[round as usize % SCENARIOS.len()];
        ground.reset(scenario);
        let (signal, code) =
            [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)][round as usize % 3];
        let delay = moments.next();
        let when = format!("{}: {signal:?} after {delay:?}, round {round}", scenario.name);
        let child = ground.start(scenario);
        std::thread::sleep(delay);
        send(&child, signal);
        let output = end_of(child);
        let is_new = ground.is_new(scenario, &when);
        moments.learn(delay, output.status.success());
        match output.status.code() {
            Some(0) => assert!(is_new, "{when}"),
            Some(found) => {
                assert_eq!(found, code, "{when}");
                assert!(!is_new, "{when}");
                Told::of(&output)
                    .fails(code, &["nothing was written; the output is as it was before"]);
            }
            // Before it listens, a signal ends the process at once, as it would any.
            None => assert!(!is_new, "{when}"),
        }
        ground.tidy(&when);
    }
}

/// A run that can't go on, since nobody reads what it prints, is asked to end: it can't do that either. The second
/// signal ends it, whichever of them it is.
#[test]
fn the_second_signal_ends_a_run_at_once() {
    let context = Context::new();
    let members: String =
        (0..1_000).map(|n| format!(",\"a column of some length {n}\":1")).collect();
    context.write("in.ndjson", format!("{{\"id\":1{members}}}\n"));
    let arguments = ["run", "-q", "in.ndjson", "-o", "out.parquet", "--key", "id", "--report", "-"];
    let more = ["--mode", "overwrite"];
    for (first, second) in
        [(Signal::INT, Signal::INT), (Signal::TERM, Signal::TERM), (Signal::INT, Signal::TERM)]
    {
        let mut command = context.command(&[&arguments[..], &more].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let reader = child.stdout.take().unwrap();
        let full = rustix::pipe::fcntl_setpipe_size(&reader, 4096).unwrap() as u64;
        wait_for("the pipe to be full", || rustix::io::ioctl_fionread(&reader).unwrap() == full);
        wait_for("all threads to wait", || is_at_rest(&child));
        send(&child, first);
        wait_for("the signal to be heard", || is_at_rest(&child));
        assert!(child.try_wait().unwrap().is_none(), "{first:?} alone did not end it");
        send(&child, second);
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(second.as_raw()), "{first:?}, then {second:?}: {status}");
        drop(reader);
    }
    assert!(context.out(&["head", "out.parquet"]).starts_with("{\"id\":1,"));
}

/// Whether a process has no signal that it has not heard, and all of its threads wait: a handler that runs
/// waits for nothing.
fn is_at_rest(child: &Child) -> bool {
    let tasks = format!("/proc/{}/task", child.id());
    std::fs::read_dir(tasks).unwrap().all(|task| {
        let read = |name: &str| std::fs::read_to_string(task.as_ref().unwrap().path().join(name));
        // A thread may end meanwhile.
        let (Ok(status), Ok(stat)) = (read("status"), read("stat")) else { return true };
        let pending = |line: &str| {
            let mask = line.strip_prefix("SigPnd:").or_else(|| line.strip_prefix("ShdPnd:"));
            mask.is_some_and(|mask| mask.contains(|c: char| c.is_ascii_hexdigit() && c != '0'))
        };
        let state = stat.rsplit(')').next().unwrap().trim_start();
        state.starts_with('S') && !status.lines().any(pending)
    })
}

#[test]
fn a_run_without_a_terminal_outlives_it() {
    let context = Context::with_example();
    let flags = ["run", "-", "-o", "out.parquet", "--key", "ts"];
    let mut child = context
        .scene(&["nohup"], &flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let staging = context.path(".out.parquet.distil-staging");
    wait_for("the staging directory", || staging.exists());
    assert!(listens_to(&child, Signal::INT) && !listens_to(&child, Signal::HUP));
    send(&child, Signal::HUP);
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"{\"ts\":1}\n").unwrap();
    assert_eq!(end_of(child).status.code(), Some(0));
    assert_eq!(context.out(&["head", "out.parquet"]), "{\"ts\":1}\n");
}

/// What a run says that finds another one at its output.
const MET: [&str; 3] = ["another run is writing the", "it was not touched", "help: wait"];

#[test]
fn a_run_to_the_output_of_a_living_one_is_refused() {
    let ground = Ground::new();
    for scenario in &SCENARIOS {
        ground.reset(scenario);
        // It reads on until its input ends, which is not before the others have met it.
        let mut arguments = scenario.arguments("-");
        arguments.extend(["--report", "first.json"]);
        let mut first = ground.context.command(&arguments);
        let mut first = first.stdin(Stdio::piped()).spawn().unwrap();
        let staging = ground.context.path(&format!(".{}.distil-staging", scenario.output));
        wait_for("the staging directory", || staging.exists());
        for _ in 0..3 {
            Told::of(&ground.start(scenario).wait_with_output().unwrap()).fails(5, &MET);
        }
        let mut input = first.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, b"{\"records\":[{\"ts\":1,\"id\":0,\"data\":0}]}\n")
            .unwrap();
        drop(input);
        assert_eq!(end_of(first).status.code(), Some(0), "{}", scenario.name);
        let report: serde_json::Value =
            serde_json::from_str(&ground.context.read("first.json")).unwrap();
        assert_eq!(report["records"]["written"], 1, "{}", scenario.name);
        ground.tidy(scenario.name);
    }
}

/// Whether they meet is left to the machine: whoever is first, one output comes out whole.
#[test]
fn of_runs_to_one_output_at_most_one_writes_at_a_time() {
    let ground = Ground::new();
    for round in 0..5 {
        let scenario = &SCENARIOS[round % SCENARIOS.len()];
        ground.reset(scenario);
        let rivals: Vec<Child> = (0..4).map(|_| ground.start(scenario)).collect();
        let ended: Vec<i32> = rivals
            .into_iter()
            .map(|rival| {
                let told = Told::of(&rival.wait_with_output().unwrap());
                if told.code != Some(0) {
                    told.fails(5, &MET);
                }
                told.code.unwrap()
            })
            .collect();
        let when = format!("{}: {ended:?}", scenario.name);
        assert!(ended.contains(&0), "{when}");
        assert!(ground.is_new(scenario, &when), "{when}");
        ground.tidy(&when);
    }
}

/// The disk of a run is copied while it works, as if the power had gone, and the copy mounted.
#[test]
fn a_loss_of_power_on_ext4_leaves_the_old_or_the_new_output() {
    let count = number("DISTIL_POWER_LOSSES", POWER_LOSSES);
    if count == 0 || !may_mount() {
        return;
    }
    let ground = Ground::new();
    let mut moments = ground.moments(3);
    let (mut olds, mut news) = (0, 0);
    for round in 0..count {
        let scenario = &SCENARIOS[round as usize % 4];
        ground.reset(scenario);
        let when = format!("{}: power lost, round {round}", scenario.name);
        let delay = moments.next();
        let arguments = |data: &str, output: &str| {
            let mut words = scenario.arguments(data);
            let at = words.iter().position(|word| *word == scenario.output).unwrap();
            words[at] = output;
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ")
        };
        let first = if scenario.replaces {
            format!(
                "cd disk; \"$distil\" {}; sync -f .; cd ..",
                arguments("../old", scenario.output)
            )
        } else {
            String::new()
        };
        let output = ground.context.with_mounts(&format!(
            "truncate -s 64m image; mkfs.ext4 -q -F image; mkdir -p disk copy
             mount -o loop,commit=1 image disk
             {first}
             (cd disk; exec \"$distil\" {new}) & run=$!
             sleep {seconds}
             cp --sparse=always image lost
             kill -KILL $run 2>/dev/null || true; wait $run || true
             umount disk
             mount -o loop lost copy
             cd copy
             if test -e {out}; then \"$distil\" digest {out}; test ! -e q.ndjson || wc -l < q.ndjson; else echo none; fi
             \"$distil\" {again} >&2
             \"$distil\" digest {out}
             ls -A",
            seconds = delay.as_secs_f64(),
            new = arguments("../new", scenario.output),
            again = arguments("../new", scenario.output),
            out = scenario.output,
        ));
        let said = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(
            output.status.success(),
            "{when}: {said} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let [old, new] = &ground.digests;
        let found = said.lines().next().unwrap();
        let same = |digest: &str| digest.lines().next() == Some(found);
        moments.learn(delay, same(new));
        match scenario.replaces {
            _ if same(new) => news += 1,
            true if same(old) => olds += 1,
            false if found == "none" => olds += 1,
            _ => panic!("{when}: {said}"),
        }
        assert!(said.contains(new.trim()), "{when}: {said}");
        let left: Vec<&str> = said.lines().filter(|line| line.starts_with('.')).collect();
        assert!(left.is_empty(), "{when}: {left:?}");
        for image in ["image", "lost"] {
            std::fs::remove_file(ground.context.path(image)).unwrap();
        }
    }
    eprintln!("{olds} losses of power left the old output, {news} the new one");
}
