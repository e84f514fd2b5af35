//! What holds for any events: the oracle agrees, parts merge to the whole, the future is not seen.

use std::sync::OnceLock;

use domain::time::{DAY, HOUR, Instant};
use events::request::InputKind;
use profiles::declared::Declared;
use proptest::prelude::*;
use serde_json::json;

use super::oracle::{self, Known};
use super::world::{Act, Profiles, Shop, at, bytes_of, frame_of, is_same, profiles_of};

/// Clocks that are changed by an hour, by half an hour, at a minute past; odd offsets; none.
const ZONES: [&str; 7] = [
    "America/New_York",
    "America/St_Johns",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Paris",
    "UTC",
];

/// Moments soon after a clock was changed somewhere.
const CHANGES: [&str; 7] = [
    "2024-03-10T07:00:00Z",
    "2024-03-31T01:00:00Z",
    "2024-10-05T15:30:00Z",
    "2024-11-03T06:00:00Z",
    "2009-03-08T03:31:00Z",
    "2010-11-07T02:31:00Z",
    "2012-03-29T22:00:00Z",
];

const NAMES: [&str; 14] = [
    "view",
    "click",
    "add_to_cart",
    "purchase",
    "purchase",
    "a_custom_name",
    "campaign_targeted",
    "push_sent",
    "push_delivered",
    "push_displayed",
    "push_opened",
    "push_clicked",
    "push_dismissed",
    "push_custom",
];

/// Users 0 and 1 declare a zone, 2 another field, 3 nothing; contents 0 … 24 are declared, others are not.
pub(super) fn declared() -> &'static (Declared, Known) {
    static DECLARED: OnceLock<(Declared, Known)> = OnceLock::new();
    DECLARED.get_or_init(|| {
        let shop = Shop::new();
        let signed_up = "2009-01-01T00:00:00Z";
        let users = [
            json!({"user_id": "user-0", "time_zone": "America/St_Johns", "created_at": signed_up}),
            json!({"user_id": "user-1", "time_zone": "Asia/Gaza", "platform": "ios"}),
            json!({"user_id": "user-2", "platform": "android"}),
        ];
        let content = |index: usize| {
            let tags: Vec<String> = (0..index % 4).map(|tag| format!("tag-{}", (index + tag) % 30)).collect();
            (format!("content-{index:02}"), (Some(format!("category-{}", index % 23)), tags))
        };
        let known = Known {
            users: [
                ("user-0".into(), (Some("America/St_Johns".into()), Some(at(signed_up).micros()), None)),
                ("user-1".into(), (Some("Asia/Gaza".into()), None, Some("ios".into()))),
                ("user-2".into(), (None, None, Some("android".into()))),
            ]
            .into(),
            contents: (0..25).map(content).collect(),
        };
        let contents: Vec<_> = known
            .contents
            .iter()
            .map(|(id, (category, tags))| json!({"content_id": id, "category": category, "tags": tags}))
            .collect();
        shop.take(InputKind::Users, &users, None);
        shop.take(InputKind::Contents, &contents, None);
        (shop.declared(), known)
    })
}

/// How long before (or after) T: at the ends of windows, minutes around them, or anywhere.
fn age() -> impl Strategy<Value = i64> {
    let end = prop::sample::select(vec![0, DAY, 7 * DAY, 30 * DAY, 60 * DAY, 90 * DAY, 180 * DAY]);
    let nudge = prop_oneof![Just(-1), Just(0), Just(1), -2 * HOUR..2 * HOUR];
    prop_oneof![(end, nudge).prop_map(|(end, nudge)| end + nudge), -DAY..200 * DAY, 0..6 * HOUR]
}

/// User, name, age, date only, zone, content, session, quarters of value.
type Draw = (usize, usize, i64, bool, Option<usize>, Option<usize>, Option<usize>, Option<i64>);

fn act() -> impl Strategy<Value = Draw> {
    (
        0..4_usize,
        0..NAMES.len(),
        age(),
        prop::bool::weighted(0.1),
        prop::option::weighted(0.3, 0..ZONES.len()),
        prop::option::weighted(0.7, 0..30_usize),
        prop::option::weighted(0.6, 0..6_usize),
        prop::option::weighted(0.7, -4_000_000_000_000..=4_000_000_000_000_i64),
    )
}

/// T, and events before and after it.
pub(super) fn world() -> impl Strategy<Value = (Instant, Vec<Act>)> {
    let as_of = (prop::sample::select(CHANGES.to_vec()), prop_oneof![0..3 * HOUR, 0..100 * DAY]);
    (as_of, prop::collection::vec(act(), 0..120)).prop_map(|((change, later), acts)| {
        let as_of = at(change).plus(later);
        let acts = acts.into_iter().enumerate().map(|(number, act)| {
            let (user, name, age, date_only, zone, content, session, value) = act;
            Act {
                // Ids that do not sort as the events were made.
                message_id: format!("m{:03}", (number * 37) % 211),
                user_id: format!("user-{user}"),
                name: NAMES[name].to_string(),
                timestamp: as_of.plus(-age),
                date_only,
                zone: zone.map(|zone| ZONES[zone].to_string()),
                content_id: content.map(|content| format!("content-{content:02}")),
                session_id: session.map(|session| format!("session-{session}")),
                value: value.map(|quarters| quarters as f64 / 4.0),
            }
        });
        (as_of, acts.collect())
    })
}

fn differences(found: &Profiles, expected: &Profiles) -> Vec<String> {
    let mut differences = Vec::new();
    if found.keys().ne(expected.keys()) {
        differences.push(format!("users {:?}, expected {:?}", found.keys(), expected.keys()));
    }
    for (user, profile) in expected {
        for (feature, value) in profile {
            let other = found.get(user).and_then(|profile| profile.get(feature));
            if !other.is_some_and(|other| is_same(other, value)) {
                differences.push(format!("{user} {feature}: {other:?}, expected {value}"));
            }
        }
    }
    differences
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_oracle_finds_the_same_values((as_of, acts) in world()) {
        let (declared, known) = declared();
        let expected = oracle::profiles(&acts, known, as_of.micros());
        let found = profiles_of(&frame_of(&[acts], declared, as_of));
        let differences = differences(&found, &expected);
        prop_assert!(differences.is_empty(), "as of {}: {}", as_of, differences.join("\n"));
    }

    #[test]
    fn parts_in_any_order_merge_to_the_whole(
        (as_of, acts) in world(),
        positions in prop::collection::vec((0..5_usize, any::<u32>()), 120),
    ) {
        let (declared, _) = declared();
        let whole = bytes_of(&frame_of(std::slice::from_ref(&acts), declared, as_of));
        let mut positioned: Vec<(u32, usize, Act)> =
            acts.into_iter().zip(positions).map(|(act, (part, order))| (order, part, act)).collect();
        positioned.sort_by_key(|(order, _, _)| *order);
        let mut parts = vec![Vec::new(); 5];
        for (_, part, act) in positioned {
            parts[part].push(act);
        }
        prop_assert!(bytes_of(&frame_of(&parts, declared, as_of)) == whole);
    }

    #[test]
    fn what_happens_at_t_or_later_changes_nothing((as_of, acts) in world()) {
        let (declared, _) = declared();
        let past: Vec<Act> = acts.iter().filter(|act| act.timestamp < as_of).cloned().collect();
        prop_assert!(
            bytes_of(&frame_of(&[acts], declared, as_of)) == bytes_of(&frame_of(&[past], declared, as_of))
        );
    }
}
