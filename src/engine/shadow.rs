//! Challengers in the shadow: scored and logged beside the champion, never served.

use std::collections::{BTreeMap, HashMap};

use config::Config;
use decisions::context::DecisionContext;
use decisions::second_opinion::second_opinion;
use domain::decision::Decision;
use files::workspace::Workspace;
use models::score::{check_goal, check_inputs};
use registry::model::{Model, ModelError, ModelKind};
use registry::predictions::About;
use registry::versions::{Registry, RegistryError};
use store::decision_log::ShadowScore;

/// The shadow of a goal.
#[derive(Clone, Debug)]
pub(super) struct Shadow {
    /// `goal/version`
    name: String,
    says: ShadowSource,
}

#[derive(Clone, Debug)]
enum ShadowSource {
    /// A model of ours: it reads the inputs that the champion reads.
    Model(Box<Model>),
    /// Another team's table: propensity by user, campaign and content, as far as its goal tells them apart.
    Table(HashMap<About, f64>),
}

impl Shadow {
    /// What it says of a sent decision; `None` of one that sends nothing, or of what it does not know.
    fn probability(&self, context: &DecisionContext, decision: &Decision, has_champion: bool) -> Option<f64> {
        match &self.says {
            // Without a champion nobody has looked up the inputs.
            ShadowSource::Model(_) if !has_champion => None,
            ShadowSource::Model(model) => second_opinion(context, decision, &**model),
            ShadowSource::Table(table) => {
                decision.send_at?;
                let user = || decision.user_id.clone();
                let (campaign, content) = (decision.campaign_id.clone(), decision.content_id.clone());
                let abouts = [(user(), None, content), (user(), campaign, None), (user(), None, None)];
                abouts.iter().find_map(|about| table.get(about)).copied()
            }
        }
    }

    /// The record's line about it.
    pub(super) fn score(
        &self,
        context: &DecisionContext,
        decision: &Decision,
        has_champion: bool,
    ) -> Option<ShadowScore> {
        let response_probability = self.probability(context, decision, has_champion)?;
        Some(ShadowScore { model: self.name.clone(), response_probability })
    }
}

/// The shadows of all goals, and what is wrong with those that cannot be used.
pub(super) fn shadows(workspace: &Workspace, config: &Config) -> (BTreeMap<String, Shadow>, Vec<String>) {
    let registry = Registry::of(workspace);
    let (mut shadows, mut errors) = (BTreeMap::new(), Vec::new());
    for (goal, declared) in &config.goals {
        let Some(version) = registry.shadow(goal) else { continue };
        match read(&registry, goal, &version, |model| check_goal(model, declared)) {
            Ok(shadow) => drop(shadows.insert(goal.clone(), shadow)),
            Err(error) => errors.push(format!("shadow of {goal}: {error}")),
        }
    }
    (shadows, errors)
}

fn read(
    registry: &Registry,
    goal: &str,
    version: &str,
    check: impl Fn(&Model) -> Result<(), ModelError>,
) -> Result<Shadow, RegistryError> {
    let model = registry.read(goal, version)?.model;
    let path = registry.version_directory(goal, version).join("model.json");
    check(&model)
        .and_then(|()| check_inputs(&model))
        .map_err(|error| RegistryError::Unusable { path, error })?;
    let says = match model.kind {
        ModelKind::Imported => ShadowSource::Table(registry.predictions(goal, version)?),
        _ => ShadowSource::Model(Box::new(model)),
    };
    Ok(Shadow { name: format!("{goal}/{version}"), says })
}
