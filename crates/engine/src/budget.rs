//! Who may hold how much memory: every share of the budget, by name, with its reason.
//!
//! What a row group holds is not a matter of memory: its limit decides the output, and stands with the
//! kernel that cuts it ([`distil_kernel::row_groups::ROW_GROUP_BYTES`]).

use distil_kernel::reduce::Policy;
use distil_plan::{Error, Hint, Need, Plan, ResolvedPlan, Result, format_bytes};
use distil_storage::WindowLimit;

/// The least memory that a run is allowed.
pub(crate) const LEAST: u64 = 64 << 20;

/// What the process needs besides rows.
const PROCESS: u64 = 40 << 20;

/// What a row group of packed rows may always take: a million of two words, as they are where memory is small.
const PACKED_ROW_GROUP: u64 = 16 << 20;

/// Memory that a thread is worth: it decodes, sorts and encodes in memory of its own.
const THREAD: u64 = 32 << 20;

/// The window of zstd up to its level 19.
const USUAL_WINDOW: u64 = 8 << 20;

/// A line of 10 Gbit moves as much in a tenth of a second.
const MOST_ON_THE_WAY: u64 = 128 << 20;

/// How often a record is in memory at most: as it was read, as a tape, as a row, and in a batch.
const RECORD: u64 = 6;

/// What a partition takes of a thread's memory while it is filled: its first buffers, half of them empty.
const OPEN_PARTITION: u64 = 16 << 10;

/// Bytes of rows from which on a partition is split, however large the memory: partitions are meant to fit
/// a cache, and one that does not keeps one thread busy while the others wait.
const PARTITION: u64 = 8 << 20;

/// The least for a run with places in stores. Connections, what is on its way and what is being uploaded take some 50 MB beside
/// the budget, which is what is left of its allowance from here on.
const LEAST_WITH_STORES: u64 = 128 << 20;

/// Refuses a memory that the plan can't run in.
///
/// # Errors
/// A usage error that names the least.
pub(crate) fn check(memory: u64, resolved: &ResolvedPlan) -> Result<()> {
    let plan = &resolved.plan;
    let too_small = |least: u64, what: &str| {
        let (memory, least) = (format_bytes(memory), format_bytes(least));
        Error::usage(format!(
            "a memory budget of {memory} is too small{what}: at least {least} is needed"
        ))
    };
    if memory < LEAST {
        return Err(too_small(LEAST, ""));
    }
    if memory < LEAST_WITH_STORES && resolved.needs().contains(&Need::Stores) {
        let least = format!("{}MiB", LEAST_WITH_STORES >> 20);
        return Err(too_small(LEAST_WITH_STORES, " for places in stores").help(Hint::set(
            "give it more",
            "memory",
            least,
        )));
    }
    // The usual limit is for records that are not expected.
    let least = plan.max_record.saturating_mul(RECORD);
    if plan.max_record > Plan::USUAL_MAX_RECORD && memory < least {
        let largest = format_bytes(plan.max_record);
        return Err(too_small(least, &format!(" for records of up to {largest}"))
            .help(Hint::set("give it more", "memory", format!("{}MiB", least.div_ceil(1 << 20))))
            .help(Hint::choose("allow smaller records only", "max_record")));
    }
    Ok(())
}

/// Threads that work within the memory, of those that are wanted.
pub(crate) fn threads(memory: u64, wanted: usize) -> usize {
    wanted.min((memory / THREAD) as usize).max(1)
}

/// The window of a compressed stream that one thread may read: together as much as rows may take, but never less
/// than the usual levels of zstd need.
pub(crate) fn window(memory: u64, threads: usize) -> WindowLimit {
    WindowLimit { bytes: (memory / 2 / threads.max(1) as u64).max(USUAL_WINDOW), memory }
}

/// Bytes on their way to and from stores: enough for a fast line, and so little that the rows keep their share.
pub(crate) fn on_the_way(memory: u64) -> u64 {
    (memory / 16).min(MOST_ON_THE_WAY)
}

/// Bytes of inputs that are said to be read soon: 32 MiB with plenty of memory, so that a store that takes 0.1 s to send 4 MiB
/// keeps up with two threads; else so little that the rest of what is being read has most of what may be on its way.
pub(crate) fn expected(memory: u64) -> u64 {
    on_the_way(memory) / 4
}

/// Bytes of rows that each thread holds. Half of the memory is for rows; the other half is for decoding, and
/// later for row groups.
pub(crate) fn rows_of_thread(memory: u64, threads: usize) -> u64 {
    memory.saturating_sub(PROCESS) / 2 / threads.max(1) as u64
}

/// What a thread may hold of `rows` bytes of rows. Losers that are kept are never packed, reducing frees nothing of them, and
/// two outputs are written at once.
pub(crate) fn rows(rows: u64, policy: Policy) -> u64 {
    if policy == Policy::KeepLosers { rows / 3 * 2 } else { rows }
}

/// The shares of what one thread holds of rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shares {
    rows: u64,
}

impl Shares {
    /// The shares of `rows` bytes.
    pub(crate) fn of(rows: u64) -> Self {
        Self { rows }
    }

    /// From here on rows are reduced, and spilled if that does not free enough.
    pub(crate) fn rows(self) -> u64 {
        self.rows
    }

    /// Partitions that a thread fills at once. More would be spilled before there is much in them.
    pub(crate) fn partitions(self) -> u64 {
        (self.rows / OPEN_PARTITION).max(1)
    }

    /// What may stay in memory after reducing. More would be reduced again at once.
    pub(crate) fn kept(self) -> u64 {
        self.rows / 2
    }

    /// Encoded rows that are worth a file beside the packed ones; fewer stay.
    pub(crate) fn worth_a_file(self) -> u64 {
        self.rows / 8
    }

    /// The dictionaries of packed rows. They stay in memory whatever is spilled, and without them rows take
    /// several times as much of it.
    pub(crate) fn dictionaries(self) -> u64 {
        self.rows / 8 * 5
    }

    /// A packed partition that is larger may have a hot key: its repeated keys are reduced. It is far more than
    /// partitions are meant to have, but where the memory is small.
    pub(crate) fn hot(self) -> u64 {
        (self.rows / 4).min(PARTITION)
    }

    /// Rows that become a run at once: they are in memory twice meanwhile.
    pub(crate) fn run(self) -> u64 {
        (self.rows / 8).min(PARTITION)
    }

    /// Bytes between the marks of a run on disk, the least that is read of it. All runs together have to be
    /// read for a partition: where memory is small, there are many, and little of each is wanted.
    pub(crate) fn block(self) -> u64 {
        (self.rows / 1024).clamp(4 << 10, 64 << 10)
    }

    /// Arrays and pages that wait for the rest of their row group, over all of `threads`.
    pub(crate) fn waiting(self, threads: usize) -> u64 {
        self.rows * threads as u64 / 2
    }

    /// Packed rows of a row group that is not full yet, over all of `threads`. They come from what rows took before.
    pub(crate) fn packed_row_group(self, threads: usize) -> u64 {
        (self.rows * threads as u64).max(PACKED_ROW_GROUP)
    }

    /// Reduced partitions that wait for those before them.
    pub(crate) fn ahead(self) -> u64 {
        self.rows / 2
    }

    /// What is read back at once, sorted and encoded by one thread.
    pub(crate) fn partition(self) -> u64 {
        (self.rows / 8).min(PARTITION)
    }
}
