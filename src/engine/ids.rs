//! Ids of decisions, ordered by time and unlike any other server's, and of sends, the same for the same occasion.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Builder;

use domain::campaign::Campaign;
use domain::identity::sha256;
use domain::time::{Day, Instant};

/// Gives out decision ids.
#[derive(Debug)]
pub(super) struct DecisionIds {
    entropy: [u8; 32],
    given: AtomicU64,
}

impl DecisionIds {
    /// `entropy` tells this server's ids from those of every other.
    pub(super) fn new(entropy: [u8; 32]) -> DecisionIds {
        DecisionIds { entropy, given: AtomicU64::new(0) }
    }

    /// The next id: a UUIDv7 of the moment's millisecond.
    pub(super) fn next(&self, now: Instant) -> String {
        let count = self.given.fetch_add(1, Ordering::Relaxed);
        let mut seed = self.entropy.to_vec();
        seed.extend(count.to_le_bytes());
        uuid_v7(now, &seed)
    }
}

/// The UUIDv7 of a moment's millisecond and a seed: the same moment and seed give the same id.
pub(super) fn uuid_v7(at: Instant, seed: &[u8]) -> String {
    let mut random = [0; 10];
    random.copy_from_slice(&sha256(seed)[..10]);
    let millis = u64::try_from(at.micros().div_euclid(1_000)).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
}

/// Can this be the id of a decision? Anything else need not be looked for.
pub fn is_decision_id(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok_and(|id| id.get_version_num() == 7 && id.to_string() == text)
}

/// Which occasion a send is for.
///
/// That of a campaign with a window is that window; of one without, the user's date on which it is asked for. Without a
/// campaign it is the user's date and how many pushes he has been sent on it.
pub(super) fn occurrence(campaign: Option<&Campaign>, local_day: Day, sent_that_day: usize) -> String {
    let moment = |instant: Option<Instant>| instant.map(|instant| instant.to_string()).unwrap_or_default();
    match campaign {
        Some(campaign) if campaign.window_start.is_some() || campaign.window_end.is_some() => {
            format!("{}/{}", moment(campaign.window_start), moment(campaign.window_end))
        }
        Some(_) => local_day.to_string(),
        None => format!("{local_day}#{sent_that_day}"),
    }
}

/// One send for each (campaign, user, occurrence): asking again, or planning anew, never makes a second one.
pub(super) fn send_id(campaign: Option<&Campaign>, user_id: &str, occurrence: &str) -> String {
    let campaign_id = campaign.map(|campaign| campaign.campaign_id.as_str());
    // JSON keeps the parts apart whatever characters they hold.
    let name = serde_json::json!(["send", campaign_id, user_id, occurrence]).to_string();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sha256(name.as_bytes())[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
