//! Contents of little history: they are sent as their category would be, in their best hour, and the better ones more often.

use std::collections::BTreeMap;

use decisions::context::{ContentContext, DecisionContext};
use decisions::explanation::explain;
use decisions::prior::{ContentPrior, ResponseLevels, TrialResults, after_trials, usual_rate};
use decisions::scorer::PopularityScorer;
use decisions::{allowed_arms, decide};
use domain::decision::{Action, Decision};

use super::world::{Random, content, context, random_context};

/// One in a thousand, and nothing against it.
const UNTOUCHED: f64 = -6.9;

fn fresh(content_id: &str, expected: f64, spread: f64) -> ContentContext {
    let prior =
        ContentPrior { category: Some("DAIRY".into()), contents: 9, offset: expected - UNTOUCHED, spread };
    ContentContext { evidence: 0.0, prior: Some(prior), ..content(content_id, UNTOUCHED) }
}

/// A user whose evenings are best, for whom each push costs as much as one response in a hundred is worth.
fn asked_by(user: usize, contents: Vec<ContentContext>) -> DecisionContext {
    let mut context = context("2026-06-10T12:00:00Z");
    context.user.user_id = format!("user-{user}");
    context.curve = (0..168).map(|hour| if hour % 24 == 18 { 0.03 } else { 0.005 }).collect();
    context.channels[0].cost = Some(0.01);
    context.contents = contents;
    context
}

fn decided(context: &DecisionContext) -> Decision {
    decide(context, &PopularityScorer)
}

#[test]
fn a_content_without_history_is_sent_in_the_best_hour_where_its_category_would_be() {
    let without_prior = decided(&asked_by(1, vec![content("offer", UNTOUCHED)]));
    assert_eq!(without_prior.action, Action::NoSend);
    let decision = decided(&asked_by(1, vec![fresh("offer", -3.0, 0.4)]));
    assert_eq!(decision.action, Action::Send);
    assert!(decision.send_at_local.unwrap().contains("T18:"));
    let said = &decision.reasons[0];
    assert_eq!((said.rule.as_str(), said.subject.as_str()), ("is_tried_out", "content:offer"));
    assert!(said.message.contains("DAIRY: 9"), "{}", said.message);
    let best = &decision.candidates[0];
    let prior = best.prior.as_ref().unwrap();
    assert!(prior.low < best.response_probability && best.response_probability < prior.high);
    assert!((best.response_probability - 0.0474).abs() < 1e-3, "the category's rate: {best:?}");
}

#[test]
fn an_explanation_says_what_was_assumed_and_sums_to_the_logit() {
    let context = asked_by(1, vec![fresh("offer", -3.0, 0.4), content("known", -4.0)]);
    let explanation = explain(&context, &PopularityScorer, &decided(&context));
    let sum: f64 = explanation.contributions.iter().map(|one| one.contribution).sum();
    assert!((sum - explanation.arm.unwrap().raw_logit).abs() < 1e-9);
    let prior = explanation.contributions.iter().find(|one| one.input == "content.prior").unwrap();
    assert!((prior.contribution - 3.9).abs() < 1e-9);
    let said = explanation.sentences.en.iter().filter(|text| text.contains("Little is known of ‘offer’ yet"));
    assert_eq!(said.count(), 1, "{:?}", explanation.sentences.en);
}

#[test]
fn contents_of_one_prior_are_tried_on_as_many_users_each() {
    let names = ["a", "b", "c", "d", "e"];
    let all = || names.iter().map(|name| fresh(name, -3.0, 0.5)).collect::<Vec<ContentContext>>();
    let (mut sent, mut expected) = (BTreeMap::<String, f64>::new(), BTreeMap::<String, f64>::new());
    for user in 0..2_000 {
        let context = asked_by(user, all());
        let decision = decided(&context);
        *sent.entry(decision.content_id.unwrap()).or_default() += 1.0;
        let arms = allowed_arms(&context, &PopularityScorer);
        let sum: f64 = arms.iter().map(|arm| arm.action_probability).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        let of = |name: &&str| {
            arms.iter().filter(|arm| arm.content_id == **name).map(|arm| arm.action_probability).sum::<f64>()
        };
        assert!(
            names.iter().all(|name| (0.15..0.25).contains(&of(name))),
            "each is tried on a fifth, by draw: {:?}",
            names.map(|name| of(&name))
        );
        assert!(
            (0.1..0.3).contains(&decision.action_probability.unwrap()),
            "{:?}",
            decision.action_probability
        );
        arms.into_iter().for_each(|arm| {
            *expected.entry(arm.content_id).or_default() += arm.action_probability;
        });
    }
    for name in names {
        let (sent, expected) = (sent[name], expected[name]);
        assert!(
            (sent - expected).abs() < 4.0 * (expected * (1.0 - expected / 2_000.0)).sqrt(),
            "{name}: {sent} {expected}"
        );
        assert!(sent > 0.8 * 2_000.0 / 5.0, "{name}: {sent}");
    }
}

#[test]
fn the_logged_probability_is_that_of_the_arm_over_all_draws() {
    let contents = || vec![fresh("new", -3.2, 0.6), fresh("newer", -3.6, 0.8), content("known", -3.0)];
    for percent in [0.0, 30.0] {
        let (mut sent, mut expected) = (0.0_f64, 0.0);
        for user in 0..3_000 {
            let mut context = asked_by(user, contents());
            context.settings.exploration_percent = percent;
            let decision = decided(&context);
            sent += f64::from(u8::from(decision.content_id.as_deref() == Some("new")));
            let arms = allowed_arms(&context, &PopularityScorer);
            let own = arms.iter().filter(|arm| arm.content_id == "new");
            expected += own.map(|arm| arm.action_probability).sum::<f64>();
            let logged = arms.iter().find(|arm| {
                Some(&arm.content_id) == decision.content_id.as_ref()
                    && Some(arm.slot_start) <= decision.send_at
                    && decision.send_at.unwrap() < arm.slot_start.plus(domain::time::HOUR)
            });
            assert_eq!(logged.map(|arm| arm.action_probability), decision.action_probability);
        }
        assert!(
            (sent - expected).abs() < 4.0 * (expected * (1.0 - expected / 3_000.0)).sqrt(),
            "{sent} {expected}"
        );
        assert!(sent > 300.0, "{sent}");
    }
}

/// What came of the pushes of some contents: pushes and clicks of each.
type Results = Vec<(f64, f64)>;

/// Rounds of pushes, each to users who answer by the true quality of what they get; what came of them is known in the next.
fn play(qualities: &[f64], users: usize, rounds: usize, world: usize) -> Results {
    let (expected, spread) = (-3.0, 0.7);
    let mut random = Random(world as u64);
    let mut results: Results = vec![(0.0, 0.0); qualities.len()];
    for round in 0..rounds {
        let (sent, clicked) = results.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let rate = if sent > 0.0 { clicked / sent } else { 0.0 };
        let one = |(index, (sent, clicked)): (usize, &(f64, f64))| {
            let results = TrialResults { clicked: *clicked, expected: sent * rate };
            let (moved, spread) = after_trials(spread, results);
            fresh(&format!("content-{index}"), expected + moved, spread)
        };
        let contents: Vec<ContentContext> = results.iter().enumerate().map(one).collect();
        for user in 0..users {
            let context = asked_by((world * rounds + round) * users + user, contents.clone());
            let Some(id) = decided(&context).content_id else { continue };
            let pick: usize = id.trim_start_matches("content-").parse().unwrap();
            results[pick].0 += 1.0;
            results[pick].1 += f64::from(u8::from(random.between(0.0, 1.0) < qualities[pick]));
        }
    }
    results
}

/// Over several worlds, does a content that is twice as good get more pushes and clicks, the best most, and each a try?
fn are_found_in_proportion(qualities: &[f64], users: usize, rounds: usize, worlds: usize) {
    let mut all: Results = vec![(0.0, 0.0); qualities.len()];
    for world in 0..worlds {
        for (sum, one) in all.iter_mut().zip(play(qualities, users, rounds, world)) {
            *sum = (sum.0 + one.0, sum.1 + one.1);
        }
    }
    let pushes: f64 = all.iter().map(|one| one.0).sum();
    for (better, more) in qualities.iter().zip(&all) {
        assert!(more.0 > 0.01 * pushes, "each is tried: {all:?}");
        for (worse, less) in qualities.iter().zip(&all).filter(|(worse, _)| **worse < better / 1.9) {
            assert!(more.0 > less.0 && more.1 > less.1, "{better} and {worse}: {all:?}");
        }
    }
    let best = (0..qualities.len()).max_by(|a, b| qualities[*a].total_cmp(&qualities[*b])).unwrap();
    assert!(all[best].0 > 0.5 * pushes, "the best is found: {all:?}");
}

#[test]
fn contents_of_known_quality_are_found_in_proportion() {
    are_found_in_proportion(&[0.02, 0.16, 0.06], 20, 20, 20);
}

#[test]
#[ignore = "takes a minute; run by the nightly tests"]
fn more_contents_of_known_quality_are_found_in_proportion() {
    are_found_in_proportion(&[0.02, 0.16, 0.04, 0.08], 20, 40, 80);
}

#[test]
fn categories_are_shrunk_to_all_contents_by_how_little_is_known_of_them() {
    let known = |category: usize, mean: f64, count: usize| {
        (0..count).map(move |index| (Some(category), mean + if index % 2 == 0 { 0.3 } else { -0.3 }))
    };
    let contents: Vec<(Option<usize>, f64)> =
        known(0, -2.0, 40).chain(known(1, -4.0, 40)).chain(known(2, -6.0, 2)).collect();
    let levels = ResponseLevels::learn(3, &contents);
    let [first, second, third, other] = [Some(0), Some(1), Some(2), None].map(|category| levels.of(category));
    assert!((first.mean + 2.0).abs() < 0.05 && (second.mean + 4.0).abs() < 0.05, "{first:?} {second:?}");
    assert!(-6.0 < third.mean && third.mean < -5.0, "{third:?}");
    assert!((other.mean + 3.07).abs() < 0.05 && other.spread > 2.0 * first.spread, "{other:?}");
    assert!((0.25..0.45).contains(&first.spread) && first.spread < third.spread, "{first:?} {third:?}");
    let nothing = ResponseLevels::learn(0, &[]).of(None);
    assert_eq!((nothing.mean, nothing.spread), (0.0, 0.0));
}

#[test]
fn pushes_narrow_what_is_assumed_and_move_it_towards_what_came_of_them() {
    let (still, before) = after_trials(0.5, TrialResults::default());
    assert_eq!((still, before), (0.0, 0.5));
    let (up, narrow) = after_trials(0.5, TrialResults { clicked: 20.0, expected: 10.0 });
    assert!(0.3 < up && up < 2.0_f64.ln() && narrow < 0.25, "{up} {narrow}");
    let (down, _) = after_trials(0.5, TrialResults { clicked: 0.0, expected: 10.0 });
    assert!(down < -1.0);
}

#[test]
fn a_record_without_priors_is_read_and_decided_as_before() {
    for seed in 0..40 {
        let context = random_context(seed);
        let text = serde_json::to_string(&context).unwrap();
        assert!(!text.contains("\"prior\""));
        let read: DecisionContext = serde_json::from_str(&text).unwrap();
        assert_eq!(decided(&read), decided(&context));
    }
}

#[test]
fn a_content_that_was_pushed_most_does_not_make_its_own_rate_the_usual_one() {
    let usual = vec![(40, 4); 11];
    let with_best = |pushes: u64| {
        let mut contents = usual.clone();
        contents.push((pushes, pushes * 3 / 10));
        usual_rate(&contents, 0.8)
    };
    let (few, many) = (with_best(40), with_best(4000));
    assert!(few > 0.10 && few < 0.12, "{few}");
    assert!(many < 0.14, "over all pushes it would be .298: {many}");
    let results = TrialResults { clicked: 1200.0, expected: 4000.0 * many };
    assert!(after_trials(0.8, results).0 > 0.75, "the best is still known as twice as good");
}

#[test]
fn contents_that_do_not_differ_have_the_rate_of_all_pushes_together() {
    let contents = [(10, 0), (90, 30), (0, 0)];
    assert!((usual_rate(&contents, 0.0) - 0.3).abs() < 1e-12);
    assert!(usual_rate(&[], 0.5) == 0.0, "nothing was pushed");
    let more_clicks_than_pushes = usual_rate(&[(2, 5)], 0.5);
    assert!((more_clicks_than_pushes - 1.0).abs() < 1e-12, "{more_clicks_than_pushes}");
}
