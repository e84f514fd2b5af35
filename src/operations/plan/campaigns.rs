//! Which campaigns a plan holds, whether their goals can be planned towards, and who they are for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::report::SkippedCampaign;
use super::{CampaignChoice, PlanError};
use crate::context::Context;
use domain::campaign::Campaign;
use domain::error::Coded;
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

/// The campaigns of a plan, with who they are for.
pub(super) struct Plannable {
    pub(super) campaigns: Vec<Campaign>,
    pub(super) segments: Audiences,
    pub(super) skipped: Vec<SkippedCampaign>,
}

/// Leaves out campaigns whose goal or audience is wrong; the others are planned without them.
///
/// # Errors
/// When none is left: the error of the first. When a table cannot be read.
pub(super) fn plannable(
    context: &Context<'_>,
    chosen: Vec<Campaign>,
    now: Instant,
) -> Result<Plannable, PlanError> {
    let mut plannable = Plannable { campaigns: Vec::new(), segments: Audiences::new(), skipped: Vec::new() };
    let (mut by_segment, mut first) = (BTreeMap::new(), None);
    for campaign in chosen {
        let audience =
            check_goal(context, &campaign).and_then(|()| audience(context, &campaign, &mut by_segment, now));
        match audience {
            Ok(audience) => {
                let id = campaign.campaign_id.clone();
                plannable.segments.extend(audience.map(|audience| (id, audience)));
                plannable.campaigns.push(campaign);
            }
            Err(error) if error.is_about_one_campaign() => {
                let (code, why) = (error.code(), error.to_string());
                plannable.skipped.push(SkippedCampaign { campaign_id: campaign.campaign_id, code, why });
                first.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match first {
        Some(error) if plannable.campaigns.is_empty() => Err(error),
        _ => Ok(plannable),
    }
}

/// An undeclared goal has no model, and an absent action is nothing to plan towards.
fn check_goal(context: &Context<'_>, campaign: &Campaign) -> Result<(), PlanError> {
    let Some(goal) = campaign.goal.clone() else { return Ok(()) };
    let campaign_id = campaign.campaign_id.clone();
    match context.config.goals.get(&goal) {
        None => Err(PlanError::UnknownGoal { campaign_id, goal }),
        Some(found) if found.absent => Err(PlanError::AbsentGoal { campaign_id, goal }),
        Some(_) => Ok(()),
    }
}

/// Who is in the segment that a campaign is for, on the newest profiles that are not after `now`; each segment is evaluated
/// once. `None`: everybody.
fn audience(
    context: &Context<'_>,
    campaign: &Campaign,
    by_segment: &mut BTreeMap<String, Arc<Frozen>>,
    now: Instant,
) -> Result<Option<Arc<Frozen>>, PlanError> {
    let Some(segment_id) = campaign.segment() else { return Ok(None) };
    if let Some(frozen) = by_segment.get(segment_id) {
        return Ok(Some(Arc::clone(frozen)));
    }
    let unknown = |error: DeskError| PlanError::UnknownAudience {
        campaign_id: campaign.campaign_id.clone(),
        segment_id: segment_id.to_string(),
        detail: error.to_string(),
    };
    let frozen = Arc::new(freeze(context.workspace, context.config, segment_id, now).map_err(unknown)?);
    by_segment.insert(segment_id.to_string(), Arc::clone(&frozen));
    Ok(Some(frozen))
}
