//! Columns that the directories of a file name, as in `day=2024-05-01/part-0.json`.

use crate::{Error, Result};

/// The value of a directory that stands for null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A column that a directory names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiveColumn {
    /// Its name.
    pub name: String,
    /// Its value, for all records of the file; nothing for null.
    pub value: Option<String>,
}

/// The columns that the directories of a path name, in order. In names and values `%` and two hexadecimal digits
/// stand for a byte, if UTF-8 comes of it.
///
/// # Errors
/// An input error for a path with two directories of one name.
pub fn hive_columns(path: &str) -> Result<Vec<HiveColumn>> {
    let mut columns: Vec<HiveColumn> = Vec::new();
    let directories = path.rsplit_once('/').map_or("", |(directories, _)| directories);
    for directory in directories.split('/') {
        let Some((name, value)) = directory.split_once('=').filter(|(name, _)| !name.is_empty())
        else {
            continue;
        };
        let name = unescaped(name);
        if columns.iter().any(|column| column.name == name) {
            let what = format!("two directories of the path give the column {name}");
            return Err(Error::input(what).at(path, None));
        }
        let value = (value != NULL).then(|| unescaped(value));
        columns.push(HiveColumn { name, value });
    }
    Ok(columns)
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits =
            after.get(..2).filter(|two| first == b'%' && two.iter().all(u8::is_ascii_hexdigit));
        let byte = digits
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(path: &str) -> Vec<(String, Option<String>)> {
        let columns = hive_columns(path).unwrap().into_iter();
        columns.map(|HiveColumn { name, value }| (name, value)).collect()
    }

    fn of(name: &str, value: &str) -> (String, Option<String>) {
        (name.to_owned(), Some(value.to_owned()))
    }

    #[test]
    fn directories_name_columns_and_files_do_not() {
        assert_eq!(
            columns("in/year=2024/month=05/a=b.json"),
            [of("year", "2024"), of("month", "05")]
        );
        assert_eq!(columns("s3://bucket/d=1/a"), [of("d", "1")]);
        assert_eq!(columns("d=x=y/a"), [of("d", "x=y")]);
        assert_eq!(columns("d=/a"), [of("d", "")]);
        assert_eq!(columns("=x/a/b"), []);
        assert_eq!(columns("a"), []);
        assert_eq!(columns("d=__HIVE_DEFAULT_PARTITION__/a"), [("d".to_owned(), None)]);
    }

    #[test]
    fn what_is_escaped_is_read() {
        assert_eq!(columns("d=a%20b%2Fc%C3%A9/x"), [of("d", "a b/cé")]);
        assert_eq!(columns("%64=100%/x"), [of("d", "100%")]);
        assert_eq!(columns("d=%zz%4/x"), [of("d", "%zz%4")]);
        assert_eq!(columns("d=%ff/x"), [of("d", "%ff")]);
    }

    #[test]
    fn a_column_has_one_directory() {
        let error = hive_columns("in/d=1/%64=1/a").unwrap_err();
        assert!(error.what.contains("two directories of the path give the column d"), "{error:?}");
    }
}
