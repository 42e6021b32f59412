//! What strings spell (2.3): numbers, dotted versions and instants, and the shape of those that order
//! like their text. Every combination of parts is tried.

use super::time::date;

const DATES_THAT_FALL: [&str; 4] = ["Y-m-d", "Y/m/d", "Y.m.d", "C"];
const DATES: [&str; 20] = [
    "d-m-Y", "m-d-Y", "d/m/Y", "m/d/Y", "d.m.Y", "m.d.Y", "d-m-y", "m-d-y", "d/m/y", "m/d/y",
    "e.n.y", "n.e.y", "d b Y", "d b y", "d-b-Y", "d-b-y", "d/b/Y", "d/b/y", "b d, Y", "b d Y",
];
const CLOCKS: [&str; 4] = ["H:M", "H:M:S", "H:M:S.f", "H:M:S,f"];
const COMPACT_CLOCKS: [&str; 3] = ["G", "G.f", "G,f"];
const HALVES: [&str; 3] = ["", "p", ",p"];
const ZONES: [&str; 10] = ["", "1", "2", "3", "4", "5", " 1", " 2", " 3", " 4"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// `None` for a word; else the text with zeros for its digits, if such texts order like what they spell.
pub fn spelled(text: &str) -> Option<Option<String>> {
    if text.len() > 64 {
        return None;
    }
    let trimmed = text.trim_matches(' ');
    let shape = if is_number(trimmed) {
        let falls = trimmed.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        falls.then(|| masked(trimmed, trimmed.len()))
    } else if let Some(zone) = instant(trimmed) {
        zone.map(|zone| masked(trimmed, zone))
    } else if is_version(trimmed) {
        Some(masked(trimmed, trimmed.len()))
    } else {
        return None;
    };
    Some(shape.filter(|_| trimmed == text))
}

fn masked(text: &str, zone: usize) -> String {
    let mask = |(at, c): (usize, char)| if at < zone && c.is_ascii_digit() { '0' } else { c };
    text.char_indices().map(mask).collect()
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent = exponent.map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    all_digits(whole) && fraction.is_none_or(all_digits) && exponent.is_none_or(all_digits)
}

fn is_version(text: &str) -> bool {
    let rest = text.strip_prefix(['v', 'V']);
    let parts: Vec<&str> = rest.unwrap_or(text).split('.').collect();
    parts.iter().all(|part| all_digits(part)) && (rest.is_some() || parts.len() > 1)
}

/// What a beginning of a text said.
#[derive(Clone, Default)]
struct Parts {
    year: Option<i64>,
    month: i64,
    day: i64,
    hour: i64,
    twelve: bool,
}

impl Parts {
    fn is_date(&self) -> bool {
        let year = self.year.unwrap_or(2000);
        date(&format!("{year:04}-{:02}-{:02}", self.month, self.day)).is_some()
    }

    fn is_time(&self) -> bool {
        if self.twelve { (1..=12).contains(&self.hour) } else { self.hour <= 23 }
    }
}

/// Where the zone of an instant begins, if instants like it order as their text; `None` outside if the
/// text is no instant.
fn instant(text: &str) -> Option<Option<usize>> {
    for weekday in ["", "a ", "a, "] {
        let Some((parts, rest)) = begin(weekday, text, &Parts::default()) else { continue };
        let falling = DATES_THAT_FALL.iter().map(|pattern| (*pattern, weekday.is_empty()));
        for (pattern, falls) in falling.chain(DATES.iter().map(|pattern| (*pattern, false))) {
            let Some((parts, rest)) = begin(pattern, rest, &parts) else { continue };
            if !parts.is_date() {
                continue;
            }
            if rest.is_empty() {
                return Some(falls.then_some(text.len()));
            }
            for separator in ["T", "t", " ", ", ", ":"] {
                let Some((parts, rest)) = begin(separator, rest, &parts) else { continue };
                if let Some((parts, zone)) = time(rest, &parts, pattern == "C", "") {
                    let falls = falls && !parts.twelve;
                    return Some(falls.then_some(text.len() - zone));
                }
            }
        }
        if let Some((parts, rest)) = begin("b d ", rest, &parts)
            && let Some((parts, _)) = time(rest, &parts, false, " Y")
            && parts.is_date()
        {
            return Some(None);
        }
    }
    None
}

/// A time of day and a zone up to the end, and how many bytes the zone has.
fn time(text: &str, parts: &Parts, compact: bool, year: &str) -> Option<(Parts, usize)> {
    let more: &[&str] = if compact { &COMPACT_CLOCKS } else { &[] };
    for clock in CLOCKS.iter().chain(more) {
        let Some((parts, rest)) = begin(clock, text, parts) else { continue };
        for half in HALVES {
            // One blank at most: the comma of the pattern stands for it.
            let rest = match half.strip_prefix(',') {
                Some(_) => rest.strip_prefix(' '),
                None => Some(rest),
            };
            let Some(rest) = rest else { continue };
            let half = half.trim_start_matches(',');
            let Some((parts, rest)) = begin(half, rest, &parts) else { continue };
            for zone in ZONES {
                let Some((parts, rest_of_zone)) = begin(zone, rest, &parts) else { continue };
                let Some((parts, end)) = begin(year, rest_of_zone, &parts) else { continue };
                if end.is_empty() && parts.is_time() {
                    return Some((parts, rest.len()));
                }
            }
        }
    }
    None
}

/// What the beginning of a text says by a pattern, and the rest of the text.
fn begin<'a>(pattern: &str, text: &'a str, parts: &Parts) -> Option<(Parts, &'a str)> {
    let (mut parts, mut rest) = (parts.clone(), text);
    for token in pattern.chars() {
        let mut number = |least: usize, most: usize| {
            let count = rest.bytes().take_while(u8::is_ascii_digit).count().min(most);
            let (digits, tail) = rest.split_at(count);
            rest = tail;
            (count >= least).then(|| digits.parse::<i64>().unwrap_or(0))
        };
        match token {
            'Y' => parts.year = Some(number(4, 4)?),
            'y' => parts.year = Some(2000 + number(2, 2)?),
            'm' => parts.month = number(1, 2)?,
            'd' => parts.day = number(1, 2)?,
            'n' => parts.month = number(2, 2)?,
            'e' => parts.day = number(2, 2)?,
            'C' => {
                let date = number(8, 8)?;
                parts.year = Some(date / 10_000);
                (parts.month, parts.day) = (date / 100 % 100, date % 100);
            }
            'H' => parts.hour = number(1, 2)?,
            'M' | 'S' => {
                number(2, 2).filter(|n| *n <= 59)?;
            }
            'G' => {
                let time = number(6, 6)?;
                parts.hour = time / 10_000;
                if time / 100 % 100 > 59 || time % 100 > 59 {
                    return None;
                }
            }
            'f' => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                if digits == 0 {
                    return None;
                }
                rest = &rest[digits..];
            }
            'a' => rest = name(&WEEKDAYS, rest)?.1,
            'b' => (parts.month, rest) = name(&MONTHS, rest)?,
            'p' => {
                let (half, tail) = letters(rest);
                if !["am", "pm"].contains(&half.to_lowercase().as_str()) {
                    return None;
                }
                (parts.twelve, rest) = (true, tail);
            }
            '1'..='3' => {
                rest = rest.strip_prefix(['+', '-'])?;
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                if digits != if token == '3' { 4 } else { 2 } {
                    return None;
                }
                let (hours, mut tail) = rest.split_at(2);
                if token == '2' {
                    tail = tail.strip_prefix(':')?;
                }
                let minutes = if token == '1' { "00" } else { tail.get(..2)? };
                if !all_digits(minutes) || hours > "23" || minutes > "59" {
                    return None;
                }
                rest = if token == '1' { tail } else { &tail[2..] };
            }
            '4' => {
                let (word, tail) = letters(rest);
                let upper = word.bytes().all(|b| b.is_ascii_uppercase());
                if !upper || !(1..=5).contains(&word.len()) || ["AM", "PM"].contains(&word) {
                    return None;
                }
                rest = tail;
            }
            '5' => rest = rest.strip_prefix(['Z', 'z'])?,
            ' ' => {
                let tail = rest.trim_start_matches(' ');
                if tail.len() == rest.len() {
                    return None;
                }
                rest = tail;
            }
            literal => rest = rest.strip_prefix(literal)?,
        }
    }
    Some((parts, rest))
}

fn letters(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_alphabetic).count())
}

fn name<'a>(names: &[&str], text: &'a str) -> Option<(i64, &'a str)> {
    let (word, rest) = letters(text);
    let word = word.to_lowercase();
    let at = names.iter().position(|name| word == *name || word == name[..3])?;
    Some((at as i64 + 1, rest))
}
