//! Which files of a directory hold records: by their names, else by how they begin.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use distil_json::has_json_line;
use distil_plan::{Error, Hint, Result};
use distil_storage::{InputStream, Storage};

/// Endings of names that hold JSON, and of the compressions that may follow them.
const JSON: [&str; 5] = [".json", ".jsonl", ".ndjson", ".geojson", ".har"];
const COMPRESSED: [&str; 5] = [".gz", ".zst", ".bz2", ".xz", ".lz4"];

/// Bytes that show how a file begins, and bytes in which a line of JSON is looked for.
const FIRST: usize = 256;
const BEGINNING: usize = 64 << 10;

/// Bytes of a file that a message shows, and files that it names.
const SHOWN: usize = 16;
const NAMED: usize = 10;

/// Whether the name of a file says that it holds JSON.
pub(crate) fn is_json_name(name: &Path) -> bool {
    let name = name.as_os_str().as_bytes().to_ascii_lowercase();
    let plain = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending.as_bytes()));
    let name = plain.unwrap_or(&name);
    JSON.iter().any(|ending| name.ends_with(ending.as_bytes()))
}

/// What a file is whose name does not say it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// It begins as JSON does.
    Json,
    /// It is empty.
    Empty,
    /// It is something else; this is how it begins.
    Other(String),
}

/// Looks at the beginning of a file of a directory.
///
/// # Errors
/// An input error for a file that may hold records all the same, so that none is lost by its name: it has a line
/// that begins as JSON does, or can't be decompressed. An environment error if it can't be read.
pub(crate) fn look(storage: &dyn Storage, path: &Path) -> Result<Content> {
    let mut stream = InputStream::open(storage, path)?;
    let mut beginning = vec![0; FIRST];
    let count = stream.read(&mut beginning)?;
    beginning.truncate(count);
    let is_text = |byte: &&u8| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&beginning);
    if matches!(text.iter().find(is_text), Some(b'{' | b'[')) {
        return Ok(Content::Json);
    }
    if count == FIRST {
        beginning.resize(BEGINNING, 0);
        let more = stream.read(&mut beginning[FIRST..])?;
        beginning.truncate(FIRST + more);
    }
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&beginning);
    if matches!(text.iter().find(is_text), Some(b'{' | b'[')) {
        return Ok(Content::Json);
    }
    if let Some(why) = stream.broken() {
        return Err(doubtful(path, &format!("it can't be looked into, as {why}")));
    }
    if has_json_line(&beginning) {
        return Err(doubtful(path, "it has lines that begin as JSON does"));
    }
    Ok(match text {
        text if !text.iter().any(|byte| is_text(&byte)) => Content::Empty,
        _ => Content::Other(text[..text.len().min(SHOWN)].escape_ascii().to_string()),
    })
}

fn doubtful(path: &Path, why: &str) -> Error {
    Error::input(format!(
        "the file does not look like JSON by its name and its first byte, but {why}"
    ))
    .at(path.to_string_lossy(), None)
    .help(Hint::choose("read all files of directories", "all_files"))
    .help(Hint::set("and if its lines are records, say so", "shape", "lines"))
    .help("or leave it out, with a glob in quotes that names the others: 'DIR/**/*.json'")
}

/// Says which files of a source were passed over.
pub(crate) fn warning(source: &str, passed_over: &[(String, String)]) -> Option<String> {
    let count = passed_over.len();
    if count == 0 {
        return None;
    }
    let mut named: Vec<String> = passed_over
        .iter()
        .take(NAMED)
        .map(|(path, begin)| format!("{path} (begins with `{begin}`)"))
        .collect();
    if count > NAMED {
        named.push(format!("and {} more", count - NAMED));
    }
    Some(format!(
        "the source {source} has {} that {} not JSON and passed over: {}",
        if count == 1 { "1 file".to_owned() } else { format!("{count} files") },
        if count == 1 { "is" } else { "are" },
        named.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use distil_storage::Memory;

    use super::*;

    #[test]
    fn names_say_that_a_file_holds_json() {
        for name in [
            "a.json",
            "A.JSONL",
            "a.ndjson.gz",
            "x.geojson.xz",
            "b.har",
            "c.json.LZ4",
            "d.json.zst",
            ".json.bz2",
        ] {
            assert!(is_json_name(Path::new(name)), "{name}");
        }
        for name in ["a", "a.gz", "json", "a.json.txt", "a.json.gz.gz", "a.json5", "README.txt"] {
            assert!(!is_json_name(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn a_file_without_such_a_name_is_told_by_how_it_begins() {
        let storage = Memory::new();
        let content = |bytes: &[u8]| {
            storage.put("f", bytes);
            look(&storage, Path::new("f")).map_err(|error| error.what)
        };
        assert_eq!(content(b"\n {\"a\":1}"), Ok(Content::Json));
        assert_eq!(content(b"\xef\xbb\xbf[]"), Ok(Content::Json));
        assert_eq!(content(&[&[b' '; 5000][..], b"{}"].concat()), Ok(Content::Json));
        assert_eq!(content(b""), Ok(Content::Empty));
        assert_eq!(content(b"PAR1\x15"), Ok(Content::Other("PAR1\\x15".to_owned())));
        assert_eq!(
            content(b"a long text without it"),
            Ok(Content::Other("a long text with".to_owned()))
        );
        assert!(content(b"start\n{\"a\":1}\n").unwrap_err().contains("lines that begin"));
        assert!(content(b"\x1f\x8b\x08").unwrap_err().contains("cut short"));
    }
}
