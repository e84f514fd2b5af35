//! Which segment is meant, of which people, and who asks: the arguments that questions about segments share.

use std::path::Path;

use super::super::{Context, Failure};
use operations::segments::{AskOptions, PeopleChoice, ReaderChoice, Selection, WrittenSegment};

/// Which segment, of which people.
#[derive(clap::Args)]
pub(super) struct SelectionArguments {
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
    pub(super) view: ViewArguments,
}

/// At which moment, and for whose eyes.
#[derive(clap::Args)]
pub(super) struct ViewArguments {
    /// People as of this moment, of which there are profiles [default: the newest profiles]
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// Who reads the answer: a marketer sees no count below segments.privacy_threshold, others rounded down to tens; an export
    /// for messaging leaves out users without consent
    #[arg(long = "for", value_name = "READER", default_value = "data")]
    reader: ReaderName,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ReaderName {
    Data,
    Marketer,
    Messaging,
}

impl SelectionArguments {
    /// The segment that the command line names.
    pub(super) fn selection(&self) -> Result<Selection, Failure> {
        match (&self.condition, &self.segment) {
            (Some(condition), _) => Ok(Selection::Written(written(condition)?)),
            (None, id) => Ok(Selection::Saved(id.clone().unwrap_or_default())),
        }
    }
}

impl ViewArguments {
    /// Who asks, and about which people.
    pub(super) fn asking(&self, context: &Context) -> Result<AskOptions<'static>, Failure> {
        if self.is_for_messaging() {
            return Err(Failure::caller(
                "bad_reader",
                "--for messaging is for `smartpush segment export`; write --for data or --for marketer",
            ));
        }
        self.asking_to_export(context)
    }

    /// Are the answers to be messaged?
    pub(super) fn is_for_messaging(&self) -> bool {
        matches!(self.reader, ReaderName::Messaging)
    }

    /// The same for an export, which may also be for messaging.
    pub(super) fn asking_to_export(&self, context: &Context) -> Result<AskOptions<'static>, Failure> {
        let as_of = context.given_moment(self.as_of.as_deref())?;
        Ok(AskOptions {
            people: as_of.map_or(PeopleChoice::Newest, PeopleChoice::AsOf),
            reader: match self.reader {
                ReaderName::Data | ReaderName::Messaging => ReaderChoice::DataTeam,
                ReaderName::Marketer => ReaderChoice::Marketer,
            },
        })
    }
}

/// A segment as text, JSON, or of a file that the text names.
pub(super) fn written(condition: &str) -> Result<WrittenSegment, Failure> {
    let path = Path::new(condition);
    let text = match path.is_file() {
        true => std::fs::read_to_string(path)
            .map_err(|error| Failure::caller("bad_segment_file", format!("{condition}: {error}")))?,
        false => condition.to_string(),
    };
    Ok(WrittenSegment::Text(text.trim().to_string()))
}
