//! Decisions: what is pushed when and why, that no rule is ever broken, that the same question has the same answer.

mod explaining;
mod golden;
pub mod oracle;
mod properties;
mod quiet_hours;
mod sample;
mod send_slots;
pub mod world;
