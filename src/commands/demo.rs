//! `smartpush demo`: the whole path on real data, one readable stage after the other.

mod audience;
mod decisions;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant as Stopwatch;

use serde_json::{Value, json};

use super::output::{Bar, print_json, print_lines, thousands};
use super::{Context, Failure, charts};
use api::Clock;
use curves::SendTimeModel;
use curves::evaluate::CurvesReport;
use curves::population::Population;
use domain::curve::{SendTimeCurve, argmax, by_hour_of_day};
use domain::lifecycle::Lifecycle;
use domain::time::{HOURS_OF_WEEK, hour_of_week_name};
use evaluation::send_time::Metric;
use events::lake::LakeFile;
use events::request::{IngestSummary, InputKind};
use files::workspace::Workspace;
use operations::context::Context as OperationContext;
use operations::demo::{DemoReport, DemoStage, FreshWorkspace, demo, fresh_workspace};
use operations::train::TrainedModel;
use profiles::build::Built;

/// Run the whole path on real data and show what was learned
///
/// Ingest → profiles → send-time curves → evaluation → models → decisions, on the committed sample of 865 households'
/// purchases, in a workspace of its own (data/demo, made afresh each time). At the end it serves, on a clock that starts
/// where the data ends, and says what to ask.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush demo --no-serve
  data/download && smartpush demo --no-serve --data data/full")]
pub(super) struct DemoArguments {
    /// Directory with purchases.parquet, coupon_uses.csv, campaign_events.csv, users.csv, contents.jsonl and
    /// campaigns.jsonl
    #[arg(long, value_name = "DIR", default_value = "data/sample")]
    data: PathBuf,
    /// Port to serve on at the end; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,
    /// End after the report
    #[arg(long, conflicts_with = "port")]
    no_serve: bool,
}

pub(super) fn run(context: &Context, arguments: &DemoArguments) -> Result<(), Failure> {
    let watch = Stopwatch::now();
    let root = match context.workspace.as_os_str() == "." {
        true => PathBuf::from("data/demo"),
        false => context.workspace.join("data/demo"),
    };
    let FreshWorkspace { workspace, serving } = fresh_workspace(&root, &arguments.data)?;
    let report = show(context, &workspace, &arguments.data)?;
    match context.json {
        true => print_json(&for_machines(&workspace, &report)),
        false => print_lines(&where_files_lie(&workspace, &report, watch)),
    }
    if arguments.no_serve {
        return Ok(());
    }
    let address = format!("127.0.0.1:{}", arguments.port);
    let invite = |address: SocketAddr| decisions::invitation(address, report.decided.example());
    super::serve::serve(context, &workspace, serving, Clock::starting_at(report.as_of), &address, &invite)
}

/// Goes the whole path and shows each stage as soon as it is done.
fn show(context: &Context, workspace: &Workspace, data: &Path) -> Result<DemoReport, Failure> {
    let bar = Bar::new();
    let interval = context.config.send_time.interval;
    let mut tell = |stage: DemoStage<'_>| {
        if !context.json {
            bar.print_lines(&lines_of(workspace, data, interval, stage));
        }
    };
    let (config, now) = (&context.config, context.now);
    let operation = OperationContext { workspace, config, now, progress: &bar };
    Ok(demo(&operation, data, super::serve::entropy()?, &mut tell)?)
}

fn lines_of(workspace: &Workspace, data: &Path, interval: f64, stage: DemoStage<'_>) -> Vec<String> {
    match stage {
        DemoStage::CameIn(taken, files) => what_came_in(data, taken, files),
        DemoStage::Activity(in_utc, on_own_clocks) => the_trap(in_utc, on_own_clocks),
        DemoStage::Profiles(built) => who_is_there(built),
        DemoStage::Curves(population, model) => {
            let mut lines = two_weeks(population, model, interval);
            lines.extend(hour_load(population, model));
            lines
        }
        DemoStage::Measured(report) => the_proof(report),
        DemoStage::Trained(models) => what_was_learned(models),
        DemoStage::Counted(counted) => audience::lines(workspace, counted),
        DemoStage::Decided(at, decided) => decisions::lines(at, decided),
    }
}

fn for_machines(workspace: &Workspace, report: &DemoReport) -> Value {
    let ingested: Vec<Value> = report.taken.iter().map(|(kind, summary)| counts(*kind, summary)).collect();
    json!({
        "as_of": report.as_of.to_string(), "ingested": ingested, "lifecycle": report.built.lifecycle,
        "evaluate": super::evaluate::to_json(&report.measured), "workspace": workspace.root(), "curves": report.curves,
        "models": report.models.iter().map(super::train::to_json).collect::<Vec<_>>(),
        "decisions": decisions::for_machines(&report.decided), "audience": report.counted.to_json(),
    })
}

fn counts(kind: InputKind, summary: &IngestSummary) -> Value {
    json!({
        "kind": kind.as_str(), "read": summary.read, "accepted": summary.accepted,
        "duplicate": summary.duplicate, "rejected": summary.rejected,
    })
}

fn heading(number: usize, text: &str) -> Vec<String> {
    vec![String::new(), format!("{number}  {text}")]
}

fn what_came_in(data: &Path, taken: &[(InputKind, IngestSummary)], files: &[LakeFile]) -> Vec<String> {
    let mut lines = heading(1, &format!("What came in, and that it adds up ({})", data.display()));
    for (kind, summary) in taken {
        lines.push(format!(
            "   {:<10} read {:>9} = accepted {:>9} + duplicate {} + rejected {}",
            kind.as_str(),
            thousands(summary.read),
            thousands(summary.accepted),
            thousands(summary.duplicate),
            thousands(summary.rejected)
        ));
    }
    if let (Some(first), Some(last)) = (files.first(), files.last()) {
        lines.push(format!("   {} days with events between {} and {}", files.len(), first.date, last.date));
    }
    lines
}

/// Stamps in UTC, people elsewhere: what a tool would learn that forgets the difference.
fn the_trap(in_utc: &Population, on_own_clocks: &Population) -> Vec<String> {
    let (utc, local) = (visits_by_hour(in_utc), visits_by_hour(on_own_clocks));
    let peak = |hours: &[f64; 24]| argmax(hours);
    let mut lines =
        heading(2, &format!("The {:02}:00 trap: the stamps are UTC, the people are not", peak(&utc)));
    lines.push("                      0     6     12    18   23h".to_string());
    lines.push(format!("   read as stamped    {}  peak {:02}:00", charts::sparkline(&utc), peak(&utc)));
    lines.push(format!("   on their own clock {}  peak {:02}:00", charts::sparkline(&local), peak(&local)));
    lines
}

fn where_files_lie(workspace: &Workspace, report: &DemoReport, watch: Stopwatch) -> Vec<String> {
    let mut lines = heading(11, "Where the files lie");
    lines.push(format!("   events     {}/date=…/part-….parquet", workspace.events().display()));
    lines.push(format!("   profiles   {}", report.built.path.display()));
    lines.push(format!("   curves     {}", report.curves[0].display()));
    lines.push(format!("   best hours {}", report.curves[1].display()));
    lines.push(format!(
        "   models     {}/GOAL/VERSION/{{model.json, card.json, CARD.md}}",
        workspace.models().display()
    ));
    lines.push(format!("   decisions  {}/…", workspace.decision_log().display()));
    lines.push(format!("\nDone in {:.1} s, as of {}.", watch.elapsed().as_secs_f64(), report.as_of));
    lines
}

/// Active hours of everybody, by hour of the day.
fn visits_by_hour(population: &Population) -> [f64; 24] {
    let mut hours = [0.0; 24];
    for unit in population.histories.iter().flat_map(|history| &history.units) {
        hours[usize::from(unit.slot) % 24] += 1.0;
    }
    hours
}

fn who_is_there(built: &Built) -> Vec<String> {
    let mut lines = heading(3, &format!("Who is there: {} households", thousands(built.manifest.rows)));
    let count = |stage: &Lifecycle| built.lifecycle.get(stage.as_str()).copied().unwrap_or(0);
    let stages = Lifecycle::ALL.iter().map(|stage| format!("{} {}", stage.as_str(), thousands(count(stage))));
    lines.push(format!("   {}", stages.collect::<Vec<_>>().join(" · ")));
    lines
}

/// The user with most evidence and the one with least, both with some history.
fn two_weeks(population: &Population, model: &SendTimeModel, interval: f64) -> Vec<String> {
    let curve = |user: usize| model.curve(user, &population.histories[user]);
    let known = (0..population.ids.len()).filter(|user| !population.histories[*user].units.is_empty());
    let by_evidence: Vec<(usize, f64)> = known.map(|user| (user, curve(user).evidence)).collect();
    let rich = by_evidence.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    let poor = by_evidence.iter().min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut lines = heading(
        4,
        "Two households' weeks: one with a rich history, one nearly empty (darker = more likely to shop)",
    );
    for (user, _) in [rich, poor].into_iter().flatten() {
        if lines.len() > 2 {
            lines.push(String::new());
        }
        lines.extend(one_week(
            &population.ids[*user],
            population.histories[*user].units.len(),
            &curve(*user),
            interval,
        ));
    }
    lines
}

fn one_week(id: &str, units: usize, curve: &SendTimeCurve, interval: f64) -> Vec<String> {
    let (best, day) = (curve.best_hour_of_week(), curve.best_hour_of_day());
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut lines = vec![format!(
        "   household {id}: {units} active hour{} ({:.1} when older ones count less); {:.0} % of the curve is its own history",
        if units == 1 { "" } else { "s" },
        curve.evidence,
        100.0 * (1.0 - curve.shrinkage)
    )];
    lines.extend(charts::heat_strip(&curve.probability).into_iter().map(|line| format!("     {line}")));
    lines.push(format!(
        "     best hour {}: {} of its visits, {:.0} % interval [{}, {}]; any day at {day:02}:00: {}",
        hour_of_week_name(best),
        percent(curve.probability[best]),
        100.0 * interval,
        percent(curve.low[best]),
        percent(curve.high[best]),
        percent(by_hour_of_day(&curve.probability)[day])
    ));
    lines
}

fn hour_load(population: &Population, model: &SendTimeModel) -> Vec<String> {
    let mut load = [0_u64; 24];
    let mut week = [0.0; HOURS_OF_WEEK];
    for (user, history) in population.histories.iter().enumerate() {
        let probability = model.probability(user, history);
        load[argmax(&by_hour_of_day(&probability))] += 1;
        week.iter_mut().zip(probability).for_each(|(sum, share)| *sum += share);
    }
    let everybody = argmax(&by_hour_of_day(&week));
    let mut lines = heading(5, "Hour load: households whose best hour of the day this is");
    let note =
        |hour: usize| if hour == everybody { "← one hour for all".to_string() } else { String::new() };
    let bars = charts::hour_bars(&load, note);
    lines.extend(bars.into_iter().map(|line| format!("   {line}")));
    lines
}

/// The models on their test parts, beside giving everybody the share of those who reached the goal.
fn what_was_learned(models: &[TrainedModel]) -> Vec<String> {
    let mut lines = heading(7, "What was learned to foretell, measured on later days");
    lines.push(format!(
        "   {:<12} {:<58} {:>9} {:>22} {:>9} {:>6}",
        "goal", "a household …", "tested", "log-loss", "base rate", "AUC"
    ));
    for outcome in models {
        let metrics = &outcome.trained.card.metrics;
        let log_loss = &metrics.log_loss;
        lines.push(format!(
            "   {:<12} {:<58} {:>9} {:>22} {:>9.3} {:>6.3}{}",
            outcome.goal,
            outcome.trained.model.definition.description,
            thousands(log_loss.n),
            format!("{:.3} [{:.3} {:.3}]", log_loss.value, log_loss.low, log_loss.high),
            metrics.base_rate_log_loss.value,
            metrics.auc.value,
            why_not_served(outcome)
        ));
    }
    lines
}

/// What keeps a model out: the first line of the gate that does not hold.
fn why_not_served(outcome: &TrainedModel) -> String {
    let gate = outcome.trained.card.gate.as_ref();
    match gate.and_then(|gate| gate.failed().first().map(|line| line.name.clone())) {
        Some(name) if !outcome.is_promoted() => format!("  not served: {name}"),
        _ => String::new(),
    }
}

fn the_proof(report: &CurvesReport) -> Vec<String> {
    let of_100 = |name: &str| {
        let figures = report.models.iter().find(|(model, _)| *model == name).map(|(_, figures)| figures);
        figures.map_or(f64::NAN, |figures| 100.0 * figures[Metric::HitAt1.as_str()].value)
    };
    let mut lines = heading(6, "The proof, on days the engine had not seen");
    lines.push(format!(
        "   The predicted hour met a visit for {:.0} of 100 households, one hour for all: {:.0}.",
        of_100("model"),
        of_100("global")
    ));
    lines.push(format!(
        "   (Of the {} households that came before and after: at least one visit at that hour of day.)",
        thousands(report.users as u64)
    ));
    lines.push(String::new());
    lines.extend(
        super::evaluate::to_text(report).lines().map(|line| format!("   {line}").trim_end().to_string()),
    );
    lines
}
