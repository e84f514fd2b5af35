//! What a plan came to, for people: tables, a picture of the load, and sentences.

use std::sync::Arc;

use super::super::output::{table, thousands, unsigned_zero};
use engine::POPULARITY;
use operations::plan::{AddedByPush, COUNTED, Counts, HOUR, PlanReport, SkippedCampaign, pushed_out};
use planning::decided::CampaignDecided;
use planning::forecast::{Bounds, Forecast};
use planning::solver::outcome::Pair;
use segments::answers::audiences::Frozen;

pub(super) fn lines(report: &PlanReport) -> Vec<String> {
    let mut lines = vec![
        format!(
            "Plan {} of {} for {} users, as of {}, {} hours ahead",
            report.plan_id,
            counted(report.campaigns.len(), "campaign", "campaigns"),
            thousands(report.users as u64),
            report.now,
            report.horizon_hours
        ),
        String::new(),
    ];
    lines.extend(warnings(report));
    lines.extend(table(&campaign_rows(report)));
    lines.push(String::new());
    lines.extend(reached(report));
    lines.extend(audiences(report));
    lines.extend(unsent(report));
    lines.extend(skipped(report));
    lines.extend(pairs(report));
    lines.extend(load(report));
    lines.push(String::new());
    lines.push(worth(report));
    lines.extend(what_ifs(report));
    lines.extend(kept(report));
    lines
}

/// Doubts about the plan, before all figures.
fn warnings(report: &PlanReport) -> Vec<String> {
    let mut lines: Vec<String> =
        report.warnings.iter().map(|warning| format!("warning: {warning}")).collect();
    lines.extend((!lines.is_empty()).then(String::new));
    lines
}

/// What the forecast counts: most people who reach a goal would have done so without a push.
fn reached(report: &PlanReport) -> Vec<String> {
    let line = |(index, added): (usize, &AddedByPush)| {
        let sends = report.made.decided.campaigns[index].forecast.sends;
        let (reach, id) = (bounds(report.bounds_of(index).0), &report.campaigns[index].campaign_id);
        format!(
            "  {id}: of {} sent, {reach} {COUNTED}; added by the push: {}",
            thousands(sends),
            added_text(added, sends)
        )
    };
    report.added.iter().enumerate().map(line).collect()
}

fn added_text(added: &AddedByPush, sends: u64) -> String {
    match (added, added.of_sends(sends)) {
        (AddedByPush::Measured(lift), Some(of_sends)) => format!(
            "about {} (measured on {} users, {} of them held out)",
            bounds(of_sends),
            thousands(lift.treated.n + lift.control.n),
            thousands(lift.control.n)
        ),
        (AddedByPush::Unknown(why), _) => format!("unknown ({})", why.text()),
        (AddedByPush::Measured(_), None) => "unknown".to_string(),
    }
}

fn campaign_rows(report: &PlanReport) -> Vec<Vec<String>> {
    let heads = [
        "campaign",
        "members",
        "held out",
        "sent",
        "reach the goal",
        "opt-outs",
        "busiest minute",
        "throttle",
    ];
    let mut rows = vec![heads.map(str::to_string).to_vec()];
    for (index, decided) in report.made.decided.campaigns.iter().enumerate() {
        let (goals, opt_outs) = report.bounds_of(index);
        let plan = &report.made.plan;
        let throttle = report.campaigns[index].throttle_per_minute;
        rows.push(vec![
            report.campaigns[index].campaign_id.clone(),
            thousands(decided.members),
            thousands(decided.holdout),
            thousands(decided.forecast.sends),
            format!(
                "{}{}",
                bounds(goals),
                if report.models[index] == POPULARITY { " (no model)" } else { "" }
            ),
            bounds(opt_outs),
            format!("{} → {}", plan.before.peak_of(index), plan.after.peak_of(index)),
            throttle.map_or("-".to_string(), |most| thousands(most.into())),
        ]);
    }
    rows
}

/// The segments that campaigns are for, as they were evaluated.
fn audiences(report: &PlanReport) -> Vec<String> {
    let line = |(campaign, frozen): (&String, &Arc<Frozen>)| {
        let Frozen { segment_id, version, as_of, members } = &**frozen;
        let members = thousands(members.len() as u64);
        format!("  {campaign} is for segment {segment_id} version {version}: {members} members as of {as_of}")
    };
    report.segments.iter().map(line).collect()
}

/// Campaigns that were asked for and are not planned, and why.
fn skipped(report: &PlanReport) -> Vec<String> {
    let line = |skipped: &SkippedCampaign| {
        let why = skipped.why.lines().next().unwrap_or_default();
        format!("  {} is not planned: {why}", skipped.campaign_id)
    };
    report.skipped.iter().map(line).collect()
}

/// Who gets nothing, and which rule decided it.
fn unsent(report: &PlanReport) -> Vec<String> {
    let line = |(index, decided): (usize, &CampaignDecided)| {
        let mut rules: Vec<(&String, &u64)> = decided.unsent.iter().collect();
        rules.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        let counts: Vec<String> =
            rules.iter().map(|(rule, count)| format!("{} {rule}", thousands(**count))).collect();
        let list = if counts.is_empty() { "nobody".to_string() } else { counts.join(", ") };
        format!("  not sent of {}, by the rule that said no: {list}", report.campaigns[index].campaign_id)
    };
    report.made.decided.campaigns.iter().enumerate().map(line).collect()
}

fn pairs(report: &PlanReport) -> Vec<String> {
    let id = |index: usize| report.campaigns[index].campaign_id.as_str();
    let pushed = |counts: Counts, out: &str, by: &str| {
        let counts: Vec<String> =
            counts.iter().map(|(rule, count)| format!("{} by {rule}", thousands(*count))).collect();
        (!counts.is_empty()).then(|| format!("{by} pushes {out} out of its best slot: {}", counts.join(", ")))
    };
    let line = |pair: &Pair| {
        let (one, other) = (id(pair.one), id(pair.other));
        let shared =
            format!("{} users could get both {one} and {other}", thousands(pair.shared_users.into()));
        let parts = [pushed(pushed_out(pair, true), one, other), pushed(pushed_out(pair, false), other, one)];
        let parts: Vec<String> = std::iter::once(shared).chain(parts.into_iter().flatten()).collect();
        format!("  {}", parts.join("; "))
    };
    report.made.plan.pairs.iter().map(line).collect()
}

/// Sends by hour, before: everybody in the first minute of his best slot; after: as planned.
fn load(report: &PlanReport) -> Vec<String> {
    const WIDTH: f64 = 28.0;
    let plan = &report.made.plan;
    let (before, after) = (plan.before.per(HOUR), plan.after.per(HOUR));
    let used = |hour: &usize| before[*hour] + after[*hour] > 0;
    let Some(first) = (0..before.len()).find(used) else { return Vec::new() };
    let last = (0..before.len()).rev().find(used).unwrap_or(first);
    let most = before.iter().chain(&after).copied().max().unwrap_or(1).max(1);
    let bar = |count: u32| "█".repeat((f64::from(count) / f64::from(most) * WIDTH).ceil() as usize);
    let line = |hour: usize| {
        let at = report.made.instant(hour * HOUR).to_string();
        let (day, time) = (at.get(..10).unwrap_or_default(), at.get(11..16).unwrap_or_default());
        format!(
            "  {day} {time}  {:>8}  {:<28}  {:>8}  {}",
            thousands(before[hour].into()),
            bar(before[hour]),
            thousands(after[hour].into()),
            bar(after[hour])
        )
        .trim_end()
        .to_string()
    };
    let head = format!("  {:<16}  {:>8}  {:<28}  {:>8}", "hour (UTC)", "wished", "", "planned");
    let mut lines = vec![String::new(), head.trim_end().to_string()];
    lines.extend((first..=last).map(line));
    lines.push(format!(
        "  busiest minute of all: {} wished, {} planned{}",
        thousands(plan.before.peak().into()),
        thousands(plan.after.peak().into()),
        match report.limits.throttle_per_minute {
            None => String::new(),
            Some(most) => format!(", {} allowed", thousands(most.into())),
        }
    ));
    lines
}

fn worth(report: &PlanReport) -> String {
    let made = &report.made;
    match made.plan.is_exact {
        true => format!("Worth {:.4}: no plan that reaches as many is worth more.", made.value),
        false => format!(
            "Worth {:.4}; no plan that reaches as many is worth more than {:.4} (gap {:.3} %).",
            made.value,
            made.bound,
            100.0 * made.gap()
        ),
    }
}

/// The plan and each change side by side.
fn what_ifs(report: &PlanReport) -> Vec<String> {
    if report.scenarios.is_empty() {
        return Vec::new();
    }
    let row = |name: String, forecasts: &[(usize, Forecast)], value: f64| {
        let (sum, level_error) = report.sum(forecasts);
        let (goals, opt_outs) = (sum.goal_events.bounds(level_error), sum.opt_outs.bounds(0.0));
        vec![name, thousands(sum.sends), bounds(goals), bounds(opt_outs), format!("{value:.4}")]
    };
    let heads = ["what if", "sent", "reach the goal", "opt-outs", "worth"];
    let mut rows = vec![heads.map(str::to_string).to_vec()];
    rows.push(row("as planned".into(), &report.forecasts(), report.made.value));
    let scenarios = report.scenarios.iter();
    rows.extend(scenarios.map(|of| row(of.name.clone(), &of.forecasts, of.value)));
    let mut lines = vec![String::new()];
    lines.extend(table(&rows));
    lines
}

fn kept(report: &PlanReport) -> Vec<String> {
    let Some(kept) = &report.kept else {
        return vec![String::new(), "Nothing is handed off or logged: --out says where to.".to_string()];
    };
    vec![
        String::new(),
        format!(
            "  {:>9} pushes in {}, manifest {}",
            thousands(kept.rows as u64),
            kept.out.display(),
            kept.manifest.display()
        ),
        format!("  {:>9} decisions in {}", thousands(kept.decisions), kept.log.display()),
        format!("  the report and the audiences in {}", kept.plan.display()),
    ]
}

/// `12.3 [8.1, 16.5]`
fn bounds(of: Bounds) -> String {
    let digits = match of.high {
        high if high >= 1_000.0 => 0,
        high if high >= 10.0 => 1,
        _ => 2,
    };
    let [value, low, high] = [of.value, of.low, of.high].map(|value| unsigned_zero(value, digits));
    format!("{value:.digits$} [{low:.digits$}, {high:.digits$}]")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
