//! The id of a plan: another one for another lake, table, setting, model, moment, audience or list of campaigns.

use serde_json::json;

use super::Planner;
use domain::campaign::Campaign;
use domain::identity::sha256_hex;
use engine::planning::{Audiences, PlanSource};
use files::tables::TableError;
use planning::record::version_of;
use segments::answers::audiences::Frozen;

/// The id of a plan.
pub(super) fn plan_id(
    planner: &Planner<'_>,
    source: &PlanSource<'_>,
    campaigns: &[Campaign],
    audiences: &Audiences,
) -> Result<String, TableError> {
    let mut parts = vec![planner.lake.content_sha256(), planner.now.to_string()];
    for table in ["users", "contents", "campaigns"] {
        parts.push(planner.context.table_sha256(table)?);
    }
    parts.extend(campaigns.iter().map(|campaign| campaign.campaign_id.clone()));
    parts.extend(audiences.iter().map(|(campaign, frozen)| {
        let Frozen { segment_id, version, as_of, members } = &**frozen;
        format!("{campaign}={segment_id} {version} {as_of} {}", version_of(members))
    }));
    parts.extend(source.models());
    let versions = planner.snapshot.versions();
    parts.extend(versions.iter().map(|(name, version)| format!("{name}={version}")));
    Ok(sha256_hex(json!(parts).to_string().as_bytes())[..12].to_string())
}
