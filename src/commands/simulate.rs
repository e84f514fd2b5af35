//! `smartpush simulate`: policies side by side in a world whose truth is known.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::charts::sparkline;
use super::output::{Bar, print_json, print_lines, table, thousands};
use super::{Context, Failure};
use evaluation::bootstrap::Figure;
use operations::simulate::{SimulateReport, SimulateRequest, simulate};
use simulation::parameters::Scenario;
use simulation::policies::Policy;
use simulation::report::PolicyReport;
use simulation::run::Week;

/// Let policies play in a world with known truth, and measure them between random and perfect
///
/// People live in many zones, by rhythms, tastes and fatigue of their own; what they do of
/// themselves is logged for all policies alike. Each day each policy decides for everybody what to
/// push and when; who clicks, and who opts out, follows from the truth and from the same random
/// numbers. smartpush is the product: it learns its curves and its response model from the log and
/// from what its own pushes came to. The oracle knows the truth and takes whatever is worth most.
///
/// Policies: random, popular_global_hour, raw_histogram_hour, smartpush, oracle. The exposure_trap
/// is a past in which every push went out at 09:00, and people who answer three hours later than they
/// are active of themselves. No workspace is needed or changed.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  smartpush simulate --users 2000 --weeks 4
  smartpush simulate --seeds 5 --json
  smartpush simulate --scenario exposure_trap --policies random,smartpush,oracle"
)]
pub(super) struct SimulateArguments {
    /// Parameters that override the committed world (src/simulation/world.default.toml)
    #[arg(long, value_name = "FILE")]
    parameters: Option<PathBuf>,
    /// People, instead of what the parameters say
    #[arg(long, value_name = "N")]
    users: Option<usize>,
    /// Weeks of play, instead of what the parameters say
    #[arg(long, value_name = "W")]
    weeks: Option<i32>,
    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Worlds, each with the next seed
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    seeds: u64,
    /// Policies that play, all unless named
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    policies: Vec<String>,
    /// default or exposure_trap
    #[arg(long, value_name = "NAME", default_value = "default")]
    scenario: String,
}

pub(super) fn run(context: &Context, arguments: &SimulateArguments) -> Result<(), Failure> {
    let request = SimulateRequest {
        parameters: arguments.parameters.clone(),
        users: arguments.users,
        weeks: arguments.weeks,
        scenario: scenario(&arguments.scenario)?,
        seed: arguments.seed,
        seeds: arguments.seeds,
        policies: policies(&arguments.policies)?,
    };
    let report = simulate(&Bar::new(), &request)?;
    match context.json {
        true => print_json(&for_machines(&report, arguments)),
        false => print_lines(&for_people(&report, arguments)),
    }
    Ok(())
}

fn scenario(name: &str) -> Result<Scenario, Failure> {
    match name {
        "default" => Ok(Scenario::Default),
        "exposure_trap" => Ok(Scenario::ExposureTrap),
        _ => {
            Err(Failure::caller("unknown_scenario", format!("{name:?}; there are default and exposure_trap")))
        }
    }
}

/// The policies of these names.
fn policies(names: &[String]) -> Result<Vec<Policy>, Failure> {
    let known = Policy::ALL.map(Policy::as_str).join(", ");
    let policy = |name: &String| {
        Policy::parse(name)
            .ok_or_else(|| Failure::caller("unknown_policy", format!("{name:?}; there are {known}")))
    };
    names.iter().map(policy).collect()
}

fn for_machines(report: &SimulateReport, arguments: &SimulateArguments) -> Value {
    let parameters = &report.parameters;
    json!({
        "scenario": arguments.scenario, "users": parameters.users, "weeks": parameters.weeks,
        "seed": arguments.seed, "seeds": arguments.seeds, "policies": report.policies,
    })
}

fn for_people(report: &SimulateReport, arguments: &SimulateArguments) -> Vec<String> {
    let SimulateReport { parameters, policies } = report;
    let worlds = if arguments.seeds == 1 { "world" } else { "worlds" };
    let mut lines = vec![
        format!(
            "{} people, {} weeks, {} {worlds} from seed {}, scenario {}",
            thousands(parameters.users as u64),
            parameters.weeks,
            arguments.seeds,
            arguments.seed,
            arguments.scenario
        ),
        String::new(),
    ];
    let mut rows = vec![HEADER.map(str::to_string).to_vec()];
    rows.extend(policies.iter().map(row));
    lines.extend(table(&rows));
    lines.push(String::new());
    lines.push("  week by week".into());
    let mut rows = vec![
        ["", "clicks", "near the best hour, last week", "odds of hour", "of content"]
            .map(str::to_string)
            .to_vec(),
    ];
    rows.extend(policies.iter().map(weeks));
    lines.extend(table(&rows));
    lines.push(String::new());
    lines.extend(NOTES.map(|note| format!("  {note}")));
    lines
}

const HEADER: [&str; 7] =
    ["", "value a person", "of the way to the oracle", "smartpush ahead by", "pushes", "clicks", "opt-outs"];
const NOTES: [&str; 4] = [
    "value: clicks less the cost of opt-outs; 95 % intervals, people drawn with replacement",
    "of the way to the oracle: (value − random's) / (oracle's − random's)",
    "near the best hour: share of pushes within an hour of the person's truly best hour of the day",
    "odds: of the hour, and of the content, beside those of the truly best one; mean over the last week's pushes",
];

fn row(report: &PolicyReport) -> Vec<String> {
    let optional = |figure: &Option<Figure>, digits| figure.as_ref().map_or("".into(), |f| span(f, digits));
    vec![
        report.policy.as_str().to_string(),
        span(&report.value, 3),
        optional(&report.share, 3),
        optional(&report.smartpush_ahead, 3),
        thousands(report.tally.pushes),
        thousands(report.tally.clicks),
        thousands(report.tally.opt_outs),
    ]
}

fn span(figure: &Figure, digits: usize) -> String {
    let Figure { value, low, high, .. } = figure;
    format!("{value:.digits$} [{low:.digits$} {high:.digits$}]")
}

fn weeks(report: &PolicyReport) -> Vec<String> {
    let clicks: Vec<f64> = report.weeks.iter().map(|week| week.tally.clicks as f64).collect();
    let last = report.weeks.last().copied().unwrap_or_default();
    let share = |sum: f64, week: &Week| format!("{:.2}", sum / week.tally.pushes.max(1) as f64);
    vec![
        report.policy.as_str().to_string(),
        sparkline(&clicks),
        share(last.near_best_hour as f64, &last),
        share(last.hour_odds, &last),
        share(last.content_odds, &last),
    ]
}
