//! The one integration test binary: polars is linked once, and every test file is a module of it.

mod architecture;
mod bad_input;
mod crashes;
mod ingest_properties;
mod ingesting;
mod same_bytes;
mod upserts;
