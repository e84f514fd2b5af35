//! The interval of an AUC without draws: against the definition, and against intervals by drawing.

use evaluation::classification::{Intervals, auc};
use evaluation::delong::auc_with_interval;

use super::draws::Draws;

/// Scores of a tenth of members who are a little higher than the others, some tied.
fn rows(count: usize, lift: f64) -> (Vec<f64>, Vec<bool>) {
    let mut draws = Draws::new(9);
    let labels: Vec<bool> = (0..count).map(|row| row % 10 == 0).collect();
    let scores =
        labels.iter().map(|label| ((draws.normal() + if *label { lift } else { 0.0 }) * 100.0).round());
    (scores.collect(), labels)
}

#[test]
fn it_is_the_formula_over_all_pairs() {
    let (scores, labels) = rows(300, 0.7);
    let of = |wanted: bool| -> Vec<f64> {
        scores.iter().zip(&labels).filter(|row| *row.1 == wanted).map(|row| *row.0).collect()
    };
    let (positives, negatives) = (of(true), of(false));
    let wins = |a: f64, b: f64| {
        if a > b {
            1.0
        } else if a == b {
            0.5
        } else {
            0.0
        }
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let above: Vec<f64> =
        positives.iter().map(|a| mean(&negatives.iter().map(|b| wins(*a, *b)).collect::<Vec<_>>())).collect();
    let below: Vec<f64> =
        negatives.iter().map(|b| mean(&positives.iter().map(|a| wins(*a, *b)).collect::<Vec<_>>())).collect();
    let spread = |values: &[f64]| {
        let middle = mean(values);
        values.iter().map(|value| (value - middle).powi(2)).sum::<f64>()
            / (values.len() as f64 - 1.0)
            / values.len() as f64
    };
    let error = (spread(&above) + spread(&below)).sqrt();
    let found = auc_with_interval(&scores, &labels);
    assert!((found.value - auc(&scores, &labels)).abs() < 1e-12);
    assert!((found.low - (found.value - 1.959_963_985 * error)).abs() < 1e-9, "{found:?}");
    assert!((found.high - (found.value + 1.959_963_985 * error)).abs() < 1e-9, "{found:?}");
}

#[test]
fn drawing_people_gives_nearly_the_same_interval() {
    let (scores, labels) = rows(1_000, 0.5);
    let users: Vec<u32> = (0..1_000).collect();
    let drawn = Intervals::new(&labels, &users, 2_000, 3).auc(&scores);
    let found = auc_with_interval(&scores, &labels);
    let width = drawn.high - drawn.low;
    assert!((found.low - drawn.low).abs() < 0.1 * width, "{found:?} {drawn:?}");
    assert!((found.high - drawn.high).abs() < 0.1 * width, "{found:?} {drawn:?}");
}

#[test]
fn one_label_alone_has_no_figure() {
    assert!(auc_with_interval(&[0.1, 0.2], &[true, true]).value.is_nan());
    assert!(auc_with_interval(&[0.1, 0.2], &[false, false]).value.is_nan());
    assert!(auc_with_interval(&[], &[]).value.is_nan());
}
