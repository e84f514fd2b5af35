//! Ready-made audiences: named expressions that every workspace has, each one line here.

use super::expression::Expression;
use super::text::parser::parse;
use domain::rhythm::Rhythm;

/// What their ids begin with; no saved segment can be called so.
pub const PREFIX: &str = "ready:";

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadyMade {
    /// With the prefix.
    pub id: String,
    /// What it stands beside when people list them: members of one family share nobody.
    pub family: Family,
    /// Who belongs.
    pub expression: Expression,
    /// One line for people.
    pub description: String,
}

/// Ready-made audiences that divide people among them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Stages of life.
    Lifecycle,
    /// By how lately and how often they buy.
    Rfm,
    /// By money alone.
    Money,
    /// By what a push needs.
    Reachable,
    /// By rhythm.
    Rhythm,
    /// Tenths by the probability of a goal.
    Goal(String),
}

impl Family {
    /// Its heading.
    pub fn title(&self) -> String {
        match self {
            Family::Lifecycle => "stages of life".to_string(),
            Family::Rfm => "buyers by how lately and how often they buy (RFM)".to_string(),
            Family::Money => "buyers by money".to_string(),
            Family::Reachable => "who can be pushed".to_string(),
            Family::Rhythm => "rhythm groups".to_string(),
            Family::Goal(goal) => format!("tenths by the probability of {goal}"),
        }
    }
}

/// Family, name, who belongs, and a line for people. The RFM names are the usual ones of the grid of recency and frequency, and
/// cover it without overlap.
#[rustfmt::skip]
const READY_MADE: &[(Family, &str, &str, &str)] = &[
    (Family::Lifecycle, "new", "lifecycle = \"new\"", "first seen within 30 days"),
    (Family::Lifecycle, "active", "lifecycle = \"active\"", "seen within 30 days"),
    (Family::Lifecycle, "returned", "lifecycle = \"returned\"", "seen within 30 days, after more than 90 days away"),
    (Family::Lifecycle, "cooling", "lifecycle = \"cooling\"", "last seen 30 to 90 days ago"),
    (Family::Lifecycle, "dormant", "lifecycle = \"dormant\"", "not seen for 90 days"),
    (Family::Rfm, "champions", "rfm_recency = 5 and rfm_frequency >= 4", "bought last and buy most often"),
    (Family::Rfm, "loyal", "rfm_recency in (3, 4) and rfm_frequency >= 4", "buy often, and not long ago"),
    (Family::Rfm, "potential-loyalists", "rfm_recency >= 4 and rfm_frequency in (2, 3)", "bought lately, now and then"),
    (Family::Rfm, "recent-buyers", "rfm_recency = 5 and rfm_frequency = 1", "bought last, and seldom"),
    (Family::Rfm, "promising", "rfm_recency = 4 and rfm_frequency = 1", "bought lately, and seldom"),
    (Family::Rfm, "need-attention", "rfm_recency = 3 and rfm_frequency = 3", "in the middle of both"),
    (Family::Rfm, "about-to-sleep", "rfm_recency = 3 and rfm_frequency <= 2", "buy seldom, the last time a while ago"),
    (Family::Rfm, "at-risk", "rfm_recency <= 2 and rfm_frequency in (3, 4)", "used to buy often, not lately"),
    (Family::Rfm, "cannot-lose", "rfm_recency <= 2 and rfm_frequency = 5", "bought most often, and stay away"),
    (Family::Rfm, "hibernating", "rfm_recency <= 2 and rfm_frequency <= 2", "bought seldom and long ago"),
    (Family::Money, "big-spenders", "rfm_money = 5", "the fifth of buyers who brought most revenue"),
    (Family::Reachable, "can-be-pushed", "can_be_pushed", "agreed, and no rule but a cap, which passes, keeps pushes from them"),
    (Family::Reachable, "never-asked", "consent = \"unknown\"", "nobody knows whether they agree"),
    (Family::Reachable, "said-no", "opted_out", "refused, withdrew their consent, or it cannot be read"),
];

/// All of them; tenths of these goals about users are among them.
pub fn ready_made(goals: &[String]) -> Vec<ReadyMade> {
    let fixed = READY_MADE.iter().filter_map(|(family, name, text, description)| {
        written(family.clone(), (*name).to_string(), text, (*description).to_string())
    });
    let rhythms = Rhythm::ALL.iter().filter_map(|rhythm| {
        let name = rhythm.as_str();
        let text = format!("rhythm_group = {name:?}");
        written(Family::Rhythm, name.replace(' ', "-"), &text, format!("come on {name} more than others do"))
    });
    fixed.chain(rhythms).chain(goals.iter().flat_map(|goal| tenths(goal))).collect()
}

/// From the most likely to the least.
fn tenths(goal: &str) -> impl Iterator<Item = ReadyMade> {
    (1..=10).rev().filter_map(move |tenth| {
        let text = format!("propensity_decile({goal:?}) = {tenth}");
        let description = match tenth {
            10 => format!("the tenth of all people who are most likely to {goal}"),
            1 => format!("the tenth of all people who are least likely to {goal}"),
            _ => format!("tenth {tenth} of 10"),
        };
        written(Family::Goal(goal.to_string()), format!("{goal}-decile-{tenth}"), &text, description)
    })
}

/// What cannot be read is left out; a test holds that nothing is.
fn written(family: Family, name: String, text: &str, description: String) -> Option<ReadyMade> {
    let expression = parse(text).ok()?.expression;
    Some(ReadyMade { id: format!("{PREFIX}{name}"), family, expression, description })
}
