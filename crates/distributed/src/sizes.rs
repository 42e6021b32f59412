//! How much one task does.

use distil_kernel::slice::Slice;
use distil_plan::ResolvedPlan;

/// Bytes of input of the largest tasks. More would wait longer for the last of them, and be lost with one that fails.
const LARGEST: u64 = 64 << 20;
/// Bytes of input of the smallest tasks that decode: less would start more than it computes.
const LEAST_DECODED: u64 = 4 << 20;
/// Bytes of input of the smallest tasks that write: each writes files of its own.
const LEAST_WRITTEN: u64 = 16 << 20;
/// Tasks that decode for each that can run at once, so that none is idle for long while another does its last one.
const ROUNDS: u64 = 2;

/// Bytes of input for each task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// That one task decodes.
    pub(crate) task: u64,
    /// Whose rows one task writes.
    pub(crate) group: u64,
}

impl Sizes {
    /// For so many bytes of input on a cluster that runs so many tasks at once (0 if nobody knows), unless a size
    /// is given.
    pub(crate) fn of(all: u64, at_once: usize, given: Option<u64>) -> Self {
        if let Some(given) = given {
            return Self { task: given.max(1), group: given.clamp(1, LARGEST) };
        }
        let at_once = (at_once as u64).max(1);
        Self {
            task: (all / (at_once * ROUNDS)).clamp(LEAST_DECODED, LARGEST),
            group: (all / at_once).clamp(LEAST_WRITTEN, LARGEST),
        }
    }
}

/// Deals slices out to tasks of about this many bytes, in order.
pub(crate) fn deal(plan: &ResolvedPlan, slices: Vec<Slice>, task_bytes: u64) -> Vec<Vec<Slice>> {
    let mut tasks: Vec<Vec<Slice>> = Vec::new();
    let mut left = 0;
    for slice in slices {
        let size = plan.inputs.get(slice.input as usize).and_then(|input| input.bytes);
        let bytes = slice.end.or(size).unwrap_or_default().saturating_sub(slice.begin);
        match tasks.last_mut() {
            Some(last) if bytes <= left => last.push(slice),
            _ => {
                tasks.push(vec![slice]);
                left = task_bytes;
            }
        }
        left = left.saturating_sub(bytes);
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn all_cores_have_work_and_no_task_is_tiny_or_huge() {
        let of = |all, at_once| {
            let Sizes { task, group } = Sizes::of(all * MIB, at_once, None);
            (task / MIB, group / MIB)
        };
        assert_eq!(of(1, 3), (4, 16));
        assert_eq!(of(96, 3), (16, 32));
        assert_eq!(of(4096, 3), (64, 64));
        assert_eq!(of(96, 0), (48, 64));
        assert_eq!(Sizes::of(96 * MIB, 3, Some(0)), Sizes { task: 1, group: 1 });
    }
}
