//! The lake's events in the order in which attribution takes them, one day in memory at a time.

use super::FeedbackError;
use super::attribution::{Attributor, FeedbackEvent, rank};
use ::events::lake::Lake;
use ::events::stored::{EventColumn, StoredEvent, StoredEvents};
use domain::time::Instant;

/// What attribution reads of an event.
const COLUMNS: [EventColumn; 8] = [
    EventColumn::MessageId,
    EventColumn::UserId,
    EventColumn::Name,
    EventColumn::Timestamp,
    EventColumn::Value,
    EventColumn::ContentId,
    EventColumn::CampaignId,
    EventColumn::DecisionId,
];

/// Gives the lake's events from `from` on and before `until` to an attributor.
///
/// # Errors
/// When a file of the lake cannot be read.
pub fn absorb_all(
    lake: &Lake,
    from: Instant,
    until: Instant,
    attributor: &mut Attributor,
) -> Result<(), FeedbackError> {
    for file in lake.files_within(from, until) {
        absorb_day(&lake.events(file, &COLUMNS)?, until, attributor);
    }
    Ok(())
}

/// Days follow one another; within a day the events of a user are put in order.
fn absorb_day(day: &StoredEvents, until: Instant, attributor: &mut Attributor) {
    let concerns = |event: &StoredEvent<'_>| {
        event.timestamp < until && attributor.is_concerned(event.user_id, event.decision_id)
    };
    let mut events: Vec<StoredEvent<'_>> = day.iter().filter(concerns).collect();
    events.sort_unstable_by_key(|event| (event.user_id, event.timestamp, rank(event.name), event.message_id));
    events.iter().for_each(|event| attributor.absorb(&feedback(event)));
}

/// A stored event as attribution sees it.
fn feedback<'a>(event: &StoredEvent<'a>) -> FeedbackEvent<'a> {
    FeedbackEvent {
        user_id: event.user_id,
        name: event.name,
        at: event.timestamp,
        decision_id: event.decision_id,
        campaign_id: event.campaign_id,
        content_id: event.content_id,
        value: event.value,
    }
}
