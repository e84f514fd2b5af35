//! Which segment is meant, and its evaluation: the part that all answers share.

use std::ops::Deref;
use std::path::Path;

use super::super::output::warn_of_damaged;
use super::super::{Context, Failure};
use domain::time::Instant;
use files::workspace::Workspace;
use profiles::table::ProfileFile;
use segments::answers::desk::{self, Asked, DeskError};
use segments::answers::privacy::Reader;
use segments::language::expression::Expression;
use segments::language::predicate::Predicate;

/// What every verb works with.
pub(super) struct Desk<'a> {
    pub(super) context: &'a Context,
    desk: desk::Desk<'a>,
}

impl<'a> Deref for Desk<'a> {
    type Target = desk::Desk<'a>;

    fn deref(&self) -> &desk::Desk<'a> {
        &self.desk
    }
}

/// Which people are asked for, and who asks.
#[derive(clap::Args)]
pub(super) struct Selection {
    /// The segment as text or JSON, or a file that holds it
    #[arg(
        long = "where",
        value_name = "TEXT|FILE",
        required_unless_present = "segment",
        conflicts_with = "segment"
    )]
    condition: Option<String>,
    /// A saved segment, or a ready-made one (ready:cooling; `smartpush segment ready-made` lists them)
    #[arg(long, value_name = "ID")]
    segment: Option<String>,
    #[command(flatten)]
    pub(super) view: View,
}

/// At which moment, and for whose eyes.
#[derive(clap::Args)]
pub(super) struct View {
    /// People as of this moment, of which there are profiles
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// Who reads the answer: a marketer sees no count below segments.privacy_threshold, others rounded to 10
    #[arg(long = "for", value_name = "READER", default_value = "data")]
    reader: ReaderName,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ReaderName {
    Data,
    Marketer,
}

impl<'a> Desk<'a> {
    pub(super) fn open(context: &'a Context, workspace: &'a Workspace) -> Result<Desk<'a>, Failure> {
        let desk = desk::Desk::open(workspace, &context.config)?.telling(warn_of_damaged);
        Ok(Desk { context, desk })
    }

    /// The moment of the profiles that answers come from.
    pub(super) fn moment(&self, view: &View) -> Result<Instant, Failure> {
        let as_of = view.as_of.as_deref().map(|text| self.context.parse_moment(text)).transpose()?;
        Ok(ProfileFile::find(self.workspace, as_of)?.as_of)
    }

    /// Who reads.
    pub(super) fn reader(&self, view: &View) -> Reader {
        match view.reader {
            ReaderName::Data => Reader::DataTeam,
            ReaderName::Marketer => self.marketer(),
        }
    }

    /// The segment that the command line names, compiled.
    pub(super) fn asked(&self, selection: &Selection, as_of: Instant) -> Result<Asked, Failure> {
        match (&selection.condition, &selection.segment) {
            (Some(condition), _) => {
                let (expression, predicate) = self.compiled(condition, as_of, None)?;
                Ok(Asked { card: None, expression, predicate })
            }
            (None, id) => Ok(self.saved_one(id.as_deref().unwrap_or_default(), as_of)?),
        }
    }

    /// A text, JSON, or of a file that it names; `own` is the id that it is to be saved under.
    pub(super) fn compiled(
        &self,
        condition: &str,
        as_of: Instant,
        own: Option<&str>,
    ) -> Result<(Expression, Predicate), Failure> {
        let path = Path::new(condition);
        let written = match path.is_file() {
            true => std::fs::read_to_string(path)
                .map_err(|error| Failure::caller("bad_segment_file", format!("{condition}: {error}")))?,
            false => condition.to_string(),
        };
        let text = written.trim();
        let wrong = |error| DeskError::Field { text: text.to_string(), error };
        Ok(self.compile_written(text, as_of, own).map_err(wrong)?)
    }
}
