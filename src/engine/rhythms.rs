//! Users' hours as serving needs them: the population of the lake, its send-time model, and everybody's curve.

use curves::SendTimeModel;
use curves::population::{Cut, Population};
use domain::curve::{CurveLevel, SendTimeCurve};
use domain::time::{HOURS_OF_WEEK, Instant};
use domain::zone::ZoneSource;
use events::lake::Lake;
use profiles::ProfileError;
use profiles::declared::Declared;

/// Who was active when, and what was learned from it; empty without events.
#[derive(Clone, Debug)]
pub(super) struct Rhythms {
    population: Population,
    model: Option<SendTimeModel>,
    everybody: SendTimeCurve,
}

impl Rhythms {
    /// Learns from events before `as_of`; `coverage` is that of the intervals.
    pub(super) fn learn(
        lake: &Lake,
        declared: &Declared,
        as_of: Instant,
        coverage: f64,
    ) -> Result<Rhythms, ProfileError> {
        let population = match Population::read(lake, declared, Cut::At(as_of), &|_, _| ()) {
            Ok(population) => population,
            Err(ProfileError::NoEvents(_)) => return Ok(Rhythms::of_nobody()),
            Err(error) => return Err(error),
        };
        let model = SendTimeModel::fit(&population.histories, coverage);
        let everybody = model.everybody();
        Ok(Rhythms { population, model: Some(model), everybody })
    }

    /// Without events every hour is as good as another.
    fn of_nobody() -> Rhythms {
        let share = 1.0 / HOURS_OF_WEEK as f64;
        let everybody = SendTimeCurve {
            probability: [share; HOURS_OF_WEEK],
            low: [0.0; HOURS_OF_WEEK],
            high: [1.0; HOURS_OF_WEEK],
            evidence: 0.0,
            shrinkage: 1.0,
            level: CurveLevel::Global,
        };
        Rhythms { population: Population::default(), model: None, everybody }
    }

    /// Users with an event.
    pub(super) fn users(&self) -> usize {
        self.population.ids.len()
    }

    /// Users with an event, in order.
    pub(super) fn user_ids(&self) -> impl Iterator<Item = &str> {
        self.population.ids.iter().map(String::as_str)
    }

    /// Does any event name the user?
    pub(super) fn knows(&self, user_id: &str) -> bool {
        self.index_of(user_id).is_some()
    }

    /// The zone of the user's newest event that named one.
    pub(super) fn device_zone(&self, user_id: &str) -> Option<&str> {
        let index = self.index_of(user_id)?;
        let is_device = self.population.zone_sources[index] == ZoneSource::Device;
        is_device.then_some(self.population.zones[index].as_str())
    }

    /// The user's probabilities; `None` without active hours of his.
    pub(super) fn probability(&self, user_id: &str) -> Option<[f64; HOURS_OF_WEEK]> {
        let (index, model) = (self.active_index_of(user_id)?, self.model.as_ref()?);
        Some(model.probability(index, &self.population.histories[index]))
    }

    /// The user's curve; `None` without active hours of his.
    pub(super) fn curve(&self, user_id: &str) -> Option<SendTimeCurve> {
        let (index, model) = (self.active_index_of(user_id)?, self.model.as_ref()?);
        Some(model.curve(index, &self.population.histories[index]))
    }

    /// Everybody's curve.
    pub(super) fn everybody(&self) -> &SendTimeCurve {
        &self.everybody
    }

    fn active_index_of(&self, user_id: &str) -> Option<usize> {
        self.index_of(user_id).filter(|index| !self.population.histories[*index].units.is_empty())
    }

    fn index_of(&self, user_id: &str) -> Option<usize> {
        self.population.ids.binary_search_by(|id| id.as_str().cmp(user_id)).ok()
    }
}
