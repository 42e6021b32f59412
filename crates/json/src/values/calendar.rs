//! The English names of months and of the days of a week.

/// In the order of the year.
pub(crate) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// 1970-01-01 was a Thursday.
pub(crate) const WEEKDAYS: [&str; 7] =
    ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];

/// The name that a text begins with, whole or its first three letters, in any case: its ordinal from 0
/// and its bytes.
pub(crate) fn name(text: &[u8], names: &[&str]) -> Option<(usize, usize)> {
    // These letters alone tell all names apart.
    let short = text.first_chunk::<3>()?.map(|byte| byte.to_ascii_lowercase());
    let at = names.iter().position(|name| name.as_bytes().starts_with(&short))?;
    let whole = names[at].as_bytes();
    let is_whole = text.get(..whole.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(whole));
    Some((at, if is_whole { whole.len() } else { short.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_or_three_letters_in_any_case() {
        for (names, first) in [(&MONTHS[..], "January"), (&WEEKDAYS, "Thursday")] {
            assert_eq!(name(first.as_bytes(), names), Some((0, first.len())));
            for (at, whole) in names.iter().enumerate() {
                let upper = whole.to_uppercase();
                assert_eq!(name(upper.as_bytes(), names), Some((at, whole.len())));
                assert_eq!(name(&upper.as_bytes()[..3], names), Some((at, 3)));
                assert_eq!(name(&whole.as_bytes()[..2], names), None);
            }
        }
        assert_eq!(name(b"Marc 1", &MONTHS), Some((2, 3)));
        assert_eq!(name(b"Mayor", &MONTHS), Some((4, 3)));
        assert_eq!(name(b"mon", &MONTHS), None);
    }
}
