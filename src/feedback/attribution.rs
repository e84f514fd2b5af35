//! Which push an event belongs to: the rules that turn events into outcomes, pure and one event at a time.
//!
//! * An event that names a decision belongs to it, and to no other: when the decision is unknown, another user's, sends
//!   nothing or was made after the event, the event belongs to nobody.
//! * A push event without a name belongs to the newest push of its user that was to be sent by then, of the campaign and
//!   the content that it names, and at most 28 days ago, the longest that a push waits for its device. Pushes that went
//!   out come before pushes of which nobody said so. An opt-out (`notifications_disabled`) goes by the next rule.
//! * Any other event without a name belongs to the last push that its user saw within the attribution window, else the
//!   last that was delivered, else the last that was sent, among the pushes whose goal it reaches. One event is never
//!   given to two pushes.
//! * Revenue is the value of purchases. A purchase that reaches a push's goal is that push's; any other belongs to the last
//!   push that its user saw within the window, as above, whatever its goal.
//! * It reached the goal *directly* when the push was clicked or opened before, else the push *influenced* it.
//!
//! Which events reach the goal is the goal's own question, as the model behind the push was taught it: of a goal about
//! contents, an event on the pushed content; of a goal about campaigns, an event that names the campaign; of a goal
//! about users, any event it takes, unless it names another campaign. An event that names the decision need not repeat
//! what it is about, but must not contradict it. A goal that is reached by doing nothing (churn) is reached by no event.

use std::collections::{BTreeMap, HashMap};

use super::decided::Decided;
use domain::event::{
    Meaning, PushStage, SENT, StandardEvent, is_own, is_push, is_push_side, meaning_of, stage_of,
};
use domain::goal::{Goal, Unit};
use domain::time::{DAY, Instant};

/// After so long no device shows a push any more.
const LONGEST_WAIT: i64 = 28 * DAY;

/// An event as attribution sees it. Events of a user come in order of time, and at one instant by [`rank`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeedbackEvent<'a> {
    /// Who.
    pub user_id: &'a str,
    /// Name of the event.
    pub name: &'a str,
    /// When.
    pub at: Instant,
    /// The decision it names.
    pub decision_id: Option<&'a str>,
    /// The campaign it names.
    pub campaign_id: Option<&'a str>,
    /// The content it names.
    pub content_id: Option<&'a str>,
    /// Its value, such as money.
    pub value: Option<f64>,
}

/// How a push had to do with its goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribution {
    /// It was only seen, delivered or sent before.
    Influenced,
    /// It was clicked or opened before.
    Direct,
}

impl Attribution {
    /// The word used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Attribution::Influenced => "influenced",
            Attribution::Direct => "direct",
        }
    }
}

/// What became of a decision. Of several events of one kind the first counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DecisionOutcome {
    /// It left for the channel.
    pub sent_at: Option<Instant>,
    /// It reached a device.
    pub delivered_at: Option<Instant>,
    /// It was shown.
    pub displayed_at: Option<Instant>,
    /// The app was opened with it.
    pub opened_at: Option<Instant>,
    /// It was tapped.
    pub clicked_at: Option<Instant>,
    /// It was wiped away.
    pub dismissed_at: Option<Instant>,
    /// The channel refused it.
    pub failed_at: Option<Instant>,
    /// The user wanted no more.
    pub opted_out_at: Option<Instant>,
    /// The goal was first reached.
    pub goal_at: Option<Instant>,
    /// Events that reached the goal.
    pub goal_events: i64,
    /// Sum of their values in 1e-6; `None` when none had any.
    pub goal_value_micros: Option<i64>,
    /// Purchases that belong to it, whatever its goal.
    pub purchases: i64,
    /// Sum of their values in 1e-6; `None` when none had any.
    pub revenue_micros: Option<i64>,
    /// How the push had to do with it: directly, when it was so for any of these events.
    pub attribution: Option<Attribution>,
    /// Did the user reach the goal within the window after the decision, whoever caused it, on whatever content? Asked of
    /// decisions that send nothing as well, so that users who are held out can be compared.
    pub goal_in_window: bool,
}

impl DecisionOutcome {
    /// When the user first saw it, so far as somebody said so.
    pub fn seen_at(&self) -> Option<Instant> {
        let signs = [self.displayed_at, self.opened_at, self.clicked_at, self.dismissed_at];
        signs.into_iter().flatten().min()
    }

    /// Did it reach a device? What was seen did.
    pub fn was_delivered(&self) -> bool {
        self.delivered_at.is_some() || self.seen_at().is_some()
    }

    /// Did it leave? What was delivered did.
    pub fn was_sent(&self) -> bool {
        self.sent_at.is_some() || self.was_delivered()
    }

    /// 1 when the goal was reached.
    pub fn reward(&self) -> i32 {
        i32::from(self.goal_at.is_some())
    }

    /// How near it came to the user, and when; `None` when it did not leave.
    fn touch(&self) -> Option<(Nearness, Instant)> {
        let is_lost = self.failed_at.is_some();
        let seen = self.seen_at().map(|at| (Nearness::Seen, at));
        let delivered = || self.delivered_at.map(|at| (Nearness::Delivered, at));
        let sent = || self.sent_at.filter(|_| !is_lost).map(|at| (Nearness::Sent, at));
        seen.or_else(delivered).or_else(sent)
    }

    /// Keeps the moment of a push event, if it is the first of its kind.
    fn stamp(&mut self, name: &str, at: Instant) {
        let moment = match meaning_of(name) {
            Some(Meaning::Push(PushStage::Sent)) => &mut self.sent_at,
            Some(Meaning::Push(PushStage::Delivered)) => &mut self.delivered_at,
            Some(Meaning::Push(PushStage::Displayed)) => &mut self.displayed_at,
            Some(Meaning::Push(PushStage::Opened)) => &mut self.opened_at,
            Some(Meaning::Push(PushStage::Clicked)) => &mut self.clicked_at,
            Some(Meaning::Push(PushStage::Dismissed)) => &mut self.dismissed_at,
            Some(Meaning::Push(PushStage::Failed)) => &mut self.failed_at,
            Some(Meaning::Push(PushStage::OptedOut) | Meaning::Withdrawal) => &mut self.opted_out_at,
            Some(Meaning::OwnAct | Meaning::Targeting | Meaning::Other) | None => return,
        };
        moment.get_or_insert(at);
    }

    fn reach(&mut self, event: &FeedbackEvent) {
        let is_direct = self.clicked_at.is_some() || self.opened_at.is_some();
        let how = if is_direct { Attribution::Direct } else { Attribution::Influenced };
        self.goal_at.get_or_insert(event.at);
        self.goal_events += 1;
        self.attribution = self.attribution.max(Some(how));
        add_value(&mut self.goal_value_micros, event.value);
    }

    fn buy(&mut self, event: &FeedbackEvent) {
        self.purchases += 1;
        add_value(&mut self.revenue_micros, event.value);
    }
}

/// Adds to a sum in 1e-6.
fn add_value(sum: &mut Option<i64>, value: Option<f64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or_default().saturating_add((value * 1e6).round() as i64));
    }
}

/// How near a push came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Sent,
    Delivered,
    Seen,
}

/// Events that nobody's outcome holds though they look as if one should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Strays {
    /// They name a decision that is unknown, erased, another user's, or sends nothing.
    pub unknown_decision: u64,
    /// They name a decision that was made after them.
    pub before_decision: u64,
    /// Push events that name no decision, of a user whom no push of ours was due for.
    pub unclaimed_push: u64,
}

/// Takes events in order of time and gives each to the push it belongs to.
#[derive(Debug)]
pub struct Attributor<'a> {
    decisions: &'a [Decided],
    goals: &'a BTreeMap<String, Goal>,
    window: i64,
    of_id: HashMap<&'a str, usize>,
    /// Each user's decisions, oldest first.
    of_user: HashMap<&'a str, Vec<usize>>,
    /// Those that send.
    sends_of_user: HashMap<&'a str, Vec<usize>>,
    outcomes: Vec<DecisionOutcome>,
    strays: Strays,
}

/// At one instant pushes come before what they cause, and each stage before the next.
pub fn rank(name: &str) -> u8 {
    match stage_of(name) {
        Some(stage) if stage <= PushStage::Clicked => stage as u8,
        _ => PushStage::Clicked as u8 + 1 + u8::from(is_own(name)),
    }
}

impl<'a> Attributor<'a> {
    /// Begins with decisions to which nothing has happened yet; `window` in microseconds.
    pub fn new(decisions: &'a [Decided], goals: &'a BTreeMap<String, Goal>, window: i64) -> Attributor<'a> {
        let mut order: Vec<usize> = (0..decisions.len()).collect();
        order.sort_unstable_by_key(|index| (decisions[*index].decided_at, &decisions[*index].decision_id));
        let mut of_user: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut sends_of_user: HashMap<&str, Vec<usize>> = HashMap::new();
        for index in order {
            let decided = &decisions[index];
            of_user.entry(&decided.user_id).or_default().push(index);
            if decided.is_send() {
                sends_of_user.entry(&decided.user_id).or_default().push(index);
            }
        }
        let ids = decisions.iter().enumerate();
        let of_id = ids.map(|(index, decided)| (decided.decision_id.as_str(), index)).collect();
        let outcomes = vec![DecisionOutcome::default(); decisions.len()];
        let strays = Strays::default();
        Attributor { decisions, goals, window, of_id, of_user, sends_of_user, outcomes, strays }
    }

    /// Can an event of this user, or one that names a decision, matter?
    pub fn is_concerned(&self, user_id: &str, decision_id: Option<&str>) -> bool {
        decision_id.is_some() || self.of_user.contains_key(user_id)
    }

    /// Gives an event to the push it belongs to.
    pub fn absorb(&mut self, event: &FeedbackEvent) {
        self.note_goal_in_window(event);
        let owner = match event.decision_id {
            Some(decision_id) => self.named(decision_id, event),
            None if is_push(event.name) => self.newest_push(event),
            None if is_push_side(event.name) => None,
            None => self.last_touch(event, |push| {
                self.goals.get(&push.goal).is_some_and(|goal| reaches(push, goal, event))
            }),
        };
        if event.decision_id.is_none() && meaning_of(event.name) == Some(Meaning::Withdrawal) {
            self.opt_out(event);
        }
        if StandardEvent::Purchase.is(event.name) {
            let last = || self.last_touch(event, |_| true).filter(|_| event.decision_id.is_none());
            if let Some(index) = owner.or_else(last) {
                self.outcomes[index].buy(event);
            }
        }
        let Some(index) = owner else { return };
        let (push, outcome) = (&self.decisions[index], &mut self.outcomes[index]);
        outcome.stamp(event.name, event.at);
        // A push event may be the goal too.
        if self.goals.get(&push.goal).is_some_and(|goal| confirms(push, goal, event)) {
            outcome.reach(event);
        }
    }

    /// One outcome for each decision, in their order, and what was left over.
    pub fn finish(self) -> (Vec<DecisionOutcome>, Strays) {
        (self.outcomes, self.strays)
    }

    /// The push that the event names.
    fn named(&mut self, decision_id: &str, event: &FeedbackEvent) -> Option<usize> {
        let known = self.of_id.get(decision_id).copied();
        let own = known.filter(|index| {
            let push = &self.decisions[*index];
            push.user_id == event.user_id && push.is_send()
        });
        match own {
            None => self.strays.unknown_decision += 1,
            Some(index) if event.at < self.decisions[index].decided_at => self.strays.before_decision += 1,
            Some(_) => return own,
        }
        None
    }

    /// The newest push that was due by then and is what the event says; those that went out first.
    fn newest_push(&mut self, event: &FeedbackEvent) -> Option<usize> {
        let fits =
            |said: Option<&str>, own: &Option<String>| said.is_none_or(|id| own.as_deref() == Some(id));
        let is_due = |index: &usize| {
            let push = &self.decisions[*index];
            let age = push.send_at.map(|at| event.at.micros().saturating_sub(at.micros()));
            age.is_some_and(|age| (0..LONGEST_WAIT).contains(&age))
                && fits(event.campaign_id, &push.campaign_id)
                && fits(event.content_id, &push.content_id)
        };
        let mine = self.sends_of_user.get(event.user_id).into_iter().flatten().copied();
        let newest = mine.filter(is_due).max_by_key(|index| {
            let (push, is_first) = (&self.decisions[*index], event.name == SENT);
            let went_out = !is_first && self.outcomes[*index].sent_at.is_some();
            (went_out, push.send_at, push.decided_at, &push.decision_id)
        });
        self.strays.unclaimed_push += u64::from(newest.is_none());
        newest
    }

    /// The push that came nearest to the user within the window, the last of equals, among those asked for.
    fn last_touch(&self, event: &FeedbackEvent, is_asked: impl Fn(&Decided) -> bool) -> Option<usize> {
        let mine = self.sends_of_user.get(event.user_id).into_iter().flatten().copied();
        let touched = mine.filter_map(|index| {
            let (nearness, at) = self.outcomes[index].touch()?;
            let is_within = event.at.micros().saturating_sub(at.micros()) < self.window;
            let push = &self.decisions[index];
            let key = (nearness, at, push.decided_at, &push.decision_id);
            (is_within && is_asked(push)).then_some((key, index))
        });
        touched.max().map(|(_, index)| index)
    }

    /// Whoever turns notifications off does so for the last push he saw, whatever its goal.
    fn opt_out(&mut self, event: &FeedbackEvent) {
        if let Some(index) = self.last_touch(event, |_| true) {
            self.outcomes[index].stamp(event.name, event.at);
        }
    }

    /// Marks the user's decisions whose window the event falls into and whose goal it reaches.
    fn note_goal_in_window(&mut self, event: &FeedbackEvent) {
        let Some(mine) = self.of_user.get(event.user_id) else { return };
        let first = event.at.plus(-self.window);
        let from = mine.partition_point(|index| self.decisions[*index].decided_at <= first);
        let until = mine.partition_point(|index| self.decisions[*index].decided_at <= event.at);
        for index in &mine[from.min(until)..until] {
            let decided = &self.decisions[*index];
            let is_of_campaign =
                || event.campaign_id.is_some() && event.campaign_id == decided.campaign_id.as_deref();
            let counts = |goal: &Goal| {
                !goal.absent
                    && goal.takes(event.name)
                    && (goal.unit != Unit::UserCampaign || is_of_campaign())
            };
            self.outcomes[*index].goal_in_window |= self.goals.get(&decided.goal).is_some_and(counts);
        }
    }
}

/// Does an event that names no decision reach the goal of a push?
fn reaches(push: &Decided, goal: &Goal, event: &FeedbackEvent) -> bool {
    let is_same = |said: Option<&str>, own: &Option<String>| said.is_some() && said == own.as_deref();
    let about = match goal.unit {
        Unit::UserContent => is_same(event.content_id, &push.content_id),
        Unit::UserCampaign => is_same(event.campaign_id, &push.campaign_id),
        Unit::UserDay => true,
    };
    about && confirms(push, goal, event)
}

/// Does an event that is known to belong to a push reach its goal? It need not say what it is about again.
fn confirms(push: &Decided, goal: &Goal, event: &FeedbackEvent) -> bool {
    let fits = |said: Option<&str>, own: &Option<String>| said.is_none() || said == own.as_deref();
    let about = goal.unit != Unit::UserContent || fits(event.content_id, &push.content_id);
    about && fits(event.campaign_id, &push.campaign_id) && !goal.absent && goal.takes(event.name)
}
