//! The command line's entry: reads the clock and the environment once, runs a command, sets the exit code.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    smartpush::commands::run()
}
