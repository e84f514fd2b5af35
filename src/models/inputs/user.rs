//! The user block: numbers of the profile, on scales that a linear model can weigh.

use polars::prelude::*;

use super::Sources;
use super::decay::decay;
use domain::goal::Goal;
use domain::time::{DAY, Instant};
use files::tables::TableError;
use profiles::ProfileError;
use profiles::accumulate::Plan;
use profiles::build::finish;
use profiles::features::{Aggregate, FEATURES, Feature};

/// How a profile's number becomes an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// ln(1 + x); amounts below zero count as zero, nothing known as nothing.
    Log,
    /// ln(1 + days), at most [`LONGEST`]; never is as long ago as can be.
    Days,
    /// As it is; nothing known is the mean.
    Plain,
}

/// Days beyond which an absence is no longer told apart from never.
const LONGEST: f64 = 400.0;

impl Scale {
    fn apply(self, value: Option<f64>) -> f64 {
        match (self, value) {
            (Scale::Log, value) => libm::log1p(value.unwrap_or(0.0).max(0.0)),
            (Scale::Days, value) => libm::log1p(value.unwrap_or(LONGEST).clamp(0.0, LONGEST)),
            (Scale::Plain, Some(value)) => value,
            (Scale::Plain, None) => f64::NAN,
        }
    }
}

/// The scale of a feature; `None` for one that is no number.
pub(super) fn scale_of(feature: &Feature) -> Option<Scale> {
    match feature.aggregate {
        Aggregate::Count
        | Aggregate::Sum
        | Aggregate::Weight
        | Aggregate::ActiveDays
        | Aggregate::ActiveHours
        | Aggregate::Sessions
        | Aggregate::Orders => Some(Scale::Log),
        Aggregate::DaysSinceLast | Aggregate::Tenure => Some(Scale::Days),
        Aggregate::SmoothedRate { .. } => Some(Scale::Plain),
        Aggregate::HoursOfWeek
        | Aggregate::Interest(_)
        | Aggregate::RecentContents
        | Aggregate::Context(_)
        | Aggregate::Lifecycle => None,
    }
}

/// The profile's features that are inputs, in order.
pub fn user_features() -> Vec<Feature> {
    FEATURES.iter().filter(|feature| scale_of(feature).is_some()).copied().collect()
}

/// A feature's number as a model reads it: on its scale, NaN where the mean stands for it.
pub fn input_of(feature: &Feature, value: Option<f64>) -> f64 {
    scale_of(feature).map_or(f64::NAN, |scale| scale.apply(value))
}

/// Inputs beside the profile's: how often and how lately the user gave a signal of the goal, and whether he ever did anything.
pub(super) const SIGNAL_INPUTS: &[&str] =
    &["signals_30d", "signals_90d", "signals_half_life_60d", "signal_share", "has_own_event"];

/// The user block of every user of a timeline, as of a moment.
#[derive(Clone, Debug)]
pub(super) struct UserBlock {
    width: usize,
    /// Row-major, by user code.
    values: Vec<f64>,
}

impl UserBlock {
    pub(super) fn new(sources: &Sources<'_>, goal: &Goal, at: Instant) -> Result<UserBlock, ProfileError> {
        let features = user_features();
        let plan = Plan::new(&features, at, sources.declared, sources.profiles);
        let sums = sources.timeline.fold(&plan);
        let frame = finish(&plan, &sums, sources.timeline.zones(), sources.profiles)?;
        let damaged = |error| TableError::parquet(std::path::Path::new("profiles"))(error);
        let mut block = UserBlock::of(&frame, &features, sources).map_err(damaged)?;
        block.add_signals(sources, goal, at);
        Ok(block)
    }

    fn of(frame: &DataFrame, features: &[Feature], sources: &Sources<'_>) -> PolarsResult<UserBlock> {
        let (width, users) = (features.len() + SIGNAL_INPUTS.len(), sources.timeline.users().len());
        let ids = frame.column("user_id")?.str()?;
        let user_of_row: Vec<Option<usize>> =
            ids.iter().map(|id| sources.timeline.user(id.unwrap_or_default())).collect();
        let nothing =
            features.iter().map(|feature| scale_of(feature).map_or(f64::NAN, |scale| scale.apply(None)));
        let nothing = nothing.chain([0.0; SIGNAL_INPUTS.len()]);
        let mut values = nothing.collect::<Vec<f64>>().repeat(users);
        for (index, feature) in features.iter().enumerate() {
            let Some(scale) = scale_of(feature) else { continue };
            let column = frame.column(feature.name)?.cast(&DataType::Float64)?;
            for (user, value) in user_of_row.iter().zip(column.f64()?.iter()) {
                if let Some(user) = user {
                    values[user * width + index] = scale.apply(value);
                }
            }
        }
        Ok(UserBlock { width, values })
    }

    fn add_signals(&mut self, sources: &Sources<'_>, goal: &Goal, at: Instant) {
        let is_signal: Vec<bool> = sources.timeline.names().iter().map(|name| goal.is_signal(name)).collect();
        let first = self.width - SIGNAL_INPUTS.len();
        let users = sources.timeline.users().len();
        let signals = parallel::map(users, |user| signals_of(sources, &is_signal, user, at));
        for (user, signals) in signals.into_iter().enumerate() {
            let start = user * self.width + first;
            self.values[start..start + SIGNAL_INPUTS.len()].copy_from_slice(&signals);
        }
    }

    /// A user's inputs; of one without events, those of nobody.
    pub(super) fn of_user(&self, user: usize) -> &[f64] {
        &self.values[user * self.width..(user + 1) * self.width]
    }
}

/// A user's signals before a moment, by [`SIGNAL_INPUTS`].
fn signals_of(
    sources: &Sources<'_>,
    is_signal: &[bool],
    user: usize,
    at: Instant,
) -> [f64; SIGNAL_INPUTS.len()] {
    const HALF_LIFE: f64 = 60.0;
    let (mut month, mut quarter, mut decayed, mut all) = (0.0, 0.0, 0.0, 0.0);
    for event in sources.timeline.events_before(user, at).iter().filter(|event| event.is_own) {
        let weight = decay(at, event.at, HALF_LIFE);
        all += weight;
        if is_signal[event.name as usize] {
            decayed += weight;
            month += f64::from(u8::from(event.at >= at.plus(-30 * DAY)));
            quarter += f64::from(u8::from(event.at >= at.plus(-90 * DAY)));
        }
    }
    // As if 2 events had come before, one in a hundred of them a signal.
    let share = libm::log((decayed + 0.02) / (all + 2.0));
    let has_own_event = f64::from(u8::from(all > 0.0));
    [libm::log1p(month), libm::log1p(quarter), libm::log1p(decayed), share, has_own_event]
}
