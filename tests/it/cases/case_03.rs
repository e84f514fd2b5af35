//! Campaigns whose contents are misspelled, or separated by a comma, are refused at the door.

use crate::files::Case;

#[test]
fn a_campaign_of_undeclared_contents_is_refused_and_the_nearest_one_is_named() {
    let case = Case::new("03");
    case.ingest("contents", "contents.csv");
    let summary = case.json(&["ingest", "--kind", "campaigns", "campaigns.csv"]);
    assert_eq!((&summary["accepted"], &summary["rejected"]), (&0.into(), &2.into()), "{summary}");
    assert_eq!(summary["reasons"]["unknown_content"], 2);
    let example = summary["examples"]["unknown_content"].as_str().unwrap();
    assert!(example.contains("campaigns.csv:2") && example.contains("\"spring-sale\""), "{example}");
    let letters = std::fs::read_to_string(summary["dead_letters"].as_str().unwrap()).unwrap();
    assert!(letters.contains("not by `,`"), "{letters}");
}

#[test]
fn a_campaign_is_stopped_whatever_its_contents() {
    let case = Case::new("03");
    case.ingest("contents", "contents.csv");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("campaigns.csv");
    std::fs::write(&file, "campaign_id,status,contents\nspring,halted,spring_sale\n").unwrap();
    assert_eq!(case.ingest("campaigns", file.to_str().unwrap())["accepted"], 1);
}

#[test]
fn a_content_of_another_case_is_named_and_no_separator_is_spoken_of() {
    let case = Case::new("03");
    case.ingest("contents", "contents.csv");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("campaigns.csv");
    std::fs::write(&file, "campaign_id,contents\nspring,SPRING-SALE\n").unwrap();
    let summary = case.json(&["ingest", "--kind", "campaigns", file.to_str().unwrap()]);
    let example = summary["examples"]["unknown_content"].as_str().unwrap();
    assert!(example.contains("did you mean \"spring-sale\"?") && !example.contains("separated"), "{example}");
}
