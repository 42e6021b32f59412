//! Dates of the proleptic Gregorian calendar.

/// Days in a span of 400 years.
const ERA: i64 = 146_097;

/// Days from 1970-01-01 to 0000-03-01, where the counting of eras begins.
const ORIGIN: i64 = 719_468;

/// Year, month and day of a day counted from 1970-01-01. A year begins in March here, so that the
/// leap day is its last.
pub fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + ORIGIN;
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The day, counted from 1970-01-01, of a date written `YYYYMMDD`; `None` if there is no such date
/// in the years 1 to 9999.
pub fn day_of(date: u32) -> Option<i64> {
    let (year, month, day) =
        (i64::from(date / 10_000), i64::from(date / 100 % 100), i64::from(date % 100));
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = shifted.div_euclid(400) * ERA + day_of_era - ORIGIN;
    (date_of(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_from_year_1_to_9999_is_one_more_than_the_last() {
        let first = day_of(10_101).unwrap();
        assert_eq!(day_of(19_700_101), Some(0));
        let mut expected = first;
        for year in 1..=9999_u32 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for month in 1..=12 {
                let length = match month {
                    2 => 28 + u32::from(leap),
                    4 | 6 | 9 | 11 => 30,
                    _ => 31,
                };
                for day in 1..=length {
                    assert_eq!(day_of(year * 10_000 + month * 100 + day), Some(expected));
                    let date = (i64::from(year), i64::from(month), i64::from(day));
                    assert_eq!(date_of(expected), date);
                    expected += 1;
                }
                assert_eq!(day_of(year * 10_000 + month * 100 + length + 1), None);
            }
        }
        for wrong in [0, 20_190_001, 20_191_301, 20_190_100, 101, 100_000_101] {
            assert_eq!(day_of(wrong), None, "{wrong}");
        }
    }
}
