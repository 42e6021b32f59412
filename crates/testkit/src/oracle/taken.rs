//! Which files of a directory are taken (1.1).

use distil_plan::Plan;

use super::frames::decompress;
use super::run::{Failure, FailureKind};

/// The files that are taken, in order.
pub(super) fn taken(
    plan: &Plan,
    files: &[(String, Vec<u8>)],
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut taken = Vec::new();
    for (path, bytes) in files {
        if plan.all_files || has_json_name(path) || begins_as_json(bytes) {
            taken.push((path.clone(), bytes.clone()));
        } else if may_hold_records(bytes) {
            return Err(Failure::new(FailureKind::File, format!("{path} may hold records")));
        }
    }
    taken.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    Ok(taken)
}

/// Whether a file of a directory is taken by its name (1.1).
fn has_json_name(path: &str) -> bool {
    let mut name = path.to_lowercase();
    for packed in [".gz", ".zst", ".bz2", ".xz", ".lz4"] {
        if let Some(plain) = name.strip_suffix(packed) {
            name = plain.to_owned();
            break;
        }
    }
    [".json", ".jsonl", ".ndjson", ".geojson", ".har"].iter().any(|ending| name.ends_with(ending))
}

/// The first 64 KiB of what a file holds, and whether its compression breaks in them.
fn beginning(bytes: &[u8]) -> (Vec<u8>, bool) {
    let (_, mut content, cut) = decompress(bytes);
    let cut = cut && content.len() < 64 << 10;
    content.truncate(64 << 10);
    (content, cut)
}

fn begins_as_json(bytes: &[u8]) -> bool {
    let (content, _) = beginning(bytes);
    let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
    matches!(text.iter().find(|byte| !b" \t\r\n".contains(byte)), Some(b'{' | b'['))
}

/// Whether a file that is passed over may hold records all the same.
fn may_hold_records(bytes: &[u8]) -> bool {
    let (content, cut) = beginning(bytes);
    cut || content
        .split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"{") || line.starts_with(b"["))
}
