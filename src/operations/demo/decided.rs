//! The demo's decisions: everybody is asked about, and three of them are explained.

use std::collections::BTreeMap;

use super::DemoError;
use decisions::explanation::Explanation;
use domain::decision::{Action, Decision};
use domain::user::{Consent, User};
use engine::{DecisionQuestion, Engine};
use events::catalogue::Catalogue;

use crate::context::{Context, ContextError};
use crate::serve::open_engine;

/// What was decided about everybody.
#[derive(Clone, Debug)]
pub struct DecidedDemo {
    /// The decisions, in order of the users.
    pub decisions: Vec<Decision>,
    /// Three of them: the household with the best prospect, one that reads Chinese, and one that has refused.
    pub shown: Vec<ShownDecision>,
}

/// A decision, and why it came out so.
#[derive(Clone, Debug)]
pub struct ShownDecision {
    /// The decision.
    pub decision: Decision,
    /// Why.
    pub explanation: Explanation,
}

/// Asks about everybody at the context's moment.
pub(super) fn decide_all(
    context: &Context<'_>,
    entropy: [u8; 32],
    ids: &[String],
) -> Result<DecidedDemo, DemoError> {
    let engine = open_engine(context, true, entropy)?;
    let catalogue = Catalogue::read(context.workspace).map_err(ContextError::from)?;
    let ask = |id: &String| -> Result<Decision, DemoError> {
        let question = DecisionQuestion { user_id: id.clone(), ..DecisionQuestion::default() };
        let answer = engine.decide(&question, None, context.now)?;
        Ok(serde_json::from_str(&answer.text)?)
    };
    let decisions = ids.iter().map(ask).collect::<Result<Vec<Decision>, DemoError>>()?;
    let shown = three(&decisions, &catalogue).into_iter().map(|decision| explained(&engine, decision));
    let shown = shown.collect::<Result<Vec<ShownDecision>, DemoError>>()?;
    engine.close();
    Ok(DecidedDemo { decisions, shown })
}

fn explained(engine: &Engine, decision: &Decision) -> Result<ShownDecision, DemoError> {
    let explanation = engine.explain(&decision.decision_id)?;
    Ok(ShownDecision { decision: decision.clone(), explanation })
}

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

impl DecidedDemo {
    /// A decision that says send.
    pub fn example(&self) -> Option<&Decision> {
        let mut shown = self.shown.iter().map(|shown| &shown.decision);
        shown.find(|decision| decision.action == Action::Send)
    }

    /// Users by what was decided.
    pub fn actions(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for decision in &self.decisions {
            let action = match decision.action {
                Action::Send => "send",
                Action::Hold => "hold",
                Action::NoSend => "no_send",
            };
            *counts.entry(action).or_default() += 1;
        }
        counts
    }

    /// Users who are not pushed, by the first rule that says so and its words; the rule that refuses most comes first.
    pub fn refused_by(&self) -> Vec<((String, String), u64)> {
        let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
        for decision in self.decisions.iter().filter(|decision| decision.action != Action::Send) {
            if let Some(reason) = decision.reasons.first() {
                let message = reason.message.replace(&decision.user_id, "it");
                *counts.entry((reason.rule.clone(), message)).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        counts
    }
}
