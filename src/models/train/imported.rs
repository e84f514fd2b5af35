//! Another team's model as a challenger: its predictions go through the same gate, on the same rows.
//!
//! `examples` hands out rows with their part; the team predicts those of the test part (which it must not learn from), if it
//! likes those of the calibrate part, and everybody the goal is about at T. What comes back is a table: it can be compared
//! and shadowed, but it cannot score a content that it does not name, so it is never served.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Learner, Split, TrainError, TrainingRequest};
use crate::evidence::Evidence;
use crate::examples::{Examples, GoalQuestion, Labels};
use crate::measure::measure;
use crate::score::{Score, frame_of, population_at};
use domain::error::{Coded, ErrorKind};
use domain::goal::Unit;
use domain::identity::sha256_hex;
use domain::time::Instant;
use domain::zone::Zone;
use events::foreign::{ForeignColumn, ForeignField, ForeignRows, Line, Names};
use events::formats::InputError;
use events::stamps::StampReader;
use files::tables::{self, TableError};
use learners::calibration::Calibration;
use profiles::features::features_sha256;
use registry::card::Card;
use registry::gate::Gate;
use registry::model::{IMPORTED_FORMAT, Model, ModelKind, PredictionTable};

const USER: ForeignField = ForeignField { names: &["user_id"] };
const CAMPAIGN: ForeignField = ForeignField { names: &["campaign_id"] };
const CONTENT: ForeignField = ForeignField { names: &["content_id"] };
const AS_OF: ForeignField = ForeignField { names: &["as_of"] };
const PROPENSITY: ForeignField =
    ForeignField { names: &["propensity", "probability", "prediction", "score"] };

/// Predictions that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read, or a value in it.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A row that must be there is not.
    #[error("missing_prediction: {}: {missing} of {wanted} rows of the {part} have none; the first is {first}", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Which rows.
        part: &'static str,
        /// How many lack one.
        missing: usize,
        /// How many there are.
        wanted: usize,
        /// The first that lacks one, in words.
        first: String,
    },
    /// The rows cannot be made, or split.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The table cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for ImportError {
    fn code(&self) -> &'static str {
        match self {
            ImportError::Input(error) => error.code(),
            ImportError::Missing { .. } => "missing_prediction",
            ImportError::Train(error) => error.code(),
            ImportError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ImportError::Missing { .. } => ErrorKind::Caller,
            ImportError::Input(error) => error.kind(),
            ImportError::Train(error) => error.kind(),
            ImportError::Table(error) => error.kind(),
        }
    }
}

/// A challenger from outside.
#[derive(Clone, Debug)]
pub struct Imported {
    /// What stands for it: no weights, the hash of its table.
    pub model: Model,
    /// Its card, gate and all.
    pub card: Card,
    /// Everybody's propensity at T.
    pub scores: Vec<Score>,
    /// The same as Parquet.
    pub table: Vec<u8>,
}

/// Where predictions come from.
#[derive(Clone, Copy)]
pub struct File<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its columns' names for ours.
    pub names: &'a Names,
    /// A directory for what the readers put aside.
    pub scratch: &'a Path,
}

/// Reads `--map`.
///
/// # Errors
/// A text that says which pair cannot be used.
pub fn names(text: &str) -> Result<Names, String> {
    Names::parse(text, &[&USER, &CAMPAIGN, &CONTENT, &AS_OF, &PROPENSITY])
}

/// Holds another team's predictions against what happened.
///
/// # Errors
/// What keeps them from being compared, with the line or the row.
pub fn import(
    question: &GoalQuestion<'_>,
    request: &TrainingRequest<'_>,
    file: &File<'_>,
) -> Result<Imported, ImportError> {
    let examples =
        question.examples(Labels::MatureBefore(request.as_of), &|_, _| ()).map_err(TrainError::from)?;
    let split = Split::of(question, &examples)?;
    let learner = Learner { question, examples: &examples };
    learner.check_classes("test", &split.test)?;
    let population = population_at(question, request.as_of).map_err(TrainError::from)?;
    let given = Given::read(question, file, &examples, &population, request.as_of)?;
    let probabilities = given.of_parts(question, &examples, &split)?;
    let scores = given.of_population(question, population)?;
    let mut frame = frame_of(question, &scores).map_err(TableError::parquet(file.path))?;
    let table = tables::parquet_bytes(&mut frame).map_err(TableError::parquet(file.path))?;
    let model = stand_in(question, request, learner.base_rate(&split), &scores, &table);
    let card = learner.imported_card(&split, &probabilities, &model, request);
    Ok(Imported { model, card, scores, table })
}

/// What a prediction is about: user, moment, campaign, content.
type PredictionKey = (u32, Instant, Option<String>, Option<u32>);

/// The predictions of a file.
struct Given<'a> {
    path: &'a Path,
    /// T.
    at: Instant,
    by_key: HashMap<PredictionKey, f64>,
}

/// Columns of the file.
struct Columns {
    user: ForeignColumn,
    as_of: ForeignColumn,
    propensity: ForeignColumn,
    campaign: Option<ForeignColumn>,
    content: Option<ForeignColumn>,
}

impl<'a> Given<'a> {
    /// Reads every row; one about nothing that was asked, or about the same as another, ends it.
    fn read(
        question: &GoalQuestion<'_>,
        file: &File<'a>,
        examples: &Examples,
        population: &[Score],
        at: Instant,
    ) -> Result<Given<'a>, InputError> {
        let mut asked: HashMap<PredictionKey, bool> = HashMap::new();
        asked.extend((0..examples.len()).map(|row| (key_of_row(examples, row), false)));
        asked.extend(population.iter().map(|score| (key_of_score(score, at), false)));
        let rows = ForeignRows::open(file.path, file.names, file.scratch)?;
        let columns = Columns::find(&rows, question.goal.unit)?;
        let stamps = StampReader::new(Some(Zone::utc()), at, 24 * 366);
        let mut by_key = HashMap::new();
        rows.each(|line| {
            let key = columns.key(question, line, &stamps)?;
            match asked.get_mut(&key) {
                None => {
                    let detail = "is about no example of the goal, and about nobody whom it is about at T";
                    return Err(line.error("unknown_row", detail));
                }
                Some(true) => return Err(line.error("duplicate_row", "was predicted above already")),
                Some(is_given) => *is_given = true,
            }
            by_key.insert(key, line.probability(&columns.propensity, false)?);
            Ok(())
        })?;
        Ok(Given { path: file.path, at, by_key })
    }

    /// Probabilities in the order of the examples' rows: the test part whole, the calibrate part whole or not at all.
    fn of_parts(
        &self,
        question: &GoalQuestion<'_>,
        examples: &Examples,
        split: &Split,
    ) -> Result<Vec<f64>, ImportError> {
        let mut probabilities = vec![f64::NAN; examples.len()];
        let parts = [("test part", &split.test, true), ("calibrate part", &split.calibrate, false)];
        for (part, rows, is_asked) in parts {
            let given = |row: &&usize| self.by_key.get(&key_of_row(examples, **row));
            let missing: Vec<&usize> = rows.iter().filter(|row| given(row).is_none()).collect();
            if let Some(first) = missing.first().filter(|_| is_asked || missing.len() < rows.len()) {
                let first = describe(question, &key_of_row(examples, **first));
                return Err(self.missing(part, missing.len(), rows.len(), first));
            }
            rows.iter().for_each(|row| probabilities[*row] = given(&row).copied().unwrap_or(f64::NAN));
        }
        Ok(probabilities)
    }

    fn of_population(
        &self,
        question: &GoalQuestion<'_>,
        population: Vec<Score>,
    ) -> Result<Vec<Score>, ImportError> {
        let at = self.at;
        let given = |score: &Score| self.by_key.get(&key_of_score(score, at)).copied();
        let missing: Vec<&Score> = population.iter().filter(|score| given(score).is_none()).collect();
        if let Some(first) = missing.first() {
            let first = describe(question, &key_of_score(first, at));
            return Err(self.missing("population at T", missing.len(), population.len(), first));
        }
        let scored = population
            .iter()
            .map(|score| Score { propensity: given(score).unwrap_or(f64::NAN), ..score.clone() });
        Ok(scored.collect())
    }

    fn missing(&self, part: &'static str, missing: usize, wanted: usize, first: String) -> ImportError {
        ImportError::Missing { path: self.path.to_path_buf(), part, missing, wanted, first }
    }
}

impl Columns {
    fn find(rows: &ForeignRows<'_>, unit: Unit) -> Result<Columns, InputError> {
        Ok(Columns {
            user: rows.need(&USER)?,
            as_of: rows.need(&AS_OF)?,
            propensity: rows.need(&PROPENSITY)?,
            campaign: (unit == Unit::UserCampaign).then(|| rows.need(&CAMPAIGN)).transpose()?,
            content: (unit == Unit::UserContent).then(|| rows.need(&CONTENT)).transpose()?,
        })
    }

    fn key(
        &self,
        question: &GoalQuestion<'_>,
        line: &Line<'_>,
        stamps: &StampReader,
    ) -> Result<PredictionKey, InputError> {
        let timeline = question.sources.timeline;
        let unknown = |what: &str, id: &str| line.error("unknown_row", &format!("there is no {what} {id:?}"));
        let user_id = line.name(&self.user)?;
        let user = timeline.user(&user_id).ok_or_else(|| unknown("user", &user_id))?;
        let at = line.instant(&self.as_of, stamps)?;
        let campaign = self.campaign.as_ref().map(|source| line.name(source)).transpose()?;
        let content = match &self.content {
            None => None,
            Some(source) => {
                let id = line.name(source)?;
                Some(timeline.content(&id).ok_or_else(|| unknown("content", &id))? as u32)
            }
        };
        Ok((user as u32, at, campaign.map(|name| name.into_owned()), content))
    }
}

fn key_of_row(examples: &Examples, row: usize) -> PredictionKey {
    let (about, moment) = (&examples.rows[row], examples.moment(row));
    (about.user, moment.at, moment.campaign.clone(), about.content)
}

fn key_of_score(score: &Score, at: Instant) -> PredictionKey {
    (score.user as u32, at, score.campaign.clone(), score.content.map(|content| content as u32))
}

fn describe(question: &GoalQuestion<'_>, (user, at, campaign, content): &PredictionKey) -> String {
    let timeline = question.sources.timeline;
    let campaign = campaign.as_ref().map(|id| format!(", campaign {id}")).unwrap_or_default();
    let content = content.map(|code| format!(", content {}", timeline.contents()[code as usize]));
    format!("user {} as of {at}{campaign}{}", timeline.users()[*user as usize], content.unwrap_or_default())
}

/// The model file of a table.
fn stand_in(
    question: &GoalQuestion<'_>,
    request: &TrainingRequest<'_>,
    base_rate: f64,
    scores: &[Score],
    table: &[u8],
) -> Model {
    Model {
        format: IMPORTED_FORMAT,
        goal: question.name.to_string(),
        definition: question.goal.clone(),
        kind: ModelKind::Imported,
        as_of: request.as_of,
        features_sha256: features_sha256(&crate::inputs::user::user_features()),
        inputs_sha256: crate::inputs::inputs_sha256(question.goal.unit),
        profile_settings: request.config.profiles.clone(),
        seed: question.training.seed,
        penalty: 0.0,
        clip: super::CLIP,
        base_rate,
        intercept: super::logit(base_rate),
        time_weight: 1.0,
        inputs: Vec::new(),
        trees: None,
        predictions: Some(PredictionTable { rows: scores.len(), sha256: sha256_hex(table) }),
        table: None,
        calibration: Calibration::None,
    }
}

impl Learner<'_> {
    /// Share of positives before the test part.
    fn base_rate(&self, split: &Split) -> f64 {
        let before: Vec<usize> = split.train.iter().chain(&split.calibrate).copied().collect();
        self.rate(&before)
    }

    fn imported_card(
        &self,
        split: &Split,
        probabilities: &[f64],
        model: &Model,
        request: &TrainingRequest<'_>,
    ) -> Card {
        let metrics =
            measure(self.examples, &split.test, request.config, model.base_rate, |row| probabilities[row]);
        let has_calibrate = split.calibrate.first().is_some_and(|row| !probabilities[*row].is_nan());
        let calibrate: &[usize] = if has_calibrate { &split.calibrate } else { &[] };
        let rival = self.table_against_champion(request, probabilities, split);
        let facts = Evidence {
            question: self.question,
            examples: self.examples,
            train: &split.train,
            calibrate,
            test: &split.test,
            probabilities,
            base_rate: model.base_rate,
            metrics: &metrics,
            model: None,
            champion: rival.as_ref(),
            config: request.config,
        }
        .facts();
        let gate = Gate::judge(facts, &request.config.gates, request.others);
        let beats_base_rate = super::beats_base_rate(&metrics);
        self.card(split, metrics, Vec::new(), beats_base_rate, gate, request)
    }
}
