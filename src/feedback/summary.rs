//! Outcomes counted, in all and by campaign: each rate has its denominator beside it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::attribution::{Attribution, DecisionOutcome};
use super::decided::Decided;

/// Counts of decisions and of what became of them.
///
/// What came later implies what came before: a push that was clicked was displayed, delivered and sent, whether or not
/// somebody reported so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// All decisions.
    pub decisions: u64,
    /// Those that send.
    pub sends: u64,
    /// Those about a user who is held out.
    pub holdout: u64,
    /// Sends whose arm was drawn for the sake of learning.
    pub explored: u64,
    /// Sends that left.
    pub sent: u64,
    /// … that reached a device.
    pub delivered: u64,
    /// … that were seen.
    pub displayed: u64,
    /// … with which the app was opened.
    pub opened: u64,
    /// … that were tapped.
    pub clicked: u64,
    /// … that were wiped away.
    pub dismissed: u64,
    /// … that the channel refused.
    pub failed: u64,
    /// … after which the user wanted no more.
    pub opted_out: u64,
    /// … that reached their goal after a click.
    pub goal_direct: u64,
    /// … that reached it without one.
    pub goal_influenced: u64,
    /// Value of these goal events, in 1e-6.
    pub goal_value_micros: i64,
    /// Sends after which the user reached the goal within the window, whoever caused it.
    pub sends_goal_in_window: u64,
    /// Decisions about users who are held out after which they did.
    pub holdout_goal_in_window: u64,
}

impl Figures {
    fn absorb(&mut self, decided: &Decided, outcome: &DecisionOutcome) {
        let is_send = decided.is_send();
        self.decisions += 1;
        self.holdout += u64::from(decided.holdout);
        self.holdout_goal_in_window += u64::from(decided.holdout && outcome.goal_in_window);
        self.sends += u64::from(is_send);
        self.explored += u64::from(is_send && decided.explored);
        self.sends_goal_in_window += u64::from(is_send && outcome.goal_in_window);
        self.sent += u64::from(outcome.was_sent());
        self.delivered += u64::from(outcome.was_delivered());
        self.displayed += u64::from(outcome.seen_at().is_some());
        self.opened += u64::from(outcome.opened_at.is_some());
        self.clicked += u64::from(outcome.clicked_at.is_some());
        self.dismissed += u64::from(outcome.dismissed_at.is_some());
        self.failed += u64::from(outcome.failed_at.is_some());
        self.opted_out += u64::from(outcome.opted_out_at.is_some());
        self.goal_direct += u64::from(outcome.attribution == Some(Attribution::Direct));
        self.goal_influenced += u64::from(outcome.attribution == Some(Attribution::Influenced));
        let value = outcome.goal_value_micros.unwrap_or_default();
        self.goal_value_micros = self.goal_value_micros.saturating_add(value);
    }
}

/// Counts in all, and of each campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// All decisions.
    pub all: Figures,
    /// By campaign; `None` for decisions without one.
    pub campaigns: BTreeMap<Option<String>, Figures>,
}

/// Counts decisions with their outcomes, one for each.
pub fn summarise(decisions: &[Decided], outcomes: &[DecisionOutcome]) -> Summary {
    let mut summary = Summary::default();
    for (decided, outcome) in decisions.iter().zip(outcomes) {
        summary.all.absorb(decided, outcome);
        summary.campaigns.entry(decided.campaign_id.clone()).or_default().absorb(decided, outcome);
    }
    summary
}
