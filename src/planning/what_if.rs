//! What if: a plan under one change, beside the plan as it is.

use domain::campaign::Campaign;
use domain::error::{Coded, ErrorKind};
use domain::frequency::{FrequencyRule, FrequencyWindow};
use domain::settings::DecisionSettings;
use domain::user::{MinuteOfDay, QuietHours};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScenarioChange {
    /// So many pushes on each of a user's calendar days at most, whoever set no cap of his own.
    CapPerDay(u32),
    /// So many pushes within seven of a user's calendar days at most.
    CapPerWeek(u32),
    /// Default quiet hours, for users and campaigns that set none of their own; `None`: no quiet hours.
    Quiet(Option<QuietHours>),
    /// Without this campaign.
    Without(String),
}

/// Changes that are made together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// As it was asked for.
    pub name: String,
    /// The changes.
    pub changes: Vec<ScenarioChange>,
}

/// A change that cannot be read; the text says what can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad_what_if: {text:?}: {detail}")]
pub struct BadChange {
    /// As it was given.
    pub text: String,
    /// What is wrong.
    pub detail: String,
}

impl Coded for BadChange {
    fn code(&self) -> &'static str {
        "bad_what_if"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Caller
    }
}

impl Scenario {
    /// Reads changes, separated by commas: `cap=2/day`, `quiet=22:00-08:00`, `quiet=none`, `without=CAMPAIGN`.
    ///
    /// # Errors
    /// For a change that is none, and for a campaign that is not in the plan.
    pub fn parse(text: &str, campaigns: &[Campaign]) -> Result<Scenario, BadChange> {
        let changes: Result<Vec<ScenarioChange>, BadChange> =
            text.split(',').map(|change| parse_change(change.trim(), campaigns)).collect();
        let changes = changes?;
        let is_alike = |one: &ScenarioChange, other: &ScenarioChange| {
            std::mem::discriminant(one) == std::mem::discriminant(other)
                && !matches!(one, ScenarioChange::Without(_))
        };
        if (1..changes.len()).any(|at| changes[..at].iter().any(|before| is_alike(before, &changes[at]))) {
            let detail = "one thing is changed twice".to_string();
            return Err(BadChange { text: text.to_string(), detail });
        }
        let is_dropped = |campaign: &Campaign| {
            changes
                .iter()
                .any(|change| matches!(change, ScenarioChange::Without(id) if *id == campaign.campaign_id))
        };
        if campaigns.iter().all(is_dropped) {
            let detail = "no campaign is left".to_string();
            return Err(BadChange { text: text.to_string(), detail });
        }
        Ok(Scenario { name: text.to_string(), changes })
    }

    /// The settings under the changes.
    pub fn settings(&self, settings: &DecisionSettings) -> DecisionSettings {
        let mut settings = settings.clone();
        for change in &self.changes {
            match change {
                ScenarioChange::CapPerDay(most) => settings.max_per_day = *most,
                ScenarioChange::CapPerWeek(most) => settings.frequency_rules.push(FrequencyRule {
                    most: *most,
                    window: FrequencyWindow::CalendarDays(7),
                    channel: None,
                    campaign_tag: None,
                    message_class: None,
                    service_bypasses: true,
                    service_counts: false,
                }),
                ScenarioChange::Quiet(hours) => {
                    let text = |end: MinuteOfDay| String::from(end);
                    settings.quiet_from = hours.map_or("none".to_string(), |hours| text(hours.from));
                    settings.quiet_until = hours.map_or("none".to_string(), |hours| text(hours.until));
                }
                ScenarioChange::Without(_) => {}
            }
        }
        settings
    }

    /// The campaigns that are left.
    pub fn campaigns(&self, campaigns: &[Campaign]) -> Vec<Campaign> {
        let is_dropped = |campaign: &Campaign| {
            let drops = |change: &ScenarioChange| matches!(change, ScenarioChange::Without(id) if *id == campaign.campaign_id);
            self.changes.iter().any(drops)
        };
        campaigns.iter().filter(|campaign| !is_dropped(campaign)).cloned().collect()
    }
}

fn parse_change(text: &str, campaigns: &[Campaign]) -> Result<ScenarioChange, BadChange> {
    let bad = |detail: &str| BadChange { text: text.to_string(), detail: detail.to_string() };
    let forms = "write cap=2/day, cap=5/week, quiet=22:00-08:00, quiet=none or without=CAMPAIGN";
    let (name, value) = text.split_once('=').ok_or_else(|| bad(forms))?;
    match name {
        "cap" => {
            let (count, unit) = value.split_once('/').ok_or_else(|| bad("write cap=2/day or cap=5/week"))?;
            let count = count.parse().map_err(|_| bad("a cap is a whole number from 0 up"))?;
            match unit {
                "day" => Ok(ScenarioChange::CapPerDay(count)),
                "week" => Ok(ScenarioChange::CapPerWeek(count)),
                _ => Err(bad("a cap is per day or per week")),
            }
        }
        "quiet" if value.trim() == "none" => Ok(ScenarioChange::Quiet(None)),
        "quiet" => {
            let hours = value.split_once('-');
            let hours = hours.and_then(|(from, until)| Some((time(from)?, time(until)?)));
            hours
                .map(|(from, until)| ScenarioChange::Quiet(Some(QuietHours { from, until })))
                .ok_or_else(|| bad("write quiet=22:00-08:00 or quiet=none"))
        }
        "without" if campaigns.iter().any(|campaign| campaign.campaign_id == value) => {
            Ok(ScenarioChange::Without(value.to_string()))
        }
        "without" => Err(bad("no such campaign is planned")),
        _ => Err(bad(forms)),
    }
}

fn time(text: &str) -> Option<MinuteOfDay> {
    MinuteOfDay::parse(text.trim())
}
