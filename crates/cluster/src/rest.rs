//! Answers of web servers, as JSON.

use std::path::Path;

use distil_plan::{Code, Error, Result};
use distil_storage::{InputStream, Storage};
use serde::de::DeserializeOwned;

/// The longest answer: 10,000 tasks are 30 MB.
const LONGEST: usize = 256 << 20;
/// What is read at once.
const READ: usize = 256 << 10;

/// What the server at `url` answers; `None` if it knows no such thing.
///
/// # Errors
/// An environment error: it can't be reached, or refuses. An input error: the answer is something else.
pub(crate) fn ask<T: DeserializeOwned>(
    storage: &dyn Storage,
    url: &str,
    whose: &str,
) -> Result<Option<T>> {
    let mut stream = match InputStream::open(storage, Path::new(url)) {
        Ok(stream) => stream,
        Err(error) if error.code == Code::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut answer = Vec::new();
    loop {
        let begin = answer.len();
        if begin > LONGEST {
            return Err(Error::input("the answer is too long").at(url, None));
        }
        answer.resize(begin + READ, 0);
        let count = stream.read(&mut answer[begin..])?;
        answer.truncate(begin + count);
        if count < READ {
            break;
        }
    }
    serde_json::from_slice(&answer).map(Some).map_err(|_| {
        Error::input(format!("the answer is not that of {whose}"))
            .at(url, None)
            .help("see whether the URL is that of its web page, without a path behind it")
    })
}
