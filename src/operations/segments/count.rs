//! How many a segment has, of which kinds, whom a push would reach, and who came and went since the count before.

use serde_json::{Value, json};

use super::{AskError, AskOptions, Selection, answered};
use crate::context::{Context, ContextError};
use ::segments::answers::cache::View;
use ::segments::answers::count::{By, Counted};
use ::segments::answers::desk::{DeskError, Evaluated, sample};
use ::segments::answers::privacy::Reader;
use ::segments::saved::evaluations::{Evaluation, Evaluations, MembershipChange};
use ::segments::saved::versions::Card;

/// What to count.
#[derive(Clone, Debug)]
pub struct CountRequest {
    /// The segment.
    pub selection: Selection,
    /// Fields to count by beside the usual ones, or functions such as `propensity_decile("purchase_7d")`.
    pub by: Vec<String>,
    /// Show so many members too, always the same for the same people.
    pub sample: Option<usize>,
    /// Of a saved segment: keep who is in it, for the next count to compare with.
    pub keep_evaluation: bool,
}

/// A count.
#[derive(Debug)]
pub struct CountReport {
    /// The count.
    pub counted: Counted,
    /// Some members.
    pub sample: SampleShown,
    /// Why the evaluation is not kept, though it was to be: another process writes.
    pub not_kept: Option<ContextError>,
}

/// Some members of a segment, if they may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SampleShown {
    /// They were not asked for.
    NotAsked,
    /// They are too few for the reader to see who they are, or ids are not shown.
    Hidden,
    /// Their ids.
    Members(Vec<String>),
}

impl CountReport {
    /// One JSON object; what the reader may not see is null.
    pub fn to_json(&self) -> Value {
        let mut report = self.counted.to_json();
        match &self.sample {
            SampleShown::NotAsked => {}
            SampleShown::Hidden => report["sample"] = Value::Null,
            SampleShown::Members(ids) => report["sample"] = json!(ids),
        }
        report
    }
}

/// A segment's members at a moment, to be kept.
struct ToKeep {
    evaluations: Evaluations,
    evaluation: Evaluation,
    members: Vec<String>,
}

/// Counts the members by lifecycle, platform, locale, zone, what was asked for, and by what keeps a push from them.
///
/// # Errors
/// When the segment cannot be asked about, or something cannot be looked up or may not be told.
pub fn count(
    context: &Context<'_>,
    asking: AskOptions<'_>,
    request: &CountRequest,
) -> Result<CountReport, AskError> {
    let (counted, sample, to_keep) =
        answered(context, asking, |view, reader| counted(view, reader, request))?;
    let not_kept = match to_keep.filter(|_| request.keep_evaluation) {
        Some(to_keep) => keep(context, &to_keep)?,
        None => None,
    };
    Ok(CountReport { counted, sample, not_kept })
}

fn counted(
    view: &mut View<'_>,
    reader: Reader,
    request: &CountRequest,
) -> Result<(Counted, SampleShown, Option<ToKeep>), AskError> {
    let as_of = view.as_of();
    let asked = request.selection.asked(&view.desk, as_of)?;
    let by = By::read(&view.desk, &request.by, as_of, reader)
        .map_err(|(index, error)| AskError::By { index, error: Box::new(error) })?;
    let evaluated = view.evaluate(std::slice::from_ref(&asked), reader, &by.keys())?;
    let reached = view.reach()?;
    let (change, to_keep) = match &asked.card {
        Some(card) => change(view, card, &evaluated).map(|(change, to_keep)| (change, Some(to_keep)))?,
        None => (None, None),
    };
    let sample = request.sample.map_or(SampleShown::NotAsked, |limit| shown(&evaluated, reader, limit));
    let breakdowns = by.breakdowns(&view.desk.catalogue, &evaluated.people, &evaluated.masks[0], &reached)?;
    let (users, members) = (evaluated.people.len() as u64, evaluated.count());
    Ok((Counted { asked, as_of, users, reader, members, breakdowns, change }, sample, to_keep))
}

/// What is different from the evaluation before, and this one.
fn change(
    view: &View<'_>,
    card: &Card,
    evaluated: &Evaluated,
) -> Result<(Option<MembershipChange>, ToKeep), DeskError> {
    let evaluations = Evaluations::of(view.desk.saved.evaluations(&card.segment_id));
    let evaluation = Evaluation { as_of: view.as_of(), version: card.version.clone() };
    let members = evaluated.members();
    let change = evaluations.change(card, &evaluation, &members)?;
    Ok((change, ToKeep { evaluations, evaluation, members }))
}

fn shown(evaluated: &Evaluated, reader: Reader, limit: usize) -> SampleShown {
    if reader.check_members(evaluated.count()).is_err() {
        return SampleShown::Hidden;
    }
    SampleShown::Members(sample(&evaluated.members(), limit).into_iter().map(str::to_string).collect())
}

/// Counting does not wait for a writer; the next count compares with an older evaluation then.
fn keep(context: &Context<'_>, to_keep: &ToKeep) -> Result<Option<ContextError>, DeskError> {
    match context.workspace.try_lock() {
        Ok(lock) => {
            to_keep.evaluations.keep(&to_keep.evaluation, &to_keep.members, &lock)?;
            Ok(None)
        }
        Err(error) => Ok(Some(error.into())),
    }
}
