//! All saved segments.

use serde_json::{Value, json};

use crate::context::Context;
use ::segments::answers::desk::DeskError;
use ::segments::saved::versions::{DamagedSegment, SavedSegments, Segment};

/// The saved segments, deleted ones too, by id.
#[derive(Clone, Debug)]
pub struct ListReport {
    /// Those that can be read.
    pub segments: Vec<Segment>,
    /// Those that cannot.
    pub damaged: Vec<DamagedSegment>,
}

impl ListReport {
    /// One JSON object.
    pub fn to_json(&self) -> Value {
        let mut report =
            json!({ "segments": self.segments.iter().map(Segment::to_json).collect::<Vec<Value>>() });
        if !self.damaged.is_empty() {
            report["damaged"] = self.damaged.iter().map(DamagedSegment::to_json).collect();
        }
        report
    }
}

/// Lists the saved segments. One that cannot be read is named beside the others.
///
/// # Errors
/// When none can be read.
pub fn list(context: &Context<'_>) -> Result<ListReport, DeskError> {
    let saved = SavedSegments::read(context.workspace)?;
    Ok(ListReport { segments: saved.all().cloned().collect(), damaged: saved.damaged().cloned().collect() })
}
