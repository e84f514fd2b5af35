//! What policies came to, side by side, with intervals: people are drawn with replacement, the same for every policy.
//!
//! A policy may have played with the first people of a world alone: it is compared with what the others came to with the same
//! people.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Stage;
use super::contents::{ContentFigures, PlayedContent, figures, played_contents};
use super::game::{BrokenRules, Play, Tally, Week};
use super::policies::{Policy, Standing};
use evaluation::bootstrap::{Bootstrap, Figure, RatioPart};
use response::ResponseModel;

/// Draws of people for the intervals.
const DRAWS: usize = 200;

/// One policy's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyReport {
    /// The policy.
    pub policy: Policy,
    /// Is it what `serve` runs?
    pub standing: Standing,
    /// People it played with, over all worlds.
    pub people: u64,
    /// Counts over all people and weeks.
    #[serde(flatten)]
    pub tally: Tally,
    /// Clicks less the cost of opt-outs, per person.
    pub value: Figure,
    /// (value − random's) / (oracle's − random's), on the people of this policy; absent without both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Figure>,
    /// The same for each seed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub share_by_seed: Vec<f64>,
    /// The product's value per person less this policy's, paired, on the product's people; absent of the product and without
    /// it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smartpush_ahead: Option<Figure>,
    /// The same of the response model that is not served yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_model_ahead: Option<Figure>,
    /// Week by week.
    pub weeks: Vec<Week>,
    /// Pushes beside the quality of contents.
    pub contents: ContentFigures,
    /// Pushes that a rule of the world forbids.
    pub broken_rules: BrokenRules,
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
    /// Each person's regret and pushes.
    regrets: Vec<RatioPart>,
    contents: Vec<PlayedContent>,
    broken: BrokenRules,
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
        let regrets = play.regrets.iter().zip(&play.people);
        values.regrets.extend(regrets.map(|(regret, tally)| (*regret, tally.pushes as f64)));
        values.contents.extend(played_contents(stage, &play));
        values.broken.merge(&play.broken);
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
        let mut draws = DrawsOfPeople { seed: self.seed, by_people: BTreeMap::new() };
        self.values.iter().map(|(policy, values)| self.of_policy(*policy, values, &mut draws)).collect()
    }

    fn of_policy(&self, policy: Policy, values: &Values, draws: &mut DrawsOfPeople) -> PolicyReport {
        let ends = self.values.get(&Policy::Random).zip(self.values.get(&Policy::Oracle));
        let other = |named: Policy| self.values.get(&named).filter(|_| policy != named);
        let people = values.people();
        let bootstrap = draws.of(people);
        PolicyReport {
            policy,
            standing: policy.standing(),
            people: people as u64,
            tally: values.tally,
            value: bootstrap.ratio(&values.mean_parts()),
            share: ends
                .map(|(random, oracle)| bootstrap.ratio(&share_parts(values, random, oracle).concat())),
            share_by_seed: ends
                .map(|(random, oracle)| shares_by_seed(values, random, oracle))
                .unwrap_or_default(),
            weeks: values.weeks.clone(),
            contents: figures(&values.contents, bootstrap.ratio(&values.regrets)),
            broken_rules: values.broken,
            model: values.model.as_ref().map(ResponseModel::named_weights),
            smartpush_ahead: other(Policy::Product).map(|product| ahead(product, values, draws)),
            response_model_ahead: other(Policy::ResponseModel).map(|model| ahead(model, values, draws)),
        }
    }
}

/// The same draws for every figure of as many people.
struct DrawsOfPeople {
    seed: u64,
    by_people: BTreeMap<usize, Bootstrap>,
}

impl DrawsOfPeople {
    fn of(&mut self, people: usize) -> &Bootstrap {
        self.by_people.entry(people).or_insert_with(|| Bootstrap::new(people, DRAWS, self.seed))
    }
}

impl Values {
    fn people(&self) -> usize {
        self.by_seed.iter().map(Vec::len).sum()
    }

    /// One part of a mean for each person.
    fn mean_parts(&self) -> Vec<RatioPart> {
        self.by_seed.iter().flatten().map(|value| (*value, 1.0)).collect()
    }
}

/// How far one policy is ahead of another, on the people that both played with.
fn ahead(one: &Values, other: &Values, draws: &mut DrawsOfPeople) -> Figure {
    let seeds = one.by_seed.iter().zip(&other.by_seed);
    let both = seeds.flat_map(|(one, other)| one.iter().zip(other).map(|(one, other)| (*one, *other)));
    let (ours, theirs): (Vec<f64>, Vec<f64>) = both.unzip();
    let mean_parts =
        |values: Vec<f64>| values.into_iter().map(|value| (value, 1.0)).collect::<Vec<RatioPart>>();
    draws.of(ours.len()).difference(&mean_parts(ours), &mean_parts(theirs))
}

/// Of each seed, each person's way from random, beside the oracle's.
fn share_parts(own: &Values, random: &Values, oracle: &Values) -> Vec<Vec<RatioPart>> {
    let seeds = own.by_seed.iter().zip(&random.by_seed).zip(&oracle.by_seed);
    let parts = |((own, random), oracle): ((&Vec<f64>, &Vec<f64>), &Vec<f64>)| {
        let people = own.iter().zip(random).zip(oracle);
        people.map(|((own, random), oracle)| (own - random, oracle - random)).collect::<Vec<RatioPart>>()
    };
    seeds.map(parts).collect()
}

fn shares_by_seed(own: &Values, random: &Values, oracle: &Values) -> Vec<f64> {
    let sum = |parts: &[RatioPart], of: fn(&RatioPart) -> f64| parts.iter().map(of).sum::<f64>();
    let share = |parts: Vec<RatioPart>| sum(&parts, |part| part.0) / sum(&parts, |part| part.1);
    share_parts(own, random, oracle).into_iter().map(share).collect()
}
