//! The events that a condition counts, sums up or looks for: their name, a window, and what was touched.
//!
//! As text `count("order", 60d, category = "DAIRY", value >= 20)`, as JSON
//! `{"count": {"event": "order", "within": "60d", "where": [{"field": "category", "test": {"=": "DAIRY"}}]}}`.

use serde::{Deserialize, Serialize};

use super::expression::{Duration, Test};

/// Events of one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSelection {
    /// Name of the event.
    pub event: String,
    /// Length of the window before the moment; `None`: all of the time before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Duration>,
    /// What else must hold of an event; all of these.
    #[serde(rename = "where", default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<EventFilter>,
}

impl EventSelection {
    /// All events of a name in a window.
    pub fn of(event: impl Into<String>, within: Duration) -> EventSelection {
        EventSelection { event: event.into(), within: Some(within), filters: Vec::new() }
    }
}

/// A test of one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventFilter {
    /// What is looked at.
    pub field: EventField,
    /// What must hold of it.
    pub test: Test,
}

/// What an event may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventField {
    /// Category of its content.
    Category,
    /// A tag of its content.
    Tag,
    /// Its content.
    ContentId,
    /// Its campaign.
    CampaignId,
    /// Its channel.
    Channel,
    /// Its value, such as money.
    Value,
}

impl EventField {
    /// All of them.
    pub const ALL: [EventField; 6] = [
        EventField::Category,
        EventField::Tag,
        EventField::ContentId,
        EventField::CampaignId,
        EventField::Channel,
        EventField::Value,
    ];

    /// Its name in text and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventField::Category => "category",
            EventField::Tag => "tag",
            EventField::ContentId => "content_id",
            EventField::CampaignId => "campaign_id",
            EventField::Channel => "channel",
            EventField::Value => "value",
        }
    }

    /// The field of a name.
    pub fn of(name: &str) -> Option<EventField> {
        EventField::ALL.into_iter().find(|field| field.as_str() == name)
    }
}
