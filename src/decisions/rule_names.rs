//! The names of rules that something beside their own table speaks of: stable, as reasons and logs give them.

/// The clock must be able to be right.
pub const CLOCK_IS_TRUSTED: &str = "clock_is_trusted";
/// The user must have agreed to be pushed.
pub const HAS_CONSENTED: &str = "has_consented";
/// Every stored preference of the user must be readable.
pub const PREFERENCES_ARE_READABLE: &str = "preferences_are_readable";
/// The user's time zone must be known.
pub const ZONE_IS_KNOWN: &str = "zone_is_known";
/// Some users are pushed by no campaign, so that the effect of pushing can be measured.
pub const OUTSIDE_HOLDOUT: &str = "outside_holdout";
/// Each campaign holds out users of its own.
pub(super) const OUTSIDE_CAMPAIGN_HOLDOUT: &str = "outside_campaign_holdout";

/// The channel must be configured.
pub const CHANNEL_IS_SET_UP: &str = "channel_is_set_up";
/// A device of the user must have the channel.
pub const HAS_DEVICE: &str = "has_device";

/// The user's own quiet hours, or the common ones.
pub const OUTSIDE_QUIET_HOURS: &str = "outside_quiet_hours";
/// At most so many pushes on one of the user's days.
pub const DAILY_CAP: &str = "under_daily_cap";
/// The common frequency rules and the campaign's own.
pub const FREQUENCY_RULES: &str = "under_frequency_rules";
/// Least time between two pushes.
pub const MINIMUM_GAP: &str = "after_minimum_gap";
/// What vendors' push services deliver on one of their days.
pub const VENDOR_QUOTA: &str = "under_vendor_quota";

/// Some content must be there to choose from.
pub const HAS_CANDIDATES: &str = "has_candidates";
/// The scorer must give the arm a finite logit and a probability.
pub const IS_SCORED: &str = "is_scored";
/// The best arm must be worth more than it costs.
pub const IS_WORTH_SENDING: &str = "is_worth_sending";
/// A content sleeps after it was sent to the user.
pub(super) const IS_RESTED: &str = "is_rested";

/// Not a refusal: a content of little history is sent as its category's others would be, to find out what it is worth.
pub const IS_TRIED_OUT: &str = "is_tried_out";

/// Most sends of a campaign in all.
pub const UNDER_MAX_SENDS: &str = "under_max_sends";
/// A plan found no minute in which the campaign's throttle leaves room.
pub const UNDER_THROTTLE: &str = "under_throttle";
/// The same for what all campaigns may send in a minute.
pub const UNDER_SHARED_THROTTLE: &str = "under_shared_throttle";
/// The same for what all campaigns may send in an hour.
pub const UNDER_HOURLY_CAPACITY: &str = "under_hourly_capacity";
/// What a plan gave the user must be allowed and worth sending.
pub const MATCHES_PLAN: &str = "matches_plan";

/// The rules that hold a user out, so that the effect of pushing can be measured.
pub(super) const HOLDOUT_RULES: [&str; 2] = [OUTSIDE_HOLDOUT, OUTSIDE_CAMPAIGN_HOLDOUT];

/// The rules that count what the user has been sent.
pub(super) const CAPS: [&str; 4] = [DAILY_CAP, FREQUENCY_RULES, MINIMUM_GAP, VENDOR_QUOTA];

/// The rules that refuse although something would be allowed and worth it: only whole plans know.
pub(super) const PLAN_RULES: [&str; 4] =
    [UNDER_THROTTLE, UNDER_SHARED_THROTTLE, UNDER_HOURLY_CAPACITY, MATCHES_PLAN];

/// Names that rules once had, and the present ones: old logs speak of them.
const FORMER_NAMES: &[(&str, &str)] = &[("has_wording", "has_variant")];

/// The present name of a rule that may be called by a former one.
pub fn present_name(name: &str) -> &str {
    FORMER_NAMES.iter().find(|(former, _)| *former == name).map_or(name, |(_, present)| present)
}
