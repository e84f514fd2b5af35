//! Names the model that is scored and logged beside a goal's champion without being served.

use super::context::Context;
use super::models::ModelsError;
use registry::versions::Registry;

/// Makes a version the shadow of a goal, or takes the goal's shadow away.
///
/// # Errors
/// When the version is the champion, cannot be read or has nothing to say, or another process writes.
pub fn shadow(context: &Context<'_>, goal: &str, version: Option<&str>) -> Result<(), ModelsError> {
    let _lock = context.lock()?;
    let registry = Registry::of(context.workspace);
    if version.is_some() && version == registry.champion(goal).as_deref() {
        return Err(ModelsError::ShadowIsChampion);
    }
    Ok(registry.set_shadow(goal, version)?)
}
