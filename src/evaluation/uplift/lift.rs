//! The difference that treatment makes, with a confidence sequence: right at every moment at once, so that a report may
//! be looked at daily and stopped when it says enough.

use serde::Serialize;

use super::super::bootstrap::Figure;
use super::{Rows, UpliftError, UpliftUnit, check};

/// 1 − confidence.
const ALPHA: f64 = 0.05;
/// 97.5 % quantile of the standard normal.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// A rate beside what it is a rate of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rate {
    /// Rows that reached the goal.
    pub reached: u64,
    /// All rows of the arm.
    pub n: u64,
    /// Share that reached it, each row weighted by one over the probability of its arm.
    pub rate: f64,
    /// Units with a row in the arm: as many as rows when every row is a unit.
    pub units: u64,
    /// Those of them that reached the goal in at least one row.
    pub units_reached: u64,
}

/// What treatment changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Lift {
    /// Units that were treated.
    pub treated: Rate,
    /// Units that were held out.
    pub control: Rate,
    /// Treated rate less control rate, with a 95 % interval that holds at every look.
    pub difference: Figure,
    /// Lower end of the ordinary 95 % interval, right for a single look that was planned.
    pub single_look_low: f64,
    /// Its upper end.
    pub single_look_high: f64,
    /// Probability of ever seeing as much evidence when treatment changes nothing; holds at every look.
    pub p_value: f64,
    /// The difference over the control rate; NaN when nobody who was held out reached the goal.
    pub relative: f64,
    /// How many standard deviations more units were treated than their probabilities say: beyond ±3.29 (p < 0.001) the
    /// assignment was not what it is taken for, and nothing here can be relied on.
    pub assignment_z: f64,
}

/// Lift of all units seen so far, every row being a unit of its own.
///
/// # Errors
/// As [`lift_of`].
pub fn lift(units: &[UpliftUnit], planned: u64) -> Result<Lift, UpliftError> {
    lift_of(Rows { rows: units, units: None }, planned)
}

/// Lift of all rows seen so far; rows of one unit are not independent, units are.
///
/// Rates are weighted by one over the probability of the arm (Hájek), which for one common probability are plain shares.
/// The difference is the mean over rows of μ₁ − μ₀ + A (y − μ₁) / e − (1 − A) (y − μ₀) / (1 − e). Its spread is that of the
/// sums of units (the linearised variance of a ratio, clustered; Liang and Zeger 1986), so that a unit with 25 rows counts
/// as one draw. Each arm counts one more unit that reached the goal and one that did not, so that an arm in which nobody
/// did is not taken for certain. The interval is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha,
/// Kennedy and Ramdas 2024 over units in the order in which they came, narrowest when about `planned` units have come;
/// choose that before looking.
///
/// # Errors
/// When an arm is empty or a row was not assigned by chance.
pub fn lift_of(rows: Rows<'_>, planned: u64) -> Result<Lift, UpliftError> {
    check(rows.rows)?;
    let (treated, control) = (rate(rows, true), rate(rows, false));
    let n = rows.count() as u64;
    let value = treated.rate - control.rate;
    let deviation = deviation(rows, [control.rate, treated.rate]);
    let reach = half_width(n, planned, deviation);
    let single = NORMAL_QUANTILE * deviation / libm::sqrt(n as f64);
    Ok(Lift {
        treated,
        control,
        difference: Figure { value, low: value - reach, high: value + reach, n },
        single_look_low: value - single,
        single_look_high: value + single,
        p_value: p_value(n, planned, value / deviation),
        relative: if control.rate > 0.0 { value / control.rate } else { f64::NAN },
        assignment_z: assignment_z(rows),
    })
}

/// Of grouped rows each unit counts once, by the mean of its rows, with the spread that units show: rows of a unit may have
/// been assigned together or one by one.
fn assignment_z(rows: Rows<'_>) -> f64 {
    let mut sums = vec![(0.0, 0.0); rows.count()];
    let (mut excess, mut variance) = (0.0, 0.0);
    for (index, row) in rows.rows.iter().enumerate() {
        let probability = row.treated_probability;
        let (sum, count) = &mut sums[rows.unit_of(index)];
        *sum += f64::from(u8::from(row.treated)) - probability;
        *count += 1.0;
        variance += probability * (1.0 - probability);
    }
    let mut squares = 0.0;
    for (sum, count) in sums.into_iter().filter(|(_, count)| *count > 0.0) {
        excess += sum / count;
        squares += (sum / count) * (sum / count);
    }
    excess / libm::sqrt(if rows.units.is_some() { squares } else { variance })
}

fn rate(rows: Rows<'_>, treated: bool) -> Rate {
    let (mut rate, mut above, mut below) = (Rate::default(), 0.0, 0.0);
    // Per unit: has it a row in this arm, did one reach the goal?
    let mut seen = vec![(false, false); rows.count()];
    for (index, row) in rows.rows.iter().enumerate().filter(|(_, row)| row.treated == treated) {
        rate.n += 1;
        rate.reached += u64::from(row.reached);
        above += row.weight() * row.outcome();
        below += row.weight();
        let unit = &mut seen[rows.unit_of(index)];
        *unit = (true, unit.1 || row.reached);
    }
    rate.units = seen.iter().filter(|(is_there, _)| *is_there).count() as u64;
    rate.units_reached = seen.iter().filter(|(_, reached)| *reached).count() as u64;
    Rate { rate: above / below, ..rate }
}

/// Sums over the rows of one arm.
#[derive(Clone, Debug, Default)]
struct ArmSpread {
    weights: f64,
    squared_weights: f64,
    squared_misses: f64,
    /// Of each unit: its sum of misses and of weights.
    of_unit: Vec<(f64, f64)>,
}

impl ArmSpread {
    fn of(rows: Rows<'_>, treated: bool, mean: f64) -> ArmSpread {
        let mut spread = ArmSpread { of_unit: vec![(0.0, 0.0); rows.count()], ..ArmSpread::default() };
        for (index, row) in rows.rows.iter().enumerate().filter(|(_, row)| row.treated == treated) {
            let weight = row.weight();
            let miss = weight * (row.outcome() - mean);
            spread.weights += weight;
            spread.squared_weights += weight * weight;
            spread.squared_misses += miss * miss;
            let (misses, weights) = &mut spread.of_unit[rows.unit_of(index)];
            *misses += miss;
            *weights += weight;
        }
        spread
    }

    /// How much more the sums of units vary than if rows were independent; when no row differs, as much as they can.
    fn design_effect(&self) -> f64 {
        let units = || self.of_unit.iter();
        match self.squared_misses > 0.0 {
            true => (units().map(|(misses, _)| misses * misses).sum::<f64>() / self.squared_misses).max(1.0),
            false => units().map(|(_, weights)| weights * weights).sum::<f64>() / self.squared_weights,
        }
    }

    /// The squares of one more unit that reached the goal and one that did not.
    fn two_more(&self, mean: f64) -> f64 {
        let units = self.of_unit.iter().filter(|(_, weights)| *weights > 0.0).count() as f64;
        self.squared_weights / units * self.design_effect() * ((1.0 - mean) * (1.0 - mean) + mean * mean)
    }
}

/// Standard deviation of one unit's part in the difference; `means` of the control and the treated.
fn deviation(rows: Rows<'_>, means: [f64; 2]) -> f64 {
    let arms = [false, true].map(|treated| ArmSpread::of(rows, treated, means[usize::from(treated)]));
    let n = rows.count() as f64;
    // Units of several rows are shares of their arm's rows; a row that is a unit is one of n.
    let scales = arms.each_ref().map(|arm| if rows.units.is_some() { n / arm.weights } else { 1.0 });
    let mut squares = 0.0;
    for unit in 0..rows.count() {
        let part = scales[1] * arms[1].of_unit[unit].0 - scales[0] * arms[0].of_unit[unit].0;
        squares += part * part;
    }
    for ((arm, scale), mean) in arms.iter().zip(scales).zip(means) {
        squares += scale * scale * arm.two_more(mean);
    }
    libm::sqrt(squares / n)
}

/// ρ² of the normal mixture that is narrowest after `planned` units.
fn mixture(planned: u64) -> f64 {
    let evidence = -2.0 * libm::log(ALPHA);
    (evidence + libm::log(evidence + 1.0)) / planned.max(1) as f64
}

/// Half the width of the 95 % confidence sequence of a mean after n units with this standard deviation.
pub fn half_width(n: u64, planned: u64, deviation: f64) -> f64 {
    let (n, rho) = (n as f64, mixture(planned));
    let spread = n * rho + 1.0;
    deviation * libm::sqrt(2.0 * spread / (n * n * rho) * libm::log(libm::sqrt(spread) / ALPHA))
}

/// The level at which the sequence would just leave out 0, for a mean of so many standard deviations.
fn p_value(n: u64, planned: u64, deviations: f64) -> f64 {
    let (n, rho) = (n as f64, mixture(planned));
    let (spread, sum) = (n * rho + 1.0, n * deviations);
    (libm::sqrt(spread) * libm::exp(-rho * sum * sum / (2.0 * spread))).min(1.0)
}
