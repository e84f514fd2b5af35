//! The model behind a snapshot: what scores its arms.

use std::collections::BTreeMap;
use std::sync::Arc;

use decisions::scorer::{Contribution, PopularityScorer, Scorer};
use domain::goal::Goal;
use files::workspace::Workspace;
use models::score::{check_goal, check_inputs};
use registry::model::Model;
use registry::versions::{Registry, RegistryError};

/// What stands under `versions.model` when there is no model.
pub const POPULARITY: &str = "popularity";

/// Every kind of scorer that can be behind a decision.
#[derive(Clone, Debug)]
pub enum SnapshotScorer {
    /// No model: popular contents at the user's hours.
    Popularity(PopularityScorer),
    /// A trained model.
    Learned(Arc<LearnedScorer>),
}

/// A champion.
#[derive(Clone, Debug)]
pub struct LearnedScorer {
    /// The model.
    pub model: Model,
    /// `goal/version`
    pub name: String,
}

impl SnapshotScorer {
    /// The scorer of a goal: its champion, or popularity without one; and what is wrong with a champion that cannot be used,
    /// such as one that was trained for the goal as it was declared before.
    pub fn of_goal(
        workspace: &Workspace,
        goal: &str,
        declared: Option<&Goal>,
    ) -> (SnapshotScorer, Option<String>) {
        let registry = Registry::of(workspace);
        let popularity = SnapshotScorer::Popularity(PopularityScorer);
        match registry.champion(goal).map(|version| learned(&registry, goal, &version)) {
            Some(Ok(learned)) if declared.is_some_and(|goal| check_goal(&learned.model, goal).is_err()) => (
                popularity,
                Some(format!("other_goal: {} answers {goal} as it was declared before", learned.name)),
            ),
            Some(Ok(learned)) => (SnapshotScorer::Learned(Arc::new(learned)), None),
            Some(Err(error)) => (popularity, Some(error.to_string())),
            None => (popularity, None),
        }
    }

    /// The scorer that a logged decision was made with; `None` when this build or workspace does not have it.
    pub fn of_versions(workspace: &Workspace, versions: &BTreeMap<String, String>) -> Option<SnapshotScorer> {
        let name = versions.get("model")?;
        if name == POPULARITY {
            return Some(SnapshotScorer::Popularity(PopularityScorer));
        }
        let (goal, version) = name.split_once('/')?;
        let learned = learned(&Registry::of(workspace), goal, version).ok()?;
        Some(SnapshotScorer::Learned(Arc::new(learned)))
    }

    /// Its name under `versions.model`.
    pub fn version(&self) -> &str {
        match self {
            SnapshotScorer::Popularity(_) => POPULARITY,
            SnapshotScorer::Learned(learned) => &learned.name,
        }
    }

    /// Why decisions scored so are marked as fallen back, if they are.
    pub fn fallback(&self) -> Option<&'static str> {
        match self {
            SnapshotScorer::Popularity(_) => Some("no_model"),
            SnapshotScorer::Learned(_) => None,
        }
    }
}

fn learned(registry: &Registry, goal: &str, version: &str) -> Result<LearnedScorer, RegistryError> {
    let found = registry.read(goal, version)?;
    registry.check_servable(&found)?;
    let model = found.model;
    let path = registry.version_directory(goal, version).join("model.json");
    check_inputs(&model).map_err(|error| RegistryError::Unusable { path, error })?;
    Ok(LearnedScorer { model, name: format!("{goal}/{version}") })
}

impl Scorer for SnapshotScorer {
    fn user(&self, inputs: &[f64]) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.user(inputs),
            SnapshotScorer::Learned(learned) => learned.model.user(inputs),
        }
    }

    fn content(&self, inputs: &[f64]) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.content(inputs),
            SnapshotScorer::Learned(learned) => learned.model.content(inputs),
        }
    }

    fn pair(&self, inputs: &[f64]) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.pair(inputs),
            SnapshotScorer::Learned(learned) => learned.model.pair(inputs),
        }
    }

    fn joint(&self, user: &[f64], content: &[f64], pair: &[f64]) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.joint(user, content, pair),
            SnapshotScorer::Learned(learned) => learned.model.joint(user, content, pair),
        }
    }

    fn time(&self, activity: f64) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.time(activity),
            SnapshotScorer::Learned(learned) => learned.model.time(activity),
        }
    }

    fn probability(&self, logit: f64) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.probability(logit),
            SnapshotScorer::Learned(learned) => learned.model.probability(logit),
        }
    }

    fn arm_probability(&self, shift: f64, time: f64) -> f64 {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.arm_probability(shift, time),
            SnapshotScorer::Learned(learned) => learned.model.arm_probability(shift, time),
        }
    }

    fn contributions(&self, user: &[f64], content: &[f64], pair: &[f64], activity: f64) -> Vec<Contribution> {
        match self {
            SnapshotScorer::Popularity(scorer) => scorer.contributions(user, content, pair, activity),
            SnapshotScorer::Learned(learned) => learned.model.contributions(user, content, pair, activity),
        }
    }
}
