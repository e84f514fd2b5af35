//! What a plan's sends should bring: goal events and opt-outs, expected and within which bounds.

use serde::Serialize;

use decisions::context::DecisionContext;
use domain::content::MessageClass;
use domain::decision::Decision;

/// Standard deviations on each side that hold 95 %.
const DEVIATIONS: f64 = 1.959_963_984_540_054;

/// Sends and what they should bring.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Forecast {
    /// Sends.
    pub sends: u64,
    /// Goal events.
    pub goal_events: ExpectedCount,
    /// Users who withdraw their consent.
    pub opt_outs: ExpectedCount,
}

/// A number of independent events: how many are to be expected, and the variance of their number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExpectedCount {
    /// The sum of their probabilities.
    pub mean: f64,
    /// Σ p · (1 − p).
    pub variance: f64,
}

/// A figure with the bounds that hold 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bounds {
    /// What is expected.
    pub value: f64,
    /// From.
    pub low: f64,
    /// To.
    pub high: f64,
}

impl Forecast {
    /// Adds a decision that sends.
    pub(super) fn add(&mut self, decision: &Decision, context: &DecisionContext) {
        self.sends += 1;
        self.goal_events.add(decision.response_probability.unwrap_or_default());
        let is_sent = |content_id: &String| decision.content_id.as_ref() == Some(content_id);
        let content = context.contents.iter().find(|candidate| is_sent(&candidate.content.content_id));
        // Service messages are sent because they are needed: nobody withdraws his consent over one.
        let is_service = content.is_some_and(|of| of.content.message_class == MessageClass::Service);
        self.opt_outs.add(if is_service { 0.0 } else { context.settings.opt_out_probability });
    }

    /// Both together.
    pub fn and(self, other: Forecast) -> Forecast {
        Forecast {
            sends: self.sends + other.sends,
            goal_events: self.goal_events.and(other.goal_events),
            opt_outs: self.opt_outs.and(other.opt_outs),
        }
    }
}

impl ExpectedCount {
    fn add(&mut self, probability: f64) {
        self.mean += probability;
        self.variance += probability * (1.0 - probability);
    }

    fn and(self, other: ExpectedCount) -> ExpectedCount {
        ExpectedCount { mean: self.mean + other.mean, variance: self.variance + other.variance }
    }

    /// The bounds that hold 95 % of outcomes, if all probabilities may be off by one common factor.
    ///
    /// `level_error` is the standard error of that factor: a model whose level was set on k positives cannot know it better
    /// than 1/√k. Normal approximation of the Poisson-binomial distribution.
    pub fn bounds(&self, level_error: f64) -> Bounds {
        let level = self.mean * level_error;
        let half = DEVIATIONS * libm::sqrt(self.variance + level * level);
        Bounds { value: self.mean, low: (self.mean - half).max(0.0), high: self.mean + half }
    }
}
