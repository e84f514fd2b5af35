//! Which campaigns a plan holds, whether their goals can be planned towards, and who they are for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{CampaignChoice, PlanError};
use crate::context::Context;
use domain::campaign::Campaign;
use domain::time::Instant;
use engine::Snapshot;
use engine::planning::Audiences;
use planning::MOST_CAMPAIGNS;
use segments::answers::audiences::{Frozen, freeze};
use segments::answers::desk::DeskError;

/// The campaigns of a choice, in the order in which they were named; those that are due, in order of their ids.
///
/// `due` is the part of the day that is still to come.
pub(super) fn chosen(
    snapshot: &Snapshot,
    choice: &CampaignChoice,
    due: Option<(Instant, Instant)>,
) -> Result<Vec<Campaign>, PlanError> {
    let ids = match (choice, due) {
        (CampaignChoice::Named(ids), _) => ids.clone(),
        (CampaignChoice::Due(_), Some((from, until))) => due_ids(snapshot, from, until),
        (CampaignChoice::Due(_), None) => Vec::new(),
    };
    if ids.is_empty() {
        return Err(PlanError::NoCampaigns);
    }
    if ids.len() > MOST_CAMPAIGNS {
        return Err(PlanError::Count(ids.len()));
    }
    let mut seen = BTreeSet::new();
    let campaign = |id: &String| {
        if !seen.insert(id.clone()) {
            return Err(PlanError::Twice(id.clone()));
        }
        snapshot.campaign(id).cloned().ok_or_else(|| PlanError::UnknownCampaign(id.clone()))
    };
    ids.iter().map(campaign).collect()
}

/// Running campaigns, and scheduled ones with a window, that may send within `[from, until)`.
fn due_ids(snapshot: &Snapshot, from: Instant, until: Instant) -> Vec<String> {
    let running = snapshot.running_campaigns(from, until).into_iter();
    let mut ids: Vec<String> = running.map(|campaign| campaign.campaign_id.clone()).collect();
    ids.sort_unstable();
    ids
}

/// An undeclared goal has no model, and an absent action is nothing to plan towards.
pub(super) fn check_goals(context: &Context<'_>, campaigns: &[Campaign]) -> Result<(), PlanError> {
    for campaign in campaigns {
        let Some(goal) = campaign.goal.clone() else { continue };
        let campaign_id = campaign.campaign_id.clone();
        match context.config.goals.get(&goal) {
            None => return Err(PlanError::UnknownGoal { campaign_id, goal }),
            Some(found) if found.absent => return Err(PlanError::AbsentGoal { campaign_id, goal }),
            Some(_) => {}
        }
    }
    Ok(())
}

/// Who is in the segments that campaigns are for, on the newest profiles that are not after `now`; each segment once.
pub(super) fn audiences(
    context: &Context<'_>,
    campaigns: &[Campaign],
    now: Instant,
) -> Result<Audiences, PlanError> {
    let mut by_segment: BTreeMap<&str, Arc<Frozen>> = BTreeMap::new();
    let mut audiences = Audiences::new();
    for campaign in campaigns {
        let Some(segment_id) = campaign.segment() else { continue };
        let campaign_id = &campaign.campaign_id;
        let frozen = match by_segment.get(segment_id) {
            Some(frozen) => Arc::clone(frozen),
            None => {
                let unknown = |error: DeskError| PlanError::UnknownAudience {
                    campaign_id: campaign_id.clone(),
                    segment_id: segment_id.to_string(),
                    detail: error.to_string(),
                };
                let frozen = freeze(context.workspace, context.config, segment_id, now).map_err(unknown)?;
                by_segment.entry(segment_id).or_insert(Arc::new(frozen)).clone()
            }
        };
        audiences.insert(campaign_id.clone(), frozen);
    }
    Ok(audiences)
}
