//! The `distil` program.

use std::process::ExitCode;

/// The system's allocator is slow for many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(distil_cli::main(std::env::args_os().collect()))
}
