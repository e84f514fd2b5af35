//! Policies that play in the world: what they are called, what they choose, what they learn.
//!
//! The product itself plays in a workspace of its own, which `operations::simulate` drives; every other policy is here.

pub mod histogram;
pub mod oracle;
pub mod random;
pub mod response_model;

use serde::{Deserialize, Serialize};

use super::Stage;
use super::log::EventLog;
use super::truth::{Memory, Push, PushAnswer};
use super::world::Act;
use domain::error::{Coded, ErrorKind};
use domain::slot::send_slots;
use domain::time::{DAY, HOUR, Instant, MINUTE};
use domain::user::{MinuteOfDay, QuietHours};
use histogram::{Histogram, Hours};
use response::ResponseModel;
use response_model::{Logged, ResponsePolicy};

/// The policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Any content in any hour that rules allow.
    Random,
    /// The most popular content, for everybody in the hour in which most people are active.
    PopularGlobalHour,
    /// The most popular content, for each in the hour in which he was active most often.
    RawHistogramHour,
    /// The product as it is served: the engine over a workspace, with the settings as they are shipped.
    Product,
    /// Decisions with the response model, which `serve` does not use yet.
    ResponseModel,
    /// Whatever is truly worth most.
    Oracle,
}

impl Policy {
    /// All policies, the oracle last.
    pub const ALL: [Policy; 6] = [
        Policy::Random,
        Policy::PopularGlobalHour,
        Policy::RawHistogramHour,
        Policy::Product,
        Policy::ResponseModel,
        Policy::Oracle,
    ];

    /// The word used on the command line and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Policy::Random => "random",
            Policy::PopularGlobalHour => "popular_global_hour",
            Policy::RawHistogramHour => "raw_histogram_hour",
            Policy::Product => "product",
            Policy::ResponseModel => "response_model",
            Policy::Oracle => "oracle",
        }
    }

    /// Reads what [`Policy::as_str`] wrote; `smartpush` is the product.
    pub fn parse(text: &str) -> Option<Policy> {
        let text = if text == "smartpush" { Policy::Product.as_str() } else { text };
        Policy::ALL.into_iter().find(|policy| policy.as_str() == text)
    }

    /// What it is to somebody who runs the product.
    pub const fn standing(self) -> Standing {
        match self {
            Policy::Product => Standing::Served,
            Policy::ResponseModel => Standing::NotServedYet,
            Policy::Random | Policy::PopularGlobalHour | Policy::RawHistogramHour | Policy::Oracle => {
                Standing::Reference
            }
        }
    }
}

/// What a policy is to somebody who runs the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// `serve` runs it.
    Served,
    /// It is built and measured here, and `serve` does not run it.
    NotServedYet,
    /// Something to compare with.
    Reference,
}

/// A policy at play, with what it has learned.
#[derive(Debug)]
pub enum Player {
    /// Knows nothing.
    Random,
    /// Counts.
    Histogram(Box<Histogram>),
    /// Learns from outcomes.
    ResponseModel(Box<ResponsePolicy>),
    /// Knows everything.
    Oracle,
}

/// What a policy chose for a person.
#[derive(Clone, Debug, PartialEq)]
pub struct PushChoice {
    /// The push.
    pub push: Push,
    /// What it wants to learn from.
    pub(super) logged: Option<Box<Logged>>,
}

impl PushChoice {
    fn unlogged(push: Push) -> PushChoice {
        PushChoice { push, logged: None }
    }
}

/// An hour in which rules allow a push.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenHour {
    /// Hour of day.
    pub hour: usize,
    /// The middle of it.
    pub at: Instant,
}

impl Player {
    /// A policy before its first day; `None`: it plays in a workspace.
    pub fn of(policy: Policy, stage: &Stage) -> Option<Player> {
        let histogram = |hours| Player::Histogram(Box::new(Histogram::new(stage, hours)));
        match policy {
            Policy::Random => Some(Player::Random),
            Policy::PopularGlobalHour => Some(histogram(Hours::Everybodys)),
            Policy::RawHistogramHour => Some(histogram(Hours::Own)),
            Policy::Product => None,
            Policy::ResponseModel => Some(Player::ResponseModel(Box::new(ResponsePolicy::new(stage)))),
            Policy::Oracle => Some(Player::Oracle),
        }
    }

    /// Which policy it is.
    pub fn policy(&self) -> Policy {
        match self {
            Player::Random => Policy::Random,
            Player::Histogram(player) => match player.whose() {
                Hours::Everybodys => Policy::PopularGlobalHour,
                Hours::Own => Policy::RawHistogramHour,
            },
            Player::ResponseModel(_) => Policy::ResponseModel,
            Player::Oracle => Policy::Oracle,
        }
    }

    /// The response model in force, if it learns one.
    pub fn model(&self) -> Option<ResponseModel> {
        match self {
            Player::ResponseModel(player) => Some(player.model().clone()),
            Player::Random | Player::Histogram(_) | Player::Oracle => None,
        }
    }

    /// Learns from what is known when the first clock reaches a day: events up to then, and outcomes up to the day before the last.
    ///
    /// # Errors
    /// When there is no model to be learned.
    pub fn begin_day(&mut self, stage: &Stage, day: i32) -> Result<(), PlayError> {
        match self {
            Player::Random | Player::Oracle => Ok(()),
            Player::Histogram(player) => {
                player.begin_day(stage, day);
                Ok(())
            }
            Player::ResponseModel(player) => Ok(player.begin_day(stage, day)?),
        }
    }

    /// What to push to a person on a day, and when; `None`: nothing.
    pub fn choose(&self, stage: &Stage, user: usize, day: i32, memory: &Memory) -> Option<PushChoice> {
        match self {
            Player::Random => random::choose(stage, user, day, memory),
            Player::Histogram(player) => player.choose(stage, user, day, memory),
            Player::ResponseModel(player) => player.choose(stage, user, day, memory),
            Player::Oracle => oracle::choose(stage, user, day, memory),
        }
    }

    /// Takes note of what came of a choice.
    pub fn record(&mut self, choice: &PushChoice, answer: PushAnswer) {
        let led_to = answer.is_clicked.then(|| act_of(&choice.push));
        match self {
            Player::Random | Player::Oracle => {}
            Player::Histogram(player) => {
                led_to.into_iter().for_each(|act| player.log.add(choice.push.user, act));
            }
            // What its pushes led to bears their decision's id: an outcome, and nothing that a person did of himself.
            Player::ResponseModel(player) => player.record(choice, answer),
        }
    }

    /// Takes note of an act that a push before play led to.
    pub(super) fn record_past(&mut self, push: &Push) {
        let log: &mut EventLog = match self {
            Player::Random | Player::Oracle => return,
            Player::Histogram(player) => &mut player.log,
            Player::ResponseModel(player) => &mut player.log,
        };
        log.add(push.user, act_of(push));
    }
}

/// A play that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The response model cannot be fitted.
    #[error(transparent)]
    Fit(#[from] learners::logistic::FitError),
}

impl Coded for PlayError {
    fn code(&self) -> &'static str {
        match self {
            PlayError::Fit(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            // Simulated data come from us: a caller cannot mend them.
            PlayError::Fit(_) => ErrorKind::Ours,
        }
    }
}

/// Whoever clicks is active in that hour, and looks at what was pushed.
fn act_of(push: &Push) -> Act {
    Act { day: push.day, hour: push.hour as u8, fraction: 0.5, content: push.content as u32 }
}

/// Hours of a person's day in which rules allow a push.
pub fn open_hours(stage: &Stage, user: usize, day: i32) -> Vec<OpenHour> {
    let (world, zone) = (&stage.world, stage.world.people[user].zone);
    let quiet = quiet_hours(stage);
    let midnight = world.midnight(zone, day);
    let today = world.calendar_day(day);
    let slots = send_slots(zone, midnight, midnight.plus(DAY)).into_iter();
    let open = slots.filter(|slot| {
        slot.local_hour.day() == today && quiet.is_none_or(|quiet| !quiet.is_quiet(zone, slot.start))
    });
    open.map(|slot| OpenHour { hour: slot.local_hour.hour_of_day(), at: slot.start.plus(30 * MINUTE) })
        .collect()
}

/// When nobody is pushed, on each person's own clock.
pub(super) fn quiet_hours(stage: &Stage) -> Option<QuietHours> {
    let rules = &stage.world.parameters.rules;
    let (from, until) = (MinuteOfDay::parse(&rules.quiet_from), MinuteOfDay::parse(&rules.quiet_until));
    from.zip(until).map(|(from, until)| QuietHours { from, until })
}

/// May a content be pushed to a person at an instant, after what they were pushed?
pub(super) fn is_rested(stage: &Stage, memory: &Memory, content: usize, at: Instant) -> bool {
    let sleep = i64::from(stage.world.parameters.rules.repeat_sleep_hours) * HOUR;
    memory.last_push_of(content).is_none_or(|last| last.plus(sleep) <= at)
}
