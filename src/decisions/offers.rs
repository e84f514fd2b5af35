//! Contents on offer: each once, scored, with the time in which it may be sent.

use std::collections::HashSet;

use super::refusals::{Run, Scope, walk};
use super::scorer::Scorer;
use super::situation::Situation;
use crate::domain::content::{Content, MessageClass};

/// A content to choose.
pub(super) struct Offer<'a> {
    /// The content.
    pub(super) content: &'a Content,
    /// Its place in the context.
    pub(super) index: usize,
    /// What user, content and pair add to the logit of each of its arms.
    pub(super) shift: f64,
    /// What sending it costs, whenever it is sent.
    pub(super) price: f64,
    /// Does it tire the user, and may it lose his consent? Service messages are sent because he needs them.
    pub(super) is_marketing: bool,
    /// The time within the horizon in which its own rules allow it; `None`: never.
    pub(super) life: Option<Run>,
}

/// The offers of a context; of contents with the same id the first counts.
pub(super) fn of<'a>(situation: &Situation<'a>, scorer: &impl Scorer) -> Vec<Offer<'a>> {
    let contents = &situation.context.contents;
    let mut seen = HashSet::with_capacity(contents.len());
    let user = scorer.user(&situation.context.user_inputs);
    let prices = Prices::of(situation);
    let mut offers = Vec::with_capacity(contents.len());
    for (index, candidate) in contents.iter().enumerate() {
        if !seen.insert(candidate.content.content_id.as_str()) {
            continue;
        }
        let content = scorer.content(&candidate.content_inputs);
        let shift = user + content + scorer.pair(&candidate.pair_inputs);
        let is_marketing = candidate.content.message_class == MessageClass::Marketing;
        let price = if is_marketing { prices.marketing } else { prices.service };
        let mut offer = Offer { content: &candidate.content, index, shift, price, is_marketing, life: None };
        offer.life = walk(situation, Scope::Content(&offer), situation.from, situation.until, |_| ());
        offers.push(offer);
    }
    offers
}

/// What a message of each class costs.
struct Prices {
    marketing: f64,
    service: f64,
}

impl Prices {
    fn of(situation: &Situation) -> Prices {
        let settings = &situation.context.settings;
        let service = price(settings.channel_cost);
        Prices { marketing: service + price(settings.opt_out_probability * settings.opt_out_cost), service }
    }
}

/// A price as it may be counted: one that nobody can name is too high.
pub(super) fn price(value: f64) -> f64 {
    if value.is_nan() { f64::INFINITY } else { value.max(0.0) }
}
