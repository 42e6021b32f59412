//! Memory of ranges that were read, for those that come: new memory of such a size is cleared by the system first, which
//! took a sixth of a run from a store.

use std::sync::{Arc, Mutex, PoisonError};

/// A smaller one is not worth keeping.
const LARGE: usize = 1 << 20;
/// Free buffers that are kept: each of a few readers returns one before it takes the next.
const KEPT: usize = 2;

/// The free buffers of a run.
#[derive(Clone, Default)]
pub(crate) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// An empty buffer with room for this many bytes.
    pub(crate) fn take(&self, bytes: usize) -> Buffer {
        let kept = (bytes >= LARGE)
            .then(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).pop())
            .flatten();
        let mut buffer = kept.unwrap_or_default();
        buffer.reserve_exact(bytes);
        Buffer { bytes: buffer, buffers: self.clone() }
    }
}

/// A buffer that is given back when it is dropped.
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
    buffers: Buffers,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.capacity() >= LARGE {
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.clear();
            let mut kept = self.buffers.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < KEPT {
                kept.push(bytes);
            }
        }
    }
}
