//! Who may hold how much memory: every share of the budget, by name, with its reason.
//!
//! What a row group holds is not a matter of memory: its limit decides the output, and stands with the
//! kernel that cuts it ([`distil_kernel::row_groups::ROW_GROUP_BYTES`]).

use distil_plan::{Error, Result, format_bytes};

/// The least memory that a run is allowed.
pub(crate) const LEAST: u64 = 64 << 20;

/// What the process needs besides rows.
const PROCESS: u64 = 32 << 20;

/// Bytes of rows from which on a partition is split, however large the memory: partitions are meant to fit
/// a cache, and one that does not keeps one thread busy while the others wait.
const PARTITION: u64 = 8 << 20;

/// Refuses a memory that no plan can run in.
///
/// # Errors
/// A usage error that names the least.
pub(crate) fn check(memory: u64) -> Result<()> {
    if memory >= LEAST {
        return Ok(());
    }
    let (memory, least) = (format_bytes(memory), format_bytes(LEAST));
    Err(Error::usage(format!(
        "a memory budget of {memory} is too small: at least {least} is needed"
    )))
}

/// Bytes of rows that each thread holds. Half of the memory is for rows; the other half is for decoding, and
/// later for row groups.
pub(crate) fn rows_of_thread(memory: u64, threads: usize) -> u64 {
    memory.saturating_sub(PROCESS) / 2 / threads.max(1) as u64
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

    /// What may stay in memory after reducing. More would be reduced again at once.
    pub(crate) fn kept(self) -> u64 {
        self.rows / 2
    }

    /// Encoded rows that are worth a file beside the packed ones; fewer stay.
    pub(crate) fn worth_a_file(self) -> u64 {
        self.rows / 8
    }

    /// The dictionary of one of `texts` columns of text. Dictionaries stay in memory whatever is spilled.
    pub(crate) fn dictionary(self, texts: usize) -> u64 {
        self.rows / 4 / texts.max(1) as u64
    }

    /// A packed partition that is larger may have a hot key: its repeated keys are reduced. It is far more than
    /// partitions are meant to have, but where the memory is small.
    pub(crate) fn hot(self) -> u64 {
        (self.rows / 4).min(PARTITION)
    }

    /// What is read back at once, sorted and encoded by one thread.
    pub(crate) fn partition(self) -> u64 {
        (self.rows / 8).min(PARTITION)
    }
}
