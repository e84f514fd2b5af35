//! `POST /v1/segments:preview` and `POST /v1/segments:overlap`: how many, of which kinds, and how far they are the same people.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::super::body::JsonBody;
use super::super::decisions::reading_tables;
use super::super::problem::{FieldError, Problem};
use super::super::{ApiState, json};
use super::problems::read;
use super::{ids_are_shown, marketer};
use ::segments::language::expression::Expression;
use operations::segments::count::{CountRequest, SampleShown, count};
use operations::segments::overlap::overlap as overlap_segments;
use operations::segments::{Selection, WrittenSegment};

/// Fields that one preview may break down by.
const MOST_BY: usize = 20;

/// Members that one preview may show.
const MOST_SAMPLED: usize = 100;

/// Which segment, and what is asked of it; exactly one of where, expression and segment is given.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewBody {
    /// A segment as text.
    #[serde(default, rename = "where")]
    text: Option<String>,
    /// A segment as tree.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    expression: Option<Expression>,
    /// A saved segment.
    #[serde(default)]
    segment: Option<String>,
    /// Break down by these fields, or functions such as `propensity_decile("purchase_7d")`, beside the usual ones.
    #[serde(default)]
    #[schema(max_items = 20)]
    by: Vec<String>,
    /// Show so many members, always the same for the same people; none when they are too few to be shown, or the
    /// setting `segments.ids_over_http` is off.
    #[serde(default)]
    #[schema(maximum = 100)]
    sample: Option<usize>,
}

/// Which saved segments are compared.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverlapBody {
    /// Their ids, 2 to 20, each once.
    #[schema(min_items = 2, max_items = 20)]
    segments: Vec<String>,
}

/// How many a segment has, of which kinds, and whom a push would reach
///
/// Counts below `hidden_below` are null, others rounded to ten. All of an answer comes from one build of the profiles.
#[utoipa::path(
    post, path = "/v1/segments:preview", tag = "segments",
    request_body(content = PreviewBody, content_type = "application/json"),
    responses(
        (status = 200, description = "Members, and breakdowns by reach, lifecycle, platform, locale, zone and what was asked for", body = Object),
        (status = 400, description = "Not JSON"),
        (status = 404, description = "No such saved segment"),
        (status = 409, description = "There are no profiles yet"),
        (status = 413, description = "The body is too large"),
        (status = 422, description = "A segment that cannot be meant so, with its position and what was probably meant; a question about who somebody is; a model that is missing"),
        (status = 503, description = "Profiles are being rebuilt, or stopping"),
    )
)]
pub(crate) async fn preview(State(state): State<ApiState>, body: JsonBody) -> Result<Response, Problem> {
    let request = read::<PreviewBody>(&body)?.request()?;
    let mut report =
        reading_tables(&state, move |state| count(&state.context(), marketer(state), &request)).await?;
    if report.sample != SampleShown::NotAsked && !ids_are_shown(&state) {
        report.sample = SampleShown::Hidden;
    }
    Ok(json(report.to_json().to_string()))
}

impl PreviewBody {
    fn request(self) -> Result<CountRequest, Problem> {
        let PreviewBody { text, expression, segment, by, sample } = self;
        let mut errors = Vec::new();
        let selection = match (text, expression, segment) {
            (Some(text), None, None) => Some(Selection::Written(WrittenSegment::Text(text))),
            (None, Some(tree), None) => Some(Selection::Written(WrittenSegment::Tree(tree))),
            (None, None, Some(id)) => Some(Selection::Saved(id)),
            _ => {
                errors.push(FieldError::at("", "has not exactly one of where, expression and segment"));
                None
            }
        };
        if by.len() > MOST_BY {
            errors.push(FieldError::at("/by", format!("{} fields are more than {MOST_BY}", by.len())));
        }
        if sample.is_some_and(|count| count > MOST_SAMPLED) {
            errors.push(FieldError::at("/sample", format!("is more than {MOST_SAMPLED}")));
        }
        match selection {
            Some(selection) if errors.is_empty() => {
                Ok(CountRequest { selection, by, sample, keep_evaluation: false })
            }
            _ => Err(Problem::invalid(errors)),
        }
    }
}

/// How far saved segments are the same people
///
/// Sizes, who is in one alone, what every two share (Jaccard: members of both over members of either).
#[utoipa::path(
    post, path = "/v1/segments:overlap", tag = "segments",
    request_body(content = OverlapBody, content_type = "application/json"),
    responses(
        (status = 200, description = "Sizes, pairs, and what is in all or any", body = Object),
        (status = 400, description = "Not JSON"),
        (status = 404, description = "No such saved segment"),
        (status = 409, description = "There are no profiles yet"),
        (status = 422, description = "Not 2 to 20 segments, one twice, or one that cannot be evaluated"),
        (status = 503, description = "Profiles are being rebuilt, or stopping"),
    )
)]
pub(crate) async fn overlap(State(state): State<ApiState>, body: JsonBody) -> Result<Response, Problem> {
    let OverlapBody { segments: ids } = read(&body)?;
    let report =
        reading_tables(&state, move |state| overlap_segments(&state.context(), marketer(state), &ids))
            .await?;
    Ok(json(report.to_json().to_string()))
}
