//! Where questions about segments are answered: one workspace with its settings, fields and saved segments.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::privacy::{PrivacyError, Reader};
use crate::language::compile::{Circumstances, compile, compile_saved};
use crate::language::error::SegmentError;
use crate::language::expression::Expression;
use crate::language::fields::{FieldCatalogue, FieldType};
use crate::language::keys::{Computed, LookupKey, Needs, needs};
use crate::language::predicate::{CompiledQuestion, Predicate};
use crate::language::{compile_json, compile_text};
use crate::names::Names;
use crate::people::attributes::attribute_types;
use crate::people::frame::members;
use crate::people::reach::{self, CAN_BE_PUSHED, with_can_be_pushed};
use crate::people::{People, PeopleError};
use crate::saved::versions::{Card, SavedError, SavedSegments};
use config::Config;
use curves::SendTimeModel;
use curves::named_rhythms::{NamedRhythms, weeks};
use curves::population::{Cut, Population};
use domain::error::{Coded, ErrorKind};
use domain::goal::Unit;
use domain::identity::hash_of;
use domain::time::Instant;
use domain::zone::{UnknownZone, Zone};
use events::lake::{Lake, LakeError};
use files::tables::TableError;
use files::workspace::Workspace;
use models::examples::{self, ExampleError};
use models::material::Material;
use models::score::{check_goal, check_inputs, score};
use profiles::ProfileError;
use profiles::declared::Declared;
use registry::versions::{Damaged, Newest, Registry, RegistryError};

/// Most different things that one question looks up of everybody: each is a column in memory.
const MOST_KEYS: usize = 200;

/// A question about segments without an answer.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A text that names one field is wrong.
    #[error("{}", .error.render(.text))]
    Field {
        /// The text as it was read.
        text: String,
        /// What is wrong with it.
        error: SegmentError,
    },
    /// Something else than one field.
    #[error("bad_field: {0:?} is not one field")]
    NotAField(String),
    /// Too much to look up at once.
    #[error("too_large: {0} different things are asked of each person; one question may ask {MOST_KEYS}")]
    TooLarge(usize),
    /// A saved segment that cannot be asked any more: what it names is gone.
    #[error("bad_segment: segment {id:?}: {error}\n  {expression}")]
    Stale {
        /// The segment.
        id: String,
        /// What is wrong with it.
        error: SegmentError,
        /// What it says.
        expression: Box<Expression>,
    },
    /// A saved segment cannot be used.
    #[error(transparent)]
    Saved(#[from] SavedError),
    /// The reader may not be told.
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
    /// People cannot be looked up.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// A model that is asked for cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A model has nobody to score.
    #[error(transparent)]
    Example(#[from] ExampleError),
    /// Activity cannot be read.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The default zone is none.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
}

impl Coded for DeskError {
    fn code(&self) -> &'static str {
        match self {
            DeskError::Field { error, .. } => error.code(),
            DeskError::NotAField(_) => "bad_field",
            DeskError::TooLarge(_) => "too_large",
            DeskError::Stale { .. } => "bad_segment",
            DeskError::Saved(error) => error.code(),
            DeskError::Privacy(error) => error.code(),
            DeskError::People(error) => error.code(),
            DeskError::Registry(error) => error.code(),
            DeskError::Example(error) => error.code(),
            DeskError::Profile(error) => error.code(),
            DeskError::Zone(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            DeskError::NotAField(_) | DeskError::TooLarge(_) | DeskError::Stale { .. } => ErrorKind::Caller,
            DeskError::Field { error, .. } => error.kind(),
            DeskError::Saved(error) => error.kind(),
            DeskError::Privacy(error) => error.kind(),
            DeskError::People(error) => error.kind(),
            // The segment asks for the model: a segment whose model is missing or unusable is an invalid request.
            DeskError::Registry(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::Conflict => ErrorKind::Caller,
                kind => kind,
            },
            DeskError::Example(error) => error.kind(),
            DeskError::Profile(error) => error.kind(),
            DeskError::Zone(error) => error.kind(),
        }
    }
}

impl From<TableError> for DeskError {
    fn from(error: TableError) -> DeskError {
        PeopleError::from(error).into()
    }
}

impl From<LakeError> for DeskError {
    fn from(error: LakeError) -> DeskError {
        PeopleError::from(error).into()
    }
}

/// What every question about segments rests on.
pub struct Desk<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// Its settings.
    pub config: &'a Config,
    /// What may be asked for.
    pub catalogue: Arc<FieldCatalogue>,
    /// On whose calendar dates are read.
    pub zone: Zone,
    /// All saved segments.
    pub saved: SavedSegments,
    material: Option<&'a Material>,
    tell: &'a dyn Fn(&Damaged),
}

/// A segment that can be evaluated.
#[derive(Clone, Debug)]
pub struct AskedSegment {
    /// The card, when it is a saved one.
    pub card: Option<Card>,
    /// What it says.
    pub expression: Expression,
    /// The same, checked.
    pub predicate: Predicate,
}

/// People and who of them is a member, for each segment that was asked.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The people, with what was looked up of them.
    pub people: People,
    /// For each segment one answer a person.
    pub masks: Vec<Vec<bool>>,
}

/// The fields of a workspace, read from what its users were declared with and from the declared goals.
///
/// # Errors
/// When the users cannot be read.
pub fn catalogue(workspace: &Workspace, config: &Config) -> Result<FieldCatalogue, TableError> {
    let mut types = attribute_types(workspace)?;
    types.extend(config.attributes.iter().map(|(name, declared)| (name.clone(), FieldType::from(*declared))));
    let catalogue = FieldCatalogue::new(types, goals_about_users(config));
    Ok(catalogue.with_names(Names::read(workspace)?))
}

/// The saved segments of a workspace, and those ready-made for its goals.
///
/// # Errors
/// When one cannot be read.
pub fn saved_segments(workspace: &Workspace, config: &Config) -> Result<SavedSegments, SavedError> {
    Ok(SavedSegments::read(workspace)?.with_goals(&goals_about_users(config)))
}

fn log(damaged: &Damaged) {
    tracing::warn!(error = %damaged.error, "version {} of goal {} is skipped", damaged.version, damaged.goal);
}

fn goals_about_users(config: &Config) -> Vec<String> {
    let goals = config.goals.iter().filter(|(_, goal)| goal.unit == Unit::UserDay);
    goals.map(|(name, _)| name.clone()).collect()
}

impl<'a> Desk<'a> {
    /// Reads fields and saved segments.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn open(workspace: &'a Workspace, config: &'a Config) -> Result<Desk<'a>, DeskError> {
        Desk::with_catalogue(workspace, config, Arc::new(catalogue(workspace, config)?))
    }

    /// The same with fields that are known already.
    ///
    /// # Errors
    /// When a saved segment cannot be read.
    pub fn with_catalogue(
        workspace: &'a Workspace,
        config: &'a Config,
        catalogue: Arc<FieldCatalogue>,
    ) -> Result<Desk<'a>, DeskError> {
        let zone = Zone::find(&config.default_time_zone)?;
        let saved = saved_segments(workspace, config)?;
        Ok(Desk { workspace, config, catalogue, zone, saved, material: None, tell: &log })
    }

    /// The same telling somebody else than the log of versions of models that are damaged and skipped.
    pub fn telling(self, tell: &'a dyn Fn(&Damaged)) -> Desk<'a> {
        Desk { tell, ..self }
    }

    /// The same beside events that are in memory already; they serve people of their own moment.
    pub fn beside(self, material: &'a Material) -> Desk<'a> {
        Desk { material: Some(material), ..self }
    }

    /// A marketer under the settings in force.
    pub fn marketer(&self) -> Reader {
        Reader::Marketer { threshold: self.config.segments.privacy_threshold }
    }

    fn circumstances(&self, as_of: Instant) -> Circumstances<'_> {
        Circumstances { catalogue: &self.catalogue, as_of, zone: &self.zone }
    }

    /// Compiles a text, or JSON; `own` is the id that it is to be saved under.
    ///
    /// # Errors
    /// The first error, with its position.
    pub fn compile_written(
        &self,
        text: &str,
        as_of: Instant,
        own: Option<&str>,
    ) -> Result<(Expression, Predicate), SegmentError> {
        let saved = |id: &str| self.saved.find(id);
        // Text begins with neither.
        match text.starts_with(['{', '"']) {
            true => compile_json(text.as_bytes(), self.circumstances(as_of), own, &saved),
            false => compile_text(text, self.circumstances(as_of), own, &saved),
        }
    }

    /// Compiles a text.
    ///
    /// # Errors
    /// The first error, with its position.
    pub fn compile_text(
        &self,
        text: &str,
        as_of: Instant,
        own: Option<&str>,
    ) -> Result<(Expression, Predicate), SegmentError> {
        compile_text(text, self.circumstances(as_of), own, &|id: &str| self.saved.find(id))
    }

    /// Compiles a tree.
    ///
    /// # Errors
    /// The first error, with its JSON pointer.
    pub fn compile_tree(
        &self,
        expression: &Expression,
        as_of: Instant,
        own: Option<&str>,
    ) -> Result<Predicate, SegmentError> {
        let saved = |id: &str| self.saved.find(id);
        compile(expression, self.circumstances(as_of), own, &saved)
            .map_err(|located| located.within(expression, None))
    }

    /// A saved segment, compiled.
    ///
    /// # Errors
    /// When it is not in use, or names what is gone.
    pub fn saved_one(&self, id: &str, as_of: Instant) -> Result<AskedSegment, DeskError> {
        let segment = self.saved.in_use(id)?;
        let expression = segment.expression();
        let (types, saved) = (&segment.card.attribute_types, |id: &str| self.saved.find(id));
        match compile_saved(&expression, types, self.circumstances(as_of), None, &saved) {
            Ok(predicate) => Ok(AskedSegment { card: Some(segment.card.clone()), expression, predicate }),
            Err(located) => {
                let error = located.within(&expression, None);
                Err(DeskError::Stale { id: id.to_string(), error, expression: Box::new(expression) })
            }
        }
    }

    /// What a field, or a function with its arguments, looks up.
    ///
    /// # Errors
    /// When it is no field, or the reader may not ask for it.
    pub fn field(&self, field: &str, as_of: Instant, reader: Reader) -> Result<LookupKey, DeskError> {
        let text = format!("{} is known", field.trim());
        let (_, predicate) = match self.compile_text(&text, as_of, None) {
            Ok(compiled) => compiled,
            Err(error) => return Err(DeskError::Field { text, error }),
        };
        reader.check_question(&needs(&predicate))?;
        match predicate {
            Predicate::Holds { key, question: CompiledQuestion::IsKnown } => Ok(key),
            _ => Err(DeskError::NotAField(field.to_string())),
        }
    }

    /// Evaluates segments on the same people, looking up `also` beside what they need: all out of one profile build.
    ///
    /// # Errors
    /// When the reader may not ask, or something cannot be looked up.
    pub fn evaluate(
        &self,
        asked: &[AskedSegment],
        as_of: Instant,
        reader: Reader,
        also: &BTreeSet<LookupKey>,
    ) -> Result<Evaluated, DeskError> {
        let needs = needs_of(asked, reader, also)?;
        let people = People::read(self.workspace, Some(as_of), &needs, &self.zone)?;
        evaluated(asked, self.learn_missing(people, &needs)?)
    }

    /// The same on people of whom some things were looked up before.
    ///
    /// # Errors
    /// As [`Desk::evaluate`].
    pub fn evaluate_on(
        &self,
        people: People,
        asked: &[AskedSegment],
        reader: Reader,
        also: &BTreeSet<LookupKey>,
    ) -> Result<Evaluated, DeskError> {
        evaluated(asked, self.look_up(people, &needs_of(asked, reader, also)?)?)
    }

    /// The people with everything that is needed.
    ///
    /// # Errors
    /// When something cannot be looked up.
    pub fn look_up(&self, people: People, needs: &Needs) -> Result<People, DeskError> {
        let people = people.look_up(self.workspace, needs, &self.zone)?;
        self.learn_missing(people, needs)
    }

    /// What the workspace's tables do not say: lists, scores, curves.
    fn learn_missing(&self, mut people: People, needs: &Needs) -> Result<People, DeskError> {
        for key in people.missing(needs) {
            people = match &key {
                LookupKey::List(id) => {
                    let ids = self.saved.members_of_list(id)?;
                    people.with_list(id, &ids.iter().map(String::as_str).collect())?
                }
                key => self.learn(people, key)?,
            };
        }
        Ok(people)
    }

    /// Looks up what models and curves say, as of the people's moment.
    fn learn(&self, people: People, key: &LookupKey) -> Result<People, DeskError> {
        match key {
            // A goal's decile may have come with its propensity.
            key if people.column(key).is_some() => Ok(people),
            LookupKey::Propensity(goal) | LookupKey::PropensityDecile(goal) => {
                self.with_propensities(people, goal)
            }
            LookupKey::Computed(Computed::BestHour | Computed::BestHourOfWeek) => {
                self.with_best_hours(people)
            }
            LookupKey::Computed(Computed::RhythmGroup) => self.with_rhythm_groups(people),
            key if *key == CAN_BE_PUSHED => {
                let needs = Needs { keys: reach::needed() };
                let people = people.look_up(self.workspace, &needs, &self.zone)?;
                Ok(with_can_be_pushed(people, self.workspace, self.config)?)
            }
            _ => Ok(people),
        }
    }

    fn with_propensities(&self, people: People, name: &str) -> Result<People, DeskError> {
        let Some(goal) = self.config.goals.get(name) else {
            return Err(PeopleError::Missing(LookupKey::Propensity(name.to_string())).into());
        };
        let (registry, as_of) = (Registry::of(self.workspace), people.as_of());
        let Newest { found, damaged } = registry.newest(name, as_of)?;
        damaged.iter().for_each(self.tell);
        let path = registry.version_directory(name, &found.version).join("model.json");
        check_goal(&found.model, goal)
            .and_then(|()| check_inputs(&found.model))
            .map_err(|error| RegistryError::Unusable { path, error })?;
        let read;
        let material = match self.material.filter(|material| material.as_of == as_of) {
            Some(material) => material,
            None => {
                let (lake, zone) = (Lake::open(self.workspace)?, &self.config.default_time_zone);
                read = Material::read(self.workspace, &lake, zone, as_of, &|_, _| ())?;
                &read
            }
        };
        if material.timeline.is_empty() {
            return Err(ProfileError::NoEvents(as_of.to_string()).into());
        }
        let sources = material.sources(&found.model.profile_settings);
        let question =
            examples::GoalQuestion { name, goal, sources: &sources, training: &self.config.training };
        let scores = score(&question, &found.model, as_of)?;
        let users = material.timeline.users();
        let by_user = scores.iter().map(|score| (users[score.user].as_str(), score.propensity)).collect();
        Ok(people.with_propensities(name, &by_user)?)
    }

    /// Everybody's active hours before a moment.
    ///
    /// # Errors
    /// When the events cannot be read, or there are none.
    pub fn population(&self, as_of: Instant) -> Result<Population, DeskError> {
        let lake = Lake::open(self.workspace)?;
        let declared = Declared::read(self.workspace, &self.config.default_time_zone)?;
        Ok(Population::read(&lake, &declared, Cut::At(as_of), &|_, _| ())?)
    }

    fn with_rhythm_groups(&self, people: People) -> Result<People, DeskError> {
        let population = self.population(people.as_of())?;
        let weeks = weeks(&population.histories);
        let rhythms = NamedRhythms::learn(&weeks);
        let known = population.ids.iter().zip(&weeks);
        let of: BTreeMap<&str, &str> =
            known.filter_map(|(id, week)| Some((id.as_str(), rhythms.rhythm_of(week)?.as_str()))).collect();
        Ok(people.with_texts(LookupKey::Computed(Computed::RhythmGroup), &of)?)
    }

    fn with_best_hours(&self, people: People) -> Result<People, DeskError> {
        let population = self.population(people.as_of())?;
        let model = SendTimeModel::fit(&population.histories, self.config.send_time.interval);
        let (mut of_day, mut of_week) = (BTreeMap::new(), BTreeMap::new());
        for (user, id) in population.ids.iter().enumerate() {
            let curve = model.curve(user, &population.histories[user]);
            of_day.insert(id.as_str(), curve.best_hour_of_day() as f64);
            of_week.insert(id.as_str(), curve.best_hour_of_week() as f64);
        }
        let people = people.with_numbers(LookupKey::Computed(Computed::BestHour), &of_day)?;
        Ok(people.with_numbers(LookupKey::Computed(Computed::BestHourOfWeek), &of_week)?)
    }
}

/// What several segments look up together, if that is not too much and the reader may ask for all of it.
pub(super) fn needs_of(
    asked: &[AskedSegment],
    reader: Reader,
    also: &BTreeSet<LookupKey>,
) -> Result<Needs, DeskError> {
    let mut keys = also.clone();
    for one in asked {
        let own = needs(&one.predicate);
        reader.check_question(&own)?;
        keys.extend(own.keys);
    }
    match keys.len() {
        many if many > MOST_KEYS => Err(DeskError::TooLarge(many)),
        _ => Ok(Needs { keys }),
    }
}

fn evaluated(asked: &[AskedSegment], people: People) -> Result<Evaluated, DeskError> {
    let mask = |one: &AskedSegment| -> Result<Vec<bool>, PeopleError> {
        let mask = members(&one.predicate, &people)?;
        Ok(mask.no_null_iter().collect())
    };
    let masks = asked.iter().map(mask).collect::<Result<_, _>>()?;
    Ok(Evaluated { people, masks })
}

impl Evaluated {
    /// How many members the first segment has.
    pub fn count(&self) -> u64 {
        self.masks.first().map_or(0, |mask| mask.iter().filter(|taken| **taken).count() as u64)
    }

    /// Ids of the members of the first segment, sorted.
    pub fn members(&self) -> Vec<String> {
        let mask = self.masks.first().map(Vec::as_slice).unwrap_or_default();
        let taken = self.people.ids().iter().zip(mask).filter(|(_, taken)| **taken);
        taken.filter_map(|(id, _)| id.map(str::to_string)).collect()
    }
}

/// Some members, always the same for the same people.
pub fn sample(members: &[String], limit: usize) -> Vec<&str> {
    let mut drawn: BTreeSet<(u64, &str)> = BTreeSet::new();
    for id in members {
        let draw = (hash_of(id.as_bytes()), id.as_str());
        if drawn.len() < limit || drawn.last().is_some_and(|last| draw < *last) {
            drawn.insert(draw);
        }
        if drawn.len() > limit {
            drawn.pop_last();
        }
    }
    drawn.into_iter().map(|(_, id)| id).collect()
}
