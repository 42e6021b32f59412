//! How much is tried against what is promised, in every test run and in the long sweeps.

/// One-byte mutations of valid files in `make test`.
pub const MUTATIONS: u64 = 5_000;

/// Runs that are killed in `make test`.
pub const KILLS: u64 = 20;

/// Runs that are asked to end by a signal in `make test`.
pub const SIGNALS: u64 = 15;

/// Runs that lose their power in `make test`.
pub const POWER_LOSSES: u64 = 0;
