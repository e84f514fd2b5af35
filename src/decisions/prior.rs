//! What is assumed of a content that has little history of its own: its category's response, and how far it may be off.
//!
//! Responses to contents differ by category and, within it, by content: the log-odds of each are normal around the category's,
//! and the categories' around that of all (empirical Bayes: all three spreads are learned from the contents with a history).
//! Pushes of the content itself move it from there by their clicks over those expected of as many (gamma–Poisson).

use serde::{Deserialize, Serialize};

use super::context::DecisionContext;
use domain::content::Content;
use domain::draw::draw;

/// Equally likely levels at which a content of little history is tried, in standard deviations above what is expected of it:
/// quantiles of the normal distribution, none below expectation (optimistic Bayesian sampling, May and others 2012).
pub const LEVELS: [f64; 16] = [
    0., 0., 0., 0., 0., 0., 0., 0., 0.078412, 0.237202, 0.40225, 0.579132, 0.776422, 1.00999, 1.318011,
    1.862732,
];
/// Standard deviations on either side that hold 90 %.
const INTERVAL: f64 = 1.644_853_626_951_472_5;

/// What is assumed of one content for one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContentPrior {
    /// Whose response it is: the category; `None`: that of all contents.
    pub category: Option<String>,
    /// Contents with a history that it was learned from.
    pub contents: u32,
    /// What it adds to the logit that the model would give.
    pub offset: f64,
    /// Standard deviation of the content's log-odds; 0: it is not tried at several levels.
    pub spread: f64,
}

impl ContentPrior {
    /// What a level adds to the logit.
    pub fn lift(&self, level: usize) -> f64 {
        self.spread * LEVELS.get(level).copied().unwrap_or(0.0)
    }

    /// How far the log-odds lie below and above what is expected, in nine of ten cases.
    pub fn margin(&self) -> f64 {
        INTERVAL * self.spread
    }
}

/// The level at which a content is tried for a user, drawn once for each campaign and occurrence.
pub(super) fn level(context: &DecisionContext, content: &Content) -> usize {
    let campaign = context.campaign.as_ref().map_or("", |campaign| &campaign.campaign_id);
    let names = [campaign, &context.user.user_id, &context.occurrence, &content.content_id];
    let number = draw(context.settings.seed, "content_level", &names.map(str::as_bytes));
    (number % LEVELS.len() as u64) as usize
}

/// Log-odds of contents and how far they differ, as far as contents with a history tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelOfContents {
    /// What is expected of another content.
    pub mean: f64,
    /// Standard deviation of another content.
    pub spread: f64,
    /// Contents that tell.
    pub contents: u32,
}

/// Log-odds within one category, between categories, and over all.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseLevels {
    /// Sums over the contents of each category.
    groups: Vec<Group>,
    all: Group,
    within: f64,
    between: f64,
}

/// Count, mean and sum of squared distances from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Group {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Group {
    fn absorb(&mut self, value: f64) {
        self.count += 1.0;
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }
}

impl ResponseLevels {
    /// Learns from contents with a history: the index of the category of each, if it has one, and its log-odds.
    pub fn learn(categories: usize, contents: &[(Option<usize>, f64)]) -> ResponseLevels {
        let mut groups = vec![Group::default(); categories];
        let mut all = Group::default();
        for (category, log_odds) in contents.iter().filter(|(_, log_odds)| log_odds.is_finite()) {
            all.absorb(*log_odds);
            if let Some(group) = category.and_then(|category| groups.get_mut(category)) {
                group.absorb(*log_odds);
            }
        }
        let known: Vec<&Group> = groups.iter().filter(|group| group.count > 1.0).collect();
        let freedom: f64 = known.iter().map(|group| group.count - 1.0).sum();
        let total = if all.count > 1.0 { all.squares / (all.count - 1.0) } else { 0.0 };
        let within = match freedom > 0.0 {
            true => known.iter().map(|group| group.squares).sum::<f64>() / freedom,
            false => total,
        };
        // What contents of all categories differ by beside what those of one do.
        let between = (total - within).max(0.0);
        ResponseLevels { groups, all, within, between }
    }

    /// What is expected of another content of a category: its mean, shrunk to that of all by how little is known of it.
    pub fn of(&self, category: Option<usize>) -> LevelOfContents {
        let group = category.and_then(|category| self.groups.get(category)).copied().unwrap_or_default();
        let noise = self.within + self.between * group.count;
        let share = if noise > 0.0 { self.between * group.count / noise } else { 0.0 };
        let unsure = self.between * (1.0 - share);
        LevelOfContents {
            mean: self.all.mean + share * (group.mean - self.all.mean),
            spread: libm::sqrt(self.within + unsure),
            contents: if group.count > 0.0 { group.count as u32 } else { self.all.count as u32 },
        }
    }
}

/// Pushes of a content and what became of them, beside what would be expected of as many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrialResults {
    /// Clicks.
    pub clicked: f64,
    /// Clicks to be expected of as many pushes of contents like it.
    pub expected: f64,
}

/// Clicks of each push of a usual content, from pushes and clicks of every content.
///
/// Rates of contents are taken for gamma-distributed around it with this spread, as [`after_trials`] does, so a content that was
/// pushed much tells little more than one that was pushed enough (the mean of a random-effects model: weight
/// `pushes / (1 + pushes · rate · spread²)`, DerSimonian and Laird 1986). The mean over all pushes would be that of the contents
/// that were chosen most, and the best of them would seem no better than usual.
pub fn usual_rate(contents: &[(u64, u64)], spread: f64) -> f64 {
    const STEPS: usize = 20;
    let mean = |rate: f64| {
        let weigh = |sent: f64| 1.0 / (1.0 + sent * rate * spread * spread);
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            contents.iter().map(|(sent, clicked)| of(*sent as f64, *clicked as f64)).sum()
        };
        let sent = sum(&|sent, _| sent * weigh(sent));
        if sent > 0.0 { (sum(&|sent, clicked| clicked * weigh(sent)) / sent).min(1.0) } else { 0.0 }
    };
    (0..STEPS).fold(mean(0.0), |rate, _| mean(rate))
}

/// How far pushes of a content move its log-odds, and how far they may still be off: of a gamma-distributed ratio with this
/// spread before the first push.
pub fn after_trials(spread: f64, results: TrialResults) -> (f64, f64) {
    if spread <= 0.0 {
        return (0.0, spread);
    }
    let strength = 1.0 / (spread * spread);
    let moved = libm::log((results.clicked + strength) / (results.expected + strength));
    // The gamma distribution's relative spread; more expected clicks tell as much as clicks do.
    (moved, 1.0 / libm::sqrt(strength + results.clicked.max(results.expected)))
}
