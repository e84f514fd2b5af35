//! Where models live: versions, cards, gates, champions and their journal.

pub mod card;
pub mod figures;
pub mod gate;
mod journal;
pub mod model;
pub mod online_state;
pub mod predictions;
pub mod table;
pub mod versions;
