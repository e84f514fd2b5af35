//! A user's active hours, seen from a cut: how old each is, and which hour of the week.

use domain::numeric::decay_factor;
use domain::time::{HOURS_OF_WEEK, LocalHour};

/// 168 weights or probabilities, Monday 00:00 first.
pub type Week = [f64; HOURS_OF_WEEK];

/// One active hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Whole local days before the cut, at least 1.
    pub age_days: i32,
    /// Hour of the week.
    pub slot: u8,
    /// Where in the hour its first act lies, in [0, 1).
    pub fraction: f32,
}

/// The active hours of one user before the cut, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The hours.
    pub units: Vec<Unit>,
    /// Users of one value share surroundings (zone, platform): what a user without history is taken for.
    pub attribute: u32,
}

impl History {
    /// Adds an active hour before the cut, whose day on the user's clock is `cut_day`.
    ///
    /// An act that brought a zone east of the user's may lie on a later date than he reads: it is a day old.
    pub fn push(&mut self, hour: LocalHour, fraction: f64, cut_day: i32) {
        let age_days = (cut_day - hour.day().0).max(1);
        self.units.push(Unit { age_days, slot: hour.hour_of_week() as u8, fraction: fraction as f32 });
    }

    /// Units older than `back` days, with their age as seen from `back` days before the cut.
    fn before(&self, back: i32) -> impl Iterator<Item = (&Unit, i32)> {
        self.units
            .iter()
            .filter(move |unit| unit.age_days > back)
            .map(move |unit| (unit, unit.age_days - back))
    }

    /// How many units are older than `back` days.
    pub fn count(&self, back: i32) -> usize {
        self.before(back).count()
    }

    /// Weighted units older than `back` days, by hour of the week.
    ///
    /// Each weighs `2^(−age / half-life)` (`None`: 1). A share `lean · |fraction − ½|` of it goes to the nearer
    /// neighbouring hour: a visit at 17:55 says something about 18:00.
    pub fn weights(&self, back: i32, half_life: Option<f64>, lean: f64) -> Week {
        let mut week = [0.0; HOURS_OF_WEEK];
        for (unit, age) in self.before(back) {
            let weight = half_life.map_or(1.0, |half_life| decay(age, half_life));
            let offset = f64::from(unit.fraction) - 0.5;
            let share = lean * offset.abs();
            let slot = usize::from(unit.slot);
            let neighbour = (slot + if offset > 0.0 { 1 } else { HOURS_OF_WEEK - 1 }) % HOURS_OF_WEEK;
            week[slot] += weight * (1.0 - share);
            week[neighbour] += weight * share;
        }
        week
    }

    /// Effective number of units older than `back` days.
    pub fn evidence(&self, back: i32, half_life: f64) -> f64 {
        // A sum of nothing would be −0.
        self.before(back).fold(0.0, |sum, (_, age)| sum + decay(age, half_life))
    }

    /// Units of the `days` days after a cut `back` days ago, by hour of the week: ages in `(back − days, back]`.
    pub fn held_out(&self, back: i32, days: i32) -> [u16; HOURS_OF_WEEK] {
        let mut counts = [0; HOURS_OF_WEEK];
        for unit in self.units.iter().filter(|unit| unit.age_days > back - days && unit.age_days <= back) {
            counts[usize::from(unit.slot)] += 1;
        }
        counts
    }
}

fn decay(age_days: i32, half_life: f64) -> f64 {
    decay_factor(f64::from(age_days), half_life)
}

/// Scales values so that they sum to 1.
pub fn normalise(values: &mut [f64]) {
    let total: f64 = values.iter().sum();
    for value in values.iter_mut() {
        *value /= total;
    }
}

/// A copy that sums to 1.
pub fn normalised<const N: usize>(mut values: [f64; N]) -> [f64; N] {
    normalise(&mut values);
    values
}
