//! What decisions ask of a model: parts of a logit that add up, and what the sum is worth.

use super::context::{DecisionContext, HOURS_SCALE_ODDS};
use domain::numeric::logistic;

/// One input's share of a logit.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Contribution {
    /// Block and name of the input: `user.events_7d`, `content.age`, `pair.interest`, `time.activity`, `intercept`.
    pub input: String,
    /// The input as it came in.
    pub value: f64,
    /// What it adds to the raw logit.
    pub contribution: f64,
}

/// A scorer of arms. The raw logit of (content, slot) is `user + content + pair + joint + time`; contributions sum to it.
///
/// A missing or short block counts as the training mean of what is missing: nothing here panics.
pub trait Scorer {
    /// The part that depends on the user alone, intercept included.
    fn user(&self, inputs: &[f64]) -> f64;
    /// The part that depends on the content alone.
    fn content(&self, inputs: &[f64]) -> f64;
    /// The part that depends on the user with the content.
    fn pair(&self, inputs: &[f64]) -> f64;
    /// The part that depends on all three in ways that are no sum of theirs, such as trees; nothing for a linear model.
    fn joint(&self, _user: &[f64], _content: &[f64], _pair: &[f64]) -> f64 {
        0.0
    }
    /// The part that depends on the hour: `activity` is ln(share of the slot's hour of the week / the largest share), ≤ 0.
    fn time(&self, activity: f64) -> f64;
    /// Calibrated probability of a raw logit; never decreasing.
    fn probability(&self, logit: f64) -> f64;
    /// Calibrated probability of an arm, from what user, content and pair add to the logit and what the hour adds.
    ///
    /// A scorer whose calibration was learned without hours scales the calibrated odds by the hour instead: no step of a
    /// calibration then makes two hours equal, and none takes one for worthless.
    fn arm_probability(&self, shift: f64, time: f64) -> f64 {
        self.probability(shift + time)
    }
    /// Every input's share of the raw logit of one arm, the intercept first.
    fn contributions(&self, user: &[f64], content: &[f64], pair: &[f64], activity: f64) -> Vec<Contribution>;
}

/// A probability whose odds an hour scales by `exp(time)`; exactly itself where that is 1.
pub fn at_hour(probability: f64, time: f64) -> f64 {
    if time > 0.0 {
        return 1.0 - at_hour(1.0 - probability, -time);
    }
    probability * libm::exp(time) / (1.0 + probability * libm::expm1(time))
}

/// The probability of an arm, as decisions of the context's form count it: before form 4 the calibration saw the hour too.
pub(super) fn arm_probability(context: &DecisionContext, scorer: &dyn Scorer, shift: f64, time: f64) -> f64 {
    if context.format < HOURS_SCALE_ODDS {
        scorer.probability(shift + time)
    } else {
        scorer.arm_probability(shift, time)
    }
}

/// Scores contents by popularity alone: what is left without a model.
///
/// The one content input is the ln odds of the content's smoothed rate of engagement; user and pair count nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct PopularityScorer;

impl Scorer for PopularityScorer {
    fn user(&self, _inputs: &[f64]) -> f64 {
        0.0
    }

    fn content(&self, inputs: &[f64]) -> f64 {
        // A content nobody has touched is as good as one in a thousand.
        const UNKNOWN: f64 = -6.9;
        inputs.first().copied().filter(|value| value.is_finite()).unwrap_or(UNKNOWN)
    }

    fn pair(&self, _inputs: &[f64]) -> f64 {
        0.0
    }

    fn time(&self, activity: f64) -> f64 {
        activity
    }

    fn probability(&self, logit: f64) -> f64 {
        logistic(logit)
    }

    fn contributions(
        &self,
        _user: &[f64],
        content: &[f64],
        _pair: &[f64],
        activity: f64,
    ) -> Vec<Contribution> {
        let popularity = self.content(content);
        let one =
            |input: &str, value: f64| Contribution { input: input.to_string(), value, contribution: value };
        vec![one("content.popularity", popularity), one("time.activity", activity)]
    }
}
