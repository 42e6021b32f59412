//! Numbers for sentences.

/// A length of time, as in `36.3 s`.
pub(crate) fn seconds(milliseconds: f64) -> String {
    format!("{:.1} s", milliseconds / 1000.0)
}

/// A share, as in `71%`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// A number of things, as in `1 task` and `2 tasks`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", distil_plan::format_count(number), if number == 1 { "" } else { "s" })
}

/// Names as a list, as in `a, b and c`, and of more than five `a, b, c, d, e and 3 others`.
pub(crate) fn named(names: &[&str]) -> String {
    const MOST: usize = 5;
    let (shown, left) = names.split_at(names.len().min(MOST));
    match (shown, left.len()) {
        ([], _) => String::new(),
        ([one], 0) => (*one).to_owned(),
        ([before @ .., last], 0) => format!("{} and {last}", before.join(", ")),
        (shown, 1) => format!("{} and 1 other", shown.join(", ")),
        (shown, left) => format!("{} and {left} others", shown.join(", ")),
    }
}

/// A share of two numbers; 0 of nothing.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_with_how_many_more_there_are() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let texts = [0, 1, 2, 3, 5, 6, 7].map(|count| named(&names[..count]));
        assert_eq!(
            texts,
            [
                "",
                "a",
                "a and b",
                "a, b and c",
                "a, b, c, d and e",
                "a, b, c, d, e and 1 other",
                "a, b, c, d, e and 2 others"
            ]
        );
    }
}
