//! `smartpush erase`: forgets a user.

use serde_json::{Map, Value, json};

use super::output::{print_json, print_lines, thousands};
use super::{Context, Failure};
use operations::erase::{ErasureReport, erase, readmit};

/// Erase a user from the workspace, for good
///
/// Events, the users table, profiles, saved lists, audiences of plans, outcomes, imported scores and dead letters lose the user's
/// rows; each of their decisions becomes {decision_id, erased: true}, and `replay` of one reports `erased`. A salted hash of the id
/// is kept in data/erased.json, so that an old file does not bring the user back: ingest rejects their records as erased_user
/// until `--readmit`.
/// Not touched: files written with --out (hand-offs, exports, send times, scores), models that learned from the user among others,
/// and ids that a marketer wrote into a segment's text. A server sees the change within seconds; answers that it gave before
/// stay in its memory until it restarts.
/// A user who was let back in gets no push until a row says granted with a consent_at after the erasure: their opt-outs are gone
/// with them, and a grant from before is not theirs any more.
/// Erasing a user twice changes nothing. A user of whom there is nothing ends with exit code 2 and is not remembered. While a
/// server runs, its newest log file cannot be rewritten: exit code 4 says so, and the same command completes it later.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush erase u-1042
  smartpush erase --readmit u-1042")]
pub(super) struct EraseArguments {
    /// The user's id
    user_id: String,
    /// Let a user who was erased be ingested again
    #[arg(long)]
    readmit: bool,
}

pub(super) fn run(context: &Context, arguments: &EraseArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let user_id = &arguments.user_id;
    if arguments.readmit {
        let Some(since) = context.operate(&workspace, |operation| readmit(operation, user_id))? else {
            return Err(Failure::caller("not_erased", format!("user {user_id:?} was not erased here")));
        };
        match context.json {
            true => {
                print_json(&json!({ "user_id": user_id, "erased": false, "consent_counts_after": since }))
            }
            false => print_lines(&[
                format!("{user_id}: can be ingested again"),
                format!("  no push until a row of users says granted with a consent_at after {since}"),
            ]),
        }
        return Ok(());
    }
    let salt: String = super::serve::entropy()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let report = context.operate(&workspace, |operation| erase(operation, user_id, &salt))?;
    let pending = report.pending.map(Failure::from);
    match context.json {
        true => print_json(&to_json(user_id, &report, pending.as_ref())),
        false => print_lines(&to_lines(user_id, &report)),
    }
    Failure::after_report(pending)
}

fn to_json(user_id: &str, report: &ErasureReport, pending: Option<&Failure>) -> Value {
    let removed: Map<String, Value> =
        report.removed.iter().map(|(place, count)| (place.to_string(), json!(count))).collect();
    let mut object =
        json!({ "user_id": user_id, "erased": true, "erased_before": report.is_known, "removed": removed });
    if let Some(failure) = pending {
        failure.add_to(&mut object);
    }
    object
}

fn to_lines(user_id: &str, report: &ErasureReport) -> Vec<String> {
    let before = if report.is_known { " (and had been before)" } else { "" };
    let mut lines = vec![format!("{user_id}: erased{before}")];
    let found = report.removed.iter().filter(|(_, count)| *count > 0);
    lines.extend(
        found.map(|(place, count)| format!("  {:<17} {:>9}", place.replace('_', " "), thousands(*count))),
    );
    if lines.len() == 1 {
        lines.push("  nothing was left to remove".to_string());
    }
    lines
}
