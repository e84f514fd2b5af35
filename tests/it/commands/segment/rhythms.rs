//! Rhythm groups on the sample: their names say what they are, and another draw of the people makes the same.

use curves::named_rhythms::{LEAST_EVIDENCE, NamedRhythms};
use domain::rhythm::Rhythm;

use crate::support::draws::Draws;
use crate::support::sample::{Sample, groups};
use crate::support::synthetic::{bump, history};

#[test]
fn every_group_peaks_where_its_name_says_and_is_stable_over_five_seeds() {
    let report = Sample::new().json(&["groups"]);
    let listed = report["groups"].as_array().unwrap();
    assert_eq!(listed.len(), 8);
    for (group, rhythm) in listed.iter().zip(Rhythm::ALL) {
        assert_eq!(group["rhythm_group"], rhythm.as_str());
        let peak = group["peak_hour_of_week"].as_u64().unwrap() as usize;
        assert_eq!(Rhythm::of_hour(peak), rhythm, "{group}");
        assert!(group["times_as_often_as_everybody"].as_f64().unwrap() > 1.5, "{group}");
    }
    let figure = |name: &str| report["stability"][name].as_f64().unwrap();
    assert_eq!(figure("draws"), 5.0);
    assert!(figure("adjusted_rand") >= 0.8 && figure("least") >= 0.7, "{}", report["stability"]);
    let members: u64 = listed.iter().map(|group| group["members"].as_u64().unwrap()).sum();
    assert_eq!(members + report["unknown"].as_u64().unwrap(), 865);
}

#[test]
fn a_segment_and_a_breakdown_know_the_groups_that_are_listed() {
    let sample = Sample::new();
    let report = sample.json(&["groups"]);
    let counted =
        groups(&sample.json(&["count", "--where", "everybody", "--by", "rhythm_group"]), "rhythm_group");
    for group in report["groups"].as_array().unwrap() {
        let (name, members) = (group["rhythm_group"].as_str().unwrap(), group["members"].as_u64().unwrap());
        assert_eq!(counted.get(name).copied().flatten().unwrap_or(0), members, "{name}");
        let asked = sample.json(&["count", "--where", &format!("rhythm_group = {name:?}")]);
        assert_eq!(asked["members"].as_u64(), Some(members), "{name}");
    }
    assert_eq!(counted["unknown"], report["unknown"].as_u64());
}

#[test]
fn a_name_that_is_none_is_refused_with_those_there_are() {
    let text = Sample::new().refused(&["count", "--where", "rhythm_group = \"weekday evening\""]);
    assert!(text.contains("unknown_value") && text.contains("weekday evenings"), "{text}");
}

#[test]
fn people_planted_in_a_part_of_the_week_are_found_in_it() {
    let mut draws = Draws::new(5);
    let planted = |rhythm: Rhythm| {
        let within = move |slot: usize| if Rhythm::of_hour(slot) == rhythm { 6.0 } else { 1.0 };
        let week: [f64; 168] = std::array::from_fn(|slot| within(slot) * (0.2 + bump(slot % 24, 15.0, 3.0)));
        let total: f64 = week.iter().sum();
        week.map(|weight| weight / total)
    };
    let truth: Vec<Rhythm> = (0..400).map(|user| Rhythm::ALL[user % 8]).collect();
    let weeks: Vec<[f64; 168]> = truth
        .iter()
        .map(|rhythm| history(&mut draws, &planted(*rhythm), 60.0, 200).weights(0, None, 0.0))
        .collect();
    let rhythms = NamedRhythms::learn(&weeks);
    let found = weeks.iter().zip(&truth).filter(|(week, rhythm)| rhythms.rhythm_of(week) == Some(**rhythm));
    let found = found.count();
    assert!(found >= 380, "{found} of 400");
}

#[test]
fn with_too_little_evidence_nobody_is_put_into_a_group() {
    let mut week = [0.0; 168];
    week[18] = LEAST_EVIDENCE - 0.01;
    assert_eq!(NamedRhythms::learn(&[week]).rhythm_of(&week), None);
    week[18] = LEAST_EVIDENCE;
    assert_eq!(NamedRhythms::learn(&[week]).rhythm_of(&week), Some(Rhythm::WeekdayEvenings));
    assert_eq!(NamedRhythms::learn(&[]).rhythm_of(&[0.0; 168]), None);
}
