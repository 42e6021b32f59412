//! A strict reader of HTML, stricter than browsers: every tag is closed in its order, every attribute is known.

/// Elements without an end.
const VOID: [&str; 1] = ["meta"];
/// All else that a report is made of.
const ELEMENTS: [&str; 24] = [
    "bdi", "body", "code", "details", "div", "head", "html", "li", "main", "span", "strong",
    "summary", "table", "tbody", "td", "th", "thead", "title", "tr", "ul", "b", "h1", "p", "ol",
];
const ATTRIBUTES: [&str; 10] = [
    "style",
    "role",
    "aria-label",
    "aria-hidden",
    "scope",
    "lang",
    "charset",
    "name",
    "content",
    "http-equiv",
];

/// The text of a piece of HTML, without its markup.
///
/// Panics at the first thing that is not as it should be.
pub(super) fn text_of(html: &str) -> String {
    let mut open: Vec<&str> = Vec::new();
    let mut text = String::new();
    let mut rest = html.strip_prefix("<!doctype html>").unwrap_or(html);
    while !rest.is_empty() {
        let (before, after) = rest.split_once('<').unwrap_or((rest, ""));
        assert!(!before.contains('>'), "a bare > in {before:?}");
        text.push_str(&unescaped(before));
        if rest.len() == before.len() {
            break;
        }
        let (tag, after) = after.split_once('>').expect("a tag that does not end");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes another element");
            if matches!(name, "td" | "th") {
                text.push(' ');
            }
        } else {
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            check_attributes(name, attributes);
            if !VOID.contains(&name) {
                assert!(ELEMENTS.contains(&name), "<{name}> is no element of a report");
                open.push(name);
            }
        }
        rest = after;
    }
    assert_eq!(open, [""; 0], "elements that are never closed");
    text
}

fn check_attributes(element: &str, attributes: &str) {
    let mut rest = attributes;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").expect("an attribute without a value");
        assert!(ATTRIBUTES.contains(&name), "<{element} {name}>");
        let (value, after) = after.split_once('"').expect("a value that does not end");
        let value = unescaped(value);
        assert!(!value.contains("url(") && !value.contains("expression"), "{value}");
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
}

/// A text without its escapes, of which only those of a report are known.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, after) = part.split_once(';').expect("a bare &");
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            _ => panic!("&{name}; is no escape of a report"),
        });
        out.push_str(after);
    }
    out
}

#[test]
fn the_checker_finds_what_is_wrong() {
    for bad in [
        "<div>",
        "<div></span>",
        "a > b",
        "a & b",
        "<script></script>",
        "<div onclick=\"x\"></div>",
        "<div style=\"a",
        "</div>",
        "<div style=\"background:url(x)\"></div>",
        "&nbsp;",
    ] {
        assert!(std::panic::catch_unwind(|| text_of(bad)).is_err(), "{bad}");
    }
    assert_eq!(text_of("<div role=\"img\" style=\"a:b\">a &lt; <bdi>b</bdi></div>"), "a < b");
}
