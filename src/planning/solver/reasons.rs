//! What a plan did to each user and campaign, counted.

use std::ops::Range;

use super::Task;
use super::assignment::{self, Assignment, PickedOption};
use super::audience::{Audience, Cell, PART};
use super::bundle::NONE;
use super::limits::{Chosen, JointRules};
use super::loads::{Limit, Loads};
use super::outcome::{CampaignOutcome, LimitReason, Load, Pair, Plan};
use super::prices::{Resources, Table};
use parallel::{in_chunks_with, sum_tallies};

/// Counts everything there is to tell about an assignment.
pub(super) fn report<R: JointRules>(
    task: &Task<R>,
    table: &Table,
    assignment: Assignment,
    (bound, is_exact): (f64, bool),
) -> Plan {
    let audience = task.audience;
    let after = load_of(audience, &assignment);
    let loads = count(task, &assignment);
    let value = assignment.value(audience);
    let judge = Judge { task, table, assignment: &assignment, loads: &loads };
    let (reasons, before) = judge.reasons();
    let campaigns = campaigns(audience, &assignment, &reasons);
    let pairs = pairs(audience, &reasons);
    // Rounding alone can put the bound below a plan that reaches it.
    let bound = bound.max(value);
    Plan { assignment, reasons, value, bound, is_exact, campaigns, pairs, before, after }
}

fn load_of(audience: &Audience, assignment: &Assignment) -> Load {
    let mut per_minute = vec![vec![0; audience.hours() * 60]; audience.campaigns()];
    for (campaign, _, minute) in (0..audience.users()).flat_map(|user| assignment.sends(user)) {
        per_minute[campaign][minute] += 1;
    }
    Load { per_minute }
}

/// The loads of a finished assignment.
pub(super) fn count<R: JointRules>(task: &Task<R>, assignment: &Assignment) -> Loads {
    let resources = Resources::of(task.audience, task.limits);
    let prices = vec![0.0; resources.capacity.len()];
    let mut loads = Loads::new(task.audience, task.limits, &resources, &prices, 1.0);
    for (campaign, _, minute) in (0..task.audience.users()).flat_map(|user| assignment.sends(user)) {
        loads.add(campaign, minute);
    }
    loads
}

/// Says why somebody does not get what would suit him best.
struct Judge<'a, R> {
    task: &'a Task<'a, R>,
    table: &'a Table,
    assignment: &'a Assignment,
    loads: &'a Loads,
}

impl<R: JointRules> Judge<'_, R> {
    /// The reason of each user and campaign, and the loads of everybody's first choice.
    fn reasons(&self) -> (Vec<Option<LimitReason>>, Load) {
        let audience = self.task.audience;
        let (campaigns, minutes) = (audience.campaigns(), audience.hours() * 60);
        let work = |first: &mut Vec<u32>, users: Range<usize>| {
            let mut reasons = Vec::with_capacity(users.len() * campaigns);
            for (user, campaign) in
                users.flat_map(|user| (0..campaigns).map(move |campaign| (user, campaign)))
            {
                let best = audience.best(user, campaign).map(|(_, cell)| cell);
                if let Some(best) = best {
                    first[campaign * minutes + audience.shape(best).first()] += 1;
                }
                reasons.push(best.and_then(|best| self.reason(user, campaign, best)));
            }
            reasons
        };
        let start = || vec![0; campaigns * minutes];
        let (reasons, first) =
            in_chunks_with(self.task.settings.threads, audience.users(), PART, start, work);
        let first = sum_tallies(first, campaigns * minutes);
        let per_minute =
            (0..campaigns).map(|campaign| first[campaign * minutes..][..minutes].to_vec()).collect();
        (reasons.concat(), Load { per_minute })
    }

    /// Why the user does not get this best option; none when he gets one as good.
    ///
    /// Prices tell what he would get if nothing but capacity stood against him. When he does not get even that, and a
    /// rule refuses it beside his other sends, then the rule is the reason; else what is full.
    fn reason(&self, user: usize, campaign: usize, best: &Cell) -> Option<LimitReason> {
        let audience = self.task.audience;
        let has = match self.assignment.get(user, campaign).0 {
            NONE => None,
            pick => Some(&audience.cells(user, campaign)[pick as usize]),
        };
        if has.is_some_and(|has| has.value >= best.value) {
            return None;
        }
        let wanted = self.wanted(user, campaign, has);
        if let Some(reason) = wanted.and_then(|wanted| self.by_rule(user, campaign, wanted)) {
            return Some(reason);
        }
        if has.is_none() && self.loads.has_all(campaign) {
            return Some(LimitReason::MaxSends);
        }
        let wanted = wanted.unwrap_or(best);
        let full = self.by_capacity(campaign, wanted).or_else(|| self.by_rule(user, campaign, best));
        full.or_else(|| self.by_capacity(campaign, best)).or(Some(LimitReason::MaxSends))
    }

    /// The option that gains most at the prices, if it gains more than what the user has.
    fn wanted(&self, user: usize, campaign: usize, has: Option<&Cell>) -> Option<&Cell> {
        let net = |cell: &Cell| f64::from(cell.value) - self.table.price(campaign, cell.shape);
        let mut wanted = (has.map_or(0.0, net), None);
        for cell in self.task.audience.cells(user, campaign) {
            if net(cell) > wanted.0 {
                wanted = (net(cell), Some(cell));
            }
        }
        wanted.1
    }

    /// The limit that most minutes of the option have reached; none when some minute has room.
    fn by_capacity(&self, campaign: usize, cell: &Cell) -> Option<LimitReason> {
        let mut counts = [
            (Limit::Campaign, 0, LimitReason::CampaignThrottle),
            (Limit::Shared, 0, LimitReason::SharedThrottle),
            (Limit::Hour, 0, LimitReason::HourCapacity),
        ];
        for minute in minutes(self.task.audience, cell) {
            let limit = self.loads.limit(campaign, minute)?;
            counts.iter_mut().filter(|count| count.0 == limit).for_each(|count| count.1 += 1);
        }
        // The first of equals.
        counts.into_iter().rev().max_by_key(|count| count.1).map(|count| count.2)
    }

    /// The rule that refuses the option beside the user's other sends, and the one send that is enough for it.
    fn by_rule(&self, user: usize, campaign: usize, cell: &Cell) -> Option<LimitReason> {
        let sends = || self.assignment.sends(user).filter(|(other, _, _)| *other != campaign);
        let others: Vec<Chosen> =
            sends().map(|(other, pick, minute)| self.sent(user, other, pick, minute)).collect();
        let refused = |others: &[Chosen]| self.refused_everywhere(user, others, campaign, cell);
        let rule = refused(&others)?;
        if let Some(rule) = refused(&[]) {
            return Some(LimitReason::JointRule { rule, other: None });
        }
        let alone = others.iter().find_map(|other| Some((refused(&[*other])?, other.campaign)));
        // Several together, as under a cap: the least valuable of them would have been the one to give way.
        let value = |send: &(usize, u32, usize)| assignment::value(self.task.audience, user, send.0, send.1);
        let least = || sends().min_by(|one, other| value(one).total_cmp(&value(other)));
        let culprit = alone.or_else(|| least().map(|(other, _, _)| (rule, other)));
        culprit.map(|(rule, other)| LimitReason::JointRule { rule, other: Some(other as u16) })
    }

    fn sent(&self, user: usize, campaign: usize, pick: u32, minute: usize) -> Chosen {
        let audience = self.task.audience;
        PickedOption::of(audience, campaign, &audience.cells(user, campaign)[pick as usize]).at(minute)
    }

    /// The rule that refuses each minute of the option beside others.
    fn refused_everywhere(
        &self,
        user: usize,
        others: &[Chosen],
        campaign: usize,
        cell: &Cell,
    ) -> Option<u16> {
        let mut chosen = others.to_vec();
        let option = PickedOption::of(self.task.audience, campaign, cell);
        let mut rule = None;
        for minute in minutes(self.task.audience, cell) {
            chosen.push(option.at(minute));
            rule = Some(self.task.rules.refused_by(user, &chosen)?);
            chosen.pop();
        }
        rule
    }
}

fn minutes(audience: &Audience, cell: &Cell) -> impl Iterator<Item = usize> + use<> {
    let shape = audience.shape(cell);
    (0..60).filter(move |bit| shape.minutes >> bit & 1 == 1).map(move |bit| shape.start() + bit)
}

fn campaigns(
    audience: &Audience,
    assignment: &Assignment,
    reasons: &[Option<LimitReason>],
) -> Vec<CampaignOutcome> {
    let mut outcomes = vec![CampaignOutcome::default(); audience.campaigns()];
    for (index, reason) in reasons.iter().enumerate() {
        let (user, campaign) = (index / audience.campaigns(), index % audience.campaigns());
        let outcome = &mut outcomes[campaign];
        let is_sent = assignment.get(user, campaign).0 != NONE;
        outcome.users += u32::from(!audience.cells(user, campaign).is_empty());
        outcome.sends += u32::from(is_sent);
        if let Some(reason) = reason {
            let counts = if is_sent { &mut outcome.displaced } else { &mut outcome.unsent };
            *counts.entry(*reason).or_insert(0) += 1;
        }
    }
    outcomes
}

fn pairs(audience: &Audience, reasons: &[Option<LimitReason>]) -> Vec<Pair> {
    let campaigns = audience.campaigns();
    let mut pairs = Vec::new();
    for (one, other) in (0..campaigns).flat_map(|one| (one + 1..campaigns).map(move |other| (one, other))) {
        let has = |user: usize, campaign: usize| !audience.cells(user, campaign).is_empty();
        let shared = (0..audience.users()).filter(|user| has(*user, one) && has(*user, other)).count();
        let mut pair = Pair {
            one,
            other,
            shared_users: shared as u32,
            one_pushed_out: Default::default(),
            other_pushed_out: Default::default(),
        };
        for user in reasons.chunks(campaigns) {
            for (pushed, by, counts) in
                [(one, other, &mut pair.one_pushed_out), (other, one, &mut pair.other_pushed_out)]
            {
                if let Some(LimitReason::JointRule { rule, other: Some(culprit) }) = user[pushed]
                    && usize::from(culprit) == by
                {
                    *counts.entry(rule).or_insert(0) += 1;
                }
            }
        }
        pairs.push(pair);
    }
    pairs
}
