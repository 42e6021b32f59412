//! Secrets in URLs of web servers: a link that was signed opens a file to whoever has it.
//!
//! Plans, reports, errors and rows that say where they come from show such a link without its secret values. The whole
//! link stays in this process, under what is shown of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What stands for a secret; a number follows where two links differ in their secrets alone.
const HIDDEN: &str = "***";
/// Words in the names of parameters that are secret.
const NAMES: [&str; 11] = [
    "token",
    "pass",
    "pwd",
    "secret",
    "key",
    "sig",
    "credential",
    "auth",
    "session",
    "ticket",
    "code",
];
/// A value of this length is a secret, whatever its name is.
const LONG: usize = 24;

/// The links that are known here.
static LINKS: Mutex<Option<Links>> = Mutex::new(None);

#[derive(Default)]
struct Links {
    /// Whole URLs by what is shown of them, and the other way round.
    whole: HashMap<String, String>,
    shown: HashMap<String, String>,
    /// How many of them look the same but for a number.
    alike: HashMap<String, usize>,
}

impl Links {
    fn show(&mut self, url: &str, first: String) -> String {
        if let Some(shown) = self.shown.get(url) {
            return shown.clone();
        }
        let number = self.alike.entry(first.clone()).or_default();
        *number += 1;
        let shown = match number {
            1 => first,
            number => masked(url, &format!("{HIDDEN}{number}")),
        };
        self.whole.insert(shown.clone(), url.to_owned());
        self.shown.insert(url.to_owned(), shown.clone());
        shown
    }
}

fn with_links<T>(go: impl FnOnce(&mut Links) -> T) -> T {
    let mut links = LINKS.lock().unwrap_or_else(PoisonError::into_inner);
    go(links.get_or_insert_default())
}

/// Whether a parameter of this name has a secret value.
fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|word| name.contains(word))
}

/// Whether a text is the URL of a file on a web server.
pub fn is_web(text: &str) -> bool {
    begins(text, "https://") || begins(text, "http://")
}

fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with))
}

/// A URL of a web server without its secret values, if it has some: those in its query, what stands after `#`, and a
/// password. It is told by the same text every time; of two that differ in their secrets alone, the second one has a
/// number. One with a slash too few, as a path makes of it, is no URL, and its secrets are not shown either.
pub fn without_secrets(url: &str) -> Option<String> {
    if !begins(url, "https:/") && !begins(url, "http:/") {
        return None;
    }
    let first = masked(url, HIDDEN);
    if first == url {
        return None;
    }
    Some(with_links(|links| links.show(url, first)))
}

/// A text of a command line without the secrets of a URL that it ends in: `--option=https://...`.
pub fn argument_without_secrets(text: &str) -> Option<String> {
    let (option, value) = match text.split_once('=') {
        Some((option, value)) if option.starts_with('-') => (&text[..=option.len()], value),
        _ => ("", text),
    };
    without_secrets(value).map(|shown| format!("{option}{shown}"))
}

/// The whole URL of what is shown of it; anything else as it is.
pub fn with_secrets(shown: &str) -> String {
    with_links(|links| links.whole.get(shown).cloned()).unwrap_or_else(|| shown.to_owned())
}

/// Whether what is shown of a URL hides something.
pub fn hides(shown: &str) -> bool {
    shown.contains(HIDDEN)
}

/// A URL with `mark` for its first secret, and [`HIDDEN`] for the others.
fn masked(url: &str, mark: &str) -> String {
    let mut marks = std::iter::once(mark).chain(std::iter::repeat(HIDDEN));
    let mut hide = |text: &str| match is_hidden(text) {
        true => text.to_owned(),
        false => marks.next().unwrap_or(HIDDEN).to_owned(),
    };
    let (url, fragment) = url.split_once('#').map_or((url, None), |(url, rest)| (url, Some(rest)));
    let begin = url.find(":/").map_or(0, |at| at + ":/".len());
    let begin = begin + usize::from(url[begin..].starts_with('/'));
    let rest = &url[begin..];
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    // A password may hold any of the marks that end a host: then what follows a colon is no port.
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_user =
        host.contains('@') || host.split_once(':').is_some_and(|(_, port)| !is_port(port));
    let (user, rest) = match rest.rfind('@').filter(|_| has_user) {
        Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
        None => (None, rest),
    };
    let mut shown = url[..begin].to_owned();
    if let Some(user) = user {
        shown += &format!("{}@", hide(user));
    }
    let (path, query) =
        rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    shown += path;
    for (at, pair) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if at == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, value)) if is_secret(name, value) => {
                shown += &format!("{name}={}", hide(value));
            }
            None if pair.len() >= LONG => shown += &hide(pair),
            _ => shown += pair,
        }
    }
    if let Some(fragment) = fragment {
        shown.push('#');
        let is_secret = fragment.contains('=') || fragment.len() >= LONG;
        shown += &if is_secret { hide(fragment) } else { fragment.to_owned() };
    }
    shown
}

fn is_secret(name: &str, value: &str) -> bool {
    value.len() >= LONG || (names_a_secret(name) && !value.is_empty())
}

/// Whether a value is what stands for a secret.
fn is_hidden(value: &str) -> bool {
    value.strip_prefix(HIDDEN).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_links_are_not_shown_and_not_lost() {
        let long = "x".repeat(LONG);
        for (url, shown) in [
            ("https://h/a?sv=1&sig=abc".to_owned(), "https://h/a?sv=1&sig=***"),
            (
                "HTTPS://h/b?X-Amz-Signature=1&page=2".to_owned(),
                "HTTPS://h/b?X-Amz-Signature=***&page=2",
            ),
            (format!("http://h/c?{long}"), "http://h/c?***"),
            (format!("http://h/c?p={long}&q="), "http://h/c?p=***&q="),
            ("https://me:pw@h:1/d".to_owned(), "https://***@h:1/d"),
            ("https://me:p/w?x@h/d".to_owned(), "https://***@h/d"),
            ("https:/h/e?pwd=1".to_owned(), "https:/h/e?pwd=***"),
            ("https://h/f#access_token=1".to_owned(), "https://h/f#***"),
        ] {
            assert_eq!(without_secrets(&url).as_deref(), Some(shown));
            assert_eq!(with_secrets(shown), url);
            // It is known by what is shown of it, again and again.
            assert_eq!(without_secrets(shown), None);
            assert!(hides(shown));
        }
    }

    #[test]
    fn links_that_differ_in_their_secrets_alone_stay_two() {
        for (url, first, second) in [
            ("https://h/two?token=", "https://h/two?token=***", "https://h/two?token=***2"),
            (
                "https://h/two?page=1&sig=1&token=",
                "https://h/two?page=1&sig=***&token=***",
                "https://h/two?page=1&sig=***2&token=***",
            ),
        ] {
            let shown = ["a", "b"].map(|secret| without_secrets(&format!("{url}{secret}")));
            assert_eq!(shown, [Some(first.to_owned()), Some(second.to_owned())]);
            for _ in 0..2 {
                // Again and again, in any order, and by what is shown of it.
                assert_eq!(without_secrets(&format!("{url}b")).as_deref(), Some(second));
                assert_eq!(without_secrets(&format!("{url}a")).as_deref(), Some(first));
                assert_eq!((without_secrets(first), without_secrets(second)), (None, None));
                assert_eq!(with_secrets(second), format!("{url}b"));
            }
        }
    }

    #[test]
    fn an_option_of_a_command_hides_its_value() {
        let shown = argument_without_secrets("--schema-from=https://h/s?sig=1");
        assert_eq!(shown.as_deref(), Some("--schema-from=https://h/s?sig=***"));
        assert_eq!(
            argument_without_secrets("https://h/s?a=b&sig=1").as_deref(),
            Some("https://h/s?a=b&sig=***")
        );
        assert_eq!(argument_without_secrets("--key=a"), None);
    }

    #[test]
    fn what_is_no_secret_stays() {
        for url in [
            "https://h/a?page=1&q=x",
            "https://h/a?",
            "s3://b/k?token=1",
            "/a?token=1",
            "https://h",
        ] {
            assert_eq!(without_secrets(url), None, "{url}");
            assert_eq!(with_secrets(url), url);
        }
    }
}
