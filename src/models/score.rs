//! Propensities of everybody a goal is about, as of a moment.

use polars::prelude::*;

use super::examples::{ExampleError, Examples, GoalQuestion, Moment, moments_at};
use super::inputs::user::user_features;
use super::inputs::{AsOf, InputList, Item, UserAsOf, inputs_sha256};
use domain::goal::{Goal, Unit};
use domain::time::Instant;
use profiles::features::features_sha256;
use registry::model::{InputBlock, Model, ModelError};

/// One propensity.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Index into the timeline's users.
    pub user: usize,
    /// The campaign, for goals about campaigns.
    pub campaign: Option<String>,
    /// Index into the timeline's contents, for goals about contents.
    pub content: Option<usize>,
    /// Calibrated P(goal).
    pub propensity: f64,
}

/// Is the goal still the one that the model was trained for?
pub fn check_goal(model: &Model, goal: &Goal) -> Result<(), ModelError> {
    match model.definition.asks_the_same_as(goal) {
        true => Ok(()),
        false => Err(ModelError::OtherGoal(model.goal.clone())),
    }
}

/// Does this build compute the inputs that the model was trained on?
pub fn check_inputs(model: &Model) -> Result<(), ModelError> {
    let pairs = [
        (&model.features_sha256, features_sha256(&user_features())),
        (&model.inputs_sha256, inputs_sha256(model.definition.unit)),
    ];
    match pairs.into_iter().find(|(found, wanted)| *found != wanted) {
        Some((found, wanted)) => Err(ModelError::OtherFeatures {
            found: found.chars().take(12).collect(),
            wanted: wanted.chars().take(12).collect(),
        }),
        None => check_list(model),
    }
}

/// Are the weighted inputs those of the list, in its order? The base rate weighs none.
fn check_list(model: &Model) -> Result<(), ModelError> {
    let list = InputList::of(model.definition.unit);
    let is_same = model.inputs.len() == list.len()
        && model.inputs.iter().zip(list.iter()).all(|(input, named)| (input.block, &*input.name) == named);
    if is_same || (model.inputs.is_empty() && !model.kind.can_be_served()) {
        return Ok(());
    }
    Err(ModelError::Bad("its inputs are not those that inputs_sha256 stands for".into()))
}

/// Scores the goal's population as of a moment, in order of user, campaign, content.
///
/// The population of a goal about campaigns is who was targeted before the moment by campaigns that run at it; of a goal
/// about contents, each user of the population with his candidates.
pub fn score(question: &GoalQuestion<'_>, model: &Model, at: Instant) -> Result<Vec<Score>, ExampleError> {
    let as_of = AsOf::new(question.sources, question.goal, at)?;
    let mut scores = Vec::new();
    for moment in moments_at(question, at) {
        let users = question.population(&moment);
        let parts =
            parallel::map(users.len(), |index| score_user(question, model, &as_of, &moment, users[index]));
        scores.extend(parts.into_iter().flatten());
    }
    if scores.is_empty() {
        return Err(nobody(question, at));
    }
    scores.sort_by(|a, b| (a.user, &a.campaign, a.content).cmp(&(b.user, &b.campaign, b.content)));
    Ok(scores)
}

/// Whom and what the goal is about at a moment, without propensities (NaN), in order of user, campaign, content.
pub fn population_at(question: &GoalQuestion<'_>, at: Instant) -> Result<Vec<Score>, ExampleError> {
    let as_of = AsOf::new(question.sources, question.goal, at)?;
    let mut rows = Vec::new();
    for moment in moments_at(question, at) {
        for user in question.population(&moment) {
            let known = as_of.user(question.sources, user);
            let contents = contents_of(question, &known);
            rows.extend(contents.into_iter().map(|content| Score {
                user,
                campaign: moment.campaign.clone(),
                content,
                propensity: f64::NAN,
            }));
        }
    }
    rows.sort_by(|a, b| (a.user, &a.campaign, a.content).cmp(&(b.user, &b.campaign, b.content)));
    match rows.is_empty() {
        true => Err(nobody(question, at)),
        false => Ok(rows),
    }
}

fn nobody(question: &GoalQuestion<'_>, at: Instant) -> ExampleError {
    ExampleError::EmptyPopulation {
        goal: question.name.to_string(),
        why: format!("nobody belongs to it at {at}"),
    }
}

/// What a user is scored with: his candidates, or nothing.
fn contents_of(question: &GoalQuestion<'_>, known: &UserAsOf<'_>) -> Vec<Option<usize>> {
    match question.goal.unit {
        Unit::UserContent => {
            known.candidates(question.training.candidates, false).into_iter().map(Some).collect()
        }
        Unit::UserDay | Unit::UserCampaign => vec![None],
    }
}

fn score_user(
    question: &GoalQuestion<'_>,
    model: &Model,
    as_of: &AsOf,
    moment: &Moment,
    user: usize,
) -> Vec<Score> {
    let known = as_of.user(question.sources, user);
    let contents = contents_of(question, &known);
    let own = known.block(InputBlock::User, Item::Nothing);
    let one = |content: Option<usize>| {
        let campaign = moment.campaign.as_deref().map_or(Item::Nothing, Item::Campaign);
        let item = content.map_or(campaign, Item::Content);
        let (about, pair) = (known.block(InputBlock::Content, item), known.block(InputBlock::Pair, item));
        Score {
            user,
            campaign: moment.campaign.clone(),
            content,
            propensity: model.score(&own, &about, &pair),
        }
    };
    contents.into_iter().map(one).collect()
}

/// Scores as a table: user_id, campaign_id and content_id where the goal has them, propensity.
pub fn frame_of(question: &GoalQuestion<'_>, scores: &[Score]) -> PolarsResult<DataFrame> {
    let timeline = question.sources.timeline;
    let ids = scores.iter().map(|score| timeline.users()[score.user].as_str());
    let mut columns = vec![StringChunked::from_iter_values("user_id".into(), ids).into_column()];
    if question.goal.unit == Unit::UserCampaign {
        let campaigns = scores.iter().map(|score| score.campaign.as_deref());
        columns.push(StringChunked::from_iter_options("campaign_id".into(), campaigns).into_column());
    }
    if question.goal.unit == Unit::UserContent {
        let contents =
            scores.iter().map(|score| score.content.map(|content| timeline.contents()[content].as_str()));
        columns.push(StringChunked::from_iter_options("content_id".into(), contents).into_column());
    }
    let values = scores.iter().map(|score| score.propensity).collect();
    columns.push(Float64Chunked::from_vec("propensity".into(), values).into_column());
    DataFrame::new(scores.len(), columns)
}

/// The part of rows that are to be predicted: everybody the goal is about at T.
pub const POPULATION: &str = "population";

/// Examples as a table: what each row is about, its moment, the part that training takes it for, its label, its inputs.
///
/// Rows whose label nobody knows yet, those of the part `population`, have none.
pub fn examples_frame(
    question: &GoalQuestion<'_>,
    examples: &Examples,
    parts: &[&'static str],
) -> PolarsResult<DataFrame> {
    let timeline = question.sources.timeline;
    let rows = examples.rows.iter();
    let ids = rows.clone().map(|row| timeline.users()[row.user as usize].as_str());
    let mut columns = vec![StringChunked::from_iter_values("user_id".into(), ids).into_column()];
    if question.goal.unit == Unit::UserCampaign {
        let campaigns = rows.clone().map(|row| examples.moments[row.moment as usize].campaign.as_deref());
        columns.push(StringChunked::from_iter_options("campaign_id".into(), campaigns).into_column());
    }
    if question.goal.unit == Unit::UserContent {
        let contents =
            rows.clone().map(|row| row.content.map(|content| timeline.contents()[content as usize].as_str()));
        columns.push(StringChunked::from_iter_options("content_id".into(), contents).into_column());
    }
    let stamps = rows.clone().map(|row| examples.moments[row.moment as usize].at.micros());
    let stamps = Int64Chunked::from_iter_values("as_of".into(), stamps);
    columns.push(stamps.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column());
    columns.push(StringChunked::from_iter_values("part".into(), parts.iter().copied()).into_column());
    let labels = examples.labels.iter().zip(parts);
    let labels = labels.map(|(label, part)| (*part != POPULATION).then_some(*label));
    columns.push(BooleanChunked::from_iter_options("label".into(), labels).into_column());
    for ((block, name), values) in examples.inputs.iter().zip(&examples.columns) {
        let name = format!("{}.{name}", block.as_str());
        let known = values.iter().map(|value| Some(*value).filter(|value| !value.is_nan()));
        columns.push(Float64Chunked::from_iter_options(name.into(), known).into_column());
    }
    DataFrame::new(examples.len(), columns)
}
