//! What a server begins with: the sole right to serve a workspace, and an engine that answers from it.

use super::context::{Context, ContextError};
use engine::{Engine, EngineError};
use files::workspace::{ServeLock, Workspace};

/// Takes the right to serve a workspace: one server writes its decision log. It lasts as long as what is returned.
///
/// # Errors
/// When another process serves it.
pub fn reserve(workspace: &Workspace) -> Result<ServeLock, ContextError> {
    Ok(workspace.lock_for_serving()?)
}

/// Reads the workspace as of the context's moment, to answer from it.
///
/// A virtual clock does not see events after its moment. `entropy` tells this server's ids from those of others.
///
/// # Errors
/// When a table or the log cannot be read.
pub fn open_engine(
    context: &Context<'_>,
    is_clock_virtual: bool,
    entropy: [u8; 32],
) -> Result<Engine, EngineError> {
    let (workspace, config) = (context.workspace.clone(), context.config.clone());
    Engine::open(workspace, config, context.now, is_clock_virtual, entropy)
}
