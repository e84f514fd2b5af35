//! `/v1/users/{id}`: when a user can be reached.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::decisions::path_text;
use super::problem::{FieldError, Problem};
use super::wire::Moment;
use super::{ApiState, json};
use domain::identity::{NOT_AN_ID, is_valid_id};
use domain::slot::HORIZON_HOURS;
use engine::{BestHour, SendTime};

const _: () =
    assert!(*HORIZON_HOURS.start() == 1 && *HORIZON_HOURS.end() == 168, "SendTimeQuery documents these");

/// Parameters of a send time.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SendTimeQuery {
    /// How far ahead to look, in hours, 1 … 168.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 168)]
    horizon_hours: Option<String>,
}

/// When to reach a user, and how sure that is.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SendTimeBody {
    /// Who.
    user_id: String,
    /// His zone; null when nobody knows it.
    time_zone: Option<String>,
    /// Where the zone comes from: declared, device or default.
    time_zone_source: Option<&'static str>,
    /// The first instant of the best hour that is not quiet; null when there is none.
    send_at: Option<Moment>,
    /// The same on the user's clock.
    send_at_local: Option<String>,
    /// The best hour.
    slot: Option<Slot>,
    /// What was looked at.
    window: Window,
    /// All 168 hours of the week.
    curve: Vec<Hour>,
    /// Effective active hours behind the curve.
    evidence: f64,
    /// Weight of what is shared with others, 0 … 1.
    shrinkage: f64,
    /// The level that speaks most: user, rhythm_group or global.
    level: &'static str,
    /// Is this everybody's curve, for want of his own?
    fallback: bool,
    /// Why: no_profile, personalisation_off.
    fallback_reasons: Vec<String>,
    /// Rules that left no hour.
    refused_by: Vec<String>,
    /// Events before this moment count.
    profiles_as_of: Moment,
}

/// A concrete hour.
#[derive(Serialize, utoipa::ToSchema)]
struct Slot {
    /// Its first instant.
    start: Moment,
    /// The first after it.
    end: Moment,
    /// 0 = Monday 00:00 … 167 on the user's clock.
    hour_of_week: usize,
    /// Share of the user's activity.
    probability: f64,
}

/// A span of time.
#[derive(Serialize, utoipa::ToSchema)]
struct Window {
    /// First instant.
    from: Moment,
    /// First instant after it.
    until: Moment,
}

/// One hour of the week.
#[derive(Serialize, utoipa::ToSchema)]
struct Hour {
    /// 0 = Monday 00:00 … 167 = Sunday 23:00.
    hour_of_week: usize,
    /// Share of the user's activity.
    probability: f64,
    /// Lower end of its interval.
    low: f64,
    /// Upper end.
    high: f64,
}

/// The best hour for a user
///
/// Quiet hours are left out; caps, consent and contents are for decisions to judge. A user nobody knows gets everybody's
/// curve, and no instant unless a default zone is set.
#[utoipa::path(
    get, path = "/v1/users/{id}/send-time", tag = "users",
    params(("id" = String, Path, description = "The user's id"), SendTimeQuery),
    responses(
        (status = 200, description = "The best hour and the curve behind it", body = SendTimeBody),
        (status = 400, description = "A path that is not UTF-8"),
        (status = 422, description = "A bad id, horizon or parameter"),
    )
)]
pub(super) async fn send_time(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<SendTimeQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let user_id = path_text(id)?;
    if !is_valid_id(&user_id) {
        return Err(Problem::invalid(vec![FieldError::at("/id", NOT_AN_ID)]));
    }
    let horizon_hours = horizon(query)?;
    let found = state.engine().send_time(&user_id, state.0.clock.now(), horizon_hours);
    Ok(json(serde_json::to_string(&SendTimeBody::from(found)).unwrap_or_default()))
}

fn horizon(query: Result<Query<SendTimeQuery>, QueryRejection>) -> Result<Option<u32>, Problem> {
    let Query(query) =
        query.map_err(|rejection| Problem::invalid(vec![FieldError::at("", rejection.body_text())]))?;
    let Some(text) = query.horizon_hours else { return Ok(None) };
    let (least, most) = (HORIZON_HOURS.start(), HORIZON_HOURS.end());
    let hours = text.parse().ok().filter(|hours| HORIZON_HOURS.contains(hours));
    let shown: String = text.chars().take(32).collect();
    let error = || {
        FieldError::at("/horizon_hours", format!("{shown:?} is not a whole number from {least} to {most}"))
    };
    hours.map(Some).ok_or_else(|| Problem::invalid(vec![error()]))
}

impl From<SendTime> for SendTimeBody {
    fn from(found: SendTime) -> SendTimeBody {
        let SendTime { user, best, window, curve, fallback, refused_by, as_of } = found;
        let hour = |hour_of_week: usize| Hour {
            hour_of_week,
            probability: curve.probability[hour_of_week],
            low: curve.low[hour_of_week],
            high: curve.high[hour_of_week],
        };
        SendTimeBody {
            user_id: user.user_id,
            time_zone: user.time_zone,
            time_zone_source: user.time_zone_source.map(|source| source.as_str()),
            send_at: best.as_ref().map(|best| best.send_at.into()),
            send_at_local: best.as_ref().map(|best| best.send_at_local.clone()),
            slot: best.as_ref().map(Slot::from),
            window: Window { from: window.0.into(), until: window.1.into() },
            curve: (0..curve.probability.len()).map(hour).collect(),
            evidence: curve.evidence,
            shrinkage: curve.shrinkage,
            level: curve.level.as_str(),
            fallback: !fallback.is_empty(),
            fallback_reasons: fallback,
            refused_by,
            profiles_as_of: as_of.into(),
        }
    }
}

impl From<&BestHour> for Slot {
    fn from(best: &BestHour) -> Slot {
        Slot {
            start: best.slot.start.into(),
            end: best.slot.end.into(),
            hour_of_week: best.slot.hour_of_week(),
            probability: best.probability,
        }
    }
}
