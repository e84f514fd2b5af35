//! What events and outcomes say of contents, users and the two together, shrunk to what is known of all.

use super::choices::{Candidate, Choices};
use super::ratio::Ratios;
use super::{INPUTS, ResponseModel, ResponseOutcome};

/// Clicks that the priors of contents, users and pairs count like, until it is seen how far these differ.
const STRENGTHS: [f64; 3] = [15.0, 15.0, 15.0];

/// Indices of the inputs that are ratios of clicks.
const USER_RESPONSE: usize = 0;
const CONTENT_RESPONSE: usize = 3;
const PAIR_RESPONSE: usize = 6;

/// Sums over views and outcomes; users, contents and categories are indices.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    categories: usize,
    choices: Choices,
    users: Ratios,
    contents: Ratios,
    pairs: Ratios,
}

impl Evidence {
    /// Nothing known of so many users, contents and categories.
    pub fn new(users: usize, contents: usize, categories: usize) -> Evidence {
        Evidence {
            categories,
            choices: Choices::new(users, contents, categories),
            users: Ratios::new(users, STRENGTHS[0]),
            contents: Ratios::new(contents, STRENGTHS[1]),
            pairs: Ratios::new(users * categories, STRENGTHS[2]),
        }
    }

    /// Adds a day's looks, each a user and a content, at contents that were out on it.
    pub fn absorb_views(&mut self, views: impl Iterator<Item = (usize, usize)>, out: &[Candidate]) {
        views.for_each(|(user, content)| self.choices.absorb(user, content, out));
        self.choices.centre(out);
    }

    /// Adds an outcome, beside what a model expects of it without the ratio in question.
    pub fn absorb_outcome(
        &mut self,
        [user, content, category]: [usize; 3],
        outcome: &ResponseOutcome,
        model: &ResponseModel,
    ) {
        let expected = |input| model.probability_without(outcome, input);
        self.users.absorb(user, outcome.is_clicked, expected(USER_RESPONSE));
        self.contents.absorb(content, outcome.is_clicked, expected(CONTENT_RESPONSE));
        let pair = user * self.categories + category;
        self.pairs.absorb(pair, outcome.is_clicked, expected(PAIR_RESPONSE));
    }

    /// Learns anew how far users, contents and pairs differ.
    pub fn learn_strengths(&mut self) {
        [&mut self.users, &mut self.contents, &mut self.pairs].into_iter().for_each(Ratios::learn_strength);
    }

    /// Views of a content.
    pub fn views(&self, content: usize) -> u32 {
        self.choices.views(content)
    }

    /// The user block: response, felt pushes.
    pub fn user_inputs(&self, user: usize, felt_pushes: f64) -> [f64; 2] {
        [self.users.log_ratio(user), felt_pushes]
    }

    /// The content block: popularity, response, age in weeks.
    pub fn content_inputs(&self, content: usize, age_days: i32) -> [f64; 3] {
        let popularity = self.choices.popularity(content, age_days);
        [popularity, self.contents.log_ratio(content), f64::from(age_days) / 7.0]
    }

    /// The pair blocks of a user with each category: interest, response.
    pub fn pair_inputs(&self, user: usize) -> Vec<[f64; 2]> {
        let response = |category: usize| self.pairs.log_ratio(user * self.categories + category);
        self.choices
            .interests(user)
            .enumerate()
            .map(|(category, interest)| [interest, response(category)])
            .collect()
    }

    /// The whole row of an arm, in the order of [`INPUTS`].
    pub fn row(user: [f64; 2], content: [f64; 3], pair: [f64; 2]) -> [f32; INPUTS.len()] {
        let [response, felt] = user;
        let [popularity, content_response, age] = content;
        let [interest, pair_response] = pair;
        [response, felt, popularity, content_response, age, interest, pair_response].map(|value| value as f32)
    }
}
