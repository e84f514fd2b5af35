//! `POST /v1/segments:preview` and `POST /v1/segments:overlap`: how many, of which kinds, and how far they are the same people.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::body::JsonBody;
use super::super::decisions::reading_files;
use super::super::problem::Problem;
use super::super::{ApiState, json};
use super::problems::{about_expression, about_text, read};
use ::segments::answers::cache::View;
use ::segments::answers::count::{By, Counted};
use ::segments::answers::desk::{Asked, Desk, DeskError, sample};
use ::segments::answers::overlap::overlap as overlap_of;
use ::segments::language::expression::Expression;
use ::segments::saved::evaluations::{Evaluation, Evaluations};
use domain::time::Instant;
use engine::Fault;

/// Fields that one preview may break down by.
const MOST_BY: usize = 20;

/// Members that one preview may show.
const MOST_SAMPLED: usize = 100;

/// Segments that may be compared.
const COMPARED: std::ops::RangeInclusive<usize> = 2..=20;

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
    /// Show so many members, always the same for the same people; none when they are too few to be shown.
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
        (status = 400, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such saved segment", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There are no profiles yet", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A segment that cannot be meant so, with its place and what was probably meant; a question about who somebody is; a model that is missing", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Profiles are being rebuilt, or stopping", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn preview(State(state): State<ApiState>, body: JsonBody) -> Result<Response, Problem> {
    let question: PreviewBody = read(&body)?;
    question.check()?;
    let report = reading_files(&state, move |state| {
        let (engine, now) = (state.engine(), state.0.clock.now());
        state.0.people.ask(engine.workspace(), engine.config(), now, |view| counted(view, &question))
    })
    .await?;
    Ok(json(report.to_string()))
}

impl PreviewBody {
    fn check(&self) -> Result<(), Problem> {
        let named = [self.text.is_some(), self.expression.is_some(), self.segment.is_some()];
        let mut faults = Vec::new();
        if named.into_iter().filter(|is_named| *is_named).count() != 1 {
            faults.push(Fault::at("", "has not exactly one of where, expression and segment"));
        }
        if self.by.len() > MOST_BY {
            faults.push(Fault::at("/by", format!("{} fields are more than {MOST_BY}", self.by.len())));
        }
        if self.sample.is_some_and(|count| count > MOST_SAMPLED) {
            faults.push(Fault::at("/sample", format!("is more than {MOST_SAMPLED}")));
        }
        if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
    }

    fn asked(&self, desk: &Desk<'_>, as_of: Instant) -> Result<Asked, Problem> {
        if let Some(id) = &self.segment {
            return Ok(desk.saved_one(id, as_of)?);
        }
        let compiled = match (&self.text, &self.expression) {
            (None, Some(tree)) => {
                let predicate =
                    desk.compile_tree(tree, as_of, None).map_err(|error| about_expression(&error))?;
                (tree.clone(), predicate)
            }
            (text, _) => {
                let text = text.as_deref().unwrap_or_default();
                desk.compile_written(text, as_of, None).map_err(|error| about_text("/where", text, &error))?
            }
        };
        let (expression, predicate) = compiled;
        Ok(Asked { card: None, expression, predicate })
    }
}

fn counted(view: &mut View<'_>, question: &PreviewBody) -> Result<Value, Problem> {
    let (as_of, reader) = (view.as_of(), view.desk.marketer());
    let asked = question.asked(&view.desk, as_of)?;
    let by = By::read(&view.desk, &question.by, as_of, reader)
        .map_err(|(place, error)| Problem::from(error).at(format!("/by/{place}")))?;
    let evaluated = view.evaluate(std::slice::from_ref(&asked), reader, &by.keys())?;
    let reached = view.reach()?;
    let change = match &asked.card {
        Some(card) => {
            let present = Evaluation { as_of, version: card.version.clone() };
            let evaluations = Evaluations::of(view.desk.saved.evaluations(&card.segment_id));
            evaluations.change(card, &present, &evaluated.members())?
        }
        None => None,
    };
    let counted = Counted {
        asked: &asked,
        as_of,
        users: evaluated.people.len() as u64,
        reader,
        members: evaluated.count(),
        breakdowns: by
            .breakdowns(&view.desk.catalogue, &evaluated.people, &evaluated.masks[0], &reached)
            .map_err(DeskError::from)?,
        change,
    };
    let mut report = counted.to_json();
    if let Some(limit) = question.sample {
        let may_be_shown = reader.check_members(evaluated.count()).is_ok();
        report["sample"] = match may_be_shown {
            true => json!(sample(&evaluated.members(), limit)),
            false => Value::Null,
        };
    }
    Ok(report)
}

/// How far saved segments are the same people
///
/// Sizes, who is in one alone, what every two share (Jaccard: members of both over members of either).
#[utoipa::path(
    post, path = "/v1/segments:overlap", tag = "segments",
    request_body(content = OverlapBody, content_type = "application/json"),
    responses(
        (status = 200, description = "Sizes, pairs, and what is in all or any", body = Object),
        (status = 400, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such saved segment", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There are no profiles yet", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not 2 to 20 segments, one twice, or one that cannot be evaluated", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Profiles are being rebuilt, or stopping", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn overlap(State(state): State<ApiState>, body: JsonBody) -> Result<Response, Problem> {
    let OverlapBody { segments: ids } = read(&body)?;
    check_compared(&ids)?;
    let report = reading_files(&state, move |state| {
        let (engine, now) = (state.engine(), state.0.clock.now());
        state.0.people.ask(engine.workspace(), engine.config(), now, |view| compared(view, &ids))
    })
    .await?;
    Ok(json(report.to_string()))
}

fn check_compared(ids: &[String]) -> Result<(), Problem> {
    let (least, most) = (COMPARED.start(), COMPARED.end());
    if !COMPARED.contains(&ids.len()) {
        let detail = format!("{} segments; {least} to {most} are compared", ids.len());
        return Err(Problem::invalid(vec![Fault::at("/segments", detail)]));
    }
    let twice = ids.iter().enumerate().find(|(place, id)| ids[..*place].contains(id));
    match twice {
        Some((place, id)) => {
            let detail = format!("segment {id:?} is the same as itself");
            Err(Problem::invalid(vec![Fault::at(format!("/segments/{place}"), detail)]))
        }
        None => Ok(()),
    }
}

fn compared(view: &mut View<'_>, ids: &[String]) -> Result<Value, Problem> {
    let (as_of, reader) = (view.as_of(), view.desk.marketer());
    let asked: Result<Vec<Asked>, DeskError> = ids.iter().map(|id| view.desk.saved_one(id, as_of)).collect();
    let asked = asked?;
    let evaluated = view.evaluate(&asked, reader, &BTreeSet::new())?;
    Ok(overlap_of(&evaluated.masks).to_json(&asked, as_of, evaluated.people.len() as u64, reader))
}
