//! `smartpush evaluate`: how good are the curves on days that they have not seen, beside honest baselines?

use std::collections::BTreeMap;

use super::output::{print_json, print_text, progress_bar, thousands};
use super::{Context, Failure};
use crate::config::Config;
use crate::domain::time::Day;
use crate::domain::zone::Zone;
use crate::evaluation::bootstrap::Figure;
use crate::evaluation::send_time::Metric;
use crate::events::lake::Lake;
use crate::models::send_time::evaluate::{COVERAGE_UNITS, Report, evaluate};
use crate::models::send_time::population::Cut;
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
        print_text(&to_text(&report));
    }
    Ok(())
}

fn parse_cut(context: &Context, text: &str) -> Result<Cut, Failure> {
    match Day::parse(text) {
        Some(day) => Ok(Cut::LocalMidnight(day)),
        None => Ok(Cut::At(context.parse_moment(text)?)),
    }
}

/// The newest days are held out, the day of the newest event (in the default zone) among them.
pub(super) fn default_cut(lake: &Lake, config: &Config) -> Cut {
    let zone = Zone::find(&config.default_time_zone).unwrap_or_else(|_| Zone::utc());
    let newest = lake.newest().map_or(Day(0), |instant| zone.local_hour(instant).day());
    Cut::LocalMidnight(Day(newest.0 + 1 - config.evaluation.held_out_days as i32))
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
        "  {:<16} {:^22} {:^22} {:^22}\n",
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
            Metric::ALL.map(|metric| format!("{:>22}", cell(metric))).join(" ")
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
            Metric::ALL.map(|metric| format!("{:>22}", cell(metric))).join(" ")
        );
    }
    text += "\n  hit@1: share of users who came at least once at their predicted hour of day.\n";
    text +=
        "  ll24, ll168: mean surprise (−ln probability) of a visit's hour of day, of its hour of the week.\n";
    if let Some(coverage) = &report.coverage {
        text += &format!(
            "  {:.0} % intervals of visits by hour of day held {:.1} % of the counts ({:.1} % weighted by probability),\n  \
             of the {} users with at least {COVERAGE_UNITS} visits.\n",
            100.0 * report.interval,
            100.0 * coverage.plain,
            100.0 * coverage.weighted,
            coverage.users
        );
    }
    text
}
