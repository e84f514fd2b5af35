//! Raw records → clean tables: events into the lake; users, contents and campaigns into one table each.

pub mod catalogue;
mod cell;
pub mod clean;
pub mod columns;
mod consents;
mod countries;
pub mod dead_letters;
pub mod declared;
pub mod foreign;
pub mod formats;
pub mod health;
pub mod ingest;
mod known;
pub mod lake;
pub mod mapping;
pub mod notes;
pub mod preview;
mod reading;
pub mod records;
pub mod request;
mod staging;
pub mod stamps;
pub mod stored;
pub mod upsert;
pub mod withdrawals;
