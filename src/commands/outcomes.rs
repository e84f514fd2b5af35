//! `smartpush outcomes`: the decision log and what became of it, as tables.

use std::path::Path;

use serde_json::{Value, json};

use super::output::{print_json, print_lines, table, thousands};
use super::{Context, Failure};
use feedback::reached::ReachedCounts;
use feedback::summary::{Dimension, Figures, Groups, Summary};
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
/// after a click or an open, otherwise influenced. Revenue is the value of purchases that belong to
/// pushes in the same way, whatever the goal. Attribution says what a push was followed by, not what it
/// caused: for that, compare with the users who are held out. They are counted as `smartpush
/// evaluate-lift` counts them: a user, in a campaign the user in it, by the first decision.
#[derive(clap::Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  smartpush outcomes
  smartpush outcomes --by campaign,language,hour
  smartpush outcomes --as-of 2026-03-08 --json
The window is the setting feedback.attribution_window_hours. By default T is 1 µs after the newest event or decision, at most now."
)]
pub(super) struct OutcomesArguments {
    /// Use decisions and events before this moment only [default: 1 µs after the newest of them, at most now]
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// Count by these: campaign, variant, language, channel, day, hour, or all
    #[arg(long, value_name = "WHAT,…", value_delimiter = ',', value_parser = DIMENSIONS)]
    by: Vec<String>,
}

const DIMENSIONS: [&str; 7] = ["campaign", "variant", "language", "channel", "day", "hour", "all"];

impl OutcomesArguments {
    /// What to count by; without any, `default`.
    fn dimensions(&self, default: &[Dimension]) -> Vec<Dimension> {
        match self.by.is_empty() {
            true => default.to_vec(),
            false => {
                let is_asked = |word: &str| self.by.iter().any(|asked| asked == word || asked == "all");
                Dimension::ALL.into_iter().filter(|dimension| is_asked(dimension.as_str())).collect()
            }
        }
    }
}

pub(super) fn run(context: &Context, arguments: &OutcomesArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let as_of = context.given_moment(arguments.as_of.as_deref())?;
    let report = context.operate(&workspace, |context| outcomes(context, as_of))?;
    warn(&report);
    match context.json {
        true => print_json(&for_machines(&report, &arguments.dimensions(&Dimension::ALL))),
        false => print_lines(&for_people(&report, &arguments.dimensions(&[Dimension::Campaign]))),
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

fn for_machines(report: &OutcomesReport, dimensions: &[Dimension]) -> Value {
    let summary = &report.summary;
    let all = &summary.all;
    let mut campaigns = serde_json::Map::new();
    for (campaign, figures) in groups(summary, Dimension::Campaign) {
        let mut one = figures_json(figures);
        let reached = campaign.as_ref().and_then(|campaign| summary.reached_in.get(campaign));
        reached.into_iter().for_each(|counts| one["reached"] = json!(counts));
        campaigns.insert(campaign.clone().unwrap_or_default(), one);
    }
    let mut outcomes = figures_json(all);
    outcomes["reached"] = json!(summary.reached);
    outcomes["campaigns"] = json!(campaigns);
    outcomes["strays"] = json!(report.strays);
    let by =
        dimensions.iter().map(|dimension| (dimension.as_str().to_string(), by_json(summary, *dimension)));
    outcomes["by"] = Value::Object(by.collect());
    json!({
        "as_of": report.as_of, "attribution_window_hours": report.window_hours,
        "decisions": all.decisions, "sends": all.sends, "holdout": all.holdout, "explored": all.explored,
        "outcomes": outcomes,
        "arms": report.exported.arms, "without_model": report.exported.without_model, "differing": report.exported.differing,
        "erased": report.erased, "torn_files": report.torn_files,
        "paths": { "outcomes": report.outcomes, "decisions": report.exported.path },
    })
}

/// Counts by a dimension.
fn groups(summary: &Summary, dimension: Dimension) -> impl Iterator<Item = (&Option<String>, &Figures)> {
    summary.by.get(&dimension).into_iter().flat_map(Groups::iter)
}

fn by_json(summary: &Summary, dimension: Dimension) -> Value {
    let group = |(value, figures): (&Option<String>, &Figures)| {
        let mut one = figures_json(figures);
        one["value"] = json!(value);
        one
    };
    groups(summary, dimension).map(group).collect()
}

/// The counts, with money in its unit.
fn figures_json(figures: &Figures) -> Value {
    let mut json = json!(figures);
    json["revenue"] = json!(figures.revenue_micros as f64 / 1e6);
    json["goal_value"] = json!(figures.goal_value_micros as f64 / 1e6);
    json
}

/// A table for each dimension, and what does not fit into them below.
fn for_people(report: &OutcomesReport, dimensions: &[Dimension]) -> Vec<String> {
    let all = &report.summary.all;
    let mut lines = vec![format!(
        "{} decisions before {}, {} of them sends; events within {} h of a push may belong to it",
        thousands(all.decisions),
        report.as_of,
        thousands(all.sends),
        report.window_hours
    )];
    for dimension in dimensions {
        lines.push(String::new());
        lines.extend(table(&rows(&report.summary, *dimension)));
    }
    lines.push(
        "  sent is of sends, what follows of sent; revenue is the value of attributed purchases".to_string(),
    );
    lines.push(String::new());
    lines.push(format!(
        "Users who reached the goal within {} h of the first decision about them, whatever caused it:",
        report.window_hours
    ));
    lines.extend(table(&reached_rows(&report.summary)));
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
    ["decisions", "sends", "sent", "delivered", "displayed", "clicked", "direct", "influenced", "revenue"];

fn rows(summary: &Summary, dimension: Dimension) -> Vec<Vec<String>> {
    let heads = std::iter::once(dimension.as_str()).chain(HEADS);
    let mut rows = vec![heads.map(str::to_string).collect()];
    let name = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_string());
    rows.extend(groups(summary, dimension).map(|(value, figures)| cells(name(value), figures)));
    rows.push(cells("all".to_string(), &summary.all));
    rows
}

/// Both arms of each campaign, and of all users.
fn reached_rows(summary: &Summary) -> Vec<Vec<String>> {
    let row = |name: &str, counts: &ReachedCounts| {
        let arms = [counts.treated, counts.control].map(|arm| share(arm.reached, arm.n));
        std::iter::once(name.to_string()).chain(arms).collect()
    };
    let heads = ["campaign", "to be pushed", "held out"].map(str::to_string).to_vec();
    let campaigns = summary.reached_in.iter().map(|(campaign, counts)| row(campaign, counts));
    let all = row("all", &summary.reached);
    std::iter::once(heads).chain(campaigns).chain([all]).collect()
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
        revenue(figures),
    ]
}

/// `120.50/40 3.01`: revenue, pushes sent, and revenue a push.
fn revenue(figures: &Figures) -> String {
    let money = figures.revenue_micros as f64 / 1e6;
    let whole = format!("{money:.2}/{}", thousands(figures.sent));
    match figures.sent {
        0 => whole,
        sent => format!("{whole} {:.2}", money / sent as f64),
    }
}

/// `3/4 75.0%`; without a whole there is no share.
fn share(part: u64, whole: u64) -> String {
    let numbers = format!("{}/{}", thousands(part), thousands(whole));
    match whole {
        0 => numbers,
        _ => format!("{numbers} {:.1}%", 100.0 * part as f64 / whole as f64),
    }
}
