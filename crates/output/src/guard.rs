//! Broken bytes in the hands of a library that panics over them.
//!
//! The Parquet crate checks most of what it reads, and panics over some of the rest (a length that a page
//! gives itself, an offset in a dictionary). To the user that is a broken file, not a bug of distil.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread reads what may be broken: then a panic is not shown.
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

static QUIET: Once = Once::new();

/// What `read` returns; `None` if it panicked. What it changed before must not be used any more.
pub(crate) fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    QUIET.call_once(|| {
        let shown = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_READING.get() {
                shown(panic);
            }
        }));
    });
    let before = IS_READING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    IS_READING.set(before);
    result.ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "that is what is tried")]

    use super::*;

    #[test]
    fn a_panic_is_caught_and_reading_goes_on() {
        assert_eq!(guarded(|| 1), Some(1));
        assert_eq!(guarded(|| -> u8 { panic!("broken") }), None);
        assert_eq!(guarded(|| guarded(|| -> u8 { panic!("broken") })), Some(None));
        assert!(!IS_READING.get());
    }
}
