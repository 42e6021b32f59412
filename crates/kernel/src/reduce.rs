//! Rows of one partition, sorted and reduced to one row a key.
//!
//! Reducing is associative: rows can be reduced in any groups and the results reduced again. What a
//! reduced run keeps of a key is its survivor with the counts of the others, and, as a **witness** with
//! no counts, the first of those that differ, so that the report can show it whatever was reduced
//! before. When the losers are wanted, all of them stay.

use std::cmp::Ordering;

use distil_plan::{Plan, Result};

use crate::rows::{Counts, Row, RowAt, RowBuffers, places};

/// What is done with the rows of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// One row a key.
    Keep,
    /// One row a key, and every loser.
    KeepLosers,
    /// Every row.
    All,
}

impl Policy {
    /// What a plan does with the rows of one key.
    pub fn of(plan: &Plan) -> Self {
        match (&plan.dedup, &plan.dropped) {
            (None, _) => Self::All,
            (Some(_), Some(_)) => Self::KeepLosers,
            (Some(_), None) => Self::Keep,
        }
    }
}

/// The rows of some buffers, in order.
pub fn sorted(chunks: &[Vec<u8>]) -> Result<Vec<RowAt>> {
    let mut rows = places(chunks);
    let Some((first_place, first)) = rows.next() else { return Ok(Vec::new()) };
    let mut shared = first.bytes.len();
    let mut places_in_order = vec![(0, first_place)];
    for (place, row) in rows {
        shared = common_prefix(&first.bytes[..shared], row.bytes);
        places_in_order.push((0, place));
    }
    // What all rows begin with says nothing: the eight bytes after it sort most of them.
    for (prefix, place) in &mut places_in_order {
        let row = place.row(chunks)?;
        *prefix = word(row.bytes.get(shared..).unwrap_or_default());
    }
    let mut failed = None;
    places_in_order.sort_unstable_by(|(prefix_a, a), (prefix_b, b)| {
        prefix_a.cmp(prefix_b).then_with(|| match (a.row(chunks), b.row(chunks)) {
            (Ok(a), Ok(b)) => a.bytes.cmp(b.bytes).then_with(|| a.origin.cmp(&b.origin)),
            (Err(error), _) | (_, Err(error)) => {
                failed = Some(error);
                Ordering::Equal
            }
        })
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(places_in_order.into_iter().map(|(_, place)| place).collect()),
    }
}

/// The first eight bytes as a number that orders like them.
pub(crate) fn word(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(chunk) => u64::from_be_bytes(*chunk),
        None => {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            u64::from_be_bytes(padded)
        }
    }
}

pub(crate) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// A row that came out of a reduction.
#[derive(Clone, Copy, Debug)]
pub enum Reduced<'a> {
    /// The survivor of a key with its counts; when nothing is reduced, any row.
    Survivor(Row<'a>, RowAt),
    /// A row equal to the survivor before it, which counts it: where losers are kept, and rows say where they lie.
    Copy(Row<'a>, RowAt),
    /// A row that lost: its own copies if losers are kept, else none (the witness).
    Loser(Row<'a>, RowAt),
}

/// Reduces rows in order; the survivor of each key comes before its losers.
pub fn reduce<'a>(
    chunks: &'a [Vec<u8>],
    order: &[RowAt],
    policy: Policy,
    mut emit: impl FnMut(Reduced<'a>) -> Result<()>,
) -> Result<()> {
    let mut at = 0;
    let mut losers: Vec<(Row<'a>, RowAt)> = Vec::new();
    let mut copies: Vec<RowAt> = Vec::new();
    while let Some(place) = order.get(at) {
        let mut survivor = place.row(chunks)?;
        losers.clear();
        copies.clear();
        let mut next = at + 1;
        while let Some(place) = order.get(next) {
            let row = place.row(chunks)?;
            let is_first = losers.is_empty();
            let last = losers.last_mut().map_or(&mut survivor, |(row, _)| row);
            // Rows that are written each say where they lie.
            let stays = row.origin.is_some()
                && (policy == Policy::All || policy == Policy::KeepLosers && !is_first);
            if row.bytes == last.bytes && !stays {
                last.join(&row);
                if row.origin.is_some() && policy == Policy::KeepLosers {
                    copies.push(*place);
                }
            } else if policy == Policy::All || row.key() != survivor.key() {
                break;
            } else {
                losers.push((row, *place));
            }
            next += 1;
        }
        for (row, _) in &mut losers {
            survivor.counts.conflicting += row.counts.copies + row.counts.conflicting;
            row.counts.conflicting = 0;
        }
        emit(Reduced::Survivor(survivor, *place))?;
        for place in &copies {
            emit(Reduced::Copy(place.row(chunks)?, *place))?;
        }
        if policy == Policy::Keep {
            losers.truncate(1);
            if let Some((row, _)) = losers.first_mut() {
                row.counts = Counts { copies: 0, conflicting: 0 };
            }
        }
        for (row, place) in &losers {
            emit(Reduced::Loser(*row, *place))?;
        }
        at = next;
    }
    Ok(())
}

/// The same records in fewer rows, in order: what a run of rows holds of them until all have come together.
///
/// # Errors
/// A bug if a row can't be read.
pub fn reduced(buffers: &[Vec<u8>], policy: Policy) -> Result<RowBuffers> {
    let order = sorted(buffers)?;
    let mut run = RowBuffers::default();
    let has_places = order.first().map(|place| place.row(buffers)).transpose()?;
    let has_places = has_places.is_some_and(|row| row.origin.is_some());
    // Which rows lose is known when everything has come together, and then each has to say where it lies.
    let until_then = if has_places && policy == Policy::KeepLosers { Policy::All } else { policy };
    reduce(buffers, &order, until_then, |row| {
        let (Reduced::Survivor(mut row, _)
        | Reduced::Copy(mut row, _)
        | Reduced::Loser(mut row, _)) = row;
        if policy == Policy::KeepLosers {
            // The losers stay, and are counted when everything has come together.
            row.counts.conflicting = 0;
        }
        run.push(&row);
        Ok(())
    })?;
    Ok(run)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rows::SINGLE;

    type Reduction = Vec<(Vec<u8>, Counts, bool)>;

    /// Reduces rows, as a partial run does or as the last one.
    fn reduction(rows: &[(Vec<u8>, Counts)], policy: Policy, partial: bool) -> Reduction {
        let mut chunks = RowBuffers::default();
        for (bytes, counts) in rows {
            let row = Row { bytes, key_length: 1, value_bytes: 0, counts: *counts, origin: None };
            chunks.push(&row);
        }
        let order = sorted(&chunks.full).unwrap();
        let mut out = Vec::new();
        reduce(&chunks.full, &order, policy, |row| {
            let (mut row, survives) = match row {
                Reduced::Survivor(row, _) => (row, true),
                Reduced::Copy(row, _) | Reduced::Loser(row, _) => (row, false),
            };
            if partial && policy == Policy::KeepLosers {
                row.counts.conflicting = 0;
            }
            out.push((row.bytes.to_vec(), row.counts, survives));
            Ok(())
        })
        .unwrap();
        out
    }

    proptest! {
        #[test]
        fn runs_reduced_in_any_groups_equal_one_run(
            rows in prop::collection::vec((0u8..4, 0u8..5), 0..60),
            runs in prop::collection::vec(0usize..4, 60),
            again in prop::collection::vec(0usize..2, 4),
        ) {
            let rows: Vec<(Vec<u8>, Counts)> =
                rows.into_iter().map(|(key, rest)| (vec![key, rest], SINGLE)).collect();
            for policy in [Policy::Keep, Policy::KeepLosers, Policy::All] {
                let once = reduction(&rows, policy, false);
                let mut first: Vec<Vec<(Vec<u8>, Counts)>> = vec![Vec::new(); 4];
                for (row, run) in rows.iter().zip(&runs) {
                    first[*run].push(row.clone());
                }
                let mut second: Vec<Vec<(Vec<u8>, Counts)>> = vec![Vec::new(); 2];
                for (run, group) in first.iter().zip(&again) {
                    let partial = reduction(run, policy, true);
                    second[*group].extend(partial.into_iter().map(|(row, counts, _)| (row, counts)));
                }
                let mut last = Vec::new();
                for run in &second {
                    let partial = reduction(run, policy, true);
                    last.extend(partial.into_iter().map(|(row, counts, _)| (row, counts)));
                }
                prop_assert_eq!(reduction(&last, policy, false), once, "{:?}", policy);
            }
        }

        #[test]
        fn a_reduction_keeps_the_accounts(rows in prop::collection::vec((0u8..4, 0u8..5), 0..60)) {
            let rows: Vec<(Vec<u8>, Counts)> =
                rows.into_iter().map(|(key, rest)| (vec![key, rest], SINGLE)).collect();
            let kept = reduction(&rows, Policy::Keep, false);
            let accounted: u64 = kept.iter().map(|(_, counts, _)| counts.copies + counts.conflicting).sum();
            prop_assert_eq!(accounted, rows.len() as u64);
            let mut smallest: std::collections::BTreeMap<u8, Vec<u8>> = Default::default();
            for (row, _) in &rows {
                let best = smallest.entry(row[0]).or_insert_with(|| row.clone());
                *best = best.clone().min(row.clone());
            }
            let survivors: Vec<Vec<u8>> =
                kept.into_iter().filter(|(.., survives)| *survives).map(|(row, ..)| row).collect();
            prop_assert_eq!(survivors, smallest.into_values().collect::<Vec<_>>());
        }
    }
}
