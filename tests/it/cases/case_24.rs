//! A file that was ingested with a wrong `--time-zone`, and then with the right one.

use crate::files::Case;

#[test]
fn an_ingest_with_a_wrong_zone_is_pointed_out_and_can_be_taken_back() {
    let case = Case::new("24");
    let wrong = case.json(&["ingest", "a.csv", "--time-zone", "UTC"]);
    assert_eq!((&wrong["accepted"], wrong["warnings"].as_array().unwrap().len()), (&1.into(), 0));
    let right = case.json(&["ingest", "a.csv", "--time-zone", "Asia/Shanghai"]);
    let id = right["ingest_id"].as_str().unwrap();
    let warning = right["warnings"][0].as_str().unwrap();
    assert!(
        warning.starts_with("1 events repeat others of the same user, name and content moved by exactly 8 h")
    );
    assert!(warning.contains(&format!("smartpush ingests undo {id}")), "{warning}");

    let undone = case.json(&["ingests", "undo", wrong["ingest_id"].as_str().unwrap()]);
    assert_eq!(undone["removed"], 1);
    assert!(case.run(&["profile"]).status.success());
    let profile = case.run(&["profile", "--user", "u1"]);
    let text = String::from_utf8(profile.stdout).unwrap();
    let count = text.lines().find(|line| line.contains("events_30d")).unwrap();
    assert_eq!(count.split_whitespace().collect::<Vec<_>>(), ["events_30d", "1"]);
}

#[test]
fn a_third_ingest_with_another_zone_and_one_with_another_mapping_are_pointed_out() {
    let case = Case::new("24");
    let warned = |arguments: &[&str]| case.json(arguments)["warnings"].to_string();
    case.json(&["ingest", "a.csv", "--time-zone", "UTC"]);
    case.json(&["ingest", "a.csv", "--time-zone", "Asia/Shanghai"]);
    let third = warned(&["ingest", "a.csv", "--time-zone", "America/New_York"]);
    assert!(third.contains("moved by exactly") && third.contains("5 h"), "{third}");
    let mapped = warned(&["ingest", "a.csv", "--time-zone", "UTC", "--map-event", "view=click"]);
    assert!(mapped.contains("1 events repeat others of the same user and moment"), "{mapped}");
}

#[test]
fn a_misspelt_name_of_ours_is_pointed_out() {
    let case = Case::new("24");
    let warned = |pair: &str| {
        let arguments = ["ingest", "a.csv", "--time-zone", "UTC", "--map-event", pair];
        case.json(&arguments)["warnings"].to_string()
    };
    let misspelt = warned("view=purchas");
    for part in ["custom_event_name", "purchas", "did you mean", "purchase"] {
        assert!(misspelt.contains(part), "{part}: {misspelt}");
    }
    assert!(!warned("view=coupon_used").contains("custom_event_name"));
}
