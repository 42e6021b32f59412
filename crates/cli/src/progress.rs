//! Progress: a bar on a terminal, a line now and then elsewhere.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use distil::{Events, Phase, format_bytes};
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};

use crate::arguments::ProgressChoice;
use crate::console;

/// Between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows what a run is doing.
pub(crate) struct Progress {
    face: Face,
    records: AtomicU64,
}

enum Face {
    Hidden,
    Bar(Mutex<Option<ProgressBar>>),
    Lines(Mutex<Lines>),
}

struct Lines {
    stage: &'static str,
    unit_is_bytes: bool,
    total: Option<u64>,
    done: u64,
    begun: Instant,
    last: Instant,
}

impl Lines {
    /// Whether the next line may be printed at this moment; if so, it counts as printed.
    fn is_due(&mut self, now: Instant) -> bool {
        let due = now.duration_since(self.last) >= PAUSE;
        if due {
            self.last = now;
        }
        due
    }
}

fn stage_name(stage: Phase) -> &'static str {
    match stage {
        Phase::Decode => "reading",
        Phase::Encode => "writing",
        Phase::Commit => "committing",
    }
}

impl Progress {
    /// A face for the choice, on the standard error that there is.
    pub(crate) fn new(choice: ProgressChoice, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let face = match choice {
            ProgressChoice::Never => Face::Hidden,
            _ if quiet => Face::Hidden,
            _ if terminal => Face::Bar(Mutex::new(None)),
            ProgressChoice::Auto => Face::Hidden,
            ProgressChoice::Always => Face::Lines(Mutex::new(Lines {
                stage: "starting",
                unit_is_bytes: true,
                total: None,
                done: 0,
                begun: Instant::now(),
                last: Instant::now(),
            })),
        };
        Self { face, records: AtomicU64::new(0) }
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(&self) {
        if let Face::Bar(bar) = &self.face
            && let Some(bar) = bar.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            console::set_bar(None);
            bar.finish_and_clear();
        }
    }
}

fn bar(stage: Phase, total: Option<u64>) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::new_spinner(),
    };
    // Fits 80 columns with room for a bar: a line that wraps can't be taken off the screen.
    let template = match (stage, total) {
        (Phase::Decode, Some(_)) => {
            "{prefix} [{wide_bar}] {done}/{all}  {msg} records  {rate}  {left}"
        }
        (Phase::Decode, None) => "{prefix} {done}  {msg} records  {rate}",
        (Phase::Encode, Some(_)) => "{prefix} [{wide_bar}] {human_pos}/{human_len} records  {left}",
        _ => "{prefix} {spinner}",
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let style = style
        .progress_chars("=> ")
        .with_key("done", |state: &ProgressState, out: &mut dyn Write| {
            let _ = out.write_str(&format_bytes(state.pos()));
        })
        .with_key("all", |state: &ProgressState, out: &mut dyn Write| {
            let _ = out.write_str(&format_bytes(state.len().unwrap_or(0)));
        })
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            if !is_full(state.pos(), state.len()) {
                let _ = write!(out, "{}/s", format_bytes(state.per_sec() as u64));
            }
        })
        .with_key("left", |state: &ProgressState, out: &mut dyn Write| {
            let _ = out.write_str(&left(state.pos(), state.len(), state.eta()));
        });
    bar.set_style(style);
    bar.set_prefix(stage_name(stage));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Whether all is through. A backend that reads first and sorts then stays there for long: what it
/// does then has no rate, and when it ends nobody knows.
fn is_full(done: u64, total: Option<u64>) -> bool {
    total.is_some_and(|total| done >= total)
}

/// The time left, where anything is known of it.
fn left(done: u64, total: Option<u64>, left: Duration) -> String {
    match left.as_secs() {
        _ if done == 0 || is_full(done, total) => String::new(),
        0 => "<1 s left".to_owned(),
        seconds if seconds < 120 => format!("{seconds} s left"),
        seconds => format!("{} min left", seconds / 60),
    }
}

impl Events for Progress {
    fn begin(&self, stage: Phase, total: Option<u64>) {
        match &self.face {
            Face::Hidden => {}
            Face::Bar(place) => {
                let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
                // Two bars on one line would each leave a line of the other behind.
                if let Some(old) = place.take() {
                    old.finish_and_clear();
                }
                let fresh = bar(stage, total);
                console::set_bar(Some(fresh.clone()));
                *place = Some(fresh);
            }
            Face::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.stage = stage_name(stage);
                lines.unit_is_bytes = stage == Phase::Decode;
                lines.total = total;
                lines.done = 0;
                lines.begun = Instant::now();
            }
        }
    }

    fn advance(&self, units: u64, records: u64) {
        let all = self.records.fetch_add(records, Ordering::Relaxed) + records;
        match &self.face {
            Face::Hidden => {}
            Face::Bar(bar) => {
                if let Some(bar) = bar.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
                    bar.inc(units);
                    bar.set_message(HumanCount(all).to_string());
                }
            }
            Face::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.done += units;
                if lines.is_due(Instant::now()) {
                    console::print(&line(&lines, all));
                }
            }
        }
    }
}

fn line(lines: &Lines, records: u64) -> String {
    let amount = |count: u64| {
        if lines.unit_is_bytes {
            format_bytes(count)
        } else {
            format!("{} records", HumanCount(count))
        }
    };
    let total = lines.total.map_or(String::new(), |total| format!(" of {}", amount(total)));
    let records = if lines.unit_is_bytes {
        format!(", {} records", HumanCount(records))
    } else {
        String::new()
    };
    let seconds = lines.begun.elapsed().as_secs_f64();
    let rate = amount((lines.done as f64 / seconds.max(0.001)) as u64);
    format!("{}: {}{total}{records}, {rate}/s\n", lines.stage, amount(lines.done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_told_only_where_it_is_known() {
        let told = |done, seconds| left(done, Some(100), Duration::from_secs(seconds));
        assert_eq!(told(0, 5), "");
        assert_eq!(told(50, 0), "<1 s left");
        assert_eq!(told(50, 119), "119 s left");
        assert_eq!(told(50, 120), "2 min left");
        assert_eq!(told(100, 0), "");
    }

    #[test]
    fn a_line_is_due_ten_seconds_after_the_one_before() {
        let begun = Instant::now();
        let mut lines = Lines {
            stage: "reading",
            unit_is_bytes: true,
            total: None,
            done: 0,
            begun,
            last: begun,
        };
        let due = [0, 9, 10, 11, 19, 20, 45, 54, 55]
            .map(|seconds| lines.is_due(begun + Duration::from_secs(seconds)));
        assert_eq!(due, [false, false, true, false, false, true, true, false, true]);
    }
}
