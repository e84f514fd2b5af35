//! What a look-alike came to.

use std::path::PathBuf;

use super::{LearnedLookalike, SaveReport};
use ::segments::answers::lookalike::Input;
use ::segments::answers::privacy::Reader;
use models::lookalike::Reach;

/// Inputs that are reported: those with the largest weights.
const MOST_INPUTS: usize = 10;
/// Inputs of the sentence.
const MOST_SAID: usize = 3;

/// A learned model, what reaches come to, and whom the request took.
#[derive(Clone, Debug)]
pub struct LookalikeReport {
    /// People and model.
    pub learned: LearnedLookalike,
    /// What each share of the others would have found of the seed.
    pub curve: Vec<Reach>,
    /// Ids of the users whom the request takes, sorted; `None` when it takes none.
    pub taken: Option<Vec<String>>,
    /// Who reads.
    pub reader: Reader,
    /// The list that was saved.
    pub saved: Option<SaveReport>,
}

/// Those on a list who have no profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    /// How many …
    pub unknown: u64,
    /// … of how many.
    pub read: u64,
    /// The list.
    pub file: PathBuf,
}

impl LookalikeReport {
    /// Could the AUC be that of chance?
    pub fn is_chance(&self) -> bool {
        self.learned.model.auc.low <= 0.5
    }

    /// People in the seed.
    pub fn seed_members(&self) -> u64 {
        self.learned.members.iter().filter(|member| **member).count() as u64
    }

    /// How a saved list came about, for its card.
    pub(super) fn recipe(&self) -> String {
        let LearnedLookalike { seed, as_of, model, without, .. } = &self.learned;
        let without = match without.is_empty() {
            true => String::new(),
            false => format!(", without {}", without.join(", ")),
        };
        let least = self.least_similarity();
        format!(
            "like {seed} as of {as_of}: similarity from {least:.4} on, AUC {:.3} [{:.3} {:.3}] out of fold, logistic \
             regression, penalty {}{without}",
            model.auc.value, model.auc.low, model.auc.high, model.penalty
        )
    }

    /// Similarity of the last who was taken.
    pub fn least_similarity(&self) -> f64 {
        let LearnedLookalike { ids, model, .. } = &self.learned;
        let taken = self.taken.iter().flatten().filter_map(|id| ids.binary_search(id).ok());
        taken.map(|row| model.similarity[row]).fold(1.0, f64::min)
    }

    /// Inputs with the largest weights, and the weights.
    pub fn strongest(&self) -> Vec<(&Input, f64)> {
        let weights = self.learned.model.weights.iter().copied();
        let mut all: Vec<(&Input, f64)> = self.learned.inputs.iter().zip(weights).collect();
        all.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
        all.truncate(MOST_INPUTS);
        all
    }

    /// The strongest inputs of which the means say the same as the weights, in words.
    pub fn sentence(&self) -> String {
        let says_so = |(input, weight): &(&Input, f64)| (input.seed_mean - input.others_mean) * weight > 0.0;
        let said = self.strongest().into_iter().filter(says_so).take(MOST_SAID).map(|(input, weight)| {
            let word = if weight > 0.0 { "more" } else { "less" };
            let (seed, others) = (shortened(input.seed_mean), shortened(input.others_mean));
            format!("{word} {} ({seed} beside {others})", input.said())
        });
        let said: Vec<String> = said.collect();
        match said.is_empty() {
            true => "No single thing sets the seed apart.".to_string(),
            false => format!("The seed has {}.", said.join("; ")),
        }
    }
}

/// A number of about three digits.
pub fn shortened(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 1.0 => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}
