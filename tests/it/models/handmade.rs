//! Models without training: weights drawn from a seed, hashes as this build computes them, a card to go with them.

use smartpush::config::Config;
use smartpush::domain::time::Instant;
use smartpush::evaluation::bootstrap::Figure;
use smartpush::learners::calibration::Calibration;
use smartpush::models::inputs::user::user_features;
use smartpush::models::inputs::{InputList, inputs_sha256};
use smartpush::profiles::features::features_sha256;
use smartpush::registry::card::{Card, FORMAT as CARD_FORMAT};
use smartpush::registry::figures::{Metrics, SplitCard};
use smartpush::registry::gate::Gate;
use smartpush::registry::gate::facts::{Count, Facts, Named};
use smartpush::registry::model::{LINEAR_FORMAT, Model, ModelKind, WeightedInput};

use crate::support::draws::Draws;

/// A model of a declared goal, as of a moment; other seeds have other weights.
pub(super) fn model(config: &Config, goal: &str, as_of: Instant, seed: u64) -> Model {
    let definition = config.goals[goal].clone();
    let mut draws = Draws::new(seed);
    let inputs = InputList::of(definition.unit)
        .iter()
        .map(|(block, name)| WeightedInput {
            block,
            name: name.to_string(),
            mean: draws.normal(),
            scale: draws.between(0.5, 2.0),
            weight: 0.3 * draws.normal(),
        })
        .collect();
    Model {
        format: LINEAR_FORMAT,
        goal: goal.to_string(),
        kind: ModelKind::LogisticRegression,
        as_of,
        features_sha256: features_sha256(&user_features()),
        inputs_sha256: inputs_sha256(definition.unit),
        definition,
        profile_settings: config.profiles.clone(),
        seed,
        penalty: 1.0,
        clip: 3.0,
        base_rate: 0.1,
        intercept: draws.normal(),
        time_weight: 1.0,
        inputs,
        trees: None,
        predictions: None,
        table: None,
        calibration: Calibration::Platt { slope: 0.9, intercept: -0.2 },
    }
}

/// A card with figures of nothing.
pub(super) fn card(goal: &str, now: Instant) -> Card {
    Card {
        format: CARD_FORMAT,
        goal: goal.to_string(),
        trained_at: now,
        lake_sha256: "lake".into(),
        data_sha256: "data".into(),
        split: SplitCard::default(),
        fitted_on: Default::default(),
        immature_moments: 0,
        metrics: metrics(),
        beats_base_rate: true,
        gate: Some(Gate { lines: Vec::new(), facts: facts(metrics()) }),
        gate_sha256: None,
        tried: Vec::new(),
        excluded_users: 0,
        tz_database: "2024a".into(),
        build: "test".into(),
    }
}

fn metrics() -> Metrics {
    let figure = Figure { value: 0.5, low: 0.4, high: 0.6, n: 10 };
    Metrics {
        log_loss: figure,
        auc: figure,
        ece: figure,
        base_rate_log_loss: figure,
        difference: figure,
        mean_probability: 0.5,
        test_rate: 0.5,
    }
}

/// Facts of nothing beside these figures.
pub(super) fn facts(metrics: Metrics) -> Facts {
    Facts {
        test: Count::default(),
        base_rate: 0.1,
        metrics,
        reliability: Vec::new(),
        level: None,
        champion: None,
        slices: Vec::new(),
        ece_by_chance: 0.0,
        inputs_moved: Vec::new(),
        scores_moved: None,
        busiest_user: Named { name: "u".into(), value: 0.0 },
        most_telling_input: None,
        error: None,
        golden: Vec::new(),
        golden_misses: 0,
    }
}
