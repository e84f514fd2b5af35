//! Events read back from the lake: the columns that were asked for, one event at a time.
//!
//! Whoever reads the lake comes this way. The lake holds the names that the files had; an event whose name is another
//! system's for a standard event is read under the standard name, so that all who ask of it agree.

use polars::prelude::*;

use domain::event::standard_name;
use domain::time::Instant;

/// A column of the lake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventColumn {
    /// The event's id, unique in the lake.
    MessageId,
    /// Whose event it is.
    UserId,
    /// Its name.
    Name,
    /// When it happened.
    Timestamp,
    /// Was the stamp a bare date?
    DateOnly,
    /// The zone that the event itself brought.
    TimeZone,
    /// Money or any other amount.
    Value,
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
    /// The hash of the record's canonical bytes.
    RecordHash,
}

/// How many columns there are.
const COLUMNS: usize = EventColumn::ALL.len();

impl EventColumn {
    /// All of them.
    pub const ALL: [EventColumn; 15] = [
        EventColumn::MessageId,
        EventColumn::UserId,
        EventColumn::Name,
        EventColumn::Timestamp,
        EventColumn::DateOnly,
        EventColumn::TimeZone,
        EventColumn::Value,
        EventColumn::ContentId,
        EventColumn::SessionId,
        EventColumn::CampaignId,
        EventColumn::DecisionId,
        EventColumn::Channel,
        EventColumn::ActorId,
        EventColumn::Properties,
        EventColumn::RecordHash,
    ];

    /// Its name in the lake's files.
    pub const fn name(self) -> &'static str {
        match self {
            EventColumn::MessageId => "message_id",
            EventColumn::UserId => "user_id",
            EventColumn::Name => "event",
            EventColumn::Timestamp => "timestamp",
            EventColumn::DateOnly => "date_only",
            EventColumn::TimeZone => "time_zone",
            EventColumn::Value => "value",
            EventColumn::ContentId => "content_id",
            EventColumn::SessionId => "session_id",
            EventColumn::CampaignId => "campaign_id",
            EventColumn::DecisionId => "decision_id",
            EventColumn::Channel => "channel",
            EventColumn::ActorId => "actor_id",
            EventColumn::Properties => "properties",
            EventColumn::RecordHash => "record_hash",
        }
    }
}

/// Events of one file of the lake, by user, then time, then id.
#[derive(Clone, Debug)]
pub struct StoredEvents {
    rows: usize,
    /// By column; `None` where none was asked for, and of columns that hold no text.
    texts: [Option<StringChunked>; COLUMNS],
    timestamps: Option<Int64Chunked>,
    dates: Option<BooleanChunked>,
    values: Option<Float64Chunked>,
    hashes: Option<Int64Chunked>,
}

/// One event of the lake. What was not asked for is missing: empty, false or `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoredEvent<'a> {
    /// Its id.
    pub message_id: &'a str,
    /// Whose event it is.
    pub user_id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// When it happened; later than any moment if that was not asked for.
    pub timestamp: Instant,
    /// Was the stamp a bare date?
    pub date_only: bool,
    /// The zone that the event itself brought.
    pub time_zone: Option<&'a str>,
    /// Money or any other amount.
    pub value: Option<f64>,
    /// What was viewed, bought, shown.
    pub content_id: Option<&'a str>,
    /// The visit or basket.
    pub session_id: Option<&'a str>,
    /// The campaign it belongs to.
    pub campaign_id: Option<&'a str>,
    /// The decision that caused it.
    pub decision_id: Option<&'a str>,
    /// Push, e-mail, …
    pub channel: Option<&'a str>,
    /// Who acted, when it was not the user.
    pub actor_id: Option<&'a str>,
    /// Everything else, as canonical JSON.
    pub properties: Option<&'a str>,
    /// The hash of the record's canonical bytes.
    pub record_hash: u64,
}

impl StoredEvents {
    /// Takes columns out of a file's frame.
    ///
    /// # Errors
    /// When the frame lacks one, or it holds values of another type.
    ///
    /// Names are read as they are understood; beside the hash of the record, to which they belong, as they were recorded.
    pub(super) fn of(frame: &DataFrame, columns: &[EventColumn]) -> PolarsResult<StoredEvents> {
        let mut events = StoredEvents {
            rows: frame.height(),
            texts: [const { None }; COLUMNS],
            timestamps: None,
            dates: None,
            values: None,
            hashes: None,
        };
        for column in columns {
            let stored = frame.column(column.name())?;
            match column {
                EventColumn::Timestamp => events.timestamps = Some(stored.datetime()?.physical().clone()),
                EventColumn::DateOnly => events.dates = Some(stored.bool()?.clone()),
                EventColumn::Value => events.values = Some(stored.f64()?.clone()),
                EventColumn::RecordHash => events.hashes = Some(stored.i64()?.clone()),
                EventColumn::Name if !columns.contains(&EventColumn::RecordHash) => {
                    events.texts[*column as usize] = Some(understood(stored.str()?));
                }
                text => events.texts[*text as usize] = Some(stored.str()?.clone()),
            }
        }
        Ok(events)
    }

    /// How many events.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Does any event bring a zone of its own? False when zones were not asked for.
    pub fn bring_zones(&self) -> bool {
        self.column(EventColumn::TimeZone).is_some_and(|zones| zones.null_count() < self.rows)
    }

    /// The events in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = StoredEvent<'_>> {
        (0..self.rows).map(|row| self.event(row))
    }

    fn column(&self, column: EventColumn) -> Option<&StringChunked> {
        self.texts[column as usize].as_ref()
    }

    fn text(&self, column: EventColumn, row: usize) -> Option<&str> {
        self.column(column)?.get(row)
    }

    fn event(&self, row: usize) -> StoredEvent<'_> {
        let text = |column| self.text(column, row);
        let stamp = self.timestamps.as_ref().and_then(|stamps| stamps.get(row));
        let hash = self.hashes.as_ref().and_then(|hashes| hashes.get(row));
        StoredEvent {
            message_id: text(EventColumn::MessageId).unwrap_or_default(),
            user_id: text(EventColumn::UserId).unwrap_or_default(),
            name: text(EventColumn::Name).unwrap_or_default(),
            timestamp: stamp.map_or(Instant::MAX, Instant::from_micros),
            date_only: self.dates.as_ref().and_then(|dates| dates.get(row)).unwrap_or_default(),
            time_zone: text(EventColumn::TimeZone),
            value: self.values.as_ref().and_then(|values| values.get(row)),
            content_id: text(EventColumn::ContentId),
            session_id: text(EventColumn::SessionId),
            campaign_id: text(EventColumn::CampaignId),
            decision_id: text(EventColumn::DecisionId),
            channel: text(EventColumn::Channel),
            actor_id: text(EventColumn::ActorId),
            properties: text(EventColumn::Properties),
            record_hash: hash.unwrap_or_default().cast_unsigned(),
        }
    }
}

/// Names of events with those of other systems replaced by the standard ones; most files have none.
fn understood(names: &StringChunked) -> StringChunked {
    if names.iter().flatten().all(|name| standard_name(name) == name) {
        return names.clone();
    }
    StringChunked::from_iter_options(names.name().clone(), names.iter().map(|name| name.map(standard_name)))
}

impl StoredEvent<'_> {
    /// Does the event have a value in a column that was asked for?
    pub fn has(&self, column: EventColumn) -> bool {
        match column {
            EventColumn::MessageId => !self.message_id.is_empty(),
            EventColumn::UserId => !self.user_id.is_empty(),
            EventColumn::Name => !self.name.is_empty(),
            EventColumn::Timestamp => self.timestamp < Instant::MAX,
            EventColumn::DateOnly => self.date_only,
            EventColumn::TimeZone => self.time_zone.is_some(),
            EventColumn::Value => self.value.is_some(),
            EventColumn::ContentId => self.content_id.is_some(),
            EventColumn::SessionId => self.session_id.is_some(),
            EventColumn::CampaignId => self.campaign_id.is_some(),
            EventColumn::DecisionId => self.decision_id.is_some(),
            EventColumn::Channel => self.channel.is_some(),
            EventColumn::ActorId => self.actor_id.is_some(),
            EventColumn::Properties => self.properties.is_some(),
            EventColumn::RecordHash => self.record_hash != 0,
        }
    }
}
