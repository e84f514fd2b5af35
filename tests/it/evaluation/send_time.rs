//! Metrics, bootstrap and baselines against naive oracles and figures worked out by hand.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use domain::curve::{argmax, by_hour_of_day};
use evaluation::baselines::{Baseline, Baselines, InnerSplit};
use evaluation::bootstrap::{Bootstrap, quantile};
use evaluation::send_time::{FLOOR, Metric, UserScore};
use proptest::prelude::*;

/// A week whose shares are proportional to whole numbers.
fn week(weights: &[u32]) -> [f64; 168] {
    let total: u32 = weights.iter().sum();
    std::array::from_fn(|slot| f64::from(weights[slot]) / f64::from(total))
}

/// The outside grader's formula, line by line: clip, renormalise, fold, best hour, two log losses.
fn graded(curve: &[f64; 168], units: &[u32; 168]) -> (bool, f64, f64) {
    let clipped: Vec<f64> = curve.iter().map(|p| p.max(1e-12)).collect();
    let total: f64 = clipped.iter().sum();
    let by_hour = |hour: usize| -> f64 { (0..7).map(|day| clipped[day * 24 + hour] / total).sum() };
    let best = (0..24).rev().max_by(|a, b| by_hour(*a).partial_cmp(&by_hour(*b)).unwrap()).unwrap();
    let hit = (0..7).any(|day| units[day * 24 + best] > 0);
    let (mut loss24, mut loss168) = (0.0, 0.0);
    for (slot, count) in units.iter().enumerate() {
        loss24 -= f64::from(*count) * by_hour(slot % 24).ln();
        loss168 -= f64::from(*count) * (clipped[slot] / total).ln();
    }
    (hit, loss24, loss168)
}

fn units_at(counts: &[(usize, u32)]) -> [u32; 168] {
    let mut units = [0; 168];
    counts.iter().for_each(|(slot, count)| units[*slot] += count);
    units
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #[test]
    fn a_score_is_what_the_outside_graders_formula_says(
        weights in prop::collection::vec(0_u32..1_000_000, 168),
        units in prop::collection::vec(0_u32..4, 168),
    ) {
        prop_assume!(weights.iter().sum::<u32>() > 0);
        let (curve, units) = (week(&weights), std::array::from_fn(|slot| units[slot]));
        let score = UserScore::of(&curve, &units);
        let (hit, loss24, loss168) = graded(&curve, &units);
        prop_assert_eq!(score.hit == 1.0, hit);
        prop_assert_eq!(score.units, f64::from(units.iter().sum::<u32>()));
        prop_assert!(near(score.loss24, loss24) && near(score.loss168, loss168));
    }

    #[test]
    fn a_day_has_the_mass_of_its_week_and_the_argmax_is_the_first_of_the_largest(
        weights in prop::collection::vec(0_u32..5, 168),
    ) {
        let week: [f64; 168] = std::array::from_fn(|slot| f64::from(weights[slot]));
        let day = by_hour_of_day(&week);
        prop_assert_eq!(day.iter().sum::<f64>(), week.iter().sum::<f64>());
        let best = argmax(&day);
        prop_assert!(day[..best].iter().all(|value| *value < day[best]));
        prop_assert!(day[best..].iter().all(|value| *value <= day[best]));
    }
}

#[test]
fn an_hour_that_was_impossible_costs_the_floor_and_not_infinity() {
    let mut curve = [0.0; 168];
    curve[30] = 1.0;
    let score = UserScore::of(&curve, &units_at(&[(31, 2)]));
    assert!((score.loss168 + 2.0 * FLOOR.ln()).abs() < 1e-6);
    assert!((score.loss24 + 2.0 * (7.0 * FLOOR).ln()).abs() < 1e-6);
    assert_eq!(score.hit, 0.0);
}

#[test]
fn hours_that_differ_by_rounding_alone_are_ties_and_the_lowest_wins() {
    let mut curve = [0.5 / 146.0; 168];
    // 0.1 + 0.2 at hour 9 is a rounding error more than 0.3 at hour 5.
    (curve[5], curve[29]) = (0.3, 0.0);
    (curve[9], curve[33]) = (0.1, 0.2);
    assert_eq!(UserScore::of(&curve, &units_at(&[(5, 1)])).hit, 1.0);
    assert_eq!(UserScore::of(&curve, &units_at(&[(9, 1)])).hit, 0.0);
}

#[test]
fn metrics_count_users_or_units() {
    let score = UserScore { hit: 1.0, units: 4.0, loss24: 2.0, loss168: 6.0 };
    assert_eq!(Metric::ALL.map(|metric| metric.parts(&score)), [(1.0, 1.0), (2.0, 4.0), (6.0, 4.0)]);
    assert_eq!(Metric::ALL.map(Metric::as_str), ["hit_at_1", "ll24", "ll168"]);
}

#[test]
fn a_bootstrap_is_the_same_for_a_seed_and_another_for_another() {
    let parts: Vec<(f64, f64)> = (0..50).map(|user| (f64::from(user), 1.0)).collect();
    let figure = Bootstrap::new(50, 200, 7).ratio(&parts);
    assert_eq!(figure, Bootstrap::new(50, 200, 7).ratio(&parts));
    assert_ne!(figure, Bootstrap::new(50, 200, 8).ratio(&parts));
    assert_eq!((figure.value, figure.n), (24.5, 50));
}

#[test]
fn a_mean_has_the_interval_that_theory_gives_it() {
    let parts: Vec<(f64, f64)> = (0..1_000).map(|user| (f64::from(user % 100), 1.0)).collect();
    let figure = Bootstrap::new(1_000, 2_000, 1).ratio(&parts);
    // Uniform over 0 … 99: standard deviation 28.87, of the mean of 1,000 users 0.913.
    assert!((figure.low - (49.5 - 1.96 * 0.913)).abs() < 0.12, "{figure:?}");
    assert!((figure.high - (49.5 + 1.96 * 0.913)).abs() < 0.12, "{figure:?}");
}

#[test]
fn differences_are_paired_so_a_constant_lead_has_no_width() {
    let theirs: Vec<(f64, f64)> = (0..200).map(|user| (f64::from(user * user), 1.0)).collect();
    let ours: Vec<(f64, f64)> = theirs.iter().map(|(value, one)| (value - 3.0, *one)).collect();
    let figure = Bootstrap::new(200, 300, 5).difference(&ours, &theirs);
    for bound in [figure.value, figure.low, figure.high] {
        assert!((bound + 3.0).abs() < 1e-9, "{figure:?}");
    }
}

#[test]
fn a_ratio_weighs_users_by_their_units() {
    let figure = Bootstrap::new(2, 10, 0).ratio(&[(1.0, 1.0), (0.0, 3.0)]);
    assert_eq!((figure.value, figure.n), (0.25, 4));
    assert!(figure.low >= 0.0 && figure.high <= 1.0);
}

#[test]
fn quantiles_lie_between_their_neighbours() {
    let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
    assert_eq!([0.0, 0.25, 0.375, 1.0].map(|share| quantile(&sorted, share)), [1.0, 2.0, 3.0, 16.0]);
    assert!(quantile(&[], 0.5).is_nan());
}

#[test]
fn baselines_are_what_a_hand_computes() {
    // Two users: one with three units at hour 10, one with one unit at hour 20.
    let (first, second) = (units_at(&[(10, 3)]), units_at(&[(20, 1)]));
    let inner = [InnerSplit { before: first, after: first }, InnerSplit { before: second, after: second }];
    let baselines = Baselines::learn(&[first, second], &inner);
    let at = |baseline, slot: usize| baselines.curve(baseline, &first)[slot];
    assert!(near(at(Baseline::Uniform, 99), 1.0 / 168.0));
    assert!(near(at(Baseline::Global, 10), 4.0 / 172.0));
    assert!(near(at(Baseline::Global, 11), 1.0 / 172.0));
    assert_eq!((at(Baseline::RawHistogram, 10), at(Baseline::RawHistogram, 11)), (1.0, 0.0));
    assert!(near(at(Baseline::Laplace, 10), 4.0 / 171.0));
    assert!(near(at(Baseline::Laplace, 11), 1.0 / 171.0));
    // Each repeats himself exactly, so the inner split trusts own counts as far as it may.
    assert_eq!(baselines.strength(), 5.0);
    assert!(near(at(Baseline::EmpiricalBayes, 10), (3.0 + 5.0 * 4.0 / 172.0) / 8.0));
    for baseline in Baseline::ALL {
        assert!(near(baselines.curve(baseline, &first).iter().sum(), 1.0), "{baseline:?}");
    }
}

#[test]
fn empirical_bayes_trusts_the_crowd_when_nobody_repeats_himself() {
    let inner: Vec<InnerSplit> = (0..168)
        .map(|user| InnerSplit { before: units_at(&[(user, 3)]), after: units_at(&[((user + 84) % 168, 3)]) })
        .collect();
    let counts: Vec<[u32; 168]> = inner.iter().map(|split| split.before).collect();
    assert_eq!(Baselines::learn(&counts, &inner).strength(), 1_280.0);
}

#[test]
fn baselines_of_nobody_are_uniform_and_finite() {
    let baselines = Baselines::learn(&[], &[]);
    assert!(near(baselines.curve(Baseline::Global, &[0; 168])[5], 1.0 / 168.0));
    assert!(baselines.curve(Baseline::RawHistogram, &[0; 168]).iter().all(|share| *share == 0.0));
}
