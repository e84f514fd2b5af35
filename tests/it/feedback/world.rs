//! Decisions and goals to try attribution on.

use std::collections::BTreeMap;

use domain::decision::Action;
use domain::goal::{Goal, GoalWindow, Population, Unit};
use domain::time::{DAY, Instant};
use feedback::decided::Decided;

/// A decision that sends nothing yet.
pub fn decided(decision_id: &str, user_id: &str) -> Decided {
    Decided {
        decision_id: decision_id.to_string(),
        send_id: None,
        user_id: user_id.to_string(),
        campaign_id: None,
        action: Action::Send,
        content_id: None,
        variant_id: None,
        channel: None,
        decided_at: Instant::from_micros(0),
        send_at: None,
        goal: "read".to_string(),
        response_probability: None,
        action_probability: None,
        explored: false,
        holdout: false,
        held_everywhere: false,
        local_hour: None,
        fallback: false,
        model: None,
    }
}

/// Goals of every unit.
pub fn goals() -> BTreeMap<String, Goal> {
    let goal = |unit: Unit, event: &str, absent: bool| Goal {
        description: String::new(),
        events: vec![event.to_string()],
        signals: Vec::new(),
        absent,
        unit,
        window: GoalWindow::Micros(DAY),
        population: Population::Everybody,
        value: 1.0,
    };
    BTreeMap::from([
        ("read".to_string(), goal(Unit::UserContent, "own", false)),
        ("buy".to_string(), goal(Unit::UserDay, "purchase", false)),
        ("redeem".to_string(), goal(Unit::UserCampaign, "redeem", false)),
        ("churn".to_string(), goal(Unit::UserDay, "own", true)),
        ("tap".to_string(), goal(Unit::UserDay, "push_clicked", false)),
    ])
}
