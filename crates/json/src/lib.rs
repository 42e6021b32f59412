//! distil.
