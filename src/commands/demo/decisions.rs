//! The demo's decisions: what three households would get, who would get nothing and why, and what to ask the server.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::super::output::thousands;
use super::super::serve::open_engine;
use super::super::{Context, Failure};
use super::heading;
use api::Clock;
use domain::decision::{Action, Decision};
use domain::time::Instant;
use domain::user::{Consent, User};
use engine::{Engine, Question};
use events::catalogue::Catalogue;
use files::workspace::Workspace;

/// What the demo says of decisions.
pub(super) struct Told {
    pub(super) lines: Vec<String>,
    pub(super) json: serde_json::Value,
    /// A decision that says send.
    pub(super) example: Option<Decision>,
}

/// Asks for everybody on the evening on which the data ends, and tells of three.
pub(super) fn tell(
    context: &Context,
    workspace: &Workspace,
    now: Instant,
    ids: &[String],
) -> Result<Told, Failure> {
    let engine = open_engine(context, workspace.clone(), Clock::starting_at(now))?;
    let catalogue = Catalogue::read(workspace)?;
    let mut decided = Vec::with_capacity(ids.len());
    for id in ids {
        decided.push(ask(&engine, id, now)?);
    }
    let chosen = three(&decided, &catalogue);
    let mut lines = heading(9, &format!("What three households would get, when and why (asked {now})"));
    for decision in &chosen {
        lines.extend(story(&engine, decision)?);
    }
    lines.extend(who_gets_nothing(&decided));
    let refused: Vec<serde_json::Value> = refused_by(&decided)
        .into_iter()
        .map(|((rule, message), users)| serde_json::json!({ "rule": rule, "message": message, "users": users }))
        .collect();
    let json = serde_json::json!({ "actions": actions(&decided), "refused_by": refused, "shown": chosen });
    let example = chosen.into_iter().find(|decision| decision.action == Action::Send).cloned();
    engine.close();
    Ok(Told { lines, json, example })
}

fn ask(engine: &Engine, user_id: &str, now: Instant) -> Result<Decision, Failure> {
    let question = Question { user_id: user_id.to_string(), ..Question::default() };
    let answer = engine.decide(&question, None, now)?;
    serde_json::from_str(&answer.text).map_err(Failure::ours)
}

/// The household with the best prospect, one that reads Chinese, and one that has refused.
fn three<'a>(decided: &'a [Decision], catalogue: &Catalogue) -> Vec<&'a Decision> {
    let user = |decision: &Decision| catalogue.users.get(&decision.user_id);
    let reads_chinese = |user: &User| user.locale.as_deref().is_some_and(|locale| locale.starts_with("zh"));
    let best_of = |wanted: &dyn Fn(&User) -> bool| {
        let sends = decided.iter().filter(|decision| decision.action == Action::Send);
        let sends = sends.filter(|decision| user(decision).is_some_and(wanted));
        sends.max_by(|a, b| {
            let (first, second) = (a.response_probability, b.response_probability);
            first.unwrap_or(0.0).total_cmp(&second.unwrap_or(0.0)).then(b.user_id.cmp(&a.user_id))
        })
    };
    let refused = decided.iter().find(|decision| {
        user(decision).is_some_and(|user| user.consent == Consent::Denied) && !decision.candidates.is_empty()
    });
    [best_of(&|user| !reads_chinese(user)), best_of(&reads_chinese), refused].into_iter().flatten().collect()
}

fn story(engine: &Engine, decision: &Decision) -> Result<Vec<String>, Failure> {
    let explanation = engine.explain(&decision.decision_id)?;
    let mut lines = vec![format!("   household {}", decision.user_id)];
    let sentences = explanation.sentences.en.iter().chain(&explanation.sentences.zh);
    lines.extend(sentences.map(|sentence| format!("     {sentence}")));
    Ok(lines)
}

fn who_gets_nothing(decided: &[Decision]) -> Vec<String> {
    let actions = actions(decided);
    let count = |action: &str| actions.get(action).copied().unwrap_or(0);
    let mut lines = heading(
        10,
        &format!(
            "Who gets nothing, and why: of {} households {} would be pushed, {} only later, {} not at all",
            thousands(decided.len() as u64),
            thousands(count("send")),
            thousands(count("hold")),
            thousands(count("no_send"))
        ),
    );
    let refused = refused_by(decided);
    if refused.is_empty() {
        lines.push("   nobody is refused".to_string());
    }
    lines.extend(
        refused.iter().map(|((rule, message), count)| format!("   {count:>5}  {rule:<24} {message}")),
    );
    lines
}

fn actions(decided: &[Decision]) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for decision in decided {
        let action = match decision.action {
            Action::Send => "send",
            Action::Hold => "hold",
            Action::NoSend => "no_send",
        };
        *counts.entry(action).or_default() += 1;
    }
    counts
}

/// Users who are not pushed, by the first rule that says so and its words.
fn refused_by(decided: &[Decision]) -> Vec<((String, String), u64)> {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for decision in decided.iter().filter(|decision| decision.action != Action::Send) {
        if let Some(reason) = decision.reasons.first() {
            let message = reason.message.replace(&decision.user_id, "it");
            *counts.entry((reason.rule.clone(), message)).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    counts
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
            super::audience::ID
        ),
        format!("  curl -s http://{address}/openapi.json"),
    ]
}
