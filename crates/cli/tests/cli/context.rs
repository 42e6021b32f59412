//! A fresh directory, the binary, and what it said, with everything that varies filtered out.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The worked example: two rows with key `ts`, three with key `id,ts`.
pub const EXAMPLE: &str = r#"{"records": [
  {"id": "10101", "data": "ABC", "ts": "2019-04-23T17:25:43.111Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "10102", "data": "DEF", "ts": "2019-04-23T18:20:32.876Z"},
  {"id": "1111", "data": "XYZ", "ts": "2019-04-23T18:20:32.876Z"}
]}
"#;

/// After this what a test waits for counts as something that never comes. No test that passes comes
/// near it on any machine: it ends those that would hang.
pub const STANDSTILL: Duration = Duration::from_secs(600);

/// Waits until something holds.
#[track_caller]
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < STANDSTILL, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What a process said, once it ended by itself.
#[track_caller]
pub fn end_of(mut child: Child) -> Output {
    let begun = Instant::now();
    let mut hangs = false;
    while !hangs && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
        hangs = begun.elapsed() > STANDSTILL;
    }
    if hangs {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(!hangs, "the process did not end: {output:?}");
    output
}

/// A directory of one test, in which every command of it runs.
pub struct Context {
    directory: tempfile::TempDir,
}

impl Context {
    /// An empty directory.
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A directory with `in.json`, the worked example.
    pub fn with_example() -> Self {
        let context = Self::new();
        context.write("in.json", EXAMPLE);
        context
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path).unwrap().write_all(content.as_ref()).unwrap();
    }

    /// Writes `distil.toml`, and trusts it.
    pub fn configure(&self, text: impl AsRef<[u8]>) {
        self.write("distil.toml", text);
        self.out(&["trust"]);
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// All names in the directory, hidden ones too but for the lock that every output leaves.
    pub fn names(&self) -> Vec<String> {
        names(self.directory.path())
    }

    /// The binary, ready to start here, in an environment that does not depend on who tests.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_distil"));
        command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        for name in ["DISTIL_LOG", "DISTIL_BACKEND", "NO_COLOR", "COLUMNS"] {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command
    }

    /// Exit status, standard output and standard error of a command.
    pub fn run(&self, arguments: &[&str]) -> String {
        self.told(&self.command(arguments).output().unwrap())
    }

    /// As [`Context::run`], with this on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that refuses its flags ends without reading its input.
        match child.stdin.take().unwrap().write_all(input) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            written => written.unwrap(),
        }
        self.told(&child.wait_with_output().unwrap())
    }

    /// Runs a command that must succeed, and returns its standard output.
    pub fn out(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{}", self.told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a process said, in the form of the snapshots.
    pub fn told(&self, output: &Output) -> String {
        let mut text = match output.status.code() {
            Some(code) => format!("exit: {code}\n"),
            None => format!("ended by {}\n", output.status),
        };
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let said = self.filter(std::str::from_utf8(bytes).unwrap());
            if !said.is_empty() {
                write!(text, "--- {name}\n{said}").unwrap();
            }
        }
        text
    }

    /// Replaces what differs between machines and runs.
    fn filter(&self, text: &str) -> String {
        let text = text
            .replace(self.directory.path().to_str().unwrap(), "[DIR]")
            .replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
        text.split_inclusive('\n').map(filter_line).collect()
    }
}

/// Times, rates and memory of the closing table and of `generate`.
fn filter_line(line: &str) -> String {
    for (label, shown) in
        [("time ", "time         [TIME]\n"), ("peak memory", "peak memory  [SIZE]\n")]
    {
        if line.starts_with(label) {
            return shown.to_owned();
        }
    }
    if let Some((label, rest)) = line.split_once("  ")
        && label == "written"
        && let Some(at) = rest.trim_start().find("  ")
    {
        return format!("written      [SIZE]{}", &rest.trim_start()[at..]);
    }
    match line.rfind(", ") {
        Some(at) if line.contains(" in ") && line.ends_with(" s\n") => {
            format!("{}, [TIME]\n", &line[..at])
        }
        _ => line.to_owned(),
    }
}

pub fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".distil-lock"))
        .collect();
    names.sort();
    names
}
