//! The one integration test binary: polars is linked once, and every test file is a module of it.

mod architecture;
mod command_line;
mod config;
mod domain;
mod support;
