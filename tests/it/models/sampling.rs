//! Of many negative examples a share is kept: what is learned from them still speaks of everybody.

use std::collections::BTreeSet;

use smartpush::domain::time::Instant;
use smartpush::models::calibration::logistic;
use smartpush::models::examples::{Examples, Labels};
use smartpush::models::train::{Request, train};

use super::town::{self, SMALL, Town, day};
use super::world::{Material, World};

/// Rows by user, moment and content, and whether they reached the goal.
type Kept = BTreeSet<(String, Instant, String, bool)>;

fn examples(material: &Material, known: Instant) -> Examples {
    let sources = material.sources();
    material.question("engage_24h", &sources).examples(Labels::MatureBefore(known), &|_, _| ()).unwrap()
}

fn kept(material: &Material, examples: &Examples) -> Kept {
    let of = |(row, label): (usize, &bool)| {
        let of = &examples.rows[row];
        let content = material.timeline.contents()[of.content.unwrap() as usize].clone();
        (material.timeline.users()[of.user as usize].clone(), examples.moment(row).at, content, *label)
    };
    examples.labels.iter().enumerate().map(of).collect()
}

#[test]
fn probabilities_of_a_model_that_saw_one_negative_in_many_are_those_of_everybody() {
    let town = Town { users: 400, contents: 40, ..SMALL };
    let mut material = town.world(town::SETTINGS).material(Instant::MAX);
    let as_of = day(34);
    material.config.training.most_negatives = 9_000;
    let sources = material.sources();
    let question = material.question("engage_24h", &sources);
    let request = Request { as_of, seed: 1, config: &material.config, now: as_of, lake_sha256: "" };
    let trained = train(&question, &request, &|_, _| ()).unwrap();
    let learned = examples(&material, as_of);
    assert!(learned.one_kept_of >= 8, "one of {} was kept", learned.one_kept_of);
    let positives = learned.labels.iter().filter(|label| **label).count() as f64;
    assert!(positives / learned.len() as f64 > 0.08, "kept rows alone would say too much");
    let model = &trained.model;
    // All pairs of the next days, none left out.
    let mut everything = town.world(town::SETTINGS).material(Instant::MAX);
    everything.config.training.most_negatives = 100_000_000;
    let sources = everything.sources();
    let question = everything.question("engage_24h", &sources);
    let later = question.examples_from(as_of, day(40), true, &|_, _| ()).unwrap();
    assert_eq!(later.one_kept_of, 1);
    let rate = later.labels.iter().filter(|label| **label).count() as f64 / later.len() as f64;
    let inputs = |row: usize| -> Vec<f64> { later.columns.iter().map(|column| column[row]).collect() };
    let mean = |of: &dyn Fn(&[f64]) -> f64| -> f64 {
        (0..later.len()).map(|row| of(&inputs(row))).sum::<f64>() / later.len() as f64
    };
    let (served, raw) = (mean(&|row| model.score_row(row)), mean(&|row| logistic(raw_logit(model, row))));
    println!(
        "rate {rate:.5}, served {served:.5}, before calibration {raw:.5}, base rate {:.5}",
        model.base_rate
    );
    for (name, value) in [("served", served), ("before calibration", raw), ("base rate", model.base_rate)] {
        assert!((value / rate).ln().abs() < 0.25, "{name}: {value}, the true rate is {rate}");
    }
    let metrics = &trained.card.metrics;
    assert!(
        (metrics.test_rate / rate).ln().abs() < 0.25,
        "the card's figures speak of everybody: {metrics:?}"
    );
}

fn raw_logit(model: &smartpush::models::linear::LinearModel, row: &[f64]) -> f64 {
    use smartpush::models::linear::Block;
    let width = |block: Block| model.inputs.iter().filter(|input| input.block == block).count();
    let (user, rest) = row.split_at(width(Block::User));
    let (content, pair) = rest.split_at(width(Block::Content));
    model.logit(user, content, pair)
}

#[test]
fn whether_a_row_is_kept_does_not_depend_on_the_rows_beside_it() {
    let world = SMALL.world(town::SETTINGS);
    let known = day(40);
    // So many candidates that popularity leaves none of them out.
    let settings = |world: &World, most_negatives: usize, excluded: &[String]| {
        let mut material = world.material(known);
        material.config.training.candidates = 100;
        material.config.training.most_negatives = most_negatives;
        material.config.training.excluded_users = excluded.to_vec();
        material
    };
    let everything = settings(&world, 100_000_000, &[]);
    let all = examples(&everything, known);
    assert_eq!(all.one_kept_of, 1);
    let all = kept(&everything, &all);
    // Every other user is gone, and so are half the places: the share that is kept stays one in four.
    let gone: Vec<String> = (0..SMALL.users).filter(|user| user % 2 == 1).map(town::user_id).collect();
    let pairs = |excluded: &[String]| {
        let material = settings(&world, 100_000_000, excluded);
        let sources = material.sources();
        let question = material.question("engage_24h", &sources);
        let moments = examples(&material, known).moments;
        moments.iter().map(|moment| question.population(moment).len()).sum::<usize>() * 100
    };
    let with = settings(&world, pairs(&[]).div_ceil(4), &[]);
    let without = settings(&world, pairs(&gone).div_ceil(4), &gone);
    let (with_rows, without_rows) = (examples(&with, known), examples(&without, known));
    assert_eq!((with_rows.one_kept_of, without_rows.one_kept_of), (4, 4));
    let (with, without) = (kept(&with, &with_rows), kept(&without, &without_rows));
    let stays = |row: &&(String, Instant, String, bool)| !gone.contains(&row.0);
    assert_eq!(with.iter().filter(stays).cloned().collect::<Kept>(), without);
    // Every positive row is there, and about a quarter of the others.
    let count = |rows: &Kept, label: bool| rows.iter().filter(|row| row.3 == label).count();
    assert_eq!(count(&with, true), count(&all, true));
    let share = count(&with, false) as f64 / count(&all, false) as f64;
    assert!((0.22..0.28).contains(&share), "{share}");
    // Another seed draws others.
    let mut reseeded = settings(&world, pairs(&gone).div_ceil(4), &gone);
    reseeded.config.training.seed = 2;
    let rows = examples(&reseeded, known);
    assert_ne!(kept(&reseeded, &rows), without);
}

#[test]
fn of_more_users_than_can_be_looked_at_a_share_is_drawn_the_same_for_each_moment() {
    let world = SMALL.world(town::SETTINGS);
    let known = day(40);
    let mut material = world.material(known);
    let all = examples(&material, known);
    let people = |examples: &Examples| -> BTreeSet<(u32, u32)> {
        examples.rows.iter().map(|row| (row.user, row.moment)).collect()
    };
    let most = people(&all).len() / 3;
    material.config.training.most_users = most;
    let drawn = examples(&material, known);
    assert!(people(&drawn).is_subset(&people(&all)));
    let share = people(&drawn).len() as f64 / people(&all).len() as f64;
    assert!((0.15..0.45).contains(&share), "{share}");
    assert_eq!(people(&examples(&material, known)), people(&drawn));
}
