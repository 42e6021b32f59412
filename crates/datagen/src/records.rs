//! Which records a data set has: a formula for each, and a formula for the copies of each.

use crate::parameters::Parameters;
use crate::permutation::{Permutation, derive};

const IDS: u64 = 90_000;
const DATA: u64 = 26 * 26 * 26;

/// A record. Its fields order as their texts do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The number that the five digits of `id` stand for, less 10,000.
    pub id: u32,
    /// The three letters of `data`, as a number of base 26.
    pub data: u32,
    /// Milliseconds since 1970.
    pub instant: i64,
}

/// The records of a data set, by file and place.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    parameters: &'a Parameters,
    first_instant: i64,
    instants: Permutation,
    /// The duplicates that leave the file of their original are those that this takes below
    /// `spread`, so that they are of all four kinds.
    leaving: Permutation,
    spread: u64,
    originals_key: u64,
    duplicates_key: u64,
    shifts_key: u64,
    targets_key: u64,
    order_key: u64,
}

impl<'a> Records<'a> {
    /// The records that parameters stand for, which must have been checked.
    pub fn new(parameters: &'a Parameters) -> Self {
        let key = |purpose| derive(derive(parameters.seed, 0), purpose);
        let share = u128::from(parameters.duplicates) * u128::from(parameters.spread) / 100;
        Self {
            parameters,
            first_instant: parameters.first_instant(),
            instants: Permutation::new(parameters.instants(), key(0)),
            leaving: Permutation::new(parameters.duplicates.max(1), key(1)),
            spread: u64::try_from(share).unwrap_or(u64::MAX),
            originals_key: key(2),
            duplicates_key: key(3),
            shifts_key: key(4),
            targets_key: key(5),
            order_key: key(6),
        }
    }

    /// The records of one file, in its order.
    pub fn of_file(&self, file: u64) -> impl Iterator<Item = Record> {
        let Parameters { files, records, duplicates, .. } = *self.parameters;
        let order = Permutation::new(records + duplicates, derive(self.order_key, file));
        let own_targets = self.targets(file);
        (0..records + duplicates).map(move |place| {
            let number = order.forward(place);
            if number < records {
                return self.original(file, number);
            }
            let slot = number - records;
            let shift = self.shift(slot);
            let original = if shift == 0 {
                self.original(file, own_targets.forward(slot % records))
            } else {
                // `files - shift` rather than a sum that could overflow.
                let target =
                    if file >= files - shift { file - (files - shift) } else { file + shift };
                self.original(target, self.targets(target).forward(slot % records))
            };
            self.duplicate(original, file, slot)
        })
    }

    /// The groups of a file: each original with all its duplicates, wherever they lie, in no
    /// particular order.
    pub fn for_each_group(&self, file: u64, mut visit: impl FnMut(&mut [Record])) {
        let Parameters { files, records, duplicates, .. } = *self.parameters;
        let targets = self.targets(file);
        let mut group = Vec::new();
        for number in 0..records {
            let original = self.original(file, number);
            group.clear();
            group.push(original);
            // Every slot that is this number modulo `records` aims at it, from some file.
            let mut slot = targets.backward(number);
            while slot < duplicates {
                let shift = self.shift(slot);
                let source = if file >= shift { file - shift } else { file + (files - shift) };
                group.push(self.duplicate(original, source, slot));
                slot += records;
            }
            visit(&mut group);
        }
    }

    /// Which original of a file the duplicates aim at, by slot modulo the number of originals.
    fn targets(&self, file: u64) -> Permutation {
        Permutation::new(self.parameters.records, derive(self.targets_key, file))
    }

    /// How many files ahead of a duplicate its original lies: for every slot a rotation of the
    /// files, hence invertible.
    fn shift(&self, slot: u64) -> u64 {
        if self.spread == 0 || self.leaving.forward(slot) >= self.spread {
            return 0;
        }
        1 + derive(self.shifts_key, slot) % (self.parameters.files - 1)
    }

    fn original(&self, file: u64, number: u64) -> Record {
        let counter = file * self.parameters.records + number;
        let chance = derive(self.originals_key, counter);
        Record {
            id: (chance % IDS) as u32,
            data: ((chance >> 32) % DATA) as u32,
            instant: self.first_instant + self.instants.forward(counter) as i64,
        }
    }

    /// The record of a slot of duplicates, of one of the four kinds in turn.
    fn duplicate(&self, original: Record, file: u64, slot: u64) -> Record {
        let chance = derive(derive(self.duplicates_key, file), slot);
        // A step of 1 to `size - 1` round the circle never comes back to where it began.
        let another = |from: u32, size: u64, chance: u64| {
            ((u64::from(from) + 1 + chance % (size - 1)) % size) as u32
        };
        let mut record = original;
        if slot % 4 == 1 || slot % 4 == 3 {
            record.id = another(original.id, IDS, chance & u64::from(u32::MAX));
        }
        if slot % 4 >= 2 {
            record.data = another(original.data, DATA, chance >> 32);
        }
        record
    }
}
