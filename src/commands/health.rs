//! `smartpush health`: is what came in the last days like what came before, and if not, in what?

use super::charts::day_bars;
use super::output::{print_json, print_lines, table};
use super::{Context, Failure};
use events::health::{CheckReport, checks};
use operations::health::{HealthReport, HealthRequest, health};

/// Judge the newest whole days (UTC) before T by the four weeks before them
///
/// Volume, names, columns, amounts, platforms, zones, hours and repeats of each day beside the days before it. A check that
/// fails says its name, the day, what was found and what was expected, and the command ends with exit 3. Thresholds, days known to
/// be odd and names that are meant to be new are settings ([health]).
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush health
  smartpush health --as-of 2018-01-01 --days 28
  smartpush health --checks")]
pub(super) struct HealthArguments {
    /// Whole days before this moment count [default: 1 µs after the newest event, at most now]
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// Newest days to judge; default: health.days
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: Option<u16>,
    /// Say what the checks are instead
    #[arg(long)]
    checks: bool,
}

pub(super) fn run(context: &Context, arguments: &HealthArguments) -> Result<(), Failure> {
    if arguments.checks {
        show_checks(context);
        return Ok(());
    }
    let workspace = context.open()?;
    let as_of = context.given_moment(arguments.as_of.as_deref())?;
    let request = HealthRequest { as_of, days: arguments.days.map(usize::from) };
    let HealthReport { checks, refusal } =
        context.operate(&workspace, |operation| health(operation, &request))?;
    let failed = refusal.as_ref().map(|refusal| refusal.failed.clone()).unwrap_or_default();
    let refusal = refusal.map(Failure::from);
    if context.json {
        print_json(&to_json(&checks, &failed, refusal.as_ref()));
    } else {
        print_lines(&to_lines(&checks));
    }
    Failure::after_report(refusal)
}

fn show_checks(context: &Context) {
    if context.json {
        let all: Vec<serde_json::Value> = checks()
            .map(|(name, sentence)| serde_json::json!({ "name": name, "passes": sentence }))
            .collect();
        print_json(&serde_json::json!({ "checks": all }));
        return;
    }
    let width = checks().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<String> =
        checks().map(|(name, sentence)| format!("  {name:<width$}  {sentence}")).collect();
    print_lines(&lines);
}

fn to_json(report: &CheckReport, names: &[&str], refusal: Option<&Failure>) -> serde_json::Value {
    let mut object = serde_json::json!({
        "as_of": report.as_of, "days": report.days, "checks": report.checks, "failed": names,
    });
    if let Some(failure) = refusal {
        failure.add_to(&mut object);
    }
    object
}

fn to_lines(report: &CheckReport) -> Vec<String> {
    let days: Vec<(String, u64, &str)> = report
        .days
        .iter()
        .map(|day| (day.day.clone(), day.events, if day.judged { "judged" } else { "" }))
        .collect();
    let mut lines = vec![format!("Events a day (UTC) before {}", report.as_of)];
    lines.extend(day_bars(&days));
    lines.push(String::new());
    let passed = report.checks.iter().filter(|outcome| outcome.passed);
    let rows: Vec<Vec<String>> =
        passed.map(|outcome| vec![outcome.name.to_string(), "passed".into()]).collect();
    lines.extend(table(&rows));
    lines.extend(report.failed().map(|outcome| format!("  FAILED {outcome}")));
    lines
}
