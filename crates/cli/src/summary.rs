//! What a run prints at its end.

use distil::configuration::JobOptions;
use distil::{
    ColumnReading, Hint, Location, Plan, Report, Respelled, bad_records_beside, format_bytes,
    printable,
};
use indicatif::HumanCount;

use crate::advice::quoted;
use crate::console::{self, Style, styled};
use crate::text::counted;

/// The files that a plan writes beside its output.
#[derive(Default)]
pub(crate) struct Beside {
    quarantine: Option<String>,
    dropped: Option<String>,
    /// Whether what is set aside can be read again.
    replays: bool,
}

impl Beside {
    /// Those of a plan.
    pub(crate) fn of(plan: &Plan) -> Self {
        let shown = |path: &Option<Location>| path.as_ref().map(ToString::to_string);
        Self {
            quarantine: shown(&plan.quarantine.path),
            dropped: shown(&plan.dropped),
            replays: !plan.origin,
        }
    }
}

/// Advice whose options belong together as one line: what it is for, and the flags to add.
fn together(hints: &[Hint], output: &str) -> Option<String> {
    let mut words = Vec::new();
    for hint in hints {
        let Some(option) = hint.option.as_deref() else { continue };
        let declared = JobOptions::OPTIONS.iter().find(|declared| declared.name == option)?;
        let value = match option {
            "quarantine" => bad_records_beside(output),
            _ => hint.value.clone()?,
        };
        words.push(format!("{} {}", declared.spelled(), shlex::try_quote(&value).ok()?));
    }
    let texts: Vec<&str> = hints.iter().map(|hint| hint.text.as_str()).collect();
    let text = texts.join(", ");
    Some(if words.is_empty() { text } else { format!("{text}: {}", words.join(" ")) })
}

/// The table that closes a run: what became of the records, and where everything is that was written.
pub(crate) fn table(report: &Report, beside: &Beside) -> String {
    let records = &report.records;
    let bytes_in: u64 = report.inputs.iter().map(|input| input.bytes).sum();
    let seconds = report.resources.seconds;
    let rate = bytes_in as f64 / 1e6 / seconds.max(1e-9);
    let bad = records.quarantined;
    let count = |number| HumanCount(number).to_string();
    let mut lines = vec![
        ("records", count(records.read), String::new()),
        ("rows", count(records.written), String::new()),
        (
            "duplicates",
            count(records.duplicates.identical + records.duplicates.conflicting),
            format!(
                "{} identical, {} conflicting",
                count(records.duplicates.identical),
                count(records.duplicates.conflicting)
            ),
        ),
        (
            "quarantined",
            count(bad.records + bad.ranges),
            if bad.ranges > 0 {
                format!("{} and {}", counted(bad.records, "record"), counted(bad.ranges, "range"))
            } else {
                String::new()
            },
        ),
        ("read", format_bytes(bytes_in), counted(report.inputs.len() as u64, "file")),
        (
            "written",
            format_bytes(report.output.bytes),
            format!(
                "{}, {}",
                counted(report.output.files, "file"),
                counted(report.output.row_groups, "row group")
            ),
        ),
        ("time", format!("{seconds:.2} s"), format!("{rate:.0} MB/s")),
        ("peak memory", format_bytes(report.resources.peak_memory_bytes), String::new()),
    ];
    for repaired in &report.repaired {
        let at = format!("{} at byte {}", printable(&repaired.path), repaired.offset);
        lines.push((
            "repaired",
            count(repaired.count),
            format!("{}, the first in {at}", repaired.repair),
        ));
    }
    if report.resources.spilled_bytes > 0 {
        lines.push(("spilled", format_bytes(report.resources.spilled_bytes), String::new()));
    }
    lines.splice(4..4, respelled(&report.readings));
    let width = lines.iter().map(|(_, value, _)| value.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value, note) in lines {
        let line = format!("{name:12} {value:>width$}  {note}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text + &places(report, beside)
}

/// Most columns that are named; those of the key always are.
const TOLD: usize = 10;

/// A line for each column of which values were read otherwise than they stand.
fn respelled(readings: &[ColumnReading]) -> Vec<(&'static str, String, String)> {
    let keys = readings.iter().filter(|reading| reading.key).count();
    let (told, others) = readings.split_at(readings.len().min(TOLD.max(keys)));
    let mut lines = Vec::new();
    for reading in told {
        let kinds = [("converted", &reading.converted), ("made null", &reading.nulled)];
        for (name, found) in kinds {
            let Some(found) = found else { continue };
            let key = if reading.key { ", of the key" } else { "" };
            let column = printable(&reading.column.to_string());
            let place = format!("first at {} byte {}", printable(&found.file), found.offset);
            let count = HumanCount(found.count).to_string();
            lines.push((name, count, format!("{column}{key}, {place}")));
        }
    }
    for (name, of) in [
        ("converted", (|reading| &reading.converted) as fn(&ColumnReading) -> &Option<Respelled>),
        ("made null", |reading| &reading.nulled),
    ] {
        let counts: Vec<u64> =
            others.iter().filter_map(|r| of(r).as_ref()).map(|f| f.count).collect();
        if !counts.is_empty() {
            let columns = counted(counts.len() as u64, "more column");
            lines.push((
                name,
                HumanCount(counts.iter().sum()).to_string(),
                format!("in {columns}"),
            ));
        }
    }
    lines
}

/// What was set aside, as in "2 records and 1 range".
fn quarantined(report: &Report) -> String {
    let bad = report.records.quarantined;
    match bad.ranges {
        0 => counted(bad.records, "record"),
        ranges => format!("{} and {}", counted(bad.records, "record"), counted(ranges, "range")),
    }
}

/// Where everything is that was written, each with what it holds.
fn places(report: &Report, beside: &Beside) -> String {
    let line =
        |name: &str, path: &str, what: String| format!("{name:12} {}: {what}\n", printable(path));
    let mut text = line("output", &report.output.path, counted(report.records.written, "row"));
    if let Some(path) = &beside.quarantine {
        let reasons = report.reasons.iter();
        let reasons = reasons.map(|bad| format!("{} {}", HumanCount(bad.count), bad.reason));
        let reasons: Vec<String> = reasons.collect();
        let reasons = match reasons.is_empty() {
            true => String::new(),
            false => format!(" ({})", reasons.join(", ")),
        };
        text.push_str(&line("quarantine", path, quarantined(report) + &reasons));
    }
    if let Some(path) = &beside.dropped {
        let rows = report.records.duplicates.conflicting;
        text.push_str(&line("dropped", path, counted(rows, "row")));
    }
    // Ranges alone can't be read again.
    if let Some(path) = &beside.quarantine
        && report.records.quarantined.records > 0
        && beside.replays
    {
        let command = quoted(&["distil", "replay", path, "-o", "NEW.parquet"]);
        let help = styled(Style::Help, "help:");
        let command = printable(&command);
        text.push_str(&format!("{help} read them again, as they are or mended there: {command}\n"));
    }
    text
}

/// What a log says of a run of a job.
pub(crate) fn log_line(job: &str, report: &Report, beside: &Beside) -> String {
    let records = &report.records;
    let duplicates = records.duplicates.identical + records.duplicates.conflicting;
    let dropped = beside.dropped.as_ref().map_or(String::new(), |path| {
        format!(" ({} in {path})", HumanCount(records.duplicates.conflicting))
    });
    let aside = beside.quarantine.as_ref().map_or(String::new(), |path| format!(" in {path}"));
    let text = format!(
        "{job}: {} in {}, of {}, {}{dropped}, {} set aside{aside}, {:.2} s",
        counted(records.written, "row"),
        report.output.path,
        counted(records.read, "record"),
        counted(duplicates, "duplicate"),
        quarantined(report),
        report.resources.seconds,
    );
    printable(&text) + "\n"
}

/// What a user should know, also of columns whose type a few values decided, with the ways on. `output` names the files
/// beside it.
pub(crate) fn warnings(report: &Report, output: &str) -> String {
    let mut text = console::warnings(&report.warnings);
    for note in &report.type_notes {
        text.push_str(&format!(
            "{} {}\n",
            styled(Style::Warning, "warning:"),
            printable(&note.text)
        ));
        for hints in note.hints.chunk_by(|_, next| next.text.starts_with("and ")) {
            if let Some(help) = together(hints, output) {
                text.push_str(&format!(
                    "  {} {}\n",
                    styled(Style::Help, "help:"),
                    printable(&help)
                ));
            }
        }
    }
    text
}

/// The digest, and the first conflicts.
pub(crate) fn notes(report: &Report, verbose: bool) -> String {
    let mut text = String::new();
    if let Some(digest) = &report.output.digest {
        text.push_str(&format!("digest       {digest}\n"));
    }
    if verbose && !report.conflicts.is_empty() {
        text.push_str("the first conflicts, the row that is kept and one that is not:\n");
        for conflict in &report.conflicts {
            text.push_str(&format!(
                "  {}\n  {}\n",
                printable(&conflict.kept.0),
                printable(&conflict.dropped.0)
            ));
        }
    }
    text
}
