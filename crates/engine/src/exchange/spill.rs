//! Sorted runs on disk. They know nothing about keys but where in them to begin to read.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use distil_plan::{Cancel, Error, Hint, Result};
use distil_storage::{InputFile, OutputFile, Storage};

use distil_kernel::reduce::{Policy, reduced};
use distil_kernel::rows::Row;

/// A row where reading may begin.
#[derive(Debug)]
struct Mark {
    /// Its [`bound`].
    begin: Vec<u8>,
    offset: u64,
    /// Whether there is no other row before the next mark.
    is_alone: bool,
}

/// Bytes after the key that a bound has where a partition may be cut within a key.
const REST: usize = 64;
/// Bytes of a bound at most. Keys that begin with as many equal bytes are not told apart.
const BOUND: usize = 1 << 10;
/// Spills that become one: the runs of a partition are read together, each by a block at least.
const FAN_IN: usize = 32;
/// Bytes between the marks of runs that were merged.
const MERGED_BLOCK: u64 = 64 << 10;

/// What a partition may be cut at before a row. All rows of a key are needed at once to know its survivor; where all of
/// them are kept, it may be cut within a key. No key is the beginning of another, so a part of one will do.
pub(super) fn bound<'a>(row: &Row<'a>, policy: Policy) -> &'a [u8] {
    let length = match policy {
        Policy::Keep => row.key_length,
        Policy::KeepLosers | Policy::All => row.key_length + REST,
    };
    &row.bytes[..length.min(BOUND).min(row.bytes.len())]
}

/// Bounds that cut rows into this many pieces of about equal size, by bounds of rows that are evenly spaced.
pub(super) fn cuts(mut marks: Vec<Vec<u8>>, pieces: usize) -> Vec<Vec<u8>> {
    marks.sort_unstable();
    let cut = |at: usize| marks.get(at * marks.len() / pieces).cloned();
    let mut cuts: Vec<Vec<u8>> = (1..pieces).filter_map(cut).collect();
    cuts.dedup();
    cuts
}

/// A file of runs, written run after run: a worker has one, however often it spills, so that few files are
/// open whatever the memory.
pub(crate) struct SpillFile {
    output: Box<dyn OutputFile>,
    input: Arc<dyn InputFile>,
    written: u64,
    rows: u64,
    /// Bytes between two marks: about the least that is read of a run.
    block: u64,
    policy: Policy,
    /// Bytes that may be merged at once.
    most: u64,
    open: Spill,
    /// What was spilled, what was merged of that, what was merged of this.
    levels: Vec<Vec<Spill>>,
    cancel: Cancel,
}

/// Runs of all partitions, in their order.
type Spill = Vec<(usize, Segment)>;

impl SpillFile {
    /// Creates a file in the scratch directory. About `most` bytes of rows are merged at once.
    ///
    /// # Errors
    /// An environment error with the path.
    pub(crate) fn create(
        storage: &dyn Storage,
        path: &Path,
        block: u64,
        policy: Policy,
        most: u64,
    ) -> Result<Self> {
        let output = storage.create_new(path)?;
        let input = Arc::from(storage.open(path)?);
        let (open, levels) = (Spill::new(), vec![Vec::new()]);
        Ok(Self {
            output,
            input,
            written: 0,
            rows: 0,
            block,
            policy,
            most: most.max(1),
            open,
            levels,
            cancel: Cancel::new(),
        })
    }

    /// The same file, of which nothing more is merged once `cancel` is set.
    #[must_use]
    pub(crate) fn stopped_by(self, cancel: &Cancel) -> Self {
        Self { cancel: cancel.clone(), ..self }
    }

    /// Writes a run of a partition: rows in order.
    ///
    /// # Errors
    /// An environment error, for a full disk among others.
    pub(crate) fn write(&mut self, partition: usize, buffers: &[Vec<u8>]) -> Result<()> {
        let run = Segment { file: Arc::clone(&self.input), marks: Vec::new(), end: self.written };
        self.open.push((partition, run));
        self.append(buffers, self.block)?;
        if self.open.last().is_some_and(|(_, run)| run.marks.is_empty()) {
            self.open.pop();
        }
        Ok(())
    }

    /// Appends rows to the last run.
    fn append(&mut self, buffers: &[Vec<u8>], block: u64) -> Result<()> {
        let Some((_, run)) = self.open.last_mut() else { return Ok(()) };
        for buffer in buffers {
            let mut at = 0;
            while let Some(row) = Row::read(buffer, at) {
                let offset = self.written + at as u64;
                if run.marks.last().is_none_or(|mark| offset - mark.offset >= block) {
                    let begin = bound(&row, self.policy).to_vec();
                    run.marks.push(Mark { begin, offset, is_alone: true });
                } else if let Some(mark) = run.marks.last_mut() {
                    mark.is_alone = false;
                }
                at += row.stored_length();
                self.rows += 1;
            }
            self.output.write_all(buffer)?;
            self.written += buffer.len() as u64;
        }
        run.end = self.written;
        Ok(())
    }

    /// Ends a spill. Many of them are merged: their rows are read, reduced and written once more, partition by partition,
    /// so that few runs are read together in the end. Long rows are read one by one, however many runs there are.
    ///
    /// # Errors
    /// An environment error, for a full disk among others; that the run is asked to stop, as all that was ever spilled may be
    /// merged here.
    pub(crate) fn end_spill(&mut self) -> Result<()> {
        let spill = std::mem::take(&mut self.open);
        self.levels[0].push(spill);
        let rows_are_long = self.written / self.rows.max(1) >= self.block;
        let mut level = 0;
        while self.levels[level].len() >= FAN_IN && !rows_are_long {
            let spills = std::mem::take(&mut self.levels[level]);
            self.merge(spills)?;
            let merged = std::mem::take(&mut self.open);
            level += 1;
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            self.levels[level].push(merged);
        }
        Ok(())
    }

    fn merge(&mut self, spills: Vec<Spill>) -> Result<()> {
        let mut partitions: BTreeMap<usize, Vec<Segment>> = BTreeMap::new();
        for (partition, run) in spills.into_iter().flatten() {
            partitions.entry(partition).or_default().push(run);
        }
        for (partition, runs) in partitions {
            let run =
                Segment { file: Arc::clone(&self.input), marks: Vec::new(), end: self.written };
            self.open.push((partition, run));
            let bytes: u64 = runs.iter().map(Segment::bytes).sum();
            let marks = runs.iter().flat_map(Segment::marks).map(<[u8]>::to_vec).collect();
            let cuts = cuts(marks, bytes.div_ceil(self.most) as usize);
            for at in 0..=cuts.len() {
                self.cancel.check()?;
                let low = at.checked_sub(1).map(|below| cuts[below].as_slice());
                let high = cuts.get(at).map(Vec::as_slice);
                let read = runs.iter().map(|run| run.read(low, high));
                let buffers = read.collect::<Result<Vec<_>>>()?;
                self.append(&reduced(&buffers, self.policy)?.full, MERGED_BLOCK)?;
            }
        }
        Ok(())
    }

    /// Ends writing: the runs, each with its partition, and the bytes of the file.
    pub(crate) fn finish(self) -> (Vec<(usize, Segment)>, u64) {
        let spills = self.levels.into_iter().flatten().chain([self.open]);
        (spills.flatten().collect(), self.written)
    }
}

/// A sorted run of one partition.
pub(crate) struct Segment {
    file: Arc<dyn InputFile>,
    marks: Vec<Mark>,
    end: u64,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment").field("marks", &self.marks.len()).finish_non_exhaustive()
    }
}

impl Segment {
    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.end - self.marks.first().map_or(self.end, |mark| mark.offset)
    }

    /// What rows about a block of bytes apart begin with.
    pub(crate) fn marks(&self) -> impl Iterator<Item = &[u8]> {
        self.marks.iter().map(|mark| mark.begin.as_slice())
    }

    /// The rows that are at least `low` and less than `high`, which are bounds of rows ([`bound`]) or parts of them, as
    /// one buffer. Of a key they are all or none, if these are keys.
    ///
    /// # Errors
    /// An environment error when reading fails; a bug if the file is not what was written.
    pub(crate) fn read(&self, low: Option<&[u8]>, high: Option<&[u8]>) -> Result<Vec<u8>> {
        // The last mark below `low` may begin a block that reaches into what is wanted; rows may begin in the block
        // before the first mark that equals it.
        // A long row by itself is not: each piece of a partition would read one of each run (3 million reads of
        // 100 KB for 20,000 rows, and 3 times the time).
        let first = low.map_or(0, |low| {
            let after = self.marks.partition_point(|mark| mark.begin.as_slice() < low);
            let before = after.checked_sub(1).and_then(|before| self.marks.get(before));
            let reaches = before.is_some_and(|mark| !mark.is_alone || low.starts_with(&mark.begin));
            if reaches { after - 1 } else { after }
        });
        let last = high.map_or(self.marks.len(), |high| {
            self.marks.partition_point(|mark| mark.begin.as_slice() < high)
        });
        if first >= last {
            return Ok(Vec::new());
        }
        let begin = self.marks[first].offset;
        let end = self.marks.get(last).map_or(self.end, |mark| mark.offset);
        let mut buffer = vec![0; (end - begin) as usize];
        let mut filled = 0;
        while filled < buffer.len() {
            let count = self.file.read_at(begin + filled as u64, &mut buffer[filled..])?;
            if count == 0 {
                return Err(shortened());
            }
            filled += count;
        }
        let (mut start, mut stop) = (None, buffer.len());
        let mut at = 0;
        while at < buffer.len() {
            let row = Row::read(&buffer, at)
                .ok_or_else(|| Error::bug("a spilled row can't be read back"))?;
            if start.is_none() && low.is_none_or(|low| row.bytes >= low) {
                start = Some(at);
            }
            if high.is_some_and(|high| row.bytes >= high) {
                stop = at;
                break;
            }
            at += row.stored_length();
        }
        buffer.truncate(stop);
        buffer.drain(..start.unwrap_or(stop).min(stop));
        Ok(buffer)
    }
}

/// The error for a spill file that lost bytes.
pub(crate) fn shortened() -> Error {
    Error::environment("a temporary file is shorter than what was written to it")
        .help(Hint::choose("keep temporary files where nothing else changes them", "temp_dir"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use distil_kernel::rows::{RowBuffers, SINGLE};
    use distil_storage::Memory;

    #[test]
    fn every_range_of_a_segment_reads_back_exactly() {
        let row = |n: u32| {
            [format!("{:06}", n / 3).as_bytes(), &[b'x'; 100][..n as usize % 100]].concat()
        };
        let mut rows: Vec<Vec<u8>> = (0..4000).map(row).collect();
        rows.sort();
        let buffers = |rows: &[Vec<u8>]| {
            let mut buffers = RowBuffers::default();
            for bytes in rows {
                let (counts, origin) = (SINGLE, None);
                buffers.push(&Row { bytes, key_length: 6, value_bytes: 1, counts, origin });
            }
            buffers.full
        };
        // Where a block is as long as a row, each row has a mark of its own.
        let sizes = [(Policy::Keep, 16 << 10), (Policy::KeepLosers, 16 << 10)];
        for (policy, block) in sizes.into_iter().chain([(Policy::Keep, 1), (Policy::KeepLosers, 1)])
        {
            let storage = Memory::new();
            storage.put_dir("scratch");
            let mut file =
                SpillFile::create(&storage, "scratch/rows".as_ref(), block, policy, 1).unwrap();
            file.write(3, &buffers(&[b"before another run".to_vec()])).unwrap();
            file.write(7, &buffers(&rows)).unwrap();
            let (segments, bytes) = file.finish();
            let (partition, segment) = &segments[1];
            assert_eq!((*partition, segment.bytes()), (7, bytes - segments[0].1.bytes()));
            assert!(segment.marks().count() > 8);
            assert_eq!(segment.marks.iter().all(|mark| mark.is_alone), block == 1);
            let cuts_keys = segment.marks().any(|mark| mark.len() > 6);
            assert_eq!(cuts_keys, policy == Policy::KeepLosers);
            let mut bounds: Vec<Option<&[u8]>> =
                vec![None, Some(b"0"), Some(b"000500"), Some(b"9")];
            let apart = segment.marks().count().div_ceil(25);
            bounds.extend(segment.marks().step_by(apart).map(Some));
            for low in &bounds {
                for high in &bounds {
                    let buffer = segment.read(*low, *high).unwrap();
                    let found: Vec<Vec<u8>> = distil_kernel::rows::places(&[buffer])
                        .map(|(_, row)| row.bytes.to_vec())
                        .collect();
                    let inside = |row: &&Vec<u8>| {
                        low.is_none_or(|low| row.as_slice() >= low)
                            && high.is_none_or(|high| row.as_slice() < high)
                    };
                    let expected: Vec<Vec<u8>> = rows.iter().filter(inside).cloned().collect();
                    assert_eq!(found, expected);
                }
            }
        }
    }

    /// A merge may take all that was spilled so far: it does not begin another piece once the run is to stop.
    #[test]
    fn a_merge_stops_between_its_pieces() {
        let storage = Memory::new();
        storage.put_dir("scratch");
        let cancel = Cancel::new();
        let path: &Path = "scratch/rows".as_ref();
        let file = SpillFile::create(&storage, path, 64, Policy::Keep, 300).unwrap();
        let mut file = file.stopped_by(&cancel);
        for spill in 0..FAN_IN {
            let mut buffers = RowBuffers::default();
            let row = format!("{spill:05}").into_bytes();
            let (counts, origin) = (SINGLE, None);
            let bytes = row.as_slice();
            buffers.push(&Row { bytes, key_length: 5, value_bytes: 1, counts, origin });
            file.write(0, &buffers.full).unwrap();
            if spill + 1 < FAN_IN {
                file.end_spill().unwrap();
            }
        }
        cancel.interrupt();
        let written = file.written;
        assert_eq!(file.end_spill().unwrap_err().fault, distil_plan::Fault::Interrupted);
        assert_eq!(file.written, written);
    }

    /// However often rows are spilled, few runs are left, which have them all in order, reduced.
    #[test]
    fn many_spills_become_few_runs() {
        for (policy, most) in
            [(Policy::Keep, 1 << 20), (Policy::Keep, 300), (Policy::KeepLosers, 300)]
        {
            let storage = Memory::new();
            storage.put_dir("scratch");
            let mut file =
                SpillFile::create(&storage, "scratch/rows".as_ref(), 64, policy, most).unwrap();
            let spills = FAN_IN * FAN_IN + 2 * FAN_IN + 3;
            let mut expected: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 3];
            for spill in 0..spills {
                for (partition, of_partition) in expected.iter_mut().enumerate() {
                    let mut buffers = RowBuffers::default();
                    let row = format!("{:02}{:05}", spill * 7 % 10, spill * 31 % 5000).into_bytes();
                    let (counts, origin) = (SINGLE, None);
                    let bytes = row.as_slice();
                    buffers.push(&Row { bytes, key_length: 2, value_bytes: 1, counts, origin });
                    of_partition.push(row);
                    file.write(partition, &buffers.full).unwrap();
                }
                file.end_spill().unwrap();
            }
            let (segments, _) = file.finish();
            assert_eq!(segments.len(), 3 * (1 + 2 + 3));
            for (partition, mut rows) in expected.into_iter().enumerate() {
                rows.sort();
                let mut buffers = Vec::new();
                for (_, segment) in segments.iter().filter(|(of, _)| *of == partition) {
                    let buffer = segment.read(None, None).unwrap();
                    let found: Vec<Vec<u8>> =
                        distil_kernel::rows::places(std::slice::from_ref(&buffer))
                            .map(|(_, row)| row.bytes.to_vec())
                            .collect();
                    assert!(found.is_sorted());
                    buffers.push(buffer);
                }
                let all = reduced(&buffers, policy).unwrap();
                let found: Vec<(Vec<u8>, u64)> = distil_kernel::rows::places(&all.full)
                    .map(|(_, row)| {
                        (row.bytes.to_vec(), row.counts.copies + row.counts.conflicting)
                    })
                    .collect();
                let copies: u64 = found.iter().map(|(_, copies)| copies).sum();
                if policy == Policy::Keep {
                    assert_eq!(copies, spills as u64, "no record is lost");
                    let survivors = rows.chunk_by(|a, b| a[..2] == b[..2]).map(|of_key| &of_key[0]);
                    let kept = found.iter().filter(|(_, copies)| *copies > 0).map(|(row, _)| row);
                    assert!(survivors.eq(kept));
                } else {
                    rows.dedup();
                    assert!(rows.iter().eq(found.iter().map(|(row, _)| row)));
                }
            }
        }
    }
}
