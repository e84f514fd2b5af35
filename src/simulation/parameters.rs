//! What a world is made from: a committed file of parameters, overridden by another, checked once.

use serde::{Deserialize, Serialize};

use config::overlay;
use domain::error::{Coded, ErrorKind};
use domain::time::Day;
use domain::user::MinuteOfDay;
use domain::zone::Zone;

/// The committed world.
pub const DEFAULTS: &str = include_str!("world.default.toml");

/// A scenario: which of the parameters hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// As the file says.
    Default,
    /// Past pushes all at one hour, and people who answer later than they are active.
    ExposureTrap,
}

/// Every parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// People.
    pub users: usize,
    /// Weeks of play.
    pub weeks: i32,
    /// Weeks of events before.
    pub history_weeks: i32,
    /// First day of play.
    pub first_day: String,
    /// Days that are lived as Sundays.
    pub holidays: Vec<String>,
    /// Where people live.
    pub zones: Vec<ZoneShare>,
    /// When they are active.
    pub rhythm: RhythmParameters,
    /// What there is to push.
    pub contents: ContentParameters,
    /// What makes them click.
    pub response: ResponseParameters,
    /// What makes them opt out.
    pub opt_out: OptOutParameters,
    /// What all policies must keep to.
    pub rules: Rules,
    /// How the product plays.
    pub product: ProductParameters,
    /// How the policy `response_model` learns.
    pub smartpush: LearningParameters,
    /// What the scenario of that name changes.
    pub exposure_trap: ExposureTrap,
}

/// A zone with the share of people who live in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneShare {
    /// IANA name.
    pub name: String,
    /// Share, beside those of the other zones.
    pub share: f64,
}

/// `[rhythm]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RhythmParameters {
    /// Active hours a day of the median person.
    pub active_hours_per_day: f64,
    /// Standard deviation of its logarithm.
    pub activity_spread: f64,
    /// Standard deviation of people's own shift, in hours.
    pub personal_shift_hours: f64,
    /// Standard deviation of the logarithm of each hour of day.
    pub personal_spread: f64,
    /// Height of the night beside a peak of height 1; above zero.
    pub floor: f64,
    /// Types of day.
    pub types: Vec<DayType>,
}

/// A type of day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayType {
    /// For people.
    pub name: String,
    /// Share of people, beside those of the other types.
    pub share: f64,
    /// Peaks from Monday to Friday.
    pub workdays: Vec<Peak>,
    /// Peaks on Saturday and Sunday.
    pub weekend: Vec<Peak>,
}

/// A peak of activity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// Hour of day.
    pub hour: f64,
    /// Standard deviation in hours; above zero.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// `[contents]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentParameters {
    /// Categories.
    pub categories: usize,
    /// Contents that come out each day.
    pub published_per_day: usize,
    /// Days that each lasts.
    pub life_days: i32,
    /// Standard deviation of a taste.
    pub taste_spread: f64,
    /// Standard deviation of an appeal.
    pub appeal_spread: f64,
    /// What a day of age adds to the appeal.
    pub per_day_of_age: f64,
}

/// `[response]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseParameters {
    /// Log-odds of a click on the mean content in the best hour.
    pub base_logit: f64,
    /// Standard deviation between people.
    pub level_spread: f64,
    /// Hours by which answers come later than activity.
    pub lag_hours: i32,
    /// Weight of ln(the hour beside the best one).
    pub hour_weight: f64,
    /// What each felt push adds.
    pub per_felt_push: f64,
    /// Half-life of the missing part of the odds of a content that was pushed before.
    pub repeat_half_life_hours: f64,
}

/// `[opt_out]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptOutParameters {
    /// At rest, in the best hour.
    pub probability: f64,
    /// What each felt push adds to its logarithm.
    pub per_felt_push: f64,
    /// In the worst hour it is 1 + this as large.
    pub annoyance: f64,
}

/// `[rules]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// First quiet minute.
    pub quiet_from: String,
    /// First minute after it.
    pub quiet_until: String,
    /// Hours in which a content is not pushed again.
    pub repeat_sleep_hours: u32,
    /// What a click is worth.
    pub click_value: f64,
    /// What an opt-out costs.
    pub opt_out_cost: f64,
}

/// `[product]`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductParameters {
    /// People it plays with, the first of the world; all, when the world has fewer.
    pub users: usize,
    /// Days between refreshes: profiles, training, gate.
    pub train_every_days: i32,
}

/// `[smartpush]`: the policy `response_model`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningParameters {
    /// Percent of decisions that explore, week by week; the last goes on.
    pub exploration_percent: Vec<f64>,
    /// Value that makes an arm e times as likely to be drawn for learning.
    pub exploration_temperature: f64,
    /// Days between trainings.
    pub train_every_days: i32,
    /// Days between fits of curves.
    pub fit_curves_every_days: i32,
}

/// `[exposure_trap]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExposureTrap {
    /// Hour of day of all past pushes.
    pub hour: usize,
    /// Weeks before play in which everybody was pushed daily.
    pub weeks: i32,
    /// Replaces `response.lag_hours`.
    pub lag_hours: i32,
}

/// Parameters that make no world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// The text cannot be read.
    #[error("bad_parameters: {location}: {detail}")]
    Unreadable {
        /// File and key.
        location: String,
        /// What is wrong.
        detail: String,
    },
    /// A value is out of range.
    #[error("bad_parameters: {key}: {detail}")]
    Range {
        /// The parameter.
        key: &'static str,
        /// What it must be.
        detail: String,
    },
}

impl Coded for ParameterError {
    fn code(&self) -> &'static str {
        match self {
            ParameterError::Unreadable { .. } | ParameterError::Range { .. } => "bad_parameters",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ParameterError::Unreadable { .. } | ParameterError::Range { .. } => ErrorKind::Caller,
        }
    }
}

impl Parameters {
    /// The committed parameters.
    pub fn defaults() -> Parameters {
        Parameters::read(None).unwrap_or_else(|error| unreachable!("the committed file: {error}"))
    }

    /// The committed parameters, overridden by a file's (its name and text), if there is one.
    ///
    /// # Errors
    /// What cannot be read, or makes no world.
    pub fn read(file: Option<(&str, &str)>) -> Result<Parameters, ParameterError> {
        let (mut table, mut file_name) = (parse("world.default.toml", DEFAULTS)?, "world.default.toml");
        if let Some((name, text)) = file {
            overlay(&mut table, parse(name, text)?);
            file_name = name;
        }
        let parameters: Parameters =
            serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
                let detail = error.inner().to_string();
                ParameterError::Unreadable { location: format!("{file_name}: {}", error.path()), detail }
            })?;
        parameters.check()?;
        Ok(parameters)
    }

    /// The same as a scenario wants it.
    pub fn under(mut self, scenario: Scenario) -> Parameters {
        match scenario {
            Scenario::Default => self.exposure_trap.weeks = 0,
            Scenario::ExposureTrap => self.response.lag_hours = self.exposure_trap.lag_hours,
        }
        self
    }

    /// The first day of play.
    pub fn first_day(&self) -> Day {
        Day::parse(&self.first_day).unwrap_or(Day(0))
    }

    /// Can a world be made of these?
    ///
    /// # Errors
    /// The first parameter that makes none.
    pub fn check(&self) -> Result<(), ParameterError> {
        let time = |text: &str| MinuteOfDay::parse(text).is_some();
        let is_share = |share: f64| share.is_finite() && share >= 0.0;
        let types = &self.rhythm.types;
        let mut peaks = types.iter().flat_map(|kind| kind.workdays.iter().chain(&kind.weekend));
        let mut days = std::iter::once(&self.first_day).chain(&self.holidays);
        let zones = &self.zones;
        let has_share = |mut shares: Vec<f64>| {
            shares.retain(|share| *share > 0.0);
            !shares.is_empty()
        };
        let checks = [
            ("users", (2..=1_000_000).contains(&self.users), "2 to 1,000,000"),
            ("weeks", (1..=52).contains(&self.weeks), "1 to 52"),
            ("history_weeks", (1..=52).contains(&self.history_weeks), "1 to 52"),
            ("first_day, holidays", days.all(|day| Day::parse(day).is_some()), "days: YYYY-MM-DD"),
            ("zones.name", zones.iter().all(|zone| Zone::shared(&zone.name).is_some()), "names of zones"),
            ("zones.share", zones.iter().all(|zone| is_share(zone.share)), "numbers from 0 up"),
            ("zones", has_share(zones.iter().map(|zone| zone.share).collect()), "somewhere to live"),
            ("rhythm.types", has_share(types.iter().map(|kind| kind.share).collect()), "types with a share"),
            ("rhythm.types.share", types.iter().all(|kind| is_share(kind.share)), "numbers from 0 up"),
            ("rhythm.types.width", peaks.all(|peak| peak.width > 0.0), "above 0"),
            ("rhythm.floor", self.rhythm.floor > 0.0, "above 0"),
            ("contents.categories", (2..=1_000).contains(&self.contents.categories), "2 to 1,000"),
            ("contents.published_per_day", (1..=100).contains(&self.contents.published_per_day), "1 to 100"),
            ("contents.life_days", (1..=60).contains(&self.contents.life_days), "1 to 60"),
            ("response.repeat_half_life_hours", self.response.repeat_half_life_hours > 0.0, "above 0"),
            ("opt_out.probability", (0.0..=1.0).contains(&self.opt_out.probability), "from 0 to 1"),
            (
                "rules.quiet_from, quiet_until",
                time(&self.rules.quiet_from) && time(&self.rules.quiet_until),
                "HH:MM",
            ),
            ("product.users", (2..=1_000_000).contains(&self.product.users), "2 to 1,000,000"),
            ("product.train_every_days", self.product.train_every_days > 0, "above 0"),
            ("smartpush.exploration_percent", !self.smartpush.exploration_percent.is_empty(), "a list"),
            ("smartpush.exploration_temperature", self.smartpush.exploration_temperature > 0.0, "above 0"),
            ("smartpush.train_every_days", self.smartpush.train_every_days > 0, "above 0"),
            ("smartpush.fit_curves_every_days", self.smartpush.fit_curves_every_days > 0, "above 0"),
            ("exposure_trap.hour", self.exposure_trap.hour < 24, "0 to 23"),
        ];
        match checks.into_iter().find(|(_, is_good, _)| !is_good) {
            Some((key, _, wanted)) => Err(ParameterError::Range { key, detail: format!("must be {wanted}") }),
            None => Ok(()),
        }
    }
}

fn parse(file: &str, text: &str) -> Result<toml::Table, ParameterError> {
    text.parse().map_err(|error: toml::de::Error| ParameterError::Unreadable {
        location: file.to_string(),
        detail: error.message().to_string(),
    })
}
