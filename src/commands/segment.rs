//! `smartpush segment`: what can be asked of people, how many a question takes, and some of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::learning::{goal_of, question, read_before};
use super::output::{print_json, print_lines, progress_bar, thousands};
use super::{Context, Failure};
use crate::domain::goal::Unit;
use crate::domain::identity::hash_of;
use crate::domain::time::Instant;
use crate::domain::zone::Zone;
use crate::models::registry::{Registry, RegistryError};
use crate::models::score::{check_goal, check_inputs, score};
use crate::models::send_time::SendTimeModel;
use crate::models::send_time::population::{Cut, Population};
use crate::profiles::declared::Declared;
use crate::profiles::table::ProfileFile;
use crate::segments::compile::{Circumstances, Saved};
use crate::segments::expression::Expression;
use crate::segments::fields::{FUNCTIONS, Field, FieldCatalogue, Function};
use crate::segments::frame::members;
use crate::segments::keys::{Computed, Key, needs};
use crate::segments::people::People;
use crate::segments::people::attributes::attribute_types;
use crate::segments::predicate::Predicate;
use crate::segments::{compile_json, compile_text};
use crate::workspace::Workspace;

/// Ask who belongs to a segment: which fields there are, how many users it takes, some of them
///
/// People are those of the newest profiles (`smartpush profile`), or of those as of T. What is unknown of a user meets no
/// condition; `is unknown` asks for it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush segment fields
  smartpush segment count --where 'purchases_30d >= 2 and last_seen < 14d and not opted_out'
  smartpush segment sample --where 'interest(\"DELI\") > 0.1 or propensity_decile(\"purchase_7d\") >= 9'
  smartpush segment count --where segment.json")]
pub(super) struct SegmentArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// List the fields with their types, and the functions
    Fields,
    /// Count the members
    Count(Selection),
    /// Show some members, always the same for the same people
    Sample {
        #[command(flatten)]
        selection: Selection,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: usize,
    },
}

#[derive(clap::Args)]
struct Selection {
    /// The segment as text or JSON, or a file that holds it
    #[arg(long = "where", value_name = "TEXT|FILE")]
    condition: String,
    /// People as of this moment, of which there are profiles
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
}

pub(super) fn run(context: &Context, arguments: &SegmentArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let catalogue = catalogue(context, &workspace)?;
    match &arguments.action {
        Action::Fields => {
            list_fields(context, &catalogue);
            Ok(())
        }
        Action::Count(selection) => show(context, &evaluate(context, &workspace, &catalogue, selection)?, 0),
        Action::Sample { selection, limit } => {
            show(context, &evaluate(context, &workspace, &catalogue, selection)?, *limit)
        }
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

/// A segment's answer.
struct Answer {
    expression: Expression,
    as_of: Instant,
    users: usize,
    /// Ids, sorted.
    members: Vec<String>,
}

fn evaluate(
    context: &Context,
    workspace: &Workspace,
    catalogue: &FieldCatalogue,
    selection: &Selection,
) -> Result<Answer, Failure> {
    let as_of = selection.as_of.as_deref().map(|text| context.parse_moment(text)).transpose()?;
    let as_of = ProfileFile::find(workspace, as_of)?.as_of;
    let zone = Zone::find(&context.config.default_time_zone).map_err(Failure::caller)?;
    let (expression, predicate) =
        read_segment(&selection.condition, Circumstances { catalogue, as_of, zone: &zone })?;
    let needs = needs(&predicate);
    let mut people = People::read(workspace, Some(as_of), &needs, &zone)?;
    for key in people.missing(&needs) {
        people = learn(context, workspace, people, &key)?;
    }
    let mask = members(&predicate, &people)?;
    let taken = people.ids().iter().zip(mask.iter()).filter(|(_, taken)| *taken == Some(true));
    let members = taken.filter_map(|(id, _)| id.map(str::to_string)).collect();
    Ok(Answer { expression, as_of, users: people.len(), members })
}

/// The text itself, or of a file that it names; neither can begin as JSON does.
fn read_segment(
    condition: &str,
    circumstances: Circumstances<'_>,
) -> Result<(Expression, Predicate), Failure> {
    let path = Path::new(condition);
    let written = match path.is_file() {
        true => std::fs::read_to_string(path)
            .map_err(|error| Failure::caller(format!("bad_segment_file: {condition}: {error}")))?,
        false => condition.to_string(),
    };
    let text = written.trim();
    let saved = |_: &str| None::<Saved<'static>>;
    let compiled = match text.starts_with(['{', '"']) {
        true => compile_json(text.as_bytes(), circumstances, None, &saved),
        false => compile_text(text, circumstances, None, &saved),
    };
    compiled.map_err(|error| Failure::caller(error.render(text)))
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

fn with_best_hours(context: &Context, workspace: &Workspace, people: People) -> Result<People, Failure> {
    let bar = progress_bar();
    bar.set_message("learning curves");
    let lake = context.lake(workspace)?;
    let declared = Declared::read(workspace, &context.config.default_time_zone)?;
    let population = Population::read(&lake, &declared, Cut::At(people.as_of()), &|_, _| ())?;
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

/// How many, and `limit` of them in the order of a draw that stays the same.
fn show(context: &Context, answer: &Answer, limit: usize) -> Result<(), Failure> {
    let drawn: BTreeSet<(u64, &str)> =
        answer.members.iter().map(|id| (hash_of(id.as_bytes()), id.as_str())).collect();
    let sample: Vec<&str> = drawn.into_iter().take(limit).map(|(_, id)| id).collect();
    if context.json {
        let mut report = serde_json::json!({
            "as_of": answer.as_of, "where": answer.expression.to_string(), "expression": answer.expression,
            "users": answer.users, "members": answer.members.len(),
        });
        if limit > 0 {
            report["sample"] = serde_json::json!(sample);
        }
        print_json(&report);
        return Ok(());
    }
    let (members, users) = (answer.members.len() as u64, answer.users as u64);
    let mut lines = vec![
        answer.expression.to_string(),
        format!("{} of {} users as of {}", thousands(members), thousands(users), answer.as_of),
    ];
    lines.extend(sample.iter().map(|id| format!("  {id}")));
    print_lines(&lines);
    Ok(())
}
