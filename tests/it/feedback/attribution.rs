//! Golden cases of attribution, as a marketer would tell them.

use std::collections::BTreeMap;
use std::fmt::Write;

use domain::decision::Action;
use domain::time::{DAY, HOUR, Instant, MINUTE};
use feedback::attribution::{Attributor, DecisionOutcome, FeedbackEvent, Strays, rank};
use feedback::decided::Decided;

use super::world::{decided, goals};

/// Each case: what was to be sent, what happened, and what came of it. Times are those of one day unless `2/` says the
/// second; pushes are decided at 08:00 for the goal `read` unless they say otherwise; `@A` names a decision. `in window`: the
/// user reached the goal, and not by this push. The window is 24 hours. Goals: `read` an own event on the content pushed; `buy` a purchase; `redeem` a redeem of the campaign; `churn`
/// nothing at all; `tap` a click.
const CASES: &str = "
A click and then a view of the content: the push did it directly.
  push A send=09:00 content=news
  event 09:00 push_sent @A
  event 09:01 push_delivered @A
  event 09:02 push_displayed @A
  event 09:05 push_clicked @A
  event 09:06 view content=news
  => A: push_sent 09:00, push_delivered 09:01, push_displayed 09:02, push_clicked 09:05; direct at 09:06, 1 event

It was only shown: the push influenced what followed.
  push A send=09:00 content=news
  event 09:02 push_displayed @A
  event 09:30 view content=news
  event 09:31 share content=news
  => A: push_displayed 09:02; influenced at 09:30, 2 events

Delivered is less than shown, sent is less than delivered, and all may influence.
  push A send=09:00 goal=buy
  push B send=10:00 goal=buy
  push C send=11:00 goal=buy
  event 09:00 push_displayed @A
  event 10:00 push_delivered @B
  event 11:00 push_sent @C
  event 12:00 purchase value=5
  => A: push_displayed 09:00; influenced at 12:00, 1 event worth 5
  => B: push_delivered 10:00; in window
  => C: push_sent 11:00; in window

Of two pushes that were shown the last gets it, though the first was clicked.
  push A send=09:00 goal=buy
  push B send=10:00 goal=buy
  event 09:00 push_displayed @A
  event 09:01 push_clicked @A
  event 10:00 push_displayed @B
  event 12:00 purchase value=5
  event 12:01 purchase value=0.25
  => A: push_displayed 09:00, push_clicked 09:01; in window
  => B: push_displayed 10:00; influenced at 12:00, 2 events worth 5.25

A push that was to make people buy has nothing of a view.
  push A send=09:00 goal=buy content=news
  event 09:00 push_displayed @A
  event 09:05 view content=news
  => A: push_displayed 09:00

A view of something else is not what the push was about.
  push A send=09:00 content=news
  event 09:00 push_displayed @A
  event 09:01 push_clicked @A
  event 09:05 view content=sport
  event 09:06 session_start
  => A: push_displayed 09:00, push_clicked 09:01; in window

An event that names the decision need not say again what it is about, but must not contradict it.
  push A send=09:00 content=news
  event 09:00 push_displayed @A
  event 09:05 session_start @A
  event 09:06 view content=sport @A
  => A: push_displayed 09:00; influenced at 09:05, 1 event

A coupon counts for its own campaign.
  push A send=09:00 goal=redeem campaign=spring
  push B send=09:30 goal=redeem campaign=summer
  event 09:00 push_displayed @A
  event 09:30 push_displayed @B
  event 10:00 redeem campaign=spring
  event 10:01 redeem
  => A: push_displayed 09:00; influenced at 10:00, 1 event
  => B: push_displayed 09:30

A purchase that another campaign claims is not ours.
  push A send=09:00 goal=buy campaign=spring
  event 09:00 push_displayed @A
  event 10:00 purchase campaign=radio
  event 10:01 purchase
  => A: push_displayed 09:00; influenced at 10:01, 1 event

The window ends a day after the push was shown, to the minute.
  push A decided=09:00 send=09:00 goal=buy
  event 09:00 push_displayed @A
  event 2/09:00 purchase
  => A: push_displayed 09:00

One minute earlier it still counts.
  push A decided=09:00 send=09:00 goal=buy
  event 09:00 push_displayed @A
  event 2/08:59 purchase
  => A: push_displayed 09:00; influenced at 2/08:59, 1 event

What was bought before the push came is not its doing, nor what was bought before it was shown.
  push A send=09:00 goal=buy
  event 08:30 purchase
  event 09:00 push_sent @A
  event 09:02 push_displayed @A
  => A: push_sent 09:00, push_displayed 09:02; in window

In the same minute the push comes first.
  push A send=09:00 goal=buy
  event 09:00 purchase
  event 09:00 push_clicked @A
  event 09:00 push_displayed @A
  => A: push_displayed 09:00, push_clicked 09:00; direct at 09:00, 1 event

Shown twice, on two devices: the first time counts, and each is one push.
  push A send=09:00 content=news
  event 09:00 push_displayed @A
  event 09:10 push_displayed @A
  event 09:20 push_clicked @A
  event 09:21 push_clicked @A
  => A: push_displayed 09:00, push_clicked 09:20

A push event without a name belongs to the newest push that was due.
  push A send=09:00 content=news
  push B send=10:00 content=sport
  push C send=12:00 content=music
  event 11:00 push_displayed
  => A: nothing
  => B: push_displayed 11:00
  => C: nothing

Unless it says which content or campaign it is.
  push A send=09:00 content=news campaign=spring
  push B send=10:00 content=sport campaign=summer
  event 11:00 push_displayed content=news
  event 11:01 push_clicked campaign=spring
  event 11:02 push_clicked content=music
  => A: push_displayed 11:00, push_clicked 11:01
  => B: nothing
  => strays: unclaimed 1

After four weeks no device shows a push any more: whatever was shown was none of ours.
  push A send=09:00 content=news
  event 29/08:59 push_displayed
  event 29/09:00 push_clicked
  => A: push_displayed 29/08:59
  => strays: unclaimed 1

Asked twice, sent once: what follows belongs to the one that went out.
  push A send=09:00 content=news
  event 09:00 push_sent
  push B decided=09:30 send=10:00 content=news
  event 10:30 push_displayed
  => A: push_sent 09:00, push_displayed 10:30
  => B: nothing

A push that the channel refused influences nothing.
  push A send=09:00 goal=buy
  event 09:00 push_sent @A
  event 09:01 push_failed @A
  event 10:00 purchase
  => A: push_sent 09:00, push_failed 09:01; in window

Of a push that was tapped nobody need have said that it was shown.
  push A send=09:00 goal=buy
  event 09:05 push_opened @A
  event 10:00 purchase
  => A: push_opened 09:05; direct at 10:00, 1 event

The click may be the goal itself.
  push A send=09:00 goal=tap
  event 09:05 push_clicked
  => A: push_clicked 09:05; direct at 09:05, 1 event

Doing nothing is a goal that no event reaches.
  push A send=09:00 goal=churn
  event 09:05 push_clicked @A
  event 09:06 view
  => A: push_clicked 09:05

A goal that is not declared any more is reached by nothing.
  push A send=09:00 goal=forgotten
  event 09:05 push_clicked @A
  event 09:06 view
  => A: push_clicked 09:05

Whoever turns notifications off does it for the last push he saw.
  push A send=09:00 goal=buy
  push B send=10:00 goal=forgotten
  event 09:00 push_displayed @A
  event 10:00 push_displayed @B
  event 10:01 notifications_disabled
  => A: push_displayed 09:00
  => B: push_displayed 10:00, opted_out 10:01

Names that lead nowhere: an unknown decision, a hold, one that was made later, somebody else's.
  push A decided=10:00 send=10:00 content=news
  hold H
  other O send=09:00 content=news
  event 09:00 push_displayed @X
  event 09:01 push_displayed @H
  event 09:02 push_displayed @A
  event 09:03 push_displayed @O
  event 09:04 push_displayed
  => A: nothing
  => H: nothing
  => O: nothing
  => strays: unknown 3, before 1, unclaimed 1

Held out: what the user does by himself is told, and belongs to no push.
  held H goal=buy
  event 09:00 purchase value=3
  => H: in window
";

#[test]
fn every_golden_case_comes_out_as_it_is_told() {
    let mut failures = String::new();
    let cases: Vec<&str> = CASES.trim().split("\n\n").collect();
    for case in &cases {
        let (expected, found) = (expected(case), told(case));
        if expected != found {
            writeln!(failures, "{case}\n  but:\n{found}").unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(cases.len() >= 20, "{}", cases.len());
}

fn expected(case: &str) -> String {
    let lines = case.lines().filter_map(|line| line.trim().strip_prefix("=> "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// `2/09:00` on the second day.
fn moment(text: &str) -> Instant {
    let (day, time) = text.split_once('/').unwrap_or(("1", text));
    let (hour, minute) = time.split_once(':').unwrap();
    let number = |text: &str| text.parse::<i64>().unwrap();
    Instant::from_micros((20_000 + number(day)) * DAY + number(hour) * HOUR + number(minute) * MINUTE)
}

fn text_of(at: Instant) -> String {
    let minutes = at.micros() / MINUTE;
    let (day, minute) = (minutes / 1_440 - 20_000, minutes % 1_440);
    let time = format!("{:02}:{:02}", minute / 60, minute % 60);
    if day == 1 { time } else { format!("{day}/{time}") }
}

fn fields(words: &[&'static str]) -> BTreeMap<&'static str, &'static str> {
    words.iter().filter_map(|word| word.split_once('=')).collect()
}

fn decision(words: &[&'static str]) -> Decided {
    let fields = fields(&words[2..]);
    let owned = |name: &str| fields.get(name).map(|text| text.to_string());
    let is_send = ["push", "other"].contains(&words[0]);
    Decided {
        action: if is_send { Action::Send } else { Action::Hold },
        holdout: words[0] == "held",
        campaign_id: owned("campaign"),
        content_id: owned("content"),
        send_at: fields.get("send").map(|text| moment(text)),
        decided_at: moment(fields.get("decided").unwrap_or(&"08:00")),
        goal: fields.get("goal").unwrap_or(&"read").to_string(),
        ..decided(words[1], if words[0] == "other" { "bob" } else { "ann" })
    }
}

fn event(words: &[&'static str]) -> FeedbackEvent<'static> {
    let fields = fields(&words[3..]);
    FeedbackEvent {
        user_id: "ann",
        name: words[2],
        at: moment(words[1]),
        decision_id: words.iter().find_map(|word| word.strip_prefix('@')),
        campaign_id: fields.get("campaign").copied(),
        content_id: fields.get("content").copied(),
        value: fields.get("value").map(|text| text.parse().unwrap()),
    }
}

fn told(case: &'static str) -> String {
    let (mut decisions, mut events) = (Vec::new(), Vec::new());
    for line in case.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "event" => events.push(event(&words)),
            "=>" => {}
            _ => decisions.push(decision(&words)),
        }
    }
    events.sort_by_key(|event| (event.at, rank(event.name)));
    let goals = goals();
    let mut attributor = Attributor::new(&decisions, &goals, DAY);
    events.iter().for_each(|event| attributor.absorb(event));
    let (outcomes, strays) = attributor.finish();
    let pairs = decisions.iter().zip(&outcomes);
    let lines: String =
        pairs.map(|(decided, outcome)| format!("{}: {}\n", decided.decision_id, line(outcome))).collect();
    lines + &stray_line(&strays)
}

fn line(outcome: &DecisionOutcome) -> String {
    let stamps = [
        ("push_sent", outcome.sent_at),
        ("push_delivered", outcome.delivered_at),
        ("push_displayed", outcome.displayed_at),
        ("push_opened", outcome.opened_at),
        ("push_clicked", outcome.clicked_at),
        ("push_dismissed", outcome.dismissed_at),
        ("push_failed", outcome.failed_at),
        ("opted_out", outcome.opted_out_at),
    ];
    let stamps: Vec<String> =
        stamps.iter().filter_map(|(name, at)| at.map(|at| format!("{name} {}", text_of(at)))).collect();
    let mut parts = vec![stamps.join(", ")];
    if let (Some(at), Some(how)) = (outcome.goal_at, outcome.attribution) {
        let plural = if outcome.goal_events == 1 { "" } else { "s" };
        let worth = outcome.goal_value_micros.map(|micros| format!(" worth {}", micros as f64 / 1e6));
        let events = outcome.goal_events;
        let worth = worth.unwrap_or_default();
        parts.push(format!("{} at {}, {events} event{plural}{worth}", how.as_str(), text_of(at)));
    } else if outcome.goal_in_window {
        parts.push("in window".to_string());
    }
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() { "nothing".to_string() } else { parts.join("; ") }
}

fn stray_line(strays: &Strays) -> String {
    let counts = [
        ("unknown", strays.unknown_decision),
        ("before", strays.before_decision),
        ("unclaimed", strays.unclaimed_push),
    ];
    let told: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if told.is_empty() { String::new() } else { format!("strays: {}\n", told.join(", ")) }
}
