//! What a plan came to; as JSON it is also kept beside the plan's audiences.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::added::{AddedByPush, COUNTED};
use super::warnings::PlanWarning;
use config::PlanningConfig;
use domain::campaign::Campaign;
use domain::time::Instant;
use engine::planning::Audiences;
use planning::forecast::{Bounds, Forecast};
use planning::solver::outcome::{LimitReason, Pair};
use planning::{PlanResult, rule_of};

/// Minutes of an hour.
pub const HOUR: usize = 60;

/// Counts by name.
pub type Counts = BTreeMap<String, u64>;

/// A plan. Lists with one entry a campaign are in the order of `campaigns`.
#[derive(Debug)]
pub struct PlanReport {
    /// Its id.
    pub plan_id: String,
    /// Its moment.
    pub now: Instant,
    /// How far ahead it reaches.
    pub horizon_hours: u32,
    /// How many users were looked at.
    pub users: usize,
    /// The campaigns.
    pub campaigns: Vec<Campaign>,
    /// By campaign, the members of the segment that it is for.
    pub segments: Audiences,
    /// The goal of each campaign.
    pub goals: Vec<String>,
    /// The model of each campaign.
    pub models: Vec<String>,
    /// How well each campaign's model knows its own level, as a share of it.
    pub level_errors: Vec<f64>,
    /// Limits that the campaigns share.
    pub limits: PlanningConfig,
    /// What the solver picked, and what became of everybody.
    pub made: PlanResult,
    /// The moment of the audiences' profiles, when there are events since.
    pub old_profiles: Option<Instant>,
    /// What the pushes of each campaign add to what users do anyway.
    pub added: Vec<AddedByPush>,
    /// What is doubtful about it.
    pub warnings: Vec<PlanWarning>,
    /// Version of each campaign's audience, when the plan was kept.
    pub audience_versions: Vec<String>,
    /// The plan under changes.
    pub scenarios: Vec<ScenarioReport>,
    /// Where the plan went; `None`: it was only looked at.
    pub kept: Option<KeptPlan>,
    /// Campaigns that were asked for and cannot be planned; the others are.
    pub skipped: Vec<SkippedCampaign>,
}

/// What a plan under changes comes to.
#[derive(Clone, Debug)]
pub struct ScenarioReport {
    /// The changes, as they were asked for.
    pub name: String,
    /// For each campaign that is left: its index in the plan, and what it should bring.
    pub forecasts: Vec<(usize, Forecast)>,
    /// The sum of expected values.
    pub value: f64,
}

/// A campaign that is left out of a plan of several, since it cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedCampaign {
    /// The campaign.
    pub campaign_id: String,
    /// Code of the error.
    pub code: &'static str,
    /// The error.
    pub why: String,
}

/// Where a plan went.
#[derive(Clone, Debug)]
pub struct KeptPlan {
    /// The hand-off.
    pub out: PathBuf,
    /// Its manifest.
    pub manifest: PathBuf,
    /// Pushes in it.
    pub rows: usize,
    /// Decisions that were logged.
    pub decisions: u64,
    /// The log file that they are in.
    pub log: PathBuf,
    /// The directory of the report and the audiences.
    pub plan: PathBuf,
}

impl PlanReport {
    /// Forecasts of the plan itself, with the index of each campaign.
    pub fn forecasts(&self) -> Vec<(usize, Forecast)> {
        self.made.decided.campaigns.iter().map(|decided| decided.forecast).enumerate().collect()
    }

    /// The sum of forecasts with the level error of its goal events. Errors of level of different models may go together,
    /// so they add up.
    pub fn sum(&self, forecasts: &[(usize, Forecast)]) -> (Forecast, f64) {
        let sum = forecasts.iter().fold(Forecast::default(), |sum, (_, forecast)| sum.and(*forecast));
        let off = forecasts.iter().map(|(index, of)| of.goal_events.mean * self.level_errors[*index]);
        let (off, mean): (f64, f64) = (off.sum(), sum.goal_events.mean);
        (sum, if mean > 0.0 { off / mean } else { 0.0 })
    }

    /// Goal events and opt-outs of a campaign's sends.
    pub fn bounds_of(&self, index: usize) -> (Bounds, Bounds) {
        let forecast = &self.made.decided.campaigns[index].forecast;
        (forecast.goal_events.bounds(self.level_errors[index]), forecast.opt_outs.bounds(0.0))
    }

    /// One JSON object.
    pub fn to_json(&self) -> Value {
        let plan = &self.made.plan;
        let mut report = json!({
            "plan_id": self.plan_id, "as_of": self.now, "horizon_hours": self.horizon_hours, "users": self.users,
            "sends": self.sum(&self.forecasts()).0.sends,
            "value": self.made.value, "bound": self.made.bound, "gap": self.made.gap(), "exact": plan.is_exact,
            "campaigns": (0..self.campaigns.len()).map(|index| self.campaign(index)).collect::<Vec<Value>>(),
            "pairs": plan.pairs.iter().map(|pair| self.pair(pair)).collect::<Vec<Value>>(),
            "load": {
                "from": self.made.instant(0),
                "per_hour_before": plan.before.per(HOUR), "per_hour_after": plan.after.per(HOUR),
                "busiest_minute_before": plan.before.peak(), "busiest_minute_after": plan.after.peak(),
                "throttle_per_minute": self.limits.throttle_per_minute, "most_per_hour": self.limits.most_per_hour,
            },
            "expected": self.expected(&self.forecasts()),
            "warnings": self.warnings_json(),
            "what_if": self.scenarios.iter().map(|scenario| self.scenario(scenario)).collect::<Vec<Value>>(),
        });
        let skipped = |skipped: &SkippedCampaign| {
            let SkippedCampaign { campaign_id, code, why } = skipped;
            json!({ "campaign_id": campaign_id, "code": code, "why": why })
        };
        report["skipped"] = json!(self.skipped.iter().map(skipped).collect::<Vec<Value>>());
        if let Some(kept) = &self.kept {
            report["hand_off"] = json!({ "path": kept.out, "manifest": kept.manifest, "rows": kept.rows });
            report["decisions"] = json!(kept.decisions);
            report["log"] = json!(kept.log);
            report["plan"] = json!(kept.plan);
        }
        report
    }

    /// The plan's warnings as programs read them.
    pub(super) fn warnings_json(&self) -> Value {
        json!(self.warnings.iter().map(PlanWarning::to_json).collect::<Vec<Value>>())
    }

    /// How many of those whom a campaign pushes should reach the goal, and what that figure counts.
    pub(super) fn reach_goal_of(&self, index: usize) -> Value {
        reach_goal(self.bounds_of(index).0)
    }

    /// How many of them because of the push.
    pub(super) fn added_of(&self, index: usize) -> Value {
        self.added[index].to_json(self.made.decided.campaigns[index].forecast.sends)
    }

    /// The segment that a campaign is for, as it was evaluated; null for everybody.
    pub(super) fn segment_of(&self, campaign_id: &str) -> Value {
        json!(self.segments.get(campaign_id).map(|frozen| json!({
            "segment_id": frozen.segment_id, "version": frozen.version, "profiles_as_of": frozen.as_of,
        })))
    }

    fn campaign(&self, index: usize) -> Value {
        let (campaign, plan) = (&self.campaigns[index], &self.made.plan);
        let (decided, outcome) = (&self.made.decided.campaigns[index], &plan.campaigns[index]);
        let mut displaced = Counts::new();
        for (reason, count) in &outcome.displaced {
            *displaced.entry(rule_of(*reason).0.to_string()).or_default() += u64::from(*count);
        }
        let (goal_events, opt_outs) = self.bounds_of(index);
        json!({
            "campaign_id": campaign.campaign_id, "goal": self.goals[index], "model": self.models[index],
            "audience": campaign.audience, "audience_version": self.audience_versions.get(index),
            "segment": self.segment_of(&campaign.campaign_id),
            "members": decided.members, "holdout": decided.holdout, "with_options": outcome.users,
            "sends": decided.forecast.sends, "explored": decided.explored,
            "unsent": decided.unsent, "displaced": displaced,
            "goal_events": goal_events, "opt_outs": opt_outs,
            "reach_goal": self.reach_goal_of(index), "added_by_push": self.added_of(index),
            "max_sends": campaign.max_sends, "throttle_per_minute": campaign.throttle_per_minute,
            "busiest_minute_before": plan.before.peak_of(index), "busiest_minute_after": plan.after.peak_of(index),
        })
    }

    fn pair(&self, pair: &Pair) -> Value {
        let id = |index: usize| &self.campaigns[index].campaign_id;
        json!({
            "one": id(pair.one), "other": id(pair.other), "shared_users": pair.shared_users,
            "one_pushed_out": pushed_out(pair, true), "other_pushed_out": pushed_out(pair, false),
        })
    }

    /// Sends, goal events and opt-outs of all campaigns.
    fn expected(&self, forecasts: &[(usize, Forecast)]) -> Value {
        let (sum, level_error) = self.sum(forecasts);
        json!({
            "sends": sum.sends, "goal_events": sum.goal_events.bounds(level_error), "opt_outs": sum.opt_outs.bounds(0.0),
            "reach_goal": reach_goal(sum.goal_events.bounds(level_error)),
        })
    }

    fn scenario(&self, scenario: &ScenarioReport) -> Value {
        let mut row = self.expected(&scenario.forecasts);
        row["name"] = json!(scenario.name);
        row["value"] = json!(scenario.value);
        row
    }
}

/// A number of users who reach the goal, with what it counts.
fn reach_goal(of: Bounds) -> Value {
    json!({ "counts": COUNTED, "value": of.value, "low": of.low, "high": of.high })
}

/// Users that a campaign of a pair lost to the other, by the rule that decided it.
pub fn pushed_out(pair: &Pair, is_one: bool) -> Counts {
    let counts = if is_one { &pair.one_pushed_out } else { &pair.other_pushed_out };
    let name = |rule: u16| rule_of(LimitReason::JointRule { rule, other: None }).0.to_string();
    counts.iter().map(|(rule, count)| (name(*rule), u64::from(*count))).collect()
}
