//! `smartpush evaluate-lift`: what pushes caused, beside those whom chance left alone.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::output::{print_json, print_lines, thousands, unsigned_zero};
use super::{Context, Failure};
use evaluation::uplift::{Lift, Qini, Rate, UpliftError};
use feedback::arms::UnitReport;
use operations::evaluate_lift::{
    Compared, Experiment, LiftReport, LiftRequest, evaluate_experiment, evaluate_holdouts,
};

/// Measure what pushes caused: A/B and holdout report, with intervals that hold at every look
///
/// Without FILE: users of the decision log who are held out (decisions.holdout_percent, and
/// holdout_percent of a campaign) beside all others, as `smartpush outcomes` wrote and counted them. A
/// unit is a user, in a campaign the user in it; it counts whether the user reached the goal within the
/// window after the first decision about them, pushed or not: a user who was to be pushed belongs to the
/// treated, also if a rule refused the push.
///
/// FILE is any randomised experiment, CSV (also gzipped) or Parquet:
///   treated | treatment | arm     1 or 0, true or false, treatment or control
///   reached | outcome | goal | click | reward    was the goal reached: 1 or 0
///   unit_id | user_id             what chance assigned; without it every row is a unit of its own
///   treated_probability           or one for all, by --treated-percent
///   campaign_id, score            if there are; a score is put to the test by its Qini curve
///
/// The interval of the difference is a 95 % confidence sequence: it may be looked at daily, and an
/// experiment stopped when it leaves out 0. (The interval for one planned look is narrower, and
/// misleads whoever looks often.) Each campaign has a sequence of its own: of twenty without any
/// effect, one may leave out 0 by chance.
///
/// Rows of one unit are not independent, so intervals and p count units, not rows. A unit with rows in
/// both arms is left out and named; if more than one in ten is, the file is refused, because chance did
/// not assign these units.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  smartpush outcomes && smartpush evaluate-lift
  smartpush evaluate-lift --json
  smartpush evaluate-lift experiment.csv --treated-percent 50 --map variant=treated,bought=reached
  smartpush evaluate-lift exposures.csv --treated-percent 90 --map household_id=unit_id"
)]
pub(super) struct EvaluateLiftArguments {
    /// An experiment; by default the holdouts of our own decisions
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Share of the units that were to be treated, when FILE has no treated_probability
    #[arg(long, value_name = "P", requires = "file")]
    treated_percent: Option<f64>,
    /// Your column names for ours
    #[arg(long, value_name = "THEIRS=OURS,…", requires = "file")]
    map: Option<String>,
    /// What chance assigned: units with all of their rows, or each row on its own
    #[arg(long, value_name = "WHAT", requires = "file", default_value = "unit", value_parser = ["unit", "row"])]
    assigned_by: String,
    /// Units after which the interval shall be narrowest; choose it before looking
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    planned: u64,
    /// Draws for the intervals of the Qini curve
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    draws: u32,
    /// Seed of these draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(context: &Context, arguments: &EvaluateLiftArguments) -> Result<(), Failure> {
    let (planned, draws) = (arguments.planned, arguments.draws as usize);
    let request = LiftRequest { planned, draws, seed: arguments.seed };
    let measured = match &arguments.file {
        Some(file) => {
            let (file, map) = (file.clone(), arguments.map.clone().unwrap_or_default());
            let treated_probability = arguments.treated_percent.map(|percent| percent / 100.0);
            let assigned_by_row = arguments.assigned_by == "row";
            evaluate_experiment(&Experiment { file, map, treated_probability, assigned_by_row }, &request)?
        }
        None => {
            let workspace = context.open()?;
            context.operate(&workspace, |context| evaluate_holdouts(context, &request))?
        }
    };
    for (name, warning) in measured.warnings() {
        eprintln!("warning: {name}: {warning}");
    }
    match context.json {
        true => print_json(&for_machines(&measured, planned)),
        false => print_lines(&for_people(&measured)),
    }
    Ok(())
}

fn for_machines(measured: &LiftReport, planned: u64) -> Value {
    let compared = |compared: &Compared| match compared {
        Ok(lift) => json!(lift),
        Err(error) => json!({ "error": error.to_string() }),
    };
    let campaigns = measured.campaigns.iter().map(|(name, lift)| (name.clone(), compared(lift)));
    let campaigns: serde_json::Map<String, Value> = campaigns.collect();
    let warnings = measured.warnings();
    let warnings: Vec<Value> =
        warnings.iter().map(|(about, detail)| json!({ "about": about, "detail": detail })).collect();
    let mut json = json!({
        "planned": planned, "all": compared(&measured.all), "campaigns": campaigns, "warnings": warnings,
    });
    if let Some(qini) = &measured.qini {
        json["qini"] = json!(qini);
    }
    if let Some(units) = &measured.units {
        json["units"] = json!(units);
    }
    json
}

fn for_people(measured: &LiftReport) -> Vec<String> {
    let names = measured.campaigns.keys().map(|name| name.chars().count());
    let width = names.max().unwrap_or_default().max(8);
    let mut lines = vec![format!(
        "  {:<width$}  {:>22}  {:>22}  {:>8}  {:^19}  {:^19}  {:>7}",
        "", "treated", "held out", "lift", "at every look", "at one look", "p"
    )];
    let campaigns = measured.campaigns.iter().map(|(name, compared)| (name.as_str(), compared));
    for (name, compared) in campaigns.chain([("all", &measured.all)]) {
        lines.push(match compared {
            Ok(lift) => format!("  {name:<width$}  {}", line(lift)),
            Err(error) => format!("  {name:<width$}  {}", no_comparison(measured, name, error)),
        });
    }
    lines.push(String::new());
    lines.push("  lift: treated rate less held-out rate, in percentage points; 95 % intervals".into());
    lines.extend(measured.units.as_ref().and_then(units_line));
    if let Some(qini) = &measured.qini {
        lines.extend(curve(qini));
    }
    lines
}

/// Why there is no lift: of our own decisions, mostly because nobody is held out.
fn no_comparison(measured: &LiftReport, name: &str, error: &UpliftError) -> String {
    let is_ours = measured.units.is_none();
    match error {
        UpliftError::NotRandomised { value, .. } if is_ours && *value >= 1.0 => match name {
            "all" => "No comparison: there is no holdout from every campaign (decisions.holdout_percent is 0), so there is no \
                      common control group."
                .to_string(),
            _ => "No comparison: this campaign has no holdout, so there is no control group.".to_string(),
        },
        error => format!("No comparison: {error}"),
    }
}

/// How rows and units go together, where a file names units.
fn units_line(units: &UnitReport) -> Option<String> {
    let column = units.column.as_ref()?;
    let mut line = format!(
        "  rates are of rows, intervals of units: {} units ({column}) in {} rows",
        thousands(units.n),
        thousands(units.rows)
    );
    if units.both_arms.n > 0 {
        line += &format!(
            "; {} of {} units in both arms, {} rows left out",
            thousands(units.both_arms.n),
            thousands(units.both_arms.of),
            thousands(units.both_arms.excluded_rows)
        );
    }
    Some(line)
}

fn line(lift: &Lift) -> String {
    let points = |value: f64| format!("{:+.3}", unsigned_zero(100.0 * value, 3));
    let span = |low: f64, high: f64| format!("[{:>8} {:>8}]", points(low), points(high));
    format!(
        "{:>22}  {:>22}  {:>8}  {}  {}  {:>7.4}",
        share(&lift.treated),
        share(&lift.control),
        points(lift.difference.value),
        span(lift.difference.low, lift.difference.high),
        span(lift.single_look_low, lift.single_look_high),
        lift.p_value
    )
}

/// `12/340 3.53%`: a rate beside what it is a rate of.
fn share(rate: &Rate) -> String {
    format!("{}/{} {:.2}%", thousands(rate.reached), thousands(rate.n), 100.0 * rate.rate)
}

fn curve(qini: &Qini) -> Vec<String> {
    let figure = &qini.coefficient;
    let mut lines = vec![
        String::new(),
        format!("  Qini coefficient {:+.5} [{:+.5} {:+.5}]", figure.value, figure.low, figure.high),
        "  goals gained for each unit, by treating only those with the highest scores".to_string(),
    ];
    lines.extend(qini.curve.iter().map(|point| {
        let gain = &point.gain;
        let percent = format!("{:.0} %", 100.0 * point.share);
        format!("    {percent:>6}  {:+.5} [{:+.5} {:+.5}]", gain.value, gain.low, gain.high)
    }));
    lines
}
