//! What a push really does: the true probabilities of a click and of an opt-out.

use super::draws::common;
use super::world::World;
use domain::numeric::{decay_factor, logistic};
use domain::time::{DAY, HOUR, Instant};

/// A constant of the world, which no setting changes: after this long, in microseconds, a push is truly felt half as much.
const TRUE_FATIGUE_HALF_LIFE: f64 = 3.0 * DAY as f64;

/// A push to a person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Push {
    /// Who.
    pub user: usize,
    /// What.
    pub content: usize,
    /// Day of play, on his clock.
    pub day: i32,
    /// Hour of day, on his clock.
    pub hour: usize,
    /// When.
    pub at: Instant,
}

/// What pushes have done to a person so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    felt: f64,
    newest: Option<Instant>,
    contents: Vec<(usize, Instant)>,
    /// Pushes of the last three weeks, oldest first.
    sends: Vec<(Instant, usize)>,
    /// Has he opted out?
    pub is_lost: bool,
}

/// What came of a push.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PushAnswer {
    /// Was it clicked?
    pub is_clicked: bool,
    /// Did he opt out?
    pub opted_out: bool,
}

impl Memory {
    /// Pushes that are still felt.
    pub fn felt(&self, at: Instant) -> f64 {
        let Some(newest) = self.newest else { return 0.0 };
        self.felt * decay_factor((at.micros() - newest.micros()).max(0) as f64, TRUE_FATIGUE_HALF_LIFE)
    }

    /// When a content was pushed to him last.
    pub fn last_push_of(&self, content: usize) -> Option<Instant> {
        self.contents.iter().find(|(known, _)| *known == content).map(|(_, at)| *at)
    }

    /// Takes note of a push; contents older than `oldest` are forgotten.
    pub fn push(&mut self, content: usize, at: Instant, oldest: usize) {
        self.felt = self.felt(at) + 1.0;
        self.newest = Some(at);
        self.contents.retain(|(known, _)| *known != content && *known >= oldest);
        self.contents.push((content, at));
        self.sends.retain(|(sent, _)| sent.plus(21 * DAY) > at);
        self.sends.push((at, content));
    }

    /// Pushes of the last three weeks with their contents, newest first.
    pub fn sends(&self) -> impl Iterator<Item = (Instant, usize)> {
        self.sends.iter().rev().copied()
    }
}

impl World {
    /// P(click) of a push to a person with a memory.
    pub fn click_probability(&self, push: &Push, memory: &Memory) -> f64 {
        let (person, response) = (&self.people[push.user], &self.parameters.response);
        let logit = response.base_logit
            + person.level
            + self.attraction(person, push.content, push.day)
            + person.hours[self.lived_hour(push.day, push.hour)]
            + response.per_felt_push * memory.felt(push.at);
        logistic(logit) * self.novelty(push, memory)
    }

    /// The share of a content's worth that has come back since it was pushed to him.
    fn novelty(&self, push: &Push, memory: &Memory) -> f64 {
        let Some(last) = memory.last_push_of(push.content) else { return 1.0 };
        let hours = (push.at.micros() - last.micros()).max(0) as f64 / HOUR as f64;
        1.0 - decay_factor(hours, self.parameters.response.repeat_half_life_hours)
    }

    /// P(opt-out) of a push to a person with a memory.
    pub fn opt_out_probability(&self, push: &Push, memory: &Memory) -> f64 {
        let (person, opt_out) = (&self.people[push.user], &self.parameters.opt_out);
        let receptive = libm::exp(person.hours[self.lived_hour(push.day, push.hour)]);
        let tired = libm::exp(opt_out.per_felt_push * memory.felt(push.at));
        (opt_out.probability * tired * (1.0 + opt_out.annoyance * (1.0 - receptive))).min(1.0)
    }

    /// What a push is worth on average: clicks less the cost of opt-outs.
    pub fn expected_value(&self, push: &Push, memory: &Memory) -> f64 {
        let rules = &self.parameters.rules;
        rules.click_value * self.click_probability(push, memory)
            - rules.opt_out_cost * self.opt_out_probability(push, memory)
    }

    /// What comes of a push: the same for the same push, whichever policy sends it.
    pub fn answer(&self, push: &Push, memory: &Memory) -> PushAnswer {
        let numbers = [push.user as u64, push.day as u64, push.hour as u64, push.content as u64];
        let draw = |purpose| common(self.seed, purpose, numbers);
        PushAnswer {
            is_clicked: draw(1) < self.click_probability(push, memory),
            opted_out: draw(2) < self.opt_out_probability(push, memory),
        }
    }
}
