//! A send-time curve: when in the week a user is active, and how sure we are.

use super::time::HOURS_OF_WEEK;

/// Which level of the hierarchy speaks most in a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CurveLevel {
    /// The user's own history.
    User,
    /// People of like rhythm.
    RhythmGroup,
    /// Everybody.
    Global,
}

impl CurveLevel {
    /// The word used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            CurveLevel::User => "user",
            CurveLevel::RhythmGroup => "rhythm_group",
            CurveLevel::Global => "global",
        }
    }
}

/// One user's curve. The probabilities are > 0 and sum to 1 ± 1e-9.
#[derive(Clone, Debug, PartialEq)]
pub struct SendTimeCurve {
    /// Share of the user's activity in each hour of the week.
    pub probability: [f64; HOURS_OF_WEEK],
    /// Lower end of the interval of each hour, of the coverage that was asked for.
    pub low: [f64; HOURS_OF_WEEK],
    /// Upper end of the same.
    pub high: [f64; HOURS_OF_WEEK],
    /// Effective active hours behind the curve, after recency decay.
    pub evidence: f64,
    /// Weight of what is shared with others: 1 = nothing known of this user, 0 = only his own history.
    pub shrinkage: f64,
    /// The level that speaks most.
    pub level: CurveLevel,
}

impl SendTimeCurve {
    /// Probability of each hour of the day, summed over the seven days.
    pub fn by_hour_of_day(&self) -> [f64; 24] {
        by_hour_of_day(&self.probability)
    }

    /// The hour of the day with the largest sum over seven days; the lowest hour on ties.
    pub fn best_hour_of_day(&self) -> usize {
        argmax(&self.by_hour_of_day())
    }

    /// The hour of the week with the largest probability; the lowest on ties.
    pub fn best_hour_of_week(&self) -> usize {
        argmax(&self.probability)
    }
}

/// Sums 168 hours of the week to 24 hours of the day, in order of days.
pub fn by_hour_of_day(week: &[f64; HOURS_OF_WEEK]) -> [f64; 24] {
    let mut hours = [0.0; 24];
    for (slot, probability) in week.iter().enumerate() {
        hours[slot % 24] += probability;
    }
    hours
}

/// Index of the largest value, the lowest index on ties; NaN never wins.
pub fn argmax(values: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}
