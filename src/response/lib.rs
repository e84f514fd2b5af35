//! The response to a push, learned from what became of earlier ones: log-odds of user, content, pair and hour.
//!
//! Not served yet: `simulate` plays it as the policy `response_model`; `serve` and `plan` do not use it.
//!
//! logit P(click | user, content, slot) = intercept + Σ weight · input, and the hour adds a distributed lag of the user's
//! send-time curve a: Σ_k weight_k · ln(a(slot − k) / max a) (Almon 1965: response may come before or after activity, and
//! by how much is learned). Each weight has a prior, which is what a decision rests on before there are outcomes: the odds
//! of a response follow activity, interest and popularity one to one. Outcomes move the weights by weighted logistic
//! regression, each counting 1 / its action probability, 4 at most (DESIGN: exploration makes the hours comparable).

pub mod attention;
pub mod choices;
pub mod evidence;
pub mod opt_out;
mod ratio;
pub mod sample;

use std::collections::BTreeMap;

use ndarray::{Array2, ShapeBuilder};

use curves::history::{Week, normalise};
use decisions::scorer::{Contribution, Scorer};
use domain::numeric::logistic;
use domain::time::HOURS_OF_WEEK;
use learners::logistic::{FitError, LogisticRegression};
use linfa::ParamGuard;

/// Inputs of user, content and pair, in this order.
pub const INPUTS: [&str; 7] = [
    "user.response",
    "user.felt_pushes",
    "content.popularity",
    "content.response",
    "content.age_weeks",
    "pair.interest",
    "pair.response",
];
/// Index of the felt pushes among them.
const FELT_PUSHES: usize = 1;
/// Where the blocks begin: user, content, pair.
const STARTS: [usize; 3] = [0, 2, 5];
/// Hours by which a response may come before or after activity.
const FURTHEST_LAG: usize = 6;
/// Lags from −6 to 6 hours.
pub const LAGS: usize = 2 * FURTHEST_LAG + 1;
/// What one unit of an input adds to the logit before there are outcomes.
const PRIOR: [f64; INPUTS.len()] = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
/// The same of the lags: the response follows activity at once.
const PRIOR_LAGS: [f64; LAGS] = [0., 0., 0., 0., 0., 0., 1., 0., 0., 0., 0., 0., 0.];
/// Click rate that is expected before there are outcomes.
pub const PRIOR_RATE: f64 = 0.03;
/// Standard deviation of a weight around its prior.
const PRIOR_SPREAD: f64 = 0.5;
/// A rare arm counts for so many common ones at most (truncated importance weights, Ionides 2008). What the policy chose by
/// is among the inputs, so that weights need only make up for what the model cannot say; larger ones cost more in variance.
const LARGEST_WEIGHT: f64 = 4.0;
/// With fewer clicks or other ends there is nothing to learn from.
const LEAST_OF_EACH: usize = 20;
/// A content that has come back less than this is taken for one that has come back so far.
const LEAST_RECOVERY: f64 = 0.05;
/// Shares of activity below this are as good as none.
const LEAST_SHARE: f64 = 1e-3;

/// ln(share of each hour of the week / the largest), ≤ 0: a send-time curve as the response sees it.
pub type Activity = [f32; HOURS_OF_WEEK];

/// What was known of an arm when it was decided on: inputs, and activity at each lag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inputs {
    /// In the order of [`INPUTS`].
    pub values: [f32; INPUTS.len()],
    /// Activity from 6 hours after the slot to 6 hours before it.
    pub lags: [f32; LAGS],
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResponseOutcome {
    /// What was known when it was decided on.
    pub inputs: Inputs,
    /// The share of the content's worth for him that had come back since he was pushed it last, in [0, 1].
    pub recovery: f64,
    /// The policy's probability of the arm, in (0, 1].
    pub action_probability: f64,
    /// Was it clicked?
    pub is_clicked: bool,
}

/// A response model: what [`decide`](decisions::decide) scores arms by.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseModel {
    intercept: f64,
    weights: [f64; INPUTS.len()],
    lags: [f64; LAGS],
}

/// A user's hours as the response model sees them.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseCurve {
    /// Odds of a response in each hour of the week, summing to 1: used instead of the send-time curve in a decision.
    pub share: Week,
    /// What his best hour adds to the logit; the last of the user's inputs.
    pub best: f64,
}

/// A send-time curve as the response sees it.
pub fn activity(curve: &Week) -> Activity {
    let largest = curve.iter().copied().fold(0.0, f64::max);
    curve.map(|share| libm::log((share / largest).max(LEAST_SHARE)) as f32)
}

/// Activity around an hour of the week, from 6 hours after it to 6 hours before it.
pub fn lags_of(activity: &Activity, hour_of_week: usize) -> [f32; LAGS] {
    std::array::from_fn(|lag| activity[(hour_of_week + HOURS_OF_WEEK + FURTHEST_LAG - lag) % HOURS_OF_WEEK])
}

impl Default for ResponseModel {
    /// What is believed before there are outcomes.
    fn default() -> ResponseModel {
        let intercept = libm::log(PRIOR_RATE / (1.0 - PRIOR_RATE));
        ResponseModel { intercept, weights: PRIOR, lags: PRIOR_LAGS }
    }
}

impl ResponseModel {
    /// Learns from outcomes; with too few of either end it stays with what is believed without any.
    ///
    /// Weights of rows sum to Kish's effective number of rows, (Σ w)² / Σ w², so that the prior gives way no faster than
    /// evidence comes.
    ///
    /// # Errors
    /// When an input is not finite, or the fit does not converge.
    pub fn learn(outcomes: &[ResponseOutcome]) -> Result<ResponseModel, FitError> {
        let clicks = outcomes.iter().filter(|outcome| outcome.is_clicked).count();
        let prior = ResponseModel::default();
        if clicks.min(outcomes.len() - clicks) < LEAST_OF_EACH {
            return Ok(prior);
        }
        let labels: Vec<bool> = outcomes.iter().map(|outcome| outcome.is_clicked).collect();
        // A content that is pushed again is clicked less, whatever its inputs say.
        let offset = |outcome: &ResponseOutcome| {
            prior.logit(&outcome.inputs) - prior.intercept + libm::log(outcome.recovery.max(LEAST_RECOVERY))
        };
        let offsets = parallel::map(outcomes.len(), |row| offset(&outcomes[row]));
        let settings = LogisticRegression::params().alpha(1.0 / (PRIOR_SPREAD * PRIOR_SPREAD)).check()?;
        let matrix = matrix(outcomes);
        let weights = row_weights(outcomes);
        let fitted = settings.fit_from(matrix.view(), &labels, Some(&weights), Some(&offsets))?;
        Ok(ResponseModel {
            intercept: fitted.intercept,
            weights: std::array::from_fn(|input| PRIOR[input] + fitted.weights[input]),
            lags: std::array::from_fn(|lag| PRIOR_LAGS[lag] + fitted.weights[INPUTS.len() + lag]),
        })
    }

    /// Every weight by its name; a lag by the hours by which a response comes after activity.
    pub fn named_weights(&self) -> BTreeMap<String, f64> {
        let lag = |(index, weight): (usize, &f64)| {
            (format!("time.lag_{:+}", index as i32 - FURTHEST_LAG as i32), *weight)
        };
        let inputs = INPUTS.iter().map(|name| name.to_string()).zip(self.weights);
        let all = inputs.chain(self.lags.iter().enumerate().map(lag));
        all.chain([("intercept".to_string(), self.intercept)]).collect()
    }

    /// The logit of an arm.
    pub fn logit(&self, inputs: &Inputs) -> f64 {
        self.intercept + dot(&self.weights, &inputs.values) + dot(&self.lags, &inputs.lags)
    }

    /// What one felt push more adds to the logit.
    pub fn per_felt_push(&self) -> f64 {
        self.weights[FELT_PUSHES]
    }

    /// P(click) of an arm whose content has come back so far.
    pub fn click_probability(&self, inputs: &Inputs, recovery: f64) -> f64 {
        logistic(self.logit(inputs)) * recovery
    }

    /// The probability of a click had one input said nothing: what its own evidence is compared with.
    pub fn probability_without(&self, outcome: &ResponseOutcome, input: usize) -> f64 {
        let inputs = &outcome.inputs;
        let logit = self.logit(inputs) - self.weights[input] * f64::from(inputs.values[input]);
        logistic(logit) * outcome.recovery.max(LEAST_RECOVERY)
    }

    /// A user's hours of response, from his activity.
    pub fn curve(&self, activity: &Activity) -> ResponseCurve {
        let logits: Week = std::array::from_fn(|hour| dot(&self.lags, &lags_of(activity, hour)));
        let best = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut share = logits.map(|logit| libm::exp(logit - best));
        normalise(&mut share);
        ResponseCurve { share, best }
    }

    fn block(&self, block: usize, inputs: &[f64]) -> f64 {
        inputs.iter().zip(&self.weights[STARTS[block]..]).map(|(input, weight)| input * weight).sum()
    }
}

impl Scorer for ResponseModel {
    /// Inputs: `user.*`, then what the best hour adds.
    fn user(&self, inputs: &[f64]) -> f64 {
        let (own, best) = inputs.split_at(inputs.len().min(STARTS[1]));
        self.intercept + self.block(0, own) + best.iter().sum::<f64>()
    }

    fn content(&self, inputs: &[f64]) -> f64 {
        self.block(1, &inputs[..inputs.len().min(STARTS[2] - STARTS[1])])
    }

    fn pair(&self, inputs: &[f64]) -> f64 {
        self.block(2, &inputs[..inputs.len().min(INPUTS.len() - STARTS[2])])
    }

    fn time(&self, activity: f64) -> f64 {
        activity
    }

    fn probability(&self, logit: f64) -> f64 {
        logistic(logit)
    }

    fn contributions(&self, user: &[f64], content: &[f64], pair: &[f64], activity: f64) -> Vec<Contribution> {
        let one = |input: &str, value: f64, contribution: f64| Contribution {
            input: input.to_string(),
            value,
            contribution,
        };
        let mut all = vec![one("intercept", 1.0, self.intercept)];
        for (start, values) in STARTS.into_iter().zip([user, content, pair]) {
            let end = STARTS.into_iter().find(|other| *other > start).unwrap_or(INPUTS.len());
            let named = (start..end).zip(values);
            all.extend(named.map(|(input, value)| one(INPUTS[input], *value, self.weights[input] * value)));
        }
        let best: f64 = user.iter().skip(STARTS[1]).sum();
        all.push(one("time.best", best, best));
        all.push(one("time.response", activity, activity));
        all
    }
}

fn dot<const N: usize>(weights: &[f64; N], inputs: &[f32; N]) -> f64 {
    weights.iter().zip(inputs).map(|(weight, input)| weight * f64::from(*input)).sum()
}

/// Rows × inputs, column-major.
fn matrix(outcomes: &[ResponseOutcome]) -> Array2<f64> {
    let value = |row: usize, column: usize| {
        let inputs = &outcomes[row].inputs;
        f64::from(inputs.values.get(column).copied().unwrap_or_else(|| inputs.lags[column - INPUTS.len()]))
    };
    Array2::from_shape_fn((outcomes.len(), INPUTS.len() + LAGS).f(), |(row, column)| value(row, column))
}

/// Truncated inverse propensities, scaled to the effective number of rows.
fn row_weights(outcomes: &[ResponseOutcome]) -> Vec<f64> {
    let weight = |outcome: &ResponseOutcome| (1.0 / outcome.action_probability).clamp(1.0, LARGEST_WEIGHT);
    let weights: Vec<f64> = outcomes.iter().map(weight).collect();
    let (sum, squares) =
        weights.iter().fold((0.0, 0.0), |(sum, squares), weight| (sum + weight, squares + weight * weight));
    weights.into_iter().map(|weight| weight * sum / squares).collect()
}
