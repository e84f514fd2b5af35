//! Random numbers that depend on nothing but what they are drawn for: streams of people, and numbers shared by policies.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use domain::identity::hash_of;

/// What a stream is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Who a person is.
    Person,
    /// What he does of himself.
    Activity,
    /// What the contents are.
    Contents,
}

/// Draws of one purpose for one thing: no other thing's draws, order or threads change them.
pub(super) fn stream(seed: u64, purpose: Purpose, thing: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(3 * thing as u64 + purpose as u64);
    random
}

/// In [0, 1).
pub(super) fn uniform(random: &mut ChaCha8Rng) -> f64 {
    unit(random.next_u64())
}

/// Standard normal (Box and Muller 1958).
pub(super) fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (radius, angle) = (1.0 - uniform(random), uniform(random));
    libm::sqrt(-2.0 * libm::log(radius)) * libm::cos(std::f64::consts::TAU * angle)
}

/// The index at which the running sum of weights passes a share of their sum.
pub(super) fn pick(weights: &[f64], share: f64) -> usize {
    let target = share * weights.iter().sum::<f64>();
    let mut sum = 0.0;
    let passes = |weight: &f64| {
        sum += weight;
        target < sum
    };
    weights.iter().position(passes).unwrap_or(weights.len().saturating_sub(1))
}

/// A number in [0, 1) for a seed and some numbers: the same whoever asks, so that policies differ by what they do alone
/// (common random numbers).
pub(super) fn common(seed: u64, purpose: u64, numbers: [u64; 4]) -> f64 {
    let mut bytes = [0; 48];
    let words = [seed, purpose].into_iter().chain(numbers);
    bytes.chunks_exact_mut(8).zip(words).for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_le_bytes()));
    unit(hash_of(&bytes))
}

fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
