//! Raw records → clean tables: events into the lake; users, contents and campaigns into one table each.

pub mod catalogue;
pub mod clean;
pub mod columns;
pub mod dead_letters;
pub mod declared;
pub mod event_names;
pub mod foreign;
pub mod formats;
pub mod health;
pub mod identifiers;
pub mod ingest;
pub mod lake;
pub mod mapping;
mod missing_column;
mod nested;
mod pairs;
pub mod presets;
pub mod preview;
mod reading;
pub mod records;
mod renames;
pub mod request;
mod staging;
mod stamp_text;
pub mod stamps;
pub mod stored;
pub mod upsert;
