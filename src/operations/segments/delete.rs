//! Takes a saved segment out of use; its versions and evaluations are kept.

use std::time::Duration;

use serde_json::{Value, json};

use super::save::{ExpectedVersion, SaveError, lock_within};
use super::show::NamedBy;
use crate::context::Context;
use ::segments::answers::desk::saved_segments;
use ::segments::saved::versions::{self as saved, Card};

/// What to delete.
#[derive(Clone, Debug)]
pub struct DeleteRequest {
    /// The segment.
    pub id: String,
    /// Which version of it.
    pub expected: ExpectedVersion,
    /// How long another writer is waited for.
    pub patience: Duration,
}

/// A segment that is out of use.
#[derive(Clone, Debug)]
pub struct DeleteReport {
    /// Its card.
    pub card: Card,
    /// Who still names it.
    pub named_by: NamedBy,
}

impl DeleteReport {
    /// One JSON object.
    pub fn to_json(&self) -> Value {
        json!({
            "segment": self.card.segment_id, "version": self.card.version, "deleted_at": self.card.deleted_at,
            "named_by": self.named_by.to_json(),
        })
    }
}

/// Deletes a segment.
///
/// # Errors
/// When it is not in use, another version is current than the one expected, or another process writes.
pub fn delete(context: &Context<'_>, request: &DeleteRequest) -> Result<DeleteReport, SaveError> {
    let DeleteRequest { id, expected, patience } = request;
    let lock = lock_within(context, *patience)?;
    let saved = saved_segments(context.workspace, context.config)?;
    expected.check(Some(&saved.in_use(id)?.card))?;
    let named_by = NamedBy::of(context, &saved, id)?;
    let card = saved::delete(context.workspace, id, context.now, &lock)?;
    Ok(DeleteReport { card, named_by })
}
