//! The gate: honest models pass, noise and spoilt examples are stopped, each by name.

use smartpush::domain::time::Instant;
use smartpush::models::examples::{ExampleRow, Examples, GoalQuestion, Labels};
use smartpush::models::train::{TrainError, Trained, TrainingRequest, train_on};
use smartpush::registry::gate::names;
use smartpush::registry::model::ModelKind;

use super::town::{self, Town, day};
use super::world::Material;
use crate::support::draws::Draws;

/// Large enough that an honest model can show what it is worth.
const LARGE: Town = Town { users: 600, contents: 30, days: 40, seed: 1 };

fn material(town: Town) -> (Material, Instant) {
    let as_of = day(town.days);
    (town.world(town::SETTINGS).material(as_of), as_of)
}

/// Trains on examples that something was done to.
fn train_spoilt(
    (material, as_of): &(Material, Instant),
    spoil: impl FnOnce(&mut Examples),
) -> Result<Trained, TrainError> {
    let sources = material.sources();
    let question = material.question("buy_2d", &sources);
    let mut examples = examples(&question, *as_of);
    spoil(&mut examples);
    train_on(&question, &TrainingRequest::new(*as_of, &material.config, *as_of), &examples)
}

fn examples(question: &GoalQuestion<'_>, as_of: Instant) -> Examples {
    question.examples(Labels::MatureBefore(as_of), &|_, _| ()).unwrap()
}

/// The names that stop a training: an error's code, or the gate's lines that do not hold.
fn stopped_by(trained: Result<Trained, TrainError>) -> Vec<String> {
    match trained {
        Err(error) => vec![error.to_string().split(':').next().unwrap().to_string()],
        Ok(trained) => {
            let gate = trained.card.gate.unwrap();
            let failed: Vec<String> = gate.failed().iter().map(|line| line.name.clone()).collect();
            let is_served = trained.model.kind != ModelKind::BaseRate;
            assert!(is_served || !failed.is_empty(), "what is not served fails a line");
            failed
        }
    }
}

fn shuffle<T>(values: &mut [T], seed: u64) {
    let mut draws = Draws::new(seed);
    for index in (1..values.len()).rev() {
        values.swap(index, draws.between(0.0, index as f64 + 1.0) as usize);
    }
}

#[test]
fn shuffled_labels_are_refused_whatever_the_seed() {
    let world = material(LARGE);
    for seed in 0..20 {
        let failed = stopped_by(train_spoilt(&world, |examples| shuffle(&mut examples.labels, seed)));
        assert!(!failed.is_empty(), "seed {seed} passed");
        assert!(failed.iter().any(|name| name == "beats_base_rate"), "seed {seed}: {failed:?}");
    }
}

#[test]
fn honest_models_pass_nineteen_times_of_twenty() {
    let mut refused = Vec::new();
    for seed in 1..=20 {
        let failed = stopped_by(train_spoilt(&material(Town { seed, ..LARGE }), |_| ()));
        if !failed.is_empty() {
            refused.push((seed, failed));
        }
    }
    assert!(refused.len() <= 1, "{refused:?}");
}

/// Rows of the newest fifth.
fn newest(examples: &Examples) -> std::ops::Range<usize> {
    examples.len() * 4 / 5..examples.len()
}

/// Rows of the test part and of some days before it.
fn newest_third(examples: &Examples) -> std::ops::Range<usize> {
    examples.len() * 2 / 3..examples.len()
}

fn column(examples: &Examples, name: &str) -> usize {
    examples.inputs.iter().position(|(_, input)| input == name).unwrap_or_else(|| panic!("no input {name}"))
}

/// Keeps some rows.
fn keep(examples: &mut Examples, keep: impl Fn(&Examples, usize) -> bool) {
    let rows: Vec<usize> = (0..examples.len()).filter(|row| keep(examples, *row)).collect();
    let of = |values: &[f64]| rows.iter().map(|row| values[*row]).collect::<Vec<f64>>();
    examples.columns = examples.columns.iter().map(|values| of(values)).collect();
    examples.labels = rows.iter().map(|row| examples.labels[*row]).collect();
    examples.rows = rows.iter().map(|row| examples.rows[*row]).collect();
}

/// What was done to the examples, how, and the name that stops it.
type Spoiled = (&'static str, fn(&mut Examples), &'static str);

const SPOILED: &[Spoiled] = &[
    (
        "the label leaked into an input",
        |examples| {
            let leak: Vec<f64> = examples.labels.iter().map(|label| f64::from(u8::from(*label))).collect();
            examples.columns[0] = leak;
        },
        "no_input_tells_the_outcome",
    ),
    (
        "the label leaked, turned round",
        |examples| {
            examples.columns[3] =
                examples.labels.iter().map(|label| 5.0 - f64::from(u8::from(*label))).collect();
        },
        "no_input_tells_the_outcome",
    ),
    (
        "an input is known only of who reached the goal",
        |examples| {
            let known = |label: &bool| if *label { 1.0 } else { f64::NAN };
            examples.columns[2] = examples.labels.iter().map(known).collect();
        },
        "no_input_tells_the_outcome",
    ),
    (
        "an input's unit changed on the newest days",
        |examples| {
            let (input, rows) = (column(examples, "active_days_30d"), newest(examples));
            rows.for_each(|row| examples.columns[input][row] = 1_000.0 * examples.columns[input][row] + 7.0);
        },
        "inputs_are_stable",
    ),
    (
        "an input is missing on the newest days",
        |examples| {
            let (input, rows) = (column(examples, "signals_30d"), newest(examples));
            rows.for_each(|row| examples.columns[input][row] = f64::NAN);
        },
        "inputs_are_stable",
    ),
    (
        "an input is constant on the newest days",
        |examples| {
            let (input, rows) = (column(examples, "signal_share"), newest(examples));
            rows.for_each(|row| examples.columns[input][row] = 0.25);
        },
        "inputs_are_stable",
    ),
    (
        "one user has nine rows of ten",
        |examples| {
            for row in 0..examples.len() {
                if row % 10 != 0 {
                    examples.rows[row].user = 5;
                }
            }
        },
        "no_user_dominates",
    ),
    (
        "everything is constant",
        |examples| examples.columns.iter_mut().for_each(|column| column.fill(1.0)),
        "ranks_above_chance",
    ),
    (
        "everything is unknown",
        |examples| examples.columns.iter_mut().for_each(|column| column.fill(f64::NAN)),
        "ranks_above_chance",
    ),
    (
        "labels mean the opposite on the newest days",
        |examples| newest(examples).for_each(|row| examples.labels[row] = !examples.labels[row]),
        "beats_base_rate",
    ),
    (
        "twice as many reach the goal on the newest days",
        |examples| {
            let rows = newest(examples);
            rows.filter(|row| row % 2 == 0).for_each(|row| examples.labels[row] = true);
        },
        "is_calibrated",
    ),
    (
        "almost nobody reaches the goal on the newest days",
        |examples| {
            let rows = newest_third(examples);
            rows.filter(|row| row % 60 != 0).for_each(|row| examples.labels[row] = false);
        },
        "has_enough_of_both_outcomes",
    ),
    (
        "the inputs of users were mixed up",
        |examples| {
            for (number, column) in examples.columns.iter_mut().enumerate() {
                shuffle(column, number as u64);
            }
        },
        "beats_base_rate",
    ),
    (
        "a few rows are left",
        |examples| keep(examples, |examples, row| examples.rows[row].user % 30 == 0),
        "has_enough_rows",
    ),
];

#[test]
fn spoilt_examples_are_stopped_each_by_name() {
    let world = material(LARGE);
    for (what, spoil, name) in SPOILED {
        let failed = stopped_by(train_spoilt(&world, spoil));
        assert!(failed.iter().any(|failed| failed == name), "{what}: {failed:?} lacks {name}");
    }
}

/// Examples that nothing can be learned from.
const DEGENERATE: &[Spoiled] = &[
    ("no row", |examples| keep(examples, |_, _| false), "too_few_moments"),
    ("one row", |examples| keep(examples, |_, row| row == 0), "too_few_moments"),
    ("two rows", |examples| keep(examples, |_, row| row < 2), "too_few_moments"),
    (
        "one moment",
        |examples| keep(examples, |examples, row| examples.rows[row].moment == 2),
        "too_few_moments",
    ),
    (
        "two moments",
        |examples| keep(examples, |examples, row| examples.rows[row].moment < 2),
        "too_few_moments",
    ),
    ("nobody reaches the goal", |examples| examples.labels.fill(false), "one_class"),
    ("everybody reaches the goal", |examples| examples.labels.fill(true), "one_class"),
    (
        "nobody reaches the goal on the newest days",
        |examples| newest_third(examples).for_each(|row| examples.labels[row] = false),
        "one_class",
    ),
    ("one user", |examples| keep(examples, |examples, row| examples.rows[row].user == 3), "one_class"),
    (
        "perfect separation",
        |examples| {
            let value = |label: &bool| if *label { 1.0 } else { -1.0 };
            let labels: Vec<f64> = examples.labels.iter().map(value).collect();
            examples.columns.iter_mut().for_each(|column| *column = labels.clone());
        },
        "no_input_tells_the_outcome",
    ),
    (
        "numbers as large as can be",
        |examples| examples.columns[1].iter_mut().step_by(2).for_each(|value| *value = 1e300),
        "not_finite",
    ),
    ("infinity", |examples| examples.columns[1][7] = f64::INFINITY, "not_finite"),
    ("minus infinity", |examples| examples.columns[4].fill(f64::NEG_INFINITY), "not_finite"),
    (
        "identical columns of noise",
        |examples| {
            let mut draws = Draws::new(3);
            let noise: Vec<f64> = (0..examples.len()).map(|_| draws.normal()).collect();
            examples.columns.iter_mut().for_each(|column| *column = noise.clone());
        },
        "beats_base_rate",
    ),
    (
        "every row many times",
        |examples| {
            let rows: Vec<ExampleRow> = examples.rows.clone();
            examples.rows.iter_mut().zip(rows).for_each(|(row, _)| row.user = 0);
        },
        "no_user_dominates",
    ),
];

#[test]
fn degenerate_examples_end_in_a_name_and_never_in_a_panic() {
    let world = material(Town { users: 200, ..LARGE });
    for (what, spoil, name) in DEGENERATE {
        let failed = stopped_by(train_spoilt(&world, spoil));
        assert!(failed.iter().any(|failed| failed == name), "{what}: {failed:?} lacks {name}");
    }
}

#[test]
fn every_line_is_on_the_card_and_every_name_is_a_line() {
    let trained = train_spoilt(&material(LARGE), |_| ()).unwrap();
    let gate = trained.card.gate.clone().unwrap();
    let asked: Vec<&str> = gate.lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(asked, names());
    let page = trained.card.to_markdown(&trained.model, "0123456789ab");
    for name in names() {
        assert!(page.contains(name), "CARD.md lacks {name}");
    }
    let rows: u64 = gate.facts.reliability.iter().map(|bin| bin.n).sum();
    assert_eq!(rows, gate.facts.test.rows as u64, "the reliability table holds every row of the test part");
    assert!(
        gate.facts.reliability.windows(2).all(|bins| bins[0].mean_probability <= bins[1].mean_probability)
    );
    assert!(gate.facts.golden.iter().all(|row| row.is_reproduced_by(&trained.model)));
    let mut other = trained.model.clone();
    other.intercept += 1e-9;
    assert!(gate.facts.golden.iter().any(|row| !row.is_reproduced_by(&other)), "another model shows");
}
