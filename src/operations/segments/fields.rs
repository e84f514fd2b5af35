//! What segments may ask for.

use std::sync::Arc;

use super::{AskError, PeopleChoice};
use crate::context::Context;
use ::segments::answers::desk::catalogue;
use ::segments::language::fields::FieldCatalogue;

/// The fields of segments; there need be no profiles.
///
/// # Errors
/// When the users cannot be read.
pub fn fields(context: &Context<'_>, people: PeopleChoice<'_>) -> Result<Arc<FieldCatalogue>, AskError> {
    let (workspace, config) = (context.workspace, context.config);
    match people {
        PeopleChoice::Kept(cache) => Ok(cache.catalogue(workspace, config, context.now)?),
        PeopleChoice::Newest | PeopleChoice::AsOf(_) => Ok(Arc::new(catalogue(workspace, config)?)),
    }
}
