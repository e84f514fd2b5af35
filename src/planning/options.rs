//! Users' options as the solver takes them, each with what names it again: its lane and its content.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::solver::audience::{Audience, Offer, Offers, quarter_of};
use super::{Request, Source, Step};
use decisions::context::DecisionContext;
use decisions::prospect::{Prospect, prospects};
use decisions::together::{MOST_LANES, Together};
use domain::time::{Instant, MINUTE};

/// Bits of a payload that number the content; the lane stands above them.
const CONTENT_BITS: u32 = 26;
const LAST_CONTENT: u32 = (1 << CONTENT_BITS) - 1;

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
    pub(super) content: u32,
}

impl Payload {
    fn to_bits(self) -> u32 {
        (self.lane as u32) << CONTENT_BITS | self.content
    }

    pub(super) fn of_bits(bits: u32) -> Payload {
        Payload { lane: (bits >> CONTENT_BITS) as usize, content: bits & LAST_CONTENT }
    }
}

const _: () = assert!(MOST_LANES << CONTENT_BITS == 1 << 32, "a payload holds lane and content");

impl Options {
    pub(super) fn lay_out<S: Source>(
        source: &S,
        request: &Request,
        origin: Instant,
        watch: &(impl Fn(Step) + Sync),
    ) -> Options {
        let together: Vec<OnceLock<Box<Together>>> = (0..source.users()).map(|_| OnceLock::new()).collect();
        let done = AtomicUsize::new(0);
        let fill = |user: usize, offers: &mut Offers| {
            let contexts = source.contexts(user);
            let shared = together_of(&contexts);
            for (place, (campaign, context)) in contexts.iter().enumerate() {
                for prospect in prospects(context, source.scorer(*campaign), contents_of(&contexts)) {
                    let first_lane = shared.first_lane(place);
                    if let Some(offer) = offer(source, context, &prospect, first_lane, origin) {
                        offers.add(*campaign, offer);
                    }
                }
            }
            if contexts.len() > 1 {
                let _ = together[user].set(Box::new(shared));
            }
            watch(Step::Options(done.fetch_add(1, Ordering::Relaxed) + 1));
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

    /// The prospect that an option of a context of the user was made of.
    pub(super) fn prospect<S: Source>(
        &self,
        source: &S,
        contexts: &[(usize, DecisionContext)],
        place: usize,
        quarter: usize,
        payload: Payload,
    ) -> Option<Prospect> {
        let (campaign, context) = &contexts[place];
        let first_lane = together_of(contexts).first_lane(place);
        let is_it = |prospect: &Prospect| {
            payload_of(source, context, prospect, first_lane) == payload
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

/// `None` beyond the lanes that can be told apart, and for clocks that no zone shows.
fn offer<S: Source>(
    source: &S,
    context: &DecisionContext,
    prospect: &Prospect,
    first_lane: usize,
    origin: Instant,
) -> Option<Offer> {
    let payload = payload_of(source, context, prospect, first_lane);
    let quarter = quarter_of(origin, prospect.hour_start)?;
    // A minute that has begun is over before a sender has the plan.
    let begun = (prospect.slot_start.micros() - prospect.hour_start.micros() + MINUTE - 1) / MINUTE;
    let minutes = prospect.minutes & !((1 << begun.clamp(0, 60)) - 1);
    let offer = Offer { quarter, minutes, value: prospect.value as f32, payload: payload.to_bits() };
    (payload.lane < MOST_LANES).then_some(offer)
}

fn payload_of<S: Source>(
    source: &S,
    context: &DecisionContext,
    prospect: &Prospect,
    first_lane: usize,
) -> Payload {
    let number = source.content_number(&context.contents[prospect.content].content.content_id);
    Payload { lane: first_lane + prospect.lane, content: number.min(LAST_CONTENT) }
}
