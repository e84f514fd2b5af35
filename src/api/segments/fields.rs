//! `GET /v1/segment-fields`: what segments may ask for, so that an editor can offer it.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::super::decisions::reading_tables;
use super::super::problem::Problem;
use super::super::{ApiState, json};
use ::segments::language::fields::{CatalogueField, FUNCTIONS};
use operations::segments::PeopleChoice;
use operations::segments::fields::fields as list_fields;

/// Fields and functions of segments, each with its type and a line for people
///
/// `values` names all values of a closed set. A field with `names_people` is not for marketers.
#[utoipa::path(
    get, path = "/v1/segment-fields", tag = "segments",
    responses(
        (status = 200, description = "Fields by name, and functions", body = Object),
        (status = 503, description = "Stopping"),
    )
)]
pub(crate) async fn show(State(state): State<ApiState>) -> Result<Response, Problem> {
    let catalogue =
        reading_tables(&state, |state| list_fields(&state.context(), PeopleChoice::Kept(&state.0.people)))
            .await?;
    let fields: Vec<&CatalogueField> = catalogue.fields().collect();
    Ok(json(json!({ "fields": fields, "functions": FUNCTIONS }).to_string()))
}
