//! `smartpush segment groups`: people of like rhythm, named by when they come more than others do.

use serde_json::{Value, json};

use super::super::output::{print_json, print_lines, table};
use super::super::{Context, Failure};
use super::count::told;
use super::selection::ViewArguments;
use ::segments::answers::privacy::Reader;
use curves::named_rhythms::LEAST_EVIDENCE;
use domain::time::hour_of_week_name;
use files::workspace::Workspace;
use operations::segments::groups::{Group, GroupsReport, groups};

pub(super) fn run(context: &Context, workspace: &Workspace, view: &ViewArguments) -> Result<(), Failure> {
    let asking = view.asking(context)?;
    let report = context.operate(workspace, |context| groups(context, asking))?;
    match context.json {
        true => print_json(&for_machines(&report)),
        false => print_lines(&for_people(&report)),
    }
    Ok(())
}

fn for_machines(report: &GroupsReport) -> Value {
    let group = |group: &Group| {
        json!({
            "rhythm_group": group.rhythm.as_str(), "members": group.members,
            "peak_hour_of_week": group.peak.hour_of_week, "times_as_often_as_everybody": group.peak.times,
        })
    };
    let groups: Vec<Value> = report.groups.iter().map(group).collect();
    let mut json = json!({ "groups": groups, "unknown": report.unknown });
    if let Reader::Marketer { threshold } = report.reader {
        json["hidden_below"] = json!(threshold);
    }
    let stability = &report.stability;
    json["as_of"] = json!(report.as_of);
    json["users"] = json!(report.users);
    json["stability"] =
        json!({ "draws": stability.draws, "adjusted_rand": stability.mean, "least": stability.least });
    json
}

fn for_people(report: &GroupsReport) -> Vec<String> {
    let mut rows = vec![["rhythm group", "members", "peak", "× everybody"].map(str::to_string).to_vec()];
    for Group { rhythm, members, peak } in &report.groups {
        let (hour, times) = (hour_of_week_name(peak.hour_of_week), format!("{:.1}", peak.times));
        rows.push(vec![rhythm.as_str().to_string(), told(*members), hour, times]);
    }
    rows.push(vec!["unknown".to_string(), told(report.unknown)]);
    let mut lines = vec![format!("rhythm groups of {} users as of {}", told(report.users), report.as_of)];
    lines.extend(table(&rows));
    lines.push(format!("  unknown: fewer than {LEAST_EVIDENCE} active hours, older ones counting less"));
    let stability = &report.stability;
    lines.push(format!(
        "  learned from {} draws of the users, groups agree with an adjusted Rand index of {:.2} (least {:.2})",
        stability.draws, stability.mean, stability.least
    ));
    lines
}
