//! Makes a version the champion if the gate lets it, and brings the former champion back.

use super::context::Context;
use super::models::ModelsError;
use domain::error::{Coded, ErrorKind};
use registry::versions::{Promotion, Registry, RegistryError};

/// Who is to become champion.
#[derive(Clone, Debug)]
pub struct PromoteRequest {
    /// The goal.
    pub goal: String,
    /// The version.
    pub version: String,
    /// Go past the gate; the lines that do not hold are kept in the journal.
    pub is_forced: bool,
}

/// A goal's champion after a change.
#[derive(Clone, Debug)]
pub struct ChampionReport {
    /// The goal.
    pub goal: String,
    /// The champion.
    pub champion: String,
    /// The champion before.
    pub former: Option<String>,
    /// Lines of the gate that were passed by force.
    pub forced: Vec<String>,
}

impl ChampionReport {
    /// Was the champion the champion before?
    pub fn is_unchanged(&self) -> bool {
        self.former.as_ref() == Some(&self.champion)
    }
}

/// Makes a version the champion.
///
/// # Errors
/// When the gate refuses it, it cannot be read, or another process writes.
pub fn promote(context: &Context<'_>, request: &PromoteRequest) -> Result<ChampionReport, ModelsError> {
    let _lock = context.lock()?;
    let registry = Registry::of(context.workspace);
    let PromoteRequest { goal, version, is_forced } = request;
    let Promotion { from, forced } = registry.promote(goal, version, *is_forced, context.now)?;
    Ok(ChampionReport { goal: goal.clone(), champion: version.clone(), former: from, forced })
}

/// Brings the former champion back and withdraws the present one.
///
/// # Errors
/// When there is no former champion, it cannot be read, or another process writes.
pub fn rollback(context: &Context<'_>, goal: &str) -> Result<ChampionReport, ModelsError> {
    let _lock = context.lock()?;
    let (champion, former) = Registry::of(context.workspace).rollback(goal, context.now)?;
    Ok(ChampionReport { goal: goal.to_string(), champion, former, forced: Vec::new() })
}

/// A training or a refresh whose new models are not all champions.
#[derive(Debug, thiserror::Error)]
#[error("not_promoted: {first}")]
pub struct NotPromoted {
    /// The first model that was refused, and why.
    pub first: String,
}

impl Coded for NotPromoted {
    fn code(&self) -> &'static str {
        "not_promoted"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Refused
    }
}

/// What came of a new model's candidacy.
#[derive(Debug)]
pub(super) enum Candidacy {
    /// It is the champion.
    Promoted,
    /// The champion knows a later day and stays.
    ChampionIsNewer {
        /// The champion.
        champion: String,
    },
    /// The gate refuses it.
    Refused(RegistryError),
}

/// Makes a new model the champion, unless the champion knows a later day or the gate refuses it. The caller holds the
/// workspace's lock.
///
/// # Errors
/// When the model cannot be read, or the registry cannot be written.
pub(super) fn stand(context: &Context<'_>, goal: &str, version: &str) -> Result<Candidacy, RegistryError> {
    let registry = Registry::of(context.workspace);
    let found = registry.read(goal, version)?;
    // A champion that cannot be read is no reason to keep it.
    let champion = registry.read_champion(goal).ok();
    if let Some(champion) = champion.filter(|champion| champion.model.as_of > found.model.as_of) {
        return Ok(Candidacy::ChampionIsNewer { champion: champion.version });
    }
    match registry.promote(goal, version, false, context.now) {
        Ok(_) => Ok(Candidacy::Promoted),
        Err(error) if error.kind() == ErrorKind::Refused => Ok(Candidacy::Refused(error)),
        Err(error) => Err(error),
    }
}
