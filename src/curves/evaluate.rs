//! How good the curves are on days that they have not seen, beside baselines that learned from the same days.

use std::collections::BTreeMap;

use super::LearnedConstants;
use super::SendTimeModel;
use super::history::History;
use super::population::{Cut, Population};
use config::Config;
use domain::curve::by_hour_of_day;
use domain::error::{Coded, ErrorKind};
use domain::time::HOURS_OF_WEEK;
use evaluation::baselines::{Baseline, Baselines, InnerSplit};
use evaluation::bootstrap::{Bootstrap, Figure, RatioPart};
use evaluation::coverage::{Coverage, CoverageCounter};
use evaluation::send_time::{Metric, UserScore};
use events::lake::Lake;
use profiles::ProfileError;
use profiles::declared::Declared;

/// Users need this many held-out units for the coverage of their intervals to be judged.
pub const COVERAGE_UNITS: u32 = 30;
/// Days before the cut on which the baseline's strength is chosen.
const INNER_DAYS: i32 = 28;

/// Units by hour of the week.
type Counts = [u32; HOURS_OF_WEEK];

/// Figures by metric.
type Figures = BTreeMap<&'static str, Figure>;

/// Everything that one evaluation found.
#[derive(Clone, Debug)]
pub struct CurvesReport {
    /// Where history ended.
    pub cut: Cut,
    /// Users with units on both sides of it.
    pub users: usize,
    /// Their units from the cut on.
    pub units: u64,
    /// Figures by model, the engine's first.
    pub models: Vec<(&'static str, Figures)>,
    /// Ours minus each baseline's, paired.
    pub differences: Vec<(&'static str, Figures)>,
    /// Of the predictive intervals of hour-of-day counts, when any user has enough units.
    pub coverage: Option<Coverage>,
    /// What those intervals promise to cover, in (0, 1).
    pub interval: f64,
    /// What the model learned.
    pub learned: LearnedConstants,
    /// The pseudo-counts that empirical Bayes chose.
    pub strength: f64,
}

/// An evaluation that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// Events or users cannot be read.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The cut leaves nobody to score.
    #[error("nothing_to_score: no user was active both before and after {0}")]
    NothingToScore(Cut),
}

impl Coded for EvaluateError {
    fn code(&self) -> &'static str {
        match self {
            EvaluateError::Profile(error) => error.code(),
            EvaluateError::NothingToScore(_) => "nothing_to_score",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            EvaluateError::NothingToScore(_) => ErrorKind::Caller,
            EvaluateError::Profile(error) => error.kind(),
        }
    }
}

/// One user who has units on both sides of the cut.
struct Scored {
    index: usize,
    before: Counts,
    after: Counts,
}

/// Fits on what came before the cut and scores on what came after it.
pub fn evaluate(
    lake: &Lake,
    declared: &Declared,
    cut: Cut,
    config: &Config,
    watch: &(impl Fn(usize, usize) + Sync),
) -> Result<CurvesReport, EvaluateError> {
    let population = Population::read(lake, declared, cut, watch)?;
    let users = on_both_sides(&population, population.after(lake, declared, cut, watch)?);
    if users.is_empty() {
        return Err(EvaluateError::NothingToScore(cut));
    }
    let model = SendTimeModel::fit(&population.histories, config.send_time.interval);
    let baselines = learn_baselines(&population.histories);
    let scores = score_all(&users, &population, &model, &baselines);
    let bootstrap = Bootstrap::new(users.len(), config.evaluation.bootstrap_draws, config.evaluation.seed);
    let ours = &scores[0].1;
    Ok(CurvesReport {
        cut,
        users: users.len(),
        units: users.iter().flat_map(|user| user.after).map(u64::from).sum(),
        models: scores.iter().map(|(name, own)| (*name, figures(&bootstrap, own))).collect(),
        differences: scores[1..]
            .iter()
            .map(|(name, theirs)| (*name, differences(&bootstrap, ours, theirs)))
            .collect(),
        coverage: coverage(&users, &model, &population.histories, config.send_time.interval),
        interval: config.send_time.interval,
        learned: *model.learned(),
        strength: baselines.strength(),
    })
}

fn on_both_sides(population: &Population, after: Vec<Counts>) -> Vec<Scored> {
    let is_active = |counts: &Counts| counts.iter().any(|count| *count > 0);
    let user = |(index, (history, after)): (usize, (&History, Counts))| Scored {
        index,
        before: counts(history, 0),
        after,
    };
    let users = population.histories.iter().zip(after).enumerate().map(user);
    users.filter(|user| is_active(&user.before) && is_active(&user.after)).collect()
}

/// Units older than `back` days, each counted once.
fn counts(history: &History, back: i32) -> Counts {
    let mut counts = [0; HOURS_OF_WEEK];
    for unit in history.units.iter().filter(|unit| unit.age_days > back) {
        counts[usize::from(unit.slot)] += 1;
    }
    counts
}

fn learn_baselines(histories: &[History]) -> Baselines {
    let everybody: Vec<Counts> = histories.iter().map(|history| counts(history, 0)).collect();
    let split = |history: &History| InnerSplit {
        before: counts(history, INNER_DAYS),
        after: history.held_out(INNER_DAYS, INNER_DAYS).map(u32::from),
    };
    Baselines::learn(&everybody, &histories.iter().map(split).collect::<Vec<_>>())
}

/// Scores of every user under the model, then under each baseline.
fn score_all(
    users: &[Scored],
    population: &Population,
    model: &SendTimeModel,
    baselines: &Baselines,
) -> Vec<(&'static str, Vec<UserScore>)> {
    let score = |curve: &dyn Fn(&Scored) -> [f64; HOURS_OF_WEEK]| -> Vec<UserScore> {
        users.iter().map(|user| UserScore::of(&curve(user), &user.after)).collect()
    };
    let ours = score(&|user| model.probability(user.index, &population.histories[user.index]));
    let theirs = Baseline::ALL
        .map(|baseline| (baseline.as_str(), score(&|user| baselines.curve(baseline, &user.before))));
    std::iter::once(("model", ours)).chain(theirs).collect()
}

fn parts(metric: Metric, scores: &[UserScore]) -> Vec<RatioPart> {
    scores.iter().map(|score| metric.parts(score)).collect()
}

fn figures(bootstrap: &Bootstrap, scores: &[UserScore]) -> Figures {
    Metric::ALL.map(|metric| (metric.as_str(), bootstrap.ratio(&parts(metric, scores)))).into()
}

fn differences(bootstrap: &Bootstrap, ours: &[UserScore], theirs: &[UserScore]) -> Figures {
    let difference = |metric| bootstrap.difference(&parts(metric, ours), &parts(metric, theirs));
    Metric::ALL.map(|metric| (metric.as_str(), difference(metric))).into()
}

/// How often hour-of-day counts fell inside their predictive intervals, over users with enough units.
fn coverage(
    users: &[Scored],
    model: &SendTimeModel,
    histories: &[History],
    interval: f64,
) -> Option<Coverage> {
    let mut counter = CoverageCounter::default();
    for user in users.iter().filter(|user| user.after.iter().sum::<u32>() >= COVERAGE_UNITS) {
        let history = &histories[user.index];
        let mut by_hour = [0; 24];
        user.after.iter().enumerate().for_each(|(slot, count)| by_hour[slot % 24] += count);
        let probability = by_hour_of_day(&model.probability(user.index, history));
        counter.add(&probability, &by_hour, model.concentration(history), interval);
    }
    counter.finish()
}
