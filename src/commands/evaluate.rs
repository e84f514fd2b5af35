//! `smartpush evaluate`: how good are curves, rankings and propensities on days that they have not seen, beside honest
//! baselines?

use std::collections::BTreeMap;

use super::output::{print_json, print_text, thousands};
use super::{Context, Failure};
use ::models::evaluate::{ContentReport, Measured, PropensityReport};
use curves::evaluate::{COVERAGE_UNITS, CurvesReport};
use curves::population::Cut;
use evaluation::bootstrap::Figure;
use evaluation::send_time::Metric;
use operations::evaluate::{EvaluateReport, EvaluateRequest, MissingSection, Section, evaluate, parse_cut};
use registry::figures::Metrics;

/// Measure curves, rankings and propensities on days they have not seen, beside baselines
///
/// Everything learns from what was known before the cut and is measured on what came from the cut on. Intervals are 95 %, by
/// drawing users with replacement; differences are paired. A section that the data says nothing about is left out, with the
/// reason on stderr.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush evaluate
  smartpush evaluate --cut 2017-12-01 --only send-time
  smartpush evaluate --cut 2017-08-01 --only propensity --goal redeem
  smartpush evaluate --cut 2017-12-01T05:00:00Z --json")]
pub(super) struct EvaluateArguments {
    /// A date (for curves each user's own midnight) or RFC 3339 (one instant for all); default: the newest 30 days are
    /// held out
    #[arg(long, value_name = "T")]
    cut: Option<String>,
    /// Only this section; may be given more than once
    #[arg(long, value_name = "SECTION", value_enum)]
    only: Vec<SectionArgument>,
    /// Propensities of this goal only
    #[arg(long, value_name = "NAME")]
    goal: Option<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum SectionArgument {
    /// Curves: when users are active
    SendTime,
    /// Rankings: which contents they touch next
    Content,
    /// Propensities: who reaches a goal
    Propensity,
}

impl From<SectionArgument> for Section {
    fn from(section: SectionArgument) -> Section {
        match section {
            SectionArgument::SendTime => Section::SendTime,
            SectionArgument::Content => Section::Content,
            SectionArgument::Propensity => Section::Propensity,
        }
    }
}

pub(super) fn run(context: &Context, arguments: &EvaluateArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let cut = arguments.cut.as_deref().map(|text| parse_cut(&context.config, text)).transpose()?;
    let sections = arguments.only.iter().copied().map(Section::from).collect();
    let request = EvaluateRequest { cut, sections, goal: arguments.goal.clone() };
    let measured = context.operate(&workspace, |operation| evaluate(operation, &request));
    let report = measured.inspect_err(|error| error.missing().for_each(tell_missing))?;
    report.missing.iter().for_each(tell_missing);
    if context.json {
        print_json(&report_json(&report));
    } else {
        print_text(&report_text(&report));
    }
    Ok(())
}

fn tell_missing(missing: &MissingSection) {
    eprintln!("left out: {}: {}", missing.section.as_str(), missing.error);
}

fn report_json(report: &EvaluateReport) -> serde_json::Value {
    let mut json = match &report.send_time {
        Some(curves) => to_json(curves),
        None => serde_json::json!({ "cut": report.cut.to_string() }),
    };
    if let Some(report) = &report.content {
        json["content"] = named(&report.models);
        json["content_differences"] = named(&report.differences);
        json["content_user_days"] = report.user_days.into();
    }
    if !report.propensity.is_empty() {
        let goals = report.propensity.iter().map(|(name, report)| (name.clone(), propensity_json(report)));
        json["propensity"] = goals.collect::<serde_json::Map<_, _>>().into();
    }
    json
}

fn propensity_json(report: &PropensityReport) -> serde_json::Value {
    let figures = |measured: &Measured| {
        let metrics = &measured.metrics;
        serde_json::json!({
            "model": { "log_loss": metrics.log_loss, "auc": metrics.auc, "ece": metrics.ece },
            "base_rate": { "log_loss": metrics.base_rate_log_loss },
            "difference": { "log_loss": metrics.difference },
            "train_rows": measured.train_rows, "train_positives": measured.train_positives,
            "penalty": measured.penalty, "mean_probability": metrics.mean_probability, "test_rate": metrics.test_rate,
        })
    };
    let mut json = figures(&report.mature);
    if let Some(benchmark) = &report.benchmark {
        json["benchmark"] = figures(benchmark);
    }
    json
}

fn report_text(report: &EvaluateReport) -> String {
    let (cut, mut parts) = (report.cut, Vec::new());
    parts.extend(report.send_time.as_ref().map(to_text));
    parts.extend(report.content.as_ref().map(|content| content_text(cut, content)));
    if !report.propensity.is_empty() {
        parts.push(propensity_text(cut, &report.propensity));
    }
    parts.join("\n")
}

/// The rankings' table for people.
pub(super) fn content_text(cut: Cut, report: &ContentReport) -> String {
    let mut text = format!(
        "Content: {} users on {} days from {cut} on, ranked anew at each midnight; {} user-days with something to find\n\n",
        thousands(report.users as u64),
        report.days,
        thousands(report.user_days as u64)
    );
    text += &format!("  {:<16} {:^22} {:^22}\n", "", "recall@10", "NDCG@10");
    let row = |name: &str, figures: &BTreeMap<&'static str, Figure>, signed: bool| {
        let cell = |figure: &Figure| match signed {
            true => format!("{:+.3} [{:+.3} {:+.3}]", figure.value, figure.low, figure.high),
            false => format!("{:.3} [{:.3} {:.3}]", figure.value, figure.low, figure.high),
        };
        format!("  {name:<16} {:>22} {:>22}\n", cell(&figures["recall_at_10"]), cell(&figures["ndcg_at_10"]))
    };
    for (name, figures) in &report.models {
        text += &row(if *name == "model" { "smartpush" } else { name }, figures, false);
    }
    text += "\n  smartpush minus (paired)\n";
    for (name, figures) in &report.differences {
        text += &row(name, figures, true);
    }
    text += "\n  Of the contents that a user touched for the first time on a day: how many stood among ten that he had not\n  touched before, ranked at its midnight (recall), and how far up (NDCG).\n";
    text
}

/// The propensities' table for people.
pub(super) fn propensity_text(cut: Cut, reports: &BTreeMap<String, PropensityReport>) -> String {
    let mut text =
        format!("Propensity: learned from what was known at {cut}, measured on what began later\n\n");
    text += &format!(
        "  {:<22} {:>7} {:>7}  {:^22} {:^22} {:^22} {:>9}\n",
        "", "learned", "tested", "log-loss", "AUC", "calibration error", "base rate"
    );
    for (name, report) in reports {
        text += &measured_line(name, &report.mature);
        if let Some(benchmark) = &report.benchmark {
            text += &measured_line(&format!("{name} (benchmark)"), benchmark);
        }
    }
    if reports.values().any(|report| report.benchmark.is_some()) {
        text += "\n  benchmark: learned from all campaigns that began before, also from answers that came in later.\n";
    }
    text += "  base rate: the log-loss of giving everybody the share of those who reached the goal before.\n";
    text
}

fn measured_line(name: &str, measured: &Measured) -> String {
    let metrics: &Metrics = &measured.metrics;
    let cell = |figure: &Figure| format!("{:.3} [{:.3} {:.3}]", figure.value, figure.low, figure.high);
    format!(
        "  {name:<22} {:>7} {:>7}  {:>22} {:>22} {:>22} {:>9.3}\n",
        thousands(measured.train_rows as u64),
        thousands(metrics.log_loss.n),
        cell(&metrics.log_loss),
        cell(&metrics.auc),
        cell(&metrics.ece),
        metrics.base_rate_log_loss.value
    )
}

fn named(figures: &[(&'static str, BTreeMap<&'static str, Figure>)]) -> serde_json::Value {
    figures
        .iter()
        .map(|(name, figures)| (name.to_string(), serde_json::json!(figures)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

pub(super) fn to_json(report: &CurvesReport) -> serde_json::Value {
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
pub(super) fn to_text(report: &CurvesReport) -> String {
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
