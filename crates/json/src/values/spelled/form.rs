//! The properties, in groups: an instant has one of each group of [`DATES`], [`SEPARATORS`],
//! [`TIMES`] and [`ZONES`], a date alone none of the last three.

use super::Forms;

/// A number that JSON spells like this, an integer within 64 bits.
pub(crate) const INTEGER: Forms = 1 << 0;
/// Another number that JSON spells like this.
pub(crate) const NUMBER: Forms = 1 << 1;
/// A number with a plus sign, a leading zero, or a blank beside it.
pub(crate) const LOOSE_NUMBER: Forms = 1 << 2;

/// Year, month, day in digits; the mark between them counts on from here: `-`, `/`, `.`, none.
pub(crate) const YEAR_FIRST: Forms = 1 << 3;
/// Day and month in digits, whichever is first, and a year of four digits: `-`, `/`, `.`.
pub(crate) const YEAR_LAST: Forms = 1 << 7;
/// The same with a year of two digits.
pub(crate) const SHORT_YEAR: Forms = 1 << 10;
/// `27 Aug 2008`, `27-Aug-2008`, `27/Aug/2008`.
pub(crate) const DAY_NAME: Forms = 1 << 13;
/// `Aug 27, 2008`.
pub(crate) const NAME_DAY: Forms = 1 << 16;
/// `Wed Aug 27 13:08:45 +0000 2008`: the year ends it.
pub(crate) const YEAR_AT_THE_END: Forms = 1 << 17;
/// A name in another length than three letters, a year of two digits behind a name, a comma before
/// a fraction: no format is derived for these.
pub(crate) const IRREGULAR: Forms = 1 << 18;
/// A weekday stands before the date, with a comma or without.
pub(crate) const WEEKDAY_COMMA: Forms = 1 << 19;
pub(crate) const WEEKDAY: Forms = 1 << 20;
pub(crate) const NO_WEEKDAY: Forms = 1 << 21;
/// The first of two numbers can't be a month, or the second can't.
pub(crate) const DAY_LEADS: Forms = 1 << 22;
pub(crate) const MONTH_LEADS: Forms = 1 << 23;

pub(crate) const LETTER_T: Forms = 1 << 24;
pub(crate) const BLANK: Forms = 1 << 25;
pub(crate) const COMMA: Forms = 1 << 26;
pub(crate) const COLON: Forms = 1 << 27;

pub(crate) const MINUTES: Forms = 1 << 28;
pub(crate) const SECONDS: Forms = 1 << 29;
pub(crate) const FRACTION: Forms = 1 << 30;
pub(crate) const MINUTES_12: Forms = 1 << 31;
pub(crate) const SECONDS_12: Forms = 1 << 32;
/// Digits without marks.
pub(crate) const COMPACT: Forms = 1 << 33;
/// More than six digits of a fraction.
pub(crate) const FINE: Forms = 1 << 34;

pub(crate) const NO_ZONE: Forms = 1 << 35;
pub(crate) const ZULU: Forms = 1 << 36;
/// ` UTC` or ` GMT`.
pub(crate) const UTC: Forms = 1 << 37;
pub(crate) const OFFSET_COLON: Forms = 1 << 38;
pub(crate) const OFFSET: Forms = 1 << 39;
/// An offset of hours, or letters.
pub(crate) const OTHER_ZONE: Forms = 1 << 40;
/// A blank stands before an offset.
pub(crate) const BLANK_OFFSET: Forms = 1 << 41;

/// Anything but digits alone.
pub(crate) const NOT_DIGITS: Forms = 1 << 42;

pub(crate) const COUNT: u32 = 43;
pub(crate) const YEARS_FIRST: Forms = YEAR_FIRST * 0b1111;
pub(crate) const YEARS_LAST: Forms = YEAR_LAST * 0b111;
pub(crate) const SHORT_YEARS: Forms = SHORT_YEAR * 0b111;
pub(crate) const DAY_NAMES: Forms = DAY_NAME * 0b111;
pub(crate) const DATES: Forms =
    YEARS_FIRST | YEARS_LAST | SHORT_YEARS | DAY_NAMES | NAME_DAY | YEAR_AT_THE_END;
pub(crate) const SEPARATORS: Forms = LETTER_T | BLANK | COMMA | COLON;
pub(crate) const TIMES: Forms = MINUTES | SECONDS | FRACTION | MINUTES_12 | SECONDS_12 | COMPACT;
pub(crate) const ZONES: Forms =
    NO_ZONE | ZULU | UTC | OFFSET_COLON | OFFSET | OTHER_ZONE | BLANK_OFFSET;
pub(crate) const WEEKDAYS: Forms = WEEKDAY_COMMA | WEEKDAY | NO_WEEKDAY;
