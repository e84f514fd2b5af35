//! What views say of tastes and appeals: a multinomial logit of which content is looked at, learned view by view.
//!
//! P(user looks at c, of the contents that are out) ∝ exp(taste of his for c's category + appeal of c + per week of its age).
//! Each parameter is a normal distribution that moves by one Newton step a view, along its own curvature alone: the extended
//! Kalman filter of a generalised linear model (Fahrmeir 1992), with a diagonal covariance. Its means are shrunk as far as
//! they should be, so that one unit of them is one unit of log-odds.

/// Standard deviation of a user's taste for a category before his first view, in log-odds.
const TASTE_SPREAD: f64 = 1.0;
/// Of a content's appeal before its first view.
const APPEAL_SPREAD: f64 = 0.5;
/// Of what a week of age adds.
const AGE_SPREAD: f64 = 0.1;

/// A content that is out when something is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The content.
    pub content: usize,
    /// Its category.
    pub category: usize,
    /// Days since it came out.
    pub age_days: i32,
}

/// Tastes, appeals and age, from views; users, contents and categories are indices.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices {
    categories: usize,
    /// By user and category, user by user.
    tastes: Vec<Normal>,
    appeals: Vec<Normal>,
    per_week: Normal,
    views: Vec<u32>,
}

/// What is believed of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Normal {
    mean: f64,
    precision: f64,
}

impl Normal {
    fn around_zero(spread: f64) -> Normal {
        Normal { mean: 0.0, precision: 1.0 / (spread * spread) }
    }

    fn step(&mut self, gradient: f64, curvature: f64) {
        self.precision += curvature;
        self.mean += gradient / self.precision;
    }
}

impl Choices {
    /// Nothing seen of so many users, contents and categories.
    pub fn new(users: usize, contents: usize, categories: usize) -> Choices {
        Choices {
            categories,
            tastes: vec![Normal::around_zero(TASTE_SPREAD); users * categories],
            appeals: vec![Normal::around_zero(APPEAL_SPREAD); contents],
            per_week: Normal::around_zero(AGE_SPREAD),
            views: vec![0; contents],
        }
    }

    /// Adds a user's look at one of the contents that were out; a look at another says nothing.
    pub fn absorb(&mut self, user: usize, content: usize, out: &[Candidate]) {
        let Some(viewed) = out.iter().find(|candidate| candidate.content == content) else { return };
        let probabilities = self.probabilities(user, out);
        let mut by_category = vec![0.0; self.categories];
        let (mut age, mut age_squared) = (0.0, 0.0);
        for (candidate, probability) in out.iter().zip(&probabilities) {
            by_category[candidate.category] += probability;
            age += probability * weeks(candidate.age_days);
            age_squared += probability * weeks(candidate.age_days) * weeks(candidate.age_days);
            let seen = f64::from(u8::from(candidate.content == content));
            self.appeals[candidate.content].step(seen - probability, probability * (1.0 - probability));
        }
        self.per_week.step(weeks(viewed.age_days) - age, age_squared - age * age);
        let tastes = &mut self.tastes[user * self.categories..(user + 1) * self.categories];
        for (category, (taste, share)) in tastes.iter_mut().zip(by_category).enumerate() {
            let seen = f64::from(u8::from(category == viewed.category));
            taste.step(seen - share, share * (1.0 - share));
        }
        self.views[content] += 1;
    }

    /// Sets the mean appeal of the contents that are out to zero, where those begin that nobody has seen yet: views tell
    /// differences between contents that are out together, never the level of them all.
    pub fn centre(&mut self, out: &[Candidate]) {
        let seen: Vec<usize> = out
            .iter()
            .map(|candidate| candidate.content)
            .filter(|content| self.views[*content] > 0)
            .collect();
        let (mut sum, mut mass) = (0.0, 0.0);
        for content in &seen {
            let appeal = self.appeals[*content];
            sum += appeal.precision * appeal.mean;
            mass += appeal.precision;
        }
        seen.into_iter().for_each(|content| self.appeals[content].mean -= sum / mass);
    }

    /// Views of a content.
    pub fn views(&self, content: usize) -> u32 {
        self.views[content]
    }

    /// What a content of an age is to everybody, in log-odds beside the mean new one.
    pub fn popularity(&self, content: usize, age_days: i32) -> f64 {
        self.appeals[content].mean + self.per_week.mean * weeks(age_days)
    }

    /// A user's taste for each category, in log-odds, their mean taken off: a user of strong tastes is not thereby one who
    /// clicks more.
    pub fn interests(&self, user: usize) -> impl Iterator<Item = f64> {
        let tastes = &self.tastes[user * self.categories..(user + 1) * self.categories];
        let mean = tastes.iter().map(|taste| taste.mean).sum::<f64>() / self.categories as f64;
        tastes.iter().map(move |taste| taste.mean - mean)
    }

    fn probabilities(&self, user: usize, out: &[Candidate]) -> Vec<f64> {
        let log_odds = |candidate: &Candidate| {
            self.tastes[user * self.categories + candidate.category].mean
                + self.popularity(candidate.content, candidate.age_days)
        };
        let mut odds: Vec<f64> = out.iter().map(|candidate| libm::exp(log_odds(candidate))).collect();
        super::normalise(&mut odds);
        odds
    }
}

fn weeks(days: i32) -> f64 {
    f64::from(days) / 7.0
}
