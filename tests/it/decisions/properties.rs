//! What holds for every decision, tried on random situations against a naive reading of the rules.

use std::collections::BTreeMap;

use decisions::context::{ChannelContext, ContentContext, DecisionContext, Planned};
use decisions::prospect::prospects;
use decisions::scorer::{Contribution, PopularityScorer, Scorer, at_hour};
use decisions::{allowed_arms, decide, explanation};
use domain::campaign::{Campaign, CampaignStatus};
use domain::content::Variant;
use domain::decision::{Action, Decision};
use domain::settings::Exploration;
use domain::time::{HOUR, Instant, MINUTE};
use proptest::prelude::*;

use super::oracle::{Oracle, Slot};
use super::world::{LinearScorer, Random, channel, content, context, random_content, random_context};

fn scorer() -> LinearScorer {
    LinearScorer::new(3, 2, 2)
}

/// A linear scorer whose probabilities come in steps, as an isotonic calibration gives them.
struct Steps(LinearScorer);

impl Scorer for Steps {
    fn user(&self, inputs: &[f64]) -> f64 {
        self.0.user(inputs)
    }

    fn content(&self, inputs: &[f64]) -> f64 {
        self.0.content(inputs)
    }

    fn pair(&self, inputs: &[f64]) -> f64 {
        self.0.pair(inputs)
    }

    fn time(&self, activity: f64) -> f64 {
        self.0.time(activity)
    }

    fn probability(&self, logit: f64) -> f64 {
        (self.0.probability(logit) * 50.0).floor() / 50.0
    }

    fn contributions(&self, user: &[f64], content: &[f64], pair: &[f64], time: f64) -> Vec<Contribution> {
        self.0.contributions(user, content, pair, time)
    }
}

/// Forty contents of random situations at the same moment.
fn crowd(random: &mut Random, context: &DecisionContext) -> Vec<ContentContext> {
    let one = |index| {
        let mut one = random_content(random, context.now);
        one.content.content_id = format!("content-{index}");
        one
    };
    (0..40).map(one).collect()
}

/// Something that could be sent within the horizon.
struct Possible<'a> {
    content: &'a ContentContext,
    channel: &'a ChannelContext,
    slot: Slot,
    value: f64,
}

/// Everything that could be sent within the horizon: content, channel, slot, and its value at the slot's first instant.
fn arms<'a>(oracle: &Oracle<'a>, context: &'a DecisionContext, scorer: &impl Scorer) -> Vec<Possible<'a>> {
    let mut starts: BTreeMap<Slot, Instant> = BTreeMap::new();
    let mut allowed: BTreeMap<(usize, usize, Slot), ()> = BTreeMap::new();
    let contents = oracle.contents();
    for at in oracle.minutes(i64::from(context.horizon_hours.clamp(1, 168))) {
        let slot = oracle.slot(at);
        starts.entry(slot).or_insert(at);
        for (index, content) in contents.iter().enumerate() {
            for (position, channel) in context.channels.iter().enumerate() {
                if oracle.is_allowed(content, channel, at) {
                    allowed.insert((index, position, slot), ());
                }
            }
        }
    }
    let possible = |(index, position, slot): (usize, usize, Slot)| {
        let (content, channel) = (contents[index], &context.channels[position]);
        Possible { content, channel, slot, value: oracle.value(scorer, content, channel, starts[&slot]) }
    };
    allowed.into_keys().map(possible).collect()
}

fn check_send(context: &DecisionContext, decision: &Decision, oracle: &Oracle) {
    let (send_at, expires_at) = (decision.send_at.unwrap(), decision.expires_at.unwrap());
    let id = decision.content_id.as_ref().unwrap();
    let chosen = oracle.contents().into_iter().find(|one| one.content.content_id == *id).unwrap();
    assert!(oracle.is_user_allowed() && !decision.holdout);
    assert!(context.now <= send_at && send_at < context.now.plus(i64::from(context.horizon_hours) * HOUR));
    let over = decision.channel.as_ref().unwrap();
    let channel = context.channels.iter().find(|channel| channel.name == *over).unwrap();
    assert!(oracle.is_allowed(chosen, channel, send_at), "{id} over {over} at {send_at}");
    assert!(send_at == context.now || send_at.micros() % MINUTE == 0, "second 0 unless it is now");
    assert!(send_at < expires_at);
    let last = expires_at.plus(-1);
    let mut shown =
        (0..).map(|minute| send_at.plus(minute * MINUTE)).take_while(|at| *at <= last).chain([last]);
    let class = chosen.content.message_class;
    assert!(shown.all(|at| !oracle.is_quiet(class, at)), "it might be shown in quiet hours");
    let ttl = chosen.content.ttl_seconds.unwrap_or(context.settings.ttl_seconds).max(1);
    assert!(expires_at <= send_at.plus(i64::from(ttl) * 1_000_000));
    assert!(chosen.content.expires_at.is_none_or(|end| expires_at <= end));
    assert!(
        context
            .campaign
            .as_ref()
            .and_then(|campaign| campaign.window_end)
            .is_none_or(|end| expires_at <= end)
    );
    let arms = arms(oracle, context, &scorer());
    let best = arms.iter().map(|arm| arm.value).fold(f64::MIN, f64::max);
    let is_own = |arm: &&Possible| {
        arm.content.content.content_id == *id && arm.slot == oracle.slot(send_at) && arm.channel.name == *over
    };
    let own = arms.iter().find(is_own).unwrap();
    assert!(decision.explored || own.value >= best - 1e-12, "{} is less than {best}", own.value);
    assert!(best > 0.0 && own.value > 0.0);
    assert!((decision.candidates[0].value - best).abs() < 1e-12);
    let probability = decision.action_probability.unwrap();
    assert!(0.0 < probability && probability <= 1.0 / oracle.variants(&chosen.content).max(1) as f64 + 1e-12);
    assert_eq!(decision.send_id.as_deref(), Some("send-1"));
}

fn check_refusal(context: &DecisionContext, decision: &Decision, oracle: &Oracle) {
    assert!(!decision.reasons.is_empty(), "refused without a reason");
    assert!(decision.send_id.is_none() && decision.send_at.is_none() && decision.content_id.is_none());
    assert!(decision.candidates.iter().all(|candidate| !candidate.refused_by.is_empty()));
    let subjects = ["user", "campaign:"];
    let is_of_user = |subject: &str| subjects.iter().any(|start| subject.starts_with(start));
    if decision.reasons.iter().any(|reason| is_of_user(&reason.subject)) {
        assert!(!oracle.is_user_allowed() || decision.holdout);
        return;
    }
    assert!(oracle.is_user_allowed());
    let best = arms(oracle, context, &scorer()).iter().map(|arm| arm.value).fold(f64::MIN, f64::max);
    assert!(best <= 0.0, "something worth {best} might have been sent: {:?}", decision.reasons);
}

fn check_waiting(context: &DecisionContext, decision: &Decision, oracle: &Oracle) {
    let contents = oracle.contents();
    let over = |candidate: &ContentContext, at: Instant| {
        context.channels.iter().any(|channel| oracle.is_allowed(candidate, channel, at))
    };
    let is_open = |at: Instant| contents.iter().any(|candidate| over(candidate, at));
    match decision.retry_at {
        Some(retry_at) => {
            assert!(context.now < retry_at && is_open(retry_at), "nothing may be sent at {retry_at}");
            let mut before = oracle.minutes(24 * 8).take_while(|at| *at < retry_at);
            assert!(before.all(|at| !is_open(at)), "waiting until {retry_at} is longer than need be");
        }
        None if decision.reasons.iter().any(|reason| reason.rule == "is_worth_sending") => {}
        None => assert!(oracle.minutes(24 * 4).all(|at| !is_open(at)), "waiting would help"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_send_breaks_a_rule_and_no_refusal_lacks_one(seed: u64) {
        let context = random_context(seed);
        let decision = decide(&context, &scorer());
        let oracle = Oracle::new(&context);
        match decision.action {
            Action::Send => check_send(&context, &decision, &oracle),
            _ => check_refusal(&context, &decision, &oracle),
        }
        if oracle.is_user_allowed() && !decision.holdout && decision.action != Action::Send {
            check_waiting(&context, &decision, &oracle);
        }
    }

    #[test]
    fn the_allowed_set_is_all_that_might_be_sent_and_its_probabilities_sum_to_one(seed: u64) {
        let context = random_context(seed);
        let decision = decide(&context, &scorer());
        let allowed = allowed_arms(&context, &scorer());
        prop_assert_eq!(allowed.is_empty(), decision.action != Action::Send);
        if decision.action == Action::Send {
            let sum: f64 = allowed.iter().map(|arm| arm.action_probability).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9, "{}", sum);
            let oracle = Oracle::new(&context);
            let arms = arms(&oracle, &context, &scorer());
            let worth = arms.iter().filter(|arm| arm.value > 0.0);
            let variants = worth.map(|arm| oracle.variants(&arm.content.content).max(1));
            prop_assert_eq!(allowed.len(), variants.sum::<usize>());
            let own = allowed.iter().rfind(|arm| {
                Some(&arm.content_id) == decision.content_id.as_ref()
                    && arm.variant_id == decision.variant_id
                    && Some(&arm.channel) == decision.channel.as_ref()
                    && arm.slot_start <= decision.send_at.unwrap()
            });
            prop_assert_eq!(own.map(|arm| arm.action_probability), decision.action_probability);
        }
    }

    #[test]
    fn the_same_context_gives_the_same_bytes_also_after_it_was_written_down(seed: u64) {
        let context = random_context(seed);
        let bytes = |context: &DecisionContext| serde_json::to_string(&decide(context, &scorer())).unwrap();
        let written = serde_json::to_string(&context).unwrap();
        let read: DecisionContext = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(&read, &context);
        prop_assert_eq!(bytes(&context), bytes(&context));
        prop_assert_eq!(bytes(&read), bytes(&context));
        let decision: Decision = serde_json::from_str(&bytes(&context)).unwrap();
        prop_assert_eq!(decision, decide(&context, &scorer()));
    }

    #[test]
    fn an_explanation_adds_up_and_is_written_in_both_languages(seed: u64) {
        let context = random_context(seed);
        let decision = decide(&context, &scorer());
        let explanation = explanation::explain(&context, &scorer(), &decision);
        prop_assert_eq!(explanation.arm.is_some(), !decision.candidates.is_empty());
        if let Some(arm) = &explanation.arm {
            let sum: f64 = explanation.contributions.iter().map(|one| one.contribution).sum();
            prop_assert!((sum - arm.raw_logit).abs() < 1e-9);
            prop_assert!(decision.response_probability.is_none_or(|p| p == arm.response_probability));
            prop_assert!(decision.explored || (decision.candidates[0].value - arm.value).abs() < 1e-12);
        }
        let sentences = &explanation.sentences;
        prop_assert_eq!(sentences.en.len(), sentences.zh.len());
        for sentence in sentences.en.iter().chain(&sentences.zh) {
            prop_assert!(!sentence.is_empty() && !sentence.contains(['{', '}']), "{}", sentence);
        }
    }
}

proptest! {
    // Each case values a hundred thousand arms.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_candidates_are_the_best_of_a_full_search(seed: u64) {
        let mut context = random_context(seed);
        context.contents = crowd(&mut Random(seed), &context);
        let scorer = Steps(scorer());
        let decision = decide(&context, &scorer);
        let oracle = Oracle::new(&context);
        let mut values: Vec<f64> = arms(&oracle, &context, &scorer).iter().map(|arm| arm.value).collect();
        values.sort_by(|one, other| other.total_cmp(one));
        values.truncate(5);
        let found: Vec<f64> = decision.candidates.iter().map(|candidate| candidate.value).collect();
        prop_assert!(values.is_empty() || found.len() == values.len());
        for (found, value) in found.iter().zip(&values) {
            prop_assert!((found - value).abs() < 1e-12, "{:?} against {:?}", found, values);
        }
    }
}

// ---- contexts that nobody should send ----

/// A scorer that answers anything.
struct Broken(f64);

impl Scorer for Broken {
    fn user(&self, inputs: &[f64]) -> f64 {
        inputs.first().copied().unwrap_or(self.0)
    }

    fn content(&self, inputs: &[f64]) -> f64 {
        inputs.first().copied().unwrap_or(self.0)
    }

    fn pair(&self, _: &[f64]) -> f64 {
        0.0
    }

    fn time(&self, activity: f64) -> f64 {
        activity * self.0
    }

    fn probability(&self, logit: f64) -> f64 {
        logit
    }

    fn contributions(&self, _: &[f64], _: &[f64], _: &[f64], _: f64) -> Vec<Contribution> {
        Vec::new()
    }
}

const NUMBERS: [f64; 9] =
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, -1.0, 0.0, 0.5, 1e300];
const INSTANTS: [i64; 7] =
    [i64::MIN, i64::MAX, 0, -1, i64::MAX / 2, 4_102_444_799_999_999, 946_684_800_000_000];

/// A sound number, or the worst there is.
fn or_worse(random: &mut Random, sound: f64) -> f64 {
    let worst = random.of(&NUMBERS);
    random.of(&[sound, worst])
}

/// A random situation with some of its parts replaced by the worst there is.
fn wild_context(seed: u64) -> DecisionContext {
    let mut context = random_context(seed);
    let random = &mut Random(!seed);
    let number = |random: &mut Random| random.of(&NUMBERS);
    let moment = |random: &mut Random| Some(Instant::from_micros(random.of(&INSTANTS)));
    if random.one_in(3) {
        context.now = Instant::from_micros(random.of(&INSTANTS));
    }
    context.horizon_hours = random.of(&[0, 1, 24, 10_000, u32::MAX]);
    context.channels = random.of(&[Vec::new(), vec![channel("", f64::NAN)], vec![channel("push", 0.0)]]);
    for candidate in &mut context.contents {
        candidate.content_inputs = random.of(&[Vec::new(), vec![0.3], vec![0.7]]);
        candidate.content_inputs.extend(random.maybe(3, number));
        candidate.content_inputs.reverse();
        candidate.content.expires_at = random.maybe(4, moment).flatten();
        candidate.content.published_at = random.maybe(4, moment).flatten();
        candidate.content.ttl_seconds = random.maybe(2, |random| random.of(&[0, 1, u32::MAX]));
    }
    context.user_inputs = random.maybe(3, number).into_iter().collect();
    if random.one_in(4) {
        context.curve = vec![number(random); random.of(&[0, 1, 167, 168, 169])];
    }
    if let Some(campaign) = &mut context.campaign {
        campaign.window_start = random.maybe(3, moment).flatten();
        campaign.window_end = random.maybe(3, moment).flatten();
        campaign.priority = number(random);
        campaign.holdout_percent = number(random);
    }
    for send in &mut context.sends {
        send.at = Instant::from_micros(random.of(&INSTANTS));
    }
    let settings = &mut context.settings;
    settings.goal_value = or_worse(random, 1.0);
    settings.opt_out_cost = or_worse(random, 0.0);
    settings.fatigue_price = or_worse(random, 0.0);
    settings.channel_cost = or_worse(random, 0.0);
    settings.quiet_from = random.of(&["".into(), "25:00".into(), "22:00".into()]);
    settings.ttl_seconds = random.of(&[0, 60, u32::MAX]);
    context
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn nothing_makes_a_decision_or_its_explanation_panic(seed: u64) {
        let context = wild_context(seed);
        let broken = Broken(Random(seed).of(&NUMBERS));
        let decision = decide(&context, &broken);
        explanation::explain(&context, &broken, &decision);
        prop_assert!(decision.action == Action::Send || !decision.reasons.is_empty());
        prop_assert!(decision.reasons.len() <= 40 && decision.candidates.len() <= 5);
        let written = serde_json::to_string(&decision).unwrap();
        let read: Decision = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(read, decision.clone());
        if decision.action == Action::Send {
            prop_assert!(context.now <= decision.send_at.unwrap());
            prop_assert!(decision.send_at < decision.expires_at);
            prop_assert!((0.0..=1.0).contains(&decision.response_probability.unwrap()));
        }
    }
}

#[test]
fn random_situations_meet_every_outcome() {
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..8_000 {
        let decision = decide(&random_context(seed), &scorer());
        *outcomes.entry(format!("{:?}", decision.action)).or_default() += 1;
        for reason in decision.reasons.into_iter().filter(|_| decision.action != Action::Send) {
            *outcomes.entry(reason.rule).or_default() += 1;
        }
    }
    println!("{outcomes:?}");
    let rare: Vec<_> = outcomes.iter().filter(|(_, count)| **count < 20).collect();
    assert!(rare.is_empty() && outcomes.len() >= 15, "the oracle sees too little of {rare:?}: {outcomes:?}");
}

/// Three contents, two channels, two hours: how often each arm is drawn over many users.
fn frequencies(method: Exploration) -> (Vec<f64>, Vec<f64>) {
    const USERS: u32 = 20_000;
    let mut expected: BTreeMap<String, f64> = BTreeMap::new();
    let mut observed: BTreeMap<String, f64> = BTreeMap::new();
    let name =
        |content: &str, channel: &str, at: Instant| format!("{content}/{channel}/{}", at.micros() / HOUR);
    for user in 0..USERS {
        let mut context = context("2026-06-10T16:00:00Z");
        context.user.user_id = format!("user-{user}");
        context.horizon_hours = 2;
        context.channels = vec![channel("push", 0.0), channel("email", 0.001)];
        context.contents = vec![content("bread", -3.0), content("cheese", -2.5), content("wine", -2.8)];
        context.settings.exploration = method;
        context.settings.exploration_percent = 60.0;
        context.settings.exploration_temperature = 0.02;
        for arm in allowed_arms(&context, &PopularityScorer) {
            let name = name(&arm.content_id, &arm.channel, arm.slot_start);
            *expected.entry(name).or_default() += arm.action_probability;
        }
        let decision = decide(&context, &PopularityScorer);
        let (content, over) = (decision.content_id.unwrap(), decision.channel.unwrap());
        *observed.entry(name(&content, &over, decision.send_at.unwrap())).or_default() += 1.0;
    }
    assert_eq!(expected.len(), 12);
    let observed = expected.keys().map(|name| observed.get(name).copied().unwrap_or_default()).collect();
    (expected.into_values().collect(), observed)
}

#[test]
fn arms_are_drawn_as_often_as_their_logged_probabilities_say() {
    for method in [Exploration::Uniform, Exploration::Softmax] {
        let (expected, observed) = frequencies(method);
        let chi_square: f64 = observed.iter().zip(&expected).map(|(n, e)| (n - e).powi(2) / e).sum();
        // 11 degrees of freedom: 31.3 is passed once in a thousand times.
        assert!(chi_square < 31.3, "{method:?}: {observed:?} against {expected:?}: {chi_square}");
        assert!(expected.iter().all(|count| *count > 100.0), "{method:?}: {expected:?}");
    }
}

/// Four contents of which one is planned, or none, drawn by softmax.
fn softmax_context(random: &mut Random, temperature: f64, goal_value: f64, planned: bool) -> DecisionContext {
    let mut context = context("2026-06-10T16:00:00Z");
    context.horizon_hours = 3;
    context.settings.exploration = Exploration::Softmax;
    context.settings.exploration_percent = 50.0;
    context.settings.exploration_temperature = temperature;
    context.settings.goal_value = goal_value;
    let one = |index| content(&format!("content-{index}"), random.between(-6.0, 2.0));
    context.contents = (0..4).map(one).collect();
    let content_id = format!("content-{}", random.below(4));
    let at = context.now.plus(HOUR);
    context.plan = planned.then(|| Planned::Send { content_id, channel: "push".into(), at });
    context
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn probabilities_are_finite_and_sum_to_1_however_small_the_temperature_and_large_the_values(
        seed: u64, temperature in -300..10_i32, worth in -290..301_i32, is_planned: bool
    ) {
        let (temperature, worth) = (10_f64.powi(temperature), 10_f64.powi(worth));
        let context = softmax_context(&mut Random(seed), temperature, worth, is_planned);
        let arms = allowed_arms(&context, &PopularityScorer);
        let sum: f64 = arms.iter().map(|arm| arm.action_probability).sum();
        prop_assert!((sum - 1.0).abs() < 1e-9, "{} of {} arms", sum, arms.len());
        prop_assert!(arms.iter().all(|arm| (0.0..=1.0).contains(&arm.action_probability)));
        let decision = decide(&context, &PopularityScorer);
        prop_assert!(decision.action_probability.is_some_and(|probability| 0.0 < probability));
    }
}

#[test]
fn where_nothing_overflows_probabilities_have_the_bits_of_the_plain_formula() {
    for (seed, is_planned) in (0..200).flat_map(|seed| [(seed, false), (seed, true)]) {
        let context = softmax_context(&mut Random(seed), 0.02, 1.0, is_planned);
        let arms = allowed_arms(&context, &PopularityScorer);
        let best = match &context.plan {
            Some(Planned::Send { content_id, .. }) => arms.iter().find(|arm| arm.content_id == *content_id),
            _ => arms.iter().max_by(|one, other| one.value.total_cmp(&other.value)),
        };
        let best = best.unwrap().value;
        let weights: Vec<f64> = arms.iter().map(|arm| libm::exp((arm.value - best) / 0.02)).collect();
        let sum: f64 = weights.iter().sum();
        let others = arms.iter().zip(&weights).filter(|(arm, _)| arm.value != best);
        for (arm, weight) in others {
            assert_eq!(arm.action_probability.to_bits(), (0.0 + 0.5 * (weight / sum)).to_bits());
        }
    }
}

#[test]
fn a_spent_budget_ends_exploration_and_asking_again_draws_the_same() {
    let mut context = context("2026-06-10T16:00:00Z");
    context.contents = vec![content("bread", -3.0), content("cheese", -2.5)];
    context.campaign = Some(Campaign {
        campaign_id: "spring".into(),
        status: CampaignStatus::Running,
        exploration_percent: Some(100.0),
        ..Campaign::default()
    });
    let ask = |context: &DecisionContext| decide(context, &PopularityScorer);
    assert!(ask(&context).explored);
    assert_eq!(ask(&context), ask(&context));
    let told = explanation::explain(&context, &PopularityScorer, &ask(&context));
    assert!(
        told.exploration.is_some_and(|explored| explored.expected_loss > 0.0 && explored.percent == 100.0)
    );
    context.explored_today = context.settings.exploration_most_per_day;
    let decision = ask(&context);
    assert!(!decision.explored && decision.action_probability == Some(1.0));
    assert_eq!(decision.content_id.as_deref(), Some("cheese"));
}

#[test]
fn variants_of_one_language_share_users_evenly() {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for user in 0..3_000 {
        let mut context = context("2026-06-10T16:00:00Z");
        context.user.user_id = format!("user-{user}");
        let mut cheese = content("cheese", -2.0);
        cheese.content.variants = ["a", "b", "c"]
            .map(|id| Variant {
                variant_id: id.into(),
                locale: Some("en".into()),
                title: "Cheese".into(),
                ..Variant::default()
            })
            .into();
        context.contents = vec![cheese];
        let decision = decide(&context, &PopularityScorer);
        assert_eq!(decision.action_probability, Some(1.0 / 3.0));
        assert_eq!(decision.candidates[0].variant_id, decision.variant_id);
        *counts.entry(decision.variant_id.unwrap()).or_default() += 1;
    }
    let chi_square: f64 = counts.values().map(|n| (f64::from(*n) - 1_000.0).powi(2) / 1_000.0).sum();
    assert!(counts.len() == 3 && chi_square < 13.8, "{counts:?}");
}

/// A scorer that calls all arms equally likely.
struct Same;

impl Scorer for Same {
    fn user(&self, _: &[f64]) -> f64 {
        0.0
    }

    fn content(&self, _: &[f64]) -> f64 {
        0.0
    }

    fn pair(&self, _: &[f64]) -> f64 {
        0.0
    }

    fn time(&self, _: f64) -> f64 {
        0.0
    }

    fn probability(&self, _: f64) -> f64 {
        0.1
    }

    fn contributions(&self, _: &[f64], _: &[f64], _: &[f64], _: f64) -> Vec<Contribution> {
        Vec::new()
    }
}

#[test]
fn hours_of_one_value_are_told_apart_by_the_users_activity_then_by_time() {
    let mut asked = context("2026-06-10T16:00:00Z");
    asked.contents = vec![content("cheese", 0.0)];
    let hour = |context: &DecisionContext| decide(context, &Same).send_at_local.unwrap()[11..13].to_string();
    assert_eq!(hour(&asked), "12", "every hour is as good: the first");
    asked.curve[2 * 24 + 17] = 0.02;
    assert_eq!(hour(&asked), "17");
    asked.format = 3;
    assert_eq!(hour(&asked), "12", "a record of an earlier build is decided as it was");
}

/// Steps below which everything is equal, as the floor of an isotonic calibration makes them; hours scale the odds.
struct Floor;

impl Scorer for Floor {
    fn user(&self, _: &[f64]) -> f64 {
        0.0
    }

    fn content(&self, inputs: &[f64]) -> f64 {
        inputs[0]
    }

    fn pair(&self, _: &[f64]) -> f64 {
        0.0
    }

    fn time(&self, activity: f64) -> f64 {
        activity
    }

    fn probability(&self, logit: f64) -> f64 {
        if logit < 0.0 { 0.02 } else { 0.5 }
    }

    fn arm_probability(&self, shift: f64, time: f64) -> f64 {
        at_hour(self.probability(shift), time)
    }

    fn contributions(&self, _: &[f64], _: &[f64], _: &[f64], _: f64) -> Vec<Contribution> {
        Vec::new()
    }
}

#[test]
fn on_the_floor_of_a_calibration_hours_differ_in_value_and_contents_in_order() {
    let mut asked = context("2026-06-10T16:00:00Z");
    asked.curve = (0..168).map(|hour| if hour % 24 == 18 { 0.03 } else { 0.005 }).collect();
    asked.contents = vec![content("worse", -5.0), content("better", -4.0)];
    let decision = decide(&asked, &Floor);
    assert_eq!(decision.content_id.as_deref(), Some("better"));
    assert!(decision.send_at_local.as_ref().unwrap().contains("T18:"));
    let explained = explanation::explain(&asked, &Floor, &decision);
    assert!(explained.second_best_slot.unwrap().behind > 0.01, "no hour ties with the best one");
    let plan = prospects(&asked, &Floor, 1);
    let best = plan.iter().max_by(|one, other| one.value.total_cmp(&other.value)).unwrap();
    assert_eq!(Some(best.hour_start.min(decision.send_at.unwrap())), Some(best.hour_start));
    assert!(decision.send_at.unwrap() < best.hour_start.plus(HOUR), "a plan wants the same hour");
}
