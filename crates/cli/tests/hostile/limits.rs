//! Machines that give little: open files, memory, threads, stacks, streams.

use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::context::Context;
use crate::support::{Told, may_change_user};

const ORDER: [&str; 4] = ["--key", "ts", "--order-by", "id,data"];

#[test]
fn sixty_four_open_files_are_enough_for_any_number_of_inputs_and_spilled_runs() {
    let context = Context::new();
    context.generate("data", 1_000_000, 1);
    for at in 0..300 {
        context.write(&format!("data/empty/{at}.json"), "");
    }
    let flags = ["run", "data", "-o", "out.parquet", "--memory", "64MiB", "--report", "r.json"];
    let told = context.through(&["prlimit", "--nofile=64"], &[&flags[..], &ORDER].concat());
    told.succeeds();
    context.out(&["verify", "out.parquet", "data.answer.json"]);
    let report: serde_json::Value = serde_json::from_str(&context.read("r.json")).unwrap();
    assert!(report["resources"]["spilled_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn too_few_open_files_are_told_with_the_way_to_have_more() {
    let context = Context::with_example();
    let flags = ["run", "in.json", "-o", "out.parquet", "--key", "ts"];
    let told = context.through(&["prlimit", "--nofile=4"], &flags);
    told.fails(3, &["Too many open files", "ulimit -n"]);
    assert_eq!(context.names(), ["in.json"]);
}

#[test]
fn a_system_that_gives_fewer_threads_gets_a_slower_run_and_one_that_gives_none_is_told() {
    if !may_change_user() {
        return;
    }
    let context = Context::with_example();
    let open = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o777);
    std::fs::set_permissions(context.path(""), open).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_distil"), context.path("distil")).unwrap();
    // A user of its own, because others may run as nobody at the same time.
    let user = (2_000_000 + std::process::id()).to_string();
    let run = |limit: u32| {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid", &user, "--regid", "65534", "--clear-groups", "prlimit"]);
        command.arg(format!("--nproc={limit}")).args(["./distil", "run", "in.json", "-o"]);
        command.args(["out.parquet", "--key", "ts", "--order-by", "id", "--threads", "16"]);
        Told::of(&command.current_dir(context.path("")).output().unwrap())
    };
    for limit in [1, 2] {
        run(limit).fails(3, &["cannot start a thread: Resource temporarily unavailable", "help: "]);
        assert_eq!(context.names(), ["distil", "in.json"]);
    }
    run(4).succeeds();
    assert_eq!(context.out(&["head", "out.parquet"]).lines().count(), 2);
}

/// A control group of this process's own, removed with the value.
struct Group(PathBuf);

impl Group {
    fn with_memory(bytes: u64) -> Option<Self> {
        let name = format!("distil-test-{}", std::process::id());
        let places =
            [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")];
        for (root, limit) in places {
            let group = Self(Path::new(root).join(&name));
            if std::fs::create_dir(&group.0).is_ok()
                && std::fs::write(group.0.join(limit), bytes.to_string()).is_ok()
            {
                return Some(group);
            }
        }
        None
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn two_hundred_mebibytes_are_kept_in_a_control_group_of_three_hundred() {
    let Some(group) = geteuid().is_root().then(|| Group::with_memory(300_000_000)).flatten() else {
        eprintln!("not tested here: control groups can't be made");
        return;
    };
    let context = Context::new();
    context.generate("data", 2_000_000, 1);
    let script = format!("echo $$ > '{}/cgroup.procs' && exec \"$0\" \"$@\"", group.0.display());
    let flags = ["run", "data", "-o", "out.parquet", "--memory", "200MiB", "--threads", "2"];
    let told = context.through(&["sh", "-c", &script], &[&flags[..], &ORDER].concat());
    told.succeeds();
    context.out(&["verify", "out.parquet", "data.answer.json"]);
    // Without a flag the group decides, not the machine.
    let flags = ["run", "data", "-o", "out.parquet", "--mode", "overwrite"];
    context.through(&["sh", "-c", &script], &[&flags[..], &ORDER].concat()).succeeds();
    context.out(&["verify", "out.parquet", "data.answer.json"]);
}

#[test]
fn the_nesting_of_a_million_levels_needs_no_stack() {
    let context = Context::new();
    let deep = 1_000_000;
    let (lists, objects) = ("[".repeat(deep), "{\"a\":".repeat(deep));
    context.write(
        "lists.json",
        format!("{{\"ts\":1}}\n{{\"ts\":2,\"x\":{lists}{}}}\n", "]".repeat(deep)),
    );
    context.write(
        "objects.json",
        format!("{{\"ts\":3}}\n{{\"ts\":4,\"x\":{objects}1{}}}\n", "}".repeat(deep)),
    );
    context.write("open.json", format!("{{\"ts\":5}}\n{lists}\n{objects}\n{{\"ts\":6}}\n"));
    context.write(
        "around.json",
        format!("{{\"x\":{lists}{},\"records\":[{{\"ts\":7}}]}}", "]".repeat(deep)),
    );
    context
        .write("array.json", format!("[{{\"ts\":8}},{lists}1{},{{\"ts\":9}}]", "]".repeat(deep)));
    let flags = ["run", "-q", "--key", "ts", "--quarantine", "q.ndjson", "-o", "out.parquet"];
    let sources = ["lists.json", "objects.json", "open.json", "around.json", "array.json"];
    let mut command =
        context.scene(&["prlimit", "--stack=131072"], &[&flags[..], &sources].concat());
    let told = Told::of(&command.env("RUST_MIN_STACK", "131072").output().unwrap());
    told.succeeds();
    let kept: String = [1, 3, 5, 6, 8, 9].map(|ts| format!("{{\"ts\":{ts}}}\n")).concat();
    assert_eq!(context.out(&["head", "out.parquet"]), kept);
    let quarantined = context.read("q.ndjson");
    assert_eq!(quarantined.matches("\"reason\":\"too_deep\"").count(), 6, "{quarantined:.2000}");
    assert_eq!(quarantined.lines().count(), 1 + 6);
}

/// Types and paths that nest deep, wherever they are given, are a usage error.
#[test]
fn what_nests_deep_in_options_is_refused_on_a_small_stack() {
    let context = Context::with_example();
    let run = ["run", "in.json", "-o", "out.parquet", "--key", "ts"];
    for deep in [33, 60, 200, 10_000] {
        let list = "list<".repeat(deep) + "int64" + &">".repeat(deep);
        let record = "struct<a: ".repeat(deep) + "int64" + &">".repeat(deep);
        let path = vec!["a"; deep].join(".");
        context.write("schema.json", format!("[{{\"name\":\"x\",\"type\":\"{record}\"}}]"));
        let job = "[jobs.j]\nsource = \"in.json\"\noutput = \"out.parquet\"\nkey = \"ts\"\n";
        context.write("types.toml", format!("{job}types = {{ x = \"{list}\" }}\n"));
        context.write("schema.toml", format!("{job}schema = \"x {record}\"\n"));
        context.write("columns.toml", format!("{job}columns = [\"{path}\"]\n"));
        let plan = context.out(&[
            "plan",
            "in.json",
            "-o",
            "out.parquet",
            "--key",
            "ts",
            "--type",
            "x=json",
        ]);
        assert_eq!(plan.matches("\"json\"").count(), 1, "{plan}");
        context.write("plan.json", plan.replace("\"json\"", &format!("\"{list}\"")));
        let (hint, named) = (format!("x={list}"), format!("{path}=json"));
        let schema = format!("x {record}");
        let mut commands: Vec<Vec<&str>> = vec![
            vec!["run", "--job", "j", "--config", "types.toml"],
            vec!["run", "--job", "j", "--config", "schema.toml"],
            vec!["run", "--job", "j", "--config", "columns.toml"],
            vec!["run", "--plan", "plan.json"],
            vec!["schema", "in.json", "--type", &hint],
        ];
        for flag in [
            ["--type", &hint],
            ["--type", &named],
            ["--schema", &schema],
            ["--schema", "schema.json"],
            ["--columns", &path],
            ["--order-by", &path],
            ["--bloom", &path],
            ["--key", &path],
        ] {
            let before = if flag[0] == "--key" { &run[..4] } else { &run[..] };
            commands.push([before, &flag].concat());
        }
        for command in commands {
            let mut command = context.scene(&["prlimit", "--stack=262144"], &command);
            let told = Told::of(&command.output().unwrap());
            assert_eq!(told.code, Some(2), "{deep} levels: {told:?}");
        }
        assert!(!context.path("out.parquet").exists());
    }
}

#[test]
fn streams_that_are_closed_altogether_change_nothing() {
    let context = Context::with_example();
    let flags = [
        "run",
        "in.json",
        "--key",
        "ts",
        "--order-by",
        "id",
        "--mode",
        "overwrite",
        "-o",
        "o.parquet",
    ];
    for closed in ["<&- >&- 2>&-", "2>&-", ">&-", "<&-"] {
        let script = format!("exec \"$0\" \"$@\" {closed}");
        let output = context.scene(&["sh", "-c", &script], &flags).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{closed}");
        assert_eq!(context.out(&["head", "o.parquet"]).lines().count(), 2);
        assert_eq!(context.names(), ["in.json", "o.parquet"], "{closed}");
    }
}
