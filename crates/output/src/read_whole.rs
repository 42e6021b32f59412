//! Reading small files whole.

use std::path::Path;

use distil_plan::{Error, Result};
use distil_storage::Storage;

/// The content of a file of at most `largest` bytes.
pub(crate) fn read_whole(storage: &dyn Storage, path: &Path, largest: u64) -> Result<Vec<u8>> {
    let file = storage.open(path)?;
    let mut content = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        let count = file.read_at(content.len() as u64, &mut chunk)?;
        if count == 0 {
            return Ok(content);
        }
        content.extend_from_slice(&chunk[..count]);
        if content.len() as u64 > largest {
            return Err(Error::input(format!("the file has more than {largest} bytes"))
                .at(path.to_string_lossy(), None));
        }
    }
}
