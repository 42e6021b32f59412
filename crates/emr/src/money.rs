//! Dollars, in whole millionths: prices of AWS have up to six decimals, and sums of them are exact.

use std::fmt;
use std::str::FromStr;

use distil_plan::{Error, Result};
use serde::{Serialize, Serializer};

const MILLION: u64 = 1_000_000;

/// An amount of dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(u64);

impl Dollars {
    /// So many millionths of a dollar.
    pub const fn millionths(count: u64) -> Self {
        Self(count)
    }

    /// This price of an hour for so many seconds, rounded up.
    #[must_use]
    pub fn for_seconds(self, seconds: u64) -> Self {
        let exact = u128::from(self.0) * u128::from(seconds);
        Self(u64::try_from(exact.div_ceil(3600)).unwrap_or(u64::MAX))
    }

    /// So many times this.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// All decimals that are not zero, and at least one.
    pub fn exact(self) -> String {
        let decimals = format!("{:06}", self.0 % MILLION);
        let decimals = decimals.trim_end_matches('0');
        format!("{}.{}", self.0 / MILLION, if decimals.is_empty() { "0" } else { decimals })
    }
}

/// Cents, rounded up: nobody pays less than is shown.
impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0.div_ceil(MILLION / 100);
        write!(f, "{}.{:02}", cents / 100, cents % 100)
    }
}

impl FromStr for Dollars {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!("`{text}` is not an amount of dollars"))
                .help("write a number with at most six decimals, such as 0.192")
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 9 || decimals.len() > 6 {
            return Err(wrong());
        }
        if !is_number(whole) || !is_number(decimals) {
            return Err(wrong());
        }
        let count = format!("{whole}{decimals:0<6}").parse().map_err(|_| wrong())?;
        Ok(Self(count))
    }
}

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_precision_loss, reason = "below nine billion dollars it is exact")]
        serializer.serialize_f64(self.0 as f64 / MILLION as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_shown_in_cents_rounded_up() {
        let parse = |text: &str| text.parse::<Dollars>().unwrap();
        assert_eq!(parse("0.192"), Dollars::millionths(192_000));
        assert_eq!(parse("5"), Dollars::millionths(5_000_000));
        assert_eq!(parse("0.760974").to_string(), "0.77");
        assert_eq!(parse("0.76").to_string(), "0.76");
        assert_eq!(
            (parse("0.760974").exact(), parse("5").exact()),
            ("0.760974".into(), "5.0".into())
        );
        // One second of 0.24 an hour is 66.67 millionths.
        assert_eq!(parse("0.24").for_seconds(1), Dollars::millionths(67));
        assert_eq!(parse("0.24").for_seconds(3600), parse("0.24"));
        assert_eq!(serde_json::to_string(&parse("1.712192")).unwrap(), "1.712192");
        for text in ["", ".5", "-1", "1e3", "0.1234567", "1,5", "9999999999", "NaN", "+1"] {
            assert!(text.parse::<Dollars>().is_err(), "{text}");
        }
        assert_eq!(
            Dollars::millionths(u64::MAX).for_seconds(u64::MAX),
            Dollars::millionths(u64::MAX)
        );
    }
}
