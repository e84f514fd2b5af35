//! Recall and NDCG of ranked lists by hand and beside the outside grader's formula.

use std::collections::BTreeSet;

use evaluation::ranking::{ndcg_at, recall_at};
use proptest::prelude::*;

/// The outside grader's formula, line by line: hits on the first ten, hits / n, gain by log2, ideal of min(10, n).
fn graded(ranked: &[u32], truth: &BTreeSet<u32>) -> (f64, f64) {
    let discount: Vec<f64> = (2..12).map(|rank| 1.0 / f64::from(rank).log2()).collect();
    let hits: Vec<f64> =
        ranked.iter().take(10).map(|item| f64::from(u8::from(truth.contains(item)))).collect();
    let gain: f64 = hits.iter().zip(&discount).map(|(hit, worth)| hit * worth).sum();
    let ideal: f64 = discount[..truth.len().min(10)].iter().sum();
    (hits.iter().sum::<f64>() / truth.len() as f64, gain / ideal)
}

proptest! {
    #[test]
    fn lists_are_graded_as_outside(
        ranked in Just((0_u32..30).collect::<Vec<_>>()).prop_shuffle(),
        length in 0_usize..30,
        truth in prop::collection::btree_set(0_u32..40, 1..15),
    ) {
        let ranked = &ranked[..length];
        let (recall, gain) = graded(ranked, &truth);
        prop_assert_eq!(recall_at(10, ranked, &truth), recall);
        prop_assert!((ndcg_at(10, ranked, &truth) - gain).abs() < 1e-12);
    }
}

#[test]
fn items_beyond_k_count_nothing() {
    let truth = BTreeSet::from(["b", "d"]);
    let ranked = ["a", "b", "c", "d"];
    assert_eq!([1, 2, 3, 4].map(|k| recall_at(k, &ranked, &truth)), [0.0, 0.5, 0.5, 1.0]);
    let second = 1.0 / 3_f64.log2();
    assert!((ndcg_at(2, &ranked, &truth) - second / (1.0 + second)).abs() < 1e-12);
}

#[test]
fn an_ideal_list_is_worth_one_even_when_more_items_are_relevant_than_k() {
    let truth: BTreeSet<u32> = (0..20).collect();
    let ranked: Vec<u32> = (0..20).rev().collect();
    assert_eq!(ndcg_at(10, &ranked, &truth), 1.0);
    assert_eq!(recall_at(10, &ranked, &truth), 0.5);
}

#[test]
fn an_empty_list_is_worth_nothing_and_nothing_wanted_is_not_a_number() {
    assert_eq!(
        (recall_at(10, &[], &BTreeSet::from([1])), ndcg_at(10, &[], &BTreeSet::from([1]))),
        (0.0, 0.0)
    );
    assert!(recall_at(10, &[1], &BTreeSet::new()).is_nan() && ndcg_at(10, &[1], &BTreeSet::new()).is_nan());
}
