//! Figures of scikit-learn, stored by `tests/data/classification_figures.py`.

use serde::Deserialize;

/// What `tests/data/classification_figures.py` stored.
pub fn figures<T: for<'a> Deserialize<'a>>(key: &str) -> T {
    let stored = include_str!("../../data/classification_figures.json");
    let mut all: serde_json::Value = serde_json::from_str(stored).unwrap();
    serde_json::from_value(all[key].take()).unwrap()
}

/// Equal to nine digits.
pub fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + b.abs())
}

/// Labels as the figures store them.
pub fn happened(labels: &[u8]) -> Vec<bool> {
    labels.iter().map(|label| *label == 1).collect()
}
