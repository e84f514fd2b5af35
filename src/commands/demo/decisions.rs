//! The demo's decisions: what three households would get, who would get nothing and why, and what to ask the server.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::super::output::thousands;
use super::heading;
use domain::decision::Decision;
use domain::time::Instant;
use operations::demo::{DecidedDemo, SEGMENT_ID, ShownDecision};

/// Three households, asked about on the evening on which the data ends; then, who gets nothing.
pub(super) fn lines(at: Instant, decided: &DecidedDemo) -> Vec<String> {
    let mut lines = heading(9, &format!("What three households would get, when and why (asked {at})"));
    lines.extend(decided.shown.iter().flat_map(story));
    lines.extend(who_gets_nothing(decided));
    lines
}

pub(super) fn for_machines(decided: &DecidedDemo) -> Value {
    let refused: Vec<Value> = decided
        .refused_by()
        .into_iter()
        .map(|((rule, message), users)| json!({ "rule": rule, "message": message, "users": users }))
        .collect();
    let shown: Vec<&Decision> = decided.shown.iter().map(|shown| &shown.decision).collect();
    json!({ "actions": decided.actions(), "refused_by": refused, "shown": shown })
}

fn story(shown: &ShownDecision) -> Vec<String> {
    let mut lines = vec![format!("   household {}", shown.decision.user_id)];
    let sentences = &shown.explanation.sentences;
    lines.extend(sentences.en.iter().chain(&sentences.zh).map(|sentence| format!("     {sentence}")));
    lines
}

fn who_gets_nothing(decided: &DecidedDemo) -> Vec<String> {
    let actions = decided.actions();
    let count = |action: &str| actions.get(action).copied().unwrap_or(0);
    let mut lines = heading(
        10,
        &format!(
            "Who gets nothing, and why: of {} households {} would be pushed, {} only later, {} not at all",
            thousands(decided.decisions.len() as u64),
            thousands(count("send")),
            thousands(count("hold")),
            thousands(count("no_send"))
        ),
    );
    let refused = decided.refused_by();
    if refused.is_empty() {
        lines.push("   nobody is refused".to_string());
    }
    lines.extend(
        refused.iter().map(|((rule, message), count)| format!("   {count:>5}  {rule:<24} {message}")),
    );
    lines
}

/// Lines to paste, once the server listens; all of them work.
pub(super) fn invitation(address: SocketAddr, example: Option<&Decision>) -> Vec<String> {
    let Some(Decision { user_id, decision_id, .. }) = example else {
        return vec![format!("  curl -s http://{address}/openapi.json")];
    };
    vec![
        String::new(),
        "Ask it, in another terminal:".to_string(),
        format!(
            "  curl -s http://{address}/v1/decisions -H 'content-type: application/json' -d '{{\"user_id\":\"{user_id}\"}}'"
        ),
        format!("  curl -s http://{address}/v1/users/{user_id}/send-time"),
        format!("  curl -s http://{address}/v1/decisions/{decision_id}/explain"),
        format!(
            "  curl -s http://{address}/v1/segments:preview -H 'content-type: application/json' -d '{{\"segment\":\"{}\"}}'",
            SEGMENT_ID
        ),
        format!("  curl -s http://{address}/openapi.json"),
    ]
}
