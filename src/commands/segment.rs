//! `smartpush segment`: who belongs to a segment, saved or not: counted, sampled, exported, compared.

mod count;
mod export;
mod groups;
mod lookalike;
mod overlap;
mod ready_made;
mod sample;
mod selection;
mod storage;
mod upload;

use super::output::{print_json, print_lines};
use super::{Context, Failure};
use ::segments::language::fields::{CatalogueField, FUNCTIONS, FieldCatalogue, Function};
use operations::segments::PeopleChoice;
use operations::segments::fields::fields;

/// Ask who belongs to a segment: how many, some of them, all of them as a file; save it, compare it with others
///
/// People are those of the newest profiles (`smartpush profile`), or of those as of T. What is unknown of a user meets no
/// condition; `is unknown` asks for it. A saved segment has versions, can be named in others as in_segment("id"), and tells who
/// entered and who left since it was last counted.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush segment fields
  smartpush segment count --where 'purchases_30d >= 2 and last_seen < 14d and not opted_out'
  smartpush segment count --where 'interest(\"DELI\") > 0.1' --by lifecycle --for marketer
  smartpush segment ready-made
  smartpush segment count --segment ready:cooling --by rhythm_group
  smartpush segment save deli-fans --where 'interest(\"DELI\") > 0.1' --description 'likes the deli'
  smartpush segment upload friends --file friends.csv
  smartpush segment export --segment deli-fans --out deli-fans.csv --column locale
  smartpush segment overlap deli-fans friends
  smartpush segment lookalike --seed friends --reach 5% --save like-friends
  smartpush segment sample --where 'in_segment(\"friends\") and propensity_decile(\"purchase_7d\") >= 9'")]
pub(super) struct SegmentArguments {
    #[command(subcommand)]
    action: SegmentAction,
}

#[derive(clap::Subcommand)]
enum SegmentAction {
    /// List the fields with their types, and the functions
    Fields,
    /// List the ready-made audiences with their sizes now
    ReadyMade(selection::ViewArguments),
    /// Show the rhythm groups, their sizes, their peaks, and how stable they are
    Groups(selection::ViewArguments),
    Count(count::CountArguments),
    Sample(sample::SampleArguments),
    Export(export::ExportArguments),
    Overlap(overlap::OverlapArguments),
    Lookalike(lookalike::LookalikeArguments),
    Save(storage::SaveArguments),
    Upload(upload::UploadArguments),
    /// List the saved segments
    List,
    /// Show a saved segment with its versions and who names it
    Show {
        /// The segment
        id: String,
    },
    /// Take a saved segment out of use; its versions are kept
    Delete {
        /// The segment
        id: String,
    },
}

pub(super) fn run(context: &Context, arguments: &SegmentArguments) -> Result<(), Failure> {
    let workspace = &context.open()?;
    match &arguments.action {
        SegmentAction::Fields => {
            let catalogue = context.operate(workspace, |context| fields(context, PeopleChoice::Newest))?;
            list_fields(context, &catalogue);
            Ok(())
        }
        SegmentAction::ReadyMade(view) => ready_made::run(context, workspace, view),
        SegmentAction::Groups(view) => groups::run(context, workspace, view),
        SegmentAction::Count(arguments) => count::run(context, workspace, arguments),
        SegmentAction::Sample(arguments) => sample::run(context, workspace, arguments),
        SegmentAction::Export(arguments) => export::run(context, workspace, arguments),
        SegmentAction::Overlap(arguments) => overlap::run(context, workspace, arguments),
        SegmentAction::Lookalike(arguments) => lookalike::run(context, workspace, arguments),
        SegmentAction::Save(arguments) => storage::save(context, workspace, arguments),
        SegmentAction::Upload(arguments) => upload::run(context, workspace, arguments),
        SegmentAction::List => storage::list(context, workspace),
        SegmentAction::Show { id } => storage::show(context, workspace, id),
        SegmentAction::Delete { id } => storage::delete(context, workspace, id),
    }
}

fn list_fields(context: &Context, catalogue: &FieldCatalogue) {
    if context.json {
        let fields: Vec<&CatalogueField> = catalogue.fields().collect();
        return print_json(&serde_json::json!({ "fields": fields, "functions": FUNCTIONS }));
    }
    let kind = |field_type| {
        serde_json::to_value(field_type).map(|word| word.as_str().unwrap_or_default().to_string())
    };
    let line = |name: &str, field_type, description: &str| {
        format!("{name:<34} {:<9} {description}", kind(field_type).unwrap_or_default())
    };
    let field = |field: &CatalogueField| line(&field.name, field.field_type, &field.description);
    let function = |function: &Function| line(function.form, function.field_type, function.description);
    print_lines(&catalogue.fields().map(field).chain(FUNCTIONS.iter().map(function)).collect::<Vec<_>>());
}
