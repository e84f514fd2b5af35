//! What a user allows and asks for, as decisions need it.

use serde::{Deserialize, Serialize};

pub use super::consent::Consent;
use super::consent::DeclaredConsent;
use super::device::Device;
use super::time::Instant;
use super::zone::ZoneSource;

/// A minute of a local day, 0 … 1,439.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MinuteOfDay(u16);

impl MinuteOfDay {
    /// Minutes in a local day on the clock's face.
    pub const COUNT: u16 = 24 * 60;

    /// Reads `HH:MM`, two digits each.
    pub fn parse(text: &str) -> Option<MinuteOfDay> {
        let (hour, minute) = text.split_once(':')?;
        let number = |digits: &str, limit: u16| {
            let is_plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|number: &u16| is_plain && *number < limit)
        };
        Some(MinuteOfDay(number(hour, 24)? * 60 + number(minute, 60)?))
    }

    /// Minutes since local midnight.
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

impl TryFrom<String> for MinuteOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<MinuteOfDay, String> {
        MinuteOfDay::parse(&text).ok_or_else(|| format!("{text:?} is not HH:MM"))
    }
}

impl From<MinuteOfDay> for String {
    fn from(minute: MinuteOfDay) -> String {
        format!("{:02}:{:02}", minute.0 / 60, minute.0 % 60)
    }
}

/// Local times of day at which nobody may be disturbed: `[from, until)` modulo midnight; equal ends mean never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// First quiet minute.
    pub from: MinuteOfDay,
    /// First minute after it.
    pub until: MinuteOfDay,
}

/// A user as decisions see him.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// His id.
    pub user_id: String,
    /// Is there any record of him, declared or by an event?
    pub known: bool,
    /// The consent in force.
    pub consent: Consent,
    /// Since when it is declared, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_at: Option<Instant>,
    /// IANA zone; `None` when neither he nor a device nor an explicit default names one.
    pub time_zone: Option<String>,
    /// Where the zone comes from.
    pub time_zone_source: Option<ZoneSource>,
    /// Language and region.
    pub locale: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// His own quiet hours.
    pub quiet_hours: Option<QuietHours>,
    /// Most pushes on one of his calendar days.
    pub max_per_day: Option<u32>,
    /// Categories he does not want to hear of.
    pub muted_categories: Vec<String>,
    /// May what he did decide what he gets?
    pub personalisation: bool,
    /// What reaches him; `None`: nobody said.
    #[serde(default)]
    pub devices: Option<Vec<Device>>,
    /// Names of the attributes that a text can be filled with, sorted; their values are no business of a decision.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Bytes that the value of each of them takes in a push's payload; empty in records that do not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field_bytes: Vec<usize>,
    /// A preference is stored that cannot be read; its name. Safety fails closed.
    pub unreadable_preference: Option<String>,
}

impl User {
    /// A user who was never declared; `known`: does any event name them?
    pub fn undeclared(user_id: &str, known: bool) -> User {
        User { user_id: user_id.to_string(), known, personalisation: true, ..User::default() }
    }

    /// Puts an event that withdrew their consent at that moment into force, unless they agreed again later.
    pub fn withdraw(&mut self, withdrawn_at: Option<Instant>) {
        let declared = DeclaredConsent { consent: self.consent, at: self.consent_at };
        self.consent = declared.in_force(withdrawn_at);
        if self.consent == Consent::Withdrawn && declared.consent != Consent::Withdrawn {
            self.consent_at = withdrawn_at;
        }
    }

    /// Fills in the zone of their device, else the default one, unless they declared theirs.
    pub fn fill_zone(&mut self, device: Option<&str>, default: Option<&str>) {
        if self.time_zone.is_some() {
            return;
        }
        let device = device.map(|zone| (zone, ZoneSource::Device));
        let default = default.map(|zone| (zone, ZoneSource::Default));
        if let Some((zone, source)) = device.or(default) {
            self.time_zone = Some(zone.to_string());
            self.time_zone_source = Some(source);
        }
    }
}
