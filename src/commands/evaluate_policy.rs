//! `smartpush evaluate-policy`: what another policy would have earned on what this one logged.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::output::{print_json, print_lines, thousands};
use super::{Context, Failure};
use evaluation::bootstrap::Figure;
use evaluation::off_policy::{Draws, Estimate, Estimator, OffPolicyReport};
use feedback::off_policy::{ArmPart, Loaded};
use operations::evaluate_policy::{PolicyReport, PolicyRequest, evaluate_policy};

/// Value another policy on what was logged, before anybody is pushed by it
///
/// LOG holds what a randomised policy did, with what probability, and what it earned. Each row is
/// weighed by how much more or less often the other policy would have done the same. LOG is one of
///   a directory   data/decisions as `smartpush outcomes` wrote it, with data/outcomes beside it: a
///                 row for each decision that sends; it earns 1 when the goal was reached after a
///                 click
///   a file        CSV (also gzipped) or Parquet, one row an action:
///                   action | item_id | content_id      what was done
///                   action_probability | propensity_score | pscore    how probable that was
///                   reward | click                     what it earned
///                   position, user_id, decision_id     if there are; rows of a user are drawn
///                                                      together
/// Of a | b the first that is there counts; all other columns are ignored.
///
/// The policy FILE is CSV or Parquet too. Its probabilities are given
///   for all rows alike    item_id, probability; with a column position for each of these. Decisions
///                         of ours choose among the allowed only: there they are scaled to sum to 1
///   for each row          row (from 0 or 1), item_id, probability; or decision_id, item_id,
///                         probability
///   for what was logged   probability alone, a line for each row: IPS and SNIPS only
///
/// What is told: the value, in rewards a row, by five estimators that err in different ways.
///   ips        weighted mean; right on average, and as uncertain as a few large weights make it
///   snips      the same over the sum of weights; steadier, right with many rows
///   dm         a reward model alone; steady, and wrong where the model is
///   dr         the model, corrected by weighted rows; right on average: the one to go by
///   switch_dr  the same, but rows of weight over a threshold are left to the model; the threshold has
///              the least bound of variance and squared bias, and the largest weight when none is
///              worth leaving out: then switch_dr is dr
/// Where they disagree by more than their intervals, trust none of them. The reward model is the mean
/// of each action and position, shrunk to the position's, or the response probability that our log
/// carries; it never sees the rows it is used on. Intervals are 95 %, from the standard error and by
/// drawing users (else rows) with replacement.
///
/// A value that no policy can have, such as a negative rate, is marked `!` (outside_range in JSON).
/// --fail-below-ess N ends with exit 3 when the effective sample size is below N; the report is
/// printed all the same.
///
/// Refused, with exit 2: a policy that wants what the log could not choose (missing_support), a logged
/// probability that is not in (0, 1], policy probabilities that do not sum to 1.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  smartpush evaluate-policy data/decisions --policy contents.csv
  smartpush evaluate-policy data/decisions --policy channels.csv --action channel
  smartpush evaluate-policy log.csv.gz --policy policy.csv --json --fail-below-ess 500
  smartpush evaluate-policy log.parquet --policy policy.parquet --map arm=action,paid=reward
With exploration off a log holds one action a decision, with probability 1: it can value no other policy."
)]
pub(super) struct EvaluatePolicyArguments {
    /// What was logged: data/decisions, or a file
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The policy to value
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Your column names for ours, in either file
    #[arg(long, value_name = "THEIRS=OURS,…")]
    map: Option<String>,
    /// Of data/decisions: the part of the arm that the policy chooses; the rest stays as it was logged
    #[arg(long, value_enum, default_value = "content", value_name = "PART")]
    action: ActionArgument,
    /// Of data/decisions: the reward; any also counts goals that were reached without a click
    #[arg(long, value_enum, default_value = "direct", value_name = "KIND")]
    attribution: AttributionArgument,
    /// Where the outcomes of data/decisions lie, when not beside it
    #[arg(long, value_name = "DIR")]
    outcomes: Option<PathBuf>,
    /// Draws for the bootstrap intervals
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    draws: u32,
    /// End with exit 3 when the effective sample size is below this
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    fail_below_ess: Option<f64>,
    /// Seed of the draws and of the reward model's two folds
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum ActionArgument {
    /// Content
    Content,
    /// Content and variant, joined by /
    Variant,
    /// Channel
    Channel,
    /// First instant of the send slot
    Slot,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AttributionArgument {
    Direct,
    Any,
}

impl From<ActionArgument> for ArmPart {
    fn from(argument: ActionArgument) -> ArmPart {
        match argument {
            ActionArgument::Content => ArmPart::Content,
            ActionArgument::Variant => ArmPart::Variant,
            ActionArgument::Channel => ArmPart::Channel,
            ActionArgument::Slot => ArmPart::Slot,
        }
    }
}

pub(super) fn run(context: &Context, arguments: &EvaluatePolicyArguments) -> Result<(), Failure> {
    let PolicyReport { report, loaded, refusal } = evaluate_policy(&arguments.request())?;
    let refusal = refusal.map(Failure::from);
    for warning in &report.warnings {
        eprintln!("warning: {}: {}", warning.code, warning.detail);
    }
    match context.json {
        true => print_json(&for_machines(&report, &loaded, refusal.as_ref())),
        false => print_lines(&for_people(&report, &loaded)),
    }
    Failure::after_report(refusal)
}

impl EvaluatePolicyArguments {
    fn request(&self) -> PolicyRequest {
        PolicyRequest {
            log: self.log.clone(),
            policy: self.policy.clone(),
            map: self.map.clone().unwrap_or_default(),
            part: self.action.into(),
            influenced: self.attribution == AttributionArgument::Any,
            outcomes: self.outcomes.clone(),
            draws: Draws { bootstrap: self.draws as usize, seed: self.seed },
            least_effective: self.fail_below_ess,
        }
    }
}

fn at_least_one(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 1.0);
    number.ok_or_else(|| "expected a number of rows, 1 or more".to_string())
}

fn for_machines(report: &OffPolicyReport, loaded: &Loaded, refusal: Option<&Failure>) -> Value {
    let mut json = json!(report);
    json["actions"] = loaded.problem.actions.len().into();
    json["positions"] = loaded.problem.positions.len().into();
    json["not_sent"] = loaded.not_sent.into();
    json["without_arms"] = loaded.without_arms.into();
    if let Some(failure) = refusal {
        failure.add_to(&mut json);
    }
    json
}

fn for_people(report: &OffPolicyReport, loaded: &Loaded) -> Vec<String> {
    let Loaded { problem, not_sent, without_arms } = loaded;
    let mut lines = vec![format!(
        "{} rows of {} units, {} actions, {} positions",
        thousands(report.rows),
        thousands(report.units),
        thousands(problem.actions.len() as u64),
        thousands(problem.positions.len() as u64)
    )];
    for (count, text) in [(not_sent, "decisions send nothing"), (without_arms, "sends have no known arms")] {
        if *count > 0 {
            lines.push(format!("  left out: {} {text}", thousands(*count)));
        }
    }
    lines.push(String::new());
    lines.push(format!(
        "  {:<10} {:>10}  {:^23}  {:^23}  {:^23}",
        "", "value", "95 % interval", "by bootstrap", "less the log's policy"
    ));
    lines.push(format!(
        "  {:<10} {:>10}  {}",
        "on policy",
        number(report.on_policy.value),
        span(report.on_policy.low, report.on_policy.high)
    ));
    lines.extend(report.estimators.iter().map(|(estimator, estimate)| line(*estimator, estimate)));
    lines.push(String::new());
    lines.extend(overlap(report));
    lines.push(switched(report));
    if report.estimators.iter().any(|(_, estimate)| estimate.outside_range) {
        lines.push(
            "  ! no policy can earn that from these rewards: a few large weights make the value".into(),
        );
    }
    lines
}

fn switched(report: &OffPolicyReport) -> String {
    match (report.switch_threshold, report.switch_share, report.switch_bias_bound) {
        (Some(_), Some(share), _) if share <= 0.0 => {
            "  switch_dr leaves no row to the reward model: no weight adds more variance than the model adds bias"
                .into()
        }
        (Some(threshold), Some(share), Some(bias)) => format!(
            "  switch_dr leaves rows of weight over {threshold:.4} ({:.1} % of all weight) to the reward model; it may be off by about \
             {bias:.6}",
            100.0 * share
        ),
        _ => "  the policy says only how probable the logged actions are: no dm, dr, switch_dr".into(),
    }
}

fn line(estimator: Estimator, estimate: &Estimate) -> String {
    let Figure { value, low, high, .. } = estimate.difference;
    format!(
        "{} {:<10} {:>10}  {}  {}  {value:+.6} {}",
        if estimate.outside_range { "!" } else { " " },
        estimator.as_str(),
        number(estimate.value),
        span(estimate.low, estimate.high),
        span(estimate.bootstrap_low, estimate.bootstrap_high),
        span(low, high),
    )
}

fn overlap(report: &OffPolicyReport) -> Vec<String> {
    let overlap = &report.overlap;
    let share = 100.0 * overlap.effective_sample_size / report.rows as f64;
    vec![
        format!(
            "  effective sample size {:.2} ({share:.1} % of the rows); mean weight {:.4}",
            overlap.effective_sample_size, overlap.mean_weight
        ),
        format!(
            "  largest weight {:.4} ({:.2} % of all weight); the heaviest hundredth of the rows has {:.1} %",
            overlap.largest_weight,
            100.0 * overlap.largest_weight_share,
            100.0 * overlap.top_percent_weight_share
        ),
    ]
}

fn number(value: f64) -> String {
    format!("{value:.8}")
}

fn span(low: f64, high: f64) -> String {
    format!("[{:>10} {:>10}]", format!("{low:.6}"), format!("{high:.6}"))
}
