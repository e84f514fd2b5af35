//! Who is like the members of a seed list: a model of membership, judged on people whom it did not learn from.
//!
//! Members are told from everybody else by logistic regression on standardised inputs. Everybody's similarity comes from a
//! model that learned from the other folds, its penalty chosen on them too, so nobody is recognised by his own label: the area
//! under the curve, what a reach finds, and who is taken all rest on the same figures.

use linfa::ParamGuard;
use ndarray::{Array2, ShapeBuilder};

use domain::error::{Coded, ErrorKind};
use domain::identity::hash_of;
use domain::numeric::logistic;
use evaluation::bootstrap::Figure;
use evaluation::classification::log_loss;
use evaluation::delong::auc_with_interval;
use learners::logistic::{FitError, LogisticRegression, TOLERANCE};
use registry::model::{mean_and_scale, standardised};

/// Members, and others, that a model is learned from at least: with fewer, a fold holds fewer than ten of them.
pub const LEAST_SEED: usize = 50;
/// Folds.
pub const FOLDS: usize = 5;
/// Penalties on squared weights that are tried, beside a loss that is a sum over people: 1 / C of scikit-learn.
const PENALTIES: [f64; 6] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0];
/// People that the penalty is chosen on at most, evenly strided: of more, it hardly matters.
const CHOICE_PEOPLE: usize = 20_000;
/// Inputs are held within so many standard deviations.
pub const CLIP: f64 = 3.0;
/// Seed of the folds.
const FOLD_SEED: u64 = 1;

/// Why there is no model of a seed.
#[derive(Debug, thiserror::Error)]
pub enum LookAlikeError {
    /// Too few members.
    #[error(
        "seed_too_small: {0} members can be learned from, at least {LEAST_SEED} are needed to say what they have in common"
    )]
    SeedTooSmall(usize),
    /// Too few others.
    #[error(
        "seed_is_everybody: beside its members there are {0} people, at least {LEAST_SEED} are needed to tell them from"
    )]
    SeedIsEverybody(usize),
    /// Nothing is known that differs between people.
    #[error("no_inputs: nothing is left that differs between people; take a field back from --without")]
    NoInputs,
    /// The fit came to nothing.
    #[error(transparent)]
    Fit(#[from] FitError),
}

impl Coded for LookAlikeError {
    fn code(&self) -> &'static str {
        match self {
            LookAlikeError::SeedTooSmall(_) => "seed_too_small",
            LookAlikeError::SeedIsEverybody(_) => "seed_is_everybody",
            LookAlikeError::NoInputs => "no_inputs",
            LookAlikeError::Fit(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            LookAlikeError::SeedTooSmall(_)
            | LookAlikeError::SeedIsEverybody(_)
            | LookAlikeError::NoInputs => ErrorKind::Caller,
            LookAlikeError::Fit(error) => error.kind(),
        }
    }
}

/// A model of membership.
#[derive(Clone, Debug, PartialEq)]
pub struct LookAlike {
    /// Fold of each person, 0 … 4.
    pub folds: Vec<usize>,
    /// Probability of membership of each person, by the model of the folds that he is not in.
    pub similarity: Vec<f64>,
    /// How well similarity tells members from others; 95 % interval.
    pub auc: Figure,
    /// Weight of each standardised input in the model of everybody.
    pub weights: Vec<f64>,
    /// The penalty of each fold's model, chosen without its people.
    pub penalties: Vec<f64>,
    /// The penalty of the model of everybody.
    pub penalty: f64,
}

/// What comes of taking the most similar of those who are no members.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Reach {
    /// Share of those who are no members.
    pub share: f64,
    /// How many that is.
    pub people: usize,
    /// Similarity of the last of them.
    pub similarity: f64,
    /// Share of the members who are at least as similar: so many would have been found, had they not been known.
    pub found: f64,
    /// That share over the share of people: how many times as many as by chance.
    pub lift: f64,
}

impl LookAlike {
    /// Learns who is a member from columns of one input each, NaN where it is missing.
    ///
    /// `ids` names the people; their folds hang on ids alone, members and others dealt apart. The same on any number of threads.
    ///
    /// # Errors
    /// When members or others are fewer than [`LEAST_SEED`], no input is given, or the fit fails.
    pub fn learn(ids: &[&str], columns: &[&[f64]], members: &[bool]) -> Result<LookAlike, LookAlikeError> {
        let count = members.iter().filter(|member| **member).count();
        match (count, members.len() - count) {
            (members, _) if members < LEAST_SEED => return Err(LookAlikeError::SeedTooSmall(members)),
            (_, others) if others < LEAST_SEED => return Err(LookAlikeError::SeedIsEverybody(others)),
            _ if columns.is_empty() => return Err(LookAlikeError::NoInputs),
            _ => {}
        }
        let folds = folds(ids, members);
        let crowd = Crowd { columns, members, folds: &folds };
        let mut similarity = vec![0.0; members.len()];
        let mut penalties = Vec::with_capacity(FOLDS);
        for fold in 0..FOLDS {
            let penalty = crowd.choose_penalty(Some(fold))?;
            let fitted = crowd.fit(&crowd.rows(|other| other != fold), penalty)?;
            for row in crowd.rows(|other| other == fold) {
                similarity[row] = fitted.probability(columns, row);
            }
            penalties.push(penalty);
        }
        let penalty = crowd.choose_penalty(None)?;
        let weights = crowd.fit(&crowd.rows(|_| true), penalty)?.weights;
        let auc = auc_with_interval(&similarity, members);
        Ok(LookAlike { folds, similarity, auc, weights, penalties, penalty })
    }

    /// What each share of those who are no members comes to.
    pub fn curve(&self, members: &[bool], shares: &[f64]) -> Vec<Reach> {
        let of = |wanted: bool| -> Vec<f64> {
            let rows = self.similarity.iter().zip(members).filter(|(_, member)| **member == wanted);
            let mut values: Vec<f64> = rows.map(|(similarity, _)| *similarity).collect();
            values.sort_by(|one, other| other.total_cmp(one));
            values
        };
        let (seed, others) = (of(true), of(false));
        let point = |share: &f64| {
            let people = libm::round(share * others.len() as f64).max(1.0) as usize;
            let similarity = others[people.min(others.len()) - 1];
            let found = seed.partition_point(|one| *one >= similarity) as f64 / seed.len() as f64;
            let share = people as f64 / others.len() as f64;
            Reach { share, people, similarity, found, lift: found / share }
        };
        shares.iter().map(point).collect()
    }
}

/// Folds of equal size, members and others dealt apart in the order of a hash of their ids.
fn folds(ids: &[&str], members: &[bool]) -> Vec<usize> {
    let draw = |id: &str| hash_of(&[&FOLD_SEED.to_le_bytes(), id.as_bytes()].concat());
    let mut order: Vec<(bool, u64, usize)> =
        ids.iter().zip(members).enumerate().map(|(row, (id, member))| (*member, draw(id), row)).collect();
    order.sort_unstable();
    let mut folds = vec![0; ids.len()];
    order.iter().enumerate().for_each(|(index, (_, _, row))| folds[*row] = index % FOLDS);
    folds
}

/// People to learn from.
struct Crowd<'a> {
    columns: &'a [&'a [f64]],
    members: &'a [bool],
    folds: &'a [usize],
}

impl Crowd<'_> {
    fn rows(&self, takes: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.folds.len()).filter(|row| takes(self.folds[*row])).collect()
    }

    /// The penalty under which each of the other folds is foretold best by those that remain; the weakest of equals.
    fn choose_penalty(&self, left_out: Option<usize>) -> Result<f64, FitError> {
        let stride = self.members.len().div_ceil(CHOICE_PEOPLE);
        let thinned = |rows: Vec<usize>| -> Vec<usize> { rows.into_iter().step_by(stride).collect() };
        let mut best = (f64::INFINITY, PENALTIES[0]);
        for penalty in PENALTIES {
            let (mut probabilities, mut labels) = (Vec::new(), Vec::new());
            for fold in (0..FOLDS).filter(|fold| Some(*fold) != left_out) {
                let rows = thinned(self.rows(|other| other != fold && Some(other) != left_out));
                let fitted = self.fit(&rows, penalty)?;
                for row in thinned(self.rows(|other| other == fold)) {
                    probabilities.push(fitted.probability(self.columns, row));
                    labels.push(self.members[row]);
                }
            }
            let loss = log_loss(&probabilities, &labels);
            if loss < best.0 {
                best = (loss, penalty);
            }
        }
        Ok(best.1)
    }

    fn fit(&self, rows: &[usize], penalty: f64) -> Result<LookAlikeFit, FitError> {
        let columns = self.columns;
        let moments = parallel::map_each(columns.len(), |index| mean_and_scale(columns[index], rows));
        let standard = parallel::map_each(columns.len(), |index| -> Vec<f64> {
            let (mean, scale) = moments[index];
            rows.iter().map(|row| standardised(columns[index][*row], mean, scale, CLIP)).collect()
        });
        let matrix = Array2::from_shape_vec((rows.len(), columns.len()).f(), standard.concat())
            .map_err(|_| FitError::RowsDiffer { rows: rows.len(), labels: self.members.len() })?;
        let labels: Vec<bool> = rows.iter().map(|row| self.members[*row]).collect();
        let params = LogisticRegression::params().alpha(penalty).tolerance(TOLERANCE).check()?;
        let fitted = params.fit_weighted(matrix.view(), &labels, None)?;
        Ok(LookAlikeFit { moments, weights: fitted.weights.to_vec(), intercept: fitted.intercept })
    }
}

/// One fit with the standardisation that belongs to it.
struct LookAlikeFit {
    moments: Vec<(f64, f64)>,
    weights: Vec<f64>,
    intercept: f64,
}

impl LookAlikeFit {
    fn probability(&self, columns: &[&[f64]], row: usize) -> f64 {
        let mut logit = self.intercept;
        for ((column, (mean, scale)), weight) in columns.iter().zip(&self.moments).zip(&self.weights) {
            logit += standardised(column[row], *mean, *scale, CLIP) * weight;
        }
        logistic(logit)
    }
}
