//! Makes a logged decision again and compares the bytes.

use super::context::Context;
use domain::error::{Coded, ErrorKind};
use engine::EngineError;
use engine::replay::{Replay, replay as make_again};

/// A decision that was made again.
#[derive(Debug)]
pub struct ReplayReport {
    /// What came out, beside what was logged.
    pub replay: Replay,
    /// Set when the bytes differ.
    pub refusal: Option<ReplayDiffers>,
}

/// The bytes differ from those that were logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("replay_differs: {0} values differ")]
pub struct ReplayDiffers(usize);

impl Coded for ReplayDiffers {
    fn code(&self) -> &'static str {
        "replay_differs"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Refused
    }
}

/// Makes a logged decision again.
///
/// # Errors
/// When there is none of this id, its model is gone, or the log cannot be read.
pub fn replay(context: &Context<'_>, decision_id: &str) -> Result<ReplayReport, EngineError> {
    let replay = make_again(context.workspace, decision_id)?;
    let refusal = (!replay.identical).then_some(ReplayDiffers(replay.differences.len()));
    Ok(ReplayReport { replay, refusal })
}
