//! Segments: asked about, compared, saved and handed out; here: what every question about them shares.
//!
//! A question is answered from people who are read for it alone, or kept by a server between questions. The reader decides
//! which counts the answer contains. Each use case is a file.

pub mod count;
pub mod delete;
pub mod export;
pub mod fields;
pub mod groups;
pub mod list;
pub mod lookalike;
pub mod members;
pub mod overlap;
pub mod ready_made;
pub mod sample;
pub mod save;
pub mod show;
pub mod upload;

mod error;

pub use error::{AskError, WrittenError};

use super::context::Context;
use ::segments::answers::cache::{PeopleCache, View};
use ::segments::answers::desk::{AskedSegment, Desk, DeskError};
use ::segments::answers::privacy::Reader;
use ::segments::language::expression::Expression;
use ::segments::language::predicate::Predicate;
use domain::time::Instant;
use profiles::table::ProfileFile;
use registry::versions::Damaged;

/// Who asks about segments, and about which people.
#[derive(Clone, Copy, Debug)]
pub struct AskOptions<'a> {
    /// The people.
    pub people: PeopleChoice<'a>,
    /// Who reads the answer.
    pub reader: ReaderChoice,
}

/// Which people an answer is about.
#[derive(Clone, Copy, Debug)]
pub enum PeopleChoice<'a> {
    /// Those of the newest profiles, read for this answer.
    Newest,
    /// Those of the profiles as of a moment, read for this answer.
    AsOf(Instant),
    /// Those of the newest profiles that are not after the call's moment, kept between answers.
    Kept(&'a PeopleCache),
}

/// Who reads an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderChoice {
    /// Sees every number.
    DataTeam,
    /// Sees no count below `segments.privacy_threshold`, and may not ask by id.
    Marketer,
}

/// Which segment is asked about.
#[derive(Clone, Debug)]
pub enum Selection {
    /// One that is not saved.
    Written(WrittenSegment),
    /// A saved or ready-made one, by its id.
    Saved(String),
}

/// A segment as it is written.
#[derive(Clone, Debug)]
pub enum WrittenSegment {
    /// As text, or as JSON in a text.
    Text(String),
    /// As a tree.
    Tree(Expression),
}

impl ReaderChoice {
    fn reader(self, desk: &Desk<'_>) -> Reader {
        match self {
            ReaderChoice::DataTeam => Reader::DataTeam,
            ReaderChoice::Marketer => desk.marketer(),
        }
    }
}

impl Selection {
    /// The segment, compiled.
    fn asked(&self, desk: &Desk<'_>, as_of: Instant) -> Result<AskedSegment, AskError> {
        match self {
            Selection::Written(written) => {
                let (expression, predicate) = written.compile(desk, as_of, None)?;
                Ok(AskedSegment { card: None, expression, predicate })
            }
            Selection::Saved(id) => Ok(desk.saved_one(id, as_of)?),
        }
    }
}

impl WrittenSegment {
    /// Compiles it; `own` is the id that it is to be saved under.
    fn compile(
        &self,
        desk: &Desk<'_>,
        as_of: Instant,
        own: Option<&str>,
    ) -> Result<(Expression, Predicate), WrittenError> {
        match self {
            WrittenSegment::Text(text) => desk
                .compile_written(text, as_of, own)
                .map_err(|error| WrittenError::Text { text: text.clone(), error: Box::new(error) }),
            WrittenSegment::Tree(tree) => match desk.compile_tree(tree, as_of, own) {
                Ok(predicate) => Ok((tree.clone(), predicate)),
                Err(error) => Err(WrittenError::Tree(Box::new(error))),
            },
        }
    }
}

/// Answers a question about the people that are asked for. An answer from kept people is made again when the files change
/// meanwhile.
fn answered<T, E: From<DeskError>>(
    context: &Context<'_>,
    asking: AskOptions<'_>,
    answer: impl Fn(&mut View<'_>, Reader) -> Result<T, E>,
) -> Result<T, E> {
    let (workspace, config) = (context.workspace, context.config);
    let answer = |view: &mut View<'_>| {
        let reader = asking.reader.reader(&view.desk);
        answer(view, reader)
    };
    let as_of = match asking.people {
        PeopleChoice::Kept(cache) => return cache.ask(workspace, config, context.now, answer),
        PeopleChoice::Newest => None,
        PeopleChoice::AsOf(as_of) => Some(as_of),
    };
    let warn = |version: &Damaged| context.progress.warn(&version.to_string());
    let desk = Desk::open(workspace, config)?.telling(&warn);
    let as_of = ProfileFile::find(workspace, as_of).map_err(DeskError::from)?.as_of;
    answer(&mut View::once(desk, as_of))
}
