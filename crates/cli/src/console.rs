//! The two streams: data on standard output, everything else on standard error.
//!
//! A stream that is closed never ends in a panic: who closed standard error does not want to hear,
//! and who closed standard output has enough.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::sync::{Mutex, PoisonError};

use distil::{Error, Fault, Result, Told, printable};
use indicatif::ProgressBar;

/// The bar on the screen, which must step aside for every other line.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Tells which bar is on the screen.
pub(crate) fn set_bar(bar: Option<ProgressBar>) {
    *BAR.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

/// Prints text, made of whole lines, on standard error.
pub(crate) fn print(text: &str) {
    // Never waits for the lock: a panic may be reported while another thread holds it.
    let bar = BAR.try_lock().ok().and_then(|bar| bar.clone());
    let write = || {
        let _ = stderr().lock().write_all(text.as_bytes());
    };
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Where log lines go: each is written at once, and the bar steps aside for it.
pub(crate) struct LogLine;

impl Write for LogLine {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        print(&String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A part of a message that can stand out. It always says the same without.
#[derive(Clone, Copy)]
pub(crate) enum Style {
    Error,
    Warning,
    Help,
}

/// Dresses text for standard error, if that is a terminal that may show colours.
pub(crate) fn styled(style: Style, text: &str) -> String {
    dressed(style, text, stderr().is_terminal())
}

/// As [`styled`], for standard output.
pub(crate) fn styled_out(style: Style, text: &str) -> String {
    dressed(style, text, stdout().is_terminal())
}

fn dressed(style: Style, text: &str, is_terminal: bool) -> String {
    if !is_terminal || !colours() {
        return text.to_owned();
    }
    let code = match style {
        Style::Error => "1;31",
        Style::Warning => "1;33",
        Style::Help => "1;36",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

fn colours() -> bool {
    let unset = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    unset("NO_COLOR") && !dumb
}

/// Warnings, a line each.
pub(crate) fn warnings(warnings: &[String]) -> String {
    let line = |warning: &String| {
        format!("{} {}\n", styled(Style::Warning, "warning:"), printable(warning))
    };
    warnings.iter().map(line).collect()
}

/// Prints an error with everything that it knows.
pub(crate) fn print_error(error: &Error) {
    let mut text = format!("{} {error}\n", styled(Style::Error, "error:"));
    for (told, line) in error.below() {
        text.push_str(&match (told, told.label()) {
            (_, None) => format!("  {line}\n"),
            (Told::Help, Some(label)) => format!("  {} {line}\n", styled(Style::Help, label)),
            (_, Some(label)) => format!("  {label} {line}\n"),
        });
    }
    print(&text);
}

/// Prints what clap has to say, which may be help that was asked for, and returns the exit status.
pub(crate) fn print_clap(error: &clap::Error) -> u8 {
    let text = error.render().to_string();
    if !error.use_stderr() {
        return finish(write_out(&text));
    }
    let text: String = text.lines().map(|line| printable(line) + "\n").collect();
    print(&match text.strip_prefix("error:") {
        Some(rest) => format!("{}{rest}", styled(Style::Error, "error:")),
        None => text,
    });
    Fault::Usage.exit_status()
}

/// Prints the error, if there is one, and returns the exit status.
pub(crate) fn finish(result: Result<()>) -> u8 {
    match result {
        Ok(()) => 0,
        Err(error) => {
            print_error(&error);
            error.fault.exit_status()
        }
    }
}

/// Whether standard output took everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// It did.
    Whole,
    /// Its reader went away before.
    Cut,
}

/// Writes data to standard output. A reader that goes away is no error.
///
/// # Errors
/// An environment error for anything else, such as a full disk.
pub(crate) fn write_out(text: &str) -> Result<()> {
    deliver(text).map(drop)
}

/// Writes data to standard output and says whether it arrived.
///
/// # Errors
/// As [`write_out`].
pub(crate) fn deliver(text: &str) -> Result<Delivered> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Delivered::Whole),
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok(Delivered::Cut),
        Err(cause) => Err(Error::io("write", "standard output", &cause)),
    }
}

/// JSON text as it can be shown on standard output: on a terminal, characters that would steer it
/// become JSON escapes, so that the text still means the same.
pub(crate) fn json_for_stdout(text: &str) -> String {
    if stdout().is_terminal() { escape_invisible(text) } else { text.to_owned() }
}

fn escape_invisible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        let alone: &str = c.encode_utf8(&mut buffer);
        if c == '\n' || printable(alone) == alone {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_on_a_terminal_keeps_its_meaning_without_steering_it() {
        let text = "{\"a\":\"\u{9b}31m \u{202e}é 😀\u{7f}\"}\n";
        let shown = escape_invisible(text);
        assert_eq!(shown, "{\"a\":\"\\u009b31m \\u202eé 😀\\u007f\"}\n");
        let parse = |t: &str| serde_json::from_str::<serde_json::Value>(t).unwrap();
        assert_eq!(parse(&shown), parse(text));
    }
}
