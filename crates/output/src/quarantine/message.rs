//! What a run says of bad records and ranges: each with its file, line and byte, and the text with a mark.

use std::collections::BTreeMap;

use distil_plan::{
    BadPart, Code, Error, Found, FoundBad, Hint, InputFormat, Key, Reason, Repair, Repairs,
    printable,
};

use super::{Quarantine, ReadTotals, STOP_AFTER};
use crate::excerpt::{Excerpt, Located, locate};

/// What helps where values are arrays of records: to set them aside would lose the records.
fn each_is_an_array() -> Hint {
    Hint::set("each value is an array: take its elements as records", "records", "/*")
}

/// A bad part that is shown.
pub(super) struct Shown {
    /// Without its bytes.
    pub(super) part: BadPart,
    /// The text of a record, where it was kept.
    pub(super) excerpt: Option<Excerpt>,
    is_array: bool,
    is_null: bool,
}

impl Shown {
    pub(super) fn new(part: BadPart) -> Self {
        let excerpt = part.raw.as_deref().map(|raw| {
            let at = part.at.unwrap_or(part.offset).saturating_sub(part.offset);
            Excerpt::of(raw, usize::try_from(at).unwrap_or(usize::MAX))
        });
        let is_array = part.raw.as_ref().is_some_and(|raw| raw.first() == Some(&b'['));
        let is_null = part.raw.as_ref().is_some_and(|raw| raw == b"null");
        Self { excerpt, is_array, is_null, part: BadPart { raw: None, ..part } }
    }

    /// The byte that is named.
    fn byte(&self) -> u64 {
        self.part.at.unwrap_or(self.part.offset)
    }
}

/// Bad parts by input and offset.
pub(super) type ShownParts = BTreeMap<(usize, u64), Shown>;

impl Quarantine {
    /// The error of a run without a quarantine file. `read` is what was read, if that was all.
    pub(super) fn stop(&self, parts: &ShownParts, read: Option<&ReadTotals>) -> Error {
        let shown: Vec<&Shown> = parts.values().collect();
        let is_range = |shown: &&&Shown| shown.part.reason == Reason::BrokenRange;
        let ranges: Vec<&Shown> = shown.iter().filter(is_range).copied().collect();
        let records = match shown.len() - ranges.len() {
            0 => String::new(),
            1 => "1 bad record".to_owned(),
            n => format!("{n} bad records"),
        };
        let mut what = match ranges.len() {
            0 => records,
            n => {
                let ranges = counted_ranges(n as u64);
                let told = [records, ranges].into_iter().filter(|part| !part.is_empty());
                told.collect::<Vec<_>>().join(" and ")
            }
        };
        if shown.len() == STOP_AFTER {
            what.push_str(", the run stopped there");
        }
        let found = shown.iter().map(|shown| FoundBad {
            path: self.name(shown.part.input).to_owned(),
            offset: shown.part.offset,
            reason: shown.part.reason.name().to_owned(),
            detail: shown.part.placed_detail(),
        });
        let found = Found::Records(found.collect());
        let mut error = Error::input(what).coded(Code::BadRecords).about(found);
        for line in self.described(parts, read) {
            error = error.detail(line);
        }
        if ranges.is_empty() {
            if shown.iter().all(|shown| shown.is_array) {
                return error.help(each_is_an_array());
            }
            if shown.iter().all(|shown| shown.is_null) && self.plan.records.is_none() {
                let text = "pass over the nulls, as holes among the records";
                error = error.help(Hint::set(text, "records", ""));
            }
            error = self.with_spellings(error, &shown);
            if let Some(repairs) = self.repairs_for(&shown) {
                let text = "read them with what is invalid mended, and counted";
                error = error.help(Hint::set(text, "repair", repairs.to_string()));
            }
            return error.help(Hint::set(
                "set bad records aside and go on",
                "quarantine",
                "FILE.ndjson",
            ));
        }
        let mut hints: Vec<Hint> = Vec::new();
        for hint in ranges.iter().map(|shown| likely_cause(&shown.part.detail)) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        hints.into_iter().fold(error, Error::help)
    }

    /// The error with what helps where the text is of another encoding, or the values are on lines of another kind.
    fn with_spellings(&self, mut error: Error, shown: &[&Shown]) -> Error {
        let of = |begin: &str| shown.iter().find(|shown| shown.part.detail.starts_with(begin));
        if let Some(shown) = of("not UTF-8") {
            let convert =
                "convert the text first: iconv -f WINDOWS-1252 -t UTF-8 FILE | distil run - ...";
            error = error.help(convert).with_file(self.name(shown.part.input));
        }
        if of("more than one value").is_some() {
            let hint = "read values one after another, on whatever lines";
            error = error.help(Hint::set(hint, "shape", "concatenated"));
        }
        error
    }

    /// What the plan would have to mend, besides what it does, so that some of these records can be read.
    fn repairs_for(&self, shown: &[&Shown]) -> Option<Repairs> {
        let needed = shown.iter().filter_map(|shown| match shown.part.reason {
            Reason::DuplicateMember => Some(Repair::DuplicateMembers),
            Reason::InvalidJson => distil_json::repair_for(&shown.part.detail),
            _ => None,
        });
        let needed: Repairs = needed.filter(|repair| !self.plan.repair.has(*repair)).collect();
        if needed.is_empty() || self.has_whole_records_as_key() {
            return None;
        }
        let kept = Repair::ALL.into_iter().filter(|repair| self.plan.repair.has(*repair));
        Some(kept.fold(needed, Repairs::with))
    }

    /// Whether the whole record is the key: such a plan has no repairs.
    fn has_whole_records_as_key(&self) -> bool {
        self.plan.dedup.as_ref().is_some_and(|dedup| dedup.key == Key::Record)
    }

    /// The first part of each reason in full, and how many more there are.
    fn described(&self, parts: &ShownParts, read: Option<&ReadTotals>) -> Vec<String> {
        let located = self.located(parts);
        let mut by_reason: BTreeMap<Reason, Vec<&Shown>> = BTreeMap::new();
        for shown in parts.values() {
            by_reason.entry(shown.part.reason).or_default().push(shown);
        }
        let mut groups: Vec<(Reason, Vec<&Shown>)> = by_reason.into_iter().collect();
        groups.sort_by_key(|(_, group)| group.first().map(|shown| place(&shown.part)));
        let mut lines = Vec::new();
        for (reason, group) in groups {
            // Each range is a loss of its own.
            let in_full = if reason == Reason::BrokenRange { group.len() } else { 1 };
            for shown in &group[..in_full] {
                let found = located.get(&place(&shown.part));
                let BadPart { reason, detail, .. } = &shown.part;
                let at = self.place(shown, found);
                let mut line = format!("{at}: {reason}: {}", printable(detail));
                if *reason == Reason::BrokenRange {
                    line.push_str(&format!(" ({})", self.extent(&shown.part, read)));
                }
                lines.push(line);
                let excerpt = shown.excerpt.as_ref().or(found.map(|found| &found.excerpt));
                let excerpt = excerpt.filter(|excerpt| !excerpt.is_empty());
                lines.extend(excerpt.into_iter().flat_map(Excerpt::lines));
            }
            if let [last] = &group[in_full..] {
                let at = self.place(last, located.get(&place(&last.part)));
                lines.push(format!("1 more: {reason}, at {at}"));
            } else if let Some(last) = group[in_full..].last() {
                let at = self.place(last, located.get(&place(&last.part)));
                lines.push(format!("{} more: {reason}, the last at {at}", group.len() - in_full));
            }
        }
        lines
    }

    /// What the ranges of a run that went on came to, each in a sentence.
    pub(super) fn losses(&self, ranges: &ShownParts, read: &ReadTotals) -> Vec<String> {
        let located = self.located(ranges);
        let told = ranges.values().map(|shown| {
            let at = self.place(shown, located.get(&place(&shown.part)));
            let detail = printable(&shown.part.detail);
            let extent = self.extent(&shown.part, Some(read));
            format!("{at}: the rest of the file is lost ({extent}): {detail}")
        });
        told.collect()
    }

    /// How much a range holds: its bytes, and about as many records as bytes of the same file before it held.
    fn extent(&self, part: &BadPart, read: Option<&ReadTotals>) -> String {
        let bytes = match part.length {
            1 => "1 byte".to_owned(),
            n => format!("{n} bytes"),
        };
        let before = read.and_then(|read| read.records.get(part.input)).copied().unwrap_or(0);
        let estimate = match part.offset {
            0 => 0,
            offset => u128::from(part.length) * u128::from(before) / u128::from(offset),
        };
        match estimate {
            0 => bytes,
            1 => format!("{bytes}, about 1 record"),
            n => format!("{bytes}, about {n} records"),
        }
    }

    /// The place of a part, as `Place` spells it.
    fn place(&self, shown: &Shown, located: Option<&Located>) -> String {
        let name = printable(self.name(shown.part.input));
        match (self.plan.format, located) {
            (InputFormat::Json, Some(located)) => {
                format!("{name} line {}, byte {}", located.line, shown.byte())
            }
            (format, _) => format!("{name} at {} {}", format.place(), shown.byte()),
        }
    }

    /// Reads files again for the lines of parts.
    fn located(&self, parts: &ShownParts) -> BTreeMap<(usize, u64), Located> {
        let mut by_input: BTreeMap<usize, Vec<&Shown>> = BTreeMap::new();
        for shown in parts.values() {
            by_input.entry(shown.part.input).or_default().push(shown);
        }
        let mut found = BTreeMap::new();
        for (input, mut shown) in by_input {
            let Some(input) = self.inputs.get(input) else { continue };
            // What can be read only once is gone.
            if self.plan.format != InputFormat::Json || input.bytes.is_none() {
                continue;
            }
            shown.sort_by_key(|shown| shown.byte());
            let offsets: Vec<u64> = shown.iter().map(|shown| shown.byte()).collect();
            let located = locate(&*self.storage, &input.path, &offsets, &self.cancel);
            found.extend(shown.iter().map(|shown| place(&shown.part)).zip(located));
        }
        found
    }
}

fn place(part: &BadPart) -> (usize, u64) {
    (part.input, part.offset)
}

fn counted_ranges(count: u64) -> String {
    match count {
        1 => "1 broken range, in which no records can be told apart".to_owned(),
        n => format!("{n} broken ranges, in which no records can be told apart"),
    }
}

/// What to do about a range. Setting it aside would lose what it holds, so that is no advice.
fn likely_cause(detail: &str) -> Hint {
    if detail == "more follows the array" {
        return Hint::set(
            "the array at the beginning is not the whole file: read every line by itself",
            "shape",
            "lines",
        );
    }
    if detail.starts_with("the file ends") || detail.contains("cut short") {
        return Hint::new("get the whole file again: it is probably cut");
    }
    if detail.contains("stream") {
        return Hint::new("get the file again: its compressed content is damaged");
    }
    Hint::new("repair the text at that byte, or get the file again: nothing after it can be read")
}
