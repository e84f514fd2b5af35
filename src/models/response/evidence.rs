//! What events and outcomes say of contents, users and the two together, shrunk to what is known of all.

use super::ratio::Ratios;
use super::{INPUTS, Outcome, ResponseModel};

/// Views of the mean content that the prior of a content's popularity counts like.
const POPULARITY_STRENGTH: f64 = 5.0;
/// Views that the prior of a user's interests counts like.
const INTEREST_STRENGTH: f64 = 10.0;
/// Clicks that the priors of contents, users and pairs count like, until it is seen how far these differ.
const STRENGTHS: [f64; 3] = [15.0, 15.0, 15.0];

/// Places of the inputs that are ratios of clicks.
const USER_RESPONSE: usize = 0;
const CONTENT_RESPONSE: usize = 3;
const PAIR_RESPONSE: usize = 6;

/// Sums over views and outcomes; users, contents and categories are indices.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    categories: usize,
    /// Views of each content, and how many a content of mean appeal would have had before the same people.
    views: Vec<(u32, f64)>,
    /// Views by user and category, user by user.
    interests: Vec<u32>,
    by_category: Vec<u64>,
    users: Ratios,
    contents: Ratios,
    pairs: Ratios,
}

impl Evidence {
    /// Nothing known of so many users, contents and categories.
    pub fn new(users: usize, contents: usize, categories: usize) -> Evidence {
        Evidence {
            categories,
            views: vec![(0, 0.0); contents],
            interests: vec![0; users * categories],
            by_category: vec![0; categories],
            users: Ratios::new(users, STRENGTHS[0]),
            contents: Ratios::new(contents, STRENGTHS[1]),
            pairs: Ratios::new(users * categories, STRENGTHS[2]),
        }
    }

    /// Adds an act of a user on one of the contents that were out, given with their categories.
    ///
    /// Each of them is expected to be looked at as his interests say, were all of like appeal: what it is looked at beyond
    /// that is its popularity, whomever it competes with.
    pub fn absorb_view(&mut self, user: usize, content: usize, out: &[(usize, usize)]) {
        let odds: Vec<f64> = self.interests_of(user).map(libm::exp).collect();
        let total: f64 = out.iter().map(|(_, category)| odds[*category]).sum();
        out.iter().for_each(|(other, category)| self.views[*other].1 += odds[*category] / total);
        self.views[content].0 += 1;
        let viewed = out.iter().filter(|(other, _)| *other == content);
        for (_, category) in viewed {
            self.interests[user * self.categories + category] += 1;
            self.by_category[*category] += 1;
        }
    }

    /// Adds an outcome, beside what a model expects of it without the ratio in question.
    pub fn absorb_outcome(
        &mut self,
        [user, content, category]: [usize; 3],
        outcome: &Outcome,
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
        self.views[content].0
    }

    /// The user block: response, felt pushes.
    pub fn user_inputs(&self, user: usize, felt_pushes: f64) -> [f64; 2] {
        [self.users.log_ratio(user), felt_pushes]
    }

    /// The content block: popularity, response, age in weeks.
    pub fn content_inputs(&self, content: usize, age_days: i32) -> [f64; 3] {
        let (views, expected) = self.views[content];
        let popularity =
            libm::log((f64::from(views) + POPULARITY_STRENGTH) / (expected + POPULARITY_STRENGTH));
        [popularity, self.contents.log_ratio(content), f64::from(age_days) / 7.0]
    }

    /// The pair blocks of a user with each category: interest, response.
    ///
    /// Interest is ln(his share of views in the category / everybody's), shrunk, its mean over categories taken off: a
    /// user of strong tastes is not thereby one who clicks more.
    pub fn pair_inputs(&self, user: usize) -> Vec<[f64; 2]> {
        let interests: Vec<f64> = self.interests_of(user).collect();
        let mean = interests.iter().sum::<f64>() / self.categories as f64;
        let pair = |(category, interest): (usize, f64)| {
            [interest - mean, self.pairs.log_ratio(user * self.categories + category)]
        };
        interests.into_iter().enumerate().map(pair).collect()
    }

    /// ln(a user's share of views in each category / everybody's), shrunk.
    fn interests_of(&self, user: usize) -> impl Iterator<Item = f64> {
        let own = &self.interests[user * self.categories..(user + 1) * self.categories];
        let total = self.by_category.iter().sum::<u64>() as f64 + self.categories as f64;
        let views = f64::from(own.iter().sum::<u32>());
        own.iter().enumerate().map(move |(category, count)| {
            let share = (self.by_category[category] as f64 + 1.0) / total;
            let own = (f64::from(*count) + INTEREST_STRENGTH * share) / (views + INTEREST_STRENGTH);
            libm::log(own / share)
        })
    }

    /// The whole row of an arm, in the order of [`INPUTS`].
    pub fn row(user: [f64; 2], content: [f64; 3], pair: [f64; 2]) -> [f32; INPUTS.len()] {
        let [response, felt] = user;
        let [popularity, content_response, age] = content;
        let [interest, pair_response] = pair;
        [response, felt, popularity, content_response, age, interest, pair_response].map(|value| value as f32)
    }
}
