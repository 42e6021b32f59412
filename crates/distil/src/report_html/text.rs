//! Texts and numbers as people read them.

use distil_plan::{format_count, printable};

/// A text of at most `most` characters without a control character or an invisible one; a longer one is cut in
/// its middle, as both ends of paths and messages say most.
pub(crate) fn shown(text: &str, most: usize) -> String {
    // An escape takes up to ten characters, so that more than these are never shown.
    let text = visible(&cut(text, most));
    cut(&text, most)
}

/// The text with its middle left out where it has more than `most` characters.
fn cut(text: &str, most: usize) -> String {
    if text.char_indices().nth(most).is_none() {
        return text.to_owned();
    }
    let kept = most.saturating_sub(1);
    let (head, tail) = (kept - kept / 2, kept / 2);
    let head = text.char_indices().nth(head).map_or("", |(end, _)| &text[..end]);
    let tail = match tail {
        0 => "",
        count => text.char_indices().rev().nth(count - 1).map_or("", |(start, _)| &text[start..]),
    };
    format!("{head}…{tail}")
}

/// Two texts that differ, of at most `most` characters each, begun shortly before they differ if that is far from
/// their beginning.
pub(crate) fn difference(a: &str, b: &str, most: usize) -> (String, String) {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let skipped = same.saturating_sub(most / 4);
    let is_long = [a, b].iter().any(|text| text.char_indices().nth(most).is_some());
    let from = |text: &str| match text.char_indices().nth(skipped) {
        Some((at, _)) if is_long && same >= most / 2 - 1 => format!("…{}", &text[at..]),
        _ => text.to_owned(),
    };
    (from(a), from(b))
}

fn visible(text: &str) -> String {
    let text = printable(text);
    if !text.chars().any(is_invisible) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match is_invisible(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    out
}

/// Characters that [`printable`] leaves to terminals, and a browser shows nothing of.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A number of things, as in `1 file` and `2,000 files`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", format_count(number), if number == 1 { "" } else { "s" })
}

/// A length of time.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 100.0 {
        return format!("{:.2} s", seconds.max(0.0));
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{} h {minutes:02} min", format_count(hours)),
    }
}

/// The last step of a path, as a name for it.
pub(crate) fn name_of(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}
