//! The command with a counter on every loop and branch, its dependencies in Rust included.
//!
//! The compiler puts the counters there for profiles (`-C profile-generate`), and the profile that the process writes
//! when it ends holds them. They are exact and atomic: a run on one thread counts almost the same each time. What was
//! compiled before (the part of the standard library that is not generic, and C) has none. So `bytes.c`, put before the
//! library of C, counts the bytes that are copied, filled and compared; eight of them are taken for one count.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The command, built for counting.
pub struct Counted {
    program: PathBuf,
    bytes: PathBuf,
}

/// An empty directory for one input.
pub struct Scene(tempfile::TempDir);

impl Scene {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Runs the usual program, for what a kind of input needs before it is counted.
    pub fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.command(env!("CARGO_BIN_EXE_distil"), arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    fn command<S: AsRef<std::ffi::OsStr>>(
        &self,
        program: impl AsRef<Path>,
        arguments: &[S],
    ) -> Command {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        for name in ["DISTIL_LOG", "DISTIL_BACKEND", "NO_COLOR", "COLUMNS"] {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command
    }
}

impl Counted {
    /// Builds the program, if its sources changed.
    pub fn build() -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("counted");
        let host = host();
        let flags = [
            "-Cprofile-generate",
            "-Cllvm-args=-disable-vp=true",
            "-Cllvm-args=-instrprof-atomic-counter-update-all=true",
        ];
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
        cargo
            // Flags for one system are not those of build scripts and macros.
            .args([
                "build",
                "--locked",
                "--profile",
                "counted",
                "-p",
                "distil-cli",
                "--target",
                &host,
            ])
            .arg("--target-dir")
            .arg(&target)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let built = cargo.output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let program = target.join(host).join("counted/distil");
        let bytes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bytes.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/growth/bytes.c");
        // Its own loops must not become calls of what they stand for.
        let flags =
            ["-shared", "-fPIC", "-O2", "-fno-builtin", "-fno-tree-loop-distribute-patterns"];
        let built =
            Command::new("cc").args(flags).arg(source).arg("-o").arg(&bytes).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self { program, bytes }
    }

    /// What a command does, in counts; or how it ended instead of with this exit status.
    pub fn work(&self, scene: &Scene, arguments: &[String], status: i32) -> Result<u64, String> {
        let [profile, bytes] = [(); 2].map(|()| tempfile::NamedTempFile::new().unwrap());
        let output = scene
            .command(&self.program, arguments)
            .env("LLVM_PROFILE_FILE", profile.path())
            .env("LD_PRELOAD", &self.bytes)
            .env("DISTIL_BYTES", bytes.path())
            .output()
            .unwrap();
        if output.status.code() != Some(status) {
            return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
        }
        let bytes: u64 = std::fs::read_to_string(bytes.path()).unwrap().parse().unwrap();
        Ok(counters(&std::fs::read(profile.path()).unwrap()) + bytes / 8)
    }
}

/// The name of this system among the targets of the compiler.
fn host() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("-vV").output().unwrap();
    let text = String::from_utf8(version.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// The sum of the counters of a raw profile: a header of 16 words, the ids of the binary, what is known of each
/// function, then the counters, eight bytes each.
fn counters(profile: &[u8]) -> u64 {
    let word = |at: usize| u64::from_le_bytes(profile[at * 8..][..8].try_into().unwrap());
    let length = |at: usize| usize::try_from(word(at)).unwrap();
    assert_eq!(word(0), u64::from_be_bytes(*b"\xfflprofr\x81"), "no raw profile");
    assert_eq!(word(1) & 0xff, 10, "another version of raw profiles than is read here");
    let (ids, functions, padding, counters) = (length(2), length(3), length(4), length(5));
    let begin = 128 + ids + functions * 64 + padding;
    let counters = &profile[begin..][..counters * 8];
    counters.chunks_exact(8).map(|eight| u64::from_le_bytes(eight.try_into().unwrap())).sum()
}
