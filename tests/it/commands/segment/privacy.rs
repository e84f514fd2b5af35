//! What a marketer's counts keep to themselves: small groups by name, and never one that the others give away.

use proptest::prelude::*;
use segments::answers::privacy::{Reader, Shown};

use crate::support::sample::{Sample, groups};

const MARKETER: Reader = Reader::Marketer { threshold: 50 };

proptest! {
    #[test]
    fn of_parts_of_a_whole_none_or_at_least_two_are_hidden(counts in prop::collection::vec(0_u64..200, 2..9)) {
        let shown = MARKETER.show_parts(&counts);
        let hidden = shown.iter().filter(|part| part.number().is_none()).count();
        prop_assert!(hidden != 1, "{shown:?}");
        for (count, part) in counts.iter().zip(&shown) {
            prop_assert!(*count >= 50 || *part == Shown::FewerThan(50), "{count}: {part:?}");
            prop_assert!(part.number().is_none_or(|told| told <= *count && count - told < 10), "{count}: {part:?}");
        }
    }

    #[test]
    fn no_more_than_the_smallest_is_withheld(counts in prop::collection::vec(0_u64..200, 2..9)) {
        let shown = MARKETER.show_parts(&counts);
        let withheld: Vec<u64> =
            counts.iter().zip(&shown).filter(|(_, part)| matches!(part, Shown::Withheld(_))).map(|(count, _)| *count).collect();
        let small = counts.iter().filter(|count| **count < 50).count();
        prop_assert_eq!(withheld.len(), usize::from(small == 1));
        let smallest = counts.iter().copied().filter(|count| *count >= 50).min();
        prop_assert!(withheld.first().is_none_or(|count| Some(*count) == smallest));
    }
}

#[test]
fn a_count_is_rounded_down_so_that_no_one_counts_on_people_who_are_not_there() {
    let shown = [50, 59, 87, 90, 1239].map(|count| MARKETER.show(count).to_string());
    assert_eq!(shown, ["about 50", "about 50", "about 80", "about 90", "about 1230"]);
    assert_eq!(MARKETER.show(49), Shown::FewerThan(50));
    assert_eq!(Reader::DataTeam.show(87).to_string(), "87");
}

#[test]
fn closed_sets_are_shown_by_name_and_open_ones_are_put_together() {
    let sample = Sample::new();
    let report = sample.json(&[
        "count",
        "--for",
        "marketer",
        "--where",
        "everybody",
        "--by",
        "rhythm_group",
        "--by",
        "country",
        "--by",
        "rfm_money",
    ]);
    let lifecycle = groups(&report, "lifecycle");
    let names: Vec<&str> = lifecycle.keys().map(String::as_str).collect();
    assert_eq!(names, ["active", "cooling", "dormant", "new", "returned"]);
    assert_eq!((lifecycle["new"], lifecycle["active"]), (None, Some(700)));
    assert!(groups(&report, "rhythm_group").contains_key("weekend mornings"));
    assert_eq!(groups(&report, "rfm_money").keys().filter(|fifth| fifth.len() == 1).count(), 5);
    assert!(groups(&report, "locale").contains_key("others"));
}

#[test]
fn words_of_a_closed_set_stand_in_their_own_order_whoever_reads() {
    let sample = Sample::new();
    for reader in ["data", "marketer"] {
        let report = sample.json(&["count", "--for", reader, "--where", "everybody"]);
        let found =
            report["breakdowns"].as_array().unwrap().iter().find(|one| one["by"] == "lifecycle").unwrap();
        let order: Vec<&str> = found["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["value"].as_str().unwrap())
            .collect();
        assert_eq!(order, ["new", "active", "returned", "cooling", "dormant"], "{reader}");
    }
}
