//! Counts of what was done to records.

use distil_plan::Repair;

/// Counts that go with accepted records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordTally {
    /// Members outside a declared schema that were left out.
    pub ignored_members: u64,
    /// Values that were rounded.
    pub rounded: u64,
    /// Values in another spelling than their declared type has.
    pub converted: u64,
    /// Strings that stood for null.
    pub nulled: u64,
    /// What was mended, by [`Repair`].
    pub repaired: [RepairTally; Repair::ALL.len()],
}

impl RecordTally {
    /// Adds the counts of other records.
    pub fn add(&mut self, other: &Self) {
        self.ignored_members += other.ignored_members;
        self.rounded += other.rounded;
        self.converted += other.converted;
        self.nulled += other.nulled;
        for (ours, theirs) in self.repaired.iter_mut().zip(&other.repaired) {
            ours.join(theirs);
        }
    }
}

/// How often something was mended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepairTally {
    /// How often.
    pub count: u64,
    /// The first: ordinal of the input, and offset.
    pub first: Option<(u32, u64)>,
}

impl RepairTally {
    /// Adds what was mended elsewhere.
    pub(crate) fn join(&mut self, other: &Self) {
        self.count += other.count;
        self.first = self.first.into_iter().chain(other.first).min();
    }
}
