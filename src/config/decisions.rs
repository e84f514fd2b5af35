//! `[decisions]`: the settings are plain data of `domain`, for decisions carry them; here they are checked.

use super::ranges::{BadSetting, bad, whole_within, within};
use domain::settings::DecisionSettings;
use domain::slot::HORIZON_HOURS;
use domain::zone::Zone;

pub(super) fn check(decisions: &DecisionSettings) -> Result<(), BadSetting> {
    let (least, most) = (i64::from(*HORIZON_HOURS.start()), i64::from(*HORIZON_HOURS.end()));
    whole_within(&[
        ("decisions.horizon_hours", decisions.horizon_hours.into(), least, most),
        ("decisions.most_contents", decisions.most_contents as i64, 1, 500),
        ("decisions.minimum_gap_minutes", decisions.minimum_gap_minutes.into(), 0, 30 * 1_440),
        ("decisions.repeat_sleep_hours", decisions.repeat_sleep_hours.into(), 0, 30 * 24),
        ("decisions.ttl_seconds", decisions.ttl_seconds.into(), 60, 28 * 86_400),
    ])?;
    within(&[
        ("decisions.holdout_percent", decisions.holdout_percent, 0.0, 100.0),
        ("decisions.goal_value", decisions.goal_value, 0.0, 1e9),
        ("decisions.opt_out_cost", decisions.opt_out_cost, 0.0, 1e9),
        ("decisions.opt_out_probability", decisions.opt_out_probability, 0.0, 1.0),
        ("decisions.fatigue_price", decisions.fatigue_price, 0.0, 1e9),
        ("decisions.channel_cost", decisions.channel_cost, 0.0, 1e9),
        ("decisions.repeat_half_life_hours", decisions.repeat_half_life_hours, 0.0, 1e6),
        ("decisions.cold_start_evidence", decisions.cold_start_evidence, 0.0, 1e9),
        ("decisions.exploration_percent", decisions.exploration_percent, 0.0, 100.0),
        ("decisions.exploration_temperature", decisions.exploration_temperature, 0.0, 1e9),
    ])?;
    if decisions.exploration_temperature == 0.0 {
        return Err(bad("decisions.exploration_temperature", "0 is not a positive number".to_string()));
    }
    let zone = &decisions.vendor_quota.time_zone;
    if Zone::find(zone).is_err() {
        return Err(bad("decisions.vendor_quota.time_zone", format!("{zone:?} is no time zone")));
    }
    let unreadable = |key: &'static str| {
        let (from, until) = (&decisions.quiet_from, &decisions.quiet_until);
        bad(
            key,
            format!("{from:?} to {until:?}: set both ends to HH:MM, or one to \"none\" for no quiet hours"),
        )
    };
    decisions.default_quiet_hours().map(drop).map_err(unreadable)
}
