//! What a text has where JSON can't have it, for people: the mistakes that programs and people make most are
//! named.

use distil_plan::Repair;

use crate::parse::tape::{Flaw, HALF_A_PAIR};

/// What is said of NaN and infinities, after what was found.
const NOT_A_NUMBER: &str = "is not a JSON number";
/// Most characters of a word that is quoted.
const MOST_SHOWN: usize = 20;

/// What is wrong, and what stands there. `frame` is the text up to the end of the record, and the flaw lies in
/// it or at its end.
pub(crate) fn describe(frame: &[u8], flaw: &Flaw) -> String {
    let rest = frame.get(flaw.at..).unwrap_or_default();
    if flaw.too_deep || rest.is_empty() {
        return flaw.what.to_owned();
    }
    if let Some(number) = not_a_number(frame, flaw.at) {
        return format!("{number} {NOT_A_NUMBER}");
    }
    let what = flaw.what;
    match rest {
        [b'\'', ..] => format!("{what}, found a single quote: JSON takes double quotes only"),
        [b'/', b'/' | b'*', ..] | [b'#', ..] => format!("{what}, found a comment"),
        [close @ (b'}' | b']'), ..] if follows_comma(frame, flaw.at) => {
            format!("{what}, found `{}` after a trailing comma", char::from(*close))
        }
        _ => match found(rest) {
            Some(word) => match python(&word) {
                Some(json) => format!("{what}, found {word}, which is {json} in JSON"),
                None => format!("{what}, found `{word}`"),
            },
            None => what.to_owned(),
        },
    }
}

/// NaN or an infinity around `at`, where a sign may have been taken for that of a number.
fn not_a_number(frame: &[u8], at: usize) -> Option<String> {
    let signed = at.checked_sub(1).is_some_and(|before| frame.get(before) == Some(&b'-'));
    let word = word(&frame[at - usize::from(signed)..]);
    is_not_finite(word).then(|| String::from_utf8_lossy(word).into_owned())
}

/// Whether a word is NaN or an infinity as programs write them.
pub(crate) fn is_not_finite(word: &[u8]) -> bool {
    let bare = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"+")).unwrap_or(word);
    [b"nan".as_slice(), b"inf", b"infinity"].iter().any(|name| bare.eq_ignore_ascii_case(name))
}

/// What a plan can have mended of a record that is no JSON for this detail.
pub fn repair_for(detail: &str) -> Option<Repair> {
    if detail.ends_with(NOT_A_NUMBER) {
        return Some(Repair::Nan);
    }
    detail.starts_with(HALF_A_PAIR).then_some(Repair::Surrogates)
}

/// The run of bytes up to the next blank, quote or mark.
pub(crate) fn word(rest: &[u8]) -> &[u8] {
    let ends = |byte: &u8| b" \t\n\r\"{}[]:,".contains(byte);
    &rest[..rest.iter().position(ends).unwrap_or(rest.len())]
}

fn follows_comma(frame: &[u8], at: usize) -> bool {
    let before = frame[..at].iter().rev().find(|byte| !byte.is_ascii_whitespace());
    before == Some(&b',')
}

/// What begins there: a word, or a single character.
fn found(rest: &[u8]) -> Option<String> {
    let named = word(rest);
    let named = if named.is_empty() { &rest[..1] } else { named };
    let text = String::from_utf8_lossy(named);
    let mut shown: String = text.chars().take(MOST_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    (!shown.contains(char::REPLACEMENT_CHARACTER)).then_some(shown)
}

/// What a word of Python's is in JSON.
fn python(word: &str) -> Option<&'static str> {
    match word {
        "True" => Some("true"),
        "False" => Some("false"),
        "None" => Some("null"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tape::Tape;

    fn described(text: &str) -> String {
        let flaw = Tape::default().parse_frame(text.as_bytes(), 0, text.len()).unwrap_err();
        describe(text.as_bytes(), &flaw)
    }

    #[test]
    fn usual_mistakes_are_named() {
        for (text, told) in [
            ("{\"a\":NaN}", "NaN is not a JSON number"),
            ("{\"a\":[1,nan]}", "nan is not a JSON number"),
            ("{\"a\":-Infinity}", "-Infinity is not a JSON number"),
            ("{\"a\":-inf,\"b\":1}", "-inf is not a JSON number"),
            (
                "{'a':1}",
                "expected a member name, found a single quote: JSON takes double quotes only",
            ),
            (
                "{\"a\":'x'}",
                "expected a value, found a single quote: JSON takes double quotes only",
            ),
            ("{\"a\":True}", "expected a value, found True, which is true in JSON"),
            ("{\"a\":None}", "expected a value, found None, which is null in JSON"),
            ("{\"a\":1,}", "expected a member name, found `}` after a trailing comma"),
            ("[1, ]", "expected a value, found `]` after a trailing comma"),
            ("{\"a\":1 // x\n}", "expected `,` or `}` after a member, found a comment"),
            ("# x", "expected a value, found a comment"),
            ("{a:1}", "expected a member name, found `a`"),
            ("{\"a\":}", "expected a value, found `}`"),
            ("{\"a\":undefined}", "expected a value, found `undefined`"),
            ("1 2", "more than one value, found `2`"),
            ("{\"a\":", "the text ends inside a value"),
            ("{\"a\":\u{1e}1}", "expected a value, found `\u{1e}1`"),
        ] {
            assert_eq!(described(text), told, "{text}");
        }
        let long = described(&format!("{{\"a\":{}}}", "é".repeat(100)));
        assert_eq!(long, format!("expected a value, found `{}…`", "é".repeat(20)));
    }
}
