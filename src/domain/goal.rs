//! Goals: what a model predicts, declared in the settings.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::{is_own, standard_name};
use super::time::{DAY, HOUR};

/// What one example of a goal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A user at a midnight: will he, within the window?
    UserDay,
    /// A user and a campaign he is targeted by: will he, while it runs?
    UserCampaign,
    /// A user and a content that is shown to him: will he, within the window?
    UserContent,
}

impl Unit {
    /// The word used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Unit::UserDay => "user_day",
            Unit::UserCampaign => "user_campaign",
            Unit::UserContent => "user_content",
        }
    }
}

/// How long the goal may take from the example's moment on: `7d`, `24h`, or `campaign` (until its window ends).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum GoalWindow {
    /// As long as the campaign runs.
    Campaign,
    /// So many microseconds.
    Micros(i64),
}

impl TryFrom<String> for GoalWindow {
    type Error = String;

    fn try_from(text: String) -> Result<GoalWindow, String> {
        const LONGEST_DAYS: i64 = 366;
        if text == "campaign" {
            return Ok(GoalWindow::Campaign);
        }
        let hours = text.strip_suffix('h').map(|number| (HOUR, number));
        let length = hours.or_else(|| text.strip_suffix('d').map(|number| (DAY, number)));
        let micros = length.and_then(|(unit, number)| Some(unit * i64::from(number.parse::<u32>().ok()?)));
        match micros {
            Some(micros) if micros > 0 && micros <= LONGEST_DAYS * DAY => Ok(GoalWindow::Micros(micros)),
            _ => Err(format!(
                "window {text:?} is not a length from 1h to {LONGEST_DAYS}d (24h, 7d) or campaign"
            )),
        }
    }
}

impl From<GoalWindow> for String {
    fn from(window: GoalWindow) -> String {
        match window {
            GoalWindow::Campaign => "campaign".to_string(),
            GoalWindow::Micros(micros) if micros % DAY == 0 => format!("{}d", micros / DAY),
            GoalWindow::Micros(micros) => format!("{}h", micros / HOUR),
        }
    }
}

/// Who counts: `everybody`, `active_30d` (an own event within so many days), or `targeted` (by a campaign).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Population {
    /// Every user with an event before the moment.
    Everybody,
    /// Users with an own event within so many days before it.
    Active {
        /// Days.
        days: u32,
    },
    /// Users with a `campaign_targeted` event of the campaign.
    Targeted,
}

impl TryFrom<String> for Population {
    type Error = String;

    fn try_from(text: String) -> Result<Population, String> {
        let days = text.strip_prefix("active_").and_then(|text| text.strip_suffix('d'));
        match (text.as_str(), days.and_then(|days| days.parse().ok())) {
            ("everybody", _) => Ok(Population::Everybody),
            ("targeted", _) => Ok(Population::Targeted),
            (_, Some(days)) if (1..=3_650).contains(&days) => Ok(Population::Active { days }),
            _ => Err(format!("population {text:?} is not everybody, targeted or active_Nd (active_30d)")),
        }
    }
}

impl From<Population> for String {
    fn from(population: Population) -> String {
        match population {
            Population::Everybody => "everybody".to_string(),
            Population::Active { days } => format!("active_{days}d"),
            Population::Targeted => "targeted".to_string(),
        }
    }
}

/// Stands among a goal's events for every own event.
pub const ANY_OWN_EVENT: &str = "own";

/// A goal as it is declared under `[goals.NAME]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// One line for people.
    #[serde(default)]
    pub description: String,
    /// Names of the events that reach it; `own` is any own event.
    pub events: Vec<String>,
    /// Names of other events that tell of readiness for it; empty: the goal's own events tell.
    #[serde(default)]
    pub signals: Vec<String>,
    /// Is it reached when none of them happens (churn)?
    #[serde(default)]
    pub absent: bool,
    /// What an example is about.
    pub unit: Unit,
    /// How long it may take.
    pub window: GoalWindow,
    /// Who counts.
    pub population: Population,
    /// What reaching it is worth.
    #[serde(default = "one")]
    pub value: f64,
}

fn one() -> f64 {
    1.0
}

impl Goal {
    /// Does an event of this name reach (or, for an absent goal, prevent) the goal?
    pub fn takes(&self, name: &str) -> bool {
        let is_named = |event: &String| event == name || standard_name(event) == name;
        self.events.iter().any(|event| is_named(event) || (event == ANY_OWN_EVENT && is_own(name)))
    }

    /// Does an event of this name tell of readiness for the goal?
    pub fn is_signal(&self, name: &str) -> bool {
        match self.signals.is_empty() {
            true => self.takes(name),
            false => self.signals.iter().any(|signal| signal == name),
        }
    }

    /// Does the other declaration ask the same? Words for people and the value may differ.
    pub fn asks_the_same_as(&self, other: &Goal) -> bool {
        let Goal { events, signals, absent, unit, window, population, description: _, value: _ } = self;
        let ours = (events, signals, absent, unit, window, population);
        ours == (&other.events, &other.signals, &other.absent, &other.unit, &other.window, &other.population)
    }

    /// What types cannot say; the text names the field.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let is_targeted = self.population == Population::Targeted;
        match self.unit {
            _ if self.events.is_empty() => Err(("events", "no event reaches this goal".into())),
            _ if !self.value.is_finite() => Err(("value", format!("{} is not a finite number", self.value))),
            Unit::UserCampaign if !is_targeted => {
                Err(("population", "the unit user_campaign goes with the population targeted".into()))
            }
            Unit::UserDay | Unit::UserContent if is_targeted => {
                Err(("population", "targeted goes with the unit user_campaign".into()))
            }
            Unit::UserDay | Unit::UserContent if self.window == GoalWindow::Campaign => {
                Err(("window", "campaign goes with the unit user_campaign".into()))
            }
            Unit::UserContent if self.absent => {
                Err(("absent", "a content that nobody touches reaches no goal".into()))
            }
            _ => Ok(()),
        }
    }
}

/// Is this a name for a goal? It becomes the name of a directory.
pub fn is_goal_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(is_plain)
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
