//! The bytes of one slice, from its file to the decoder.

use std::path::Path;

use distil_kernel::decode::{RunSink, SliceDecoder, Wants};
use distil_kernel::slice::Slice;
use distil_plan::{Cancel, Error, Input, InputCompression, Result};
use distil_storage::{InputStream, Known, Storage, changed};

/// Bytes read at once.
const CHUNK: usize = 256 << 10;

/// Decodes one slice of an input that lies at `path`.
///
/// # Errors
/// An environment error if it can't be read, an input error if it is not what the driver saw; as
/// [`SliceDecoder::push`].
pub(crate) fn decode_slice(
    storage: &dyn Storage,
    (input, path): (&Input, &Path),
    slice: Slice,
    decoder: &mut SliceDecoder<'_>,
    runs: &mut dyn RunSink,
    cancel: &Cancel,
) -> Result<()> {
    let known = Known { bytes: input.bytes, version: input.version };
    let mut chunk = vec![0; CHUNK];
    if slice.begin == 0 && slice.end.is_none() {
        let mut stream = InputStream::open_known(storage, path, known)?;
        check_size(input, stream.size(), path)?;
        decoder.begin(slice, stream.compression())?;
        let mut wants = Wants::More;
        while wants == Wants::More {
            cancel.check()?;
            match stream.read(&mut chunk)? {
                0 => break,
                count => wants = decoder.push(&chunk[..count], runs)?,
            }
        }
        let broken = stream.broken().filter(|_| wants == Wants::More).map(str::to_owned);
        decoder.end(broken.as_deref(), runs)?;
        return stream.finish(storage);
    }
    let file = storage.open_known(path, known)?;
    check_size(input, Some(file.stamp().size), path)?;
    decoder.begin(slice, InputCompression::None)?;
    let (mut offset, mut wants) = (slice.read_from(), Wants::More);
    while wants == Wants::More {
        cancel.check()?;
        match file.read_at(offset, &mut chunk)? {
            0 => break,
            count => {
                offset += count as u64;
                wants = decoder.push(&chunk[..count], runs)?;
            }
        }
    }
    decoder.end(None, runs)?;
    if file.stamp_now()? != file.stamp() {
        return Err(changed(path, "was changed while it was read"));
    }
    Ok(())
}

/// A task may see another file by the same name.
fn check_size(input: &Input, found: Option<u64>, path: &Path) -> Result<()> {
    match (input.bytes, found) {
        (Some(wanted), Some(found)) if wanted != found => Err(Error::input(format!(
            "the file has {found} bytes for this task, and {wanted} for the driver"
        ))
        .at(path.to_string_lossy(), None)
        .help("see that all nodes have the same files, and that nobody writes to them")),
        _ => Ok(()),
    }
}
