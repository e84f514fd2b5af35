//! Which segment is meant, and its evaluation: the part that all answers share.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::{Context, Failure};
use super::learn;
use crate::domain::time::Instant;
use crate::domain::zone::Zone;
use crate::profiles::table::ProfileFile;
use crate::segments::compile::{Circumstances, compile};
use crate::segments::error::SegmentError;
use crate::segments::expression::Expression;
use crate::segments::fields::FieldCatalogue;
use crate::segments::frame::members;
use crate::segments::keys::{Key, Needs, needs};
use crate::segments::people::People;
use crate::segments::predicate::{Predicate, Question};
use crate::segments::privacy::Reader;
use crate::segments::saved::{Card, SavedSegments};
use crate::segments::{compile_json, compile_text};
use crate::workspace::Workspace;

/// What every verb works with.
pub(super) struct Desk<'a> {
    pub(super) context: &'a Context,
    pub(super) workspace: &'a Workspace,
    pub(super) catalogue: FieldCatalogue,
    pub(super) zone: Zone,
    pub(super) saved: SavedSegments,
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

/// A segment that can be evaluated.
pub(super) struct Asked {
    /// The card, when it is a saved one.
    pub(super) card: Option<Card>,
    pub(super) expression: Expression,
    pub(super) predicate: Predicate,
}

/// People and who of them is a member, for each segment that was asked.
pub(super) struct Evaluated {
    pub(super) people: People,
    pub(super) masks: Vec<Vec<bool>>,
}

impl Evaluated {
    /// Ids of the members of the first segment, sorted.
    pub(super) fn members(&self) -> Vec<String> {
        let mask = self.masks.first().map(Vec::as_slice).unwrap_or_default();
        let taken = self.people.ids().iter().zip(mask).filter(|(_, taken)| **taken);
        taken.filter_map(|(id, _)| id.map(str::to_string)).collect()
    }
}

impl<'a> Desk<'a> {
    pub(super) fn open(
        context: &'a Context,
        workspace: &'a Workspace,
        catalogue: FieldCatalogue,
    ) -> Result<Desk<'a>, Failure> {
        let zone = Zone::find(&context.config.default_time_zone).map_err(Failure::caller)?;
        let saved = SavedSegments::read(workspace)?.with_goals(catalogue.goals());
        Ok(Desk { context, workspace, catalogue, zone, saved })
    }

    /// The moment of the profiles that answers come from.
    pub(super) fn moment(&self, view: &View) -> Result<Instant, Failure> {
        let as_of = view.as_of.as_deref().map(|text| self.context.parse_moment(text)).transpose()?;
        Ok(ProfileFile::find(self.workspace, as_of)?.as_of)
    }

    /// Who reads.
    pub(super) fn reader(&self, view: &View) -> Reader {
        let threshold = self.context.config.segments.privacy_threshold;
        match view.reader {
            ReaderName::Data => Reader::DataTeam,
            ReaderName::Marketer => Reader::Marketer { threshold },
        }
    }

    fn circumstances(&self, as_of: Instant) -> Circumstances<'_> {
        Circumstances { catalogue: &self.catalogue, as_of, zone: &self.zone }
    }

    /// The segment that the command line names, compiled.
    pub(super) fn asked(&self, selection: &Selection, as_of: Instant) -> Result<Asked, Failure> {
        match (&selection.condition, &selection.segment) {
            (Some(condition), _) => {
                let (expression, predicate) = self.compiled(condition, as_of, None)?;
                Ok(Asked { card: None, expression, predicate })
            }
            (None, id) => self.saved_one(id.as_deref().unwrap_or_default(), as_of),
        }
    }

    /// A saved segment, compiled.
    pub(super) fn saved_one(&self, id: &str, as_of: Instant) -> Result<Asked, Failure> {
        let segment = self.saved.in_use(id)?;
        let expression = segment.expression();
        let saved = |id: &str| self.saved.find(id);
        let predicate = compile(&expression, self.circumstances(as_of), None, &saved).map_err(|located| {
            let error = located.within(&expression, None);
            Failure::caller(format!("bad_segment: segment {id:?}: {error}\n  {expression}"))
        })?;
        Ok(Asked { card: Some(segment.card.clone()), expression, predicate })
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
                .map_err(|error| Failure::caller(format!("bad_segment_file: {condition}: {error}")))?,
            false => condition.to_string(),
        };
        let (text, saved) = (written.trim(), |id: &str| self.saved.find(id));
        // Text begins with neither.
        let compiled = match text.starts_with(['{', '"']) {
            true => compile_json(text.as_bytes(), self.circumstances(as_of), own, &saved),
            false => compile_text(text, self.circumstances(as_of), own, &saved),
        };
        compiled.map_err(|error| Failure::caller(error.render(text)))
    }

    /// What a field, or a function with its arguments, looks up.
    pub(super) fn field(&self, field: &str, as_of: Instant, reader: Reader) -> Result<Key, Failure> {
        let text = format!("{} is known", field.trim());
        let saved = |id: &str| self.saved.find(id);
        let compiled = compile_text(&text, self.circumstances(as_of), None, &saved);
        let (_, predicate) = compiled.map_err(|error: SegmentError| Failure::caller(error.render(&text)))?;
        reader.check_question(&needs(&predicate))?;
        match predicate {
            Predicate::Holds { key, question: Question::IsKnown } => Ok(key),
            _ => Err(Failure::caller(format!("bad_field: {field:?} is not one field"))),
        }
    }

    /// Evaluates segments on the same people, looking up `also` beside what they need: all out of one snapshot.
    pub(super) fn evaluate(
        &self,
        asked: &[Asked],
        as_of: Instant,
        reader: Reader,
        also: &BTreeSet<Key>,
    ) -> Result<Evaluated, Failure> {
        let mut keys = also.clone();
        for one in asked {
            let own = needs(&one.predicate);
            reader.check_question(&own)?;
            keys.extend(own.keys);
        }
        let needs = Needs { keys };
        let mut people = People::read(self.workspace, Some(as_of), &needs, &self.zone)?;
        for key in people.missing(&needs) {
            people = match &key {
                Key::List(id) => {
                    let ids = self.saved.members_of_list(id)?;
                    people.with_list(id, &ids.iter().map(String::as_str).collect())?
                }
                key => learn(self.context, self.workspace, people, key)?,
            };
        }
        let mask = |one: &Asked| -> Result<Vec<bool>, Failure> {
            let mask = members(&one.predicate, &people)?;
            Ok(mask.iter().map(|answer| answer == Some(true)).collect())
        };
        let masks = asked.iter().map(mask).collect::<Result<_, _>>()?;
        Ok(Evaluated { people, masks })
    }
}
