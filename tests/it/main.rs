//! The one integration test binary: polars is linked once, and every test file is a module of it.

mod architecture;
mod bad_input;
mod command_line;
mod config;
mod crashes;
mod domain;
mod ingest_properties;
mod ingesting;
mod same_bytes;
mod support;
mod upserts;
