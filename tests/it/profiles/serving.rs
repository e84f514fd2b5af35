//! The serving table: who is found, and which of several tables is taken.

use std::fs;
use std::sync::Mutex;

use domain::time::Instant;
use events::lake::Lake;
use events::request::InputKind;
use files::tables::TableError;
use profiles::ProfileError;
use profiles::build::profile_frame;
use profiles::table::ProfileTable;
use serde_json::json;

use super::world::{Shop, at};

const EARLY: &str = "2024-03-10T00:00:00Z";
const LATE: &str = "2024-03-20T00:00:00Z";

/// Ten users with an event each; profiles as of two moments.
fn shop() -> Shop {
    let shop = Shop::new();
    let event = |user: usize| {
        json!({
            "message_id": format!("m{user}"), "user_id": format!("user-{user}"), "event": "view",
            "timestamp": "2024-03-01T10:00:00Z",
        })
    };
    shop.take(InputKind::Events, &(0..10).map(event).collect::<Vec<_>>(), None);
    shop.build(at(LATE));
    shop.build(at(EARLY));
    shop
}

fn manifest_of(shop: &Shop, as_of: Instant) -> std::path::PathBuf {
    shop.workspace.profiles_as_of(as_of).join("_manifest.json")
}

fn newest(shop: &Shop) -> String {
    ProfileTable::open(&shop.workspace, None).expect("a table opens").manifest().as_of.clone()
}

#[test]
fn progress_counts_each_day_once_it_is_done() {
    let shop = Shop::new();
    let view = |day: usize| json!({"user_id": "u", "event": "view", "timestamp": format!("2026-01-{:02}T10:00:00Z", day + 1)});
    shop.take(InputKind::Events, &(0..20).map(view).collect::<Vec<_>>(), None);
    let lake = Lake::open(&shop.workspace).expect("the lake opens");
    let told = Mutex::new(Vec::new());
    let watch = |done, total| told.lock().expect("no thread panics").push((done, total));
    let as_of = at("2026-02-01T00:00:00Z");
    profile_frame(&lake, &shop.declared(), as_of, &shop.config.profiles, &watch).expect("profiles");
    let mut told = told.into_inner().expect("no thread panics");
    told.sort_unstable();
    assert_eq!(told, (1..=20).map(|done| (done, 20)).collect::<Vec<_>>());
}

#[test]
fn every_user_is_found_and_nobody_else() {
    let shop = shop();
    let table = ProfileTable::open(&shop.workspace, None).expect("a table opens");
    assert_eq!((table.len(), table.is_empty()), (10, false));
    for user in 0..10 {
        let id = format!("user-{user}");
        let profile = table.get(&id).expect("he has a profile");
        assert_eq!((&profile["user_id"], &profile["events_30d"]), (&json!(id), &json!(1)));
    }
    for stranger in ["", "user", "user-", "user-00", "user-10", "user-99", "zoe"] {
        assert!(table.get(stranger).is_none(), "{stranger:?} is found");
    }
}

#[test]
fn the_newest_of_several_tables_is_served_and_a_named_one_on_demand() {
    let shop = shop();
    assert_eq!(newest(&shop), LATE);
    let early = ProfileTable::open(&shop.workspace, Some(at(EARLY))).expect("it was built");
    assert_eq!(early.manifest().as_of, EARLY);
}

#[test]
fn a_damaged_table_is_passed_over() {
    let damages: [fn(&Shop); 4] = [
        |shop| fs::write(manifest_of(shop, at(LATE)), "{ \"format\": ").expect("it can be written"),
        |shop| fs::remove_file(manifest_of(shop, at(LATE))).expect("it can be removed"),
        |shop| {
            let path = shop.workspace.profiles_as_of(at(LATE)).join("profiles.parquet");
            fs::write(path, "cut short").expect("it can be written");
        },
        |shop| {
            let path = shop.workspace.profiles_as_of(at(LATE)).join("profiles.parquet");
            fs::remove_file(path).expect("it can be removed");
        },
    ];
    for damage in damages {
        let shop = shop();
        damage(&shop);
        assert_eq!(newest(&shop), EARLY);
        let named = ProfileTable::open(&shop.workspace, Some(at(LATE)));
        assert!(matches!(named, Err(ProfileError::NoProfiles(_))), "{named:?}");
    }
}

#[test]
fn a_newer_format_is_refused_whatever_else_it_says() {
    let shop = shop();
    fs::write(manifest_of(&shop, at(LATE)), "{\"format\": 99, \"shape\": \"unheard of\"}")
        .expect("it can be written");
    let refused = ProfileTable::open(&shop.workspace, None);
    let Err(ProfileError::Table(TableError::NewerFormat { found, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(found, 99);
}

#[test]
fn a_workspace_without_profiles_says_what_to_run() {
    let error = ProfileTable::open(&Shop::new().workspace, None).expect_err("nothing was built");
    assert!(error.to_string().starts_with("no_profiles: "), "{error}");
}

/// `cargo test --release -- --ignored lookup --nocapture` prints what one profile costs.
#[test]
#[ignore = "prints a time; nothing to hold"]
fn lookup_time_is_printed() {
    let shop = shop();
    let table = ProfileTable::open(&shop.workspace, None).expect("a table opens");
    let ids: Vec<String> = (0..100_000).map(|user| format!("user-{}", user % 20)).collect();
    let start = std::time::Instant::now();
    let found = ids.iter().filter(|id| table.row_of(id).is_some()).count();
    let rows = start.elapsed();
    let start = std::time::Instant::now();
    let profiles = ids.iter().take(10_000).filter(|id| table.get(id).is_some()).count();
    println!(
        "{found} of {} rows: {:?} each; {profiles} of 10000 profiles: {:?} each",
        ids.len(),
        rows / ids.len() as u32,
        start.elapsed() / 10_000
    );
}
