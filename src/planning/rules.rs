//! The rules about one user's pushes, as the solver asks them.

use std::sync::LazyLock;

use super::options::{Options, Payload};
use super::solver::audience::instant_of;
use super::solver::limits::{Chosen, JointRules};
use super::solver::outcome::LimitReason;
use decisions::together::Push;
use decisions::{rule_names, rules};
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
        let rule = together.refused_by(chosen.len(), |index| self.push(&chosen[index], together.lanes()))?;
        NAMES.iter().position(|name| *name == rule).map(|number| number as u16)
    }

    fn most_sends(&self, user: usize) -> usize {
        self.options.together(user).map_or(usize::MAX, |together| together.most())
    }
}

impl SharedRules<'_> {
    /// A push to a user with so many lanes.
    fn push(&self, chosen: &Chosen, lanes: usize) -> Push {
        let Payload { lane, content } = Payload::of_number(chosen.payload, lanes);
        let (first, last) = (instant_of(self.origin, chosen.first), instant_of(self.origin, chosen.last));
        Push { lane, content, first, last }
    }
}

/// The rule that stands behind a reason of the solver, and the index of the campaign whose push does.
pub fn rule_of(reason: LimitReason) -> (&'static str, Option<usize>) {
    match reason {
        LimitReason::MaxSends => (rule_names::UNDER_MAX_SENDS, None),
        LimitReason::CampaignThrottle => (rule_names::UNDER_THROTTLE, None),
        LimitReason::SharedThrottle => (rule_names::UNDER_SHARED_THROTTLE, None),
        LimitReason::HourCapacity => (rule_names::UNDER_HOURLY_CAPACITY, None),
        LimitReason::JointRule { rule, other } => {
            let name = NAMES.get(usize::from(rule)).copied().unwrap_or(rule_names::MATCHES_PLAN);
            (name, other.map(usize::from))
        }
    }
}
