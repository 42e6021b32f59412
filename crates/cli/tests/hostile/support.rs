//! What the hostile tests share: messages that are judged, data with a known answer, and what only
//! root may do.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::context::Context;

/// What a run said, judged: a message names no part of Rust, and steers no terminal.
#[derive(Debug)]
pub struct Told {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Told {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).unwrap().to_owned();
        let told = Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        for word in [
            "panicked",
            "RUST_BACKTRACE",
            "os error",
            "unwrap",
            "Some(",
            "Err(",
            "Custom {",
            ".rs:",
            "internal check",
            "this is a bug",
        ] {
            assert!(!told.stderr.contains(word), "{word}: {told:?}");
        }
        assert!(!told.stderr.contains(|c: char| c.is_control() && c != '\n'), "{told:?}");
        told
    }

    /// The run failed with this status, and said all of this, what became of the output among it.
    #[track_caller]
    pub fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        for part in parts.iter().chain(&["\n  output: "]) {
            assert!(self.stderr.contains(part), "{part:?} is not in:\n{}", self.stderr);
        }
    }

    #[track_caller]
    pub fn succeeds(&self) {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
    }
}

impl Context {
    /// Runs `distil run` with these arguments.
    pub fn distil(&self, arguments: &[&str]) -> Told {
        Told::of(&self.command(&[&["run"], arguments].concat()).output().unwrap())
    }

    /// Runs a command through another program that sets the scene, as in `prlimit ... distil run`.
    pub fn through(&self, scene: &[&str], arguments: &[&str]) -> Told {
        Told::of(&self.scene(scene, arguments).output().unwrap())
    }

    /// The command of [`Context::through`].
    pub fn scene(&self, scene: &[&str], arguments: &[&str]) -> Command {
        let inner = self.command(arguments);
        let mut command = Command::new(scene[0]);
        command.args(&scene[1..]).arg(inner.get_program()).args(inner.get_args());
        command.current_dir(self.path("")).stdin(Stdio::null());
        command
    }

    /// Runs a script with a private view of mounts, which end with it; `$distil` is the binary.
    pub fn with_mounts(&self, script: &str) -> Output {
        let mut command = Command::new("unshare");
        command
            .args(["-m", "--propagation", "private", "sh", "-euc", script])
            .env("distil", env!("CARGO_BIN_EXE_distil"))
            .current_dir(self.path(""))
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    /// Every name in the directory, locks among them.
    pub fn all_names(&self) -> Vec<String> {
        all_names(&self.path(""))
    }

    /// Data with a known answer in `data`: this many records in 4 files, a tenth of them duplicates.
    pub fn generate(&self, name: &str, records: u64, seed: u64) {
        let part = records / 4;
        let duplicates = part / 10;
        self.out(&[
            "generate",
            name,
            "--files",
            "4",
            "--records",
            &(part - duplicates).to_string(),
            "--duplicates",
            &duplicates.to_string(),
            "--spread",
            "50%",
            "--seed",
            &seed.to_string(),
        ]);
    }

    /// The digest of an output; `None` if there is none. A broken output ends the test.
    pub fn digest(&self, output: &str) -> Option<String> {
        self.path(output).exists().then(|| self.out(&["digest", output]))
    }
}

pub fn all_names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// Whether this process may do what the command tries; what can't be tried is told, not passed over
/// in silence.
pub fn may(command: &[&str]) -> bool {
    let tried = Command::new(command[0]).args(&command[1..]).stderr(Stdio::null()).output();
    let may = tried.is_ok_and(|output| output.status.success());
    if !may {
        eprintln!("not tested here: `{}` is not allowed or not there", command.join(" "));
    }
    may
}

/// Whether file systems can be mounted where nobody else sees them.
pub fn may_mount() -> bool {
    geteuid().is_root() && may(&["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"])
}

/// The words that make a command run as a user without rights, where that can be done.
pub const NOBODY: [&str; 6] = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

/// Whether commands can be run as [`NOBODY`].
pub fn may_change_user() -> bool {
    may(&[&NOBODY[..], &["true"]].concat())
}

/// Whether a process has a handler for a signal, as the kernel tells.
pub fn listens_to(child: &std::process::Child, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() >> (signal.as_raw() - 1) & 1 == 1
}

/// Sends a signal to a child that may have ended by itself.
pub fn send(child: &std::process::Child, signal: Signal) {
    let _ = kill_process(Pid::from_child(child), signal);
}

/// A small generator (`SplitMix64`), so that a failure can be had again.
pub struct Choices(pub u64);

impl Choices {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
