//! The digest of an output, read back.

use std::path::Path;

use distil_json::digest::{Digest, RowDigest};
use distil_kernel::arrow::{add_rows, columns_of, without_places};
use distil_plan::Result;
use distil_storage::Storage;

use crate::reader::{PartFile, open_output};

/// The digest of an output, and its rows.
///
/// # Errors
/// As [`open_output`] and [`distil_kernel::arrow::digest_batches`], with the path.
pub fn digest_output(storage: &dyn Storage, path: &Path) -> Result<(Digest, u64)> {
    digest_parts(&open_output(storage, path)?)
}

pub(crate) fn digest_parts(parts: &[PartFile]) -> Result<(Digest, u64)> {
    let mut digest = RowDigest::new();
    let mut rows = 0;
    for part in parts {
        let has_places = part.footer()?.is_some_and(|footer| footer.origin);
        for batch in part.batches(None)? {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            let columns = columns_of(&batch, None);
            columns
                .map(|columns| if has_places { without_places(columns) } else { columns })
                .and_then(|columns| add_rows(&mut digest, &columns, batch.num_rows()))
                .map_err(|error| error.at(part.path().to_string_lossy(), None))?;
        }
    }
    Ok((digest.finish(), rows))
}
