//! Events that tell a new state of a subscription in a property, not in their name: Braze's changes of state.

use serde_json::{Map, Value};

use domain::consent::Consent;
use domain::event::StandardEvent;
use domain::event_words::squeezed;

/// How their names end, squeezed.
const STATE_CHANGES: &[&str] = &["subscriptionglobalstatechange", "subscriptiongroupstatechange"];

/// The property that tells the state.
const STATUS: &str = "subscription_status";

/// Channels whose subscriptions say nothing of pushes.
const OTHER_CHANNELS: &[&str] =
    &["email", "mail", "sms", "mms", "whatsapp", "rcs", "line", "webhook", "kakaotalk"];

/// The event that such a change stands for when it withdraws the consent; one that names no channel does.
pub(super) fn withdrawal(
    name: &str,
    channel: Option<&str>,
    properties: Option<&str>,
) -> Option<StandardEvent> {
    if !name.contains(['S', 's']) || !name.trim_end().ends_with(['E', 'e']) {
        return None;
    }
    let name = squeezed(name);
    STATE_CHANGES.iter().find(|ending| name.ends_with(**ending))?;
    let properties: Map<String, Value> = serde_json::from_str(properties?).ok()?;
    let inner = properties.get("properties").and_then(Value::as_object);
    let text = |key: &str| properties.get(key).or_else(|| inner?.get(key)).and_then(Value::as_str);
    let is_other = channel
        .or_else(|| text("channel"))
        .is_some_and(|channel| OTHER_CHANNELS.contains(&squeezed(channel).as_str()));
    let is_withdrawn = Consent::read(text(STATUS)?).has_refused();
    (is_withdrawn && !is_other).then_some(StandardEvent::NotificationsDisabled)
}
