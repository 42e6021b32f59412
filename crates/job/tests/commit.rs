//! The commit under crashes and failures at every single call, on the in-memory file system.

#![allow(clippy::unwrap_used, reason = "a test helper outside of a test function may panic, too")]

use std::path::Path;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema as ArrowSchema};
use bytes::Bytes;
use distil_job::run::{Job, dry_run, run};
use distil_output::footer::Footer;
use distil_plan::{
    Backend, Cancel, Dedup, Fault, Field as Column, InputReport, Mode, Need, Plan, Report, Request,
    Result, Schema, Sink, Status, Support, Type, Watch,
};
use distil_storage::{Disk, Failure, Memory, Storage, Survive};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

/// Writes what a real backend would, in miniature.
struct Fake {
    storage: Arc<dyn Storage>,
    quarantined: u64,
}

impl Fake {
    fn write(&self, path: &Path, text: &str) -> Result<()> {
        let mut file = self.storage.create_new(path)?;
        file.write_all(&stored(&path.to_string_lossy(), text))?;
        file.sync()
    }
}

impl Backend for Fake {
    fn name(&self) -> &str {
        "fake"
    }

    fn supports(&self, _: &Need) -> Result<Support> {
        Ok(Support::Yes)
    }

    fn run(&self, request: &Request<'_>) -> Result<Report> {
        let staging = request.staging;
        self.write(&staging.scratch.join("spill"), "spilled")?;
        if let Some(path) = &staging.quarantine {
            self.write(path, "new quarantine")?;
        }
        if let Some(path) = &staging.dropped {
            self.write(path, "new dropped")?;
        }
        match request.plan.plan.sink.layout {
            distil_plan::Layout::File => self.write(&staging.output, "new output")?,
            distil_plan::Layout::Dir => {
                self.write(&staging.output.join("part-00000.parquet"), "new output 0")?;
                self.write(&staging.output.join("part-00001.parquet"), "new output 1")?;
            }
        }
        let mut report = Report::new("fake");
        report.records.read = 3 + self.quarantined;
        report.records.accepted = 3;
        report.records.written = 3;
        report.records.quarantined.records = self.quarantined;
        report.inputs = vec![InputReport {
            records: 3 + self.quarantined,
            quarantined: self.quarantined,
            ..InputReport::default()
        }];
        Ok(report)
    }
}

fn plan(output: &str, mode: Mode, beside: bool) -> Plan {
    let mut plan = Plan::new(vec!["in".into()], Sink { mode, ..Sink::new(output) });
    plan.dedup = Some(Dedup::on_record());
    if beside {
        plan.quarantine.path = Some("elsewhere/q.ndjson".into());
        plan.dropped = Some("d.parquet".into());
    }
    plan
}

fn run_on(memory: &Memory, plan: &Plan) -> (Report, Result<()>) {
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let backend = Fake { storage: Arc::clone(&storage), quarantined: 1 };
    run(&Job { temp_dir: Some("tmp".into()), ..Job::new(storage, plan.clone(), &backend) })
}

fn files(memory: &Memory) -> Vec<(String, String)> {
    memory.files().into_iter().map(|(p, c)| (p.display().to_string(), said(c))).collect()
}

/// The content of a part that distil did not write.
const FOREIGN: &str = "foreign";
/// The entry of a part's footer that tells parts apart here.
const SAYS: &str = "says";

/// What a file holds that says `text`: parts of a directory are Parquet with a footer of distil.
fn stored(path: &str, text: &str) -> Vec<u8> {
    let is_part = path.rsplit('/').next().is_some_and(|name| name.starts_with("part-"));
    if !is_part || text == FOREIGN {
        return text.as_bytes().to_vec();
    }
    let field = Field::new("id", DataType::Int64, true);
    let schema = Arc::new(ArrowSchema::new(vec![field]));
    let mut file = ArrowWriter::try_new(Vec::new(), schema, None).unwrap();
    let footer = Footer {
        schema: Schema::new(vec![Column::new("id", Type::Int64)]).unwrap(),
        dedup: None,
        selected: false,
        rows: Some(0),
        origin: false,
        digest: None,
    };
    for (key, value) in footer.to_pairs().unwrap() {
        file.append_key_value_metadata(KeyValue::new(key, value));
    }
    file.append_key_value_metadata(KeyValue::new(SAYS.to_owned(), text.to_owned()));
    file.into_inner().unwrap()
}

/// The text that a file says.
fn said(content: Vec<u8>) -> String {
    if !content.starts_with(b"PAR1") {
        return String::from_utf8(content).unwrap();
    }
    let Ok(reader) = SerializedFileReader::new(Bytes::from(content)) else {
        return "what a crash left of a part".to_owned();
    };
    let entries = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
    entries.into_iter().find(|entry| entry.key == SAYS).and_then(|entry| entry.value).unwrap()
}

/// What a directory of an earlier distil held beside its parts.
const OLD_LIST: &str = "{\"version\":1,\"files\":[\"part-00000.parquet\"]}";

struct Scenario {
    name: &'static str,
    plan: Plan,
    old: Vec<(&'static str, &'static str)>,
    /// What a dead run left, and whether it is still there before anything else is.
    leftovers: Vec<(&'static str, &'static str)>,
}

impl Scenario {
    fn memory(&self) -> Memory {
        let memory = Memory::new();
        memory.put("in/a.json", "{}");
        memory.put_dir("elsewhere");
        memory.put_dir("tmp");
        for (path, content) in self.old.iter().chain(&self.leftovers) {
            memory.put(path, stored(path, content));
        }
        memory
    }

    fn is_dir(&self) -> bool {
        &*self.plan.sink.path == Path::new("out")
    }

    /// The output as a reader would find it: its files in order.
    fn output(&self, memory: &Memory) -> Vec<(String, String)> {
        let prefix = format!("/{}", self.plan.sink.path);
        files(memory).into_iter().filter(|(path, _)| path.starts_with(&prefix)).collect()
    }

    fn old_output(&self) -> Vec<(String, String)> {
        let prefix = &self.plan.sink.path.to_string();
        let mut old: Vec<(String, String)> = self
            .old
            .iter()
            .filter(|(path, _)| path.starts_with(prefix))
            .map(|(path, content)| (format!("/{path}"), (*content).to_owned()))
            .collect();
        old.sort();
        old
    }

    fn new_output(&self) -> Vec<(String, String)> {
        let own = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        if self.is_dir() {
            vec![
                own("/out/part-00000.parquet", "new output 0"),
                own("/out/part-00001.parquet", "new output 1"),
            ]
        } else {
            vec![own("/out.parquet", "new output")]
        }
    }

    /// The output is the old or the new one, and the new one is never without what belongs to it.
    fn check(&self, memory: &Memory, when: &str) -> bool {
        let found = self.output(memory);
        let is_new = found == self.new_output();
        assert!(is_new || found == self.old_output(), "{}: {when}: {found:?}", self.name);
        if is_new && self.plan.dropped.is_some() {
            let get = |path| memory.get(path).map(|c| String::from_utf8(c).unwrap());
            assert_eq!(get("elsewhere/q.ndjson").as_deref(), Some("new quarantine"), "{when}");
            assert_eq!(get("d.parquet").as_deref(), Some("new dropped"), "{when}");
        }
        is_new
    }

    fn check_tidy(&self, memory: &Memory, when: &str) {
        for (path, _) in files(memory) {
            assert!(!path.contains("/."), "{}: {when}: {path} is left", self.name);
        }
        assert!(memory.names("tmp").is_empty(), "{}: {when}", self.name);
    }
}

fn scenarios() -> Vec<Scenario> {
    let old_dir = vec![("out/part-00000.parquet", "old"), ("out/part-00001.parquet", "old 1")];
    let old_sides = vec![("elsewhere/q.ndjson", "old quarantine"), ("d.parquet", "old dropped")];
    let scenario = |name, plan, old| Scenario { name, plan, old, leftovers: Vec::new() };
    let overwrite = Mode::Overwrite;
    vec![
        scenario("new file", plan("out.parquet", Mode::Error, false), vec![]),
        scenario("new file and sides", plan("out.parquet", Mode::Error, true), vec![]),
        scenario("new directory and sides", plan("out", Mode::Error, true), vec![]),
        scenario(
            "file over file",
            plan("out.parquet", overwrite, true),
            vec![("out.parquet", "old output")],
        ),
        scenario(
            "file over file, sides over sides",
            plan("out.parquet", overwrite, true),
            [vec![("out.parquet", "old output")], old_sides.clone()].concat(),
        ),
        scenario("directory over directory", plan("out", overwrite, false), old_dir.clone()),
        scenario(
            "directory over one of an earlier version",
            plan("out", overwrite, false),
            vec![("out/_distil.json", OLD_LIST), ("out/part-00000.parquet", "old")],
        ),
        scenario(
            "directory over directory, sides over sides",
            plan("out", overwrite, true),
            [old_dir, old_sides].concat(),
        ),
        Scenario {
            name: "leftovers of a run that died before its output",
            plan: plan("out.parquet", Mode::Error, true),
            old: vec![],
            leftovers: vec![
                (".out.parquet.distil-lock", ""),
                (".out.parquet.distil-staging/staged", "half an out"),
                ("elsewhere/.q.ndjson.distil-staging/fresh", ""),
                ("elsewhere/.q.ndjson.distil-lock", ""),
                ("elsewhere/q.ndjson", "quarantine of the dead"),
                (".d.parquet.distil-staging/staged", "dropped of the dead"),
            ],
        },
    ]
}

#[test]
fn a_run_publishes_everything_and_leaves_nothing_else() {
    for scenario in scenarios() {
        let memory = scenario.memory();
        let (report, result) = run_on(&memory, &scenario.plan);
        result.unwrap();
        assert_eq!(report.status, Status::Done);
        assert!(scenario.check(&memory, "after the run"));
        scenario.check_tidy(&memory, "after the run");
        let output = &scenario.plan.sink.path;
        let bytes =
            memory.files().into_iter().filter(|(path, _)| path.starts_with(format!("/{output}")));
        let bytes: usize = bytes.map(|(_, content)| content.len()).sum();
        let files = if scenario.is_dir() { 2 } else { 1 };
        assert_eq!((report.output.files, report.output.bytes), (files, bytes as u64));
        let survived = memory.after_power_loss(Survive::Synced);
        assert!(scenario.check(&survived, "loss of power after the run"), "{}", scenario.name);
    }
}

#[test]
fn a_crash_at_any_call_leaves_the_old_or_the_new_output_and_the_next_run_succeeds() {
    for scenario in scenarios() {
        let whole = scenario.memory();
        run_on(&whole, &scenario.plan).1.unwrap();
        let (mut olds, mut news) = (0, 0);
        for call in 1..=whole.calls() {
            let memory = scenario.memory();
            memory.crash_after(call);
            let (_, result) = run_on(&memory, &scenario.plan);
            let lives = [
                ("kill", memory.after_kill()),
                ("loss of power", memory.after_power_loss(Survive::Synced)),
                ("loss of power, names kept", memory.after_power_loss(Survive::Names)),
            ];
            for (how, after) in lives {
                let when = format!("{how} at call {call}");
                let is_new = scenario.check(&after, &when);
                *(if is_new { &mut news } else { &mut olds }) += 1;
                assert!(is_new || result.is_err(), "{when}");
                let (_, next) = run_on(&after, &scenario.plan);
                match next {
                    Ok(()) => assert!(scenario.check(&after, &when)),
                    Err(error) => {
                        assert!(
                            is_new && scenario.plan.sink.mode == Mode::Error,
                            "{when}: {error}"
                        );
                        assert_eq!(error.fault, Fault::Exists);
                        assert!(scenario.check(&after, &when));
                        let again = Sink { mode: Mode::Overwrite, ..scenario.plan.sink.clone() };
                        run_on(&after, &Plan { sink: again, ..scenario.plan.clone() }).1.unwrap();
                    }
                }
                scenario.check_tidy(&after, &when);
            }
        }
        assert!(olds > 10 && news > 1, "{}: {olds} old, {news} new", scenario.name);
    }
}

#[test]
fn a_failure_at_any_call_leaves_nothing_of_the_run_or_says_that_the_output_is_committed() {
    for scenario in scenarios() {
        let whole = scenario.memory();
        run_on(&whole, &scenario.plan).1.unwrap();
        let replaces_sides = scenario.old.iter().any(|(path, _)| *path == "d.parquet");
        for call in 1..=whole.calls() {
            for failure in [Failure::NoSpace, Failure::Io] {
                let memory = scenario.memory();
                memory.fail_at(call, failure);
                let when = format!("{failure:?} at call {call}");
                let (report, result) = run_on(&memory, &scenario.plan);
                let error = result.unwrap_err();
                let is_new = scenario.check(&memory, &when);
                assert_eq!(is_new, error.fault == Fault::AfterCommit, "{when}: {error:?}");
                assert_eq!(report.error.unwrap().error, error);
                if !is_new {
                    let dead =
                        |path: &str| scenario.leftovers.iter().any(|(p, _)| path[1..] == **p);
                    for (path, content) in files(&memory) {
                        assert!(!path.contains("/.") || dead(&path), "{when}: {path} is left");
                        let side = content == "new quarantine" || content == "new dropped";
                        assert!(!side || replaces_sides, "{}: {when}: {path}", scenario.name);
                    }
                }
            }
        }
    }
}

#[test]
fn a_target_that_another_run_holds_is_refused_and_its_staging_stays() {
    for held in ["out.parquet", "d.parquet", "elsewhere/q.ndjson"] {
        let path = Path::new(held);
        let name = path.file_name().unwrap().to_str().unwrap();
        let memory = Scenario {
            name: "",
            plan: plan("o", Mode::Error, true),
            old: vec![],
            leftovers: vec![],
        }
        .memory();
        let staged = path.with_file_name(format!(".{name}.distil-staging/staged"));
        memory.put(&staged, "of the other run");
        let _lock =
            memory.lock(&path.with_file_name(format!(".{name}.distil-lock"))).unwrap().unwrap();
        let before = files(&memory);
        let error = run_on(&memory, &plan("out.parquet", Mode::Error, true)).1.unwrap_err();
        assert_eq!(error.fault, Fault::Exists);
        assert!(error.what.starts_with("another run is writing the"), "{error}");
        assert_eq!(files(&memory), before);
    }
}

#[test]
fn what_may_not_be_replaced_is_refused_before_anything_changes() {
    let refuse = |plan: &Plan,
                  files_there: &[(&'static str, &'static str)],
                  part: &str,
                  fault: Fault| {
        let memory =
            Scenario { name: "", plan: plan.clone(), old: files_there.to_vec(), leftovers: vec![] }
                .memory();
        let (report, result) = run_on(&memory, plan);
        let error = result.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.fault, fault, "{error}");
        assert_eq!(memory.calls(), 0, "{error}");
        assert_eq!(report.status, Status::Failed);
    };
    let listed = ("out/_distil.json", OLD_LIST);
    let part = ("out/part-00000.parquet", "old");
    let foreign = ("out/part-00001.parquet", FOREIGN);
    let error = plan("out.parquet", Mode::Error, true);
    refuse(&error, &[("out.parquet", "x")], "output exists already", Fault::Exists);
    refuse(&error, &[("d.parquet", "x")], "dropped duplicates exists already", Fault::Exists);
    refuse(&error, &[("elsewhere/q.ndjson", "x")], "quarantine file exists already", Fault::Exists);
    refuse(&plan("out", Mode::Error, false), &[part], "exists already", Fault::Exists);
    let over = |output| plan(output, Mode::Overwrite, false);
    refuse(&over("out"), &[("out", "x")], "there is a file of that name", Fault::Usage);
    refuse(&over("out.parquet"), &[("out.parquet/x", "")], "there is a directory", Fault::Usage);
    refuse(&over("out"), &[part, foreign], "holds part-00001.parquet, which distil", Fault::Exists);
    refuse(&over("out"), &[listed, part, foreign], "holds _distil.json", Fault::Exists);
    refuse(&over("out"), &[part, ("out/.hidden", "")], "holds .hidden", Fault::Exists);
    refuse(
        &over("out"),
        &[part, ("out/part-1.parquet", "")],
        "holds part-1.parquet",
        Fault::Exists,
    );
    refuse(&over("out"), &[part, ("out/part-00002.parquet/x", "")], "holds part-", Fault::Exists);
    refuse(&over("out"), &[part, ("out/mine", "")], "holds mine", Fault::Exists);
    refuse(&over("out"), &[("out/_distil.json", "{}")], "holds _distil.json", Fault::Exists);
    refuse(&over("no/such/out"), &[], "there is no directory no/such", Fault::Usage);
    refuse(&over("in/a.json/out"), &[], "is not a directory", Fault::Usage);
    refuse(&over("in/out"), &[], "lies inside the source in", Fault::Usage);
}

#[test]
fn a_directory_is_not_replaced_where_names_cannot_be_exchanged() {
    let memory = Memory::new();
    memory.put("in/a.json", "{}");
    memory.put_dir("tmp");
    memory.put("out/part-00000.parquet", stored("out/part-00000.parquet", "old"));
    memory.forbid_exchange();
    let error = run_on(&memory, &plan("out", Mode::Overwrite, false)).1.unwrap_err();
    assert_eq!((error.fault, memory.calls()), (Fault::Environment, 0), "{error}");
    let fresh = plan("fresh", Mode::Overwrite, false);
    run_on(&memory, &fresh).1.unwrap();
    assert_eq!(memory.names("fresh"), ["part-00000.parquet", "part-00001.parquet"]);
}

#[test]
fn a_dry_run_changes_nothing_and_lists_the_inputs() {
    let memory = Memory::new();
    memory.put("in/b.json", "{}");
    memory.put("in/a.json", "{}");
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let backend = Fake { storage: Arc::clone(&storage), quarantined: 0 };
    let (report, plan) = dry_run(&Job {
        report_path: Some("report.json".into()),
        ..Job::new(storage, plan("out.parquet", Mode::Error, false), &backend)
    });
    let paths: Vec<String> = plan.unwrap().inputs.iter().map(|input| input.display()).collect();
    assert_eq!(paths, ["in/a.json", "in/b.json"]);
    assert_eq!((report.status, report.inputs.len(), memory.calls()), (Status::DryRun, 2, 0));
}

/// Reports counts that do not add up.
struct Wrong(Fake);

impl Backend for Wrong {
    fn name(&self) -> &str {
        "wrong"
    }

    fn supports(&self, need: &Need) -> Result<Support> {
        self.0.supports(need)
    }

    fn run(&self, request: &Request<'_>) -> Result<Report> {
        let mut report = self.0.run(request)?;
        report.records.written -= 1;
        Ok(report)
    }
}

#[test]
fn counts_that_do_not_add_up_are_a_bug_and_nothing_is_committed() {
    let memory = Memory::new();
    memory.put("in/a.json", "{}");
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let backend = Wrong(Fake { storage: Arc::clone(&storage), quarantined: 0 });
    let (report, result) =
        run(&Job::new(storage, plan("out.parquet", Mode::Error, false), &backend));
    let error = result.unwrap_err();
    assert_eq!((error.fault, report.status), (Fault::Bug, Status::Failed));
    assert_eq!(
        error.output.as_deref(),
        Some("nothing was written; the output is as it was before")
    );
    assert_eq!(report.error.unwrap().exit_status, 70);
    assert_eq!(files(&memory), [("/in/a.json".to_owned(), "{}".to_owned())]);
}

#[test]
fn on_a_disk_directories_are_exchanged_and_links_and_missing_places_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name).display().to_string();
    let storage: Arc<dyn Storage> = Arc::new(distil_storage::Local);
    let backend = Fake { storage: Arc::clone(&storage), quarantined: 0 };
    storage.disk(Path::new("")).unwrap().create_dir(Path::new(&path("in"))).unwrap();
    let run_to = |output: &str, mode, temp_dir: Option<&str>| {
        let mut plan = Plan::new(vec![path("in")], Sink { mode, ..Sink::new(path(output)) });
        plan.quarantine.path = Some(path("q.ndjson").into());
        run(&Job {
            temp_dir: temp_dir.map(|name| path(name).into()),
            ..Job::new(Arc::clone(&storage), plan, &backend)
        })
        .1
    };
    let names = || storage.list(root.path()).unwrap();
    run_to("out", Mode::Error, None).unwrap();
    run_to("out/", Mode::Overwrite, None).unwrap();
    run_to("out.parquet", Mode::Overwrite, Some("in")).unwrap_err();
    run_to("out.parquet", Mode::Overwrite, Some("out")).unwrap();
    assert_eq!(names(), ["in", "out", "out.parquet", "q.ndjson"].map(std::path::PathBuf::from));
    std::os::unix::fs::symlink("out.parquet", path("link.parquet")).unwrap();
    std::os::unix::fs::symlink("nowhere", path("dangling.parquet")).unwrap();
    for (output, what) in [
        ("link.parquet", "the output is a link, and what it leads to would not be replaced"),
        ("dangling.parquet", "the output is a link that leads nowhere"),
    ] {
        let error = run_to(output, Mode::Overwrite, None).unwrap_err();
        assert_eq!((error.fault, error.what.as_str()), (Fault::Usage, what));
    }
    let error = run_to("new/out", Mode::Overwrite, None).unwrap_err();
    assert_eq!(error.hints, [format!("mkdir -p {}", path("new")).into()]);
    let error = run_to("other", Mode::Overwrite, Some("gone")).unwrap_err();
    assert_eq!(error.what, "the temporary directory is not a directory");
    assert_eq!(names().len(), 6);
}

#[test]
fn a_cancelled_run_leaves_nothing() {
    let memory = Memory::new();
    memory.put("in/a.json", "{}");
    let storage: Arc<dyn Storage> = Arc::new(memory.clone());
    let backend = Fake { storage: Arc::clone(&storage), quarantined: 0 };
    let cancel = Cancel::new();
    /// Interrupts when the commit begins.
    struct Interrupts(Cancel);
    impl distil_plan::Events for Interrupts {
        fn begin(&self, stage: distil_plan::Phase, _: Option<u64>) {
            assert_eq!(stage, distil_plan::Phase::Commit);
            self.0.interrupt();
        }
        fn advance(&self, _: u64, _: u64) {}
    }
    let (report, result) = run(&Job {
        watch: Watch { events: &Interrupts(cancel.clone()), cancel: &cancel },
        ..Job::new(storage, plan("out.parquet", Mode::Error, false), &backend)
    });
    assert_eq!(result.unwrap_err().fault, Fault::Interrupted);
    assert_eq!(report.error.unwrap().exit_status, 130);
    assert_eq!(files(&memory), [("/in/a.json".to_owned(), "{}".to_owned())]);
}
