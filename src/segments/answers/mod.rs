//! What is asked of segments: members, counts, breakdowns, overlaps, look-alikes, exports, audiences of campaigns.

pub mod audiences;
pub mod breakdown;
pub mod cache;
pub mod count;
pub mod desk;
pub mod export;
pub mod hashing;
pub mod lookalike;
pub mod overlap;
pub mod privacy;
