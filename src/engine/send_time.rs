//! The best hour for a user, on its own: no content, no campaign, only when.

use super::snapshot::Snapshot;
use domain::curve::SendTimeCurve;
use domain::settings::DecisionSettings;
use domain::slot::{SendSlot, send_slots};
use domain::time::{HOUR, Instant};
use domain::user::{MinuteOfDay, QuietHours, User};
use domain::zone::Zone;

/// When to reach a user, and how sure that is.
#[derive(Clone, Debug, PartialEq)]
pub struct SendTime {
    /// Who, with his zone.
    pub user: User,
    /// The best hour; `None` when his zone is unknown or the whole horizon is quiet.
    pub best: Option<BestHour>,
    /// First and first no longer possible instant that was looked at.
    pub window: (Instant, Instant),
    /// The curve it is read from.
    pub curve: SendTimeCurve,
    /// Why quality fell back, if it did: `no_profile`, `personalisation_off`.
    pub fallback: Vec<String>,
    /// Rules that left no hour: `zone_is_known`, `preferences_are_readable`, `outside_quiet_hours`.
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
    let (best, refused_by) = match look(&user, snapshot.settings(), &curve, window) {
        Ok(best) => (Some(best), Vec::new()),
        Err(rule) => (None, vec![rule.to_string()]),
    };
    SendTime { user, best, window, curve, fallback, refused_by, as_of: snapshot.as_of() }
}

/// The best hour, or the rule that leaves none.
fn look(
    user: &User,
    settings: &DecisionSettings,
    curve: &SendTimeCurve,
    window: (Instant, Instant),
) -> Result<BestHour, &'static str> {
    let zone = user.time_zone.as_deref().and_then(Zone::shared).ok_or("zone_is_known")?;
    if user.unreadable_preference.is_some() {
        return Err("preferences_are_readable");
    }
    let quiet = user.quiet_hours.or_else(|| quiet_of(settings));
    let mut best: Option<BestHour> = None;
    for slot in send_slots(zone, window.0, window.1) {
        let send_at = quiet.map_or(slot.start, |quiet| quiet.allowed_from(zone, slot.start));
        let probability = curve.probability[slot.hour_of_week()];
        if send_at < slot.end && best.as_ref().is_none_or(|best| probability > best.probability) {
            best = Some(BestHour { send_at, send_at_local: zone.local_text(send_at), slot, probability });
        }
    }
    best.ok_or("outside_quiet_hours")
}

fn quiet_of(settings: &DecisionSettings) -> Option<QuietHours> {
    let (from, until) =
        (MinuteOfDay::parse(&settings.quiet_from)?, MinuteOfDay::parse(&settings.quiet_until)?);
    Some(QuietHours { from, until })
}
