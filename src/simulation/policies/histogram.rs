//! What many tools do: popular contents in an hour read off a histogram, everybody's or each person's own.

use std::collections::VecDeque;

use super::{OpenHour, PushChoice, is_rested, open_hours};
use crate::Stage;
use crate::log::EventLog;
use crate::truth::{Memory, Push};

/// Days of views that popularity counts.
const POPULARITY_DAYS: i32 = 7;

/// Whose histogram is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// One for all.
    Everybodys,
    /// Each person's own; everybody's for whom nothing is known of.
    Own,
}

/// Counts of hours and of views.
#[derive(Clone, Debug)]
pub struct Histogram {
    whose: Hours,
    pub(super) log: EventLog,
    hours: Vec<[u32; 24]>,
    everybodys: [u32; 24],
    /// Views of the newest days: day and content.
    views: VecDeque<(i32, u32)>,
    /// Contents of the day, the most popular first.
    ranking: Vec<usize>,
}

impl Histogram {
    /// Nothing counted.
    pub fn new(stage: &Stage, whose: Hours) -> Histogram {
        let users = stage.world.people.len();
        Histogram {
            whose,
            log: EventLog::new(users),
            hours: vec![[0; 24]; users],
            everybodys: [0; 24],
            views: VecDeque::new(),
            ranking: Vec::new(),
        }
    }

    pub(super) fn whose(&self) -> Hours {
        self.whose
    }

    pub(super) fn begin_day(&mut self, stage: &Stage, day: i32) {
        let known = day - 1;
        for (user, act) in self.log.take_until(stage, day) {
            self.hours[user][usize::from(act.hour)] += 1;
            self.everybodys[usize::from(act.hour)] += 1;
            if act.day > known - POPULARITY_DAYS {
                self.views.push_back((act.day, act.content));
            }
        }
        self.views.retain(|(day, _)| *day > known - POPULARITY_DAYS);
        let mut counts = vec![0_u32; stage.world.contents.len()];
        self.views.iter().for_each(|(_, content)| counts[*content as usize] += 1);
        self.ranking = stage.alive(day).to_vec();
        // Stable: equals stay in order of their coming out.
        self.ranking.sort_by_key(|content| std::cmp::Reverse(counts[*content]));
    }

    pub(super) fn choose(&self, stage: &Stage, user: usize, day: i32, memory: &Memory) -> Option<PushChoice> {
        let own = &self.hours[user];
        let counts = match self.whose {
            Hours::Own if own.iter().any(|count| *count > 0) => own,
            Hours::Own | Hours::Everybodys => &self.everybodys,
        };
        let hour = fullest(&open_hours(stage, user, day), counts)?;
        // What he was not pushed before comes first: whoever repeats himself tires people.
        let is_new = |content: &&usize| memory.last_push_of(**content).is_none();
        let rested = |content: &&usize| is_rested(stage, memory, **content, hour.at);
        let content = self.ranking.iter().find(is_new).or_else(|| self.ranking.iter().find(rested))?;
        Some(PushChoice::unlogged(Push { user, content: *content, day, hour: hour.hour, at: hour.at }))
    }
}

/// The hour that was counted most often; the earliest of equals.
fn fullest(hours: &[OpenHour], counts: &[u32; 24]) -> Option<OpenHour> {
    let mut best: Option<OpenHour> = None;
    for hour in hours {
        if best.is_none_or(|best| counts[hour.hour] > counts[best.hour]) {
            best = Some(*hour);
        }
    }
    best
}
