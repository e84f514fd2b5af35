//! The best hour for a user, on its own: no content, no campaign, only when.

use super::snapshot::Snapshot;
use decisions::context::DecisionContext;
use decisions::reach::waking_slots;
use domain::curve::SendTimeCurve;
use domain::slot::SendSlot;
use domain::time::{HOUR, Instant};
use domain::user::User;
use domain::zone::Zone;

/// When to reach a user, and how sure that is.
#[derive(Clone, Debug, PartialEq)]
pub struct SendTime {
    /// The user, with their zone.
    pub user: User,
    /// The best hour; `None` when their zone is unknown or the whole horizon is quiet.
    pub best: Option<BestHour>,
    /// First and first no longer possible instant that was looked at.
    pub window: (Instant, Instant),
    /// The curve it is read from.
    pub curve: SendTimeCurve,
    /// Why quality fell back, if it did: `no_profile`, `personalisation_off`.
    pub fallback: Vec<String>,
    /// Rules that left no hour, in the order in which decisions ask: `clock_is_trusted`, `preferences_are_readable`,
    /// `zone_is_known`; else `outside_quiet_hours`.
    pub refused_by: Vec<String>,
    /// What it rests on.
    pub as_of: Instant,
}

/// A send slot and what speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct BestHour {
    /// The first instant of it that is not quiet.
    pub send_at: Instant,
    /// The same on the user's clock.
    pub send_at_local: String,
    /// The slot.
    pub slot: SendSlot,
    /// Share of the user's activity in this hour of the week.
    pub probability: f64,
}

/// The most probable hour of the horizon that is not quiet; the earliest on ties.
pub(super) fn best_send_time(
    snapshot: &Snapshot,
    user_id: &str,
    now: Instant,
    horizon_hours: u32,
) -> SendTime {
    let user = snapshot.user(user_id);
    let own = snapshot.rhythms().curve(user_id).filter(|_| user.personalisation);
    let mut fallback = Vec::new();
    if !user.personalisation {
        fallback.push("personalisation_off".to_string());
    } else if own.is_none() {
        fallback.push("no_profile".to_string());
    }
    let curve = own.unwrap_or_else(|| snapshot.rhythms().everybody().clone());
    let window = (now, now.plus(i64::from(horizon_hours) * HOUR));
    let channel = snapshot.channel(snapshot.settings().channel.clone());
    let context = DecisionContext::about(user.clone(), channel, now, snapshot.settings().clone());
    let (best, refused_by) = match waking_slots(&DecisionContext { horizon_hours, ..context }) {
        Ok(slots) => (most_probable(&slots, &curve, &user), Vec::new()),
        Err(rules) => (None, rules.into_iter().map(str::to_string).collect()),
    };
    SendTime { user, best, window, curve, fallback, refused_by, as_of: snapshot.as_of() }
}

/// The slot in which the user is most probably active, the earliest of equals.
fn most_probable(slots: &[(SendSlot, Instant)], curve: &SendTimeCurve, user: &User) -> Option<BestHour> {
    let mut best: Option<(SendSlot, Instant, f64)> = None;
    for (slot, send_at) in slots {
        let probability = curve.probability[slot.hour_of_week()];
        if best.is_none_or(|(.., most)| probability > most) {
            best = Some((*slot, *send_at, probability));
        }
    }
    let (slot, send_at, probability) = best?;
    let zone = user.time_zone.as_deref().and_then(Zone::shared)?;
    Some(BestHour { send_at, send_at_local: zone.local_text(send_at), slot, probability })
}
