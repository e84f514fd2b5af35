//! Outcomes counted, in all and by what was sent where and when: each rate has its denominator beside it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::attribution::{Attribution, DecisionOutcome};
use super::decided::Decided;
use super::reached::{AskedUser, Reached, ReachedCounts};

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
    /// Purchases attributed to these sends.
    pub purchases: u64,
    /// Value of these purchases, in 1e-6.
    pub revenue_micros: i64,
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
        self.purchases += outcome.purchases.unsigned_abs();
        let revenue = outcome.revenue_micros.unwrap_or_default();
        self.revenue_micros = self.revenue_micros.saturating_add(revenue);
    }
}

/// What decisions are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dimension {
    /// The campaign.
    Campaign,
    /// The content and its variant, joined by `/`.
    Variant,
    /// The language that the variant is written in.
    Language,
    /// The channel.
    Channel,
    /// The date of the send on the user's calendar.
    Day,
    /// The hour of the send on the user's clock, 00 to 23.
    Hour,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Dimension; 6] = [
        Dimension::Campaign,
        Dimension::Variant,
        Dimension::Language,
        Dimension::Channel,
        Dimension::Day,
        Dimension::Hour,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Dimension::Campaign => "campaign",
            Dimension::Variant => "variant",
            Dimension::Language => "language",
            Dimension::Channel => "channel",
            Dimension::Day => "day",
            Dimension::Hour => "hour",
        }
    }

    /// A decision's value; `None` of one without.
    fn value_of(self, decided: &Decided, languages: &Languages) -> Option<String> {
        match self {
            Dimension::Campaign => decided.campaign_id.clone(),
            Dimension::Variant => {
                let content = decided.content_id.as_ref()?;
                let variant = decided.variant_id.as_ref();
                Some(variant.map_or_else(|| content.clone(), |variant| format!("{content}/{variant}")))
            }
            Dimension::Language => {
                let variants = languages.get(decided.content_id.as_ref()?)?;
                variants.get(decided.variant_id.as_ref()?).cloned()
            }
            Dimension::Channel => decided.channel.clone(),
            Dimension::Day => decided.local_hour.map(|local| local.date.to_string()),
            Dimension::Hour => decided.local_hour.map(|local| format!("{:02}", local.hour)),
        }
    }

    /// Has every decision one, or only those that send?
    fn is_of_sends(self) -> bool {
        self != Dimension::Campaign
    }
}

/// The language of each variant of each content.
pub type Languages = BTreeMap<String, BTreeMap<String, String>>;

/// Counts by the values of a dimension; `None` for decisions without one.
pub type Groups = BTreeMap<Option<String>, Figures>;

/// Counts in all, and by each dimension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// All decisions.
    pub all: Figures,
    /// By each dimension; by all but the campaign only decisions that send.
    pub by: BTreeMap<Dimension, Groups>,
    /// Users who reached the goal, of those who were to be pushed and of those who are held out.
    pub reached: ReachedCounts,
    /// The same of the users of each campaign.
    pub reached_in: BTreeMap<String, ReachedCounts>,
}

/// Counts decisions with their outcomes, one for each.
pub fn summarise(decisions: &[Decided], outcomes: &[DecisionOutcome], languages: &Languages) -> Summary {
    let (mut summary, mut reached) = (Summary::default(), Reached::default());
    for (decided, outcome) in decisions.iter().zip(outcomes) {
        summary.all.absorb(decided, outcome);
        reached.absorb(&AskedUser::of(decided, outcome));
        for dimension in Dimension::ALL {
            let groups = summary.by.entry(dimension).or_default();
            if decided.is_send() || !dimension.is_of_sends() {
                groups.entry(dimension.value_of(decided, languages)).or_default().absorb(decided, outcome);
            }
        }
        let campaigns = decided.campaign_id.iter().cloned();
        summary.reached_in.extend(campaigns.map(|campaign| (campaign, ReachedCounts::default())));
    }
    summary.reached = reached.counts();
    for (campaign, counts) in &mut summary.reached_in {
        *counts = reached.counts_in(campaign);
    }
    summary
}
