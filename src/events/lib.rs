//! Raw records → clean tables: events into the lake; users, contents and campaigns into one table each.

pub mod catalogue;
pub mod clean;
pub mod columns;
mod days;
pub mod dead_letters;
pub mod declared;
pub mod erased;
pub mod foreign;
pub mod formats;
pub mod health;
pub mod ingest;
mod ingest_keys;
pub mod ingest_record;
pub mod ingests;
pub mod lake;
pub mod mapping;
pub mod preview;
mod reading;
pub mod records;
pub mod request;
pub mod shifted;
mod staging;
pub mod stamps;
pub mod stored;
pub mod taught;
pub mod undo;
pub mod upsert;
