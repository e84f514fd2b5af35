//! The one integration test binary: polars is linked once, and every test file is a module of it.

mod architecture;
mod evaluation;
mod intervals;
mod send_time;
mod send_time_commands;
mod synthetic;
