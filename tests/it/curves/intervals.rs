//! Do the curves' intervals hold what they promise?

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use curves::SendTimeModel;
use curves::concentration::IntervalTable;
use evaluation::coverage::{CoverageCounter, beta_binomial_interval};

use super::synthetic::{World, smooth_world};

/// Lines of the stored figures of one kind: three arguments, low, high.
fn figures(kind: &str) -> Vec<[f64; 5]> {
    let number = |text: &str| if text.is_empty() { 0.0 } else { text.parse().unwrap() };
    include_str!("../../data/interval_figures.csv")
        .lines()
        .filter_map(|line| line.strip_prefix(kind)?.strip_prefix(','))
        .map(|line| {
            let values: Vec<f64> = line.split(',').map(number).collect();
            values.try_into().unwrap()
        })
        .collect()
}

#[test]
fn tabulated_intervals_are_those_of_exact_beta_quantiles_within_one_percent() {
    let table = IntervalTable::new(20.0, 2_000.0, 0.9);
    let figures = figures("beta");
    assert_eq!(figures.len(), 40);
    for [kappa, probability, _, low, high] in figures {
        let (ours_low, ours_high) = table.interval(kappa, probability);
        let what = format!("κ {kappa}, p {probability}: {ours_low} {ours_high}, exactly {low} {high}");
        assert!((ours_high / high - 1.0).abs() < 0.01, "{what}");
        // A lower end far below one in a million is zero to anybody.
        assert!((ours_low - low).abs() < 0.01 * low + 1e-6, "{what}");
    }
}

#[test]
fn a_probability_below_the_table_still_lies_inside_its_interval() {
    let table = IntervalTable::new(3.0, 1e6, 0.9);
    for kappa in [3.0, 100.0, 1e6] {
        for probability in [1e-300, 1e-12, 1e-8, 0.5, 1.0 - 1e-12] {
            let (low, high) = table.interval(kappa, probability);
            assert!(
                low >= 0.0 && low < probability && probability < high && high <= 1.0,
                "{kappa} {probability}"
            );
        }
    }
}

#[test]
fn intervals_of_counts_are_those_of_scipy() {
    let figures = figures("beta_binomial");
    assert_eq!(figures.len(), 20);
    for [n, a, b, low, high] in figures {
        assert_eq!(beta_binomial_interval(n as u32, a, b, 0.9), (low as u32, high as u32), "{n} {a} {b}");
    }
}

#[test]
fn a_counter_of_nobody_has_no_coverage_and_one_of_a_fair_clock_covers_all() {
    assert_eq!(CoverageCounter::default().finish(), None);
    let mut counter = CoverageCounter::default();
    counter.add(&[1.0 / 24.0; 24], &[2; 24], 1e6, 0.9);
    let coverage = counter.finish().unwrap();
    assert_eq!((coverage.users, coverage.plain), (1, 1.0));
    assert!((coverage.weighted - 1.0).abs() < 1e-12);
}

/// Share of (user, hour) whose true probability lies inside the interval, weighted by that probability.
fn coverage(world: &World, nominal: f64) -> f64 {
    let model = SendTimeModel::fit(&world.histories, nominal);
    let (mut inside, mut users) = (0.0, 0.0);
    for (user, (history, truth)) in world.histories.iter().zip(&world.truths).enumerate() {
        if history.units.is_empty() {
            continue;
        }
        let curve = model.curve(user, history);
        users += 1.0;
        for (slot, share) in truth.iter().enumerate() {
            if (curve.low[slot]..=curve.high[slot]).contains(share) {
                inside += share;
            }
        }
    }
    inside / users
}

#[test]
fn ninety_percent_intervals_of_two_thousand_known_curves_cover_85_to_95_percent() {
    let covered = coverage(&smooth_world(2_000, 300, 7), 0.9);
    assert!((0.85..=0.95).contains(&covered), "{covered}");
}

#[test]
#[ignore = "a minute: more seeds, and another nominal coverage"]
fn intervals_cover_on_other_seeds_too() {
    for seed in 1..=5 {
        let covered = coverage(&smooth_world(2_000, 300, seed), 0.9);
        assert!((0.85..=0.95).contains(&covered), "seed {seed}: {covered}");
    }
    let covered = coverage(&smooth_world(2_000, 300, 7), 0.5);
    // The size-biased upper end, which 90 % needs, makes narrower intervals cover more than they promise.
    assert!((0.50..=0.70).contains(&covered), "nominal 0.5: {covered}");
}
