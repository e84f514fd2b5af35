//! How good propensities and rankings are on days that they have not seen, beside honest baselines.

use std::collections::{BTreeMap, BTreeSet};

use super::examples::{ExampleError, Examples, GoalQuestion, Labels};
use super::inputs::AsOf;
use super::measure::measure;
use super::recommend::{Wanted, rank};
use super::timeline::Timeline;
use super::train::{TrainError, TrainingRequest, fit_for_evaluation};
use config::Config;
use domain::goal::Unit;
use domain::numeric::decay_factor;
use domain::time::{DAY, Instant};
use domain::zone::Zone;
use evaluation::bootstrap::{Bootstrap, Figure, RatioPart};
use evaluation::ranking::{ndcg_at, recall_at};
use registry::figures::Metrics;
use registry::model::Model;

/// Length of a ranking that is judged.
const TOP: usize = 10;

/// Figures of one way of training.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Measured {
    /// Rows that it learned from.
    pub train_rows: usize,
    /// Positive ones.
    pub train_positives: usize,
    /// Penalty that was chosen.
    pub penalty: f64,
    /// Figures on the later rows.
    pub metrics: Metrics,
}

/// Figures of a goal.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct PropensityReport {
    /// Learned from labels that were known at the cut: what a model in service could have known.
    pub mature: Measured,
    /// Learned from every example that began before the cut and measured on every later one, whenever their labels became
    /// known: what benchmarks do that split by start. Only for goals about campaigns.
    pub benchmark: Option<Measured>,
}

/// Trains on what lies before the cut and measures on moments from the cut on.
pub fn propensity(
    question: &GoalQuestion<'_>,
    cut: Instant,
    known: Instant,
    config: &Config,
) -> Result<PropensityReport, TrainError> {
    let mature = measured(question, Labels::MatureBefore(cut), cut, known, config)?;
    let benchmark = match question.goal.unit {
        Unit::UserCampaign => {
            Some(measured(question, Labels::StartedBefore(cut, known), cut, known, config)?)
        }
        Unit::UserDay | Unit::UserContent => None,
    };
    Ok(PropensityReport { mature, benchmark })
}

fn measured(
    question: &GoalQuestion<'_>,
    labels: Labels,
    cut: Instant,
    known: Instant,
    config: &Config,
) -> Result<Measured, TrainError> {
    let only_mature = matches!(labels, Labels::MatureBefore(_));
    let train = question.examples(labels, &|_, _| ())?;
    let test = question.examples_from(cut, known, only_mature, &|_, _| ())?;
    let request = TrainingRequest::new(cut, config, cut);
    let model = fit_for_evaluation(question, &train, &request)?;
    let all: Vec<usize> = (0..train.len()).collect();
    Ok(Measured {
        train_rows: train.len(),
        train_positives: train.positives(&all),
        penalty: model.penalty,
        metrics: measure_model(&test, &model, config),
    })
}

fn measure_model(test: &Examples, model: &Model, config: &Config) -> Metrics {
    let all: Vec<usize> = (0..test.len()).collect();
    measure(test, &all, config, model.base_rate, |row| model.score_row(&test.inputs_of(row)))
}

/// Figures by metric.
pub type Figures = BTreeMap<&'static str, Figure>;

/// Figures of rankings.
#[derive(Clone, Debug)]
pub struct ContentReport {
    /// Days on which everybody was ranked anew.
    pub days: usize,
    /// Users with something to find.
    pub users: usize,
    /// Their days.
    pub user_days: usize,
    /// By way of ranking, the engine's first.
    pub models: Vec<(&'static str, Figures)>,
    /// The engine's less each baseline's, paired.
    pub differences: Vec<(&'static str, Figures)>,
}

/// Ways of ranking without a model, with the half-life of their popularity in days.
const BASELINES: [(&str, f64); 4] = [
    ("popularity_6h", 0.25),
    ("popularity_1d", 1.0),
    ("popularity_3d", 3.0),
    ("popularity_ever", f64::INFINITY),
];

/// Trains on what lies before the cut, ranks everybody anew at each midnight from the cut on, and looks for the contents
/// that each user touched for the first time within the day.
pub fn content(
    question: &GoalQuestion<'_>,
    cut: Instant,
    known: Instant,
    config: &Config,
    watch: &impl Fn(usize, usize),
) -> Result<ContentReport, TrainError> {
    let train = question.examples(Labels::MatureBefore(cut), &|_, _| ())?;
    let request = TrainingRequest::new(cut, config, cut);
    let model = fit_for_evaluation(question, &train, &request)?;
    let midnights = midnights(question, cut, known);
    let mut scores: BTreeMap<usize, Vec<RankingScores>> = BTreeMap::new();
    for (index, at) in midnights.iter().enumerate() {
        for (user, score) in score_day(question, &model, *at)? {
            scores.entry(user).or_default().push(score);
        }
        watch(index + 1, midnights.len());
    }
    if scores.is_empty() {
        return Err(ExampleError::EmptyPopulation {
            goal: question.name.to_string(),
            why: format!("nobody touched a content for the first time on a day from {cut} on"),
        }
        .into());
    }
    Ok(report(&scores, midnights.len(), config))
}

/// Recall and NDCG of each way of ranking on one user-day.
type RankingScores = Vec<(f64, f64)>;

fn midnights(question: &GoalQuestion<'_>, cut: Instant, known: Instant) -> Vec<Instant> {
    let zone = Zone::find(question.sources.default_time_zone).unwrap_or_else(|_| Zone::utc());
    let mut day = zone.local_day(cut);
    let mut midnights = Vec::new();
    while let Some(at) = zone.instant_of(day.civil().into()).filter(|at| *at < known) {
        if at >= cut {
            midnights.push(at);
        }
        day.0 += 1;
    }
    midnights
}

fn score_day(
    question: &GoalQuestion<'_>,
    model: &Model,
    at: Instant,
) -> Result<Vec<(usize, RankingScores)>, ExampleError> {
    let timeline = question.sources.timeline;
    let as_of = AsOf::new(question.sources, question.goal, at)?;
    let orders = BASELINES.map(|(_, half_life)| by_popularity(timeline, &as_of, at, half_life));
    let users: Vec<usize> = (0..timeline.users().len()).collect();
    let scored = parallel::map(users.len(), |user| {
        let truth = first_touches(timeline, &as_of, user, at);
        if truth.is_empty() || timeline.events_before(user, at).is_empty() {
            return None;
        }
        let wanted = Wanted { top: TOP, unseen: true };
        let ours: Vec<usize> = rank(question, Some(model), &as_of, user, wanted)
            .into_iter()
            .map(|(content, _)| content)
            .collect();
        let seen: BTreeSet<usize> =
            timeline.tried_before(user, at).iter().map(|(_, content)| *content as usize).collect();
        let grade = |ranked: &[usize]| (recall_at(TOP, ranked, &truth), ndcg_at(TOP, ranked, &truth));
        let mut score = vec![grade(&ours)];
        for order in &orders {
            let theirs: Vec<usize> =
                order.iter().copied().filter(|content| !seen.contains(content)).take(TOP).collect();
            score.push(grade(&theirs));
        }
        Some((user, score))
    });
    Ok(scored.into_iter().flatten().collect())
}

/// Contents that the user touched for the first time within the day and that were there before it.
fn first_touches(timeline: &Timeline, as_of: &AsOf, user: usize, at: Instant) -> BTreeSet<usize> {
    let until = at.plus(DAY);
    let tried = timeline.tried_before(user, until).iter().filter(|(moment, _)| *moment >= at);
    tried.map(|(_, content)| *content as usize).filter(|content| as_of.is_alive(*content)).collect()
}

/// Contents that are alive by decayed touches, ties by id.
fn by_popularity(timeline: &Timeline, as_of: &AsOf, at: Instant, half_life: f64) -> Vec<usize> {
    let weight = |content: usize| -> f64 {
        let touches = timeline.touches_before(content, at).iter();
        touches
            .map(|touch| decay_factor((at.micros() - touch.at.micros()) as f64 / DAY as f64, half_life))
            .sum()
    };
    let alive = (0..timeline.contents().len()).filter(|content| as_of.is_alive(*content));
    let mut weighed: Vec<(usize, f64)> = alive.map(|content| (content, weight(content))).collect();
    weighed.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    weighed.into_iter().map(|(content, _)| content).collect()
}

fn report(scores: &BTreeMap<usize, Vec<RankingScores>>, days: usize, config: &Config) -> ContentReport {
    const METRICS: [&str; 2] = ["recall_at_10", "ndcg_at_10"];
    let bootstrap = Bootstrap::new(scores.len(), config.evaluation.bootstrap_draws, config.evaluation.seed);
    let parts = |way: usize, metric: usize| -> Vec<RatioPart> {
        let of = |score: &RankingScores| if metric == 0 { score[way].0 } else { score[way].1 };
        scores.values().map(|days| (days.iter().map(of).sum(), days.len() as f64)).collect()
    };
    let names: Vec<&'static str> =
        std::iter::once("model").chain(BASELINES.iter().map(|(name, _)| *name)).collect();
    let figures = |way: usize| -> Figures {
        METRICS.iter().enumerate().map(|(index, name)| (*name, bootstrap.ratio(&parts(way, index)))).collect()
    };
    let difference = |way: usize| -> Figures {
        let one = |index: usize| bootstrap.difference(&parts(0, index), &parts(way, index));
        METRICS.iter().enumerate().map(|(index, name)| (*name, one(index))).collect()
    };
    ContentReport {
        days,
        users: scores.len(),
        user_days: scores.values().map(Vec::len).sum(),
        models: names.iter().enumerate().map(|(way, name)| (*name, figures(way))).collect(),
        differences: names.iter().enumerate().skip(1).map(|(way, name)| (*name, difference(way))).collect(),
    }
}
