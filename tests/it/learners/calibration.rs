//! Calibration against scikit-learn's figures, its properties, and which one is chosen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use domain::numeric::logistic;
use evaluation::classification::{ece, log_loss};
use learners::calibration::{Calibration, pava};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Deserialize;

use super::figures::{figures, near};

#[derive(Deserialize)]
struct IsotonicFigures {
    name: String,
    values: Vec<f64>,
    weights: Vec<f64>,
    fitted: Vec<f64>,
}

#[derive(Deserialize)]
struct CurveFigures {
    rows: u64,
    positives: usize,
    logits: Vec<f64>,
    probabilities: Vec<f64>,
}

#[derive(Deserialize)]
struct PlattFigures {
    rows: u64,
    positives: usize,
    slope: f64,
    intercept: f64,
}

/// The rows of `tests/data/classification_figures.py`: logits with ties, labels whose odds rise less steeply.
fn rows(count: u64) -> (Vec<f64>, Vec<bool>) {
    let row = |i: u64| {
        let logit = ((i * 7_919 % 1_009) as f64 - 504.0) / 100.0;
        (logit, (i * 104_729 % 100_003) as f64 / 100_003.0 < logistic(0.6 * logit - 0.8))
    };
    (0..count).map(row).unzip()
}

fn positives(labels: &[bool]) -> usize {
    labels.iter().filter(|label| **label).count()
}

#[test]
fn pooled_values_are_those_of_scikit_learn() {
    let cases: Vec<IsotonicFigures> = figures("isotonic");
    assert_eq!(cases.len(), 8);
    for case in cases {
        let ours = pava(&case.values, &case.weights);
        assert_eq!(ours.len(), case.fitted.len());
        assert!(ours.iter().zip(&case.fitted).all(|(a, b)| near(*a, *b)), "{}: {ours:?}", case.name);
    }
}

#[test]
fn an_isotonic_curve_is_that_of_scikit_learn() {
    let case: CurveFigures = figures("isotonic_calibration");
    let (logits, labels) = rows(case.rows);
    assert_eq!(positives(&labels), case.positives);
    let curve = Calibration::isotonic(&logits, &labels);
    let mut judged = 0;
    for (logit, theirs) in case.logits.iter().zip(&case.probabilities) {
        let ours = curve.probability(*logit);
        // Where all rows of a level agree, scikit-learn is certain and we are as sure as so many rows can make us.
        let least = 1.0 / (labels.len() as f64 + 2.0);
        let is_certain = *theirs <= least + 1e-9 || *theirs >= 1.0 - least - 1e-9;
        let is_less_certain = (ours - 0.5).abs() < (theirs - 0.5).abs();
        assert!(near(ours, *theirs) || (is_certain && is_less_certain), "{logit}: {ours} {theirs}");
        judged += usize::from(!is_certain);
    }
    assert!(judged > case.logits.len() / 2, "only {judged} logits lie on levels without certainty");
}

/// Knots and shares of a centred curve.
fn centred(curve: &Calibration) -> (&[f64], &[f64], f64) {
    let Calibration::CentredIsotonic { logits, probabilities, share, .. } = curve else {
        panic!("{curve:?}")
    };
    (logits, probabilities, *share)
}

#[test]
fn a_centred_curve_goes_through_the_middle_of_each_level_of_scikit_learn() {
    let case: CurveFigures = figures("isotonic_calibration");
    let (logits, labels) = rows(case.rows);
    let curve = Calibration::fit(&logits, &labels);
    let (centres, levels, share) = centred(&curve);
    assert!(
        centres.windows(2).all(|pair| pair[0] < pair[1]) && levels.windows(2).all(|pair| pair[0] < pair[1])
    );
    assert!(0.0 < share && share <= 0.5, "{share}");
    // The isotonic curve is scikit-learn's; a centre lies on the level that it is the centre of.
    let steps = Calibration::isotonic(&logits, &labels);
    for (index, (centre, level)) in centres.iter().zip(levels).enumerate() {
        // At the ends few rows limit what a level may say.
        if !(0.05..0.8).contains(level) {
            continue;
        }
        assert!(near(steps.probability(*centre), *level), "{centre}: {} {level}", steps.probability(*centre));
        // Neighbours that differ by rounding alone are one isotonic level.
        if levels.iter().enumerate().any(|(other, value)| other != index && near(*value, *level)) {
            continue;
        }
        let of_level = |logit: &&f64| near(steps.probability(**logit), *level);
        let own: Vec<f64> = logits.iter().filter(of_level).copied().collect();
        let mean = own.iter().sum::<f64>() / own.len() as f64;
        assert!((mean - centre).abs() < 1e-9, "{centre} is not the mean {mean} of its level");
    }
    assert!(centres.len() > 20, "{}", centres.len());
}

#[test]
fn a_strictly_rising_curve_is_no_worse_than_steps_on_rows_it_has_not_seen() {
    let (logits, labels) = rows(24_000);
    let (taught, judged) = (&logits[..12_000], &logits[12_000..]);
    let by =
        |curve: &Calibration| -> Vec<f64> { judged.iter().map(|logit| curve.probability(*logit)).collect() };
    let rising = by(&Calibration::fit(taught, &labels[..12_000]));
    let steps = by(&Calibration::isotonic(taught, &labels[..12_000]));
    assert!(log_loss(&rising, &labels[12_000..]) <= log_loss(&steps, &labels[12_000..]) + 1e-4);
    assert!(ece(&rising, &labels[12_000..], 15) <= ece(&steps, &labels[12_000..], 15) + 2e-3);
}

#[test]
fn a_sigmoid_is_where_another_optimiser_finds_it() {
    let cases: Vec<PlattFigures> = figures("platt");
    assert_eq!(cases.len(), 2);
    for case in cases {
        let (logits, labels) = rows(case.rows);
        assert_eq!(positives(&labels), case.positives);
        let Calibration::Platt { slope, intercept } = Calibration::platt(&logits, &labels) else {
            panic!("no slope")
        };
        assert!((slope - case.slope).abs() < 1e-7 && (intercept - case.intercept).abs() < 1e-7, "{slope}");
    }
}

#[test]
fn overconfident_logits_get_a_sigmoid_and_good_ones_are_mostly_left_alone() {
    let (logits, _) = rows(800);
    let honest: Vec<f64> = logits.iter().map(|logit| 0.6 * logit - 0.8).collect();
    let mut left_alone = 0;
    for seed in 0..40 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = || random.next_u64() as f64 / 2_f64.powi(64);
        let labels: Vec<bool> = honest.iter().map(|logit| uniform() < logistic(*logit)).collect();
        assert!(matches!(Calibration::fit(&logits, &labels), Calibration::Platt { .. }), "seed {seed}");
        left_alone += u32::from(Calibration::fit(&honest, &labels) == Calibration::None);
    }
    assert!(left_alone >= 20, "{left_alone} of 40");
}

#[test]
fn few_rows_of_either_outcome_teach_nothing() {
    let logits: Vec<f64> = (0..500).map(f64::from).collect();
    for rare in [0, 1, 19] {
        let labels: Vec<bool> = (0..500).map(|row| row >= 500 - rare).collect();
        let opposite: Vec<bool> = labels.iter().map(|label| !label).collect();
        assert_eq!(Calibration::fit(&logits, &labels), Calibration::None);
        assert_eq!(Calibration::fit(&logits, &opposite), Calibration::None);
    }
    let enough: Vec<bool> = (0..500).map(|row| row >= 480).collect();
    assert!(matches!(Calibration::fit(&logits, &enough), Calibration::Platt { .. }));
    assert_eq!(Calibration::fit(&[], &[]), Calibration::None);
}

#[test]
fn a_model_that_ranks_backwards_is_not_turned_round() {
    let (logits, labels) = rows(800);
    let backwards: Vec<f64> = logits.iter().map(|logit| -logit).collect();
    assert_eq!(Calibration::platt(&backwards, &labels), Calibration::None);
    assert_eq!(Calibration::fit(&backwards, &labels), Calibration::None);
    assert_eq!(Calibration::platt(&vec![0.1; 800], &labels), Calibration::None);
}

#[test]
fn logits_that_are_not_finite_teach_nothing() {
    for bad in [f64::NAN, f64::INFINITY, f64::MAX] {
        let (mut logits, labels) = rows(800);
        logits[3] = bad;
        assert_eq!(Calibration::platt(&logits, &labels), Calibration::None, "{bad}");
    }
    let (mut logits, labels) = rows(6_000);
    logits[3] = f64::NAN;
    assert_eq!(Calibration::fit(&logits, &labels), Calibration::None);
}

#[test]
fn a_free_curve_never_says_never() {
    let logits: Vec<f64> = (0..4_000).map(|row| f64::from(row) / 100.0).collect();
    let labels: Vec<bool> = (0..4_000).map(|row| row >= 2_000).collect();
    let curve = Calibration::fit(&logits, &labels);
    // Two levels of 2,000 rows each: neither is surer than so many rows can make it, nor the sigmoid than all of them.
    let (_, levels, _) = centred(&curve);
    assert_eq!(levels, [1.0 / 2_002.0, 1.0 - 1.0 / 2_002.0]);
    let (low, high) = (curve.probability(-1e9), curve.probability(1e9));
    assert!((1.0 / 4_002.0..=1.0 / 2_002.0).contains(&low), "{low}");
    assert!((1.0 - 1.0 / 2_002.0..=1.0 - 1.0 / 4_002.0).contains(&high), "{high}");
    let middle = curve.probability(19.995);
    assert!((middle - 0.5).abs() < 1e-6, "{middle}");
}

#[test]
fn positives_among_which_no_negative_was_kept_are_no_certainty() {
    // Of 31 negatives one was kept: 62 of two at −1, as many of either outcome at 0, and 36 positives alone at 1.
    let parts: [(f64, bool, usize); 4] =
        [(-1.0, false, 62), (0.0, true, 31_000), (0.0, false, 31_000), (1.0, true, 36)];
    let rows =
        || parts.iter().flat_map(|(logit, label, count)| std::iter::repeat_n((*logit, *label), *count));
    let (logits, labels): (Vec<f64>, Vec<bool>) = rows().unzip();
    let ends = |one_kept_of: u32| {
        let curve = Calibration::fit_sampled(&logits, &labels, one_kept_of);
        let (centres, levels, share) = centred(&curve);
        assert_eq!((centres, share), (&[-1.0, 0.0, 1.0][..], 1.0 / 64.0));
        <[f64; 3]>::try_from(levels).unwrap()
    };
    // One more negative would stand for 31, one more positive for itself.
    for (found, wanted) in ends(31).into_iter().zip([1.0 / 94.0, 0.5, 37.0 / 68.0]) {
        assert!((found - wanted).abs() < 1e-12, "{found}, wanted {wanted}");
    }
    assert_eq!(ends(1), [1.0 / 64.0, 0.5, 1.0 - 1.0 / 38.0], "where all were kept");
}

#[test]
fn calibration_mends_probabilities_it_has_not_seen() {
    let (logits, labels) = rows(12_000);
    let (taught, judged) = (&logits[..6_000], &logits[6_000..]);
    let curve = Calibration::fit(taught, &labels[..6_000]);
    let by = |calibration: &Calibration| -> Vec<f64> {
        judged.iter().map(|logit| calibration.probability(*logit)).collect()
    };
    let (raw, mended) = (by(&Calibration::None), by(&curve));
    assert!(log_loss(&mended, &labels[6_000..]) < log_loss(&raw, &labels[6_000..]) - 0.02);
    assert!(ece(&mended, &labels[6_000..], 15) < 0.03 && ece(&raw, &labels[6_000..], 15) > 0.1);
}

#[test]
fn a_calibration_survives_its_file_and_names_its_kind() {
    let (logits, labels) = rows(3_000);
    let all = [
        Calibration::None,
        Calibration::platt(&logits, &labels),
        Calibration::isotonic(&logits, &labels),
        Calibration::centred_isotonic(&logits, &labels),
    ];
    for (calibration, kind) in all.into_iter().zip(["none", "platt", "isotonic", "centred_isotonic"]) {
        let text = serde_json::to_string(&calibration).unwrap();
        assert!(text.starts_with(&format!("{{\"kind\":\"{kind}\"")), "{text}");
        assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), calibration);
    }
    let empty: Calibration =
        serde_json::from_str("{\"kind\":\"isotonic\",\"logits\":[],\"probabilities\":[]}").unwrap();
    assert_eq!(empty.probability(1.0), logistic(1.0));
}

/// Any of the four, learned from logits of any size.
fn calibrations() -> impl Strategy<Value = Calibration> {
    let row = (-1.0_f64..1.0, any::<bool>());
    let scale = prop::sample::select(vec![1e-300, 1e-3, 1.0, 50.0, 1e12, 1e307]);
    (prop::collection::vec(row, 1..80), scale, 0_usize..4).prop_map(|(rows, scale, kind)| {
        let (logits, labels): (Vec<f64>, Vec<bool>) = rows.into_iter().map(|(x, y)| (x * scale, y)).unzip();
        match kind {
            0 => Calibration::None,
            1 => Calibration::platt(&logits, &labels),
            2 => Calibration::isotonic(&logits, &labels),
            _ => Calibration::centred_isotonic(&logits, &labels),
        }
    })
}

proptest! {
    #[test]
    fn scores_that_differ_are_given_probabilities_that_differ_in_the_same_order(
        rows in prop::collection::vec((-8.0_f64..8.0, any::<bool>()), 20..400),
        steepness in 0.1_f64..3.0,
        asked in prop::collection::vec(-12.0_f64..12.0, 2..60),
    ) {
        let label = |(logit, coin): (f64, bool)| (logit, logistic(steepness * logit) > 0.5 || (coin && logit > -4.0));
        let (logits, labels): (Vec<f64>, Vec<bool>) = rows.into_iter().map(label).unzip();
        let curve = Calibration::centred_isotonic(&logits, &labels);
        prop_assert_eq!(curve.check(), Ok(()));
        let mut asked = asked;
        asked.sort_unstable_by(f64::total_cmp);
        for pair in asked.windows(2).filter(|pair| pair[1] - pair[0] > 1e-6) {
            let (low, high) = (curve.probability(pair[0]), curve.probability(pair[1]));
            prop_assert!(low < high, "{curve:?} {pair:?} {low} {high}");
        }
    }

    #[test]
    fn calibrated_probabilities_never_decrease_and_stay_between_0_and_1(
        calibration in calibrations(),
        small in prop::collection::vec(-60.0_f64..60.0, 30),
        any in prop::collection::vec(-f64::MAX..f64::MAX, 30),
    ) {
        let mut logits = [small, any, vec![f64::MIN, -1e300, -0.0, 0.0, 1e-310, 1e300, f64::MAX]].concat();
        logits.sort_unstable_by(f64::total_cmp);
        let values: Vec<f64> = logits.iter().map(|logit| calibration.probability(*logit)).collect();
        prop_assert!(values.iter().all(|value| 0.0 < *value && *value < 1.0), "{calibration:?} {values:?}");
        prop_assert!(values.windows(2).all(|pair| pair[0] <= pair[1]), "{calibration:?} {values:?}");
    }

    #[test]
    fn pooled_values_rise_and_no_other_rising_values_are_nearer(
        rows in prop::collection::vec((-9.0_f64..9.0, 0.01_f64..9.0), 1..40),
        nudges in prop::collection::vec(-0.5_f64..0.5, 40),
    ) {
        let (values, weights): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
        let fitted = pava(&values, &weights);
        prop_assert!(fitted.windows(2).all(|pair| pair[0] <= pair[1]));
        let error = |other: &[f64]| -> f64 {
            other.iter().zip(&values).zip(&weights).map(|((a, b), weight)| weight * (a - b) * (a - b)).sum()
        };
        for size in [1e-3, 0.1, 1.0, 10.0] {
            let mut other: Vec<f64> = fitted.iter().zip(&nudges).map(|(value, nudge)| value + size * nudge).collect();
            for index in 1..other.len() {
                other[index] = other[index].max(other[index - 1]);
            }
            prop_assert!(error(&fitted) <= error(&other) + 1e-9, "{fitted:?} {other:?}");
        }
        let (mass, pooled): (f64, f64) = (
            values.iter().zip(&weights).map(|(value, weight)| value * weight).sum(),
            fitted.iter().zip(&weights).map(|(value, weight)| value * weight).sum(),
        );
        prop_assert!((mass - pooled).abs() < 1e-9, "{mass} {pooled}");
    }
}

#[test]
fn values_without_weight_do_not_break_the_pool() {
    assert_eq!(pava(&[3.0, 1.0, 2.0], &[0.0, 0.0, 1.0]), [2.0, 2.0, 2.0]);
    assert_eq!(pava(&[3.0, 1.0], &[1.0, 0.0]), [3.0, 3.0]);
    assert_eq!(pava(&[], &[]), [0.0; 0]);
}
