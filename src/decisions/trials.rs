//! With what probability each arm is the best, where contents of little history are drawn at one of several levels.

use std::cmp::Ordering;

use super::board::{Arm, Board};
use super::prior::LEVELS;

/// The best arm of a content at one level.
#[derive(Clone, Copy)]
struct Trial {
    /// Index of the content among those that compete; those that are not tried count as one, which comes first.
    content: usize,
    /// Index of the arm.
    arm: usize,
    /// The arm at that level.
    drawn: Arm,
    /// Levels at which the content comes to this.
    levels: usize,
}

/// The probability of each arm to be the best of them, whatever was drawn; `None` where nothing is drawn.
///
/// Each content is drawn on its own, so an arm is best with the share of levels at which it is its content's best, times that
/// of the levels of each other content at which that one is worse. Draws after which nothing is worth sending do not count.
pub(super) fn shares(board: &Board, arms: &[Arm]) -> Option<Vec<f64>> {
    if !arms.iter().any(|arm| board.offers[arm.offer].is_tried()) {
        return None;
    }
    let mut trials = trials(board, arms);
    trials.sort_by(|one, other| board.order(&other.drawn, &one.drawn));
    let contents = trials.iter().map(|trial| trial.content + 1).max().unwrap_or(0);
    let (mut worse, mut shares) = (vec![0; contents], vec![0.0; arms.len()]);
    for trial in &trials {
        if trial.drawn.value > 0.0 {
            let others = worse.iter().enumerate().filter(|(content, _)| *content != trial.content);
            let loses: f64 = others.map(|(_, levels)| part(*levels)).product();
            shares[trial.arm] += part(trial.levels) * loses;
        }
        worse[trial.content] += trial.levels;
    }
    let sum: f64 = shares.iter().sum();
    (sum > 0.0).then(|| shares.into_iter().map(|share| share / sum).collect())
}

fn part(levels: usize) -> f64 {
    levels as f64 / LEVELS.len() as f64
}

/// The best arm of each content that is drawn at each level; of all others together, the best at every level.
fn trials(board: &Board, arms: &[Arm]) -> Vec<Trial> {
    let mut trials: Vec<Trial> = Vec::new();
    let known = arms.iter().enumerate().filter(|(_, arm)| !board.offers[arm.offer].is_tried());
    if let Some((arm, drawn)) = known.min_by(|one, other| board.order(one.1, other.1)) {
        trials.push(Trial { content: 0, arm, drawn: *drawn, levels: LEVELS.len() });
    }
    let mut offers: Vec<usize> =
        arms.iter().map(|arm| arm.offer).filter(|offer| board.offers[*offer].is_tried()).collect();
    offers.sort_unstable();
    offers.dedup();
    let first = trials.len();
    for (content, offer) in offers.into_iter().enumerate() {
        let own: Vec<usize> = (0..arms.len()).filter(|arm| arms[*arm].offer == offer).collect();
        let best = (0..LEVELS.len()).filter_map(|level| best_at(board, arms, &own, level));
        trials.extend(best.map(|(arm, drawn)| Trial { content: first + content, arm, drawn, levels: 1 }));
    }
    trials
}

fn best_at(board: &Board, arms: &[Arm], own: &[usize], level: usize) -> Option<(usize, Arm)> {
    let at = |index: &usize| {
        let arm = arms[*index];
        Some((*index, board.arm_at(arm.offer, arm.channel, arm.slot, level)?))
    };
    let better = |one: &(usize, Arm), other: &(usize, Arm)| -> Ordering { board.order(&one.1, &other.1) };
    own.iter().filter_map(at).min_by(better)
}
