//! What a data set is made of.

use std::fmt;
use std::str::FromStr;

use distil_plan::{Error, Hint, Result};
use serde::{Deserialize, Serialize};

use crate::calendar;

/// Milliseconds in a day: how many instants it offers.
const DAY: u64 = 86_400_000;

/// How the records lie in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `{"records": [...]}`.
    #[default]
    Document,
    /// `[...]`.
    Array,
    /// A record a line.
    Lines,
}

impl Shape {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Document, "document"), (Self::Array, "array"), (Self::Lines, "lines")];
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(shape, _)| shape == self);
        f.write_str(named.map_or("", |(_, name)| name))
    }
}

impl FromStr for Shape {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = Self::ALL.iter().find(|(_, name)| *name == text);
        named.map(|(shape, _)| *shape).ok_or_else(|| {
            Error::usage(format!("`{text}` is not a shape of generated files"))
                .help("the shapes are document, array and lines")
        })
    }
}

/// What a data set is made of, and all that it depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parameters {
    /// How many files, at least 1.
    pub files: u64,
    /// Original records in each file, at least 1; each has an instant of its own.
    pub records: u64,
    /// Extra records in each file, each with the instant of an original: in turn the same record
    /// again, one with another id, with another data, with both.
    pub duplicates: u64,
    /// Per cent of the duplicates that lie in another file than their original.
    pub spread: u8,
    /// The first day, `YYYYMMDD`, in UTC.
    pub date: u32,
    /// The days over which the instants are spread.
    pub days: u64,
    /// Another seed makes another data set.
    pub seed: u64,
    /// How the records lie in a file.
    pub shape: Shape,
    /// Whether the files are compressed.
    pub gzip: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            files: 1,
            records: 1000,
            duplicates: 0,
            spread: 0,
            date: 20_190_423,
            days: 30,
            seed: 0,
            shape: Shape::Document,
            gzip: false,
        }
    }
}

impl Parameters {
    /// The records of all files, duplicates included; at most `u64::MAX`.
    pub fn total_records(&self) -> u64 {
        self.files.saturating_mul(self.records.saturating_add(self.duplicates))
    }

    /// The instants to choose from.
    pub(crate) fn instants(&self) -> u64 {
        self.days.saturating_mul(DAY)
    }

    /// The first instant, milliseconds since 1970.
    pub(crate) fn first_instant(&self) -> i64 {
        calendar::day_of(self.date).unwrap_or_default() * DAY as i64
    }

    /// Whether there is such a data set.
    ///
    /// # Errors
    /// A usage error that names the parameter.
    pub fn check(&self) -> Result<()> {
        if self.files == 0 || self.records == 0 {
            return Err(Error::usage("a data set has at least one file of at least one record")
                .help(Hint::choose("write at least one file", "files"))
                .help(Hint::choose("and at least one record", "records")));
        }
        if self.total_records() == u64::MAX {
            return Err(Error::usage("so many records can't be counted"));
        }
        if self.spread > 100 {
            return Err(Error::usage(format!("a spread of {}% is more than all", self.spread)));
        }
        if self.spread > 0 && self.files == 1 {
            return Err(Error::usage("a spread needs a second file to put duplicates in")
                .help(Hint::set("write more files", "files", "2")));
        }
        let Some(first) = calendar::day_of(self.date) else {
            return Err(Error::usage(format!("{:08} is not a date", self.date))
                .help("write it as YYYYMMDD, such as 20190423"));
        };
        let last = i64::try_from(self.days).ok().and_then(|days| first.checked_add(days - 1));
        let end = calendar::day_of(99_991_231).unwrap_or_default();
        if self.days == 0 || last.is_none_or(|last| last > end) {
            return Err(Error::usage(format!("{} days are not possible", self.days))
                .help("give 1 or more, and end by 9999-12-31"));
        }
        let needed = self.files.saturating_mul(self.records);
        if needed > self.instants() {
            return Err(Error::usage(format!(
                "{needed} records need as many different milliseconds, and {} days have only {}",
                self.days,
                self.instants()
            ))
            .help(Hint::set(
                "spread them over more days",
                "days",
                needed.div_ceil(DAY).to_string(),
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(parameters: Parameters) -> String {
        let error = parameters.check().unwrap_err();
        format!(
            "{error}; {}",
            error.hints.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        )
    }

    #[test]
    fn impossible_parameters_are_refused_with_what_to_give_instead() {
        let sound = Parameters::default();
        assert_eq!(sound.check(), Ok(()));
        assert_eq!(
            message(Parameters { records: 86_400_001, days: 1, ..sound.clone() }),
            "86400001 records need as many different milliseconds, and 1 days have only 86400000; \
             spread them over more days: days = \"2\""
        );
        let most = Parameters { records: 86_400_000, days: 1, ..sound.clone() };
        assert_eq!(most.check(), Ok(()));
        assert!(message(Parameters { files: 0, ..sound.clone() }).contains("at least one file"));
        assert!(
            message(Parameters { records: 0, ..sound.clone() }).contains("at least one record")
        );
        assert!(message(Parameters { spread: 1, ..sound.clone() }).contains("second file"));
        assert!(message(Parameters { spread: 101, files: 2, ..sound.clone() }).contains("101%"));
        assert!(message(Parameters { date: 20_190_229, ..sound.clone() }).contains("not a date"));
        assert!(message(Parameters { days: 0, ..sound.clone() }).contains("0 days"));
        let end = Parameters { date: 99_991_231, days: 1, ..sound.clone() };
        assert_eq!(end.check(), Ok(()));
        assert!(message(Parameters { days: 2, ..end }).contains("9999-12-31"));
        assert!(message(Parameters { days: u64::MAX, ..sound.clone() }).contains("not possible"));
        assert!(message(Parameters { duplicates: u64::MAX, ..sound }).contains("counted"));
    }

    #[test]
    fn shapes_read_back_what_they_write() {
        for (shape, name) in Shape::ALL {
            assert_eq!(shape.to_string(), name);
            assert_eq!(name.parse(), Ok(shape));
        }
        assert!("Lines".parse::<Shape>().is_err());
    }
}
