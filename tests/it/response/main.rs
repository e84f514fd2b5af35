//! The response model: what outcomes, looks and opt-outs teach, and what a push takes from later ones.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use response::attention::{ClickLevels, FeltPush, Worth, felt_later, price};
use response::choices::{Candidate, Choices};
use response::opt_out::OptOuts;
use response::sample::{MOST_OUTCOMES, Sample};
use response::{Inputs, LAGS, ResponseModel, ResponseOutcome, activity};

#[test]
fn without_outcomes_a_response_follows_activity_and_with_them_it_follows_what_they_say() {
    let mut week = [0.1; 168];
    week[20] = 1.0;
    let (prior, active) = (ResponseModel::default(), activity(&week));
    assert_eq!(prior.curve(&active).share.iter().position(|share| *share > 0.05), Some(20));
    // In the data, the odds rise with activity three hours before: only that lag differs between rows.
    let outcome = |row: usize| {
        let mut lags = [0.0; LAGS];
        lags[9] = if row.is_multiple_of(2) { 0.0 } else { -2.0 };
        let is_clicked = row % 20 < 4 && (row.is_multiple_of(2) || row % 20 == 1);
        ResponseOutcome {
            inputs: Inputs { values: [0.0; 7], lags },
            recovery: 1.0,
            action_probability: 0.5,
            is_clicked,
        }
    };
    let outcomes: Vec<ResponseOutcome> = (0..20_000).map(outcome).collect();
    let learned = ResponseModel::learn(&outcomes).unwrap().named_weights();
    // 2 of 10 against 1 of 10, two units of ln activity apart.
    let wanted = ((0.2 / 0.8_f64).ln() - (0.1 / 0.9_f64).ln()) / 2.0;
    assert!((learned["time.lag_+3"] - wanted).abs() < 0.01, "{learned:?} {wanted}");
    assert!((learned["time.lag_+0"] - 1.0).abs() < 1e-6, "nothing was said of it");
    assert_eq!(ResponseModel::learn(&outcomes[..20]).unwrap(), prior, "too few to learn from");
}

/// Looks of people with known tastes at contents of known appeal, four of each of three categories, that do not grow old; and
/// what is learned of both.
fn looks(people: usize, views: usize) -> (Vec<[f64; 3]>, Vec<f64>, Choices, Vec<Candidate>) {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut uniform = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
    let tastes: Vec<[f64; 3]> = (0..people).map(|_| [normal(), normal(), normal()]).collect();
    let appeals: Vec<f64> = (0..12).map(|_| 0.5 * normal()).collect();
    let candidate = |content: usize| Candidate { content, category: content % 3, age_days: 0 };
    let out: Vec<Candidate> = (0..12).map(candidate).collect();
    let mut choices = Choices::new(people, 13, 3);
    for _ in 0..views {
        for (user, taste) in tastes.iter().enumerate() {
            let odds: Vec<f64> =
                (0..12).map(|content| (taste[content % 3] + appeals[content]).exp()).collect();
            let mut rest = uniform() * odds.iter().sum::<f64>();
            let passes = |odds: &f64| {
                rest -= odds;
                rest < 0.0
            };
            choices.absorb(user, odds.iter().position(passes).unwrap_or(11), &out);
        }
        choices.centre(&out);
    }
    (tastes, appeals, choices, out)
}

/// Slope of the truth on the estimate, and their correlation.
fn agreement(pairs: &[(f64, f64)]) -> (f64, f64) {
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
    let (estimate, truth) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let sum =
        |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| of(x - estimate, y - truth)).sum::<f64>();
    let (xx, yy, xy) = (sum(&|x, _| x * x), sum(&|_, y| y * y), sum(&|x, y| x * y));
    (xy / xx, xy / (xx * yy).sqrt())
}

#[test]
fn looks_tell_tastes_and_appeals_in_log_odds() {
    let (tastes, appeals, choices, _) = looks(800, 60);
    let learned = tastes.iter().enumerate().flat_map(|(user, taste)| {
        let mean = taste.iter().sum::<f64>() / 3.0;
        choices.interests(user).zip(taste.map(|taste| taste - mean)).collect::<Vec<_>>()
    });
    let (slope, correlation) = agreement(&learned.collect::<Vec<_>>());
    assert!((slope - 1.0).abs() < 0.06 && correlation > 0.94, "{slope} {correlation}");
    let learned =
        appeals.iter().enumerate().map(|(content, appeal)| (choices.popularity(content, 0), *appeal));
    let (slope, correlation) = agreement(&learned.collect::<Vec<_>>());
    assert!((slope - 1.0).abs() < 0.06 && correlation > 0.99, "{slope} {correlation}");
}

#[test]
fn a_content_that_nobody_has_seen_is_like_the_mean_of_those_that_are_out() {
    let (_, _, choices, out) = looks(50, 20);
    assert_eq!((choices.views(12), choices.popularity(12, 0)), (0, 0.0));
    // What was looked at more often is known better, and weighs more.
    let weighed = |content: usize| f64::from(choices.views(content)) * choices.popularity(content, 0);
    let views: u32 = out.iter().map(|candidate| choices.views(candidate.content)).sum();
    let mean = out.iter().map(|candidate| weighed(candidate.content)).sum::<f64>() / f64::from(views);
    assert!(mean.abs() < 0.1, "{mean}");
}

#[test]
fn a_look_at_what_is_not_out_says_nothing() {
    let (_, _, mut choices, out) = looks(3, 4);
    let before = choices.clone();
    choices.absorb(1, 12, &out);
    assert_eq!(choices, before);
}

#[test]
fn the_line_through_opt_outs_is_that_of_the_pushes() {
    let mut sums = OptOuts::new(0.001);
    assert!((sums.rate().at_rest - 0.001).abs() < 1e-12 && sums.rate().per_felt_push.abs() < 1e-12);
    for push in 0..1_000_000 {
        let felt = f64::from(push % 5);
        sums.absorb(felt, push / 5 % 1_000 < 2 + push % 5);
    }
    let rate = sums.rate();
    assert!((rate.at_rest - 0.002).abs() < 1e-4 && (rate.per_felt_push - 0.001).abs() < 1e-4, "{rate:?}");
}

#[test]
fn a_push_costs_what_those_after_it_lose_because_it_is_still_felt() {
    // Every day one push, each felt half as much after three days.
    let half_life = 3.0;
    let felt = |pushes: &[i32], day: i32| -> f64 {
        pushes
            .iter()
            .filter(|push| **push < day)
            .map(|push| (-f64::from(day - push) / half_life).exp2())
            .sum()
    };
    let (logit, opt_out) = (-0.08, 0.0005);
    let worth = Worth { click: 1.0, opt_out: 20.0 };
    let value = |pushes: &[i32]| -> f64 {
        let one = |day: &i32| {
            let odds = (-2.0 + logit * felt(pushes, *day)).exp();
            odds / (1.0 + odds) - worth.opt_out * opt_out * felt(pushes, *day)
        };
        pushes.iter().map(one).sum()
    };
    let own = |pushes: &[i32], day: i32| value(&pushes[..=day as usize]) - value(&pushes[..day as usize]);
    let every: Vec<i32> = (0..100).collect();
    let without: Vec<i32> = (0..100).filter(|day| *day != 50).collect();
    let taken = own(&every, 50) - (value(&every) - value(&without));
    let click = {
        let odds = (-2.0 + logit * felt(&every, 50)).exp();
        odds / (1.0 + odds)
    };
    let price = price(FeltPush { opt_out, logit }, worth, felt_later(1.0, half_life), click);
    assert!((price / taken - 1.0).abs() < 0.05, "{price} {taken}");
}

#[test]
fn a_push_that_would_do_good_to_later_ones_costs_nothing_for_it() {
    let worth = Worth { click: 1.0, opt_out: 20.0 };
    assert_eq!(price(FeltPush { opt_out: 0.0, logit: 0.3 }, worth, 4.0, 0.2), 0.0);
}

#[test]
fn how_likely_a_user_clicks_is_what_was_expected_of_his_latest_pushes() {
    let mut levels = ClickLevels::new(2, 0.03);
    (0..60).for_each(|_| levels.absorb(1, 0.2));
    assert_eq!(levels.of(0), 0.03);
    assert!((levels.of(1) - 0.2).abs() < 0.001, "{}", levels.of(1));
}

#[test]
fn outcomes_that_are_kept_are_all_of_some_people_from_the_first_on() {
    let mut sample = Sample::default();
    let people = 40_000;
    let outcome = |day: usize, user: usize| ResponseOutcome {
        inputs: Inputs { values: [user as f32, day as f32, 0.0, 0.0, 0.0, 0.0, 0.0], lags: [0.0; LAGS] },
        recovery: 1.0,
        action_probability: 1.0,
        is_clicked: false,
    };
    for day in 0..20 {
        (0..people).for_each(|user| sample.absorb(&format!("person-{user}"), outcome(day, user)));
    }
    // 800,000 do not fit, nor do half of them.
    let kept = sample.outcomes();
    assert!(kept.len() <= MOST_OUTCOMES && (190_000..210_000).contains(&kept.len()), "{}", kept.len());
    let mut days = vec![0; people];
    kept.iter().for_each(|outcome| days[outcome.inputs.values[0] as usize] += 1);
    assert!(days.iter().all(|days| *days == 0 || *days == 20));
    assert!(kept.is_sorted_by(|one, other| one.inputs.values[1] <= other.inputs.values[1]), "oldest first");
}
