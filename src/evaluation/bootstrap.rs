//! Intervals by drawing users with replacement: a user's hours are not independent, users are.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Figure {
    /// The figure on all users.
    pub value: f64,
    /// 2.5 % quantile of the draws.
    pub low: f64,
    /// 97.5 % quantile of the draws.
    pub high: f64,
    /// What it counts: users, units or rows.
    pub n: u64,
}

/// The same draws of users for every figure, so that differences between models are paired.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// For each draw, how often each user was drawn.
    draws: Vec<Vec<u16>>,
}

/// One user's part of a ratio: numerator and denominator.
pub type RatioPart = (f64, f64);

impl Bootstrap {
    /// Draws `users` users with replacement `draws` times, from a seed.
    pub fn new(users: usize, draws: usize, seed: u64) -> Bootstrap {
        let mut random = seeded(seed);
        Bootstrap { draws: (0..draws).map(|_| draw_times(&mut random, users)).collect() }
    }

    /// The ratio Σ numerator / Σ denominator with its interval; `n` is the sum of denominators.
    pub fn ratio(&self, parts: &[RatioPart]) -> Figure {
        let all = vec![1; parts.len()];
        let n = parts.iter().map(|(_, below)| below).sum::<f64>() as u64;
        self.figure(ratio(parts, &all), n, |times| ratio(parts, times))
    }

    /// The difference of two ratios over the same users, with its paired interval.
    pub fn difference(&self, ours: &[RatioPart], theirs: &[RatioPart]) -> Figure {
        let difference = |times: &[u16]| ratio(ours, times) - ratio(theirs, times);
        let n = ours.iter().map(|(_, below)| below).sum::<f64>() as u64;
        self.figure(difference(&vec![1; ours.len()]), n, difference)
    }

    /// Any statistic of how often each user was drawn; draws in which it is undefined (NaN) are left out.
    pub(super) fn figure(&self, value: f64, n: u64, statistic: impl Fn(&[u16]) -> f64) -> Figure {
        let values = self.draws.iter().map(|times| statistic(times));
        let mut values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        values.sort_unstable_by(f64::total_cmp);
        Figure { value, low: quantile(&values, 0.025), high: quantile(&values, 0.975), n }
    }
}

/// Where draws come from.
pub(super) fn seeded(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// As many of `units` units as there are, drawn with replacement from a seed, ascending.
pub fn resample(units: usize, seed: u64) -> Vec<usize> {
    let times = draw_times(&mut seeded(seed), units);
    times
        .iter()
        .enumerate()
        .flat_map(|(unit, times)| std::iter::repeat_n(unit, usize::from(*times)))
        .collect()
}

/// Draws as many of `units` units as there are, with replacement: how often each was drawn.
pub(super) fn draw_times(random: &mut ChaCha8Rng, units: usize) -> Vec<u16> {
    let mut times = vec![0_u16; units];
    for _ in 0..units {
        // A 64-bit number scaled to the range: its bias is below units / 2^64.
        let unit = (u128::from(random.next_u64()) * units as u128) >> 64;
        times[unit as usize] = times[unit as usize].saturating_add(1);
    }
    times
}

/// Σ numerator / Σ denominator where each part counts as often as it was drawn.
pub(super) fn ratio(parts: &[RatioPart], times: &[u16]) -> f64 {
    let (mut above, mut below) = (0.0, 0.0);
    for ((numerator, denominator), count) in parts.iter().zip(times) {
        above += numerator * f64::from(*count);
        below += denominator * f64::from(*count);
    }
    above / below
}

/// Quantile of sorted values, interpolated linearly; NaN of none.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = share * last as f64;
    let low = position.floor() as usize;
    sorted[low] + (sorted[(low + 1).min(last)] - sorted[low]) * position.fract()
}
