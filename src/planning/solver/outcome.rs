//! A finished plan: who gets what when, what it is worth, and why somebody does not get what would suit him best.

use std::collections::BTreeMap;

use super::assignment::Assignment;
use super::audience::Audience;
use super::bundle::NONE;

/// One planned send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Send {
    /// Index among the user's options for the campaign.
    pub option: usize,
    /// The minute to send in, counted from the origin.
    pub minute: usize,
    /// What it is worth.
    pub value: f32,
    /// What the caller gave with the option.
    pub payload: u32,
}

/// Why a user does not get the option that is worth most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitReason {
    /// The campaign has all its sends.
    MaxSends,
    /// The minutes of the option are full with the campaign's own sends.
    CampaignThrottle,
    /// The minutes of the option are full with sends of all campaigns.
    SharedThrottle,
    /// Its hour is full.
    HourCapacity,
    /// A rule allows it not beside the user's other sends.
    JointRule {
        /// The number the rules gave.
        rule: u16,
        /// The campaign whose send stands against it; none when the rule refuses it alone or only several together.
        other: Option<u16>,
    },
}

/// Sends by minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// For each campaign the sends of each minute from the origin on.
    pub per_minute: Vec<Vec<u32>>,
}

impl Load {
    /// Sends of all campaigns, added up over `minutes` minutes each: 1, 15 for quarters, 60 for hours.
    pub fn per(&self, minutes: usize) -> Vec<u32> {
        let length = self.per_minute.iter().map(Vec::len).max().unwrap_or(0);
        let mut sums = vec![0; length.div_ceil(minutes.max(1))];
        for (minute, count) in self.per_minute.iter().flat_map(|counts| counts.iter().enumerate()) {
            sums[minute / minutes.max(1)] += count;
        }
        sums
    }

    /// The sends of a campaign.
    pub fn sends(&self, campaign: usize) -> u64 {
        self.per_minute[campaign].iter().map(|count| u64::from(*count)).sum()
    }

    /// The most sends of a campaign in a minute.
    pub fn peak_of(&self, campaign: usize) -> u32 {
        self.per_minute[campaign].iter().copied().max().unwrap_or(0)
    }

    /// The most sends of all campaigns in a minute.
    pub fn peak(&self) -> u32 {
        self.per(1).into_iter().max().unwrap_or(0)
    }
}

/// What two campaigns do to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The smaller index.
    pub one: usize,
    /// The larger index.
    pub other: usize,
    /// Users who have options in both.
    pub shared_users: u32,
    /// How many users do not get their best option of `one` because of their send of `other`, by rule.
    pub one_pushed_out: BTreeMap<u16, u32>,
    /// The same the other way round.
    pub other_pushed_out: BTreeMap<u16, u32>,
}

/// What becomes of the users of one campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignOutcome {
    /// Users with some option.
    pub users: u32,
    /// Users who get a send.
    pub sends: u32,
    /// Users who get none, by reason.
    pub unsent: BTreeMap<LimitReason, u32>,
    /// Users who get a send that is worth less than their best option, by reason.
    pub displaced: BTreeMap<LimitReason, u32>,
}

/// A finished plan.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) assignment: Assignment,
    pub(super) reasons: Vec<Option<LimitReason>>,
    /// The sum of the values of all sends.
    pub value: f64,
    /// No plan is worth more than this.
    pub bound: f64,
    /// Is it proven that no plan is worth more than this one?
    pub is_exact: bool,
    /// The campaigns in order.
    pub campaigns: Vec<CampaignOutcome>,
    /// Every pair of campaigns.
    pub pairs: Vec<Pair>,
    /// Loads if everybody got each campaign's best option in its first minute, as a plain sender would do.
    pub before: Load,
    /// Loads of the plan.
    pub after: Load,
}

impl Plan {
    /// How far the value may lie below the best possible, as a share of the bound.
    pub fn gap(&self) -> f64 {
        if self.bound > 0.0 { (self.bound - self.value) / self.bound } else { 0.0 }
    }

    /// What the user gets of a campaign.
    pub fn send(&self, audience: &Audience, user: usize, campaign: usize) -> Option<Send> {
        let (pick, minute) = self.assignment.get(user, campaign);
        if pick == NONE {
            return None;
        }
        let cell = audience.cells(user, campaign)[pick as usize];
        Some(Send { option: pick as usize, minute, value: cell.value, payload: cell.payload })
    }

    /// Why the user does not get his best option of a campaign; none when he does, or has no option.
    pub fn reason(&self, user: usize, campaign: usize) -> Option<LimitReason> {
        self.reasons[user * self.campaigns.len() + campaign]
    }
}
