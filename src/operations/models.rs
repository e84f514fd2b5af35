//! Lists the models of a workspace, and shows one with its card, its history and its drift.

use super::context::{Context, ContextError};
use super::drift::{DriftedModel, MeasuredDrift, measure};
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;
use registry::card::Card;
use registry::gate::Gate;
use registry::model::ModelKind;
use registry::versions::{ChampionChange, Registered, Registry, RegistryError};

/// A question to the registry without an answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// The champion is scored and logged already.
    #[error("bad_shadow: it is the champion, which is scored already")]
    ShadowIsChampion,
    /// The registry cannot answer, or a gate refuses.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl Coded for ModelsError {
    fn code(&self) -> &'static str {
        match self {
            ModelsError::ShadowIsChampion => "bad_shadow",
            ModelsError::Registry(error) => error.code(),
            ModelsError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ModelsError::ShadowIsChampion => ErrorKind::Conflict,
            ModelsError::Registry(error) => error.kind(),
            ModelsError::Context(error) => error.kind(),
        }
    }
}

/// One version of a goal.
#[derive(Debug)]
pub struct ListedModel {
    /// The goal.
    pub goal: String,
    /// The version.
    pub version: String,
    /// Is it the goal's champion?
    pub is_champion: bool,
    /// Is it the goal's shadow?
    pub is_shadow: bool,
    /// The model; a list shows what is broken instead of ending there.
    pub found: Result<Registered, RegistryError>,
}

/// What keeps a model from being served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// It does not beat the base rate.
    BaseRate,
    /// A line of the gate does not hold.
    RefusedByGate,
    /// It is another team's table of predictions.
    Imported,
}

impl ListedModel {
    /// What keeps the model from being served, if anything does.
    pub fn hindrance(&self) -> Option<Hindrance> {
        let found = self.found.as_ref().ok()?;
        let gate = found.card.as_ref().and_then(|card| card.gate.as_ref());
        match (found.model.kind, gate) {
            (ModelKind::BaseRate, _) => Some(Hindrance::BaseRate),
            (_, Some(gate)) if !gate.is_passed() => Some(Hindrance::RefusedByGate),
            (ModelKind::Imported, _) => Some(Hindrance::Imported),
            (ModelKind::LogisticRegression | ModelKind::Ftrl | ModelKind::GradientBoosting, _) => None,
        }
    }
}

/// A version with everything that is known of it.
#[derive(Debug)]
pub struct ShownModel {
    /// The goal.
    pub goal: String,
    /// The version and its model.
    pub found: Registered,
    /// Its card.
    pub card: Card,
    /// The goal's champion, if there is one.
    pub champion: Option<String>,
    /// Changes of the champion, oldest first.
    pub journal: Vec<ChampionChange>,
    /// How far it has drifted, if it is the champion.
    pub drift: MeasuredDrift,
    /// Set when it has drifted too far.
    pub refusal: Option<DriftedModel>,
}

/// Lists every version of every goal, or of one.
///
/// # Errors
/// When the goal that was asked for has no model.
pub fn list(context: &Context<'_>, goal: Option<&str>) -> Result<Vec<ListedModel>, ModelsError> {
    let registry = Registry::of(context.workspace);
    let goals = match goal {
        Some(goal) if !registry.goals().contains(&goal.to_string()) => {
            context.goal(goal)?;
            return Err(RegistryError::NoModel { goal: goal.to_string(), before: None }.into());
        }
        Some(goal) => vec![goal.to_string()],
        None => registry.goals(),
    };
    Ok(goals.iter().flat_map(|goal| versions_of(&registry, goal)).collect())
}

fn versions_of(registry: &Registry, goal: &str) -> Vec<ListedModel> {
    let (champion, shadow) = (registry.champion(goal), registry.shadow(goal));
    let listed = |version: String| ListedModel {
        goal: goal.to_string(),
        is_champion: champion.as_ref() == Some(&version),
        is_shadow: shadow.as_ref() == Some(&version),
        found: registry.read(goal, &version),
        version,
    };
    registry.versions(goal).into_iter().map(listed).collect()
}

/// Names the newest version of a goal without a champion, and why it is not in use.
fn without_champion(registry: &Registry, goal: &str, error: RegistryError) -> RegistryError {
    if !matches!(error, RegistryError::NoModel { .. }) {
        return error;
    }
    let versions = registry.versions(goal).into_iter();
    let readable = versions.filter_map(|version| registry.read(goal, &version).ok());
    let Some(newest) = readable.max_by_key(|found| (found.model.as_of, found.version.clone())) else {
        return error;
    };
    let gate = newest.card.and_then(|card| card.gate);
    let failed: Vec<String> = gate.iter().flat_map(Gate::failed).map(|line| line.to_string()).collect();
    let why = match failed.is_empty() {
        true => "and is not promoted".to_string(),
        false => format!("and refused by the gate: {}", failed.join("; ")),
    };
    RegistryError::NoChampion { goal: goal.to_string(), version: newest.version, why }
}

/// Shows a version, by default the champion; the champion's drift is measured as of `as_of`, by default 1 µs after the
/// newest event, but not later than now.
///
/// # Errors
/// When there is no such version, or it or its card cannot be read.
pub fn show(
    context: &Context<'_>,
    goal: &str,
    version: Option<&str>,
    as_of: Option<Instant>,
) -> Result<ShownModel, ModelsError> {
    let registry = Registry::of(context.workspace);
    let found = match version {
        Some(version) => registry.read(goal, version)?,
        None => registry.read_champion(goal).map_err(|error| without_champion(&registry, goal, error))?,
    };
    let Some(card) = found.card.clone() else {
        let path = registry.version_directory(goal, &found.version).join("card.json");
        return Err(RegistryError::LostCard(path).into());
    };
    let champion = registry.champion(goal);
    let drift = match champion.as_ref() == Some(&found.version) {
        true => measure(context, &found, as_of)?,
        false => MeasuredDrift::Nothing,
    };
    let refusal = drift.refusal();
    Ok(ShownModel {
        goal: goal.to_string(),
        journal: registry.journal(goal)?,
        found,
        card,
        champion,
        drift,
        refusal,
    })
}
