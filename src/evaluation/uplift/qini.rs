//! Qini curves: does a score find those whom treatment changes?

use serde::Serialize;

use super::super::bootstrap::{Bootstrap, Figure};
use super::{Rows, UpliftError, UpliftUnit, check};

/// Shares of the units at which the curve is told.
const SHARES: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// How a score ranks by uplift.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Qini {
    /// Area between the curve and the straight line of a random order: above 0 the score helps.
    pub coefficient: Figure,
    /// The curve at each tenth.
    pub curve: Vec<Point>,
}

/// One point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Share of the units, those with the highest scores.
    pub share: f64,
    /// Outcomes gained by treating them, for each unit that there is.
    pub gain: Figure,
}

/// The curve of a score, with 95 % intervals by drawing units with replacement.
///
/// Among the k highest scores (ties together), with sums weighted by one over the probability of the arm, the gain is
/// (R₁ − R₀ N₁ / N₀) / N (Radcliffe 2007), N being N₁ of all units; without held-out units among them it is 0, for nothing
/// is known yet. Between points the curve is straight.
///
/// # Errors
/// When an arm is empty, a unit was not assigned by chance, or scores are missing.
pub fn qini(units: &[UpliftUnit], scores: &[f64], draws: usize, seed: u64) -> Result<Qini, UpliftError> {
    qini_of(Rows { rows: units, units: None }, scores, draws, seed)
}

/// The same of rows of which several may be one unit: units are drawn, with all of their rows.
///
/// # Errors
/// As [`qini`].
pub fn qini_of(rows: Rows<'_>, scores: &[f64], draws: usize, seed: u64) -> Result<Qini, UpliftError> {
    let units = rows.rows;
    check(units)?;
    let order = ranked(units, scores)?;
    let tied = tied(&order, scores);
    let bootstrap = Bootstrap::new(rows.count(), draws, seed);
    let (all, n) = (vec![1; rows.count()], rows.count() as u64);
    let curve = |times: &[u16]| curve(rows, &tied, times);
    let whole = curve(&all);
    let coefficient = bootstrap.figure(area(&whole), n, |times| area(&curve(times)));
    let point = |share| {
        let gain = bootstrap.figure(at(&whole, share), n, |times| at(&curve(times), share));
        Point { share, gain }
    };
    Ok(Qini { coefficient, curve: SHARES.map(point).to_vec() })
}

/// The coefficient of one score less that of another, with its paired 95 % interval: above 0, the first ranks better.
///
/// # Errors
/// As [`qini`].
pub fn qini_difference(
    units: &[UpliftUnit],
    ours: &[f64],
    theirs: &[f64],
    draws: usize,
    seed: u64,
) -> Result<Figure, UpliftError> {
    check(units)?;
    let rows = Rows { rows: units, units: None };
    let orders = [ranked(units, ours)?, ranked(units, theirs)?];
    let tied = [(&orders[0], ours), (&orders[1], theirs)].map(|(order, scores)| tied(order, scores));
    let difference =
        |times: &[u16]| area(&curve(rows, &tied[0], times)) - area(&curve(rows, &tied[1], times));
    let bootstrap = Bootstrap::new(units.len(), draws, seed);
    let whole = difference(&vec![1; units.len()]);
    Ok(bootstrap.figure(whole, units.len() as u64, difference))
}

/// Units from the highest score to the lowest. Stable: equal scores, −0 and 0 among them, stay together.
fn ranked(units: &[UpliftUnit], scores: &[f64]) -> Result<Vec<usize>, UpliftError> {
    if units.len() != scores.len() {
        return Err(UpliftError::RowsDiffer { units: units.len(), scores: scores.len() });
    }
    if let Some(index) = scores.iter().position(|score| score.is_nan()) {
        return Err(UpliftError::BadScore { unit: index + 1 });
    }
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by(|one, other| (scores[*other] + 0.0).total_cmp(&(scores[*one] + 0.0)));
    Ok(order)
}

/// Groups of equal scores.
fn tied<'a>(order: &'a [usize], scores: &[f64]) -> Vec<&'a [usize]> {
    order.chunk_by(|one, other| scores[*one] == scores[*other]).collect()
}

/// Weighted sums of an arm.
#[derive(Clone, Copy, Debug, Default)]
struct ArmSums {
    units: f64,
    reached: f64,
}

/// (share, gain) after each group of ties, from (0, 0) on, where each unit counts as often as it was drawn; empty when an
/// arm was not drawn at all.
fn curve(rows: Rows<'_>, tied: &[&[usize]], times: &[u16]) -> Vec<(f64, f64)> {
    let mut arms = [ArmSums::default(); 2];
    let mut drawn = 0.0;
    let mut points = vec![(0.0, 0.0)];
    for group in tied {
        for index in *group {
            let (unit, count) = (&rows.rows[*index], f64::from(times[rows.unit_of(*index)]));
            let sums = &mut arms[usize::from(unit.treated)];
            sums.units += count * unit.weight();
            sums.reached += count * unit.weight() * unit.outcome();
            drawn += count;
        }
        let [control, treated] = arms;
        let expected = control.reached * treated.units / control.units;
        points.push((drawn, if control.units > 0.0 { treated.reached - expected } else { 0.0 }));
    }
    let [control, treated] = arms;
    if control.units <= 0.0 || treated.units <= 0.0 {
        return Vec::new();
    }
    points.iter().map(|(count, gain)| (count / drawn, gain / treated.units)).collect()
}

/// Area between the curve and its chord; NaN of no curve.
fn area(points: &[(f64, f64)]) -> f64 {
    let Some((_, end)) = points.last() else { return f64::NAN };
    let trapezia = points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0);
    trapezia.sum::<f64>() - end / 2.0
}

/// The curve at a share.
fn at(points: &[(f64, f64)], share: f64) -> f64 {
    let Some(last) = points.last() else { return f64::NAN };
    let Some(next) = points.iter().position(|(x, _)| *x >= share) else { return last.1 };
    let ((from, low), (to, high)) = (points[next.saturating_sub(1)], points[next]);
    if to > from { low + (high - low) * (share - from) / (to - from) } else { high }
}
