//! JSON values of others: read as what is meant, or as nothing, but never an error that loses the rest of an event.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The most characters of a name that are kept.
const NAME: usize = 200;
/// The largest instant: the end of the year 9999, in milliseconds since 1970.
const LAST: i64 = 253_402_300_799_999;

/// A number, or an instant as milliseconds since 1970. Anything else is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number(i64);

impl Number {
    /// As a count: not negative.
    pub(crate) fn count(self) -> u64 {
        self.0.max(0).unsigned_abs()
    }

    /// As an instant, if it can be one.
    pub(crate) fn instant(self) -> Option<i64> {
        (1..=LAST).contains(&self.0).then_some(self.0)
    }
}

/// A text of which a beginning is kept. Anything else is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn get(&self) -> &str {
        match self.0.char_indices().nth(NAME) {
            Some((end, _)) => &self.0[..end],
            None => &self.0,
        }
    }
}

/// Whether it is `true`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

/// The instant of `2026-11-25T02:36:31.754GMT`, as the REST of Spark writes it.
fn instant(text: &str) -> Option<i64> {
    let text = format!("{}Z", text.strip_suffix("GMT")?);
    Some(text.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

/// What `visit_*` of values that are not meant has in common.
macro_rules! ignored {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
            while values.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
            while values.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Number;
            ignored!();

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number as i64))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
                Ok(Number::default())
            }

            fn visit_str<E>(self, text: &str) -> Result<Number, E> {
                Ok(Number(text.parse().ok().or_else(|| instant(text)).unwrap_or(0)))
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Text<'de>;
            ignored!();

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }

            fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Flag;
            ignored!();

            fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(flag))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Flag, E> {
                Ok(Flag::default())
            }

            fn visit_i64<E>(self, _: i64) -> Result<Flag, E> {
                Ok(Flag::default())
            }

            fn visit_f64<E>(self, _: f64) -> Result<Flag, E> {
                Ok(Flag::default())
            }

            fn visit_str<E>(self, _: &str) -> Result<Flag, E> {
                Ok(Flag::default())
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_kind_are_clamped_and_anything_else_is_none() {
        for (text, count, instant) in [
            ("7", 7, Some(7)),
            ("-7", 0, None),
            ("18446744073709551615", u64::MAX >> 1, None),
            ("1e308", u64::MAX >> 1, None),
            ("-1e308", 0, None),
            ("1.5", 1, Some(1)),
            ("\"42\"", 42, Some(42)),
            ("\"2026-11-25T02:36:31.754GMT\"", 1_795_574_191_754, Some(1_795_574_191_754)),
            ("\"9999999-99-99T00:00:00.000GMT\"", 0, None),
            ("null", 0, None),
            ("true", 0, None),
            ("[1,[2]]", 0, None),
            ("{\"a\":{\"b\":1}}", 0, None),
        ] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!((number.count(), number.instant()), (count, instant), "{text}");
        }
    }

    #[test]
    fn names_are_cut_and_flags_are_what_is_true() {
        let long = format!("\"{}\"", "ä".repeat(1000));
        assert_eq!(serde_json::from_str::<Text<'_>>(&long).unwrap().get(), "ä".repeat(NAME));
        let name = |text| serde_json::from_str::<Text<'_>>(text).unwrap().get().to_owned();
        assert_eq!([name("\"a\\nb\""), name("3"), name("null"), name("{}")], ["a\nb", "3", "", ""]);
        let flag = |text| serde_json::from_str::<Flag>(text).unwrap().0;
        assert!(flag("true") && !flag("\"true\"") && !flag("null") && !flag("[]"));
    }
}
