//! Users' options as the solver takes them, each with what names it again: its lane and its content.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::solver::audience::{Audience, Offer, Offers, quarter_of};
use super::{ContextSource, PlanStep, PlanningRequest};
use decisions::context::DecisionContext;
use decisions::prospect::{Prospect, prospects};
use decisions::together::Together;
use domain::time::{Instant, MINUTE};

/// Contents that a slot offers a campaign at most.
const MOST_CONTENTS: usize = 3;

/// Slots that begin within the horizon may begin this long before it and end as long behind, in hours.
const MARGIN_HOURS: usize = 2;

/// Options of all users, and what the pushes of each share.
pub(super) struct Options {
    pub(super) audience: Audience,
    together: Vec<OnceLock<Box<Together>>>,
    pub(super) origin: Instant,
    /// What reaching a person counts beside what is expected of the push: each option is worth so much more.
    pub(super) reach: f64,
}

/// What an option stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    /// Through all lanes of the user.
    pub(super) lane: usize,
    /// The number of its content, at most [`last_content`] of so many lanes.
    pub(super) content: u32,
}

impl Payload {
    /// The payload as one number, for a user with so many lanes.
    fn to_number(self, lanes: usize) -> u32 {
        self.content * lanes as u32 + self.lane as u32
    }

    /// Reads what [`Payload::to_number`] wrote for as many lanes.
    pub(super) fn of_number(number: u32, lanes: usize) -> Payload {
        Payload { lane: number as usize % lanes, content: number / lanes as u32 }
    }
}

/// The last content that a payload can number beside so many lanes; contents behind it share its number.
fn last_content(lanes: usize) -> u32 {
    u32::MAX / lanes as u32 - 1
}

impl Options {
    pub(super) fn lay_out<S: ContextSource>(
        source: &S,
        request: &PlanningRequest,
        origin: Instant,
        watch: &(impl Fn(PlanStep) + Sync),
    ) -> Options {
        let together: Vec<OnceLock<Box<Together>>> = (0..source.users()).map(|_| OnceLock::new()).collect();
        let done = AtomicUsize::new(0);
        let fill = |user: usize, offers: &mut Offers| {
            let contexts = source.contexts(user);
            let shared = together_of(&contexts);
            for (index, (campaign, context)) in contexts.iter().enumerate() {
                for prospect in prospects(context, source.scorer(*campaign), contents_of(&contexts)) {
                    let payload = payload_of(source, context, &prospect, &shared, index);
                    if let Some(offer) = offer(&prospect, payload.to_number(shared.lanes()), origin) {
                        offers.add(*campaign, offer);
                    }
                }
            }
            if contexts.len() > 1 {
                let _ = together[user].set(Box::new(shared));
            }
            watch(PlanStep::Options(done.fetch_add(1, Ordering::Relaxed) + 1));
        };
        let hours = request.horizon_hours as usize + MARGIN_HOURS;
        let mut audience =
            Audience::build(request.campaigns.len(), hours, source.users(), request.threads, fill);
        let reach = (request.settings.reach * audience.mean_best(0..audience.users())) as f32;
        audience.raise(reach);
        Options { audience, together, origin, reach: f64::from(reach) }
    }

    /// What the pushes of a user share; none for one whom a single campaign wants.
    pub(super) fn together(&self, user: usize) -> Option<&Together> {
        self.together[user].get().map(Box::as_ref)
    }

    /// The prospect that an option of a context of the user was made of, by the option's payload and quarter.
    pub(super) fn prospect<S: ContextSource>(
        &self,
        source: &S,
        contexts: &[(usize, DecisionContext)],
        index: usize,
        quarter: usize,
        payload: u32,
    ) -> Option<Prospect> {
        let (campaign, context) = &contexts[index];
        let shared = together_of(contexts);
        let is_it = |prospect: &Prospect| {
            payload_of(source, context, prospect, &shared, index).to_number(shared.lanes()) == payload
                && quarter_of(self.origin, prospect.hour_start) == Some(quarter)
        };
        prospects(context, source.scorer(*campaign), contents_of(contexts)).into_iter().find(is_it)
    }
}

/// Contents that a slot offers each campaign: as many as there are campaigns that could take one away.
fn contents_of(contexts: &[(usize, DecisionContext)]) -> usize {
    let sleeps = contexts.iter().any(|(_, context)| context.settings.repeat_sleep_hours > 0);
    if sleeps { contexts.len().clamp(1, MOST_CONTENTS) } else { 1 }
}

/// What the contexts of a user share.
pub(super) fn together_of(contexts: &[(usize, DecisionContext)]) -> Together {
    Together::of(contexts.iter().map(|(_, context)| context))
}

/// `None` for clocks that no zone shows.
fn offer(prospect: &Prospect, payload: u32, origin: Instant) -> Option<Offer> {
    let quarter = quarter_of(origin, prospect.hour_start)?;
    // A minute that has begun is over before a sender has the plan.
    let begun = (prospect.slot_start.micros() - prospect.hour_start.micros() + MINUTE - 1) / MINUTE;
    let minutes = prospect.minutes & !((1 << begun.clamp(0, 60)) - 1);
    Some(Offer { quarter, minutes, value: prospect.value as f32, payload })
}

/// The payload of a prospect of the user's context of this index.
fn payload_of<S: ContextSource>(
    source: &S,
    context: &DecisionContext,
    prospect: &Prospect,
    shared: &Together,
    index: usize,
) -> Payload {
    let number = source.content_number(&context.contents[prospect.content].content.content_id);
    let lane = shared.first_lane(index) + prospect.lane;
    Payload { lane, content: number.min(last_content(shared.lanes())) }
}
