//! How good a ranked list is: recall and NDCG of its first k items.
//!
//! `ranked` holds distinct things, best first; `relevant` holds what turned out to be wanted. Without anything
//! wanted there is nothing to measure, and the figure is NaN.

use std::collections::BTreeSet;

/// Share of the relevant items among the first `k`.
pub fn recall_at<T: Ord>(k: usize, ranked: &[T], relevant: &BTreeSet<T>) -> f64 {
    let hits = ranked.iter().take(k).filter(|item| relevant.contains(item)).count();
    hits as f64 / relevant.len() as f64
}

/// Discounted gain of the first `k` items beside that of an ideal list, a hit at rank i being worth
/// 1 / log2(i + 1), i from 1 (Järvelin and Kekäläinen 2002, with binary relevance). An ideal list has
/// min(k, relevant) hits on top.
pub fn ndcg_at<T: Ord>(k: usize, ranked: &[T], relevant: &BTreeSet<T>) -> f64 {
    let first = ranked.iter().take(k).enumerate();
    let gain: f64 = first.filter(|(_, item)| relevant.contains(item)).map(|(rank, _)| discount(rank)).sum();
    gain / (0..k.min(relevant.len())).map(discount).sum::<f64>()
}

/// What a hit at a rank, from 0, is worth.
fn discount(rank: usize) -> f64 {
    1.0 / libm::log2(rank as f64 + 2.0)
}
