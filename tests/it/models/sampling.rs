//! Of many negative examples a share is kept: what is learned from them still speaks of everybody.

use std::collections::BTreeSet;

use smartpush::domain::numeric::logistic;
use smartpush::domain::time::Instant;
use smartpush::models::examples::{ExampleRow, Examples, Labels};
use smartpush::models::train::{Trained, TrainingRequest, train, train_on};
use smartpush::registry::model::{InputBlock, Model};

use super::town::{self, SMALL, Town, day};
use super::world::{Material, World};

/// Rows by user, moment and content, and whether they reached the goal.
type SampledRows = BTreeSet<(String, Instant, String, bool)>;

fn examples(material: &Material, known: Instant) -> Examples {
    let sources = material.sources();
    material.question("engage_24h", &sources).examples(Labels::MatureBefore(known), &|_, _| ()).unwrap()
}

fn kept(material: &Material, examples: &Examples) -> SampledRows {
    let of = |(row, label): (usize, &bool)| {
        let of = &examples.rows[row];
        let content = material.timeline.contents()[of.content.unwrap() as usize].clone();
        (material.timeline.users()[of.user as usize].clone(), examples.moment(row).at, content, *label)
    };
    examples.labels.iter().enumerate().map(of).collect()
}

/// The model of a town's contents when so many negatives may be kept.
fn trained(material: &mut Material, most_negatives: usize, as_of: Instant) -> (Trained, Examples) {
    material.config.training.most_negatives = most_negatives;
    material.config.training.most_moments = 8;
    let sources = material.sources();
    let question = material.question("engage_24h", &sources);
    let request = TrainingRequest::new(as_of, &material.config, as_of);
    (train(&question, &request, &|_, _| ()).unwrap(), examples(material, as_of))
}

fn share_of_positives(examples: &Examples) -> f64 {
    examples.labels.iter().filter(|label| **label).count() as f64 / examples.len() as f64
}

#[test]
fn probabilities_of_a_model_that_saw_one_negative_in_many_are_those_of_everybody() {
    let town = Town { users: 240, contents: 40, ..SMALL };
    let mut material = town.world(town::SETTINGS).material(Instant::MAX);
    let as_of = day(34);
    let (few, few_rows) = trained(&mut material, 12_000, as_of);
    let (all, all_rows) = trained(&mut material, 100_000_000, as_of);
    assert!(few_rows.one_kept_of >= 8 && all_rows.one_kept_of == 1, "one of {}", few_rows.one_kept_of);
    assert!(few_rows.len() * 5 < all_rows.len());
    // What is known of the base rate is the same; what the kept rows alone would say is far off.
    let rate = share_of_positives(&all_rows);
    assert!(share_of_positives(&few_rows) > 4.0 * rate);
    assert!((all.model.base_rate - rate).abs() < 1e-12);
    let near = |value: f64, truth: f64, tolerance: f64| (value / truth).ln().abs() < tolerance;
    assert!(near(few.model.base_rate, rate, 0.05), "base rate {}, truly {rate}", few.model.base_rate);
    assert!(near(few.card.metrics.test_rate, all.card.metrics.test_rate, 0.1), "{:?}", few.card.metrics);
    // All pairs of the next days, none left out.
    let sources = material.sources();
    let question = material.question("engage_24h", &sources);
    let later = question.examples_from(as_of, day(40), true, &|_, _| ()).unwrap();
    assert_eq!(later.one_kept_of, 1);
    let mean = |of: &dyn Fn(&[f64]) -> f64| -> f64 {
        let inputs = |row: usize| -> Vec<f64> { later.columns.iter().map(|column| column[row]).collect() };
        (0..later.len()).map(|row| of(&inputs(row))).sum::<f64>() / later.len() as f64
    };
    let raw = |model: &Model| mean(&|row| logistic(raw_logit(model, row)));
    let served = |model: &Model| mean(&|row| model.score_row(row));
    let rate = share_of_positives(&later);
    let figures = [raw(&few.model), raw(&all.model), served(&few.model), served(&all.model)];
    let [raw_few, raw_all, served_few, served_all] = figures;
    assert!(near(raw_few, rate, 0.2) && near(raw_few, raw_all, 0.12), "{figures:?}, truly {rate}");
    assert!(near(served_few, served_all, 0.15), "{figures:?}, truly {rate}");
}

#[test]
fn the_penalty_chosen_from_a_share_of_the_negatives_is_the_one_chosen_from_all() {
    let town = Town { users: 400, contents: 20, seed: 2, ..SMALL };
    let mut material = town.world(town::SETTINGS).material(Instant::MAX);
    material.config.training.methods.truncate(1);
    let mut chosen = |most_negatives: usize| {
        let (trained, rows) = trained(&mut material, most_negatives, day(34));
        let tried = trained.card.tried.into_iter();
        let best = tried.min_by(|a, b| a.log_loss.total_cmp(&b.log_loss)).unwrap();
        (rows.one_kept_of, best.penalty, best.log_loss)
    };
    let (one_of, penalty, loss) = chosen(100_000_000);
    assert_eq!((one_of, penalty), (1, 30.0), "a penalty between the ends of those that are tried");
    for most_negatives in [5_000, 12_000] {
        let (one_of, found, found_loss) = chosen(most_negatives);
        assert!(one_of > 20, "one of {one_of}");
        assert_eq!(found, penalty, "of one negative in {one_of}");
        assert!((found_loss / loss).ln().abs() < 0.05, "one of {one_of}: {found_loss}, of all {loss}");
    }
}

/// Examples of as many positives and negatives at each moment, whose inputs say nothing.
fn uninformative(moments: &Examples, positives: u32, negatives: u32, one_kept_of: u32) -> Examples {
    let (per_moment, count) = (positives + negatives, moments.moments.len() as u32);
    let row = |moment: u32, index: u32| ExampleRow { user: index % 100, moment, content: Some(0) };
    let rows: Vec<ExampleRow> =
        (0..count).flat_map(|moment| (0..per_moment).map(move |index| row(moment, index))).collect();
    let labels = (0..count).flat_map(|_| (0..per_moment).map(|index| index < positives)).collect();
    let columns = vec![vec![1.0; rows.len()]; moments.columns.len()];
    Examples { rows, labels, columns, one_kept_of, ..moments.clone() }
}

#[test]
fn the_loss_that_a_penalty_is_chosen_by_is_that_of_everybody_also_where_negatives_are_left_out() {
    let mut material = SMALL.world(town::SETTINGS).material(Instant::MAX);
    material.config.training.methods.truncate(1);
    let moments = examples(&material, day(40));
    let sources = material.sources();
    let question = material.question("engage_24h", &sources);
    let request = TrainingRequest::new(day(40), &material.config, day(40));
    let rate: f64 = 10.0 / 410.0;
    let entropy = -rate * rate.ln() - (1.0 - rate) * (1.0 - rate).ln();
    for (negatives, one_kept_of) in [(400, 1), (50, 8), (10, 40)] {
        let examples = uninformative(&moments, 10, negatives, one_kept_of);
        let tried = train_on(&question, &request, &examples).unwrap().card.tried;
        assert_eq!(tried.len(), 7, "every penalty");
        for one in tried {
            let (found, penalty) = (one.log_loss, one.penalty);
            assert!(
                (found - entropy).abs() < 1e-6,
                "1 of {one_kept_of}, {penalty}: {found}, truly {entropy}"
            );
        }
    }
}

fn raw_logit(model: &Model, row: &[f64]) -> f64 {
    let width = |block: InputBlock| model.inputs.iter().filter(|input| input.block == block).count();
    let (user, rest) = row.split_at(width(InputBlock::User));
    let (content, pair) = rest.split_at(width(InputBlock::Content));
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
    // Every other user is gone, and so are half the pairs: the share that is kept stays one in four.
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
    assert_eq!(with.iter().filter(stays).cloned().collect::<SampledRows>(), without);
    // Every positive row is there, and about a quarter of the others.
    let count = |rows: &SampledRows, label: bool| rows.iter().filter(|row| row.3 == label).count();
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
