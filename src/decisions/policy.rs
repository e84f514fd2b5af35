//! Which of the arms worth sending is sent, and with what probability this policy sends it.
//!
//! The best, but for a known share of decisions in which an arm is drawn for the sake of learning. Several variants of one
//! content are worth the same, and each user gets one of them by hash: that share is a part of the probability.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::board::{Arm, Board};
use super::context::DecisionContext;
use super::trials;
use domain::identity::sha256;
use domain::settings::{DecisionSettings, Exploration};
use domain::time::Instant;

/// An arm with the probability it was picked with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pick {
    /// The arm.
    pub(super) arm: Arm,
    /// Probability of picking it, in its variant, among the allowed arms.
    pub(super) probability: f64,
    /// Was it drawn for the sake of learning?
    pub(super) explored: bool,
    /// When to send, if a plan says; otherwise one of the slot's allowed minutes is drawn.
    pub(super) at: Option<Instant>,
}

/// A policy at work: the arms that it may send, each with its probability.
pub(super) struct Policy {
    /// Arms that are allowed and worth sending.
    pub(super) arms: Vec<Arm>,
    /// The probability of each; they sum to 1.
    pub(super) probabilities: Vec<f64>,
    /// The share that is drawn for the sake of learning, in [0, 1].
    pub(super) share: f64,
    /// How the drawn ones are drawn: the probability of each, given that one is drawn.
    drawn: Vec<f64>,
}

/// Picks an arm, the best of which is `best`.
///
/// Where a plan has settled channel and minute (`at`), only contents that may be sent in its stead are picked among.
pub(super) fn pick(board: &Board, best: Arm, at: Option<Instant>) -> Pick {
    let variants = |arm: &Arm| board.offers[arm.offer].fitting.variants().len().max(1) as f64;
    if !board.situation.context.draws() {
        return Pick { arm: best, probability: 1.0 / variants(&best), explored: false, at };
    }
    let policy = Policy::of(board, best, at);
    let mut random = random(board.situation.context);
    let explored = uniform(&mut random) < policy.share;
    let index = if explored {
        draw(&policy.drawn, uniform(&mut random))
    } else {
        policy.arms.iter().position(|arm| *arm == best).unwrap_or_default()
    };
    let arm = policy.arms[index];
    Pick { arm, probability: policy.probabilities[index] / variants(&arm), explored, at }
}

impl Policy {
    /// The policy over a board's arms, the best of which is `best`: `(1 − ε)·[a = best] + ε·drawn(a)`.
    pub(super) fn of(board: &Board, best: Arm, at: Option<Instant>) -> Policy {
        let (context, mut arms) = (board.situation.context, board.worth_sending());
        if let Some(at) = at {
            arms.retain(|arm| board.may_replace(arm, &best, at));
        }
        let share = context.exploration_share();
        let tried = trials::shares(board, &arms).filter(|_| is_drawn_best(board, &arms, &best));
        let weights = weights(&context.settings, &expected(board, &arms), &expected(board, &[best])[0]);
        let sum: f64 = weights.iter().sum();
        let drawn: Vec<f64> = weights.into_iter().map(|weight| weight / sum).collect();
        let mix = |(index, drawn): (usize, &f64)| {
            let is_best = || if arms[index] == best { 1.0 } else { 0.0 };
            let greedy = tried.as_ref().map_or_else(is_best, |tried| tried[index]);
            (1.0 - share) * greedy + share * drawn
        };
        let probabilities = drawn.iter().enumerate().map(|(index, drawn)| mix((index, drawn))).collect();
        Policy { arms, probabilities, share, drawn }
    }

    /// The value that is given up for learning, on average: `Σ π(a) · (value(best) − value(a))`.
    pub(super) fn expected_loss(&self, best: &Arm) -> f64 {
        let losses = self.arms.iter().zip(&self.probabilities);
        losses.map(|(arm, probability)| probability * (best.value - arm.value)).sum()
    }
}

/// Is this the arm that the draws of contents of little history make the best? Where a plan wants another one, nothing was
/// left to them.
fn is_drawn_best(board: &Board, arms: &[Arm], best: &Arm) -> bool {
    arms.iter().min_by(|one, other| board.order(one, other)) == Some(best)
}

/// Arms as they are worth without draws.
fn expected(board: &Board, arms: &[Arm]) -> Vec<Arm> {
    let of = |arm: &Arm| board.arm_at(arm.offer, arm.channel, arm.slot, 0).unwrap_or(*arm);
    arms.iter().map(of).collect()
}

/// How heavily each arm weighs when one is drawn: numbers from 0 up with a finite sum above 0.
fn weights(settings: &DecisionSettings, arms: &[Arm], best: &Arm) -> Vec<f64> {
    if settings.exploration == Exploration::Uniform {
        return vec![1.0; arms.len()];
    }
    let temperature = settings.exploration_temperature.max(f64::MIN_POSITIVE);
    let beside = |value: f64| -> Vec<f64> {
        arms.iter().map(|arm| libm::exp((arm.value - value) / temperature)).collect()
    };
    let weights = beside(best.value);
    if weights.iter().sum::<f64>().is_finite() {
        return weights;
    }
    // A planned arm need not have the largest value: beside it larger ones may overflow, beside the largest none can.
    beside(arms.iter().map(|arm| arm.value).fold(f64::NEG_INFINITY, f64::max))
}

/// Random numbers for one user, campaign and occurrence: asking again draws the same.
fn random(context: &DecisionContext) -> ChaCha8Rng {
    let campaign = context.campaign.as_ref().map(|campaign| campaign.campaign_id.as_str());
    // JSON keeps the parts apart whatever characters they hold.
    let key = serde_json::json!([
        "exploration",
        context.settings.seed,
        context.user.user_id,
        campaign,
        context.occurrence
    ]);
    ChaCha8Rng::from_seed(sha256(key.to_string().as_bytes()))
}

/// A number in [0, 1).
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// The index at which the running sum of probabilities passes `number`.
fn draw(probabilities: &[f64], number: f64) -> usize {
    let mut sum = 0.0;
    let passes = |probability: &f64| {
        sum += probability;
        number < sum
    };
    // Rounding may leave the sum a little below 1; what is never drawn is not drawn then either.
    let last_possible = || probabilities.iter().rposition(|probability| *probability > 0.0);
    probabilities.iter().position(passes).or_else(last_possible).unwrap_or_default()
}
