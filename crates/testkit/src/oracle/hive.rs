//! Columns that directories give (1.10).

use super::json::Value;

/// The members that all records of a file get from the directories of its path.
///
/// # Errors
/// The column that two of them give.
pub(super) fn members(path: &str) -> Result<Vec<(String, Value)>, String> {
    let mut steps: Vec<&str> = path.split('/').collect();
    steps.pop();
    let mut members: Vec<(String, Value)> = Vec::new();
    for step in steps {
        let Some(at) = step.find('=').filter(|at| *at > 0) else { continue };
        let name = plain(&step[..at]);
        if members.iter().any(|(known, _)| *known == name) {
            return Err(name);
        }
        let value = match &step[at + 1..] {
            "__HIVE_DEFAULT_PARTITION__" => Value::Null,
            text => Value::String(plain(text)),
        };
        members.push((name, value));
    }
    Ok(members)
}

/// The text without escapes, if it is one.
fn plain(text: &str) -> String {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        let code = code.filter(|two| two.chars().all(|c| c.is_ascii_hexdigit()));
        match code.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}
