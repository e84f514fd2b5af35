//! What pushes of several campaigns to one user must keep to together: one cap is never spent twice.

use super::context::{DecisionContext, PastSend};
use super::lane_set::LaneSet;
use super::lanes::{LaneKind, paces};
use super::pacing::Measure;
use super::rule_names::IS_RESTED;
use super::situation::Situation;
use domain::time::{HOUR, Instant};

/// A push to one user that is decided or considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Push {
    /// Its lane, numbered through all contexts of the user ([`Together::first_lane`] of its context and on).
    pub lane: usize,
    /// The number of its content; the same number, the same content.
    pub content: u32,
    /// The first instant at which it may be sent.
    pub first: Instant,
    /// The last one; the same once it is decided.
    pub last: Instant,
}

/// The limits that a user's pushes share.
#[derive(Clone, Debug, Default)]
pub struct Together {
    limits: Vec<SharedLimit>,
    first_lanes: Vec<usize>,
    lanes: usize,
    /// Lanes of marketing messages: their contents sleep after each push.
    marketing: LaneSet,
    /// Microseconds for which a content sleeps; 0: none.
    sleep: i64,
    most: usize,
}

/// A limit with the lanes that it holds for and those whose pushes count toward it.
#[derive(Clone, Debug)]
struct SharedLimit {
    rule: &'static str,
    most: u32,
    measure: Measure,
    limits: LaneSet,
    counts: LaneSet,
    /// Marks of the pushes that went out and count.
    past: Vec<i64>,
}

impl Together {
    /// What the contexts of one user, one for each campaign, share. Only limits that pushes of several campaigns can
    /// break together are kept: what one breaks alone is no prospect.
    pub fn of<'a>(contexts: impl Iterator<Item = &'a DecisionContext>) -> Together {
        let mut together = Together::default();
        let situations: Vec<Situation> = contexts.map(Situation::of).collect();
        let lanes = together.number(&situations);
        let (mut lane, mut sleep) = (0, 0);
        for situation in &situations {
            for (kind, channel) in kinds_and_channels(situation) {
                together.add(situation, kind, channel, lane, &lanes);
                lane += 1;
            }
            sleep = i64::from(situation.context.settings.repeat_sleep_hours) * HOUR;
        }
        (together.sleep, together.lanes) = (sleep, lanes.len());
        let campaigns = situations.len();
        together
            .limits
            .retain(|shared| campaigns > 1 && campaigns + shared.past.len() > shared.most as usize);
        let hours = situations.iter().map(|of| of.context.horizon_hours as usize).max().unwrap_or_default();
        together.most = together.most_within(hours, lanes.len());
        together
    }

    /// The number of a context's first lane.
    pub fn first_lane(&self, context: usize) -> usize {
        self.first_lanes[context]
    }

    /// How many lanes the contexts have together.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// A push of each lane, as it would count.
    fn number(&mut self, situations: &[Situation]) -> Vec<PastSend> {
        let mut lanes = Vec::new();
        for situation in situations {
            self.first_lanes.push(lanes.len());
            let context = situation.context;
            let pairs = kinds_and_channels(situation);
            lanes.extend(pairs.map(|(kind, channel)| kind.push(context, &context.channels[channel])));
        }
        lanes
    }

    fn add(
        &mut self,
        situation: &Situation,
        kind: LaneKind,
        channel: usize,
        lane: usize,
        lanes: &[PastSend],
    ) {
        let (context, zone) = (situation.context, situation.zone);
        if !kind.is_service {
            self.marketing.insert(lane);
        }
        for pace in paces(context, zone, situation.daily_cap(), &context.channels[channel], kind) {
            let counted = lanes.iter().enumerate().filter(|(_, push)| pace.counts.of(push));
            let counts: LaneSet = counted.map(|(lane, _)| lane).collect();
            let measure = pace.measure;
            let past = context.sends.iter().filter(|send| pace.counts.of(send));
            let past: Vec<i64> = past.map(|send| measure.mark(send.at)).collect();
            // Two rules may count the same lanes and yet other pushes of the past.
            let known = self.limits.iter_mut().find(|shared| {
                (shared.rule, shared.most, &shared.counts) == (pace.rule, pace.most, &counts)
                    && shared.measure.is_like(&measure)
                    && shared.past == past
            });
            if let Some(known) = known {
                known.limits.insert(lane);
                continue;
            }
            let limits = LaneSet::from_iter([lane]);
            self.limits.push(SharedLimit { rule: pace.rule, most: pace.most, measure, limits, counts, past });
        }
    }

    /// The rule that pushes break together, one a campaign at most, whatever the instants they are sent at.
    ///
    /// While instants are open (`first < last`) a limit that may be kept counts as kept.
    pub fn refused_by(&self, count: usize, push: impl Fn(usize) -> Push) -> Option<&'static str> {
        let broken = self.limits.iter().find(|shared| shared.is_broken_by(count, &push));
        broken.map(|shared| shared.rule).or_else(|| self.wakes_a_content(count, &push).then_some(IS_RESTED))
    }

    /// Is one content sent twice while it should sleep?
    fn wakes_a_content(&self, count: usize, push: &impl Fn(usize) -> Push) -> bool {
        let marketing = |from: usize| (from..count).map(push).filter(|push| self.marketing.holds(push.lane));
        let wakes =
            |one: Push, other: Push| one.content == other.content && farthest(&one, &other) < self.sleep;
        let mut firsts = (0..count).filter(|index| self.marketing.holds(push(*index).lane));
        self.sleep > 0 && firsts.any(|index| marketing(index + 1).any(|other| wakes(push(index), other)))
    }

    /// The user can never get more pushes than this.
    pub fn most(&self) -> usize {
        self.most
    }

    fn most_within(&self, hours: usize, lanes: usize) -> usize {
        let holds_for_all = |shared: &&SharedLimit| {
            (0..lanes).all(|lane| shared.limits.holds(lane) && shared.counts.holds(lane))
        };
        let most = |shared: &SharedLimit| match shared.measure {
            // The horizon may begin and end in the middle of a day, and a day on which clocks are set forward is short.
            Measure::Days(..) => Some(shared.most as usize * (hours.div_ceil(24) + 2)),
            Measure::Rolling(_) => None,
        };
        self.limits.iter().filter(holds_for_all).filter_map(most).min().unwrap_or(usize::MAX)
    }
}

/// The most time that can lie between two pushes.
fn farthest(one: &Push, other: &Push) -> i64 {
    let apart = |from: Instant, to: Instant| to.micros().saturating_sub(from.micros());
    apart(one.first, other.last).max(apart(other.first, one.last))
}

impl SharedLimit {
    /// Do some push and `most` others that count surely lie within one stretch?
    fn is_broken_by(&self, count: usize, push: &impl Fn(usize) -> Push) -> bool {
        /// A solver asks this millions of times, nearly always about a few pushes: those need no memory of their own.
        const FEW: usize = 4;
        let marked = |index: usize| self.marked(push(index));
        if count + self.past.len() <= self.most as usize {
            false
        } else if count <= FEW {
            let mut few = [Marked::default(); FEW];
            few[..count].iter_mut().enumerate().for_each(|(index, of)| *of = marked(index));
            self.is_broken(&few[..count])
        } else {
            self.is_broken(&(0..count).map(marked).collect::<Vec<Marked>>())
        }
    }

    fn is_broken(&self, marked: &[Marked]) -> bool {
        (0..marked.len()).any(|at| marked[at].is_limited && self.is_full_for(marked, at))
    }

    fn marked(&self, push: Push) -> Marked {
        let first = self.measure.mark(push.first);
        let last = if push.first == push.last { first } else { self.measure.mark(push.last) };
        Marked { first, last, is_limited: self.limits.holds(push.lane), counts: self.counts.holds(push.lane) }
    }

    fn is_full_for(&self, marked: &[Marked], at: usize) -> bool {
        let length = self.measure.length();
        let own = (marked[at].first, marked[at].last);
        let others = || {
            let planned = marked.iter().enumerate().filter(move |(other, of)| *other != at && of.counts);
            let planned = planned.map(|(_, of)| (of.first, of.last));
            planned.chain(self.past.iter().map(|mark| (*mark, *mark)))
        };
        let is_full = |start: i64| {
            let within = |(first, last): &(i64, i64)| *first >= start && last.saturating_sub(start) < length;
            within(&own) && others().filter(within).count() >= self.most as usize
        };
        // A stretch begins with one of its pushes.
        std::iter::once(own).chain(others()).any(|(start, _)| is_full(start))
    }
}

/// A push as a limit sees it.
#[derive(Clone, Copy, Debug, Default)]
struct Marked {
    first: i64,
    last: i64,
    is_limited: bool,
    counts: bool,
}

fn kinds_and_channels(situation: &Situation) -> impl Iterator<Item = (LaneKind, usize)> {
    let channels = situation.context.channels.len();
    situation.kinds.iter().flat_map(move |kind| (0..channels).map(move |channel| (*kind, channel)))
}
