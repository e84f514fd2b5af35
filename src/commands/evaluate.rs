//! `smartpush evaluate`: how good are the curves on days that they have not seen, beside honest baselines?

use std::collections::BTreeMap;

use super::output::{print_json, progress_bar, thousands};
use super::{Context, Failure};
use crate::config::Config;
use crate::domain::curve::by_hour_of_day;
use crate::domain::time::Day;
use crate::domain::zone::Zone;
use crate::evaluation::baselines::{Baseline, Baselines, InnerSplit};
use crate::evaluation::bootstrap::{Bootstrap, Figure, Part};
use crate::evaluation::coverage::{Coverage, CoverageCounter};
use crate::evaluation::send_time::{Metric, UserScore};
use crate::events::lake::Lake;
use crate::models::send_time::history::History;
use crate::models::send_time::population::{Cut, Population};
use crate::models::send_time::{Learned, SendTimeModel};
use crate::profiles::declared::Declared;

/// Measure the send-time curves on days they have not seen, beside baselines
///
/// Curves and baselines learn from events before the cut and are scored on each user's active hours from the cut on.
/// Intervals are 95 %, by drawing users with replacement; differences are paired.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush evaluate
  smartpush evaluate --cut 2017-12-01
  smartpush evaluate --cut 2017-12-01T05:00:00Z --json")]
pub(super) struct EvaluateArguments {
    /// A date (each user's own midnight) or RFC 3339 (one instant for all); default: the newest 30 days are held out
    #[arg(long, value_name = "T")]
    cut: Option<String>,
}

/// Users need this many held-out units for the coverage of their intervals to be judged.
const COVERAGE_UNITS: u32 = 30;
/// Days before the cut on which the baseline's strength is chosen.
const INNER_DAYS: i32 = 28;

/// Everything that one evaluation found.
pub(super) struct Report {
    pub(super) cut: Cut,
    pub(super) users: usize,
    pub(super) units: u64,
    /// Figures by model, the engine's first.
    pub(super) models: Vec<(&'static str, BTreeMap<&'static str, Figure>)>,
    /// Ours minus each baseline's.
    pub(super) differences: Vec<(&'static str, BTreeMap<&'static str, Figure>)>,
    pub(super) coverage: Option<Coverage>,
    pub(super) learned: Learned,
    pub(super) strength: f64,
}

pub(super) fn run(context: &Context, arguments: &EvaluateArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let lake = context.lake(&workspace)?;
    let cut = match &arguments.cut {
        Some(text) => parse_cut(context, text)?,
        None => default_cut(&lake, &context.config),
    };
    let declared = Declared::read(&workspace, &context.config.default_time_zone)?;
    let bar = progress_bar();
    bar.set_message("evaluating");
    let report = evaluate(&lake, &declared, cut, &context.config, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    if context.json {
        print_json(&to_json(&report));
    } else {
        print!("{}", to_text(&report));
    }
    Ok(())
}

fn parse_cut(context: &Context, text: &str) -> Result<Cut, Failure> {
    match Day::parse(text) {
        Some(day) => Ok(Cut::LocalMidnight(day)),
        None => Ok(Cut::At(context.parse_moment(text)?)),
    }
}

/// The newest days are held out, whole days on each user's clock.
pub(super) fn default_cut(lake: &Lake, config: &Config) -> Cut {
    let zone = Zone::find(&config.default_time_zone).unwrap_or_else(|_| Zone::utc());
    let newest = lake.newest().map_or(Day(0), |instant| zone.local_hour(instant).day());
    Cut::LocalMidnight(Day(newest.0 - config.evaluation.held_out_days as i32))
}

/// One user who has units on both sides of the cut.
struct Scored {
    index: usize,
    after: [u32; 168],
    before: [u32; 168],
}

/// Fits on what came before the cut and scores on what came after it.
pub(super) fn evaluate(
    lake: &Lake,
    declared: &Declared,
    cut: Cut,
    config: &Config,
    watch: &(impl Fn(usize, usize) + Sync),
) -> Result<Report, Failure> {
    let population = Population::read(lake, declared, cut, watch)?;
    let after = population.after(lake, declared, cut, watch)?;
    let scored: Vec<Scored> = population
        .histories
        .iter()
        .zip(after)
        .enumerate()
        .map(|(index, (history, after))| Scored { index, after, before: counts(history, 0) })
        .filter(|user| {
            user.before.iter().any(|count| *count > 0) && user.after.iter().any(|count| *count > 0)
        })
        .collect();
    if scored.is_empty() {
        return Err(Failure::caller(format!(
            "nothing_to_score: no user was active both before and after {cut}"
        )));
    }
    let model = SendTimeModel::fit(&population.histories, config.send_time.interval);
    let everybody: Vec<[u32; 168]> = population.histories.iter().map(|history| counts(history, 0)).collect();
    let baselines = Baselines::learn(&everybody, &inner_splits(&population.histories));
    let mut scores = vec![(
        "model",
        score(&scored, |user| model.probability(user.index, &population.histories[user.index])),
    )];
    for baseline in Baseline::ALL {
        scores.push((baseline.as_str(), score(&scored, |user| baselines.curve(baseline, &user.before))));
    }
    let bootstrap = Bootstrap::new(scored.len(), config.evaluation.bootstrap_draws, config.evaluation.seed);
    let parts = |metric: Metric, scores: &[UserScore]| -> Vec<Part> {
        scores.iter().map(|s| metric.parts(s)).collect()
    };
    let figures =
        |get: &dyn Fn(Metric) -> Figure| Metric::ALL.map(|metric| (metric.as_str(), get(metric))).into();
    let models =
        scores.iter().map(|(name, own)| (*name, figures(&|metric| bootstrap.ratio(&parts(metric, own)))));
    let ours = &scores[0].1;
    let differences = scores[1..].iter().map(|(name, theirs)| {
        (*name, figures(&|metric| bootstrap.difference(&parts(metric, ours), &parts(metric, theirs))))
    });
    Ok(Report {
        cut,
        users: scored.len(),
        units: scored.iter().flat_map(|user| user.after).map(u64::from).sum(),
        models: models.collect(),
        differences: differences.collect(),
        coverage: coverage(&scored, &model, &population.histories, config.send_time.interval),
        learned: *model.learned(),
        strength: baselines.strength(),
    })
}

fn score(users: &[Scored], curve: impl Fn(&Scored) -> [f64; 168]) -> Vec<UserScore> {
    users.iter().map(|user| UserScore::of(&curve(user), &user.after)).collect()
}

fn counts(history: &History, back: i32) -> [u32; 168] {
    let mut counts = [0; 168];
    for unit in history.units.iter().filter(|unit| unit.age_days > back) {
        counts[usize::from(unit.slot)] += 1;
    }
    counts
}

fn inner_splits(histories: &[History]) -> Vec<InnerSplit> {
    let split = |history: &History| InnerSplit {
        before: counts(history, INNER_DAYS),
        after: history.held_out(INNER_DAYS, INNER_DAYS).map(u32::from),
    };
    histories.iter().map(split).collect()
}

fn coverage(
    users: &[Scored],
    model: &SendTimeModel,
    histories: &[History],
    interval: f64,
) -> Option<Coverage> {
    let mut counter = CoverageCounter::default();
    for user in users.iter().filter(|user| user.after.iter().sum::<u32>() >= COVERAGE_UNITS) {
        let history = &histories[user.index];
        let mut by_hour = [0; 24];
        user.after.iter().enumerate().for_each(|(slot, count)| by_hour[slot % 24] += count);
        let probability = by_hour_of_day(&model.probability(user.index, history));
        counter.add(&probability, &by_hour, model.concentration(history), interval);
    }
    counter.finish()
}

pub(super) fn to_json(report: &Report) -> serde_json::Value {
    let named = |figures: &[(&'static str, BTreeMap<&'static str, Figure>)]| -> serde_json::Value {
        figures
            .iter()
            .map(|(name, figures)| (name.to_string(), serde_json::json!(figures)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    serde_json::json!({
        "cut": report.cut.to_string(), "users": report.users, "units": report.units,
        "send_time": named(&report.models),
        "send_time_differences": named(&report.differences),
        "send_time_coverage": report.coverage,
        "send_time_learned": report.learned,
        "empirical_bayes_strength": report.strength,
    })
}

/// The table for people.
pub(super) fn to_text(report: &Report) -> String {
    let mut text = format!(
        "Send time: {} users, {} active hours from {} on (each user's own clock)\n\n",
        thousands(report.users as u64),
        thousands(report.units),
        report.cut
    );
    text += &format!(
        "  {:<16} {:^21} {:^21} {:^21}\n",
        "", "hit@1, larger better", "ll24, smaller better", "ll168, smaller better"
    );
    for (name, figures) in &report.models {
        let cell = |metric: Metric| {
            let figure = &figures[metric.as_str()];
            format!("{:.3} [{:.3} {:.3}]", figure.value, figure.low, figure.high)
        };
        let shown = if *name == "model" { "smartpush" } else { name };
        text += &format!(
            "  {shown:<16} {}\n",
            Metric::ALL.map(|metric| format!("{:>21}", cell(metric))).join(" ")
        );
    }
    text += "\n  smartpush minus (paired)\n";
    for (name, figures) in &report.differences {
        let cell = |metric: Metric| {
            let figure = &figures[metric.as_str()];
            format!("{:+.3} [{:+.3} {:+.3}]", figure.value, figure.low, figure.high)
        };
        text += &format!(
            "  {name:<16} {}\n",
            Metric::ALL.map(|metric| format!("{:>21}", cell(metric))).join(" ")
        );
    }
    if let Some(coverage) = &report.coverage {
        text += &format!(
            "\n  90 % predictive intervals of hour-of-day counts, {} users with ≥ {COVERAGE_UNITS} hours: {:.1} % covered ({:.1} % weighted by probability)\n",
            coverage.users,
            100.0 * coverage.plain,
            100.0 * coverage.weighted
        );
    }
    text
}
