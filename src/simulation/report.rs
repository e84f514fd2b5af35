//! What policies came to, side by side, with intervals: people are drawn with replacement, the same for every policy.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Stage;
use super::policies::Policy;
use super::run::{Play, Tally, Week};
use evaluation::bootstrap::{Bootstrap, Figure, RatioPart};
use response::ResponseModel;

/// Draws of people for the intervals.
const DRAWS: usize = 200;

/// One policy's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyReport {
    /// The policy.
    pub policy: Policy,
    /// Counts over all people and weeks.
    #[serde(flatten)]
    pub tally: Tally,
    /// Clicks less the cost of opt-outs, per person.
    pub value: Figure,
    /// (value − random's) / (oracle's − random's); absent without both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Figure>,
    /// The same for each seed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub share_by_seed: Vec<f64>,
    /// smartpush's value per person less this policy's, paired; absent of smartpush and without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smartpush_ahead: Option<Figure>,
    /// Week by week.
    pub weeks: Vec<Week>,
    /// Weights of the response model at the end of the last seed's play.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<BTreeMap<String, f64>>,
}

/// Values of one policy, seed by seed.
#[derive(Clone, Debug, Default)]
struct Values {
    by_seed: Vec<Vec<f64>>,
    tally: Tally,
    weeks: Vec<Week>,
    model: Option<ResponseModel>,
}

/// Plays of some policies on some stages, on their way to a report.
#[derive(Clone, Debug, Default)]
pub struct Reporter {
    values: BTreeMap<Policy, Values>,
    seed: u64,
}

impl Reporter {
    /// Nothing to report; draws of people follow from the seed.
    pub fn new(seed: u64) -> Reporter {
        Reporter { values: BTreeMap::new(), seed }
    }

    /// Adds a play; every policy plays on the same stages, in the same order.
    pub fn absorb(&mut self, stage: &Stage, play: Play) {
        let values = self.values.entry(play.policy).or_default();
        values.by_seed.push(play.people.iter().map(|tally| tally.value(stage)).collect());
        play.people.iter().for_each(|tally| values.tally.merge(tally));
        values.weeks.resize(play.weeks.len(), Week::default());
        for (sum, week) in values.weeks.iter_mut().zip(&play.weeks) {
            sum.tally.merge(&week.tally);
            sum.near_best_hour += week.near_best_hour;
            sum.hour_odds += week.hour_odds;
            sum.content_odds += week.content_odds;
        }
        values.model = play.model;
    }

    /// Every policy's figures, the policies in their order.
    pub fn report(&self) -> Vec<PolicyReport> {
        let people = self.values.values().next().map_or(0, |values| values.all().count());
        let bootstrap = Bootstrap::new(people, DRAWS, self.seed);
        self.values.iter().map(|(policy, values)| self.of_policy(*policy, values, &bootstrap)).collect()
    }

    fn of_policy(&self, policy: Policy, values: &Values, bootstrap: &Bootstrap) -> PolicyReport {
        let ends = self.values.get(&Policy::Random).zip(self.values.get(&Policy::Oracle));
        let smartpush = self.values.get(&Policy::Smartpush).filter(|_| policy != Policy::Smartpush);
        let share = |(random, oracle): (&Values, &Values)| {
            bootstrap.ratio(&parts(values.all(), random.all(), oracle.all()))
        };
        let share_of_seed = |(random, oracle): (&Values, &Values)| -> Vec<f64> {
            let seeds = values.by_seed.iter().zip(&random.by_seed).zip(&oracle.by_seed);
            seeds.map(|((own, random), oracle)| share_of(own, random, oracle)).collect()
        };
        PolicyReport {
            policy,
            tally: values.tally,
            value: bootstrap.ratio(&values.each()),
            share: ends.map(share),
            share_by_seed: ends.map(share_of_seed).unwrap_or_default(),
            smartpush_ahead: smartpush
                .map(|smartpush| bootstrap.difference(&smartpush.each(), &values.each())),
            weeks: values.weeks.clone(),
            model: values.model.as_ref().map(ResponseModel::named_weights),
        }
    }
}

impl Values {
    fn all(&self) -> impl Iterator<Item = f64> {
        self.by_seed.iter().flatten().copied()
    }

    /// One part of a mean for each person.
    fn each(&self) -> Vec<RatioPart> {
        self.all().map(|value| (value, 1.0)).collect()
    }
}

fn parts(
    own: impl Iterator<Item = f64>,
    random: impl Iterator<Item = f64>,
    oracle: impl Iterator<Item = f64>,
) -> Vec<RatioPart> {
    own.zip(random).zip(oracle).map(|((own, random), oracle)| (own - random, oracle - random)).collect()
}

fn share_of(own: &[f64], random: &[f64], oracle: &[f64]) -> f64 {
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    (sum(own) - sum(random)) / (sum(oracle) - sum(random))
}
