//! Bad records: they stop the run, or go to the quarantine file.

mod message;
pub mod replay;
mod runs;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distil_json::Seen;
use distil_plan::{
    BadPart, Cancel, Code, Error, Hint, Input, MaxQuarantined, Plan, QuarantinedCounts, Reason,
    ReasonCount, ResolvedPlan, Result, SetAsidePart,
};
use distil_storage::{OutputFile, Storage};
use serde::Serialize;
use serde_json::value::RawValue;

use self::message::{Shown, ShownParts};
use self::replay::{FileStamp, heading};
use self::runs::{Line, RunReader, RunWriter};

/// Bad parts that a run without a quarantine file shows: the first of the input, whatever thread finds
/// them first.
const STOP_AFTER: usize = 10;
/// Lines held in memory before they spill, in bytes.
const BUFFER: usize = 16 << 20;
/// Sorted runs of one level that are merged into one of the next, so that few files are open.
const FAN_IN: usize = 64;

/// The bad records and ranges of one run; threads share it.
///
/// With a quarantine file, every part becomes one JSON line; the file is sorted by input and offset,
/// whatever order the parts came in, after a first line that says under which plan. It exists even when nothing was
/// bad, so that whoever reads it never takes the file of an earlier run for this one's.
pub struct Quarantine {
    storage: Arc<dyn Storage>,
    path: Option<PathBuf>,
    scratch: PathBuf,
    inputs: Vec<Input>,
    names: Vec<String>,
    cancel: Cancel,
    plan: Plan,
    buffer_bytes: usize,
    /// Whether bad parts end the run before all input is read: nothing after those that are known matters.
    enough: AtomicBool,
    /// Whether bad parts neither stop the run nor are kept.
    passes_over: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: QuarantinedCounts,
    by_input: BTreeMap<usize, u64>,
    by_reason: BTreeMap<Reason, u64>,
    /// The first parts by input and offset, of those that came; without a quarantine file only.
    stopping: ShownParts,
    /// The first ranges, with a quarantine file.
    ranges: ShownParts,
    /// The first parts of any reason, with a quarantine file.
    first: BTreeMap<(usize, u64), SetAsidePart>,
    lines: Vec<Line>,
    bytes: usize,
    /// Spilled runs by level: a run of level `n + 1` holds [`FAN_IN`] runs of level `n`.
    levels: Vec<Vec<PathBuf>>,
    spilled: u64,
    spilled_bytes: u64,
}

/// What a run read, for shares and estimates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadTotals {
    /// Bytes after decompression.
    pub bytes: u64,
    /// Records of each input, bad ones included.
    pub records: Vec<u64>,
}

/// What a run set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetAside {
    /// Counts of all.
    pub counts: QuarantinedCounts,
    /// Counts by reason, in the order of the contract.
    pub reasons: Vec<ReasonCount>,
    /// What the first ranges came to, each in a sentence: records may be lost there.
    pub losses: Vec<String>,
    /// The first ten parts, by input and offset.
    pub first: Vec<SetAsidePart>,
}

/// One line of the file, as the contract spells it.
#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    offset: u64,
    length: u64,
    reason: Reason,
    detail: String,
    /// Of the file, where the text is in that alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    stamp: Option<FileStamp>,
    /// What the plan would have added to the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
}

impl Quarantine {
    /// A quarantine for a run of `plan`.
    ///
    /// `path` is the staged file to create, `None` if bad records stop the run; runs that don't fit
    /// the memory go to new files in the directory `scratch`.
    pub fn new(
        plan: &ResolvedPlan,
        storage: Arc<dyn Storage>,
        path: Option<PathBuf>,
        scratch: PathBuf,
    ) -> Self {
        Self {
            storage,
            path,
            scratch,
            names: plan.inputs.iter().map(Input::display).collect(),
            inputs: plan.inputs.clone(),
            cancel: Cancel::new(),
            plan: plan.plan.clone(),
            buffer_bytes: BUFFER,
            enough: AtomicBool::new(false),
            passes_over: false,
            state: Mutex::new(State::default()),
        }
    }

    /// Looks at this flag while it reads files again for a message.
    #[must_use]
    pub fn stopped_by(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// A quarantine that counts bad parts and keeps none, for a look at the records before a run that sets
    /// bad ones aside.
    pub fn passing_over(plan: &ResolvedPlan, storage: Arc<dyn Storage>) -> Self {
        Self { passes_over: true, ..Self::new(plan, storage, None, PathBuf::new()) }
    }

    /// Sets a bad part aside.
    ///
    /// # Errors
    /// An input error that stops the run: more are known than the plan allows; an environment error when
    /// spilling fails.
    pub fn add(&self, part: BadPart) -> Result<()> {
        let line = match self.path {
            Some(_) => Some(self.line(&part)?),
            None => None,
        };
        let mut state = self.state();
        match part.reason {
            Reason::BrokenRange => state.counts.ranges += 1,
            _ => state.counts.records += 1,
        }
        state.counts.bytes += part.length;
        *state.by_input.entry(part.input).or_default() += 1;
        *state.by_reason.entry(part.reason).or_default() += 1;
        match line {
            None if self.passes_over => {}
            None => {
                keep_first(&mut state.stopping, part);
                if state.stopping.len() == STOP_AFTER {
                    self.enough.store(true, Ordering::Relaxed);
                }
            }
            Some(line) => {
                state.bytes += size_of::<Line>() + line.text.len();
                state.lines.push(line);
                self.keep_place(&mut state.first, &part);
                if part.reason == Reason::BrokenRange {
                    keep_first(&mut state.ranges, part);
                }
                if let Some(MaxQuarantined::Count(max)) = self.plan.quarantine.max
                    && state.counts.records + state.counts.ranges > max
                {
                    self.enough.store(true, Ordering::Relaxed);
                    return Err(self.too_many(&state.counts, &format!("at most {max}")));
                }
                if state.bytes > self.buffer_bytes {
                    self.spill(&mut state)?;
                }
            }
        }
        Ok(())
    }

    /// Whether what lies at `offset` of `input` or after it can be left unread: bad parts stop the run, and
    /// those that it shows all lie before.
    pub fn is_past_the_last(&self, input: usize, offset: u64) -> bool {
        self.enough.load(Ordering::Relaxed)
            && self
                .state()
                .stopping
                .last_key_value()
                .is_some_and(|(last, _)| (input, offset) > *last)
    }

    /// Records without a key may only mean that the key is misspelled. The error for that takes the place of
    /// `error`, which is one of bad records, if all input was read. If bad records ended the run before, it
    /// is advice beside `error`, drawn from nothing after the last record that is shown: what else was read
    /// depends on the threads.
    pub fn prefer_missing_key(&self, error: Error, seen: &Seen) -> Error {
        if !matches!(error.code, Code::BadRecords | Code::TooManyBadRecords) {
            return error;
        }
        if !self.enough.load(Ordering::Relaxed) {
            return seen.missing_key().unwrap_or(error);
        }
        let last = self.state().stopping.last_key_value().map(|(place, _)| *place);
        let missing = match last {
            Some(last) => seen.up_to(last).missing_key(),
            None => seen.missing_key(),
        };
        let Some(missing) = missing else { return error };
        let so_far = Hint::new(format!("as far as the input was read, {}", missing.what));
        let hints = std::iter::once(so_far).chain(missing.hints).chain(error.hints).collect();
        Error { hints, ..error }
    }

    /// Bad records and ranges of one input so far.
    pub fn counts_for(&self, input: usize) -> u64 {
        self.state().by_input.get(&input).copied().unwrap_or(0)
    }

    /// Bytes that went to the scratch directory so far.
    pub fn spilled_bytes(&self) -> u64 {
        self.state().spilled_bytes
    }

    /// Ends the quarantine of a run: the file is complete and synced.
    ///
    /// # Errors
    /// An input error for any bad part without a quarantine file, and for a larger share of bad
    /// parts than the plan allows; an environment error when the file can't be written.
    pub fn finish(&self, read: &ReadTotals) -> Result<SetAside> {
        let mut state = self.state();
        let Some(path) = &self.path else {
            let all = (!self.enough.load(Ordering::Relaxed)).then_some(read);
            return if state.stopping.is_empty() {
                Ok(SetAside::default())
            } else {
                Err(self.stop(&state.stopping, all))
            };
        };
        let losses = self.losses(&state.ranges, read);
        let QuarantinedCounts { records, ranges, bytes } = state.counts;
        let all: u64 = read.records.iter().sum();
        let is_over = |bad: u64, all: u64, share: f64| bad as f64 * 100.0 > share * all as f64;
        if let Some(MaxQuarantined::Percent(share)) = self.plan.quarantine.max
            && (is_over(records + ranges, all, share) || is_over(bytes, read.bytes, share))
        {
            let limit =
                format!("at most {share}% of {all} records and of {} bytes read", read.bytes);
            return Err(losses
                .into_iter()
                .fold(self.too_many(&state.counts, &limit), Error::detail));
        }
        let mut lines = std::mem::take(&mut state.lines);
        lines.sort_unstable();
        let mut readers = vec![RunReader::in_memory(lines)];
        for run in state.levels.iter().flatten() {
            readers.push(RunReader::open(&*self.storage, run)?);
        }
        let mut file = self.storage.create_new(path)?;
        let mut pending = heading(&self.plan)?;
        merge(readers, |line| {
            pending.extend_from_slice(&line.text);
            pending.push(b'\n');
            if pending.len() >= 1 << 16 {
                file.write_all(&pending)?;
                pending.clear();
            }
            Ok(())
        })?;
        file.write_all(&pending)?;
        file.sync()?;
        let reasons = state.by_reason.iter();
        let reasons = reasons.map(|(reason, count)| ReasonCount { reason: *reason, count: *count });
        let reasons = reasons.collect();
        let first = std::mem::take(&mut state.first).into_values().collect();
        Ok(SetAside { counts: state.counts, reasons, losses, first })
    }

    /// Keeps where a part lies if it is one of the first by input and offset.
    fn keep_place(&self, first: &mut BTreeMap<(usize, u64), SetAsidePart>, part: &BadPart) {
        let place = (part.input, part.offset);
        let is_full = first.len() == STOP_AFTER;
        if is_full && first.last_key_value().is_some_and(|(last, _)| place > *last) {
            return;
        }
        let found = SetAsidePart {
            path: self.name(part.input).to_owned(),
            offset: part.offset,
            reason: part.reason,
            detail: part.placed_detail(),
        };
        first.insert(place, found);
        if first.len() > STOP_AFTER {
            first.pop_last();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stamp of an input that can be read again.
    fn stamp(&self, input: usize) -> Result<Option<FileStamp>> {
        let Some(input) = self.inputs.get(input).filter(|input| input.bytes.is_some()) else {
            return Ok(None);
        };
        let found = self.storage.metadata(&input.path)?;
        Ok(found.and_then(|found| FileStamp::of(&found.stamp)))
    }

    fn name(&self, input: usize) -> &str {
        self.names.get(input).map_or("?", String::as_str)
    }

    fn line(&self, part: &BadPart) -> Result<Line> {
        let raw = part.raw.as_deref().filter(|raw| {
            part.reason != Reason::BrokenRange && raw.len() as u64 <= BadPart::MAX_RAW
        });
        let text = raw.and_then(|raw| std::str::from_utf8(raw).ok());
        let raw_base64 = if text.is_none() { raw.map(|raw| STANDARD.encode(raw)) } else { None };
        let stamp = match raw {
            None if part.reason != Reason::BrokenRange => self.stamp(part.input)?,
            _ => None,
        };
        let added = part.added.strip_suffix(b",").map(|members| {
            let text = format!("{{{}}}", String::from_utf8_lossy(members));
            RawValue::from_string(text)
                .map_err(|e| Error::bug(format!("what is added is no JSON: {e}")))
        });
        let entry = Entry {
            added: added.transpose()?,
            stamp,
            file: self.name(part.input),
            offset: part.offset,
            length: part.length,
            reason: part.reason,
            detail: part.placed_detail(),
            raw: text,
            raw_base64,
        };
        let text = serde_json::to_vec(&entry)
            .map_err(|e| Error::bug(format!("a bad record has no JSON form: {e}")))?;
        Ok(Line { input: part.input as u64, offset: part.offset, text })
    }

    /// Writes the lines in memory as a sorted run, and merges runs when there are many.
    fn spill(&self, state: &mut State) -> Result<()> {
        let mut lines = std::mem::take(&mut state.lines);
        state.bytes = 0;
        lines.sort_unstable();
        let mut run = self.write_run(state, vec![RunReader::in_memory(lines)])?;
        for level in 0.. {
            if state.levels.len() == level {
                state.levels.push(Vec::new());
            }
            state.levels[level].push(run);
            if state.levels[level].len() < FAN_IN {
                break;
            }
            let full = std::mem::take(&mut state.levels[level]);
            let open = |path: &PathBuf| RunReader::open(&*self.storage, path);
            run = self.write_run(state, full.iter().map(open).collect::<Result<_>>()?)?;
            full.iter().try_for_each(|path| self.storage.remove_file(path))?;
        }
        Ok(())
    }

    fn write_run(&self, state: &mut State, from: Vec<RunReader>) -> Result<PathBuf> {
        let path = self.scratch.join(format!("quarantine-{:06}", state.spilled));
        state.spilled += 1;
        let mut writer = RunWriter::new(self.create(&path)?);
        merge(from, |line| writer.push(&line))?;
        state.spilled_bytes += writer.finish()?;
        Ok(path)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        self.storage.create_new(path)
    }

    /// Adds to `error`, which says that something is missing, that every record that was read is bad.
    pub fn explain(error: Error, read: u64, counts: &QuarantinedCounts) -> Error {
        if read == 0 || counts.records < read {
            return error;
        }
        error.help("run it without a quarantine file to see why: every record is bad")
    }

    fn too_many(&self, counts: &QuarantinedCounts, limit: &str) -> Error {
        let plural = |count| if count == 1 { "" } else { "s" };
        let QuarantinedCounts { records, ranges, bytes } = *counts;
        Error::input(format!(
            "{records} bad record{} and {ranges} bad range{} are known, {bytes} byte{}; the plan allows \
             {limit}",
            plural(records),
            plural(ranges),
            plural(bytes)
        ))
        .coded(Code::TooManyBadRecords)
        .help("repair the input")
        .help(Hint::choose(
            "or allow more, after a look at those that are set aside",
            "max_quarantined",
        ))
    }
}

/// Keeps a part if it is one of the first by input and offset.
fn keep_first(parts: &mut ShownParts, part: BadPart) {
    let place = (part.input, part.offset);
    let is_full = parts.len() == STOP_AFTER;
    if is_full && parts.last_key_value().is_some_and(|(last, _)| place > *last) {
        return;
    }
    parts.insert(place, Shown::new(part));
    if parts.len() > STOP_AFTER {
        parts.pop_last();
    }
}

/// Hands the lines of sorted runs on in order.
fn merge(mut runs: Vec<RunReader>, mut each: impl FnMut(Line) -> Result<()>) -> Result<()> {
    let mut heads = BinaryHeap::with_capacity(runs.len());
    for (at, run) in runs.iter_mut().enumerate() {
        if let Some(line) = run.next()? {
            heads.push(Reverse((line, at)));
        }
    }
    while let Some(Reverse((line, at))) = heads.pop() {
        if let Some(next) = runs[at].next()? {
            heads.push(Reverse((next, at)));
        }
        each(line)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
