//! The rules about one user's pushes, as the solver asks them.

use std::sync::LazyLock;

use super::options::{Options, Payload};
use super::solver::audience::instant_of;
use super::solver::limits::{Chosen, JointRules};
use super::solver::outcome::Reason;
use decisions::rules;
use decisions::together::Push;
use domain::time::Instant;

/// Rules by the numbers that the solver knows them by; it asks so often that they are listed once.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(rules::names);

/// What the pushes of each user share.
pub(super) struct SharedRules<'a> {
    pub(super) options: &'a Options,
    pub(super) origin: Instant,
}

impl JointRules for SharedRules<'_> {
    fn refused_by(&self, user: usize, chosen: &[Chosen]) -> Option<u16> {
        let together = self.options.together(user).filter(|_| chosen.len() > 1)?;
        let rule = together.refused_by(chosen.len(), |place| self.push(&chosen[place]))?;
        NAMES.iter().position(|name| *name == rule).map(|number| number as u16)
    }

    fn most_sends(&self, user: usize) -> usize {
        self.options.together(user).map_or(usize::MAX, |together| together.most())
    }
}

impl SharedRules<'_> {
    fn push(&self, chosen: &Chosen) -> Push {
        let Payload { lane, content } = Payload::of_bits(chosen.payload);
        let (first, last) = (instant_of(self.origin, chosen.first), instant_of(self.origin, chosen.last));
        Push { lane, content, first, last }
    }
}

/// The rule that stands behind a reason of the solver, and the campaign whose push does, by its place.
pub fn rule_of(reason: Reason) -> (&'static str, Option<usize>) {
    match reason {
        Reason::MaxSends => (rules::UNDER_MAX_SENDS, None),
        Reason::CampaignThrottle => (rules::UNDER_THROTTLE, None),
        Reason::SharedThrottle => (rules::UNDER_SHARED_THROTTLE, None),
        Reason::HourCapacity => (rules::UNDER_HOURLY_CAPACITY, None),
        Reason::JointRule { rule, other } => {
            let name = NAMES.get(usize::from(rule)).copied().unwrap_or(rules::MATCHES_PLAN);
            (name, other.map(usize::from))
        }
    }
}
