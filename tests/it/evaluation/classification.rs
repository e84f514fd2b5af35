//! Metrics of probabilities against scikit-learn's figures and naive oracles, with their intervals.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use evaluation::bootstrap::{Figure, quantile};
use evaluation::classification::{Intervals, auc, brier, ece, log_loss, reliability};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Deserialize;

use super::figures::{figures, happened, near};

#[derive(Deserialize)]
struct MetricFigures {
    name: String,
    probabilities: Vec<f64>,
    labels: Vec<u8>,
    bins: usize,
    auc: Option<f64>,
    log_loss: f64,
    brier: f64,
    ece: f64,
}

#[test]
fn metrics_are_those_of_scikit_learn() {
    let cases: Vec<MetricFigures> = figures("metrics");
    assert_eq!(cases.len(), 15);
    for case in cases {
        let (p, y) = (&case.probabilities, happened(&case.labels));
        let ours = [log_loss(p, &y), brier(p, &y), ece(p, &y, case.bins)];
        let theirs = [case.log_loss, case.brier, case.ece];
        assert!(ours.iter().zip(theirs).all(|(a, b)| near(*a, b)), "{}: {ours:?} {theirs:?}", case.name);
        match case.auc {
            Some(theirs) => assert!(near(auc(p, &y), theirs), "{}: {} {theirs}", case.name, auc(p, &y)),
            None => assert!(auc(p, &y).is_nan(), "{}", case.name),
        }
    }
}

#[test]
fn figures_of_no_rows_are_not_numbers() {
    assert!(log_loss(&[], &[]).is_nan() && brier(&[], &[]).is_nan() && auc(&[], &[]).is_nan());
    assert!(ece(&[], &[], 15).is_nan());
    assert_eq!(reliability(&[], &[], 15), []);
    assert!(Intervals::new(&[], &[], 10, 0).log_loss(&[]).value.is_nan());
}

#[test]
fn bins_are_as_large_as_one_another_and_the_first_hold_what_is_left_over() {
    let p: Vec<f64> = (0..11).rev().map(|row| f64::from(row) / 16.0).collect();
    let y: Vec<bool> = p.iter().map(|p| *p >= 0.5).collect();
    let bins = reliability(&p, &y, 4);
    assert_eq!(bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), [3, 3, 3, 2]);
    assert_eq!((bins[0].mean_probability, bins[0].rate), (1.0 / 16.0, 0.0));
    assert_eq!((bins[2].mean_probability, bins[2].rate), (7.0 / 16.0, 1.0 / 3.0));
    assert_eq!((bins[3].mean_probability, bins[3].rate), (9.5 / 16.0, 1.0));
    assert_eq!(reliability(&p, &y, 40).len(), 11);
    assert_eq!(reliability(&p, &y, 0).len(), 1);
}

#[test]
fn zero_is_as_low_with_a_minus_as_without() {
    assert_eq!(auc(&[0.0, -0.0], &[false, true]), 0.5);
    assert_eq!(auc(&[-0.0, 0.0], &[false, true]), 0.5);
}

/// Every pair of a row where it happened with one where it did not: 1 above, ½ beside, 0 below.
fn naive_auc(scores: &[f64], labels: &[bool]) -> f64 {
    let of = |wanted: bool| (0..scores.len()).filter(move |row| labels[*row] == wanted);
    let pair = |up: usize, down: usize| match scores[up].partial_cmp(&scores[down]).unwrap() {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let won: f64 = of(true).flat_map(|up| of(false).map(move |down| pair(up, down))).sum();
    won / (of(true).count() * of(false).count()) as f64
}

/// Rows with few distinct probabilities, so that ties abound, and few users.
fn rows() -> impl Strategy<Value = Vec<(f64, bool, u32)>> {
    let row = (0_u32..=20, any::<bool>(), 0_u32..6);
    prop::collection::vec(row.prop_map(|(p, label, user)| (f64::from(p) / 20.0, label, user)), 1..60)
}

fn apart(rows: &[(f64, bool, u32)]) -> (Vec<f64>, Vec<bool>, Vec<u32>) {
    let (pairs, users): (Vec<(f64, bool)>, Vec<u32>) =
        rows.iter().map(|(p, y, user)| ((*p, *y), *user)).unzip();
    let (p, y) = pairs.into_iter().unzip();
    (p, y, users)
}

/// The same draws by hand: rows are copied, as often as their user was drawn, and the metric sees plain lists.
fn naive_figure(
    rows: &[(f64, bool, u32)],
    (draws, seed): (usize, u64),
    metric: impl Fn(&[f64], &[bool]) -> f64,
) -> Figure {
    let mut users: Vec<u32> = rows.iter().map(|row| row.2).collect();
    users.sort_unstable();
    users.dedup();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || {
        let one = |_| users[((u128::from(random.next_u64()) * users.len() as u128) >> 64) as usize];
        let drawn: Vec<u32> = (0..users.len()).map(one).collect();
        let times = |row: &(f64, bool, u32)| drawn.iter().filter(|user| **user == row.2).count();
        let copied: Vec<_> = rows.iter().flat_map(|row| std::iter::repeat_n(*row, times(row))).collect();
        let (p, y, _) = apart(&copied);
        metric(&p, &y)
    };
    let mut values: Vec<f64> = (0..draws).map(|_| draw()).filter(|value| !value.is_nan()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let (p, y, _) = apart(rows);
    let (low, high) = (quantile(&values, 0.025), quantile(&values, 0.975));
    Figure { value: metric(&p, &y), low, high, n: rows.len() as u64 }
}

fn same(a: Figure, b: Figure) -> bool {
    let near = |a: f64, b: f64| near(a, b) || (a.is_nan() && b.is_nan());
    near(a.value, b.value) && near(a.low, b.low) && near(a.high, b.high) && a.n == b.n
}

proptest! {
    #[test]
    fn auc_is_the_share_of_pairs_in_the_right_order(rows in rows()) {
        let (p, y, _) = apart(&rows);
        let (ours, naive) = (auc(&p, &y), naive_auc(&p, &y));
        prop_assert!(near(ours, naive) || (ours.is_nan() && naive.is_nan()), "{ours} {naive}");
    }

    #[test]
    fn intervals_are_those_of_copied_rows(rows in rows(), bins in 1_usize..8, seed in 0_u64..100) {
        let (p, y, users) = apart(&rows);
        let intervals = Intervals::new(&y, &users, 30, seed);
        let naive = |metric: &dyn Fn(&[f64], &[bool]) -> f64| naive_figure(&rows, (30, seed), metric);
        prop_assert!(same(intervals.log_loss(&p), naive(&log_loss)));
        prop_assert!(same(intervals.brier(&p), naive(&brier)));
        prop_assert!(same(intervals.auc(&p), naive(&auc)));
        prop_assert!(same(intervals.ece(&p, bins), naive(&|p, y| ece(p, y, bins))));
        let base = |p: &[f64]| vec![0.3; p.len()];
        let gap = naive(&|p, y| log_loss(p, y) - log_loss(&base(p), y));
        prop_assert!(same(intervals.log_loss_difference(&p, &base(&p)), gap));
    }
}

#[test]
fn rows_of_one_user_widen_the_interval_because_they_come_together() {
    let y: Vec<bool> = (0..2_000).map(|row| row / 10 % 4 == 0).collect();
    let p = vec![0.25; y.len()];
    let by_user: Vec<u32> = (0..2_000).map(|row| row / 10).collect();
    let by_row: Vec<u32> = (0..2_000).collect();
    let width = |users: &[u32]| {
        let figure = Intervals::new(&y, users, 500, 3).log_loss(&p);
        figure.high - figure.low
    };
    let ratio = width(&by_user) / width(&by_row);
    assert!((ratio - 10_f64.sqrt()).abs() < 0.4, "{ratio}");
}

#[test]
fn a_thousand_draws_of_four_thousand_rows_are_the_same_twice() {
    let p: Vec<f64> = (0..4_000_u32).map(|row| f64::from(row * 7_919 % 4_001) / 4_001.0).collect();
    let y: Vec<bool> =
        (0..4_000_u32).zip(&p).map(|(row, p)| f64::from(row * 31 % 101) / 101.0 < *p).collect();
    let users: Vec<u32> = (0..4_000).map(|row| row % 800 * 3).collect();
    let figures = || {
        let intervals = Intervals::new(&y, &users, 1_000, 11);
        [intervals.auc(&p), intervals.ece(&p, 15), intervals.log_loss(&p)]
    };
    let first = figures();
    assert_eq!(first, figures());
    assert!(first[..].iter().all(|figure| figure.low < figure.high && figure.n == 4_000), "{first:?}");
    assert!(first[0].low < first[0].value && first[0].value < first[0].high, "{first:?}");
}

#[test]
fn draws_without_a_positive_are_left_out_of_the_interval_of_an_auc() {
    // One user of three has all positives: 8 of 27 draws know none.
    let (p, y) = ([0.9, 0.2, 0.4], [true, false, false]);
    let figure = Intervals::new(&y, &[7, 8, 9], 200, 1).auc(&p);
    assert_eq!((figure.value, figure.low, figure.high, figure.n), (1.0, 1.0, 1.0, 3));
}
