//! Who is like the members of a seed, how sure that is, and what sets them apart.

mod error;
mod report;

pub use error::LookalikeError;
pub use report::{LookalikeReport, NotKnown, shortened};

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::save::{ExpectedVersion, NewDefinition, SaveReport, SaveRequest, save};
use super::upload::read_list;
use super::{AskOptions, ReaderChoice, WrittenSegment, answered};
use crate::context::Context;
use ::segments::answers::cache::View;
use ::segments::answers::desk::{AskedSegment, Desk, DeskError};
use ::segments::answers::lookalike::{
    Input, defining, eligible, first_needed, frame_of, inputs, name_of, then_needed,
};
use ::segments::answers::privacy::{PrivacyError, Reader};
use ::segments::language::expression::Expression;
use ::segments::language::keys::{LookupKey, Needs, needs};
use ::segments::language::predicate::Predicate;
use ::segments::people::People;
use domain::time::Instant;
use files::tables;
use models::lookalike::LookAlike;

/// Shares of the others that the curve shows.
const SHARES: [f64; 7] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5];

/// Who is looked for.
#[derive(Clone, Debug)]
pub struct LookalikeRequest {
    /// People like these.
    pub seed: LookalikeSeed,
    /// Fields that the model must not read.
    pub without: Vec<String>,
    /// Take so many of the most similar.
    pub reach: Option<ReachLimit>,
    /// Take those with at least this similarity, 0 … 1.
    pub similarity: Option<f64>,
    /// Save whom `reach` and `similarity` take, without the seed, as a list under this id.
    pub save: Option<String>,
    /// Write what the model read, with folds and similarities, to this file.
    pub rows: Option<PathBuf>,
}

/// The people whose like is looked for.
#[derive(Clone, Debug)]
pub enum LookalikeSeed {
    /// Members of a saved or ready-made segment.
    Segment(String),
    /// Members of a segment that is not saved.
    Written(WrittenSegment),
    /// Users on a list: a file with a column user_id.
    File(PathBuf),
}

/// How many of the most similar are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReachLimit {
    /// So many.
    People(usize),
    /// This share of those who are not in the seed.
    Share(f64),
}

/// Everybody who may be looked at, as the model saw them.
#[derive(Clone, Debug)]
pub struct LearnedLookalike {
    /// The moment that people are seen at.
    pub as_of: Instant,
    /// The seed as it was asked for.
    pub seed: String,
    /// Ids, sorted.
    pub ids: Vec<String>,
    /// Who of them is in the seed.
    pub members: Vec<bool>,
    /// People who are left out since their personalisation is off.
    pub not_looked_at: usize,
    /// What the model read.
    pub inputs: Vec<Input>,
    /// Inputs that the seed is defined by.
    pub defined_by: Vec<String>,
    /// Fields that were left out.
    pub without: Vec<String>,
    /// The model.
    pub model: LookAlike,
    /// Of a list: those on it who have no profile.
    pub not_known: Option<NotKnown>,
}

/// Learns to tell the seed from everybody else, and takes those who are most like it.
///
/// # Errors
/// When the request is invalid, there is too little to learn from, or a file cannot be read or written.
pub fn lookalike(
    context: &Context<'_>,
    asking: AskOptions<'_>,
    request: &LookalikeRequest,
) -> Result<LookalikeReport, LookalikeError> {
    check(context, asking.reader, request)?;
    let (learned, reader) = answered(context, asking, |view, reader| {
        Ok::<_, LookalikeError>((learn(context, view, reader, request)?, reader))
    })?;
    if let Some(path) = &request.rows {
        let frame = frame_of(&learned.ids, &learned.members, &learned.model, &learned.inputs)?;
        tables::write_frame(path, frame)?;
    }
    let is_asked = request.reach.is_some() || request.similarity.is_some();
    let taken = is_asked.then(|| taken(&learned, request));
    let curve = learned.model.curve(&learned.members, &SHARES);
    let mut report = LookalikeReport { learned, curve, taken, reader, saved: None };
    if let Some(id) = &request.save {
        report.saved = Some(save_taken(context, id, &report)?);
    }
    Ok(report)
}

/// What is wrong with the request, before any work.
fn check(
    context: &Context<'_>,
    reader: ReaderChoice,
    request: &LookalikeRequest,
) -> Result<(), LookalikeError> {
    if request.save.is_some() && request.reach.is_none() && request.similarity.is_none() {
        return Err(LookalikeError::MissingReach);
    }
    match (&request.rows, reader) {
        (Some(_), ReaderChoice::Marketer) => Err(PrivacyError::NamesPeople.into()),
        (Some(path), ReaderChoice::DataTeam) => Ok(context.check_out(path)?),
        (None, _) => Ok(()),
    }
}

fn save_taken(
    context: &Context<'_>,
    id: &str,
    report: &LookalikeReport,
) -> Result<SaveReport, LookalikeError> {
    let taken = report.taken.clone().unwrap_or_default();
    if taken.is_empty() {
        return Err(LookalikeError::NobodyReached);
    }
    let request = SaveRequest {
        id: id.to_string(),
        definition: NewDefinition::List(taken),
        description: Some(report.recipe()),
        expected: ExpectedVersion::Anything,
        patience: Duration::ZERO,
    };
    Ok(save(context, &request)?)
}

fn learn(
    context: &Context<'_>,
    view: &mut View<'_>,
    reader: Reader,
    request: &LookalikeRequest,
) -> Result<LearnedLookalike, LookalikeError> {
    let as_of = view.as_of();
    let without = request.without.iter().map(|field| view.desk.field(field, as_of, reader));
    let without = without.collect::<Result<BTreeSet<LookupKey>, DeskError>>()?;
    let asked = request.seed.asked(&view.desk, as_of)?;
    let needed = first_needed(&view.desk.catalogue);
    let evaluated = view.evaluate(std::slice::from_ref(&asked), reader, &needed)?;
    let keys = then_needed(&evaluated.people)?;
    let people = evaluated.people.look_up(context.workspace, &Needs { keys }, &view.desk.zone)?;
    let (mask, not_known) = match &request.seed {
        LookalikeSeed::File(file) => listed(context, file, &people)?,
        LookalikeSeed::Segment(_) | LookalikeSeed::Written(_) => (evaluated.masks[0].clone(), None),
    };
    let rows: Vec<usize> =
        (0..people.len()).zip(eligible(&people)?).filter(|row| row.1).map(|row| row.0).collect();
    let members: Vec<bool> = rows.iter().map(|row| mask[*row]).collect();
    reader.check_members(members.iter().filter(|member| **member).count() as u64)?;
    let inputs = inputs(&people, &rows, &members, &without);
    let ids: Vec<String> = rows.iter().filter_map(|row| people.ids().get(*row).map(str::to_string)).collect();
    let columns: Vec<&[f64]> = inputs.iter().map(|input| input.values.as_slice()).collect();
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let model = match LookAlike::learn(&names, &columns, &members) {
        Ok(model) => model,
        Err(error) => return Err(LookalikeError::Learn { error, not_known }),
    };
    let read: BTreeSet<&LookupKey> = inputs.iter().map(|input| &input.key).collect();
    let defining = defining(&needs(&asked.predicate).keys);
    let defined_by = defining.iter().filter(|key| read.contains(key)).map(name_of).collect();
    Ok(LearnedLookalike {
        as_of,
        seed: request.seed.named(&asked),
        not_looked_at: people.len() - rows.len(),
        defined_by,
        without: without.iter().map(name_of).collect(),
        ids,
        members,
        inputs,
        model,
        not_known,
    })
}

impl LookalikeSeed {
    /// The seed as a segment; of a list, everybody, of whom the list then says who.
    fn asked(&self, desk: &Desk<'_>, as_of: Instant) -> Result<AskedSegment, LookalikeError> {
        match self {
            LookalikeSeed::Segment(id) => Ok(desk.saved_one(id, as_of)?),
            LookalikeSeed::Written(written) => {
                let (expression, predicate) = written.compile(desk, as_of, None)?;
                Ok(AskedSegment { card: None, expression, predicate })
            }
            LookalikeSeed::File(_) => Ok(AskedSegment {
                card: None,
                expression: Expression::Everybody,
                predicate: Predicate::Everybody,
            }),
        }
    }

    /// As a reader knows it.
    fn named(&self, asked: &AskedSegment) -> String {
        match (self, &asked.card) {
            (LookalikeSeed::File(path), _) => {
                path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            }
            (_, Some(card)) => format!("{} version {}", card.segment_id, card.version),
            (_, None) => asked.expression.to_string(),
        }
    }
}

/// Who of the people is on a list, and how many on it have no profile.
fn listed(
    context: &Context<'_>,
    file: &std::path::Path,
    people: &People,
) -> Result<(Vec<bool>, Option<NotKnown>), LookalikeError> {
    let upload = read_list(context, file, people)?;
    let (unknown, read, file) = (upload.of_unknown, upload.read, file.to_path_buf());
    let not_known = (unknown > 0).then_some(NotKnown { unknown, read, file });
    let is_listed = |id: Option<&str>| id.is_some_and(|id| upload.members.contains(id));
    Ok((people.ids().iter().map(is_listed).collect(), not_known))
}

/// Ids of whom the request takes, sorted: the most similar of those outside the seed, equals in the order of their ids.
fn taken(learned: &LearnedLookalike, request: &LookalikeRequest) -> Vec<String> {
    let similarity = &learned.model.similarity;
    let mut others: Vec<usize> = (0..learned.ids.len()).filter(|row| !learned.members[*row]).collect();
    others.sort_by(|one, other| similarity[*other].total_cmp(&similarity[*one]));
    let most = match request.reach {
        Some(ReachLimit::People(people)) => people,
        Some(ReachLimit::Share(share)) => libm::round(share * others.len() as f64).max(1.0) as usize,
        None => others.len(),
    };
    let least = request.similarity.unwrap_or(0.0);
    others.truncate(most);
    others.retain(|row| similarity[*row] >= least);
    others.sort_unstable();
    others.into_iter().map(|row| learned.ids[row].clone()).collect()
}
