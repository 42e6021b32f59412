//! What this process may use: memory and threads, as the machine and the control group allow.

use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use distil_plan::{Error, Hint, Result, format_bytes, scheme};

use crate::configuration::BackendOptions;

/// The smallest memory budget that a run is started with, in bytes.
pub const MINIMUM_MEMORY: u64 = 64 << 20;

/// The budget where nothing says how much memory there is.
const UNKNOWN_MEMORY: u64 = 1 << 30;

/// How a plan is run: nothing here changes a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// Threads of the backend, at least one.
    pub threads: usize,
    /// Memory budget in bytes, at least [`MINIMUM_MEMORY`].
    pub memory: u64,
    /// Where temporary files go; without it, the directory of the output.
    pub temp_dir: Option<PathBuf>,
    /// Where the report is written; without it, nowhere.
    pub report: Option<PathBuf>,
}

impl Default for RunOptions {
    /// The cores that the process may use and 80 % of the memory that it may use. No smaller share was faster
    /// (`docs/benchmarks.md`, Memory): new memory costs about what spilled rows cost where the disk is idle, and a disk may
    /// be slow or full. Partitions and row groups have sizes of their own, however large the share.
    fn default() -> Self {
        Self {
            threads: available_parallelism().map_or(1, usize::from),
            memory: (available_memory().unwrap_or(UNKNOWN_MEMORY) / 5 * 4).max(MINIMUM_MEMORY),
            temp_dir: None,
            report: None,
        }
    }
}

impl RunOptions {
    /// What the options of a backend say, and the defaults.
    pub(crate) fn of(given: &BackendOptions) -> Self {
        let default = Self::default();
        Self {
            threads: given
                .threads
                .map_or(default.threads, |threads| usize::try_from(threads).unwrap_or(usize::MAX)),
            memory: given.memory.map_or(default.memory, |size| size.0),
            temp_dir: given.temp_dir.clone(),
            report: None,
        }
    }

    /// These options as the native engine takes them.
    pub(crate) fn engine(&self) -> distil_engine::EngineOptions {
        distil_engine::EngineOptions::new(self.threads, self.memory)
    }

    /// Checks what the caller chose.
    ///
    /// # Errors
    /// A usage error for no thread or for less memory than [`MINIMUM_MEMORY`].
    pub fn check(&self) -> Result<()> {
        if self.threads == 0 {
            return Err(Error::usage("a run needs at least one thread"));
        }
        if let Some(directory) = self.temp_dir.as_deref().filter(|path| scheme(path).is_some()) {
            return Err(Error::usage("temporary files lie on a disk of this machine")
                .at(directory.to_string_lossy(), None)
                .help(Hint::choose(
                    "name a directory, or none for that of the system",
                    "temp_dir",
                )));
        }
        if self.memory < MINIMUM_MEMORY {
            return Err(Error::usage(format!(
                "a run needs a memory budget of at least {}, not {}",
                format_bytes(MINIMUM_MEMORY),
                format_bytes(self.memory)
            ))
            .help(Hint::choose(
                "raise it, or leave it out to use 80 % of the available memory",
                "memory",
            )));
        }
        Ok(())
    }
}

/// The smaller of the machine's memory and the limits of the control groups around this process, in
/// bytes; `None` where the system tells neither.
#[allow(clippy::disallowed_methods, reason = "the kernel answers, not a disk")]
pub fn available_memory() -> Option<u64> {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let limits = limit_files(&groups).into_iter().filter_map(|path| parse_limit(&read(&path)?));
    let machine = read(Path::new("/proc/meminfo")).and_then(|text| parse_total(&text));
    machine.into_iter().chain(limits).min()
}

/// The files that may hold a limit for the groups of `/proc/self/cgroup`: the group's own and those
/// of every group around it. Inside a container the path is often one of the host's, so that only
/// the root exists.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(group)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let (root, name) = if controllers.is_empty() {
            (Path::new("/sys/fs/cgroup"), "memory.max")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            (Path::new("/sys/fs/cgroup/memory"), "memory.limit_in_bytes")
        } else {
            continue;
        };
        let group = root.join(group.trim_start_matches('/'));
        let around = group.ancestors().take_while(|path| path.starts_with(root));
        files.extend(around.map(|path| path.join(name)));
    }
    files
}

/// `max`, and version 1's number near 2^63, mean no limit.
fn parse_limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|limit| *limit < 1 << 60)
}

fn parse_total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_all_groups_around_the_process_count() {
        let files = limit_files("12:cpu,memory:/a/b\n11:pids:/x\n0::/c\n");
        let names: Vec<_> = files.iter().map(|path| path.to_string_lossy()).collect();
        assert_eq!(
            names,
            [
                "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/c/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
    }

    #[test]
    fn a_limit_is_a_number_that_a_machine_could_have() {
        assert_eq!(parse_limit("536870912\n"), Some(512 << 20));
        assert_eq!(parse_limit("max\n"), None);
        assert_eq!(parse_limit("9223372036854771712\n"), None);
        assert_eq!(parse_total("MemTotal:        2048 kB\nMemFree: 1 kB\n"), Some(2 << 20));
        assert_eq!(parse_total("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn too_little_to_run_with_is_refused_with_the_minimum() {
        let options = RunOptions { memory: 1 << 20, ..RunOptions::default() };
        assert_eq!(
            options.check().unwrap_err().to_string(),
            "a run needs a memory budget of at least 64.0 MiB, not 1.00 MiB"
        );
        assert!(RunOptions { threads: 0, ..RunOptions::default() }.check().is_err());
        RunOptions::default().check().unwrap();
    }
}
