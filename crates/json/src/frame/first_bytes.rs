//! What a file is that does not begin with JSON, told by its first bytes (`docs/semantics.md` 1.4).
//!
//! Some formats no JSON can be taken for: they are named whatever shape the plan says. Text is looked at under
//! `auto` alone, and only where no line of its beginning could be a record: then one error of the file says more
//! than a list of bad records would.

use distil_plan::{Error, Hint};

/// Bytes of a file that are looked at.
pub(crate) const BEGINNING: usize = 64 << 10;

/// Bytes of a line that a message shows.
const SHOWN: usize = 40;

/// Lines that must have as many fields as the first for a text to be a table.
const TABLE_LINES: usize = 10;

/// Formats by their first bytes, each with what to do; `FILE` stands for the file.
const BINARY: [(&[u8], &str, &str); 6] = [
    (b"PAR1", "Parquet, which holds rows and no records", PARQUET),
    (
        b"PK\x03\x04",
        "a zip archive",
        "read what is in it from standard input: unzip -p FILE | distil run - ...",
    ),
    (
        b"SQLite format 3\0",
        "an SQLite database",
        "export a table as JSON: sqlite3 -json FILE 'select * from TABLE' | distil run - ...",
    ),
    (
        b"Obj\x01",
        "Avro",
        "convert it first: java -jar avro-tools.jar tojson FILE | distil run - ...",
    ),
    (b"%PDF-", "a PDF document", "leave it out"),
    (
        b"\x02\x21\x4c\x18",
        "lz4 in its legacy format",
        "decompress it first: lz4 -dc FILE | distil run - ...",
    ),
];

const PARQUET: &str = "read its rows as JSON, beside other sources: \
                       distil head -n 1000000000 FILE | distil run - ...";

/// What the first bytes of a file say, whatever the shape.
#[derive(Debug)]
pub(crate) enum First {
    /// Nothing against JSON.
    Json,
    /// The file is something else.
    Other(Error),
    /// More of them must be seen.
    More,
}

/// Tells formats that no JSON can be taken for. `window` begins with the file; `eof` says that nothing follows it.
pub(crate) fn binary(window: &[u8], eof: bool) -> First {
    if let Some((_, what, help)) = BINARY.iter().find(|(magic, ..)| window.starts_with(magic)) {
        return First::Other(is_no_json(what).help(*help));
    }
    let is_open = !eof && BINARY.iter().any(|(magic, ..)| magic.starts_with(window));
    if is_open { First::More } else { First::Json }
}

/// Tells what a text under `auto` is whose first byte that is not blank is not `{`: `window` begins with that
/// byte. [`First::Json`] for an array, and for lines of which one may be a record.
pub(crate) fn text(window: &[u8], eof: bool) -> First {
    let beginning = &window[..window.len().min(BEGINNING)];
    let is_whole = eof || window.len() >= BEGINNING;
    let is_bracketed = match beginning.first() {
        Some(b'[') => match bracketed(beginning, is_whole) {
            Prefix::None => return First::Json,
            Prefix::Unknown => return First::More,
            Prefix::Text => true,
        },
        _ => false,
    };
    if !is_whole {
        return First::More;
    }
    match other(beginning, is_bracketed) {
        Some(error) => First::Other(error.help(Hint::set(
            "or read every line as a value all the same",
            "shape",
            "lines",
        ))),
        None => First::Json,
    }
}

/// Whether what begins with `[` is text before a record, and no array: then `auto` reads lines.
pub(crate) fn is_prefixed(window: &[u8]) -> bool {
    bracketed(&window[..window.len().min(BEGINNING)], true) == Prefix::Text
}

/// What the beginning of a text is, if no line of it may be a record.
fn other(beginning: &[u8], is_bracketed: bool) -> Option<Error> {
    let lines = beginning.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut lines = lines.filter(|line| !line.is_empty());
    let first = lines.next()?;
    let script = javascript(first);
    // What an opening bracket ends is no line of its own.
    if script.is_some() && matches!(first.last(), Some(b'{' | b'[')) {
        return script;
    }
    let may_be_a_record = |line: &[u8]| match line {
        [b'{', _, ..] => true,
        // In a log, labels begin so.
        [b'[', _, ..] => !is_bracketed,
        _ => false,
    };
    if lines.clone().any(may_be_a_record) {
        return None;
    }
    let all = || std::iter::once(first).chain(lines.clone());
    let has_prefix = |line: &[u8]| {
        line.ends_with(b"}")
            && line.first() != Some(&b'"')
            && memchr::memmem::find(line, b"{\"").is_some()
    };
    script
        .or_else(|| named(first))
        .or_else(|| (is_bracketed || has_prefix(first)).then(|| prefixed(first)))
        .or_else(|| table(all()))
        .or_else(|| all().find(|line| has_prefix(line)).map(prefixed))
}

/// Whether a text has a line that begins as a record or an array does, within its first 64 KiB.
pub fn has_json_line(text: &[u8]) -> bool {
    let beginning = &text[..text.len().min(BEGINNING)];
    beginning.split(|byte| *byte == b'\n').any(|line| matches!(line.first(), Some(b'{' | b'[')))
}

#[derive(Debug, PartialEq, Eq)]
enum Prefix {
    /// It is an array, perhaps.
    None,
    /// More must be seen.
    Unknown,
    /// Text in brackets, and a record after it on its line.
    Text,
}

/// Tells text in brackets before a record, as in `[app] {"id":1}`, from an array. An array that holds records
/// has a brace before its first closing bracket, and nothing but a comma, a bracket or the end follows that.
fn bracketed(text: &[u8], is_whole: bool) -> Prefix {
    let open = if is_whole { Prefix::None } else { Prefix::Unknown };
    let stops = |byte: &u8| matches!(byte, b'{' | b'[' | b']' | b'\n' | b'"');
    let Some(end) = text[1..].iter().position(stops).map(|at| at + 1) else { return open };
    if text[end] != b']' || text[1..end].trim_ascii().is_empty() {
        return Prefix::None;
    }
    let line_end = memchr::memchr(b'\n', &text[end..]).map(|at| end + at);
    match (memchr::memchr(b'{', &text[end..line_end.unwrap_or(text.len())]), line_end) {
        (Some(_), _) => Prefix::Text,
        (None, Some(_)) => Prefix::None,
        (None, None) => open,
    }
}

/// A script that gives JSON a name: `window.data = [`.
fn javascript(first: &[u8]) -> Option<Error> {
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$.[]'\" \t".contains(byte);
    let end = first.iter().position(|byte| !name(byte))?;
    let (called, rest) = first.split_at(end);
    let is_name =
        called.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_$".contains(byte));
    let value = rest.strip_prefix(b"=")?.trim_ascii_start();
    (is_name && matches!(value.first(), Some(b'{' | b'['))).then(|| {
        is_no_json(&format!("JavaScript around JSON: it begins with `{}`", shown(first))).help(
            "take the name before it and the `;` after it away: sed -e '1s/^[^=]*=//' -e '$s/;[[:space:]]*$//' \
             FILE | distil run - ...",
        )
    })
}

/// Records with text before them.
fn prefixed(first: &[u8]) -> Error {
    is_no_json(&format!("lines that begin with text before their JSON: `{}`", shown(first)))
        .help("take the text away: sed 's/^[^{]*{/{/' FILE | distil run - ...")
}

/// Texts that are told by their first bytes.
fn named(first: &[u8]) -> Option<Error> {
    let begins = |text: &str| {
        first.get(..text.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(text.as_bytes()))
    };
    if begins("<!doctype html") || begins("<html") {
        return Some(
            is_no_json("HTML").help("look at it: it may be the page of a failed download"),
        );
    }
    match first {
        [b'<', b'?' | b'!' | b'a'..=b'z' | b'A'..=b'Z', ..] => {
            Some(is_no_json("XML, or another text of marks").help("convert it to JSON first"))
        }
        [0x1e, ..] => Some(
            is_no_json("a JSON text sequence (RFC 7464): a byte 1E stands before each value")
                .help("take these bytes away: tr -d '\\036' < FILE | distil run - ..."),
        ),
        [b'O', b'R', b'C', rest @ ..]
            if rest.first().is_none_or(|byte| !byte.is_ascii_graphic()) =>
        {
            Some(is_no_json("ORC").help("convert it first: orc-contents FILE | distil run - ..."))
        }
        _ => None,
    }
}

/// A table: lines of as many fields, at least two.
fn table<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Error> {
    let lines: Vec<&[u8]> = lines.take(TABLE_LINES).collect();
    let (first, others) = lines.split_first()?;
    // The last line may be cut.
    let others = if lines.len() == TABLE_LINES { &others[..others.len() - 1] } else { others };
    let separator = [b',', b'\t', b';', b'|'].into_iter().find(|separator| {
        let count = fields(first, *separator);
        count > 1 && others.iter().all(|line| fields(line, *separator) == count)
    })?;
    let name = if separator == b'\t' { "TSV" } else { "CSV" };
    Some(is_no_json(&format!("{name}: its first line is `{}`", shown(first))).help(
        "convert it first, with DuckDB for example: duckdb -c \"copy (from read_csv('FILE')) to \
                 '/dev/stdout' (format json)\" | distil run - ...",
    ))
}

/// The fields of a line; separators in quotes do not count.
fn fields(line: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let mut count = 1;
    for byte in line {
        quoted ^= *byte == b'"';
        count += usize::from(*byte == separator && !quoted);
    }
    count
}

/// The beginning of a line, for a message.
fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN)]);
    let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
    if line.len() > SHOWN { format!("{text} ...") } else { text.to_owned() }
}

fn is_no_json(what: &str) -> Error {
    Error::input(format!("the file is not JSON: it is {what}"))
}
