//! The model behind a snapshot: what scores its arms, and where its inputs come from.

use std::collections::BTreeMap;

use crate::decisions::context::DecisionContext;
use crate::decisions::scorer::{Contribution, PopularityScorer, Scorer};
use crate::profiles::recent::Recent;
use crate::workspace::Workspace;

/// What stands under `versions.model` when there is no model.
pub const POPULARITY: &str = "popularity";

/// Every kind of scorer that can be behind a decision.
#[derive(Clone, Debug)]
pub enum SnapshotScorer {
    /// No model: popular contents at the user's hours.
    Popularity(PopularityScorer),
}

impl SnapshotScorer {
    /// The scorer of a goal: its champion, or popularity without one.
    pub fn of_goal(_workspace: &Workspace, _goal: &str) -> SnapshotScorer {
        SnapshotScorer::Popularity(PopularityScorer)
    }

    /// The scorer that a logged decision was made with; `None` when this build or workspace does not have it.
    pub fn of_versions(
        _workspace: &Workspace,
        versions: &BTreeMap<String, String>,
    ) -> Option<SnapshotScorer> {
        let is_popularity = versions.get("model").map(String::as_str) == Some(POPULARITY);
        is_popularity.then_some(SnapshotScorer::Popularity(PopularityScorer))
    }

    /// Its name under `versions.model`.
    pub fn version(&self) -> &str {
        match self {
            SnapshotScorer::Popularity(_) => POPULARITY,
        }
    }

    /// Why decisions scored so are marked as fallen back, if they are.
    pub fn fallback(&self) -> Option<&'static str> {
        match self {
            SnapshotScorer::Popularity(_) => Some("no_model"),
        }
    }

    /// Fills the blocks of model inputs of a context: user, and content and pair of each content.
    pub(super) fn fill_inputs(&self, recent: &Recent, context: &mut DecisionContext) {
        match self {
            SnapshotScorer::Popularity(_) => {
                for content in &mut context.contents {
                    content.content_inputs = vec![recent.popularity(&content.content.content_id)];
                }
            }
        }
    }
}

impl Scorer for SnapshotScorer {
    fn user(&self, inputs: &[f64]) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.user(inputs),
        }
    }

    fn content(&self, inputs: &[f64]) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.content(inputs),
        }
    }

    fn pair(&self, inputs: &[f64]) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.pair(inputs),
        }
    }

    fn time(&self, activity: f64) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.time(activity),
        }
    }

    fn probability(&self, logit: f64) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.probability(logit),
        }
    }

    fn contributions(&self, user: &[f64], content: &[f64], pair: &[f64], activity: f64) -> Vec<Contribution> {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.contributions(user, content, pair, activity),
        }
    }
}
