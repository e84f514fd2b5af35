//! Plain data and time arithmetic: no tables, no models, no clock, no I/O.

pub mod campaign;
pub mod channel;
pub mod content;
pub mod curve;
pub mod decision;
pub mod device;
pub mod error;
pub mod event;
pub mod frequency;
pub mod goal;
pub mod identity;
pub mod lifecycle;
pub mod locale;
pub mod numeric;
pub mod pointer;
pub mod quiet;
pub mod rejection;
pub mod rhythm;
mod schemas;
pub mod settings;
pub mod slot;
pub mod template;
pub mod time;
pub mod user;
pub mod wording;
pub mod zone;
