//! `smartpush simulate`: policies side by side in a world whose truth is known.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::charts::sparkline;
use super::output::{Bar, print_json, print_lines, table, thousands};
use super::{Context, Failure};
use evaluation::bootstrap::Figure;
use operations::simulate::served::ProductRun;
use operations::simulate::{SimulateReport, SimulateRequest, simulate};
use simulation::game::{BrokenRules, Week};
use simulation::parameters::Scenario;
use simulation::policies::{Policy, Standing};
use simulation::report::PolicyReport;

/// Let policies play in a world with known truth, and measure them between random and perfect
///
/// People live in many zones, by rhythms, tastes and fatigue of their own; what they do of
/// themselves is logged for all policies alike. Each day each policy decides for everybody what to
/// push and when; who clicks, and who opts out, follows from the truth and from the same random
/// numbers.
///
/// product is smartpush as it is served: the engine decides over a workspace of its own, with the
/// shipped settings (exploration, holdout, priors of fresh contents, fallback), caps and quiet hours;
/// what comes of its pushes is taken in as events, and `refresh` trains, judges and promotes models.
/// It plays with the first people of the world (product.users in --parameters) and is compared on
/// them. response_model learns from outcomes of pushes when and what to send; `serve` does not use
/// it yet. The oracle knows the truth and takes whatever is worth most.
///
/// Policies: random, popular_global_hour, raw_histogram_hour, product, response_model, oracle
/// (smartpush is another name of product). The exposure_trap is a past in which every push went out
/// at 09:00, and people who answer three hours later than they are active of themselves. No workspace
/// of yours is needed or changed; the product's lies in the system's temporary directory and goes.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  smartpush simulate --users 2000 --weeks 4
  smartpush simulate --seeds 5 --json
  smartpush simulate --scenario exposure_trap --policies random,product,oracle"
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
        "product": report.product,
    })
}

fn for_people(report: &SimulateReport, arguments: &SimulateArguments) -> Vec<String> {
    let SimulateReport { parameters, policies, product } = report;
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
    lines.extend(titled_table(&HEADER, policies, row));
    lines.push(String::new());
    lines.push("  week by week".into());
    lines.extend(titled_table(&WEEKS_HEADER, policies, weeks));
    lines.push(String::new());
    lines.push("  contents: pushes beside the quality that was planted".into());
    lines.extend(titled_table(&CONTENTS_HEADER, policies, contents));
    lines.push(String::new());
    lines.extend(product.iter().flat_map(|product| of_product(product, policies)));
    let has = |standing: Standing| policies.iter().any(|report| report.policy.standing() == standing);
    lines.extend(has(Standing::NotServedYet).then(|| format!("  {NOT_SERVED_NOTE}")));
    lines.extend(NOTES.map(|note| format!("  {note}")));
    lines
}

/// A table of policies, one row each.
fn titled_table(
    header: &[&str],
    policies: &[PolicyReport],
    row: fn(&PolicyReport) -> Vec<String>,
) -> Vec<String> {
    let header = header.iter().map(|title| title.to_string()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(policies.iter().map(row)).collect();
    table(&rows)
}

/// What the product did beside its pushes.
fn of_product(product: &ProductRun, policies: &[PolicyReport]) -> Vec<String> {
    let counts = |counts: &mut dyn Iterator<Item = (&str, u64)>| {
        let parts: Vec<String> = counts.map(|(name, count)| format!("{name} {}", thousands(count))).collect();
        if parts.is_empty() { "none".to_string() } else { parts.join(", ") }
    };
    let named = |named: &std::collections::BTreeMap<String, u64>| {
        counts(&mut named.iter().map(|(name, count)| (name.as_str(), *count)))
    };
    let actions = counts(&mut product.actions.iter().map(|(name, count)| (*name, *count)));
    let mut lines = vec![
        format!("  product as it is served: {} questions to the engine: {actions}", thousands(product.asked)),
        format!("    not sent, by first rule: {}", named(&product.refused_by)),
        format!("    scored by: {}; fell back {}", named(&product.scored_by), thousands(product.fallback)),
        format!("    explored {}, holdout {}", thousands(product.explored), thousands(product.holdout)),
        format!(
            "    models trained {}, promoted {}; lines of the gate that did not hold: {}; not done: {}",
            product.trained,
            product.promoted,
            named(&product.gate_lines_failed),
            named(&product.not_promoted)
        ),
    ];
    let broken = policies.iter().find(|report| report.policy == Policy::Product);
    lines.extend(broken.map(|report| {
        let BrokenRules { quiet_hours, daily_cap, repeat_sleep, opted_out } = report.broken_rules;
        format!(
            "    pushes against the world's rules: in quiet hours {quiet_hours}, over the daily cap {daily_cap}, repeated \
             too soon {repeat_sleep}, after an opt-out {opted_out}"
        )
    }));
    lines.push(String::new());
    lines
}

const HEADER: [&str; 8] = [
    "",
    "people",
    "value a person",
    "of the way to the oracle",
    "product ahead by",
    "pushes",
    "clicks",
    "opt-outs",
];
const WEEKS_HEADER: [&str; 5] = ["", "clicks", "near the best hour, last week", "odds of hour", "of content"];
const CONTENTS_HEADER: [&str; 4] = ["", "rank correlation", "in the first 3 days", "regret a push"];
const NOT_SERVED_NOTE: &str =
    "response_model: not served yet; it learns from outcomes of pushes, and `serve` does not use it";
const NOTES: [&str; 6] = [
    "value: clicks less the cost of opt-outs; 95 % intervals, people drawn with replacement",
    "of the way to the oracle: (value − random's) / (oracle's − random's), each with the same people",
    "near the best hour: share of pushes within an hour of the person's truly best hour of the day",
    "odds: of the hour, and of the content, beside those of the truly best one; mean over the last week's pushes",
    "rank correlation: of a content's planted appeal and its pushes (Spearman), contents that lived within the weeks",
    "regret: expected clicks that the best content of the same hour would have added to a push",
];

fn row(report: &PolicyReport) -> Vec<String> {
    vec![
        name_of(report),
        thousands(report.people),
        span(&report.value, 3),
        optional(&report.share, 3),
        optional(&report.smartpush_ahead, 3),
        thousands(report.tally.pushes),
        thousands(report.tally.clicks),
        thousands(report.tally.opt_outs),
    ]
}

/// The policy's name, and whether it is served.
fn name_of(report: &PolicyReport) -> String {
    let name = report.policy.as_str();
    match report.standing {
        Standing::Served => format!("{name} (as served)"),
        Standing::NotServedYet => format!("{name} (not served yet)"),
        Standing::Reference => name.to_string(),
    }
}

fn optional(figure: &Option<Figure>, digits: usize) -> String {
    figure.as_ref().map_or(String::new(), |figure| span(figure, digits))
}

fn contents(report: &PolicyReport) -> Vec<String> {
    let contents = &report.contents;
    vec![
        name_of(report),
        optional(&contents.rank_correlation, 2),
        optional(&contents.fresh_rank_correlation, 2),
        span(&contents.regret, 4),
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
        name_of(report),
        sparkline(&clicks),
        share(last.near_best_hour as f64, &last),
        share(last.hour_odds, &last),
        share(last.content_odds, &last),
    ]
}
