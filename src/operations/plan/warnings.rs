//! What is doubtful about a plan that is made all the same.

use std::fmt;

use serde_json::{Value, json};

use crate::context::Context;
use domain::campaign::Campaign;
use domain::time::{HOUR, Instant};
use engine::Snapshot;

/// A plan whose moment lies further back than this is out of date.
const FRESH: i64 = HOUR;

/// A doubt about a plan: its code is stable, its detail is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanWarning {
    /// Stable code.
    pub code: &'static str,
    /// What is doubtful, and what to do.
    pub detail: String,
}

impl fmt::Display for PlanWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl PlanWarning {
    /// One JSON object.
    pub fn to_json(&self) -> Value {
        json!({ "code": self.code, "detail": self.detail })
    }
}

/// The moment is past, so that what is planned may be, too.
pub(super) fn stale(context: &Context<'_>, moment: Instant) -> Option<PlanWarning> {
    let behind = context.now.micros().saturating_sub(moment.micros());
    (behind > FRESH).then(|| PlanWarning {
        code: "stale_plan",
        detail: format!(
            "the plan is made as of {moment}, {} before now ({}): send_at and expires_at may have passed; \
             without --as-of, a plan is made as of now",
            duration(behind),
            context.now
        ),
    })
}

fn duration(micros: i64) -> String {
    match micros / HOUR {
        hours if hours >= 48 => format!("{} days", hours / 24),
        1 => "1 hour".to_string(),
        hours => format!("{hours} hours"),
    }
}

/// Contents that a campaign names and that were never declared; they are not sent.
pub(super) fn undeclared(snapshot: &Snapshot, campaigns: &[Campaign]) -> Vec<PlanWarning> {
    let of_campaign = |campaign: &Campaign| {
        let contents = snapshot.undeclared_contents(campaign).into_iter();
        let campaign_id = campaign.campaign_id.clone();
        contents.map(move |content| {
            let nearest = content.undeclared.and_then(|undeclared| undeclared.nearest);
            let meant = nearest.map(|id| format!("; did you mean {id:?}?")).unwrap_or_default();
            PlanWarning {
                code: "unknown_content",
                detail: format!(
                    "campaign {campaign_id:?} names content {:?}, which was never declared and is not sent{meant}",
                    content.content_id
                ),
            }
        })
    };
    campaigns.iter().flat_map(of_campaign).collect()
}
