//! Are contents pushed in proportion to what they are worth? Pushes beside the quality that the world planted.

use serde::Serialize;

use super::Stage;
use super::game::Play;
use evaluation::bootstrap::Figure;

/// Two-sided 95 % quantile of the standard normal.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// Below so many contents a correlation is not reported.
const LEAST_CONTENTS: usize = 5;

/// How a policy shared its pushes among contents of known quality.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContentFigures {
    /// Spearman's rank correlation of a content's planted appeal and its pushes, over contents that came out and expired during
    /// play; absent when there are too few.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_correlation: Option<Figure>,
    /// The same for the pushes of each content's first [`super::game::FRESH_DAYS`] days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_rank_correlation: Option<Figure>,
    /// Expected clicks that the best content of the moment would have added to a push, the hour being the same.
    pub regret: Figure,
}

/// A content that came out and expired during play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PlayedContent {
    appeal: f64,
    pushes: f64,
    fresh_pushes: f64,
}

/// The contents of a play that came out and expired during it.
pub(super) fn played_contents(stage: &Stage, play: &Play) -> Vec<PlayedContent> {
    let world = &stage.world;
    let last = world.days() - world.parameters.contents.life_days;
    let contents = world.contents.iter().zip(&play.contents);
    let whole = contents.filter(|(content, _)| (0..=last).contains(&content.published));
    whole
        .map(|(content, pushes)| PlayedContent {
            appeal: content.appeal,
            pushes: pushes.all as f64,
            fresh_pushes: pushes.fresh as f64,
        })
        .collect()
}

/// The figures of some contents.
pub(super) fn figures(contents: &[PlayedContent], regret: Figure) -> ContentFigures {
    let column = |of: fn(&PlayedContent) -> f64| contents.iter().map(of).collect::<Vec<f64>>();
    let appeals = column(|content| content.appeal);
    ContentFigures {
        rank_correlation: rank_correlation(&appeals, &column(|content| content.pushes)),
        fresh_rank_correlation: rank_correlation(&appeals, &column(|content| content.fresh_pushes)),
        regret,
    }
}

/// Spearman's rank correlation with its 95 % interval by Fisher's transformation, whose variance is (1 + ρ²/2) / (n − 3)
/// (Bonett and Wright 2000); `None` of few pairs, or where one side does not vary.
pub fn rank_correlation(one: &[f64], other: &[f64]) -> Option<Figure> {
    let n = one.len();
    if n < LEAST_CONTENTS {
        return None;
    }
    let value = correlation(&ranks(one), &ranks(other))?;
    let error = libm::sqrt((1.0 + value * value / 2.0) / (n as f64 - 3.0));
    let centre = libm::atanh(value.clamp(-1.0, 1.0));
    let bound =
        |side: f64| if centre.is_finite() { libm::tanh(centre + side * QUANTILE * error) } else { value };
    Some(Figure { value, low: bound(-1.0), high: bound(1.0), n: n as u64 })
}

/// Ranks from 0; equals share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for equals in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let mean = first as f64 + (equals.len() - 1) as f64 / 2.0;
        equals.iter().for_each(|index| ranks[*index] = mean);
        first += equals.len();
    }
    ranks
}

/// Pearson's correlation; `None` where one side does not vary.
fn correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_one, mean_other) = (mean(one), mean(other));
    let (mut together, mut of_one, mut of_other) = (0.0, 0.0, 0.0);
    for (one, other) in one.iter().zip(other) {
        together += (one - mean_one) * (other - mean_other);
        of_one += (one - mean_one) * (one - mean_one);
        of_other += (other - mean_other) * (other - mean_other);
    }
    (of_one > 0.0 && of_other > 0.0).then(|| together / libm::sqrt(of_one * of_other))
}
