//! `smartpush outcomes`: the decision log and what became of it, as tables.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::output::{print_json, print_lines, table, thousands};
use super::{Context, Failure};
use feedback::summary::{Figures, Summary};
use operations::outcomes::{OutcomesReport, outcomes};

/// Join decisions with the events they caused, and write both as tables
///
/// Reads the decision log and the events before T, and writes by the UTC date of the decision:
///   data/outcomes/date=…/outcomes.parquet    what became of each decision: its goal, its reward
///   data/decisions/date=…/decisions.parquet  the decisions as they were given out
///   data/decisions/date=…/arms.parquet       what each could choose among, with probabilities
///
/// An event that names a decision_id belongs to that decision. A push event without one belongs to
/// the newest push that was due; any other event to the last push that its user saw (else that was
/// delivered, else sent) within the attribution window, if it reaches that push's goal: directly
/// after a click or an open, otherwise influenced. Attribution says what a push was followed by, not
/// what it caused: for that, compare with the users who are held out.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  smartpush outcomes
  smartpush outcomes --as-of 2026-03-08 --json
The window is the setting feedback.attribution_window_hours. By default T is 1 µs after the newest event or decision, at most now."
)]
pub(super) struct OutcomesArguments {
    /// Use decisions and events before this moment only [default: 1 µs after the newest of them, at most now]
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
}

pub(super) fn run(context: &Context, arguments: &OutcomesArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let as_of = context.given_moment(arguments.as_of.as_deref())?;
    let report = context.operate(&workspace, |context| outcomes(context, as_of))?;
    warn(&report);
    match context.json {
        true => print_json(&for_machines(&report)),
        false => print_lines(&for_people(&report)),
    }
    Ok(())
}

/// What a reader of the tables should know, on stderr.
fn warn(report: &OutcomesReport) {
    let OutcomesReport { exported, strays, torn_files, .. } = report;
    let lines = [
        (exported.without_model, "decisions were made with a model that is gone: arms.parquet lacks theirs"),
        (exported.differing, "sends do not come out as they were logged: their arms are those of this build"),
        (strays.unknown_decision, "events name a decision that is not in the log or sends nothing"),
        (strays.before_decision, "events name a decision that was made after them"),
        (strays.unclaimed_push, "push events name no decision, and no push was due for their users"),
        (*torn_files, "files of the log end torn; nothing in the torn part was ever answered"),
    ];
    for (count, text) in lines.into_iter().filter(|(count, _)| *count > 0) {
        eprintln!("warning: {} {text}", thousands(count));
    }
}

fn for_machines(report: &OutcomesReport) -> Value {
    let all = &report.summary.all;
    let name = |campaign: &Option<String>| campaign.clone().unwrap_or_default();
    let campaigns: BTreeMap<String, &Figures> =
        report.summary.campaigns.iter().map(|(campaign, figures)| (name(campaign), figures)).collect();
    let mut outcomes = json!(all);
    outcomes["campaigns"] = json!(campaigns);
    outcomes["strays"] = json!(report.strays);
    json!({
        "as_of": report.as_of, "attribution_window_hours": report.window_hours,
        "decisions": all.decisions, "sends": all.sends, "holdout": all.holdout, "explored": all.explored,
        "outcomes": outcomes,
        "arms": report.exported.arms, "without_model": report.exported.without_model, "differing": report.exported.differing,
        "erased": report.erased, "torn_files": report.torn_files,
        "paths": { "outcomes": report.outcomes, "decisions": report.exported.path },
    })
}

/// A table with one line a campaign, and what does not fit into it below.
fn for_people(report: &OutcomesReport) -> Vec<String> {
    let all = &report.summary.all;
    let mut lines = vec![
        format!(
            "{} decisions before {}, {} of them sends; events within {} h of a push may belong to it",
            thousands(all.decisions),
            report.as_of,
            thousands(all.sends),
            report.window_hours
        ),
        String::new(),
    ];
    lines.extend(table(&rows(&report.summary)));
    lines.push("  sent is of sends, what follows of sent".to_string());
    lines.push(String::new());
    lines.push(format!(
        "Goal reached within {} h of the decision, whoever caused it: sends {}, held out {}",
        report.window_hours,
        share(all.sends_goal_in_window, all.sends),
        share(all.holdout_goal_in_window, all.holdout)
    ));
    lines.push(format!(
        "Explored: {} of sends; opted out: {} of sent",
        share(all.explored, all.sends),
        share(all.opted_out, all.sent)
    ));
    lines.push(table_line("outcomes", &report.outcomes, all.decisions));
    lines.push(table_line("decisions", &report.exported.path, all.decisions));
    lines.push(table_line("arms", &report.exported.path, report.exported.arms));
    lines
}

fn table_line(name: &str, directory: &Path, rows: u64) -> String {
    format!("  {:>9} rows in {}/date=*/{name}.parquet", thousands(rows), directory.display())
}

const HEADS: [&str; 9] =
    ["campaign", "decisions", "sends", "sent", "delivered", "displayed", "clicked", "direct", "influenced"];

fn rows(summary: &Summary) -> Vec<Vec<String>> {
    let mut rows = vec![HEADS.map(str::to_string).to_vec()];
    let name = |campaign: &Option<String>| campaign.clone().unwrap_or_else(|| "(none)".to_string());
    rows.extend(summary.campaigns.iter().map(|(campaign, figures)| cells(name(campaign), figures)));
    rows.push(cells("all".to_string(), &summary.all));
    rows
}

fn cells(name: String, figures: &Figures) -> Vec<String> {
    let of_sent = |count: u64| share(count, figures.sent);
    vec![
        name,
        thousands(figures.decisions),
        thousands(figures.sends),
        share(figures.sent, figures.sends),
        of_sent(figures.delivered),
        of_sent(figures.displayed),
        of_sent(figures.clicked),
        of_sent(figures.goal_direct),
        of_sent(figures.goal_influenced),
    ]
}

/// `3/4 75.0%`; without a whole there is no share.
fn share(part: u64, whole: u64) -> String {
    let numbers = format!("{}/{}", thousands(part), thousands(whole));
    match whole {
        0 => numbers,
        _ => format!("{numbers} {:.1}%", 100.0 * part as f64 / whole as f64),
    }
}
