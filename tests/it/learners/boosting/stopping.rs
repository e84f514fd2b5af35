//! Early stopping: the trees after the best validation loss are dropped.

use linfa::{DatasetBase, ParamGuard};

use super::{Data, data, fit, loss, small, text};

#[test]
fn the_trees_kept_are_those_of_the_lowest_validation_loss() {
    let (learnt, judge) = (data(30, 500, 5, 500, 0.1), data(31, 500, 5, 500, 0.1));
    let kept = kept_at_the_lowest_loss(&learnt, &judge);
    assert!(kept > 0 && kept < 100, "{kept}");
}

/// Trees that are kept after a judge's best loss, which no number of trees up to twenty later comes below.
fn kept_at_the_lowest_loss(learnt: &Data, judge: &Data) -> usize {
    let params = small().trees(300).learning_rate(0.3).patience(Some(20));
    let stopped = params.clone().check().unwrap().fit_validated(learnt, judge).unwrap();
    let kept = stopped.trees();
    let losses: Vec<f64> =
        (1..kept + 20).map(|trees| loss(&fit(&params.clone().trees(trees), learnt), judge)).collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!((losses[kept - 1] - best).abs() < 1e-9, "{kept} {losses:?}");
    assert_eq!(text(&stopped), text(&fit(&params.trees(kept), learnt)));
    kept
}

#[test]
fn noise_is_hardly_learned_from() {
    let mut learnt = data(32, 2_000, 5, 500, 0.1);
    learnt.targets = data(33, 2_000, 5, 500, 0.1).targets;
    let params = small().trees(500).validation_share(0.3).patience(Some(10));
    assert!(fit(&params, &learnt).trees() < 10);
    assert_eq!(fit(&params.patience(None), &learnt).trees(), 500);
}

#[test]
fn validation_weights_count() {
    let (learnt, judge) = (data(34, 500, 5, 500, 0.1), data(35, 400, 5, 500, 0.1));
    let rows: Vec<usize> = (0..400).flat_map(|row| std::iter::repeat_n(row, 1 + row % 4)).collect();
    let repeated: Data = DatasetBase::new(
        judge.records.select(ndarray::Axis(0), &rows),
        judge.targets.select(ndarray::Axis(0), &rows),
    );
    let weighted = judge.with_weights((0..400).map(|row| (1 + row % 4) as f32).collect());
    let params = small().trees(200).patience(Some(15)).check().unwrap();
    let [a, b] = [weighted, repeated].map(|judge| params.fit_validated(&learnt, &judge).unwrap());
    assert_eq!(text(&a), text(&b));
}

#[test]
fn a_judge_of_one_class_stops_where_its_loss_is_lowest_too() {
    let (learnt, mut judge) = (data(36, 500, 3, 500, 0.1), data(37, 100, 3, 500, 0.1));
    judge.targets.fill(true);
    kept_at_the_lowest_loss(&learnt, &judge);
}
