//! A saved segment with its versions and who names it.

use serde_json::{Value, json};

use crate::context::Context;
use ::segments::answers::desk::{DeskError, saved_segments};
use ::segments::saved::versions::{SavedSegments, Segment, campaigns_for};

/// A saved segment.
#[derive(Clone, Debug)]
pub struct ShowReport {
    /// It, as it counts now.
    pub segment: Segment,
    /// Who names it.
    pub named_by: NamedBy,
}

/// Campaigns and other segments that name a segment, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedBy {
    /// The campaigns.
    pub campaigns: Vec<String>,
    /// The segments.
    pub segments: Vec<String>,
}

impl ShowReport {
    /// One JSON object.
    pub fn to_json(&self) -> Value {
        let mut report = self.segment.to_json();
        report["named_by"] = self.named_by.to_json();
        report
    }
}

impl NamedBy {
    pub(super) fn of(context: &Context<'_>, saved: &SavedSegments, id: &str) -> Result<NamedBy, DeskError> {
        let campaigns = campaigns_for(context.workspace, id)?;
        Ok(NamedBy { campaigns, segments: saved.naming(id).into_iter().map(str::to_string).collect() })
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "campaigns": self.campaigns, "segments": self.segments })
    }
}

/// Shows a saved or ready-made segment.
///
/// # Errors
/// When there is none, it cannot be read, or it was deleted and those are not asked for.
pub fn show(context: &Context<'_>, id: &str, also_deleted: bool) -> Result<ShowReport, DeskError> {
    let saved = saved_segments(context.workspace, context.config)?;
    let segment = if also_deleted { saved.any(id)? } else { saved.in_use(id)? };
    Ok(ShowReport { segment: segment.clone(), named_by: NamedBy::of(context, &saved, id)? })
}
