//! What is told of a plan: one JSON object for programs; tables, a picture of the load and sentences for people.

use serde_json::{Value, json};

use super::super::output::{table, thousands};
use super::{Counts, Told, segment_of};
use engine::POPULARITY;
use planning::forecast::{Bounds, Forecast};
use planning::rule_of;
use planning::solver::outcome::{Pair, Reason};
use segments::answers::audiences::Frozen;

/// Minutes of an hour.
const HOUR: usize = 60;

pub(super) fn for_machines(told: &Told) -> Value {
    let plan = &told.made.plan;
    let ids: Vec<&str> = told.campaigns.iter().map(|campaign| campaign.campaign_id.as_str()).collect();
    let campaigns: Vec<Value> = (0..ids.len()).map(|place| campaign(told, place)).collect();
    let pairs: Vec<Value> = plan
        .pairs
        .iter()
        .map(|pair| {
            json!({
                "one": ids[pair.one], "other": ids[pair.other], "shared_users": pair.shared_users,
                "one_pushed_out": by_rule(pair, true), "other_pushed_out": by_rule(pair, false),
            })
        })
        .collect();
    let mut report = json!({
        "plan_id": told.plan_id, "as_of": told.now, "horizon_hours": told.horizon_hours, "users": told.users,
        "sends": total(told).sends, "value": told.made.value, "bound": told.made.bound, "gap": told.made.gap(), "exact": plan.is_exact,
        "campaigns": campaigns, "pairs": pairs,
        "load": {
            "from": told.made.instant(0),
            "per_hour_before": plan.before.per(HOUR), "per_hour_after": plan.after.per(HOUR),
            "busiest_minute_before": plan.before.peak(), "busiest_minute_after": plan.after.peak(),
            "throttle_per_minute": told.limits.throttle_per_minute, "most_per_hour": told.limits.most_per_hour,
        },
        "expected": expected(told, &own_forecasts(told)),
        "what_if": told.scenarios.iter().map(|scenario| {
            let mut row = expected(told, &scenario.forecasts);
            row["name"] = json!(scenario.name);
            row["value"] = json!(scenario.value);
            row
        }).collect::<Vec<_>>(),
    });
    if let Some(kept) = &told.kept {
        report["hand_off"] = json!({ "path": kept.out, "manifest": kept.manifest, "rows": kept.rows });
        report["decisions"] = json!(kept.decisions);
        report["log"] = json!(kept.log);
        report["plan"] = json!(kept.plan);
    }
    report
}

fn campaign(told: &Told, place: usize) -> Value {
    let (campaign, plan) = (&told.campaigns[place], &told.made.plan);
    let (decided, outcome) = (&told.made.decided.campaigns[place], &plan.campaigns[place]);
    let mut displaced = Counts::new();
    for (reason, count) in &outcome.displaced {
        *displaced.entry(rule_of(*reason).0.to_string()).or_default() += u64::from(*count);
    }
    let bounds = bounds_of(told, place, &decided.forecast);
    json!({
        "campaign_id": campaign.campaign_id, "goal": told.goals[place], "model": told.models[place],
        "audience": campaign.audience, "audience_version": told.audiences.get(place),
        "segment": segment_of(told, &campaign.campaign_id),
        "members": decided.members, "holdout": decided.holdout, "with_options": outcome.users,
        "sends": decided.forecast.sends, "explored": decided.explored,
        "unsent": decided.unsent, "displaced": displaced,
        "goal_events": bounds.0, "opt_outs": bounds.1,
        "max_sends": campaign.max_sends, "throttle_per_minute": campaign.throttle_per_minute,
        "busiest_minute_before": plan.before.peak_of(place), "busiest_minute_after": plan.after.peak_of(place),
    })
}

/// Goal events and opt-outs of a campaign's sends.
fn bounds_of(told: &Told, place: usize, forecast: &Forecast) -> (Bounds, Bounds) {
    (forecast.goal_events.bounds(told.level_errors[place]), forecast.opt_outs.bounds(0.0))
}

/// Sends, goal events and opt-outs of all campaigns. Errors of level of different models may go together, so they add up.
fn expected(told: &Told, forecasts: &[(usize, Forecast)]) -> Value {
    let (sum, level_error) = added(told, forecasts);
    json!({
        "sends": sum.sends, "goal_events": sum.goal_events.bounds(level_error), "opt_outs": sum.opt_outs.bounds(0.0),
    })
}

/// The sum of forecasts with the level error of its goal events.
fn added(told: &Told, forecasts: &[(usize, Forecast)]) -> (Forecast, f64) {
    let sum = forecasts.iter().fold(Forecast::default(), |sum, (_, forecast)| sum.and(*forecast));
    let off: f64 = forecasts.iter().map(|(place, of)| of.goal_events.mean * told.level_errors[*place]).sum();
    let mean = sum.goal_events.mean;
    (sum, if mean > 0.0 { off / mean } else { 0.0 })
}

fn own_forecasts(told: &Told) -> Vec<(usize, Forecast)> {
    told.made.decided.campaigns.iter().map(|decided| decided.forecast).enumerate().collect()
}

fn total(told: &Told) -> Forecast {
    added(told, &own_forecasts(told)).0
}

/// Why a campaign of a pair lost users to the other.
fn by_rule(pair: &Pair, is_one: bool) -> Counts {
    let counts = if is_one { &pair.one_pushed_out } else { &pair.other_pushed_out };
    let name = |rule: u16| rule_of(Reason::JointRule { rule, other: None }).0.to_string();
    counts.iter().map(|(rule, count)| (name(*rule), u64::from(*count))).collect()
}

pub(super) fn for_people(told: &Told) -> Vec<String> {
    let mut lines = vec![
        format!(
            "Plan {} of {} for {} users, as of {}, {} hours ahead",
            told.plan_id,
            counted(told.campaigns.len(), "campaign", "campaigns"),
            thousands(told.users as u64),
            told.now,
            told.horizon_hours
        ),
        String::new(),
    ];
    lines.extend(table(&campaign_rows(told)));
    lines.push(String::new());
    lines.extend(audiences(told));
    lines.extend(unsent(told));
    lines.extend(pairs(told));
    lines.extend(load(told));
    lines.push(String::new());
    lines.push(worth(told));
    lines.extend(what_ifs(told));
    lines.extend(kept(told));
    lines
}

fn campaign_rows(told: &Told) -> Vec<Vec<String>> {
    let heads =
        ["campaign", "members", "held out", "sent", "goal events", "opt-outs", "busiest minute", "throttle"];
    let mut rows = vec![heads.map(str::to_string).to_vec()];
    for (place, decided) in told.made.decided.campaigns.iter().enumerate() {
        let (goals, opt_outs) = bounds_of(told, place, &decided.forecast);
        let plan = &told.made.plan;
        let throttle = told.campaigns[place].throttle_per_minute;
        rows.push(vec![
            told.campaigns[place].campaign_id.clone(),
            thousands(decided.members),
            thousands(decided.holdout),
            thousands(decided.forecast.sends),
            format!("{}{}", bounds(goals), if told.models[place] == POPULARITY { " (no model)" } else { "" }),
            bounds(opt_outs),
            format!("{} → {}", plan.before.peak_of(place), plan.after.peak_of(place)),
            throttle.map_or("-".to_string(), |most| thousands(most.into())),
        ]);
    }
    rows
}

/// The segments that campaigns are for, as they were evaluated.
fn audiences(told: &Told) -> Vec<String> {
    let line = |(campaign, frozen): (&String, &std::sync::Arc<Frozen>)| {
        let Frozen { segment_id, version, as_of, members } = &**frozen;
        let members = thousands(members.len() as u64);
        format!("  {campaign} is for segment {segment_id} version {version}: {members} members as of {as_of}")
    };
    told.segments.iter().map(line).collect()
}

/// Who gets nothing, and which rule decided it.
fn unsent(told: &Told) -> Vec<String> {
    let line = |(place, decided): (usize, &planning::decided::CampaignDecided)| {
        let mut rules: Vec<(&String, &u64)> = decided.unsent.iter().collect();
        rules.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        let counts: Vec<String> =
            rules.iter().map(|(rule, count)| format!("{} {rule}", thousands(**count))).collect();
        let list = if counts.is_empty() { "nobody".to_string() } else { counts.join(", ") };
        format!("  not sent of {}, by the rule that said no: {list}", told.campaigns[place].campaign_id)
    };
    told.made.decided.campaigns.iter().enumerate().map(line).collect()
}

fn pairs(told: &Told) -> Vec<String> {
    let id = |place: usize| told.campaigns[place].campaign_id.as_str();
    let pushed = |counts: Counts, out: &str, by: &str| {
        let counts: Vec<String> =
            counts.iter().map(|(rule, count)| format!("{} by {rule}", thousands(*count))).collect();
        (!counts.is_empty())
            .then(|| format!("{by} pushes {out} out of its best place: {}", counts.join(", ")))
    };
    let line = |pair: &Pair| {
        let (one, other) = (id(pair.one), id(pair.other));
        let shared =
            format!("{} users could get both {one} and {other}", thousands(pair.shared_users.into()));
        let parts = [pushed(by_rule(pair, true), one, other), pushed(by_rule(pair, false), other, one)];
        let parts: Vec<String> = std::iter::once(shared).chain(parts.into_iter().flatten()).collect();
        format!("  {}", parts.join("; "))
    };
    told.made.plan.pairs.iter().map(line).collect()
}

/// Sends by hour, before: everybody in the first minute of his best slot; after: as planned.
fn load(told: &Told) -> Vec<String> {
    const WIDTH: f64 = 28.0;
    let plan = &told.made.plan;
    let (before, after) = (plan.before.per(HOUR), plan.after.per(HOUR));
    let used = |hour: &usize| before[*hour] + after[*hour] > 0;
    let Some(first) = (0..before.len()).find(used) else { return Vec::new() };
    let last = (0..before.len()).rev().find(used).unwrap_or(first);
    let most = before.iter().chain(&after).copied().max().unwrap_or(1).max(1);
    let bar = |count: u32| "█".repeat((f64::from(count) / f64::from(most) * WIDTH).ceil() as usize);
    let line = |hour: usize| {
        let at = told.made.instant(hour * HOUR).to_string();
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
        match told.limits.throttle_per_minute {
            0 => String::new(),
            most => format!(", {} allowed", thousands(most.into())),
        }
    ));
    lines
}

fn worth(told: &Told) -> String {
    let made = &told.made;
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
fn what_ifs(told: &Told) -> Vec<String> {
    if told.scenarios.is_empty() {
        return Vec::new();
    }
    let row = |name: String, forecasts: &[(usize, Forecast)], value: f64| {
        let (sum, level_error) = added(told, forecasts);
        let (goals, opt_outs) = (sum.goal_events.bounds(level_error), sum.opt_outs.bounds(0.0));
        vec![name, thousands(sum.sends), bounds(goals), bounds(opt_outs), format!("{value:.4}")]
    };
    let heads = ["what if", "sent", "goal events", "opt-outs", "worth"];
    let mut rows = vec![heads.map(str::to_string).to_vec()];
    rows.push(row("as planned".into(), &own_forecasts(told), told.made.value));
    let scenarios = told.scenarios.iter();
    rows.extend(scenarios.map(|of| row(of.name.clone(), &of.forecasts, of.value)));
    let mut lines = vec![String::new()];
    lines.extend(table(&rows));
    lines
}

fn kept(told: &Told) -> Vec<String> {
    let Some(kept) = &told.kept else {
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
    format!("{:.digits$} [{:.digits$}, {:.digits$}]", of.value, of.low, of.high)
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
