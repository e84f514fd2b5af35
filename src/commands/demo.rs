//! `smartpush demo`: the whole path on real data, one readable stage after the other.

mod audience;
mod decisions;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant as Stopwatch;

use super::output::{print_json, print_lines, thousands};
use super::{Context, Failure, charts};
use api::Clock;
use config::Config;
use curves::SendTimeModel;
use curves::evaluate::{Report, evaluate};
use curves::export::{CurveFrames, Layout};
use curves::population::{Cut, Population};
use domain::curve::{SendTimeCurve, argmax, by_hour_of_day};
use domain::lifecycle::Lifecycle;
use domain::time::{HOURS_OF_WEEK, Instant, hour_of_week_name};
use domain::zone::Zone;
use evaluation::send_time::Metric;
use events::ingest::ingest;
use events::lake::Lake;
use events::mapping::Renames;
use events::request::{Kind, Request, Summary};
use files::tables::{self, TableError};
use files::workspace::{ServeLock, Workspace, WriteLock};
use operations::context::Context as Operation;
use operations::train::{Learned, Trainer, TrainingError};
use profiles::build::{Built, build};
use profiles::declared::Declared;

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

/// The sample's bare dates (campaigns, redemptions) are read on this clock.
const SAMPLE_ZONE: &str = "America/New_York";

/// Files of a data directory, in the order in which they are taken.
const FILES: [(Kind, &[&str]); 4] = [
    (Kind::Users, &["users.csv"]),
    (Kind::Contents, &["contents.jsonl"]),
    (Kind::Campaigns, &["campaigns.jsonl"]),
    (Kind::Events, &["purchases.parquet", "coupon_uses.csv", "campaign_events.csv"]),
];

/// The workspace and what every stage needs of it.
struct Demo<'a> {
    context: &'a Context,
    data: &'a Path,
    workspace: Workspace,
    lake: Lake,
    declared: Declared,
    as_of: Instant,
}

pub(super) fn run(context: &Context, arguments: &DemoArguments) -> Result<(), Failure> {
    let watch = Stopwatch::now();
    let (workspace, locks, taken) = fresh_workspace(context, &arguments.data)?;
    let lake = context.lake(&workspace)?;
    let declared = Declared::read(&workspace, &context.config.default_time_zone)?;
    let as_of = context.moment(None, &lake)?;
    let demo = Demo { context, data: &arguments.data, workspace, lake, declared, as_of };
    let say = |lines: &[String]| {
        if !context.json {
            print_lines(lines);
        }
    };
    say(&demo.what_came_in(&taken));
    let population = Population::read(&demo.lake, &demo.declared, Cut::At(as_of), &|_, _| ())?;
    say(&demo.the_trap(&population)?);
    let built =
        build(&demo.workspace, &demo.lake, &demo.declared, as_of, &context.config.profiles, &|_, _| ())?;
    say(&who_is_there(&built));
    let model = SendTimeModel::fit(&population.histories, context.config.send_time.interval);
    say(&two_weeks(&population, &model, context.config.send_time.interval));
    say(&hour_load(&population, &model));
    let report = demo.evaluate()?;
    say(&the_proof(&report));
    let outcomes = demo.train()?;
    say(&what_was_learned(&outcomes));
    let audience = audience::tell(context, &demo.workspace, &locks.writing)?;
    say(&audience.lines);
    let told = decisions::tell(context, &demo.workspace, as_of, &population.ids)?;
    say(&told.lines);
    let files = demo.write_curves(&population, &model)?;
    say(&demo.where_files_lie(&built, &files, watch));
    if context.json {
        let ingested: Vec<serde_json::Value> =
            taken.iter().map(|(kind, summary)| counts(*kind, summary)).collect();
        print_json(&serde_json::json!({
            "as_of": as_of.to_string(), "ingested": ingested, "lifecycle": built.lifecycle,
            "evaluate": super::evaluate::to_json(&report), "workspace": demo.workspace.root(), "curves": files,
            "models": outcomes.iter().map(super::train::to_json).collect::<Vec<_>>(), "decisions": told.json,
            "audience": audience.json,
        }));
    }
    if arguments.no_serve {
        return Ok(());
    }
    drop(locks.writing);
    let address = format!("127.0.0.1:{}", arguments.port);
    let invite = |address: SocketAddr| decisions::invitation(address, told.example.as_ref());
    super::serve::serve(context, demo.workspace, Clock::starting_at(as_of), &address, &invite)
}

/// Held while the demo makes its workspace, and while it serves it.
struct Locks {
    writing: WriteLock,
    _serving: ServeLock,
}

/// What came of each kind of file.
type Taken = Vec<(Kind, Summary)>;

/// Makes `data/demo` afresh and takes the files of the data directory.
fn fresh_workspace(context: &Context, data: &Path) -> Result<(Workspace, Locks, Taken), Failure> {
    if !data.join("purchases.parquet").exists() {
        let place = data.display();
        let message = format!(
            "{place}/purchases.parquet; run this in a clone of the repository, or name the data with --data DIR"
        );
        return Err(Failure::not_found("no_such_file", message));
    }
    let root = match context.workspace.as_os_str() == "." {
        true => PathBuf::from("data/demo"),
        false => context.workspace.join("data/demo"),
    };
    if Workspace::is_foreign(&root) {
        let place = root.join("data");
        let message = format!("{}: files that no demo put there", place.display());
        return Err(Failure::conflict("not_a_workspace", message));
    }
    let workspace = Workspace::create(&root)?;
    let locks = Locks { writing: workspace.lock()?, _serving: workspace.lock_for_serving()? };
    workspace.clear(&locks.writing)?;
    let mut taken = Vec::new();
    for (kind, names) in FILES {
        let files: Vec<PathBuf> = names.iter().map(|name| data.join(name)).collect();
        taken.push((kind, take(context, &workspace, kind, &files)?));
    }
    Ok((workspace, locks, taken))
}

fn take(context: &Context, workspace: &Workspace, kind: Kind, files: &[PathBuf]) -> Result<Summary, Failure> {
    let zone = Zone::find(SAMPLE_ZONE).map_err(Failure::ours)?;
    let renames = Renames::default();
    let request = Request { files, kind, format: None, renames, zone: Some(zone), now: context.now };
    let mut summary = ingest(workspace, &context.config.ingest, &request, &|_| ())?;
    match summary.refused.pop() {
        Some(refused) => Err(refused.into()),
        None => Ok(summary),
    }
}

fn counts(kind: Kind, summary: &Summary) -> serde_json::Value {
    serde_json::json!({
        "kind": kind.as_str(), "read": summary.read, "accepted": summary.accepted,
        "duplicate": summary.duplicate, "rejected": summary.rejected,
    })
}

fn heading(number: usize, text: &str) -> Vec<String> {
    vec![String::new(), format!("{number}  {text}")]
}

impl Demo<'_> {
    fn what_came_in(&self, taken: &[(Kind, Summary)]) -> Vec<String> {
        let mut lines = heading(1, &format!("What came in, and that it adds up ({})", self.data.display()));
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
        let files = &self.lake.manifest().files;
        if let (Some(first), Some(last)) = (files.first(), files.last()) {
            lines.push(format!(
                "   {} days with events between {} and {}",
                files.len(),
                first.date,
                last.date
            ));
        }
        lines
    }

    /// Stamps in UTC, people elsewhere: what a tool would learn that forgets the difference.
    fn the_trap(&self, population: &Population) -> Result<Vec<String>, Failure> {
        let everybody_in_utc = self.declared.clone().everybody_in("UTC");
        let naive = Population::read(&self.lake, &everybody_in_utc, Cut::At(self.as_of), &|_, _| ())?;
        let (utc, local) = (visits_by_hour(&naive), visits_by_hour(population));
        let peak = |hours: &[f64; 24]| argmax(hours);
        let mut lines =
            heading(2, &format!("The {:02}:00 trap: the stamps are UTC, the people are not", peak(&utc)));
        lines.push("                      0     6     12    18   23h".to_string());
        lines.push(format!("   read as stamped    {}  peak {:02}:00", charts::sparkline(&utc), peak(&utc)));
        lines.push(format!(
            "   on their own clock {}  peak {:02}:00",
            charts::sparkline(&local),
            peak(&local)
        ));
        Ok(lines)
    }

    fn evaluate(&self) -> Result<Report, Failure> {
        let config: &Config = &self.context.config;
        let cut = operations::evaluate::default_cut(&self.lake, config);
        Ok(evaluate(&self.lake, &self.declared, cut, config, &|_, _| ())?)
    }

    /// Trains every goal that the data says something about.
    fn train(&self) -> Result<Vec<Learned>, Failure> {
        let train = |operation: &Operation<'_>| -> Result<Vec<Learned>, TrainingError> {
            let trainer = Trainer::open(operation, &self.lake, self.as_of)?;
            self.context.config.goals.keys().map(|goal| trainer.train_and_promote(goal)).collect()
        };
        Ok(self.context.operate(&self.workspace, train)?)
    }

    fn write_curves(&self, population: &Population, model: &SendTimeModel) -> Result<Vec<PathBuf>, Failure> {
        let mut files = Vec::new();
        for (layout, name) in [(Layout::Long, "curves.parquet"), (Layout::Best, "best_hours.csv")] {
            let path = self.workspace.data().join(name);
            let mut frames = CurveFrames::new(model, population, layout);
            tables::write_table(&path, || frames.next_frame().map_err(TableError::parquet(Path::new(name))))?;
            files.push(path);
        }
        Ok(files)
    }

    fn where_files_lie(&self, built: &Built, curves: &[PathBuf], watch: Stopwatch) -> Vec<String> {
        let mut lines = heading(11, "Where the files lie");
        lines.push(format!("   events     {}/date=…/part-….parquet", self.workspace.events().display()));
        lines.push(format!("   profiles   {}", built.path.display()));
        lines.push(format!("   curves     {}", curves[0].display()));
        lines.push(format!("   best hours {}", curves[1].display()));
        lines.push(format!(
            "   models     {}/GOAL/VERSION/{{model.json, card.json, CARD.md}}",
            self.workspace.models().display()
        ));
        lines.push(format!("   decisions  {}/…", self.workspace.decision_log().display()));
        lines.push(format!("\nDone in {:.1} s, as of {}.", watch.elapsed().as_secs_f64(), self.as_of));
        lines
    }
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
fn what_was_learned(outcomes: &[Learned]) -> Vec<String> {
    let mut lines = heading(7, "What was learned to foretell, measured on later days");
    lines.push(format!(
        "   {:<12} {:<58} {:>9} {:>22} {:>9} {:>6}",
        "goal", "a household …", "tested", "log-loss", "base rate", "AUC"
    ));
    for outcome in outcomes {
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
fn why_not_served(outcome: &Learned) -> String {
    let gate = outcome.trained.card.gate.as_ref();
    match gate.and_then(|gate| gate.failed().first().map(|line| line.name.clone())) {
        Some(name) if !outcome.is_promoted() => format!("  not served: {name}"),
        _ => String::new(),
    }
}

fn the_proof(report: &Report) -> Vec<String> {
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
