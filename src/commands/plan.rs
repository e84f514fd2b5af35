//! `smartpush plan`: campaigns planned together for everybody, and handed off.

mod report;
mod scenarios;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{print_json, print_lines, progress_bar};
use super::{Context, Failure};
use domain::campaign::Campaign;
use domain::time::{Day, Instant};
use domain::zone::Zone;
use engine::planning::{Audiences, PlanSource, audiences_of, campaigns_of, due_campaigns, plan_id};
use engine::{POPULARITY, Snapshot};
use events::lake::Lake;
use files::workspace::Workspace;
use planning::decided::Sink;
use planning::record::{PlannedAudience, Recorded, Recorder, version_of, write_audience};
use planning::solver::Phase;
use planning::{Made, Request, Source, Step, handoff, make};
use registry::versions::Registry;
use scenarios::Outcome;
use store::decision_log::LogError;

/// Plan campaigns together for everybody, and write what a sender needs
///
/// Picks content, channel and minute for every user and all campaigns at once, so that the sum of expected values is as
/// large as it can be made while every rule holds: consent, quiet hours, caps, gaps and frequency rules across campaigns,
/// vendors' quotas, campaign windows and max_sends, a campaign's throttle_per_minute, and what all campaigns share
/// (planning.throttle_per_minute, planning.most_per_hour). Two campaigns never spend one cap twice; the campaign's priority
/// weighs. The gap says how far the plan can lie below the best there is, at most.
///
/// --out NAME.parquet|.csv|.jsonl writes one hand-off file, sorted by minute and shard, and NAME.….manifest.json; a name
/// without an extension writes a directory minute=…/shard=….jsonl with _manifest.json, which comes last. Every decision, also
/// each that sends nothing, is in the decision log: `replay` makes it again. data/plans/ID/ keeps the report and who was in
/// which audience.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush plan --campaigns spring-sale,newsletter --out handoff.parquet
  smartpush plan --due 2018-01-01 --out handoff
  smartpush plan --campaigns spring-sale,newsletter --what-if cap=1/day --what-if quiet=21:00-09:00,without=newsletter
What-ifs are planned in full and shown beside the plan; nothing of them is logged or handed off. Without --out the plan itself
is only shown. Users who set a daily cap or quiet hours of their own keep them, whatever settings and what-ifs say. Expected goal events are those of the model; their bounds hold 95 % of outcomes and what the model cannot know
of its own level. Opt-outs rest on the setting decisions.opt_out_probability.")]
pub(super) struct PlanArguments {
    /// Campaigns to plan, separated by commas
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        required_unless_present = "due",
        conflicts_with = "due"
    )]
    campaigns: Vec<String>,
    /// Plan all campaigns that may send on this date of default_time_zone
    #[arg(long, value_name = "DATE")]
    due: Option<String>,
    /// Where the hand-off goes: a file (.parquet, .csv, .jsonl), or a directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Plan also under a change: cap=2/day, cap=5/week, quiet=22:00-08:00, without=CAMPAIGN; may be given several times
    #[arg(long, value_name = "CHANGE")]
    what_if: Vec<String>,
    /// The moment of the plan; events before it count
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
}

/// All that is told of a plan.
struct Told {
    plan_id: String,
    now: Instant,
    horizon_hours: u32,
    users: usize,
    campaigns: Vec<Campaign>,
    segments: Audiences,
    goals: Vec<String>,
    models: Vec<String>,
    /// By campaign: how well its model knows its own level.
    level_errors: Vec<f64>,
    limits: config::PlanningConfig,
    made: Made,
    audiences: Vec<String>,
    scenarios: Vec<Outcome>,
    kept: Option<Kept>,
}

/// Where a plan went.
struct Kept {
    out: PathBuf,
    manifest: PathBuf,
    rows: usize,
    decisions: u64,
    log: PathBuf,
    plan: PathBuf,
}

impl PlanArguments {
    /// The plan of all campaigns that may send on a date.
    pub(super) fn due(date: &str, out: &Path, as_of: &str) -> PlanArguments {
        PlanArguments {
            campaigns: Vec::new(),
            due: Some(date.to_string()),
            out: Some(out.to_path_buf()),
            what_if: Vec::new(),
            as_of: Some(as_of.to_string()),
        }
    }
}

pub(super) fn run(context: &Context, arguments: &PlanArguments) -> Result<(), Failure> {
    let told = tell(context, arguments)?;
    match context.json {
        true => print_json(&report::for_machines(&told)),
        false => print_lines(&report::for_people(&told)),
    }
    Ok(())
}

/// Plans, hands off and keeps the record; returns what a machine is told.
pub(super) fn make_and_keep(
    context: &Context,
    arguments: &PlanArguments,
) -> Result<serde_json::Value, Failure> {
    Ok(report::for_machines(&tell(context, arguments)?))
}

fn tell(context: &Context, arguments: &PlanArguments) -> Result<Told, Failure> {
    let workspace = context.open()?;
    if let Some(out) = &arguments.out {
        handoff::check(out)?;
        context.check_free(&workspace, out)?;
    }
    let _lock = workspace.lock()?;
    let lake = context.lake(&workspace)?;
    let (now, due) = moments(context, arguments, &lake)?;
    let snapshot = Snapshot::build(&workspace, &context.config, now)?;
    let ids = match due {
        Some((from, until)) => due_campaigns(&snapshot, from.max(now), until),
        None => arguments.campaigns.iter().map(|id| id.trim().to_string()).collect(),
    };
    if ids.is_empty() {
        let message = "no campaign may send then; `--campaigns` names some";
        return Err(Failure::conflict("no_campaigns", message));
    }
    let campaigns = campaigns_of(&snapshot, &ids)?;
    check_goals(context, &campaigns)?;
    let segments = audiences_of(&workspace, &context.config, &campaigns, now)?;
    warn_of_old_profiles(&lake, &segments, now);
    let scenarios = scenarios::parse(&arguments.what_if, &campaigns)?;
    let task = Task { workspace: &workspace, snapshot: &snapshot, lake_sha256: lake.content_sha256(), now };
    let mut told = plan(context, &task, campaigns, segments, arguments)?;
    for scenario in scenarios {
        let outcome = scenarios::plan(context, &snapshot, &told, scenario)?;
        told.scenarios.push(outcome);
    }
    if let Some(kept) = &told.kept {
        let text = format!("{:#}\n", report::for_machines(&told));
        files::tables::write_atomically(&kept.plan.join("plan.json"), |file| {
            file.write_all(text.as_bytes())
        })?;
    }
    Ok(told)
}

/// A goal that nobody declared has no model, and what users are not to do is nothing to plan towards.
fn check_goals(context: &Context, campaigns: &[Campaign]) -> Result<(), Failure> {
    for campaign in campaigns {
        let id = &campaign.campaign_id;
        let Some(name) = &campaign.goal else { continue };
        match context.config.goals.get(name) {
            None => {
                let message = format!("campaign {id:?} pursues {name:?}, and no goal is called so");
                return Err(Failure::conflict("unknown_goal", message));
            }
            Some(goal) if goal.absent => {
                let message = format!("campaign {id:?} pursues {name:?}, which is that users do nothing");
                return Err(Failure::conflict("bad_goal", message));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The moment of the plan, and the day that is asked for.
fn moments(
    context: &Context,
    arguments: &PlanArguments,
    lake: &Lake,
) -> Result<(Instant, Option<(Instant, Instant)>), Failure> {
    let now = context.moment(arguments.as_of.as_deref(), lake)?;
    let Some(text) = &arguments.due else { return Ok((now, None)) };
    let bad = || Failure::caller("bad_due", format!("{text:?} is no date (2018-01-01)"));
    let day = Day::parse(text).ok_or_else(bad)?;
    let zone = Zone::find(&context.config.default_time_zone)?;
    let start = |day: Day| zone.instant_of(day.civil().into()).ok_or_else(bad);
    let (from, until) = (start(day)?, start(Day(day.0 + 1))?);
    if until <= now {
        let message = format!("{text} is over at {now}, the moment of the plan");
        return Err(Failure::caller("bad_due", message));
    }
    Ok((now.max(from), Some((from, until))))
}

/// What a plan is made from.
struct Task<'a> {
    workspace: &'a Workspace,
    snapshot: &'a Snapshot,
    lake_sha256: String,
    now: Instant,
}

/// Members are those of the newest profiles: events since do not move them.
fn warn_of_old_profiles(lake: &Lake, segments: &Audiences, now: Instant) {
    let Some(profiles) = segments.values().map(|frozen| frozen.as_of).min() else { return };
    if lake.newest().is_some_and(|newest| profiles <= newest.min(now.plus(-1))) {
        eprintln!(
            "warning: audiences are those of the profiles as of {profiles}; `smartpush profile` brings them up to date"
        );
    }
}

fn plan(
    context: &Context,
    task: &Task,
    campaigns: Vec<Campaign>,
    segments: Audiences,
    arguments: &PlanArguments,
) -> Result<Told, Failure> {
    let Task { workspace, snapshot, now, .. } = *task;
    let source = PlanSource::new(snapshot, &campaigns, &segments, context.config.decisions.clone(), now);
    let plan_id = plan_id(workspace, snapshot, &source, &task.lake_sha256)?;
    let source = source.with_id(&plan_id);
    let (goals, models) = (source.goals(), source.models());
    let (horizon_hours, users) = (source.horizon_hours(), source.users());
    let settings = &context.config.planning;
    let (made, kept) = match &arguments.out {
        None => (solve(context, &source, &campaigns, now, &mut planning::decided::Nowhere)?, None),
        Some(out) => {
            let directory = workspace.decision_log();
            let mut recorder =
                Recorder::begin(&directory, &plan_id, campaigns.len(), settings.shards, threads())?;
            let made = solve(context, &source, &campaigns, now, &mut recorder)?;
            (made, Some((out.clone(), recorder.finish()?)))
        }
    };
    let level_errors = models.iter().map(|model| level_error(workspace, model)).collect();
    let mut told = Told {
        plan_id,
        now,
        horizon_hours,
        users,
        goals,
        models,
        level_errors,
        limits: settings.clone(),
        made,
        audiences: Vec::new(),
        scenarios: Vec::new(),
        kept: None,
        campaigns,
        segments,
    };
    if let Some((out, recorded)) = kept {
        told.audiences = recorded.members.iter().map(|members| version_of(members)).collect();
        told.kept = Some(keep(workspace, &told, &out, recorded)?);
    }
    Ok(told)
}

/// Plans, with a progress bar.
fn solve<K: Sink>(
    context: &Context,
    source: &PlanSource,
    campaigns: &[Campaign],
    now: Instant,
    sink: &mut K,
) -> Result<Made, Failure>
where
    Failure: From<K::Error>,
{
    let bar = progress_bar();
    let users = source.users() as u64;
    let show = |message: &'static str, done: usize| {
        bar.set_length(users);
        bar.set_message(message);
        bar.set_position(done as u64);
    };
    let watch = |step: Step| match step {
        Step::Options(done) if done.is_multiple_of(64) => show("options of users", done),
        Step::Solve(Phase::Prices(sample)) => show("prices of limits", sample),
        Step::Solve(_) => show("picking among options", 0),
        Step::Decide(done) => show("decisions", done),
        Step::Options(_) => {}
    };
    let (sent, horizon_hours) = (source.sent(), source.horizon_hours());
    let settings = &context.config.planning;
    let request = Request { campaigns, sent: &sent, horizon_hours, now, settings, threads: threads() };
    Ok(make(source, &request, sink, &watch)?)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A model's level was set on so many positives that it cannot know it better than this share of it.
fn level_error(workspace: &Workspace, model: &str) -> f64 {
    let Some((goal, version)) = model.split_once('/').filter(|_| model != POPULARITY) else { return 0.0 };
    let card = Registry::of(workspace).read(goal, version).ok().and_then(|found| found.card);
    let positives = card.map_or(0, |card| card.split.calibrate.positives);
    if positives == 0 { 0.0 } else { 1.0 / libm::sqrt(positives as f64) }
}

/// Writes the hand-off and the plan's own record.
fn keep(workspace: &Workspace, told: &Told, out: &Path, recorded: Recorded) -> Result<Kept, Failure> {
    let ids = told.campaigns.iter().map(|campaign| campaign.campaign_id.as_str());
    let head = json!({
        "plan_id": told.plan_id, "as_of": told.now, "rows": recorded.rows.len(),
        "value": told.made.value, "bound": told.made.bound, "gap": told.made.gap(),
        "campaigns": ids.clone().enumerate().map(|(place, id)| json!({
            "campaign_id": id, "audience": told.campaigns[place].audience, "segment": segment_of(told, id),
            "audience_version": told.audiences[place], "members": recorded.members[place].len(),
            "sends": told.made.decided.campaigns[place].forecast.sends,
        })).collect::<Vec<_>>(),
        "build": env!("CARGO_PKG_VERSION"),
    });
    let plan = workspace.plans().join(&told.plan_id);
    let audiences = ids.zip(&recorded.members).map(|(campaign_id, members)| {
        let frozen = told.segments.get(campaign_id);
        let segment = frozen.map(|frozen| (frozen.segment_id.as_str(), frozen.version.as_str()));
        PlannedAudience { campaign_id, segment, members }
    });
    write_audience(&plan.join("audience.parquet"), audiences)?;
    let rows = recorded.rows.len();
    let manifest = handoff::write(out, recorded.rows, &head)?;
    let (decisions, log) = (recorded.decisions, recorded.log);
    Ok(Kept { out: out.to_path_buf(), manifest, rows, decisions, log, plan })
}

/// The segment that a campaign is for, as it was evaluated; null for everybody.
fn segment_of(told: &Told, campaign_id: &str) -> serde_json::Value {
    json!(told.segments.get(campaign_id).map(|frozen| json!({
        "segment_id": frozen.segment_id, "version": frozen.version, "profiles_as_of": frozen.as_of,
    })))
}

/// Counts by name, for JSON and for people.
type Counts = BTreeMap<String, u64>;
