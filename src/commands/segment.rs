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

use std::collections::BTreeMap;

use self::selection::{Desk, Selection};
use super::learning::{goal_of, question, read_before};
use super::output::{print_json, print_lines, progress_bar};
use super::{Context, Failure};
use crate::domain::goal::Unit;
use crate::domain::time::Instant;
use crate::models::registry::{Registry, RegistryError};
use crate::models::score::{check_goal, check_inputs, score};
use crate::models::send_time::SendTimeModel;
use crate::models::send_time::population::{Cut, Population};
use crate::profiles::declared::Declared;
use crate::segments::fields::{FUNCTIONS, Field, FieldCatalogue, Function};
use crate::segments::keys::{Computed, Key};
use crate::segments::people::People;
use crate::segments::people::attributes::attribute_types;
use crate::segments::privacy::PrivacyError;
use crate::segments::saved::SavedError;
use crate::workspace::Workspace;

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
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// List the fields with their types, and the functions
    Fields,
    /// List the ready-made audiences with their sizes now
    ReadyMade(selection::View),
    /// Show the rhythm groups, their sizes, their peaks, and how stable they are
    Groups(selection::View),
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
    let workspace = context.open()?;
    let desk = Desk::open(context, &workspace, catalogue(context, &workspace)?)?;
    match &arguments.action {
        Action::Fields => {
            list_fields(context, &desk.catalogue);
            Ok(())
        }
        Action::ReadyMade(view) => ready_made::run(&desk, view),
        Action::Groups(view) => groups::run(&desk, view),
        Action::Count(arguments) => count::run(&desk, arguments),
        Action::Sample(arguments) => sample::run(&desk, arguments),
        Action::Export(arguments) => export::run(&desk, arguments),
        Action::Overlap(arguments) => overlap::run(&desk, arguments),
        Action::Lookalike(arguments) => lookalike::run(&desk, arguments),
        Action::Save(arguments) => storage::save(&desk, arguments),
        Action::Upload(arguments) => upload::run(&desk, arguments),
        Action::List => {
            storage::list(&desk);
            Ok(())
        }
        Action::Show { id } => storage::show(&desk, id),
        Action::Delete { id } => storage::delete(&desk, id),
    }
}

fn catalogue(context: &Context, workspace: &Workspace) -> Result<FieldCatalogue, Failure> {
    let goals = context.config.goals.iter().filter(|(_, goal)| goal.unit == Unit::UserDay);
    Ok(FieldCatalogue::new(attribute_types(workspace)?, goals.map(|(name, _)| name.clone()).collect()))
}

fn list_fields(context: &Context, catalogue: &FieldCatalogue) {
    if context.json {
        let fields: Vec<&Field> = catalogue.fields().collect();
        return print_json(&serde_json::json!({ "fields": fields, "functions": FUNCTIONS }));
    }
    let kind = |field_type| {
        serde_json::to_value(field_type).map(|word| word.as_str().unwrap_or_default().to_string())
    };
    let line = |name: &str, field_type, description: &str| {
        format!("{name:<34} {:<9} {description}", kind(field_type).unwrap_or_default())
    };
    let field = |field: &Field| line(&field.name, field.field_type, &field.description);
    let function = |function: &Function| line(function.form, function.field_type, function.description);
    print_lines(&catalogue.fields().map(field).chain(FUNCTIONS.iter().map(function)).collect::<Vec<_>>());
}

/// Looks up what models and curves say, as of the people's moment.
fn learn(context: &Context, workspace: &Workspace, people: People, key: &Key) -> Result<People, Failure> {
    match key {
        // A goal's decile may have come with its propensity.
        key if people.column(key).is_some() => Ok(people),
        Key::Propensity(goal) | Key::PropensityDecile(goal) => {
            with_propensities(context, workspace, people, goal)
        }
        Key::Computed(Computed::BestHour | Computed::BestHourOfWeek) => {
            with_best_hours(context, workspace, people)
        }
        Key::Computed(Computed::RhythmGroup) => groups::with_rhythm_groups(context, workspace, people),
        _ => Ok(people),
    }
}

fn with_propensities(
    context: &Context,
    workspace: &Workspace,
    people: People,
    name: &str,
) -> Result<People, Failure> {
    let (goal, registry, as_of) = (goal_of(context, name)?, Registry::of(workspace), people.as_of());
    let found = registry.newest(name, as_of)?;
    let path = registry.place(name, &found.version).join("model.json");
    check_goal(&found.model, goal)
        .and_then(|()| check_inputs(&found.model))
        .map_err(|fault| RegistryError::Unusable { path, fault })?;
    let material = read_before(context, workspace, &context.lake(workspace)?, as_of)?;
    let sources = material.sources(&found.model.profile_settings);
    let scores = score(&question(context, name, goal, &sources), &found.model, as_of)?;
    let users = material.timeline.users();
    let by_user = scores.iter().map(|score| (users[score.user].as_str(), score.propensity)).collect();
    Ok(people.with_propensities(name, &by_user)?)
}

/// Everybody's active hours before a moment.
fn population(context: &Context, workspace: &Workspace, as_of: Instant) -> Result<Population, Failure> {
    let lake = context.lake(workspace)?;
    let declared = Declared::read(workspace, &context.config.default_time_zone)?;
    Ok(Population::read(&lake, &declared, Cut::At(as_of), &|_, _| ())?)
}

fn with_best_hours(context: &Context, workspace: &Workspace, people: People) -> Result<People, Failure> {
    let bar = progress_bar();
    bar.set_message("learning curves");
    let population = population(context, workspace, people.as_of())?;
    let model = SendTimeModel::fit(&population.histories, context.config.send_time.interval);
    let (mut of_day, mut of_week) = (BTreeMap::new(), BTreeMap::new());
    for (user, id) in population.ids.iter().enumerate() {
        let curve = model.curve(user, &population.histories[user]);
        of_day.insert(id.as_str(), curve.best_hour_of_day() as f64);
        of_week.insert(id.as_str(), curve.best_hour_of_week() as f64);
    }
    bar.finish_and_clear();
    let people = people.with_numbers(Key::Computed(Computed::BestHour), &of_day)?;
    Ok(people.with_numbers(Key::Computed(Computed::BestHourOfWeek), &of_week)?)
}

impl From<SavedError> for Failure {
    fn from(error: SavedError) -> Self {
        match error {
            SavedError::Table(error) => error.into(),
            _ => Failure::new(2, error),
        }
    }
}

impl From<PrivacyError> for Failure {
    fn from(error: PrivacyError) -> Self {
        Failure::new(2, error)
    }
}
