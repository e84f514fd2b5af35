//! Plans campaigns together for everybody, hands the plan off, and keeps it on record.

mod added;
mod campaigns;
mod error;
mod identity;
mod keep;
mod report;
mod scenarios;
mod warnings;

use std::path::PathBuf;

pub use added::{AddedByPush, COUNTED};
use campaigns::Plannable;
pub use error::PlanError;
pub use report::{Counts, HOUR, KeptPlan, PlanReport, ScenarioReport, SkippedCampaign, pushed_out};
pub use warnings::PlanWarning;

use super::context::Context;
use domain::campaign::Campaign;
use domain::time::{Day, Instant};
use domain::zone::Zone;
use engine::planning::{Audiences, PlanSource};
use engine::{POPULARITY, Snapshot};
use events::lake::Lake;
use files::workspace::Workspace;
use planning::decided::{DecisionSink, Nowhere};
use planning::record::Recorder;
use planning::solver::Phase;
use planning::what_if::{BadChange, Scenario};
use planning::{ContextSource, PlanResult, PlanStep, PlanningRequest, handoff, make};
use registry::versions::Registry;

/// What to plan.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// Which campaigns.
    pub campaigns: CampaignChoice,
    /// Where the hand-off goes: a file (.parquet, .csv, .jsonl) or a directory. Without it, nothing is kept.
    pub out: Option<PathBuf>,
    /// Changes to plan under beside the plan, such as `cap=2/day`: [`Scenario::parse`] reads them.
    pub what_if: Vec<String>,
    /// The moment of the plan, by default now. Events before it count.
    pub as_of: Option<Instant>,
}

/// Which campaigns are planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CampaignChoice {
    /// These.
    Named(Vec<String>),
    /// All that may send on this day of the default time zone.
    Due(Day),
}

/// Plans, hands off and keeps the record.
///
/// # Errors
/// When the request is invalid, another process writes, or a file cannot be read or written.
pub fn plan(context: &Context<'_>, request: &PlanRequest) -> Result<PlanReport, PlanError> {
    if let Some(out) = &request.out {
        handoff::check(out)?;
        context.check_free(out)?;
    }
    warn_of_closed_limits(context);
    let _lock = context.lock()?;
    let lake = context.lake()?;
    let (now, due) = moments(context, request)?;
    let snapshot = Snapshot::build(context.workspace, context.config, now)?;
    let campaigns =
        campaigns::chosen(&snapshot, &request.campaigns, due.map(|(from, to)| (from.max(now), to)))?;
    let Plannable { campaigns, segments, skipped } = campaigns::plannable(context, campaigns, now)?;
    for SkippedCampaign { campaign_id, why, .. } in &skipped {
        context.progress.warn(&format!("campaign {campaign_id:?} is skipped: {why}"));
    }
    let scenarios = request.what_if.iter().map(|text| Scenario::parse(text, &campaigns));
    let scenarios = scenarios.collect::<Result<Vec<Scenario>, BadChange>>()?;
    let planner = Planner { context, snapshot: &snapshot, lake: &lake, now };
    let mut report = planner.plan(campaigns, segments, request.out.clone())?;
    report.skipped = skipped;
    for scenario in scenarios {
        report.scenarios.push(scenarios::plan(&planner, &report, scenario)?);
    }
    keep::write_report(&report)?;
    if let Some(profiles) = report.old_profiles {
        context.progress.warn(&format!(
            "audiences are those of the profiles as of {profiles}; `smartpush profile` brings them up to date"
        ));
    }
    Ok(report)
}

/// A shared limit of 0 stops every campaign. It once meant "no limit", so settings of that time are pointed out.
fn warn_of_closed_limits(context: &Context<'_>) {
    let planning = &context.config.planning;
    let limits =
        [("throttle_per_minute", planning.throttle_per_minute), ("most_per_hour", planning.most_per_hour)];
    for (name, _) in limits.into_iter().filter(|(_, limit)| *limit == Some(0)) {
        context
            .progress
            .warn(&format!("[planning] {name} = 0: nothing is sent; remove the line if there is no limit"));
    }
}

/// The moment of the plan, and the day that is asked for.
fn moments(
    context: &Context<'_>,
    request: &PlanRequest,
) -> Result<(Instant, Option<(Instant, Instant)>), PlanError> {
    let now = request.as_of.unwrap_or(context.now);
    let CampaignChoice::Due(day) = request.campaigns else { return Ok((now, None)) };
    let zone = Zone::find(&context.config.default_time_zone)?;
    let start = |of: Day| zone.instant_of(of.civil().into()).ok_or(PlanError::NoSuchDay(day));
    let (from, until) = (start(day)?, start(Day(day.0 + 1))?);
    if until <= now {
        return Err(PlanError::DayIsOver { day, now });
    }
    Ok((now.max(from), Some((from, until))))
}

/// What a plan and its scenarios are made from.
struct Planner<'a> {
    context: &'a Context<'a>,
    snapshot: &'a Snapshot,
    lake: &'a Lake,
    now: Instant,
}

impl Planner<'_> {
    fn plan(
        &self,
        campaigns: Vec<Campaign>,
        segments: Audiences,
        out: Option<PathBuf>,
    ) -> Result<PlanReport, PlanError> {
        let Context { workspace, config, .. } = *self.context;
        let settings = config.decisions.clone();
        let source = PlanSource::new(self.snapshot, &campaigns, &segments, settings, self.now);
        let plan_id = identity::plan_id(self, &source, &campaigns, &segments)?;
        let source = source.with_id(&plan_id);
        let (goals, models) = (source.goals(), source.models());
        let (horizon_hours, users) = (source.horizon_hours(), source.users());
        let (made, recorded) = match &out {
            None => (self.solve(&source, &campaigns, &mut Nowhere)?, None),
            Some(_) => {
                let (directory, shards) = (workspace.decision_log(), config.planning.shards);
                let mut recorder = Recorder::begin(&directory, &plan_id, campaigns.len(), shards, threads())?;
                let made = self.solve(&source, &campaigns, &mut recorder)?;
                (made, Some(recorder.finish()?))
            }
        };
        let mut report = PlanReport {
            plan_id,
            now: self.now,
            horizon_hours,
            users,
            goals,
            level_errors: models.iter().map(|model| level_error(workspace, model)).collect(),
            models,
            limits: config.planning.clone(),
            made,
            old_profiles: old_profiles(self.lake, &segments, self.now),
            added: added::added(self.context, &campaigns),
            warnings: self.warnings(&campaigns),
            audience_versions: Vec::new(),
            scenarios: Vec::new(),
            kept: None,
            skipped: Vec::new(),
            campaigns,
            segments,
        };
        if let (Some(out), Some(recorded)) = (out, recorded) {
            keep::hand_off(workspace, &mut report, out, recorded)?;
        }
        Ok(report)
    }

    fn warnings(&self, campaigns: &[Campaign]) -> Vec<PlanWarning> {
        let stale = warnings::stale(self.context, self.now).into_iter();
        stale.chain(warnings::undeclared(self.snapshot, campaigns)).collect()
    }

    /// Picks among everybody's options and makes their decisions.
    fn solve<K: DecisionSink>(
        &self,
        source: &PlanSource<'_>,
        campaigns: &[Campaign],
        sink: &mut K,
    ) -> Result<PlanResult, PlanError>
    where
        PlanError: From<K::Error>,
    {
        let (progress, users) = (self.context.progress, source.users() as u64);
        let show = |text: &str, done: usize| {
            progress.step(text);
            progress.count(done as u64, Some(users));
        };
        let watch = |step: PlanStep| match step {
            PlanStep::Options(done) if done.is_multiple_of(64) => show("options of users", done),
            PlanStep::Solve(Phase::Prices(sample)) => show("prices of limits", sample),
            PlanStep::Solve(_) => show("picking among options", 0),
            PlanStep::Decide(done) => show("decisions", done),
            PlanStep::Options(_) => {}
        };
        let (sent, horizon_hours) = (source.sent(), source.horizon_hours());
        let (settings, now) = (&self.context.config.planning, self.now);
        let request =
            PlanningRequest { campaigns, sent: &sent, horizon_hours, now, settings, threads: threads() };
        Ok(make(source, &request, sink, &watch)?)
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The moment of the audiences' profiles, when there are events since. Members are those of the newest profiles: events
/// after them do not move anybody.
fn old_profiles(lake: &Lake, segments: &Audiences, now: Instant) -> Option<Instant> {
    let profiles = segments.values().map(|frozen| frozen.as_of).min()?;
    lake.newest().is_some_and(|newest| profiles <= newest.min(now.plus(-1))).then_some(profiles)
}

/// A model's level was set on so many positives that it cannot know it better than this share of it.
fn level_error(workspace: &Workspace, model: &str) -> f64 {
    let Some((goal, version)) = model.split_once('/').filter(|_| model != POPULARITY) else { return 0.0 };
    let card = Registry::of(workspace).read(goal, version).ok().and_then(|found| found.card);
    let positives = card.map_or(0, |card| card.split.calibrate.positives);
    if positives == 0 { 0.0 } else { 1.0 / libm::sqrt(positives as f64) }
}
