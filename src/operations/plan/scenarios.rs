//! What-ifs: the same campaigns planned under a change, for comparison.

use super::report::{PlanReport, ScenarioReport};
use super::{PlanError, Planner};
use domain::campaign::Campaign;
use engine::planning::PlanSource;
use planning::decided::Nowhere;
use planning::what_if::Scenario;

/// Plans the scenario as the plan itself was made, and keeps nothing but its figures.
pub(super) fn plan(
    planner: &Planner<'_>,
    report: &PlanReport,
    scenario: Scenario,
) -> Result<ScenarioReport, PlanError> {
    let campaigns = scenario.campaigns(&report.campaigns);
    let settings = scenario.settings(&planner.context.config.decisions);
    let source = PlanSource::new(planner.snapshot, &campaigns, &report.segments, settings, planner.now);
    let made = planner.solve(&source, &campaigns, &mut Nowhere)?;
    let index_of = |campaign: &Campaign| {
        let is_it = |known: &Campaign| known.campaign_id == campaign.campaign_id;
        report.campaigns.iter().position(is_it).unwrap_or_default()
    };
    let forecasts = campaigns.iter().zip(&made.decided.campaigns);
    let forecasts = forecasts.map(|(campaign, decided)| (index_of(campaign), decided.forecast)).collect();
    Ok(ScenarioReport { name: scenario.name, forecasts, value: made.value })
}
