//! The difference that treatment makes, with a confidence sequence: right at every moment at once, so that a report may
//! be looked at daily and stopped when it says enough.

use serde::Serialize;

use super::super::bootstrap::Figure;
use super::{UpliftError, UpliftUnit, check};

/// 1 − confidence.
const ALPHA: f64 = 0.05;
/// 97.5 % quantile of the standard normal.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// A rate beside what it is a rate of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rate {
    /// Units that reached the goal.
    pub reached: u64,
    /// All units of the arm.
    pub n: u64,
    /// Share that reached it, each unit weighted by one over the probability of its arm.
    pub rate: f64,
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

/// Lift of all units seen so far.
///
/// Rates are weighted by one over the probability of the arm (Hájek), which for one common probability are plain shares.
/// The difference is the mean of μ₁ − μ₀ + A (y − μ₁) / e − (1 − A) (y − μ₀) / (1 − e), whose spread makes the interval;
/// each arm counts one more unit that reached the goal and one that did not, so that an arm in which nobody did is not
/// taken for certain. The interval is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and
/// Ramdas 2024, narrowest when about `planned` units have come; choose that before looking.
///
/// # Errors
/// When an arm is empty or a unit was not assigned by chance.
pub fn lift(units: &[UpliftUnit], planned: u64) -> Result<Lift, UpliftError> {
    check(units)?;
    let (treated, control) = (rate(units, true), rate(units, false));
    let n = units.len() as u64;
    let value = treated.rate - control.rate;
    let deviation = deviation(units, treated.rate, control.rate);
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
        assignment_z: assignment_z(units),
    })
}

fn assignment_z(units: &[UpliftUnit]) -> f64 {
    let (mut excess, mut variance) = (0.0, 0.0);
    for unit in units {
        let probability = unit.treated_probability;
        excess += f64::from(u8::from(unit.treated)) - probability;
        variance += probability * (1.0 - probability);
    }
    excess / libm::sqrt(variance)
}

fn rate(units: &[UpliftUnit], treated: bool) -> Rate {
    let (mut rate, mut above, mut below) = (Rate::default(), 0.0, 0.0);
    for unit in units.iter().filter(|unit| unit.treated == treated) {
        rate.n += 1;
        rate.reached += u64::from(unit.reached);
        above += unit.weight() * unit.outcome();
        below += unit.weight();
    }
    Rate { rate: above / below, ..rate }
}

/// Standard deviation of one unit's part in the difference.
fn deviation(units: &[UpliftUnit], treated: f64, control: f64) -> f64 {
    let mut squares = 0.0;
    let mut weights = [(0.0, 0.0); 2];
    for unit in units {
        let miss = unit.weight() * (unit.outcome() - if unit.treated { treated } else { control });
        squares += miss * miss;
        let (sum, count) = &mut weights[usize::from(unit.treated)];
        *sum += unit.weight() * unit.weight();
        *count += 1.0;
    }
    // One more unit that reached the goal and one that did not.
    for ((sum, count), mean) in weights.into_iter().zip([control, treated]) {
        squares += sum / count * ((1.0 - mean) * (1.0 - mean) + mean * mean);
    }
    libm::sqrt(squares / units.len() as f64)
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
