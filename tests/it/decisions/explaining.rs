//! Explanations that a marketer can read.

use decisions::context::DecisionContext;
use decisions::decide;
use decisions::explanation::{Explanation, explain};
use decisions::scorer::PopularityScorer;
use domain::content::Variant;

use super::clock::quiet;
use super::world::{content, context};

fn explained(context: &DecisionContext) -> Explanation {
    explain(context, &PopularityScorer, &decide(context, &PopularityScorer))
}

/// Cheese or bread for household 1510, whose best hour is Sunday 11:00.
fn sunday() -> DecisionContext {
    let mut context = context("2017-12-02T20:00:00Z");
    context.user.user_id = "1510".into();
    context.user.quiet_hours = Some(quiet("21:00-09:00"));
    let mut cheese = content("c1", -2.0);
    cheese.content.variants =
        vec![Variant { variant_id: "a".into(), title: "Cheese".into(), ..Variant::default() }];
    context.contents = vec![content("bread", -2.5), cheese];
    context.curve = (0..168).map(|hour| if hour == 6 * 24 + 11 { 0.05 } else { 0.005 }).collect();
    context
}

#[test]
fn a_send_is_told_with_who_what_when_and_why() {
    let explanation = explained(&sunday());
    let expected = [
        "Send ‘Cheese’ to 1510 on Sun 3 Dec 2017 11:MM (America/New_York) over push.",
        "A response is expected with probability 11.92 %, which makes it worth 0.1192; most of it comes from content.popularity (-2.00).",
        "The next best hour for it is Sat 2 Dec 2017 15:00, worth 0.1059 less.",
        "The next best content is ‘bread’ on Sun 3 Dec 2017 11:00, worth 0.0433 less.",
    ];
    assert_eq!(
        without_minute(&explanation.sentences.en),
        expected,
        "not the quiet hours of the evening before"
    );
    assert!(!explanation.refusals.is_empty());
    let expected = [
        "2017年12月3日周日11:MM（America/New_York）通过 push 向 1510 推送“Cheese”。",
        "预计响应概率 11.92 %，期望价值 0.1192；主要依据：content.popularity (-2.00)。",
        "该内容的次优时段是 2017年12月2日周六15:00，价值低 0.1059。",
        "次优内容是“bread”（2017年12月3日周日11:00），价值低 0.0433。",
    ];
    assert_eq!(without_minute(&explanation.sentences.zh), expected);
}

/// The minute of the send is drawn; it is not what is told here.
fn without_minute(sentences: &[String]) -> Vec<String> {
    let first = &sentences[0];
    let minute = first.find("11:").unwrap() + 3;
    let mut all = vec![format!("{}MM{}", &first[..minute], &first[minute + 2..])];
    all.extend_from_slice(&sentences[1..]);
    all
}

#[test]
fn contributions_and_seconds_are_numbers_that_can_be_checked() {
    let explanation = explained(&sunday());
    let arm = explanation.arm.unwrap();
    assert_eq!((arm.content_id.as_str(), arm.slot_start_local.as_str()), ("c1", "2017-12-03T11:00:00-05:00"));
    assert_eq!((arm.raw_logit, arm.activity), (-2.0, 0.0));
    let sigmoid = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    assert!((arm.response_probability - sigmoid(-2.0)).abs() < 1e-15);
    let other_hour = explanation.second_best_slot.unwrap();
    assert!((other_hour.behind - (sigmoid(-2.0) - sigmoid(-2.0 + 0.1_f64.ln()))).abs() < 1e-12);
    let other_content = explanation.second_best_content.unwrap();
    assert_eq!(other_content.content_id, "bread");
    assert!((other_content.behind - (sigmoid(-2.0) - sigmoid(-2.5))).abs() < 1e-12);
}

#[test]
fn a_refused_user_is_told_what_it_would_have_been() {
    let mut context = sunday();
    context.user.time_zone = None;
    let explanation = explained(&context);
    let expected = [
        "Push nothing to 1510.",
        "It would have been ‘Cheese’ on Sun 3 Dec 2017 11:00: probability 11.92 %, worth 0.1192; most of it comes from content.popularity (-2.00).",
    ];
    assert_eq!(explanation.sentences.en[..2], expected);
    assert_eq!(explanation.sentences.en.last().unwrap(), "The time zone of 1510 is not known (none).");
    assert_eq!(explanation.sentences.zh.last().unwrap(), "1510 的时区未知（无）。");
}

#[test]
fn a_hold_says_when_to_ask_again() {
    let mut context = sunday();
    context.user.max_per_day = Some(1);
    context.horizon_hours = 2;
    context.sends = vec![super::world::past_send("2017-12-02T15:00:00Z")];
    let explanation = explained(&context);
    let first = "Wait with 1510 and ask again on Sun 3 Dec 2017 09:00 (America/New_York).";
    assert_eq!(explanation.sentences.en[0], first);
    let last = "1510 may get 1 push a day, and no more on the day of Sat 2 Dec 2017 15:00. Allowed from Sun 3 Dec 2017 00:00.";
    assert_eq!(explanation.sentences.en.last().unwrap(), last);
}

#[test]
fn without_any_content_there_is_no_arm_to_explain() {
    let mut context = sunday();
    context.contents.clear();
    let explanation = explained(&context);
    assert!(explanation.arm.is_none() && explanation.contributions.is_empty());
    assert_eq!(explanation.sentences.en, ["Push nothing to 1510.", "There is no content to choose from."]);
    assert_eq!(explanation.sentences.zh, ["不向 1510 推送。", "没有可供选择的内容。"]);
}
