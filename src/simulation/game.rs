//! A policy's pushes and what comes of them: counts, how near they came to the best, and which rules they broke.

use serde::Serialize;

use super::Stage;
use super::draws::common;
use super::parameters::ExposureTrap;
use super::policies::{Policy, is_rested, open_hours, quiet_hours};
use super::truth::{Memory, Push, PushAnswer};
use domain::time::{HOUR, Instant, MINUTE};
use response::ResponseModel;

/// Days for which a content counts as fresh.
pub const FRESH_DAYS: i32 = 3;

/// What a policy came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Play {
    /// The policy.
    pub policy: Policy,
    /// What came of its pushes, person by person.
    pub people: Vec<Tally>,
    /// Expected clicks that the best content of the moment would have added to each person's pushes.
    pub regrets: Vec<f64>,
    /// The same week by week.
    pub weeks: Vec<Week>,
    /// Pushes of each content of the world.
    pub contents: Vec<ContentPushes>,
    /// Pushes that a rule of the world forbids.
    pub broken: BrokenRules,
    /// The response model that it ended with, if it learns one.
    pub model: Option<ResponseModel>,
}

/// Counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Pushes.
    pub pushes: u64,
    /// Clicks.
    pub clicks: u64,
    /// Opt-outs.
    pub opt_outs: u64,
}

impl Tally {
    /// Clicks less the cost of opt-outs.
    pub fn value(&self, stage: &Stage) -> f64 {
        let rules = &stage.world.parameters.rules;
        rules.click_value * self.clicks as f64 - rules.opt_out_cost * self.opt_outs as f64
    }

    fn absorb(&mut self, answer: PushAnswer) {
        self.pushes += 1;
        self.clicks += u64::from(answer.is_clicked);
        self.opt_outs += u64::from(answer.opted_out);
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: &Tally) {
        self.pushes += other.pushes;
        self.clicks += other.clicks;
        self.opt_outs += other.opt_outs;
    }
}

/// A week's counts, and how near its pushes came to what was best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Week {
    /// Counts.
    #[serde(flatten)]
    pub tally: Tally,
    /// Pushes within an hour of the person's truly best hour of the day.
    pub near_best_hour: u64,
    /// Σ over pushes of the odds in their hour beside those in the best one.
    pub hour_odds: f64,
    /// Σ over pushes of the odds of their content beside those of the one most to the person's liking.
    pub content_odds: f64,
}

/// Pushes of one content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentPushes {
    /// All of them.
    pub all: u64,
    /// Those in its first [`FRESH_DAYS`] days.
    pub fresh: u64,
}

/// Pushes that a rule of the world forbids, by rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BrokenRules {
    /// Within the person's quiet hours.
    pub quiet_hours: u64,
    /// A second one on the person's calendar day.
    pub daily_cap: u64,
    /// Of a content that was pushed to the person too shortly before.
    pub repeat_sleep: u64,
    /// To a person who has opted out; it comes to nothing.
    pub opted_out: u64,
}

impl BrokenRules {
    /// Adds other counts.
    pub fn merge(&mut self, other: &BrokenRules) {
        self.quiet_hours += other.quiet_hours;
        self.daily_cap += other.daily_cap;
        self.repeat_sleep += other.repeat_sleep;
        self.opted_out += other.opted_out;
    }

    fn of(stage: &Stage, push: &Push, memory: &Memory) -> BrokenRules {
        let zone = stage.world.people[push.user].zone;
        let is_quiet = quiet_hours(stage).is_some_and(|quiet| quiet.is_quiet(zone, push.at));
        let is_second =
            memory.sends().next().is_some_and(|(at, _)| zone.local_day(at) == zone.local_day(push.at));
        BrokenRules {
            quiet_hours: u64::from(is_quiet),
            daily_cap: u64::from(is_second),
            repeat_sleep: u64::from(!is_rested(stage, memory, push.content, push.at)),
            opted_out: u64::from(memory.is_lost),
        }
    }
}

/// A policy at play: what its pushes have done to people so far, and what they came to.
#[derive(Debug)]
pub struct Game<'a> {
    stage: &'a Stage,
    memories: Vec<Memory>,
    play: Play,
}

/// A push with what comes of it and how near it is to what is best.
struct PlayedPush {
    answer: PushAnswer,
    nearness: Nearness,
    broken: BrokenRules,
}

impl Game<'_> {
    /// Before the first day, with the first so many people of the world.
    pub fn begin(stage: &Stage, policy: Policy, people: usize) -> Game<'_> {
        let play = Play {
            policy,
            people: vec![Tally::default(); people],
            regrets: vec![0.0; people],
            weeks: vec![Week::default(); stage.world.parameters.weeks as usize],
            contents: vec![ContentPushes::default(); stage.world.contents.len()],
            broken: BrokenRules::default(),
            model: None,
        };
        Game { stage, memories: vec![Memory::default(); people], play }
    }

    /// What pushes have done to each person.
    pub fn memories(&self) -> &[Memory] {
        &self.memories
    }

    /// What was pushed before play, if anything: any content, all at one hour, with or without a click. It leaves fatigue, and
    /// acts in that hour; people who opted out are not part of the world.
    pub fn live_the_past(&mut self, mut heard: impl FnMut(&Push, PushAnswer)) {
        let stage = self.stage;
        let ExposureTrap { hour, weeks, .. } = stage.world.parameters.exposure_trap;
        for day in -7 * weeks.min(stage.world.parameters.history_weeks)..0 {
            let alive = stage.alive(day);
            for (user, memory) in self.memories.iter_mut().enumerate() {
                let draw = common(stage.world.seed, 5, [user as u64, day as u64, 0, 0]);
                let content = alive[(draw * alive.len() as f64) as usize];
                let push = Push { user, content, day, hour, at: at_hour(stage, user, day, hour) };
                heard(&push, stage.world.answer(&push, memory));
                memory.push(content, push.at, alive[0]);
            }
        }
    }

    /// Sends a day's pushes, at most one to a person, and returns what comes of each. One to a person who has opted out comes
    /// to nothing.
    pub fn send(&mut self, day: i32, pushes: &[Push]) -> Vec<PushAnswer> {
        let stage = self.stage;
        let played = parallel::map(pushes.len(), |index| {
            let push = &pushes[index];
            PlayedPush::of(stage, push, &self.memories[push.user])
        });
        let oldest = stage.alive(day).first().copied().unwrap_or_default();
        for (push, played) in pushes.iter().zip(&played) {
            self.absorb(day, oldest, push, played);
        }
        played.into_iter().map(|played| played.answer).collect()
    }

    fn absorb(&mut self, day: i32, oldest: usize, push: &Push, played: &PlayedPush) {
        let PlayedPush { answer, nearness, broken } = played;
        self.play.broken.merge(broken);
        if broken.opted_out > 0 {
            return;
        }
        self.memories[push.user].push(push.content, push.at, oldest);
        self.memories[push.user].is_lost = answer.opted_out;
        self.play.people[push.user].absorb(*answer);
        self.play.regrets[push.user] += nearness.regret;
        let content = &mut self.play.contents[push.content];
        content.all += 1;
        let age = push.day - self.stage.world.contents[push.content].published;
        content.fresh += u64::from(age < FRESH_DAYS);
        let week = &mut self.play.weeks[(day / 7) as usize];
        week.tally.absorb(*answer);
        week.near_best_hour += u64::from(nearness.is_near_best_hour);
        week.hour_odds += nearness.hour_odds;
        week.content_odds += nearness.content_odds;
    }

    /// What it came to.
    pub fn finish(self, model: Option<ResponseModel>) -> Play {
        Play { model, ..self.play }
    }
}

impl PlayedPush {
    fn of(stage: &Stage, push: &Push, memory: &Memory) -> PlayedPush {
        let broken = BrokenRules::of(stage, push, memory);
        let answer = match memory.is_lost {
            true => PushAnswer { is_clicked: false, opted_out: false },
            false => stage.world.answer(push, memory),
        };
        PlayedPush { answer, nearness: Nearness::of(stage, push, memory), broken }
    }
}

/// How near a push comes to what is truly best for the person on the day.
struct Nearness {
    is_near_best_hour: bool,
    hour_odds: f64,
    content_odds: f64,
    /// P(click) of the best content in the same hour less that of the push's.
    regret: f64,
}

impl Nearness {
    fn of(stage: &Stage, push: &Push, memory: &Memory) -> Nearness {
        let (world, person) = (&stage.world, &stage.world.people[push.user]);
        let log_odds = |hour: usize| person.hours[world.lived_hour(push.day, hour)];
        let mut best = (push.hour, log_odds(push.hour));
        for open in open_hours(stage, push.user, push.day) {
            if log_odds(open.hour) > best.1 {
                best = (open.hour, log_odds(open.hour));
            }
        }
        let attraction = |content: usize| world.attraction(person, content, push.day);
        let contents = stage.alive(push.day).iter().map(|content| attraction(*content));
        let most = contents.fold(f64::NEG_INFINITY, f64::max);
        Nearness {
            is_near_best_hour: best.0.abs_diff(push.hour) <= 1,
            hour_odds: libm::exp(log_odds(push.hour) - best.1),
            content_odds: libm::exp(attraction(push.content) - most),
            regret: regret(stage, push, memory),
        }
    }
}

fn regret(stage: &Stage, push: &Push, memory: &Memory) -> f64 {
    let probability = |content: usize| stage.world.click_probability(&Push { content, ..*push }, memory);
    let rested = stage.alive(push.day).iter().filter(|content| is_rested(stage, memory, **content, push.at));
    let own = probability(push.content);
    rested.map(|content| probability(*content)).fold(own, f64::max) - own
}

fn at_hour(stage: &Stage, user: usize, day: i32, hour: usize) -> Instant {
    stage.world.midnight(stage.world.people[user].zone, day).plus(hour as i64 * HOUR + 30 * MINUTE)
}
