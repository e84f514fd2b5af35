//! How unlike two samples are: shares, mixes, clocks. Chance is taken off, so that small days raise no alarm.

/// Rows added to each bin, so that an empty one costs much and not infinitely much.
const PRIOR: f64 = 0.5;

/// The population stability index of two counts over the same bins, less what two samples of one distribution differ by:
/// (bins − 1) · (1/n + 1/m). 0 when either has none.
pub(super) fn mix_distance(now: &[u64], before: &[u64]) -> f64 {
    let (n, m) = (now.iter().sum::<u64>() as f64, before.iter().sum::<u64>() as f64);
    if n == 0.0 || m == 0.0 {
        return 0.0;
    }
    let term = |(now, before): (f64, f64)| (now - before) * libm::log(now / before);
    let index: f64 = shares(now).into_iter().zip(shares(before)).map(term).sum();
    let bins = now.iter().zip(before).filter(|(now, before)| **now + **before > 0).count() as f64;
    (index - (bins - 1.0).max(0.0) * (1.0 / n + 1.0 / m)).max(0.0)
}

fn shares(counts: &[u64]) -> Vec<f64> {
    let total = counts.iter().sum::<u64>() as f64 + PRIOR * counts.len() as f64;
    counts.iter().map(|count| (*count as f64 + PRIOR) / total).collect()
}

/// How many hours a day's clock seems moved by, and how much better it fits then: the gain of log-likelihood per active hour,
/// in nats, over staying where it is. (0, 0) when no other clock fits better.
pub(super) fn clock_shift(now: &[u64; 24], before: &[u64; 24]) -> (usize, f64) {
    let logs: Vec<f64> = shares(before).into_iter().map(libm::log).collect();
    let n = now.iter().sum::<u64>().max(1) as f64;
    let fit = |shift: usize| {
        let of_hour = |hour: usize| now[hour] as f64 * logs[(hour + 24 - shift) % 24];
        (0..24).map(of_hour).sum::<f64>() / n
    };
    let best = (0..24).map(|shift| (shift, fit(shift) - fit(0)));
    best.fold((0, 0.0), |best, tried| if tried.1 > best.1 { tried } else { best })
}

/// The deviance of `k` of `n` against a share that was seen as `before_k` of `before_n`: about a squared standard score.
pub(super) fn surprise(k: u64, n: u64, before_k: u64, before_n: u64) -> f64 {
    let p = (before_k as f64 + PRIOR) / (before_n as f64 + 2.0 * PRIOR);
    let (k, n) = (k as f64, n as f64);
    let part = |seen: f64, expected: f64| if seen > 0.0 { seen * libm::log(seen / expected) } else { 0.0 };
    2.0 * (part(k, n * p) + part(n - k, n * (1.0 - p)))
}

/// The middle value, the larger of two; 0 of none.
pub(super) fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Least and largest; `None` of none.
pub(super) fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// The longest run of `true`.
pub(super) fn longest_run(flags: impl Iterator<Item = bool>) -> usize {
    let step = |(longest, run): (usize, usize), flag| {
        let run = if flag { run + 1 } else { 0 };
        (longest.max(run), run)
    };
    flags.fold((0, 0), step).0
}

/// How many of some sorted hashes are in another sorted list.
pub(super) fn known_among(hashes: &[u64], known: &[u64]) -> u64 {
    hashes.iter().filter(|hash| known.binary_search(hash).is_ok()).count() as u64
}
