//! The loop: each day each policy learns, decides for every person, and meets what comes of it.

use serde::Serialize;

use super::Stage;
use super::draws::common;
use super::parameters::ExposureTrap;
use super::policies::{PlayError, Player, Policy, PushChoice, open_hours};
use super::truth::{Memory, Push, PushAnswer};
use domain::time::{HOUR, Instant, MINUTE};
use response::ResponseModel;

/// What a policy came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Play {
    /// The policy.
    pub policy: Policy,
    /// What came of its pushes, person by person.
    pub people: Vec<Tally>,
    /// The same week by week.
    pub weeks: Vec<Week>,
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

/// Lets a policy play.
///
/// `watch` hears of each day that is over: so many of so many. The same stage gives the same play on any number of threads.
///
/// # Errors
/// When there is no model to be learned.
pub fn play(stage: &Stage, policy: Policy, watch: &impl Fn(usize, usize)) -> Result<Play, PlayError> {
    let people = stage.world.people.len();
    let mut memories = vec![Memory::default(); people];
    let mut player = Player::new(policy, stage);
    live_the_past(stage, &mut memories, &mut player);
    let mut play = Play {
        policy,
        people: vec![Tally::default(); people],
        weeks: vec![Week::default(); stage.world.parameters.weeks as usize],
        model: None,
    };
    for day in 0..stage.world.days() {
        player.begin_day(stage, day)?;
        play_day(stage, day, &mut player, &mut memories, &mut play);
        watch(day as usize + 1, stage.world.days() as usize);
    }
    if let Player::Smartpush(player) = &player {
        play.model = Some(player.model().clone());
    }
    Ok(play)
}

/// A choice with what comes of it and how near it is to what is best.
struct PlayedPush {
    choice: PushChoice,
    answer: PushAnswer,
    nearness: Nearness,
}

fn play_day(stage: &Stage, day: i32, player: &mut Player, memories: &mut [Memory], play: &mut Play) {
    let moves = parallel::map(memories.len(), |user| {
        let memory = &memories[user];
        let choice = if memory.is_lost { None } else { player.choose(stage, user, day, memory) }?;
        let answer = stage.world.answer(&choice.push, memory);
        let nearness = Nearness::of(stage, &choice.push);
        Some(PlayedPush { choice, answer, nearness })
    });
    let oldest = stage.alive(day).first().copied().unwrap_or_default();
    let week = &mut play.weeks[(day / 7) as usize];
    for PlayedPush { choice, answer, nearness } in moves.into_iter().flatten() {
        let push = &choice.push;
        memories[push.user].push(push.content, push.at, oldest);
        memories[push.user].is_lost = answer.opted_out;
        play.people[push.user].absorb(answer);
        week.tally.absorb(answer);
        week.near_best_hour += u64::from(nearness.is_near_best_hour);
        week.hour_odds += nearness.hour_odds;
        week.content_odds += nearness.content_odds;
        player.record(&choice, answer);
    }
}

/// How near a push comes to what is truly best for the person on the day.
struct Nearness {
    is_near_best_hour: bool,
    hour_odds: f64,
    content_odds: f64,
}

impl Nearness {
    fn of(stage: &Stage, push: &Push) -> Nearness {
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
        }
    }
}

/// What everybody was pushed before play, if anything: any content, all at one hour. It leaves fatigue, and acts in that
/// hour; whoever opted out is not here any more.
fn live_the_past(stage: &Stage, memories: &mut [Memory], player: &mut Player) {
    let ExposureTrap { hour, weeks, .. } = stage.world.parameters.exposure_trap;
    for day in -7 * weeks.min(stage.world.parameters.history_weeks)..0 {
        let alive = stage.alive(day);
        for (user, memory) in memories.iter_mut().enumerate() {
            let draw = common(stage.world.seed, 5, [user as u64, day as u64, 0, 0]);
            let content = alive[(draw * alive.len() as f64) as usize];
            let push = Push { user, content, day, hour, at: at_hour(stage, user, day, hour) };
            if stage.world.answer(&push, memory).is_clicked {
                player.record_past(&push);
            }
            memory.push(content, push.at, alive[0]);
        }
    }
}

fn at_hour(stage: &Stage, user: usize, day: i32, hour: usize) -> Instant {
    stage.world.midnight(stage.world.people[user].zone, day).plus(hour as i64 * HOUR + 30 * MINUTE)
}
