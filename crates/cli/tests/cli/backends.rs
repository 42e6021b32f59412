//! Backends and jobs by configuration, and backends that are not there, die, hang or lie.

use insta::assert_snapshot;

use crate::context::Context;

/// A configuration that names a job over the worked example.
const JOB: &str = "[jobs.events]\nsource = ['in.json']\noutput = 'out.parquet'\nkey = ['ts']\n\
                   order_by = ['id', 'data']\n";

/// A context with an output that must stay as it is, and a backend that is this program.
fn with_child(command: &str) -> Context {
    with_options(command, "")
}

/// The same, with a program that says nothing and is given a second for it.
fn with_silent_child(command: &str) -> Context {
    with_options(command, "silence = 1\n")
}

fn with_options(command: &str, options: &str) -> Context {
    let context = Context::with_example();
    context.write("out.parquet", "the output of yesterday");
    context.configure(format!(
        "{JOB}mode = 'overwrite'\nbackend = 'child'\n\n[backends.child]\nengine = 'external'\n\
         command = {command}\n{options}"
    ));
    context
}

/// Runs the job, which must fail and leave the old output and nothing else.
fn fails(context: &Context) -> String {
    let before = context.names();
    let told = context.run(&["run", "--job", "events"]);
    assert_eq!(context.read("out.parquet"), "the output of yesterday");
    assert_eq!(context.names(), before);
    told
}

#[test]
fn a_job_runs_by_its_name_and_flags_are_stronger() {
    let context = Context::with_example();
    context.write("distil.toml", JOB);
    assert_snapshot!(context.run(&["run", "--job", "events"]), @r#"
    exit: 0
    --- stderr
    events: 2 rows in out.parquet, of 5 records, 3 duplicates, 0 records set aside, [TIME]
    warning: the order column id holds numbers as strings, and orders them as text: "10" < "9", first at in.json line 2 ("10101")
      help: read it as numbers: --type 'id=int64'
      help: or order it as text, without this warning: --order-by 'id as text, data'
    "#);
    let plan = context.out(&["plan", "--job", "events", "--keep", "last", "-o", "other.parquet"]);
    assert!(plan.contains("\"keep\": \"last\""), "{plan}");
    assert!(plan.contains("\"path\": \"other.parquet\""), "{plan}");
    assert!(plan.contains("\"in.json\""), "{plan}");
    assert_snapshot!(context.run(&["run", "--job", "event"]), @"
    exit: 2
    --- stderr
    error: there is no job `event`
      help: the configuration has: events
    ");
    context.write("conf/other.toml", JOB);
    assert_snapshot!(context.run(&["run", "--job", "events", "--config", "conf/other.toml"]), @"
    exit: 1
    --- stderr
    error: conf/in.json: there is no such file or directory
      output: nothing was written; the output is as it was before
      help: name a file, a directory, a glob in quotes, or - for standard input
    ");
}

#[test]
fn backends_are_listed_without_their_secrets() {
    let context = Context::with_example();
    context.configure(
        "[backends.default]\nengine = 'native'\nmemory = '1GiB'\n[backends.reference]\n\
         engine = 'pandas'\npython = '.venv/bin/python'\n[backends.cluster]\nengine = 'spark'\n",
    );
    let mut command = context.command(&["backends"]);
    command.env("DISTIL_BACKENDS__CLUSTER__URL", "sc://me:hunter2@spark:15002/;token=hunter2");
    let told = context.told(&command.output().unwrap());
    assert!(!told.contains("hunter2"), "{told}");
    let told: Vec<String> =
        told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "name engine where promises",
        "default native this process same rows, same bytes, quarantine",
        "reference pandas .venv/bin/python same rows, valid input only",
    ] {
        assert!(told.iter().any(|told| told == line), "{told:?}");
    }
    let cluster = "cluster spark sc://me:***@spark:15002/;token=*** ";
    assert!(told.iter().any(|told| told.starts_with(cluster)), "{told:?}");
}

#[test]
fn what_is_wrong_in_the_configuration_is_told_with_its_place() {
    let context = Context::with_example();
    let run = |text: &str| {
        context.write("distil.toml", text);
        context.run(&["run", "in.json", "-o", "o.parquet", "--key", "ts"])
    };
    assert_snapshot!(run("[backends.default]\nmemroy = '1GiB'"), @"
    exit: 2
    --- stderr
    error: distil.toml: there is no option backends.default.memroy
      help: the nearest is backends.default.memory
    ");
    assert_snapshot!(run("[backends.default]\nthreads = 0"), @"
    exit: 2
    --- stderr
    error: a run needs at least one thread
    ");
    assert_snapshot!(run("backend = 'clutser'\n[backends.cluster]\nengine='native'"), @"
    exit: 2
    --- stderr
    error: there is no backend `clutser`
      help: the nearest is cluster; there are: cluster, native, pandas
    ");
    let mut command = context.command(&["backends"]);
    context.write("distil.toml", "");
    command.env("DISTIL_BACKENDS__C__URL", "http://example");
    assert_snapshot!(context.told(&command.output().unwrap()), @"
    exit: 2
    --- stderr
    error: no engine is reached by the URL http://example
      help: URLs are: sc://HOST:PORT
    ");
}

#[test]
fn the_environment_is_stronger_than_the_job_and_a_flag_than_both() {
    let context = with_child("['false']");
    let mut command = context.command(&["run", "--job", "events", "--report", "-"]);
    command.env("DISTIL_BACKEND", "native");
    let told = context.told(&command.output().unwrap());
    assert!(told.contains("\"backend\": \"native\""), "{told}");
    let mut command = context.command(&["run", "--job", "events", "--backend", "native"]);
    command.env("DISTIL_BACKEND", "child");
    assert!(command.output().unwrap().status.success());
}

#[test]
fn without_its_python_or_without_pandas_it_is_said_how_to_get_them() {
    let context = Context::with_example();
    context.write("out.parquet", "the output of yesterday");
    let with_python = |python: &str| {
        context.configure(format!(
            "{JOB}mode = 'overwrite'\nbackend = 'reference'\n[backends.reference]\n\
             engine = 'pandas'\npython = {python}\n"
        ));
        (fails(&context), context.run(&["backends", "check", "reference"]))
    };
    let (run, check) = with_python("'no/python'");
    assert_snapshot!(run, @r#"
    exit: 3
    --- stderr
    error: no/python: the backend pandas did not start: cannot start the program: No such file or directory
      output: nothing was written; the output is as it was before
      help: install Python 3.9 or later, then 'no/python' -m pip install pandas pyarrow; or name another Python in the configuration: python = ".venv/bin/python"
    "#);
    assert_snapshot!(check, @r#"
    exit: 3
    --- stderr
    error: no/python: the backend pandas did not start: cannot start the program: No such file or directory
      help: install Python 3.9 or later, then 'no/python' -m pip install pandas pyarrow; or name another Python in the configuration: python = ".venv/bin/python"
    "#);
    // A Python without what is installed beside it.
    let (run, check) = with_python("['python3', '-S']");
    for told in [run, check] {
        assert!(told.starts_with("exit: 3\n"), "{told}");
        assert!(told.contains("pip install pandas pyarrow"), "{told}");
    }
}

#[test]
fn a_child_that_dies_hangs_or_lies_changes_nothing() {
    assert_snapshot!(fails(&with_child("['sh', '-c', 'echo oh no >&2; exit 7']")), @"
    exit: 3
    --- stderr
    error: the backend child ended with status 7 before it was done
      oh no
      output: nothing was written; the output is as it was before
    ");
    assert_snapshot!(fails(&with_silent_child("['sleep', '600']")), @"
    exit: 3
    --- stderr
    error: the backend child said nothing for 1 seconds, and was stopped
      output: nothing was written; the output is as it was before
    ");
    let says_to = |with: fn(&str) -> Context, then: &str| {
        let words = ["type:string", "type:timestamp", "shape:document", "compression:zstd"];
        let supports = words.map(|word| format!("\\\"{word}\\\"")).join(",");
        let hello = format!(
            "{{\\\"message\\\":\\\"hello\\\",\\\"protocol\\\":1,\\\"version\\\":\\\"liar 1\\\",\
             \\\"supports\\\":[{supports}]}}"
        );
        with(&format!("[\"sh\", \"-c\", \"read x; echo '{hello}'; read x; {then}\"]"))
    };
    let says = |then: &str| says_to(with_child, then);
    assert_snapshot!(fails(&says("exit 7")), @"
    exit: 3
    --- stderr
    error: the backend child ended with status 7 before it was done
      output: nothing was written; the output is as it was before
    ");
    assert_snapshot!(fails(&says_to(with_silent_child, "sleep 600")), @"
    exit: 3
    --- stderr
    error: the backend child said nothing for 1 seconds, and was stopped
      output: nothing was written; the output is as it was before
    ");
    let done = "{\\\"message\\\":\\\"done\\\",\\\"inputs\\\":[5],\\\"written\\\":2,\
                \\\"identical\\\":1,\\\"conflicting\\\":2,\\\"conflicts\\\":[],\
                \\\"ignored_members\\\":0,\\\"rounded\\\":0}";
    assert_snapshot!(fails(&says(&format!("echo '{done}'; read x"))), @"
    exit: 3
    --- stderr
    error: the backend child is wrong: it shows 0 conflicts of 2 conflicting records
      output: nothing was written; the output is as it was before
      help: run it on the native engine, and report this to whoever made the backend: --backend native
    ");
}

#[test]
fn spark_is_asked_for_by_its_url() {
    let context = Context::with_example();
    let told = context.run(&[
        "run",
        "in.json",
        "-o",
        "o.parquet",
        "--key",
        "ts",
        "--backend",
        "sc://localhost:1",
    ]);
    // Without the feature the build is at fault, with it the server that is not there.
    assert!(told.contains("--features spark") || told.starts_with("exit: 3\n"), "{told}");
}

/// A file that lies where a command happens to run may come from anybody.
#[test]
fn an_untrusted_configuration_starts_nothing() {
    let context = Context::with_example();
    context.write("engine.sh", "touch started\n");
    let program = "command = ['sh', 'engine.sh']\n";
    let run = ["run", "in.json", "-o", "o.parquet", "--key", "ts"];
    let with = |more: &[&'static str]| [&run[..], more].concat();
    context.write("distil.toml", format!("[backends.default]\nengine = 'external'\n{program}"));
    assert_snapshot!(context.run(&run), @"
    exit: 2
    --- stderr
    error: distil.toml: the file is not trusted, so it can't choose the backend default, which starts a program or reaches an address
      help: read the file, and trust it as it is now: distil trust
      help: or trust it for this run: --config distil.toml
      help: or run the plan on the native engine: --backend native
    ");
    for arguments in [with(&["--dry-run"]), vec!["backends", "check"]] {
        let told = context.run(&arguments);
        assert!(told.contains("is not trusted"), "{told}");
    }
    // What it chooses is not started either: a Python, or an address.
    for (chosen, more) in [
        ("backend = 'pandas'\n", ""),
        ("backend = 'sc://localhost:1'\n", ""),
        ("", "url = 'sc://h'\n"),
    ] {
        context.write("distil.toml", format!("{chosen}[backends.default]\n{more}"));
        let told = context.run(&run);
        assert!(told.starts_with("exit: 2\n") && told.contains("is not trusted"), "{told}");
        let job =
            format!("[jobs.j]\nbackend = '{}'\n", chosen.split('\'').nth(1).unwrap_or("pandas"));
        context.write("distil.toml", job);
        let told = context.run(&with(&["--job", "j"]));
        assert!(told.starts_with("exit: 2\n") && told.contains("is not trusted"), "{told}");
        // Whoever names the backend means it.
        let told =
            context.run(&with(&["--job", "j", "--backend", "native", "--mode", "overwrite"]));
        assert!(told.starts_with("exit: 0\n"), "{told}");
    }
    // The native engine is always the native engine.
    let text = format!("[backends.native]\nengine = 'external'\n{program}");
    context.write("distil.toml", &text);
    assert_snapshot!(context.run(&with(&["--backend", "native", "--mode", "overwrite"])), @"
    exit: 2
    --- stderr
    error: the backend native is always the native engine, and not external
      help: give the section another name
    ");
    assert!(!context.names().contains(&"started".to_owned()));

    // Named or trusted, it is started, and a change of one byte ends that.
    let text = format!("[backends.default]\nengine = 'external'\n{program}");
    context.write("distil.toml", &text);
    let told = context.run(&with(&["--mode", "overwrite", "--config", "distil.toml"]));
    assert!(told.contains("before it"), "{told}");
    assert_eq!(context.read("started"), "");
    std::fs::remove_file(context.path("started")).unwrap();
    assert_snapshot!(context.out(&["trust"]), @"
    distil.toml is trusted as long as it stays as it is
      default: external, sh engine.sh
    ");
    context.run(&with(&["--mode", "overwrite"]));
    assert_eq!(context.read("started"), "");
    std::fs::remove_file(context.path("started")).unwrap();
    context.write("distil.toml", format!("{text} "));
    assert!(context.run(&with(&["--mode", "overwrite"])).contains("is not trusted"));
    context.configure(&text);
    context.out(&["trust", "--forget"]);
    assert!(context.run(&with(&["--mode", "overwrite"])).contains("is not trusted"));
    assert!(!context.names().contains(&"started".to_owned()));
}

/// What a run without trust may not do, a plain configuration never asks for.
#[test]
fn results_and_resources_need_no_trust() {
    let context = Context::with_example();
    context.write(
        "distil.toml",
        format!("backend = 'fast'\n{JOB}[backends.fast]\nengine = 'native'\nthreads = 1\n"),
    );
    let told = context.run(&["run", "--job", "events"]);
    assert!(told.starts_with("exit: 0\n"), "{told}");
}

/// A secret belongs to the address that its own source names.
#[test]
fn no_secret_goes_where_another_file_sends_it_and_none_is_shown() {
    let context = Context::with_example();
    context.write(
        "config/distil/distil.toml",
        "[backends.cluster]\nurl = 'sc://mine:1'\ntoken_file = 'token'\n",
    );
    context.write("config/distil/token", "hunter2");
    context.write("distil.toml", "[backends.cluster]\nurl = 'sc://evil:1'\n");
    let told =
        context.run(&["run", "in.json", "-o", "o.parquet", "-k", "ts", "--backend", "cluster"]);
    assert!(told.contains("the secret in token_file is for the address that"), "{told}");
    // Mistyped, an address is still one.
    for url in [
        "sc:/host:1/;token=hunter2",
        "sc//me:hunter2@host",
        "host:1;token=hunter2",
        "sc:host?password=hunter2",
    ] {
        context.write("distil.toml", "");
        context.write("config/distil/distil.toml", "");
        let told =
            context.run(&["run", "in.json", "-o", "o.parquet", "-k", "ts", "--backend", url]);
        assert!(told.starts_with("exit: 2") && !told.contains("hunter2"), "{url}: {told}");
    }
}

/// A child gets none of the secrets of other backends.
#[test]
fn a_child_sees_no_option_of_the_environment() {
    let context = with_child("['sh', '-c', 'env > seen; exit 7']");
    let mut command = context.command(&["run", "--job", "events"]);
    command.env("DISTIL_BACKENDS__CLUSTER__TOKEN", "hunter2").env("OTHER", "kept");
    command.output().unwrap();
    let seen = context.read("seen");
    assert!(seen.contains("OTHER=kept") && !seen.contains("hunter2"), "{seen}");
}
