//! Names in campaigns that nothing has: an audience without a segment, a goal or a channel that no setting declares.

use std::collections::BTreeMap;

use crate::context::Context;
use domain::campaign::{Campaign, CampaignStatus};
use domain::nearest::nearest;
use events::catalogue::read_campaigns;
use files::tables::TableError;
use segments::answers::desk::saved_segments;
use segments::saved::versions::SavedSegments;

/// Most campaigns that are named in full.
const MOST: usize = 20;

/// A sentence for each such name of a campaign that may still send.
pub(super) fn warnings(context: &Context<'_>) -> Result<Vec<String>, TableError> {
    // Segments that cannot be listed are told of by whoever asks for them.
    let saved = saved_segments(context.workspace, context.config).ok();
    let is_over =
        |status| matches!(status, CampaignStatus::Paused | CampaignStatus::Halted | CampaignStatus::Ended);
    let campaigns = read_campaigns(context.workspace)?;
    let mut warnings = Vec::new();
    for campaign in campaigns.values().filter(|campaign| !is_over(campaign.status)) {
        warnings.extend(saved.as_ref().and_then(|saved| unknown_audience(campaign, saved)));
        let goal = campaign.goal.iter().map(String::as_str);
        warnings.extend(goal.filter_map(|name| unknown(campaign, "goal", name, &context.config.goals)));
        let channels = campaign.channels.iter().map(String::as_str);
        let channel = |name| unknown(campaign, "channel", name, &context.config.channels);
        warnings.extend(channels.filter_map(channel));
    }
    let more = warnings.len().saturating_sub(MOST);
    warnings.truncate(MOST);
    warnings.extend((more > 0).then(|| format!("unknown names in campaigns: {more} more")));
    Ok(warnings)
}

fn unknown_audience(campaign: &Campaign, saved: &SavedSegments) -> Option<String> {
    let segment = campaign.segment()?;
    let error = saved.in_use(segment).err()?;
    let id = &campaign.campaign_id;
    Some(format!(
        "unknown_audience: campaign {id:?} is for segment {segment:?}, so it sends nothing: {error}"
    ))
}

fn unknown<T>(campaign: &Campaign, what: &str, name: &str, declared: &BTreeMap<String, T>) -> Option<String> {
    if declared.contains_key(name) {
        return None;
    }
    let names = || declared.keys().map(String::as_str);
    let meant = nearest(name, names()).map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default();
    let (id, known) = (&campaign.campaign_id, names().collect::<Vec<_>>().join(", "));
    Some(format!(
        "unknown_{what}: campaign {id:?} names {what} {name:?}, which no setting declares{meant}; declared are {known}; another \
         one is a section [{what}s.NAME] in smartpush.toml"
    ))
}
