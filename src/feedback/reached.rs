//! Who reached the goal: the one definition that every report of a holdout goes by.
//!
//! A unit is a user, in a campaign the user in that campaign. It counts by the *first* decision about it, whatever that
//! decision said: a user who was to be pushed belongs to the treated, also if a rule refused the push, because the same
//! rules would have refused some of those who are held out. It reached the goal when the user did so within the window
//! after that decision, whatever caused it. What came later may be caused by what came before, so it does not count.

use std::collections::BTreeMap;

use serde::Serialize;

use super::attribution::DecisionOutcome;
use super::decided::Decided;
use domain::time::Instant;

/// A decision about a user, as far as the definition asks.
#[derive(Clone, Copy, Debug)]
pub struct AskedUser<'a> {
    /// About whom.
    pub user_id: &'a str,
    /// For which campaign.
    pub campaign_id: Option<&'a str>,
    /// When.
    pub decided_at: Instant,
    /// Its id, which orders decisions of one moment.
    pub decision_id: &'a str,
    /// Was the user held out from everything?
    pub held_everywhere: bool,
    /// Was the user held out, from everything or from the campaign?
    pub held_out: bool,
    /// Did the user reach the goal within the window after it?
    pub goal_in_window: bool,
}

impl<'a> AskedUser<'a> {
    /// A decision of the log with its outcome.
    pub fn of(decided: &'a Decided, outcome: &DecisionOutcome) -> AskedUser<'a> {
        AskedUser {
            user_id: &decided.user_id,
            campaign_id: decided.campaign_id.as_deref(),
            decided_at: decided.decided_at,
            decision_id: &decided.decision_id,
            held_everywhere: decided.held_everywhere,
            held_out: decided.holdout,
            goal_in_window: outcome.goal_in_window,
        }
    }
}

/// A unit: which arm chance put it into, and whether it reached the goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReachedUnit {
    /// Was it to be pushed?
    pub is_treated: bool,
    /// Did it reach the goal?
    pub reached: bool,
}

/// The first decision about a unit.
#[derive(Clone, Debug)]
struct FirstDecision {
    decided_at: Instant,
    decision_id: String,
    unit: ReachedUnit,
}

/// The first decision about each user, and about each user in each campaign.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    users: BTreeMap<String, FirstDecision>,
    campaigns: BTreeMap<String, BTreeMap<String, FirstDecision>>,
}

impl Reached {
    /// Takes a decision; the order in which they come does not matter.
    pub fn absorb(&mut self, asked: &AskedUser<'_>) {
        let reached = asked.goal_in_window;
        if let Some(campaign) = asked.campaign_id {
            let unit = ReachedUnit { is_treated: !asked.held_out, reached };
            keep_first(self.campaigns.entry(campaign.to_string()).or_default(), asked, unit);
        }
        keep_first(&mut self.users, asked, ReachedUnit { is_treated: !asked.held_everywhere, reached });
    }

    /// Every user, by id.
    pub fn users(&self) -> impl Iterator<Item = ReachedUnit> {
        self.users.values().map(|first| first.unit)
    }

    /// Every user of every campaign, with the campaign's id.
    pub fn in_campaigns(&self) -> impl Iterator<Item = (&str, ReachedUnit)> {
        self.campaigns
            .iter()
            .flat_map(|(campaign, users)| users.values().map(move |first| (campaign.as_str(), first.unit)))
    }

    /// Counts of all users.
    pub fn counts(&self) -> ReachedCounts {
        self.users().collect()
    }

    /// Counts of the users of a campaign.
    pub fn counts_in(&self, campaign: &str) -> ReachedCounts {
        self.campaigns.get(campaign).into_iter().flat_map(BTreeMap::values).map(|first| first.unit).collect()
    }
}

fn keep_first(kept: &mut BTreeMap<String, FirstDecision>, asked: &AskedUser<'_>, unit: ReachedUnit) {
    let order = (asked.decided_at, asked.decision_id);
    match kept.get(asked.user_id) {
        Some(first) if (first.decided_at, first.decision_id.as_str()) <= order => {}
        _ => {
            let (decided_at, decision_id) = (asked.decided_at, asked.decision_id.to_string());
            kept.insert(asked.user_id.to_string(), FirstDecision { decided_at, decision_id, unit });
        }
    }
}

/// How many of an arm reached the goal, beside how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReachedArm {
    /// Units that reached the goal.
    pub reached: u64,
    /// All units of the arm.
    pub n: u64,
}

/// Both arms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReachedCounts {
    /// Users who were to be pushed.
    pub treated: ReachedArm,
    /// Users who are held out.
    pub control: ReachedArm,
}

impl FromIterator<ReachedUnit> for ReachedCounts {
    fn from_iter<I: IntoIterator<Item = ReachedUnit>>(units: I) -> ReachedCounts {
        let mut counts = ReachedCounts::default();
        for unit in units {
            let arm = if unit.is_treated { &mut counts.treated } else { &mut counts.control };
            arm.n += 1;
            arm.reached += u64::from(unit.reached);
        }
        counts
    }
}
