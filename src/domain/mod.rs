//! Plain data and time arithmetic: no tables, no models, no clock, no I/O.

pub mod curve;
pub mod event;
pub mod identity;
pub mod lifecycle;
pub mod rejection;
pub mod time;
pub mod zone;
