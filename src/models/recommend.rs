//! The best contents for each user, as of a moment: candidates ranked by a goal's model, or by popularity without one.

use polars::prelude::*;

use super::examples::GoalQuestion;
use super::inputs::{AsOf, Item, UserAsOf};
use super::timeline::Timeline;
use domain::time::Instant;
use profiles::ProfileError;
use registry::model::{InputBlock, Model};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Contents for each user.
    pub top: usize,
    /// Only contents that the user has not touched yet.
    pub unseen: bool,
}

/// One user's contents, best first: (content, score).
pub type Ranking = Vec<(usize, f64)>;

/// Rankings of every user with an event before a moment, in order of user.
pub fn recommend(
    question: &GoalQuestion<'_>,
    model: Option<&Model>,
    at: Instant,
    wanted: Wanted,
) -> Result<Vec<(usize, Ranking)>, ProfileError> {
    let as_of = AsOf::new(question.sources, question.goal, at)?;
    let timeline = question.sources.timeline;
    let known: Vec<usize> =
        (0..timeline.users().len()).filter(|user| !timeline.events_before(*user, at).is_empty()).collect();
    let rankings = parallel::map(known.len(), |index| rank(question, model, &as_of, known[index], wanted));
    Ok(known.into_iter().zip(rankings).collect())
}

/// One user's ranking: by score, ties by content.
pub fn rank(
    question: &GoalQuestion<'_>,
    model: Option<&Model>,
    as_of: &AsOf,
    user: usize,
    wanted: Wanted,
) -> Ranking {
    let known = as_of.user(question.sources, user);
    let most = question.training.candidates.max(2 * wanted.top);
    let is_personal = !question.sources.is_opted_out_of_learning(&question.sources.timeline.users()[user]);
    let contents = match is_personal {
        true => known.candidates(most, wanted.unseen),
        // Enough that as many are left when the seen ones go.
        false if wanted.unseen => known.popular(usize::MAX),
        false => known.popular(most),
    };
    let contents = contents.into_iter();
    let contents = contents.filter(|content| !wanted.unseen || !known.has_touched(*content));
    let mut ranking: Ranking = match model {
        Some(model) => {
            contents.map(|content| (content, score(model, &known, content, is_personal))).collect()
        }
        None => contents.map(|content| (content, popularity(&known, content))).collect(),
    };
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranking.truncate(wanted.top);
    ranking
}

/// Calibrated response probability. Of a user whose acts may not decide what he gets, only the content counts.
fn score(model: &Model, known: &UserAsOf<'_>, content: usize, is_personal: bool) -> f64 {
    let item = Item::Content(content);
    let about = known.block(InputBlock::Content, item);
    if !is_personal {
        return model.score(&[], &about, &[]);
    }
    model.score(&known.block(InputBlock::User, item), &about, &known.block(InputBlock::Pair, item))
}

/// What stands in for a score without a model: decayed popularity, on the scale of the input's logarithm.
fn popularity(known: &UserAsOf<'_>, content: usize) -> f64 {
    super::inputs::content::fallback_popularity(&known.block(InputBlock::Content, Item::Content(content)))
}

/// Rankings as a table: user_id, rank from 1, content_id, score.
pub fn frame_of(timeline: &Timeline, rankings: &[(usize, Ranking)]) -> PolarsResult<DataFrame> {
    let rows = || {
        rankings.iter().flat_map(|(user, ranking)| {
            ranking
                .iter()
                .enumerate()
                .map(move |(rank, (content, score))| (*user, rank + 1, *content, *score))
        })
    };
    let users = rows().map(|(user, _, _, _)| timeline.users()[user].as_str());
    let contents = rows().map(|(_, _, content, _)| timeline.contents()[content].as_str());
    let columns = vec![
        StringChunked::from_iter_values("user_id".into(), users).into_column(),
        Int32Chunked::from_iter_values("rank".into(), rows().map(|(_, rank, _, _)| rank as i32))
            .into_column(),
        StringChunked::from_iter_values("content_id".into(), contents).into_column(),
        Float64Chunked::from_iter_values("score".into(), rows().map(|(_, _, _, score)| score)).into_column(),
    ];
    DataFrame::new(columns[0].len(), columns)
}
