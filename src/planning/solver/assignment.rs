//! Sends with their minutes: what a plan consists of, and how one user's sends are given minutes.

use super::audience::{Audience, Cell, Shape};
use super::bundle::NONE;
use super::limits::{Chosen, JointRules};
use super::loads::Loads;

/// For each user and campaign the picked option and its minute.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    campaigns: usize,
    picks: Vec<u32>,
    minutes: Vec<u16>,
}

impl Assignment {
    /// Nobody gets anything.
    pub(super) fn empty(audience: &Audience) -> Assignment {
        let (campaigns, length) = (audience.campaigns(), audience.users() * audience.campaigns());
        Assignment { campaigns, picks: vec![NONE; length], minutes: vec![0; length] }
    }

    /// The picked option of a user for a campaign, [`NONE`] without one, and its minute.
    pub(super) fn get(&self, user: usize, campaign: usize) -> (u32, usize) {
        let at = user * self.campaigns + campaign;
        (self.picks[at], usize::from(self.minutes[at]))
    }

    pub(super) fn set(&mut self, user: usize, campaign: usize, pick: u32, minute: usize) {
        let at = user * self.campaigns + campaign;
        (self.picks[at], self.minutes[at]) = (pick, minute as u16);
    }

    /// The user's sends: campaign, option, minute.
    pub(super) fn sends(&self, user: usize) -> impl Iterator<Item = (usize, u32, usize)> + '_ {
        let all = (0..self.campaigns).map(move |campaign| (campaign, self.get(user, campaign)));
        all.filter(|(_, (pick, _))| *pick != NONE).map(|(campaign, (pick, minute))| (campaign, pick, minute))
    }

    /// What the user's sends are worth.
    pub(super) fn value_of(&self, audience: &Audience, user: usize) -> f64 {
        self.sends(user).map(|(campaign, pick, _)| value(audience, user, campaign, pick)).sum()
    }

    /// What all sends are worth.
    pub(super) fn value(&self, audience: &Audience) -> f64 {
        (0..audience.users()).map(|user| self.value_of(audience, user)).sum()
    }
}

/// What an option of a user is worth.
pub(super) fn value(audience: &Audience, user: usize, campaign: usize, pick: u32) -> f64 {
    f64::from(audience.cells(user, campaign)[pick as usize].value)
}

/// An option that seeks a minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct PickedOption {
    pub(super) campaign: usize,
    pub(super) shape: Shape,
    pub(super) payload: u32,
}

impl PickedOption {
    /// An option of a user, without its minute.
    pub(super) fn of(audience: &Audience, campaign: usize, cell: &Cell) -> PickedOption {
        PickedOption { campaign, shape: audience.shape(cell), payload: cell.payload }
    }

    /// The send once its minute is decided.
    pub(super) fn at(&self, minute: usize) -> Chosen {
        Chosen { campaign: self.campaign, first: minute, last: minute, payload: self.payload }
    }

    /// The send while its minute is open.
    pub(super) fn open(&self) -> Chosen {
        let PickedOption { campaign, shape, payload } = *self;
        Chosen { campaign, first: shape.first(), last: shape.last(), payload }
    }
}

/// The minutes with room in which rules allow the send beside the user's others; all of them without a conflict.
pub(super) fn allowed<R: JointRules>(
    rules: &R,
    user: usize,
    chosen: &mut Vec<Chosen>,
    option: &PickedOption,
    room: u64,
) -> u64 {
    let mut allowed = 0;
    for bit in (0..60).filter(|bit| room >> bit & 1 == 1) {
        chosen.push(option.at(option.shape.start() + bit));
        allowed |= u64::from(rules.refused_by(user, chosen).is_none()) << bit;
        chosen.pop();
    }
    allowed
}

/// The minute to send in beside the user's other sends: the emptiest that rules allow.
pub(super) fn minute<R: JointRules>(
    rules: &R,
    loads: &Loads,
    user: usize,
    chosen: &mut Vec<Chosen>,
    option: &PickedOption,
    turn: u64,
) -> Option<usize> {
    let (campaign, shape) = (option.campaign, &option.shape);
    let room = loads.room(campaign, shape);
    let minute = loads.emptiest(campaign, shape, room, turn)?;
    chosen.push(option.at(minute));
    let is_allowed = rules.refused_by(user, chosen).is_none();
    chosen.pop();
    if is_allowed {
        return Some(minute);
    }
    let room = allowed(rules, user, chosen, option, room);
    loads.emptiest(campaign, shape, room, turn)
}
