//! What the process used.

use std::time::Instant;

use distil_plan::{NodeReport, ResourceReport};
use rustix::time::{ClockId, clock_gettime};

/// Measures from its creation on.
pub struct Meter {
    start: Instant,
    cpu_start: f64,
}

impl Meter {
    /// A meter that begins now.
    pub fn start() -> Self {
        Self { start: Instant::now(), cpu_start: cpu_seconds() }
    }

    /// What a task used on this node, which has that name.
    pub fn node(&self, host: &str) -> NodeReport {
        NodeReport {
            host: host.to_owned(),
            tasks: 1,
            seconds: self.start.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds() - self.cpu_start,
            peak_memory_bytes: peak_memory().unwrap_or(0),
        }
    }

    /// Fills in what the process used, and adds what nodes used; what only the backend knows stays.
    pub(crate) fn fill(&self, resources: &mut ResourceReport) {
        let of_nodes: f64 = resources.nodes.iter().map(|node| node.cpu_seconds).sum();
        resources.seconds = self.start.elapsed().as_secs_f64();
        resources.cpu_seconds = cpu_seconds() - self.cpu_start + of_nodes;
        resources.peak_memory_bytes = peak_memory().unwrap_or(0);
    }
}

/// User and system time of all threads so far.
fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// The largest resident size of the process, where the kernel tells it (Linux).
#[allow(clippy::disallowed_methods, reason = "the kernel answers, not a disk")]
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_sees_time_and_memory_pass() {
        let meter = Meter::start();
        let ballast = std::hint::black_box(vec![1u8; 64 << 20]);
        while meter.start.elapsed().as_millis() < 20 {}
        assert_eq!(ballast.iter().filter(|byte| **byte == 1).count(), 64 << 20);
        let mut resources = ResourceReport { threads: 3, ..ResourceReport::default() };
        meter.fill(&mut resources);
        assert!(resources.seconds >= 0.02 && resources.cpu_seconds > 0.0);
        assert!(resources.peak_memory_bytes > 64 << 20, "{}", resources.peak_memory_bytes);
        assert_eq!(resources.threads, 3);
    }
}
