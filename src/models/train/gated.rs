//! What training tells the gate: probabilities of days not learned from, and the champion on rows it had not known.

use super::{Fitted, Learner, Split, TrainError, TrainingRequest};
use crate::evidence::Evidence;
use evaluation::classification::Intervals;
use learners::calibration::Calibration;
use registry::figures::Metrics;
use registry::gate::Gate;

use crate::recipe::Recipe;
use crate::score::{check_goal, check_inputs};
use registry::gate::rival::Rival;
use registry::model::Model;
use registry::versions::Registered;

impl Learner<'_> {
    /// Probabilities of the three parts, in the order of their rows.
    pub(super) fn probabilities(
        &self,
        fitted: &Fitted,
        calibration: &Calibration,
        split: &Split,
    ) -> Vec<f64> {
        let mut probabilities = vec![f64::NAN; self.examples.len()];
        for row in split.train.iter().chain(&split.calibrate).chain(&split.test) {
            probabilities[*row] = calibration.probability(fitted.logit(self.examples, *row));
        }
        probabilities
    }

    /// What the gate says of the model that would be served.
    pub(super) fn gate(
        &self,
        split: &Split,
        probabilities: &[f64],
        metrics: &Metrics,
        model: &Model,
        champion: Option<&Rival>,
        request: &TrainingRequest<'_>,
    ) -> Gate {
        let facts = Evidence {
            question: self.question,
            examples: self.examples,
            train: &split.train,
            calibrate: &split.calibrate,
            test: &split.test,
            probabilities,
            base_rate: model.base_rate,
            metrics,
            model: Some(model),
            champion,
            config: request.config,
        }
        .facts();
        Gate::judge(facts, &request.config.gates, request.others)
    }

    /// The champion beside the recipe fitted on what the champion could have known, on rows of the test part that it could
    /// not: neither has seen an outcome that the other had not.
    pub(super) fn against_champion(
        &self,
        request: &TrainingRequest<'_>,
        recipe: Recipe,
        calibration: &Calibration,
        split: &Split,
    ) -> Result<Option<Rival>, TrainError> {
        let Some(champion) = request.champion else { return Ok(None) };
        let all: Vec<usize> = (0..self.examples.len()).collect();
        let (known, _) = self.by_knowledge_of(champion, &all);
        let (mut rival, rows) = self.rival(champion, split);
        let least = request.config.gates.least_positives;
        if rival.error.is_none() && self.has_both(&rows, least) && self.has_both(&known, least) {
            let ours = self.fit(&known, recipe)?;
            let ours = |row: &usize| calibration.probability(ours.logit(self.examples, *row));
            self.compare(&mut rival, &rows, ours, &champion.model, request);
        }
        Ok(Some(rival))
    }

    /// The same for predictions that were made elsewhere, of rows whose outcome the champion had not known.
    pub(super) fn table_against_champion(
        &self,
        request: &TrainingRequest<'_>,
        probabilities: &[f64],
        split: &Split,
    ) -> Option<Rival> {
        let champion = request.champion?;
        let (mut rival, rows) = self.rival(champion, split);
        if rival.error.is_none() && self.has_both(&rows, request.config.gates.least_positives) {
            self.compare(&mut rival, &rows, |row| probabilities[*row], &champion.model, request);
        }
        Some(rival)
    }

    /// A rival without figures, and the rows of the test part whose outcome it had not known.
    fn rival(&self, champion: &Registered, split: &Split) -> (Rival, Vec<usize>) {
        let (_, rows) = self.by_knowledge_of(champion, &split.test);
        let rival = Rival {
            version: champion.version.clone(),
            rows: rows.len(),
            positives: self.examples.positives(&rows),
            log_loss_difference: None,
            auc_difference: None,
            error: error_of(champion, self.question),
        };
        (rival, rows)
    }

    /// Rows whose outcome was known as of a model, and the others.
    fn by_knowledge_of(&self, model: &Registered, rows: &[usize]) -> (Vec<usize>, Vec<usize>) {
        let is_known = |row: &usize| self.question.is_mature(self.examples.moment(*row), model.model.as_of);
        rows.iter().copied().partition(is_known)
    }

    /// Are there enough rows of either outcome?
    fn has_both(&self, rows: &[usize], least: usize) -> bool {
        let positives = self.examples.positives(rows);
        positives.min(rows.len() - positives) >= least
    }

    fn compare(
        &self,
        rival: &mut Rival,
        rows: &[usize],
        ours: impl Fn(&usize) -> f64,
        champion: &Model,
        request: &TrainingRequest<'_>,
    ) {
        let labels: Vec<bool> = rows.iter().map(|row| self.examples.labels[*row]).collect();
        let users: Vec<u32> = rows.iter().map(|row| self.examples.rows[*row].user).collect();
        let theirs = |row: &usize| champion.score_row(&self.examples.inputs_of(*row));
        let ours: Vec<f64> = rows.iter().map(ours).collect();
        let theirs: Vec<f64> = rows.iter().map(theirs).collect();
        let evaluation = &request.config.evaluation;
        let intervals = Intervals::new(&labels, &users, evaluation.bootstrap_draws, evaluation.seed)
            .with_one_negative_of(self.examples.one_kept_of);
        rival.log_loss_difference = Some(intervals.log_loss_difference(&ours, &theirs));
        rival.auc_difference = Some(intervals.auc_difference(&ours, &theirs));
    }
}

/// Why a champion cannot score these examples.
fn error_of(champion: &Registered, question: &crate::examples::GoalQuestion<'_>) -> Option<String> {
    let checked = check_goal(&champion.model, question.goal).and_then(|()| check_inputs(&champion.model));
    checked.err().map(|error| error.to_string())
}
