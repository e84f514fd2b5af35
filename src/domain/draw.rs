//! Seeded draws: numbers that look random and depend on nothing but what they are drawn for.

use super::identity::hash_of;

/// 64 bits for a seed, a purpose and names; each purpose draws on its own.
pub fn draw(seed: u64, purpose: &str, names: &[&[u8]]) -> u64 {
    let mut bytes = Vec::with_capacity(128);
    bytes.extend(seed.to_le_bytes());
    for part in [purpose.as_bytes()].iter().chain(names) {
        // The length goes before each name, so that no two lists of names read the same.
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(*part);
    }
    hash_of(&bytes)
}

/// Does the draw fall into the first `percent` percent? 0: never; 100: always.
pub fn falls_within(draw: u64, percent: f64) -> bool {
    let share = (draw >> 11) as f64 / (1_u64 << 53) as f64;
    share * 100.0 < percent
}
