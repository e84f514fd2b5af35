//! Look-alikes: planted likeness is found, chance is called chance, and the sample's figures are scikit-learn's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use models::lookalike::{FOLDS, LEAST_SEED, LookAlike, LookAlikeError};
use serde_json::Value;

use crate::support::draws::Draws;
use crate::support::sample::Sample;

/// People with three inputs, of whom a fifth are members; the first input makes them, by so much.
struct Crowd {
    ids: Vec<String>,
    columns: Vec<Vec<f64>>,
    members: Vec<bool>,
}

impl Crowd {
    fn new(people: usize, strength: f64) -> Crowd {
        let mut draws = Draws::new(11);
        let ids = (0..people).map(|row| format!("user-{row:05}")).collect();
        let mut columns = vec![Vec::new(); 3];
        let mut members = Vec::new();
        for _ in 0..people {
            let inputs: Vec<f64> = (0..3).map(|_| draws.normal()).collect();
            let logit = strength * inputs[0] - 1.5;
            members.push(draws.uniform() < 1.0 / (1.0 + (-logit).exp()));
            columns.iter_mut().zip(&inputs).for_each(|(column, input)| column.push(*input));
        }
        Crowd { ids, columns, members }
    }

    fn learn(&self) -> Result<LookAlike, LookAlikeError> {
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        let columns: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        LookAlike::learn(&ids, &columns, &self.members)
    }
}

#[test]
fn what_makes_members_is_found_and_what_does_not_weighs_little() {
    let crowd = Crowd::new(2_000, 3.0);
    let model = crowd.learn().unwrap();
    let truth = evaluation::classification::auc(&crowd.columns[0], &crowd.members);
    assert!((model.auc.value - truth).abs() < 0.01 && model.auc.low > 0.7, "{:?} {truth}", model.auc);
    assert!(
        model.weights[0] > 10.0 * model.weights[1].abs().max(model.weights[2].abs()),
        "{:?}",
        model.weights
    );
}

#[test]
fn members_who_are_like_anybody_are_told_from_nobody() {
    let model = Crowd::new(2_000, 0.0).learn().unwrap();
    assert!(model.auc.low < 0.5 && model.auc.high < 0.56, "{:?}", model.auc);
}

#[test]
fn folds_have_equal_numbers_of_members_and_hang_on_ids_alone() {
    let mut crowd = Crowd::new(503, 1.0);
    let folds = crowd.learn().unwrap().folds;
    for wanted in [true, false] {
        let mut sizes = [0; FOLDS];
        folds.iter().zip(&crowd.members).filter(|row| *row.1 == wanted).for_each(|row| sizes[*row.0] += 1);
        assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
    }
    crowd.columns[0].iter_mut().for_each(|input| *input = input.sin());
    assert_eq!(crowd.learn().unwrap().folds, folds);
}

#[test]
fn a_larger_reach_finds_more_of_the_seed_at_a_lower_similarity() {
    let crowd = Crowd::new(1_000, 2.0);
    let model = crowd.learn().unwrap();
    let curve = model.curve(&crowd.members, &[0.01, 0.1, 0.5, 1.0]);
    assert!(
        curve.windows(2).all(|two| two[0].found <= two[1].found && two[0].similarity >= two[1].similarity)
    );
    let half = curve[2];
    let others: Vec<f64> =
        (0..1_000).filter(|row| !crowd.members[*row]).map(|row| model.similarity[row]).collect();
    assert_eq!(half.people, others.iter().filter(|similarity| **similarity >= half.similarity).count());
    let seed: Vec<f64> =
        (0..1_000).filter(|row| crowd.members[*row]).map(|row| model.similarity[row]).collect();
    let found = seed.iter().filter(|similarity| **similarity >= half.similarity).count() as f64;
    assert_eq!(half.found, found / seed.len() as f64);
    assert!((half.lift - half.found / half.share).abs() < 1e-12 && half.lift > 1.2);
}

#[test]
fn too_few_members_and_too_few_others_are_refused() {
    let mut crowd = Crowd::new(400, 1.0);
    let only = |count: usize| (0..400).map(|row| row < count).collect::<Vec<bool>>();
    crowd.members = only(LEAST_SEED - 1);
    assert!(crowd.learn().unwrap_err().to_string().starts_with("seed_too_small: 49 "));
    // As few as may be, at either end: everybody has a similarity, and their mean is the share of members.
    for members in [LEAST_SEED, 400 - LEAST_SEED] {
        crowd.members = only(members);
        let similarity = crowd.learn().unwrap().similarity;
        assert!(similarity.len() == 400 && similarity.iter().all(|share| *share > 0.0 && *share < 1.0));
        let (mean, share) = (similarity.iter().sum::<f64>() / 400.0, members as f64 / 400.0);
        assert!((mean - share).abs() < 0.02, "{mean}, members are {share}");
    }
    crowd.members = only(351);
    assert!(crowd.learn().unwrap_err().to_string().starts_with("seed_is_everybody: "));
    crowd.members = only(100);
    crowd.columns.clear();
    assert!(crowd.learn().unwrap_err().to_string().starts_with("no_inputs: "));
}

/// The fields that make somebody a champion.
const WITHOUT: &str = "days_since_purchase,orders_90d";

#[test]
fn the_samples_figures_are_scikit_learns_on_the_same_inputs_and_folds() {
    let sample = Sample::new();
    let area = |arguments: &[&str]| {
        let report = sample.json(&[&["lookalike"], arguments].concat());
        report["auc"]["value"].as_f64().unwrap()
    };
    // `benches/lookalike` with scikit-learn 1.9.1: LogisticRegression(C = 1 / penalty), roc_auc_score of out-of-fold probabilities.
    let figures = [
        (&["--seed", "ready:champions", "--without", WITHOUT][..], CHAMPIONS),
        (&["--where", "interest(\"DELI\") > 0.05", "--without", "interest(\"DELI\")"][..], DELI),
    ];
    for (arguments, expected) in figures {
        let found = area(arguments);
        assert!((found - expected).abs() < 1e-4, "{arguments:?}: {found} is not {expected}");
    }
}

const CHAMPIONS: f64 = 0.979_627;
const DELI: f64 = 0.677_856;

fn listed(sample: &Sample, id: &str) -> BTreeSet<String> {
    let out = sample.path("members.csv");
    sample.json(&["export", "--segment", id, "--out", out.to_str().unwrap()]);
    fs::read_to_string(out).unwrap().lines().skip(1).map(str::to_string).collect()
}

#[test]
fn the_most_similar_outside_the_seed_are_saved_with_their_recipe() {
    let sample = Sample::new();
    let rows = sample.path("rows.csv");
    let report = sample.json(&[
        "lookalike",
        "--seed",
        "ready:champions",
        "--without",
        WITHOUT,
        "--reach",
        "60",
        "--save",
        "like-champions",
        "--rows",
        rows.to_str().unwrap(),
    ]);
    let saved = listed(&sample, "like-champions");
    assert_eq!((saved.len(), report["reached"]["people"].as_u64()), (60, Some(60)));
    let text = fs::read_to_string(rows).unwrap();
    let mut others: Vec<(f64, &str)> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<&str>>())
        .filter(|cells| cells[1] == "false")
        .map(|cells| (-cells[3].parse::<f64>().unwrap(), cells[0]))
        .collect();
    others.sort_by(|one, other| one.partial_cmp(other).unwrap());
    let expected: BTreeSet<String> = others[..60].iter().map(|(_, id)| id.to_string()).collect();
    assert_eq!(saved, expected);
    let recipe = sample.json(&["show", "like-champions"])["description"].as_str().unwrap().to_string();
    for part in [
        "like ready:champions version ",
        "as of 2018-01-01",
        "AUC 0.",
        "without days_since_purchase, orders_90d",
    ] {
        assert!(recipe.contains(part), "{recipe}");
    }
}

#[test]
fn a_seed_is_told_by_the_fields_that_define_it_until_they_are_left_out() {
    let sample = Sample::new();
    let learn =
        |without: &[&str]| sample.json(&[&["lookalike", "--seed", "ready:champions"], without].concat());
    let (all, without) = (learn(&[]), learn(&["--without", WITHOUT]));
    assert_eq!(all["seed_defined_by"], serde_json::json!(["days_since_purchase", "orders_90d"]));
    assert_eq!(without["seed_defined_by"], serde_json::json!([]));
    let area = |report: &Value| report["auc"]["value"].as_f64().unwrap();
    assert!(area(&all) > area(&without), "{} {}", area(&all), area(&without));
}

#[test]
fn a_list_by_lot_is_called_chance() {
    let sample = Sample::new();
    let output = sample.run(&["lookalike", "--where", "bucket(\"lot\") < 20", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["tells_apart"], false, "{}", report["auc"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("the AUC includes 0.5"));
}

#[test]
fn a_list_of_users_is_a_seed_like_the_segment_that_it_came_from() {
    let sample = Sample::new();
    let ids = sample.whose("purchases_90d", |number| number >= 200);
    let file =
        sample.file("seed.csv", &format!("user_id\n{}\n", ids.into_iter().collect::<Vec<_>>().join("\n")));
    let of = |arguments: &[&str]| {
        let report = sample.json(&[&["lookalike"], arguments].concat());
        (report["auc"].clone(), report["sets_apart"].clone())
    };
    assert_eq!(of(&["--file", &file]), of(&["--where", "purchases_90d >= 200"]));
}

#[test]
fn seeds_that_cannot_be_learned_from_and_reaches_that_are_none_are_refused() {
    let sample = Sample::new();
    let refusals = BTreeMap::from([
        ("seed_too_small: ", vec!["--where", "purchases_90d >= 100000"]),
        ("seed_is_everybody: ", vec!["--where", "everybody"]),
        ("missing_reach: ", vec!["--seed", "ready:active", "--save", "x"]),
        ("unknown_segment: ", vec!["--seed", "nobody-saved-this"]),
        ("unknown_field: ", vec!["--seed", "ready:active", "--without", "shoe_size"]),
        ("a reach is ", vec!["--seed", "ready:active", "--reach", "0"]),
        ("a similarity lies ", vec!["--seed", "ready:active", "--similarity", "1.5"]),
        ("required arguments", vec!["--reach", "5%"]),
    ]);
    for (code, arguments) in refusals {
        let text = sample.refused(&[&["lookalike"], &arguments[..]].concat());
        assert!(text.contains(code), "{arguments:?}: {text}");
    }
    let marketer = ["lookalike", "--for", "marketer", "--seed", "ready:active"];
    let rows = sample.path("rows.csv");
    let text = sample.refused(&[&marketer[..], &["--rows", rows.to_str().unwrap()]].concat());
    assert!(text.contains("names_people: ") && !rows.exists(), "{text}");
}
