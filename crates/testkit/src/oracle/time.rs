//! Dates and instants (2.2), slow and sure.

use distil_plan::TimeUnit;

/// An instant as it was spelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Rfc3339 {
    /// Nanoseconds since 1970; further digits are cut off.
    pub nanos: i128,
    /// Digits of the fraction.
    pub digits: usize,
    /// Digits of the fraction without the zeros at its end.
    pub significant_digits: usize,
    /// `T`, `t` or a blank.
    pub separator: u8,
    /// `Z`, `z` or an offset.
    pub zone: String,
}

/// Reads an instant in the years 0001 to 9999, both as spelled and in UTC.
pub fn rfc3339(text: &str) -> Option<Rfc3339> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() < 20 {
        return None;
    }
    let days = date(&text[..10])?;
    let separator = bytes[10];
    if !b"Tt ".contains(&separator) || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let (hour, minute, second) =
        (below(&text[11..13], 24)?, below(&text[14..16], 60)?, below(&text[17..19], 60)?);
    let mut rest = &text[19..];
    let mut fraction = "";
    if let Some(tail) = rest.strip_prefix('.') {
        let count = tail.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return None;
        }
        (fraction, rest) = tail.split_at(count);
    }
    let offset_minutes = match rest.as_bytes() {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let minutes = below(&rest[1..3], 24)? * 60 + below(&rest[4..6], 60)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let seconds =
        i128::from(days) * 86_400 + hour * 3_600 + (minute - offset_minutes) * 60 + second;
    let nano_digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos = seconds * 1_000_000_000 + nano_digits.parse::<i128>().unwrap();
    in_range(nanos, TimeUnit::Millis).then(|| Rfc3339 {
        nanos,
        digits: fraction.len(),
        significant_digits: fraction.trim_end_matches('0').len(),
        separator,
        zone: rest.to_owned(),
    })
}

/// As [`rfc3339`], of a text with a zone as other systems write it: an offset `±hhmm` or `±hh`, a blank
/// before it, or ` UTC`.
pub fn other_zone(text: &str) -> Option<Rfc3339> {
    if let Some(local) = text.strip_suffix(" UTC") {
        return rfc3339(&format!("{local}Z"));
    }
    let at = text.rfind(['+', '-']).filter(|at| *at > 18)?;
    let (local, offset) = text.split_at(at);
    let local = local.strip_suffix(' ').unwrap_or(local);
    let offset = match offset.len() {
        5 => format!("{}:{}", offset.get(..3)?, offset.get(3..)?),
        3 => format!("{offset}:00"),
        _ => offset.to_owned(),
    };
    rfc3339(&format!("{local}{offset}"))
}

/// Two ASCII digits below a limit.
fn below(text: &str, limit: i128) -> Option<i128> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|n| *n < limit)
}

/// Whether an instant lies in the years of its unit.
pub fn in_range(nanos: i128, unit: TimeUnit) -> bool {
    let first = i128::from(date("0001-01-01").unwrap()) * 86_400_000_000_000;
    let behind = (i128::from(date("9999-12-31").unwrap()) + 1) * 86_400_000_000_000;
    (first..behind).contains(&nanos) && (unit != TimeUnit::Nanos || i64::try_from(nanos).is_ok())
}

/// Days since 1970 of a real date `YYYY-MM-DD` in the years 0001 to 9999.
pub fn date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |text: Option<&str>| -> Option<i32> {
        text.filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
    };
    let (year, month, day) =
        (number(text.get(..4))?, number(text.get(5..7))?, number(text.get(8..))?);
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let before_year = |y: i32| 365 * (y - 1) + (y - 1) / 4 - (y - 1) / 100 + (y - 1) / 400;
    let before_month: i32 = (1..month).map(|m| days_in(year, m)).sum();
    Some(before_year(year) + before_month + day - 1 - before_year(1970))
}

fn days_in(year: i32, month: i32) -> i32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `YYYY-MM-DD` of a day.
pub fn date_text(days: i32) -> String {
    // Slow and sure: the last year, then the last month, that begins at or before the day.
    let of = |year: i32, month: i32| date(&format!("{year:04}-{month:02}-01")).unwrap();
    let mut year = (1970 + days / 366 - i32::from(days < 0)).max(1);
    while year < 9999 && of(year + 1, 1) <= days {
        year += 1;
    }
    while of(year, 1) > days {
        year -= 1;
    }
    let month = (1..=12).rev().find(|m| of(year, *m) <= days).unwrap();
    format!("{year:04}-{month:02}-{:02}", days - of(year, month) + 1)
}

/// `YYYY-MM-DDThh:mm:ss.fffZ` with as many digits as are asked for.
pub fn instant_text(nanos: i128, digits: usize) -> String {
    let (seconds, fraction) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    format!(
        "{}T{:02}:{:02}:{:02}.{}Z",
        date_text(days as i32),
        second / 3_600,
        second / 60 % 60,
        second % 60,
        &format!("{fraction:09}")[..digits]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_follow_rfc_3339() {
        let nanos = |text: &str| rfc3339(text).map(|read| read.nanos);
        assert_eq!(nanos("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(nanos("2019-04-23T17:25:43.111Z"), Some(1_556_040_343_111_000_000));
        assert_eq!(nanos("2019-04-23 19:25:43.111+02:00"), nanos("2019-04-23t17:25:43.1110z"));
        assert_eq!(nanos("1969-12-31T23:59:59.5Z"), Some(-500_000_000));
        let other = |text: &str| other_zone(text).map(|read| read.nanos);
        for text in [
            "2019-04-23T17:25:43 UTC",
            "2019-04-23 19:25:43+0200",
            "2019-04-23 19:25:43 +02",
            "2019-04-23 19:25:43 +02:00",
        ] {
            assert_eq!(other(text), nanos("2019-04-23T17:25:43Z"), "{text}");
        }
        for bad in [
            "2019-04-23",
            "2019-04-23T17:25:43 Z",
            "2019-04-23T17:25:43+2",
            "2019-04-23T17:25:43  +02",
        ] {
            assert_eq!(other(bad), None, "{bad}");
        }
        for bad in [
            "2019-04-23T17:25:60Z",
            "2019-04-23T24:00:00Z",
            "2019-02-30T00:00:00Z",
            "0000-12-31T23:00:00-02:00",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "2019-04-23T17:25:43.Z",
            "2019-04-23T17:25:43",
            "2019-04-23T17:25:43+24:00",
            "2019-04-23_17:25:43Z",
            "২০১৯-04-23T17:25:43Z",
            "2019-04-23T17:25:43ZZ",
            "+019-04-23T17:25:43Z",
        ] {
            assert_eq!(nanos(bad), None, "{bad}");
        }
    }

    #[test]
    fn days_read_back() {
        for text in [
            "0001-01-01",
            "1899-12-31",
            "1969-12-31",
            "1970-01-01",
            "2000-02-29",
            "2100-03-01",
            "9999-12-31",
        ] {
            assert_eq!(date_text(date(text).unwrap()), text);
        }
        assert_eq!(date("0001-01-01"), Some(-719_162));
        assert_eq!(instant_text(-1_000_000, 3), "1969-12-31T23:59:59.999Z");
    }
}
