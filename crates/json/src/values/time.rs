//! Instants and dates: RFC 3339 text to counts and back.

use distil_plan::TimeUnit;

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, of a year from 1 to 9999.
///
/// Algorithm: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`, without
/// the eras that years before 0 need, and so in small numbers.
#[inline]
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (year, month) = (year as u32, month as u32);
    let before = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5;
    i64::from(before) + day - 719_469
}

/// The inverse of [`days_from_civil`]; same source.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

pub(super) const DAY: i64 = 86_400;
/// Seconds of 0001-01-01T00:00:00Z and of 9999-12-31T23:59:59Z.
pub(super) const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// ASCII digits as a number; `None` for anything else.
pub(super) fn digits(text: &[u8]) -> Option<i64> {
    text.iter()
        .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Days since 1970 of a real date `YYYY-MM-DD` in the years 0001 to 9999.
pub(crate) fn parse_date(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.first_chunk::<10>()? else {
        return None;
    };
    if text.len() != 10 {
        return None;
    }
    let (year, month, day) = (digits(&[y1, y2, y3, y4])?, digits(&[m1, m2])?, digits(&[d1, d2])?);
    i32::try_from(real_day(year, month, day)?).ok()
}

/// Days since 1970 of a real date in the years 0001 to 9999.
#[inline]
pub(crate) fn real_day(year: i64, month: i64, day: i64) -> Option<i64> {
    let real = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && day >= 1
        && (day <= 28 || day <= days_in_month(year, month));
    real.then(|| days_from_civil(year, month, day))
}

/// An instant by RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant<'a> {
    /// Seconds since 1970, in UTC.
    seconds: i64,
    /// Digits of the fraction of a second, zeros at the end included.
    fraction: &'a [u8],
    separator: u8,
    zone: &'a [u8],
}

impl<'a> Instant<'a> {
    /// Reads `YYYY-MM-DD`, `T`, `t` or a blank, `hh:mm:ss`, a fraction, `Z`, `z` or `±hh:mm`. Real dates
    /// in the years 0001 to 9999, as spelled and in UTC; no leap seconds.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        Self::parse_with(text, offset)
    }

    /// As [`Instant::parse`], and with the zones of other systems: an offset `±hhmm` or `±hh`, a blank
    /// before it, or ` UTC`.
    pub(crate) fn parse_any(text: &'a [u8]) -> Option<Self> {
        Self::parse_with(text, any_offset)
    }

    fn parse_with(text: &'a [u8], offset: fn(&[u8]) -> Option<i64>) -> Option<Self> {
        let [
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            separator @ (b'T' | b't' | b' '),
            h1,
            h2,
            b':',
            m1,
            m2,
            b':',
            s1,
            s2,
        ] = *text.first_chunk::<19>()?
        else {
            return None;
        };
        let days = i64::from(parse_date(&text[..10])?);
        let (hour, minute, second) = (digits(&[h1, h2])?, digits(&[m1, m2])?, digits(&[s1, s2])?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let rest = &text[19..];
        let (fraction, zone) = match rest {
            [b'.', rest @ ..] => {
                let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if count == 0 {
                    return None;
                }
                rest.split_at(count)
            }
            _ => (&rest[..0], rest),
        };
        let seconds = days * DAY + hour * 3600 + minute * 60 + second - offset(zone)?;
        YEARS.contains(&seconds).then_some(Self { seconds, fraction, separator, zone })
    }

    /// Digits of the fraction if the text has the one form that inference makes a timestamp.
    pub(crate) fn fixed_form(&self) -> Option<u32> {
        let count = self.fraction.len() as u32;
        let fixed = self.separator == b'T' && self.zone == b"Z";
        (fixed && matches!(count, 0 | 3 | 6)).then_some(count)
    }

    /// Units since 1970, if the unit holds the instant exactly.
    pub(crate) fn count(&self, unit: TimeUnit) -> Option<i64> {
        units(self.seconds, self.fraction, unit)
    }
}

/// Units of seconds since 1970 and the digits of a fraction, if the unit holds them exactly.
pub(super) fn units(seconds: i64, fraction: &[u8], unit: TimeUnit) -> Option<i64> {
    let width = unit.digits() as usize;
    let (kept, beyond) = fraction.split_at(fraction.len().min(width));
    if beyond.iter().any(|digit| *digit != b'0') {
        return None;
    }
    let part = digits(kept)? * 10i64.pow((width - kept.len()) as u32);
    let units = i128::from(seconds) * i128::from(unit.per_second()) + i128::from(part);
    i64::try_from(units).ok()
}

/// Seconds of `Z`, `z` or `±hh:mm`.
fn offset(zone: &[u8]) -> Option<i64> {
    match *zone {
        [b'Z' | b'z'] => Some(0),
        [sign, h1, h2, b':', m1, m2] => signed_offset(sign, &[h1, h2], &[m1, m2]),
        _ => None,
    }
}

/// Seconds of an offset in the forms of other systems, too.
fn any_offset(zone: &[u8]) -> Option<i64> {
    match *zone {
        [b' ', b'U', b'T', b'C'] => Some(0),
        [b' ', ref offset @ ..] | ref offset if offset.len() > 1 => loose_offset(offset),
        _ => offset(zone),
    }
}

/// Seconds of `±hh:mm`, `±hhmm` or `±hh`.
pub(super) fn loose_offset(zone: &[u8]) -> Option<i64> {
    match *zone {
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => {
            signed_offset(sign, &[h1, h2], &[m1, m2])
        }
        [sign, h1, h2] => signed_offset(sign, &[h1, h2], b"00"),
        _ => None,
    }
}

fn signed_offset(sign: u8, hours: &[u8], minutes: &[u8]) -> Option<i64> {
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    match sign {
        b'+' => Some((hours * 60 + minutes) * 60),
        b'-' => Some((hours * 60 + minutes) * -60),
        _ => None,
    }
}

/// The unit in which instants of the fixed form with this many digits of a fraction are counted.
pub(crate) fn fixed_unit(digits: u32) -> TimeUnit {
    if digits == 6 { TimeUnit::Micros } else { TimeUnit::Millis }
}

/// Whether a count of units lies in the years 0001 to 9999.
pub fn in_years(count: i64, unit: TimeUnit) -> bool {
    YEARS.contains(&count.div_euclid(unit.per_second()))
}

/// Appends `YYYY-MM-DD`.
pub fn format_date(days: i32, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(i64::from(days));
    padded(year, 4, out);
    out.push(b'-');
    padded(month, 2, out);
    out.push(b'-');
    padded(day, 2, out);
}

/// Appends `YYYY-MM-DDThh:mm:ss`, a point and `fraction_digits` digits (none: no point), and `Z`.
pub fn format_instant(count: i64, unit: TimeUnit, fraction_digits: u32, out: &mut Vec<u8>) {
    let seconds = count.div_euclid(unit.per_second());
    let part = count.rem_euclid(unit.per_second());
    format_date(seconds.div_euclid(DAY) as i32, out);
    let second = seconds.rem_euclid(DAY);
    for (mark, value) in [(b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)] {
        out.push(mark);
        padded(value, 2, out);
    }
    if fraction_digits > 0 {
        out.push(b'.');
        let width = unit.digits();
        let part = if fraction_digits < width {
            part / 10i64.pow(width - fraction_digits)
        } else {
            part * 10i64.pow(fraction_digits - width)
        };
        padded(part, fraction_digits as usize, out);
    }
    out.push(b'Z');
}

fn padded(value: i64, width: usize, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value).as_bytes();
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(text.len())));
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, unit: TimeUnit) -> Option<i64> {
        Instant::parse(text.as_bytes())?.count(unit)
    }

    #[test]
    fn instants_are_exact_or_nothing() {
        assert_eq!(count("1970-01-01T00:00:00Z", TimeUnit::Millis), Some(0));
        assert_eq!(count("2019-04-23T17:25:43.111Z", TimeUnit::Millis), Some(1_556_040_343_111));
        assert_eq!(
            count("2019-04-23t19:25:43.1110000+02:00", TimeUnit::Millis),
            Some(1_556_040_343_111)
        );
        assert_eq!(count("2019-04-23 17:25:43.1115Z", TimeUnit::Millis), None);
        assert_eq!(
            count("2019-04-23 17:25:43.1115Z", TimeUnit::Micros),
            Some(1_556_040_343_111_500)
        );
        assert_eq!(count("0001-01-01T00:00:00z", TimeUnit::Micros), Some(-62_135_596_800_000_000));
        assert_eq!(count("1500-01-01T00:00:00Z", TimeUnit::Nanos), None);
        for bad in [
            "2019-02-30T00:00:00Z",
            "2019-04-23T24:00:00Z",
            "2019-04-23T23:59:60Z",
            "0000-01-01T00:00:00Z",
            "2019-04-23T17:25:43",
            "2019-04-23",
            "10000-01-01T00:00:00Z",
            "2019-04-23T17:25:43.Z",
            "2019-04-23T17:25:43+0200",
            "২019-04-23T17:25:43Z",
            "0001-01-01T00:00:00+01:00",
            "2019-4-23T17:25:43Z",
            "2019-04-23T17:25:43Z ",
            "2019-13-01T00:00:00Z",
            "2019-04-00T00:00:00Z",
        ] {
            assert!(Instant::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn zones_of_other_systems_are_read_where_that_is_asked_for() {
        let any = |text: &str| Instant::parse_any(text.as_bytes())?.count(TimeUnit::Millis);
        let expected = count("2024-10-27T00:30:00.5Z", TimeUnit::Millis);
        assert!(expected.is_some());
        for text in [
            "2024-10-27T02:30:00.500+0200",
            "2024-10-27 02:30:00.5 +02:00",
            "2024-10-27 02:30:00.5+02",
            "2024-10-26 23:00:00.5 -0130",
            "2024-10-27 00:30:00.5 UTC",
            "2024-10-27t00:30:00.5000z",
        ] {
            assert_eq!(any(text), expected, "{text}");
        }
        for bad in [
            "2024-10-27T02:30:00",
            "2024-10-27T02:30:00UTC",
            "2024-10-27T02:30:00 utc",
            "2024-10-27T02:30:00 Z",
            "2024-10-27T02:30:00  +0200",
            "2024-10-27T02:30:00+2400",
            "2024-10-27T02:30:00+0260",
            "2024-10-27T02:30:00+020",
            "2024-10-27T02:30:00+2",
            "2024-10-27T02:30:00 ",
            "2024-10-27T02:30:00 CET",
        ] {
            assert_eq!(any(bad), None, "{bad}");
        }
    }

    /// Counted day by day, by the lengths of months alone.
    #[test]
    fn every_day_of_ten_thousand_years_follows_the_one_before() {
        let mut expected = -719_162;
        for year in 1..=9999 {
            for month in 1..=12 {
                let length = days_in_month(year, month);
                for day in 1..=length {
                    assert_eq!(real_day(year, month, day), Some(expected));
                    assert_eq!(civil_from_days(expected), (year, month, day));
                    expected += 1;
                }
                assert_eq!(real_day(year, month, length + 1), None);
            }
        }
    }

    #[test]
    fn the_fixed_form_is_told_apart() {
        let form = |text: &str| Instant::parse(text.as_bytes()).unwrap().fixed_form();
        assert_eq!(form("2019-04-23T17:25:43Z"), Some(0));
        assert_eq!(form("2019-04-23T17:25:43.111000Z"), Some(6));
        for other in [
            "2019-04-23T17:25:43.1Z",
            "2019-04-23t17:25:43Z",
            "2019-04-23T17:25:43z",
            "2019-04-23T17:25:43+00:00",
        ] {
            assert_eq!(form(other), None);
        }
    }

    #[test]
    fn text_and_count_are_inverse_over_all_days() {
        let mut out = Vec::new();
        for days in (-719_162..=2_932_896).step_by(7).chain([-719_162, 2_932_896, 11_016, 11_015]) {
            out.clear();
            format_date(days, &mut out);
            assert_eq!(parse_date(&out), Some(days));
        }
        out.clear();
        format_instant(-1, TimeUnit::Micros, 6, &mut out);
        assert_eq!(out, b"1969-12-31T23:59:59.999999Z");
        out.clear();
        format_instant(1_556_040_343_000, TimeUnit::Millis, 0, &mut out);
        assert_eq!(out, b"2019-04-23T17:25:43Z");
    }
}
