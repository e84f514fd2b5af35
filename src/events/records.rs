//! A clean event, its canonical bytes, and its frame.

use std::borrow::Cow;

use polars::prelude::*;

use super::stored::{EventColumn, StoredEvent, StoredEvents};
use domain::time::Instant;

/// Optional text fields of an event, in canonical order.
pub const TEXT_FIELDS: [&str; 7] = [
    EventColumn::ContentId.name(),
    EventColumn::SessionId.name(),
    EventColumn::CampaignId.name(),
    EventColumn::DecisionId.name(),
    EventColumn::Channel.name(),
    EventColumn::ActorId.name(),
    EventColumn::Properties.name(),
];

/// Index of a field in [`Event::texts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// What was viewed, bought, shown.
    ContentId,
    /// The visit or basket.
    SessionId,
    /// The campaign it belongs to.
    CampaignId,
    /// The decision that caused it.
    DecisionId,
    /// Push, e-mail, …
    Channel,
    /// Who acted, when it was not the user.
    ActorId,
    /// Everything else, as canonical JSON.
    Properties,
}

/// One clean event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// Unique in the lake.
    pub message_id: Cow<'a, str>,
    /// Whose event it is.
    pub user_id: Cow<'a, str>,
    /// Its name.
    pub name: Cow<'a, str>,
    /// When it happened.
    pub timestamp: Instant,
    /// The stamp was a bare date.
    pub date_only: bool,
    /// The zone the event itself brought.
    pub time_zone: Option<Cow<'a, str>>,
    /// Money or any other amount; finite.
    pub value: Option<f64>,
    /// The fields of [`TEXT_FIELDS`].
    pub texts: [Option<Cow<'a, str>>; TEXT_FIELDS.len()],
}

impl<'a> Event<'a> {
    /// Everything but the message_id as bytes: equal records, equal bytes.
    pub fn write_canonical(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.timestamp.micros().to_le_bytes());
        bytes.push(u8::from(self.date_only) | u8::from(self.value.is_some()) << 1);
        // Adding zero makes −0 and 0 one amount.
        bytes.extend_from_slice(&(self.value.unwrap_or(0.0) + 0.0).to_le_bytes());
        write_text(bytes, &self.user_id);
        write_text(bytes, &self.name);
        write_text(bytes, self.time_zone.as_deref().unwrap_or_default());
        for text in &self.texts {
            write_text(bytes, text.as_deref().unwrap_or_default());
        }
    }

    /// Reads what [`Event::write_canonical`] wrote; `None` when the bytes are not whole.
    pub fn read_canonical(message_id: &'a str, bytes: &mut &'a [u8]) -> Option<Event<'a>> {
        let timestamp = Instant::from_micros(i64::from_le_bytes(take(bytes, 8)?.try_into().ok()?));
        let flags = take(bytes, 1)?[0];
        let value = f64::from_le_bytes(take(bytes, 8)?.try_into().ok()?);
        let user_id = Cow::Borrowed(read_text(bytes)?);
        let name = Cow::Borrowed(read_text(bytes)?);
        let time_zone = optional(read_text(bytes)?);
        let mut texts = [const { None }; TEXT_FIELDS.len()];
        for text in &mut texts {
            *text = optional(read_text(bytes)?);
        }
        Some(Event {
            message_id: Cow::Borrowed(message_id),
            user_id,
            name,
            timestamp,
            date_only: flags & 1 != 0,
            time_zone,
            value: (flags & 2 != 0).then_some(value),
            texts,
        })
    }

    /// Order in a lake file: user, then time; total, because message ids are unique.
    pub fn order(&self) -> (&str, Instant, &str) {
        (&self.user_id, self.timestamp, &self.message_id)
    }
}

/// Appends a text with its length.
pub fn write_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// Takes a text written by [`write_text`] off the front.
pub fn read_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?);
    std::str::from_utf8(take(bytes, length as usize)?).ok()
}

/// Takes `count` bytes off the front.
pub fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = bytes.split_at_checked(count)?;
    *bytes = tail;
    Some(head)
}

fn optional(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}

/// Events as a frame, in the order given, each with the hash of its canonical bytes.
pub fn frame_of(events: &[&(Event<'_>, u64)]) -> PolarsResult<DataFrame> {
    let stamps: Vec<i64> = events.iter().map(|(event, _)| event.timestamp.micros()).collect();
    let stamps = Int64Chunked::from_vec(EventColumn::Timestamp.name().into(), stamps);
    let dates = events.iter().map(|(event, _)| Some(event.date_only));
    let values = events.iter().map(|(event, _)| event.value);
    let hashes: Vec<i64> = events.iter().map(|(_, hash)| hash.cast_signed()).collect();
    let mut columns = vec![
        strings(EventColumn::MessageId.name(), events, |event| Some(&event.message_id)),
        strings(EventColumn::UserId.name(), events, |event| Some(&event.user_id)),
        strings(EventColumn::Name.name(), events, |event| Some(&event.name)),
        stamps.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column(),
        BooleanChunked::from_iter_options(EventColumn::DateOnly.name().into(), dates).into_column(),
        strings(EventColumn::TimeZone.name(), events, |event| event.time_zone.as_deref()),
        Float64Chunked::from_iter_options(EventColumn::Value.name().into(), values).into_column(),
    ];
    for (index, name) in TEXT_FIELDS.iter().enumerate() {
        columns.push(strings(name, events, |event| event.texts[index].as_deref()));
    }
    columns.push(Int64Chunked::from_vec(EventColumn::RecordHash.name().into(), hashes).into_column());
    DataFrame::new(events.len(), columns)
}

fn strings<'a>(
    name: &str,
    events: &[&'a (Event<'a>, u64)],
    get: impl Fn(&'a Event<'a>) -> Option<&'a str>,
) -> Column {
    StringChunked::from_iter_options(name.into(), events.iter().map(|(event, _)| get(event))).into_column()
}

/// Stored events as clean ones, each with its record's hash.
pub fn events_of(stored: &StoredEvents) -> Vec<(Event<'_>, u64)> {
    stored.iter().map(|event| (Event::from(event), event.record_hash)).collect()
}

impl<'a> From<StoredEvent<'a>> for Event<'a> {
    fn from(stored: StoredEvent<'a>) -> Event<'a> {
        let texts = [
            stored.content_id,
            stored.session_id,
            stored.campaign_id,
            stored.decision_id,
            stored.channel,
            stored.actor_id,
            stored.properties,
        ];
        Event {
            message_id: Cow::Borrowed(stored.message_id),
            user_id: Cow::Borrowed(stored.user_id),
            name: Cow::Borrowed(stored.name),
            timestamp: stored.timestamp,
            date_only: stored.date_only,
            time_zone: stored.time_zone.map(Cow::Borrowed),
            value: stored.value,
            texts: texts.map(|text| text.map(Cow::Borrowed)),
        }
    }
}

impl Event<'_> {
    /// The event as JSON, for dead letters.
    pub fn to_json(&self) -> serde_json::Value {
        let mut object = serde_json::json!({
            "message_id": self.message_id, "user_id": self.user_id, "event": self.name,
            "timestamp": self.timestamp.to_string(), "date_only": self.date_only,
            "time_zone": self.time_zone, "value": self.value,
        });
        for (name, text) in TEXT_FIELDS.iter().zip(&self.texts) {
            object[*name] = serde_json::json!(text);
        }
        object
    }
}
