//! What-ifs: the same campaigns planned under a change, for comparison.

use super::super::{Context, Failure};
use super::{Told, solve};
use domain::campaign::Campaign;
use engine::Snapshot;
use engine::planning::PlanSource;
use planning::decided::Nowhere;
use planning::forecast::Forecast;
use planning::what_if::{BadChange, Scenario};

/// What a change comes to.
pub(super) struct Outcome {
    /// As it was asked for.
    pub(super) name: String,
    /// For each campaign that is left: its place in the plan, and what it should bring.
    pub(super) forecasts: Vec<(usize, Forecast)>,
    /// The sum of expected values.
    pub(super) value: f64,
}

pub(super) fn parse(texts: &[String], campaigns: &[Campaign]) -> Result<Vec<Scenario>, Failure> {
    Ok(texts.iter().map(|text| Scenario::parse(text, campaigns)).collect::<Result<_, BadChange>>()?)
}

/// Plans the scenario as the plan itself was made, and keeps nothing but its figures.
pub(super) fn plan(
    context: &Context,
    snapshot: &Snapshot,
    told: &Told,
    scenario: Scenario,
) -> Result<Outcome, Failure> {
    let campaigns = scenario.campaigns(&told.campaigns);
    let settings = scenario.settings(&context.config.decisions);
    let source = PlanSource::new(snapshot, &campaigns, &told.segments, settings, told.now);
    let made = solve(context, &source, &campaigns, told.now, &mut Nowhere)?;
    let place_of = |campaign: &Campaign| {
        let is_it = |known: &Campaign| known.campaign_id == campaign.campaign_id;
        told.campaigns.iter().position(is_it).unwrap_or_default()
    };
    let forecasts = campaigns.iter().zip(&made.decided.campaigns);
    let forecasts = forecasts.map(|(campaign, decided)| (place_of(campaign), decided.forecast)).collect();
    Ok(Outcome { name: scenario.name, forecasts, value: made.value })
}
