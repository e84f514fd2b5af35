//! Nothing that happens at or after a moment shows in what is known at it; and a model reads the profile's own numbers.

use serde_json::json;
use smartpush::domain::time::{DAY, HOUR, Instant};
use smartpush::events::request::InputKind;
use smartpush::models::inputs::user::user_features;
use smartpush::models::inputs::{AsOf, InputList, Item, UserAsOf};
use smartpush::registry::model::InputBlock;

use super::town::{self, SMALL, moment_of};
use super::world::{Material, SAMPLE_AS_OF, World, at, numbers_by_user, sample};
use crate::support::draws::Draws;

/// The bits of one user's inputs about some items, by id; items that a timeline has not met are left out.
fn bits(
    material: &Material,
    user: &UserAsOf<'_>,
    ids: &[String],
    is_campaign: bool,
) -> Vec<(String, Vec<u64>)> {
    let of = |item: Item<'_>| -> Vec<u64> {
        let blocks = InputBlock::ALL.iter().flat_map(|block| user.block(*block, item));
        blocks.map(f64::to_bits).collect()
    };
    let one = |id: &String| match is_campaign {
        true => Some((id.clone(), of(Item::Campaign(id)))),
        false => material.timeline.content(id).map(|content| (id.clone(), of(Item::Content(content)))),
    };
    ids.iter().filter_map(one).collect()
}

/// Compares what all events and what the past alone say of users at a moment; returns the number of compared blocks.
fn compare(all: &Material, past: &Material, name: &str, moment: Instant, users: &[&String]) -> usize {
    let (all_sources, past_sources) = (all.sources(), past.sources());
    let goal = &all.config.goals[name];
    let (whole, known) =
        (AsOf::new(&all_sources, goal, moment).unwrap(), AsOf::new(&past_sources, goal, moment).unwrap());
    let mut compared = 0;
    for id in users {
        let ours = whole.user(&all_sources, all.timeline.user(id).unwrap());
        let theirs = known.user(&past_sources, past.timeline.user(id).unwrap());
        let ids = |material: &Material, user: &UserAsOf<'_>, unseen: bool| -> Vec<String> {
            let contents = user.candidates(40, unseen).into_iter();
            contents.map(|content| material.timeline.contents()[content].clone()).collect()
        };
        for (unseen, most) in [(false, 60), (true, 40)] {
            assert!(
                ours.candidates(40, unseen).len() <= most,
                "a decision takes no more: none is cut off by its id"
            );
            assert_eq!(ids(all, &ours, unseen), ids(past, &theirs, unseen), "candidates of {id} at {moment}");
        }
        let own = |user: &UserAsOf<'_>| -> Vec<u64> {
            user.block(InputBlock::User, Item::Nothing).into_iter().map(f64::to_bits).collect()
        };
        assert_eq!(own(&ours), own(&theirs), "{name}: user block of {id} at {moment}");
        let campaigns: Vec<String> = all.catalogue.campaigns.keys().cloned().collect();
        for (items, is_campaign) in [(ids(past, &theirs, false), false), (campaigns, true)] {
            let (ours, theirs) =
                (bits(all, &ours, &items, is_campaign), bits(past, &theirs, &items, is_campaign));
            assert_eq!(ours, theirs, "{name}: {id} at {moment}");
            compared += ours.len();
        }
    }
    compared
}

#[test]
fn inputs_of_a_thousand_users_at_random_moments_are_the_same_bits_without_the_future() {
    let sample = sample();
    let all = sample.material(Instant::MAX);
    let mut draws = Draws::new(3);
    let mut compared = 0;
    for _ in 0..8 {
        let moment = at("2016-12-01T00:00:00Z").plus(draws.between(0.0, 390.0 * DAY as f64) as i64);
        let past = sample.material(moment);
        let known = past.timeline.users();
        let users: Vec<&String> =
            (0..125).map(|_| &known[draws.between(0.0, known.len() as f64) as usize]).collect();
        for name in ["purchase_7d", "redeem", "engage_24h"] {
            compared += compare(&all, &past, name, moment, &users);
        }
    }
    assert!(compared > 8 * 125 * 27, "{compared} blocks");
}

/// Contents, users and campaigns that come later, some of them known before only by declaration.
#[test]
fn newcomers_of_the_future_do_not_show_in_the_past_of_a_town() {
    let world = SMALL.world(town::SETTINGS);
    let all = world.material(Instant::MAX);
    for day in [7, 19, 33] {
        let moment = town::day(day).plus(11 * HOUR);
        let past = world.material(moment);
        let are_more = all.timeline.users().len() > past.timeline.users().len();
        assert!(are_more || day > 10, "nobody comes after day {day}");
        assert!(all.timeline.contents().len() > past.timeline.contents().len(), "no content does");
        let users: Vec<&String> = past.timeline.users().iter().collect();
        for name in ["buy_2d", "redeem", "engage_24h"] {
            compare(&all, &past, name, moment, &users);
        }
    }
}

/// Everything that the commands write as of a moment: files by name, model versions.
fn answers(world: &World, moment: &str) -> Vec<(String, Vec<u8>)> {
    let mut answers = Vec::new();
    for goal in ["buy_2d", "redeem", "engage_24h"] {
        let wanted = ["--goal", goal, "--as-of", moment];
        let unranked = [&["recommend", "--top", "5"], &wanted[2..]].concat();
        if goal == "buy_2d" {
            answers.push(("fallback".to_string(), world.written(&unranked, "out.csv")));
        }
        let trained = world.ok(&[&["train"], &wanted[..]].concat());
        answers.push((format!("train {goal}"), trained["version"].to_string().into_bytes()));
        assert_eq!(trained["promoted"], true, "{goal} beats the base rate in this town: {trained}");
        answers.push((
            format!("examples {goal}"),
            world.written(&[&["examples"], &wanted[..]].concat(), "out.csv"),
        ));
        answers
            .push((format!("score {goal}"), world.written(&[&["score"], &wanted[..]].concat(), "out.csv")));
    }
    answers.push((
        "recommend".into(),
        world.written(&["recommend", "--top", "5", "--as-of", moment], "out.csv"),
    ));
    answers
}

#[test]
fn events_from_a_moment_on_change_no_example_model_score_or_ranking_as_of_it() {
    let moment = town::day(30);
    let (past, future): (Vec<_>, Vec<_>) =
        SMALL.events().into_iter().partition(|event| moment_of(event) < moment);
    assert!(future.len() > 300, "there is a future");
    let (before, after) =
        (SMALL.world_without_events(town::SETTINGS), SMALL.world_without_events(town::SETTINGS));
    before.take(InputKind::Events, &past, None);
    after.take(InputKind::Events, &past, None);
    after.take(InputKind::Events, &future, None);
    // At the very moment: not before it. A stranger, a content that nobody declared, a campaign that nobody knew.
    let newcomer = |name: &str| {
        json!({"user_id": "stranger", "event": name, "content_id": "new", "campaign_id": "new",
               "timestamp": moment.to_string()})
    };
    after.take(InputKind::Events, &["view", "purchase", "campaign_targeted", "redeem"].map(newcomer), None);
    let text = moment.to_string();
    let (before, after) = (answers(&before, &text), answers(&after, &text));
    for ((name, ours), (_, theirs)) in before.iter().zip(&after) {
        assert!(!ours.is_empty() && ours == theirs, "{name} differs");
    }
}

/// The scales that the model's page names: days that nobody knows are 400, shares stay as they are, amounts are logarithms.
fn expected(name: &str, value: Option<f64>) -> f64 {
    match name {
        name if name.starts_with("days_since_") || name == "tenure_days" => {
            value.unwrap_or(400.0).clamp(0.0, 400.0).ln_1p()
        }
        name if name.ends_with("_rate_30d") => value.unwrap_or(f64::NAN),
        _ => value.unwrap_or(0.0).max(0.0).ln_1p(),
    }
}

#[test]
fn the_user_block_is_the_profile_on_the_documented_scales() {
    let sample = sample();
    let all = sample.material(Instant::MAX);
    let sources = all.sources();
    let known = AsOf::new(&sources, &all.config.goals["purchase_7d"], at(SAMPLE_AS_OF)).unwrap();
    let built = sample.ok(&["profile", "--as-of", SAMPLE_AS_OF]);
    let profiles = numbers_by_user(&sample.path(built["path"].as_str().unwrap()));
    assert_eq!(profiles.len(), 865, "everybody of the sample");
    let features: Vec<&str> = user_features().iter().map(|feature| feature.name).collect();
    let inputs = InputList::of(all.config.goals["purchase_7d"].unit);
    let names: Vec<&str> = inputs.iter().map(|(_, name)| name).collect();
    assert_eq!(names[..features.len()], features[..]);
    let mut told = 0;
    for (id, profile) in &profiles {
        let user = all.timeline.user(id).unwrap();
        let block = known.user(&sources, user).block(InputBlock::User, Item::Nothing);
        for (name, input) in features.iter().zip(block) {
            let wanted = expected(name, profile[*name]);
            let is_same = (input.is_nan() && wanted.is_nan())
                || (input - wanted).abs() <= 1e-12 * wanted.abs().max(1.0);
            assert!(is_same, "{name} of {id}: {input}, the profile says {:?}", profile[*name]);
            told += usize::from(profile[*name].is_some_and(|value| value != 0.0));
        }
    }
    assert!(told > 15_000, "{told} numbers that are not zero");
}
