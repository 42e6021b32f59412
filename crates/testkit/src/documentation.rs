//! Parts of the documentation that are generated: a test checks that they are up to date.

use std::path::Path;

/// Checks that the part of a document between `<!-- begin NAME -->` and `<!-- end NAME -->` is this
/// text. With `DISTIL_UPDATE_DOCS` in the environment it is made so.
///
/// # Errors
/// What to do, if it is not.
#[allow(clippy::disallowed_methods, reason = "a document is no data")]
pub fn check(document: &Path, name: &str, text: &str) -> Result<(), String> {
    let found = std::fs::read_to_string(document).map_err(|error| error.to_string())?;
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let shown = document.display();
    let missing = || format!("{shown} has no part {name}");
    let (before, rest) = found.split_once(&begin).ok_or_else(missing)?;
    let (part, after) = rest.split_once(&end).ok_or_else(missing)?;
    let text = format!("{}\n", text.trim_end());
    if part == text {
        return Ok(());
    }
    if std::env::var_os("DISTIL_UPDATE_DOCS").is_none() {
        return Err(format!(
            "the part {name} of {shown} is not up to date: run this test with DISTIL_UPDATE_DOCS=1"
        ));
    }
    std::fs::write(document, format!("{before}{begin}{text}{end}{after}"))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a document is no data")]
    fn a_part_that_differs_or_is_missing_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d.md");
        std::fs::write(&path, "a\n<!-- begin t -->\nrow\n<!-- end t -->\nz\n").unwrap();
        check(&path, "t", "row").unwrap();
        assert!(check(&path, "u", "row").unwrap_err().contains("no part u"));
        if std::env::var_os("DISTIL_UPDATE_DOCS").is_none() {
            assert!(check(&path, "t", "other").unwrap_err().contains("DISTIL_UPDATE_DOCS=1"));
        }
    }
}
