//! Where a plan goes: the hand-off, who was in which audience, and the report.

use std::path::PathBuf;

use serde_json::json;

use super::report::{KeptPlan, PlanReport};
use files::tables::{self, TableError};
use files::workspace::Workspace;
use planning::handoff;
use planning::record::{PlannedAudience, Recorded, version_of, write_audience};

/// Writes the hand-off and the audiences, and says in the report where they are.
pub(super) fn hand_off(
    workspace: &Workspace,
    report: &mut PlanReport,
    out: PathBuf,
    recorded: Recorded,
) -> Result<(), TableError> {
    report.audience_versions = recorded.members.iter().map(|members| version_of(members)).collect();
    let ids = report.campaigns.iter().map(|campaign| campaign.campaign_id.as_str());
    let head = json!({
        "plan_id": report.plan_id, "as_of": report.now, "rows": recorded.rows.len(),
        "value": report.made.value, "bound": report.made.bound, "gap": report.made.gap(),
        "campaigns": ids.clone().enumerate().map(|(index, id)| json!({
            "campaign_id": id, "audience": report.campaigns[index].audience, "segment": report.segment_of(id),
            "audience_version": report.audience_versions[index], "members": recorded.members[index].len(),
            "sends": report.made.decided.campaigns[index].forecast.sends,
            "reach_goal": report.reach_goal_of(index), "added_by_push": report.added_of(index),
        })).collect::<Vec<_>>(),
        "warnings": report.warnings_json(), "build": env!("CARGO_PKG_VERSION"),
    });
    let plan = workspace.plans().join(&report.plan_id);
    let audiences = ids.zip(&recorded.members).map(|(campaign_id, members)| {
        let frozen = report.segments.get(campaign_id);
        let segment = frozen.map(|frozen| (frozen.segment_id.as_str(), frozen.version.as_str()));
        PlannedAudience { campaign_id, segment, members }
    });
    write_audience(&plan.join("audience.parquet"), audiences)?;
    let rows = recorded.rows.len();
    let manifest = handoff::write(&out, recorded.rows, &head)?;
    let (decisions, log) = (recorded.decisions, recorded.log);
    report.kept = Some(KeptPlan { out, manifest, rows, decisions, log, plan });
    Ok(())
}

/// Writes the report of a plan that is kept beside its audiences.
pub(super) fn write_report(report: &PlanReport) -> Result<(), TableError> {
    let Some(kept) = &report.kept else { return Ok(()) };
    let text = format!("{:#}\n", report.to_json());
    tables::write_atomically(&kept.plan.join("plan.json"), |file| file.write_all(text.as_bytes()))
}
