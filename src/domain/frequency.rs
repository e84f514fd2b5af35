//! Frequency rules: how many pushes of which kind a user may get within which stretch of time.

use serde::{Deserialize, Serialize};

use super::content::MessageClass;

/// Longest stretch that a rule may look at, in days: sends are remembered for so long.
pub const LONGEST_DAYS: u32 = 30;

/// At most so many pushes of a kind within every stretch of a length; several rules hold all at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "DeclaredRule", into = "DeclaredRule")]
pub struct FrequencyRule {
    /// So many, and not one more.
    pub most: u32,
    /// Within such a stretch.
    pub window: FrequencyWindow,
    /// Only pushes over this channel.
    pub channel: Option<String>,
    /// Only pushes of campaigns with this tag.
    pub campaign_tag: Option<String>,
    /// Only messages of this class.
    pub message_class: Option<MessageClass>,
    /// Are service messages sent whatever this rule says?
    pub service_bypasses: bool,
    /// Do service messages count among the pushes?
    pub service_counts: bool,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrequencyWindow {
    /// So many consecutive days of the user's calendar.
    CalendarDays(u32),
    /// So many hours, wherever they begin.
    RollingHours(u32),
}

/// A rule as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a frequency rule")]
struct DeclaredRule {
    most: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calendar_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hours: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    campaign_tag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_class: Option<MessageClass>,
    #[serde(default = "yes")]
    service_bypasses: bool,
    #[serde(default)]
    service_counts: bool,
}

fn yes() -> bool {
    true
}

impl TryFrom<DeclaredRule> for FrequencyRule {
    type Error = String;

    fn try_from(declared: DeclaredRule) -> Result<FrequencyRule, String> {
        let window = match (declared.calendar_days, declared.hours) {
            (Some(days), None) if (1..=LONGEST_DAYS).contains(&days) => FrequencyWindow::CalendarDays(days),
            (None, Some(hours)) if (1..=LONGEST_DAYS * 24).contains(&hours) => {
                FrequencyWindow::RollingHours(hours)
            }
            (Some(days), None) => {
                return Err(format!("calendar_days {days} is not from 1 to {LONGEST_DAYS}"));
            }
            (None, Some(hours)) => {
                return Err(format!("hours {hours} is not from 1 to {}", LONGEST_DAYS * 24));
            }
            _ => return Err("a frequency rule has either calendar_days or hours".to_string()),
        };
        let DeclaredRule {
            most, channel, campaign_tag, message_class, service_bypasses, service_counts, ..
        } = declared;
        Ok(FrequencyRule {
            most,
            window,
            channel,
            campaign_tag,
            message_class,
            service_bypasses,
            service_counts,
        })
    }
}

impl From<FrequencyRule> for DeclaredRule {
    fn from(rule: FrequencyRule) -> DeclaredRule {
        let (calendar_days, hours) = match rule.window {
            FrequencyWindow::CalendarDays(days) => (Some(days), None),
            FrequencyWindow::RollingHours(hours) => (None, Some(hours)),
        };
        DeclaredRule {
            most: rule.most,
            calendar_days,
            hours,
            channel: rule.channel,
            campaign_tag: rule.campaign_tag,
            message_class: rule.message_class,
            service_bypasses: rule.service_bypasses,
            service_counts: rule.service_counts,
        }
    }
}

impl FrequencyRule {
    /// Does a push of this kind count?
    pub fn counts(&self, channel: Option<&str>, tags: &[String], class: MessageClass) -> bool {
        self.is_of_kind(channel, tags, class) && (class == MessageClass::Marketing || self.service_counts)
    }

    /// Is a push of this kind limited?
    pub fn limits(&self, channel: Option<&str>, tags: &[String], class: MessageClass) -> bool {
        self.is_of_kind(channel, tags, class) && (class == MessageClass::Marketing || !self.service_bypasses)
    }

    fn is_of_kind(&self, channel: Option<&str>, tags: &[String], class: MessageClass) -> bool {
        self.channel.as_deref().is_none_or(|own| channel == Some(own))
            && self.campaign_tag.as_ref().is_none_or(|own| tags.contains(own))
            && self.message_class.is_none_or(|own| own == class)
    }
}
