//! The choice of a recipe: how strong each method is, and which method, on moments after those that it learned from.

use std::collections::BTreeMap;

use super::fit::{Fitted, Prepared};
use super::{Learner, ROWS_FOR_CHOICE, TrainError};
use crate::measure::stands_for;
use crate::recipe::Recipe;
use config::Method;
use domain::numeric::softplus;
use learners::logistic::ROUGH_TOLERANCE;
use registry::figures::Tried;

impl Learner<'_> {
    /// The recipe to use with all that were tried. Each method's strength is the one with the least log-loss on later
    /// moments, fitted on what was known before them; a method replaces one named before it if it is clearly
    /// better on them. Both count the negatives that were left out.
    pub(super) fn choose_recipe(&self, rows: &[usize]) -> Result<(Recipe, Vec<Tried>), TrainError> {
        let stride = rows.len().div_ceil(ROWS_FOR_CHOICE).max(1);
        let mut folds = Vec::new();
        for (before, after) in self.forward_folds(rows, stride) {
            folds.push((self.prepare(&before)?, after));
        }
        let (mut tried, mut best) = (Vec::new(), Vec::new());
        for method in &self.question.training.methods {
            let (recipe, its) = self.choose_strength(*method, &folds)?;
            tried.extend(its);
            best.push(recipe);
        }
        drop(folds);
        Ok((self.choose_method(rows, &best)?, tried))
    }

    fn choose_strength(
        &self,
        method: Method,
        folds: &[(Prepared, Vec<usize>)],
    ) -> Result<(Recipe, Vec<Tried>), TrainError> {
        let recipes = Recipe::of(method);
        let losses = parallel::map_each(recipes.len() * folds.len(), |index| {
            let (before, after) = &folds[index % folds.len()];
            let fitted = self.fit_prepared(before, recipes[index / folds.len()], ROUGH_TOLERANCE)?;
            Ok::<f64, TrainError>(self.loss(&fitted, after))
        });
        let losses = losses.into_iter().collect::<Result<Vec<f64>, TrainError>>()?;
        let after = folds.iter().flat_map(|(_, after)| after);
        let mass: f64 = after.map(|row| stands_for(self.examples.labels[*row], self.examples)).sum();
        let mean = |index: usize| {
            let own = losses.iter().skip(index * folds.len()).take(folds.len());
            own.sum::<f64>() / mass.max(1.0)
        };
        let one = |(index, recipe): (usize, &Recipe)| Tried {
            kind: recipe.kind(),
            penalty: recipe.penalty(),
            rate: recipe.rate(),
            trees: recipe.forest().map(|(trees, _)| trees),
            leaves: recipe.forest().map(|(_, leaves)| leaves),
            log_loss: mean(index),
        };
        let tried: Vec<Tried> = recipes.iter().enumerate().map(one).collect();
        let best = recipes.iter().zip(&tried).min_by(|(_, a), (_, b)| a.log_loss.total_cmp(&b.log_loss));
        let chosen = best.filter(|_| !folds.is_empty()).map(|(recipe, _)| *recipe);
        Ok((chosen.unwrap_or(Recipe::strong(method)), tried))
    }

    /// The first recipe, or a later one whose loss on later moments is lower by two standard errors over users.
    fn choose_method(&self, rows: &[usize], recipes: &[Recipe]) -> Result<Recipe, TrainError> {
        let mut chosen = recipes[0];
        if recipes.len() == 1 {
            return Ok(chosen);
        }
        let mut after = Vec::new();
        let mut losses = vec![Vec::new(); recipes.len()];
        for (before, later) in self.forward_folds(rows, 1) {
            let before = self.prepare(&before)?;
            for (recipe, losses) in recipes.iter().zip(&mut losses) {
                let fitted = self.fit_prepared(&before, *recipe, ROUGH_TOLERANCE)?;
                losses.extend(parallel::map(later.len(), |index| self.weighted_loss(&fitted, later[index])));
            }
            after.extend(later);
        }
        let mut least = 0;
        for candidate in 1..recipes.len() {
            if self.is_clearly_better(&after, &losses[candidate], &losses[least]) {
                (chosen, least) = (recipes[candidate], candidate);
            }
        }
        Ok(chosen)
    }

    /// −ln probability of a row, times the rows that it stands for.
    fn weighted_loss(&self, fitted: &Fitted, row: usize) -> f64 {
        let (logit, label) = (fitted.logit(self.examples, row), self.examples.labels[row]);
        softplus(if label { -logit } else { logit }) * stands_for(label, self.examples)
    }

    /// Rows of a user are not independent, users are: the standard error is that of the users' sums.
    fn is_clearly_better(&self, rows: &[usize], losses: &[f64], than: &[f64]) -> bool {
        const STANDARD_ERRORS: f64 = 2.0;
        let mut by_user: BTreeMap<u32, f64> = BTreeMap::new();
        for ((row, loss), other) in rows.iter().zip(losses).zip(than) {
            *by_user.entry(self.examples.rows[*row].user).or_default() += loss - other;
        }
        let (sum, users) = (by_user.values().sum::<f64>(), by_user.len() as f64);
        let spread: f64 = by_user.values().map(|own| (own - sum / users) * (own - sum / users)).sum();
        users > 1.0 && sum < -STANDARD_ERRORS * libm::sqrt(spread * users / (users - 1.0))
    }

    /// Σ −ln probability of some rows and of those that they stand for, with the logits' own sigmoid: the intercept was
    /// moved to speak of everybody, so only together with those left out is a row's probability the right one.
    fn loss(&self, fitted: &Fitted, rows: &[usize]) -> f64 {
        let losses = parallel::in_chunks(rows.len(), 4_096, |range| {
            rows[range].iter().map(|row| self.weighted_loss(fitted, *row)).sum::<f64>()
        });
        losses.iter().sum()
    }
}
