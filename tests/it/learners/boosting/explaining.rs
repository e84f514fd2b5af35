//! Contributions: they sum to the logit and are the Shapley values of the trees' conditional means.

use learners::boosting::GradientBoosting;
use serde_json::Value;

use super::{data, fit, small, text};

/// Mean of a tree when only some inputs are known, by walking down both sides where one is not.
fn mean(nodes: &[Value], node: usize, row: &[f64], known: usize) -> f64 {
    let split = &nodes[node]["split"];
    if split.is_null() {
        return nodes[node]["leaf"]["value"].as_f64().unwrap();
    }
    let [left, right] = ["left", "right"].map(|side| split[side].as_u64().unwrap() as usize);
    let column = split["column"].as_u64().unwrap() as usize;
    if known >> column & 1 == 1 {
        let is_left = if row[column].is_nan() {
            split["missing_left"].as_bool().unwrap()
        } else {
            row[column] <= split["threshold"].as_f64().unwrap()
        };
        return mean(nodes, if is_left { left } else { right }, row, known);
    }
    let [on_left, on_right] = [left, right].map(|side| rows(nodes, side));
    let [left, right] = [left, right].map(|side| mean(nodes, side, row, known));
    (on_left * left + on_right * right) / (on_left + on_right)
}

fn rows(nodes: &[Value], node: usize) -> f64 {
    let split = &nodes[node]["split"];
    if split.is_null() {
        return nodes[node]["leaf"]["rows"].as_f64().unwrap();
    }
    ["left", "right"].map(|side| rows(nodes, split[side].as_u64().unwrap() as usize)).iter().sum()
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|factor| factor as f64).product()
}

/// Shapley values from their definition: over all sets of other inputs.
fn shapley(model: &GradientBoosting, row: &[f64]) -> Vec<f64> {
    let json: Value = serde_json::from_str(&text(model)).unwrap();
    let trees = json["trees"].as_array().unwrap();
    let value = |known: usize| -> f64 {
        trees.iter().map(|tree| mean(tree["nodes"].as_array().unwrap(), 0, row, known)).sum()
    };
    let values: Vec<f64> = (0..1 << row.len()).map(value).collect();
    let of_column = |column: usize| {
        let others = (0..1_usize << row.len()).filter(|known| known >> column & 1 == 0);
        let share = |known: usize| {
            let size = known.count_ones() as usize;
            factorial(size) * factorial(row.len() - size - 1) / factorial(row.len())
        };
        others.map(|known| share(known) * (values[known | 1 << column] - values[known])).sum()
    };
    (0..row.len()).map(of_column).collect()
}

#[test]
fn contributions_are_shapley_values() {
    let data = data(50, 600, 5, 30, 0.2);
    let model = fit(&small().leaves(20).trees(4), &data);
    for row in data.records.rows().into_iter().take(25) {
        let row = row.to_vec();
        let (ours, exact) = (model.contributions(&row).unwrap().inputs, shapley(&model, &row));
        assert!(ours.iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-10), "{ours:?} {exact:?}");
    }
}

#[test]
fn contributions_sum_to_the_logit() {
    let data = data(51, 5_000, 12, 1_000, 0.1);
    let model = fit(&small().leaves(63).trees(100), &data);
    for row in data.records.rows().into_iter().take(200) {
        let row = row.to_vec();
        let parts = model.contributions(&row).unwrap();
        let (sum, logit) = (parts.bias + parts.inputs.iter().sum::<f64>(), model.logit(&row).unwrap());
        assert!((sum - logit).abs() < 1e-9, "{sum} {logit}");
    }
}

#[test]
fn an_input_no_tree_uses_contributes_nothing() {
    let mut data = data(52, 500, 4, 50, 0.1);
    data.records.column_mut(3).fill(7.0);
    let model = fit(&small(), &data);
    assert_eq!(model.contributions(&data.records.row(0).to_vec()).unwrap().inputs[3], 0.0);
}
