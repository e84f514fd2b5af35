//! Attribution beside an oracle that looks at the whole history again for every event.

use std::collections::BTreeMap;

use domain::decision::Action;
use domain::event::is_push_side;
use domain::goal::{Goal, Unit};
use domain::time::{DAY, Instant, MINUTE};
use feedback::attribution::{Attribution, Attributor, DecisionOutcome, FeedbackEvent, rank};
use feedback::decided::Decided;
use proptest::prelude::*;

use super::world::{decided, goals};

const USERS: [&str; 2] = ["ann", "bob"];
const CONTENTS: [Option<&str>; 3] = [None, Some("news"), Some("sport")];
const CAMPAIGNS: [Option<&str>; 3] = [None, Some("spring"), Some("summer")];
const GOALS: [&str; 6] = ["read", "buy", "redeem", "churn", "tap", "forgotten"];
const IDS: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "unknown"];
const NAMES: [&str; 13] = [
    "push_sent",
    "push_delivered",
    "push_displayed",
    "push_opened",
    "push_clicked",
    "push_dismissed",
    "push_failed",
    "push_opted_out",
    "campaign_targeted",
    "notifications_disabled",
    "view",
    "purchase",
    "redeem",
];

/// A window of two hours, so that chance meets its ends.
const WINDOW: i64 = 120 * MINUTE;

fn minute(minutes: i64) -> Instant {
    Instant::from_micros(20_000 * DAY + minutes * MINUTE)
}

prop_compose! {
    fn a_decision()(
        user in 0..2_usize, content in 0..3_usize, campaign in 0..3_usize, goal in 0..6_usize,
        is_send in prop::bool::weighted(0.8), decided_at in 0..300_i64, wait in 0..90_i64,
    ) -> Decided {
        Decided {
            action: if is_send { Action::Send } else { Action::NoSend },
            content_id: CONTENTS[content].map(str::to_string),
            campaign_id: CAMPAIGNS[campaign].map(str::to_string),
            decided_at: minute(decided_at),
            send_at: is_send.then(|| minute(decided_at + wait)),
            goal: GOALS[goal].to_string(),
            ..decided("", USERS[user])
        }
    }
}

prop_compose! {
    fn an_event()(
        user in 0..2_usize, name in 0..13_usize, at in 0..500_i64, id in prop::option::weighted(0.4, 0..8_usize),
        content in 0..3_usize, campaign in 0..3_usize, value in prop::option::of(-5..100_i32),
    ) -> FeedbackEvent<'static> {
        FeedbackEvent {
            user_id: USERS[user],
            name: NAMES[name],
            at: minute(at),
            decision_id: id.map(|id| IDS[id]),
            campaign_id: CAMPAIGNS[campaign],
            content_id: CONTENTS[content],
            value: value.map(f64::from),
        }
    }
}

/// The history up to an event: whose each was.
struct History<'a> {
    decisions: &'a [Decided],
    goals: &'a BTreeMap<String, Goal>,
    /// (event, the push it belongs to, the push it takes consent back for)
    past: Vec<(FeedbackEvent<'static>, Option<usize>, Option<usize>)>,
    /// (value of a purchase, the push whose revenue it is)
    bought: Vec<(Option<f64>, Option<usize>)>,
}

impl History<'_> {
    fn first(&self, push: usize, names: &[&str]) -> Option<Instant> {
        let own = self.past.iter().filter(|(_, owner, _)| *owner == Some(push));
        own.filter(|(event, ..)| names.contains(&event.name)).map(|(event, ..)| event.at).min()
    }

    /// (3 seen, 2 delivered, 1 sent; when)
    fn touch(&self, push: usize) -> Option<(u8, Instant)> {
        if let Some(at) =
            self.first(push, &["push_displayed", "push_opened", "push_clicked", "push_dismissed"])
        {
            return Some((3, at));
        }
        if let Some(at) = self.first(push, &["push_delivered"]) {
            return Some((2, at));
        }
        let at = self.first(push, &["push_sent"])?;
        self.first(push, &["push_failed"]).is_none().then_some((1, at))
    }

    /// Does it reach the goal; `is_sure`: it is known to belong to the push.
    fn reaches(&self, push: usize, event: &FeedbackEvent, is_sure: bool) -> bool {
        let push = &self.decisions[push];
        let Some(goal) = self.goals.get(&push.goal) else { return false };
        if goal.absent || !goal.takes(event.name) {
            return false;
        }
        if event.campaign_id.is_some() && event.campaign_id != push.campaign_id.as_deref() {
            return false;
        }
        match goal.unit {
            Unit::UserDay => true,
            Unit::UserCampaign => is_sure || event.campaign_id.is_some(),
            Unit::UserContent if event.content_id.is_none() => is_sure,
            Unit::UserContent => event.content_id == push.content_id.as_deref(),
        }
    }

    fn last_touch(&self, event: &FeedbackEvent, asked: impl Fn(usize) -> bool) -> Option<usize> {
        let mut best: Option<(u8, Instant, Instant, &str, usize)> = None;
        for (index, push) in self.decisions.iter().enumerate() {
            if push.user_id != event.user_id || push.action != Action::Send || !asked(index) {
                continue;
            }
            let Some((near, at)) = self.touch(index) else { continue };
            let key = (near, at, push.decided_at, push.decision_id.as_str(), index);
            if event.at.micros() - at.micros() < WINDOW && best.is_none_or(|best| key > best) {
                best = Some(key);
            }
        }
        best.map(|best| best.4)
    }

    fn owner(&self, event: &FeedbackEvent) -> Option<usize> {
        if let Some(id) = event.decision_id {
            let fits = |push: &Decided| {
                push.decision_id == id
                    && push.user_id == event.user_id
                    && push.action == Action::Send
                    && push.decided_at <= event.at
            };
            return self.decisions.iter().position(fits);
        }
        if event.name.starts_with("push_") {
            return self.newest(event);
        }
        if is_push_side(event.name) {
            return None;
        }
        self.last_touch(event, |push| self.reaches(push, event, false))
    }

    fn newest(&self, event: &FeedbackEvent) -> Option<usize> {
        let mut fitting: Vec<usize> = (0..self.decisions.len()).collect();
        fitting.retain(|index| {
            let push = &self.decisions[*index];
            push.user_id == event.user_id
                && push.send_at.is_some_and(|at| at <= event.at)
                && (event.campaign_id.is_none() || event.campaign_id == push.campaign_id.as_deref())
                && (event.content_id.is_none() || event.content_id == push.content_id.as_deref())
        });
        let went_out: Vec<usize> =
            fitting.iter().copied().filter(|push| self.first(*push, &["push_sent"]).is_some()).collect();
        let among = if event.name == "push_sent" || went_out.is_empty() { fitting } else { went_out };
        among.into_iter().max_by_key(|index| {
            let push = &self.decisions[*index];
            (push.send_at, push.decided_at, push.decision_id.clone())
        })
    }

    fn take(&mut self, event: FeedbackEvent<'static>) {
        let owner = self.owner(&event);
        if event.name == "purchase" {
            let last = if event.decision_id.is_none() { self.last_touch(&event, |_| true) } else { None };
            self.bought.push((event.value, owner.or(last)));
        }
        let is_disabled = event.name == "notifications_disabled";
        let opted = if is_disabled && event.decision_id.is_none() {
            self.last_touch(&event, |_| true)
        } else {
            owner
        };
        let opts_out = is_disabled || event.name == "push_opted_out";
        // An unnamed one that reaches a goal is told of its owner too.
        let also = owner.filter(|_| is_disabled);
        self.past.push((event, owner, opted.filter(|_| opts_out)));
        if also != opted && also.is_some() {
            self.past.push((event, None, also));
        }
    }

    fn outcome(&self, push: usize) -> DecisionOutcome {
        let one = |name: &str| self.first(push, &[name]);
        let out = self.past.iter().filter(|(_, _, out)| *out == Some(push)).map(|(event, ..)| event.at).min();
        let is_own = |(event, owner, _): &&(FeedbackEvent, Option<usize>, Option<usize>)| {
            *owner == Some(push) && self.reaches(push, event, true)
        };
        let goals: Vec<&FeedbackEvent> = self.past.iter().filter(is_own).map(|(event, ..)| event).collect();
        // Clicked by then: events of one moment stand in order of their rank.
        let tapped = self.past.iter().position(|(event, owner, _)| {
            *owner == Some(push) && ["push_clicked", "push_opened"].contains(&event.name)
        });
        let last = self.past.iter().rposition(|entry| is_own(&entry));
        let values: Vec<f64> = goals.iter().filter_map(|event| event.value).collect();
        let bought: Vec<Option<f64>> =
            self.bought.iter().filter(|(_, owner)| *owner == Some(push)).map(|(value, _)| *value).collect();
        let prices: Vec<f64> = bought.iter().copied().flatten().collect();
        DecisionOutcome {
            sent_at: one("push_sent"),
            delivered_at: one("push_delivered"),
            displayed_at: one("push_displayed"),
            opened_at: one("push_opened"),
            clicked_at: one("push_clicked"),
            dismissed_at: one("push_dismissed"),
            failed_at: one("push_failed"),
            opted_out_at: out,
            goal_at: goals.iter().map(|event| event.at).min(),
            goal_events: goals.len() as i64,
            goal_value_micros: (!values.is_empty()).then(|| values.iter().sum::<f64>() as i64 * 1_000_000),
            purchases: bought.len() as i64,
            revenue_micros: (!prices.is_empty()).then(|| prices.iter().sum::<f64>() as i64 * 1_000_000),
            attribution: last.map(|last| match tapped.is_some_and(|tapped| tapped <= last) {
                true => Attribution::Direct,
                false => Attribution::Influenced,
            }),
            goal_in_window: self.is_reached_in_window(push),
        }
    }

    fn is_reached_in_window(&self, index: usize) -> bool {
        let decided = &self.decisions[index];
        let Some(goal) = self.goals.get(&decided.goal).filter(|goal| !goal.absent) else { return false };
        self.past.iter().any(|(event, ..)| {
            let age = event.at.micros() - decided.decided_at.micros();
            let is_of_campaign =
                event.campaign_id.is_some() && event.campaign_id == decided.campaign_id.as_deref();
            event.user_id == decided.user_id
                && (0..WINDOW).contains(&age)
                && goal.takes(event.name)
                && (goal.unit != Unit::UserCampaign || is_of_campaign)
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_is_given_as_the_oracle_gives_it_and_to_one_push_at_most(
        mut decisions in prop::collection::vec(a_decision(), 1..7),
        mut events in prop::collection::vec(an_event(), 0..40),
    ) {
        for (index, decided) in decisions.iter_mut().enumerate() {
            decided.decision_id = index.to_string();
        }
        events.sort_by_key(|event| (event.at, rank(event.name)));
        let goals = goals();
        let mut attributor = Attributor::new(&decisions, &goals, WINDOW);
        let mut history = History { decisions: &decisions, goals: &goals, past: Vec::new(), bought: Vec::new() };
        for event in &events {
            attributor.absorb(event);
            history.take(*event);
        }
        let (outcomes, _) = attributor.finish();
        let expected: Vec<DecisionOutcome> = (0..decisions.len()).map(|push| history.outcome(push)).collect();
        prop_assert_eq!(&outcomes, &expected);
        let given: i64 = outcomes.iter().map(|outcome| outcome.goal_events).sum();
        let taken = events.iter().filter(|event| goals.values().any(|goal| goal.takes(event.name)));
        prop_assert!(given <= taken.count() as i64);
        for (decided, outcome) in decisions.iter().zip(&outcomes) {
            let is_untouched = DecisionOutcome { goal_in_window: false, ..outcome.clone() } == DecisionOutcome::default();
            prop_assert!(decided.is_send() || is_untouched, "{:?}", outcome);
        }
    }
}
