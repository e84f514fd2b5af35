//! Made-up situations for decisions: plain ones to start from, and random ones.

use std::collections::BTreeMap;

use decisions::context::{ChannelContext, ContentContext, DecisionContext, FORMAT, PastSend};
use decisions::scorer::{Contribution, Scorer};
use domain::campaign::{Campaign, CampaignStatus};
use domain::content::{Content, MessageClass, Variant};
use domain::device::Device;
use domain::frequency::{FrequencyRule, FrequencyWindow};
use domain::settings::{ConsentWhenUnknown, DecisionSettings, Exploration, VendorQuota};
use domain::time::{HOUR, Instant, MINUTE};
use domain::user::{Consent, QuietHours, User};

pub use super::clock::{instant, minute};

/// Nothing is held out, nothing is quiet, nothing costs anything.
pub fn settings() -> DecisionSettings {
    DecisionSettings {
        goal: "engage_24h".into(),
        channel: "push".into(),
        horizon_hours: 24,
        most_contents: 100,
        consent_when_unknown: ConsentWhenUnknown::Deny,
        max_per_day: 2,
        service_bypasses_caps: true,
        service_counts_toward_caps: false,
        minimum_gap_minutes: 0,
        frequency_rules: Vec::new(),
        vendor_quota: VendorQuota {
            vendors: vec!["huawei".into(), "xiaomi".into()],
            per_day: 2,
            by_category: BTreeMap::from([("news".to_string(), 5)]),
            time_zone: "Asia/Shanghai".into(),
        },
        repeat_sleep_hours: 24,
        repeat_half_life_hours: 72.0,
        cold_start_evidence: 5.0,
        cold_start_sends: 1_000,
        default_locale: "en".into(),
        quiet_from: String::new(),
        quiet_until: String::new(),
        holdout_percent: 0.0,
        goal_value: 1.0,
        opt_out_cost: 0.0,
        opt_out_probability: 0.0,
        fatigue_price: 0.0,
        channel_cost: 0.0,
        exploration: Exploration::Uniform,
        exploration_percent: 0.0,
        exploration_temperature: 0.01,
        exploration_most_per_day: 1_000,
        ttl_seconds: 14_400,
        seed: 1,
    }
}

/// Ann of New York agreed to be pushed; there is nothing to push yet.
pub fn context(now: &str) -> DecisionContext {
    DecisionContext {
        format: FORMAT,
        decision_id: "decision-1".into(),
        send_id: "send-1".into(),
        occurrence: "2026-06-10".into(),
        now: instant(now),
        clock_trusted: true,
        horizon_hours: 24,
        user: User {
            user_id: "ann".into(),
            known: true,
            consent: Consent::Granted,
            time_zone: Some("America/New_York".into()),
            personalisation: true,
            ..User::default()
        },
        campaign: None,
        audience: None,
        channels: vec![channel("push", 0.0)],
        campaign_sends: 0,
        explored_today: 0,
        contents: Vec::new(),
        user_inputs: Vec::new(),
        curve: vec![1.0 / 168.0; 168],
        sends: Vec::new(),
        planned: Vec::new(),
        plan: None,
        settings: settings(),
        fatigue_half_life_days: 3.0,
        fallback: Vec::new(),
        versions: BTreeMap::from([("model".to_string(), "0123456789ab".to_string())]),
    }
}

/// A content whose only input is its logit.
pub fn content(content_id: &str, logit: f64) -> ContentContext {
    let variants = vec![Variant::of_title(content_id.into())];
    let content = Content { content_id: content_id.into(), variants, ..Content::default() };
    ContentContext {
        content,
        evidence: 100.0,
        sent: 0,
        content_inputs: vec![logit],
        pair_inputs: Vec::new(),
        prior: None,
    }
}

/// A channel that is set up.
pub fn channel(name: &str, cost: f64) -> ChannelContext {
    ChannelContext { name: name.into(), cost: Some(cost) }
}

/// A logistic model with fixed weights that look random.
pub struct LinearScorer {
    pub user: Vec<f64>,
    pub content: Vec<f64>,
    pub pair: Vec<f64>,
}

impl LinearScorer {
    pub fn new(user: usize, content: usize, pair: usize) -> LinearScorer {
        let mut random = Random(7);
        let mut weights = |count: usize| (0..count).map(|_| random.between(-0.5, 0.5)).collect();
        LinearScorer { user: weights(user), content: weights(content), pair: weights(pair) }
    }
}

fn dot(weights: &[f64], inputs: &[f64]) -> f64 {
    weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum()
}

impl Scorer for LinearScorer {
    fn user(&self, inputs: &[f64]) -> f64 {
        dot(&self.user, inputs) - 3.0
    }

    fn content(&self, inputs: &[f64]) -> f64 {
        dot(&self.content, inputs)
    }

    fn pair(&self, inputs: &[f64]) -> f64 {
        dot(&self.pair, inputs)
    }

    fn time(&self, activity: f64) -> f64 {
        0.4 * activity
    }

    fn probability(&self, logit: f64) -> f64 {
        1.0 / (1.0 + libm::exp(-logit))
    }

    fn contributions(&self, user: &[f64], content: &[f64], pair: &[f64], activity: f64) -> Vec<Contribution> {
        let one = |input: String, value, contribution| Contribution { input, value, contribution };
        let block = |name: &'static str, weights: &[f64], inputs: &[f64]| -> Vec<Contribution> {
            let pairs = weights.iter().zip(inputs).enumerate();
            pairs.map(|(at, (weight, input))| one(format!("{name}.{at}"), *input, weight * input)).collect()
        };
        let intercept = vec![one("intercept".into(), 1.0, -3.0)];
        let time = vec![one("time.activity".into(), activity, self.time(activity))];
        let blocks = [
            intercept,
            block("user", &self.user, user),
            block("content", &self.content, content),
            block("pair", &self.pair, pair),
            time,
        ];
        blocks.concat()
    }
}

/// Numbers from a seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    /// Something, one time in so many.
    pub fn maybe<T>(&mut self, count: u64, make: impl FnOnce(&mut Random) -> T) -> Option<T> {
        self.one_in(count).then(|| make(self))
    }
}

/// Zones whose clocks do something odd, and moments at which they do.
const MOMENTS: [(&str, &str); 9] = [
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("America/Havana", "2026-03-08T05:00:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Asia/Kathmandu", "2026-06-10T12:15:00Z"),
    ("Asia/Shanghai", "2026-06-10T12:00:00Z"),
    ("Pacific/Kiritimati", "2026-12-31T10:00:00Z"),
];

/// A situation that might be real, with every rule at work now and then.
pub fn random_context(seed: u64) -> DecisionContext {
    let random = &mut Random(seed);
    let (zone, moment) = random.of(&MOMENTS);
    let mut context = context(moment);
    let shift = random.between(-30.0, 6.0) * HOUR as f64;
    context.now = context.now.plus(shift as i64);
    if random.one_in(2) {
        context.now = Instant::from_micros(context.now.micros() / MINUTE * MINUTE);
    }
    let now = context.now;
    context.horizon_hours = 1 + random.below(40) as u32;
    context.user = random_user(random, zone);
    context.clock_trusted = !random.one_in(20);
    context.campaign = random.maybe(2, |random| random_campaign(random, now));
    context.channels = random_channels(random);
    context.campaign_sends = random.below(3);
    context.explored_today = random.below(3) as u32;
    context.contents = (0..random.below(5)).map(|_| random_content(random, now)).collect();
    context.user_inputs = (0..3).map(|_| random.between(-1.0, 1.0)).collect();
    context.curve = random_curve(random);
    context.sends = (0..random.below(4)).map(|_| random_send(random, now)).collect();
    context.settings = random_settings(random);
    context.fallback = random.maybe(4, |_| "no_model".to_string()).into_iter().collect();
    context.fatigue_half_life_days = random.of(&[3.0, 3.0, 0.5, 30.0]);
    context
}

pub fn random_user(random: &mut Random, zone: &str) -> User {
    User {
        user_id: format!("user-{}", random.below(1_000)),
        known: true,
        consent: random.of(&[Consent::Granted, Consent::Granted, Consent::Granted, Consent::Unknown]),
        time_zone: if random.one_in(12) {
            random.of(&[None, Some("Mars".into())])
        } else {
            Some(zone.into())
        },
        locale: random.of(&[None, Some("en".into()), Some("zh-Hant-HK".into())]),
        quiet_hours: random.maybe(2, random_quiet),
        max_per_day: random.maybe(3, |random| random.below(3) as u32),
        muted_categories: random.maybe(3, |_| "sport".to_string()).into_iter().collect(),
        personalisation: true,
        country: random.of(&[None, Some("US".into()), Some("DE".into())]),
        devices: random.maybe(4, random_devices),
        fields: random.maybe(2, |_| "first_name".to_string()).into_iter().collect(),
        unreadable_preference: random.maybe(20, |_| "quiet_from".into()),
        ..User::default()
    }
}

pub fn random_channels(random: &mut Random) -> Vec<ChannelContext> {
    let push = channel("push", 0.0);
    let sms = channel("sms", random.between(0.0, 0.01));
    let fax = ChannelContext { name: "fax".into(), cost: None };
    random.of(&[
        vec![push.clone()],
        vec![push.clone()],
        vec![push.clone()],
        vec![push.clone()],
        vec![sms.clone(), push.clone()],
        vec![fax.clone(), push, sms],
        vec![fax],
    ])
}

fn random_devices(random: &mut Random) -> Vec<Device> {
    let one = |random: &mut Random| Device {
        device_id: "device".into(),
        channel: random.of(&["push", "push", "sms"]).into(),
        vendor: random.of(&[None, Some("huawei".into()), Some("apple".into())]),
        active: !random.one_in(4),
    };
    (0..random.below(3)).map(|_| one(random)).collect()
}

/// A frequency rule of any kind.
pub fn random_rule(random: &mut Random) -> FrequencyRule {
    let days = FrequencyWindow::CalendarDays(1 + random.below(3) as u32);
    let hours = FrequencyWindow::RollingHours(1 + random.below(48) as u32);
    FrequencyRule {
        most: if random.one_in(12) { 0 } else { 1 + random.below(3) as u32 },
        window: random.of(&[days, hours]),
        channel: random.maybe(4, |random| random.of(&["push", "sms"]).into()),
        campaign_tag: random.maybe(4, |_| "promo".into()),
        message_class: random.maybe(4, |random| random.of(&[MessageClass::Marketing, MessageClass::Service])),
        service_bypasses: random.one_in(2),
        service_counts: random.one_in(2),
    }
}

fn random_rules(random: &mut Random) -> Vec<FrequencyRule> {
    let count = random.of(&[0, 0, 0, 1, 2]);
    (0..count).map(|_| random_rule(random)).collect()
}

fn random_quiet(random: &mut Random) -> QuietHours {
    let mut end = || {
        let minutes = random.below(1_440);
        minute(&format!("{:02}:{:02}", minutes / 60, minutes % 60))
    };
    QuietHours { from: end(), until: end() }
}

fn near(random: &mut Random, now: Instant, hours: f64) -> Instant {
    now.plus((random.between(-hours, hours) * HOUR as f64) as i64)
}

pub fn random_campaign(random: &mut Random, now: Instant) -> Campaign {
    let statuses = [CampaignStatus::Running, CampaignStatus::Running, CampaignStatus::Scheduled];
    Campaign {
        campaign_id: "campaign-1".into(),
        tags: random.maybe(2, |_| "promo".to_string()).into_iter().collect(),
        quiet_hours: random.maybe(4, random_quiet),
        frequency_rules: random_rules(random),
        max_sends: random.maybe(16, |random| random.below(3)),
        lead_minutes: random.of(&[0, 0, 90]),
        exploration_percent: random.maybe(3, |random| random.between(0.0, 100.0)),
        unreadable: random.maybe(40, |_| "frequency_rules".into()),
        window_start: random.maybe(2, |random| near(random, now, 30.0)),
        window_end: random.maybe(2, |random| near(random, now, 30.0)),
        priority: random.between(0.0, 3.0),
        holdout_percent: random.of(&[0.0, 0.0, 20.0]),
        status: if random.one_in(10) { CampaignStatus::Paused } else { random.of(&statuses) },
        ..Campaign::default()
    }
}

/// A content that comes and goes around a moment.
pub fn random_content(random: &mut Random, now: Instant) -> ContentContext {
    let content = Content {
        content_id: format!("content-{}", random.below(6)),
        category: random.of(&[None, Some("sport".into()), Some("food".into())]),
        published_at: random.maybe(3, |random| near(random, now, 30.0)),
        expires_at: random.maybe(3, |random| near(random, now, 30.0)),
        message_class: random.of(&[MessageClass::Marketing, MessageClass::Service]),
        variants: random_variants(random),
        countries: random.maybe(8, |_| "US".to_string()).into_iter().collect(),
        vendor_category: random.maybe(3, |_| "news".into()),
        ttl_seconds: random.maybe(3, |random| random.below(90_000) as u32),
        unreadable: random.maybe(20, |_| "variants".to_string()).into_iter().collect(),
        ..Content::default()
    };
    let mut inputs = || (0..2).map(|_| random.between(-2.0, 2.0)).collect();
    let (content_inputs, pair_inputs) = (inputs(), inputs());
    let evidence = random.between(0.0, 40.0);
    ContentContext { content, evidence, sent: random.below(2_000), content_inputs, pair_inputs, prior: None }
}

fn random_variants(random: &mut Random) -> Vec<Variant> {
    let mut all =
        random.of(&[Vec::new(), variants(&["en", "zh", ""]), variants(&["zh"]), variants(&["", "", "de"])]);
    for variant in &mut all {
        variant.needs = random.maybe(4, |_| "first_name".to_string()).into_iter().collect();
    }
    all
}

/// Variants in these locales, each named after its own; `""` has none.
pub fn variants(locales: &[&str]) -> Vec<Variant> {
    let one = |locale: &&str| Variant {
        variant_id: if locale.is_empty() { "neutral".into() } else { format!("in-{locale}") },
        locale: (!locale.is_empty()).then(|| locale.to_string()),
        title: "Milk".into(),
        ..Variant::default()
    };
    locales.iter().map(one).collect()
}

pub fn random_curve(random: &mut Random) -> Vec<f64> {
    let shares: Vec<f64> = (0..168).map(|_| random.between(0.0, 1.0)).collect();
    let sum: f64 = shares.iter().sum();
    let usable = shares.into_iter().map(|share| share / sum).collect();
    if random.one_in(6) { random.of(&[Vec::new(), vec![0.5; 24], vec![0.0; 168]]) } else { usable }
}

pub fn random_send(random: &mut Random, now: Instant) -> PastSend {
    let mut send = past_send(&now.plus((random.between(-60.0, 1.0) * HOUR as f64) as i64).to_string());
    send.content_id = random.maybe(2, |random| format!("content-{}", random.below(6)));
    send.channel = random.of(&[None, Some("push".into()), Some("sms".into())]);
    send.campaign_tags = random.maybe(2, |_| "promo".to_string()).into_iter().collect();
    send.message_class =
        random.of(&[MessageClass::Marketing, MessageClass::Marketing, MessageClass::Service]);
    send
}

/// A push that went out, whatever it was.
pub fn past_send(at: &str) -> PastSend {
    PastSend {
        at: instant(at),
        campaign_id: None,
        content_id: None,
        channel: None,
        campaign_tags: Vec::new(),
        message_class: MessageClass::Marketing,
    }
}

pub fn random_settings(random: &mut Random) -> DecisionSettings {
    let quiet = random.one_in(3);
    DecisionSettings {
        consent_when_unknown: random.of(&[ConsentWhenUnknown::Deny, ConsentWhenUnknown::Allow]),
        max_per_day: random.below(4) as u32,
        quiet_from: if quiet { "21:30".into() } else { String::new() },
        quiet_until: if quiet { "07:15".into() } else { String::new() },
        holdout_percent: random.of(&[0.0, 0.0, 10.0]),
        service_bypasses_caps: random.one_in(2),
        service_counts_toward_caps: random.one_in(2),
        minimum_gap_minutes: random.of(&[0, 45, 900]),
        frequency_rules: random_rules(random),
        repeat_sleep_hours: random.of(&[0, 12, 48]),
        repeat_half_life_hours: random.of(&[0.0, 5.0, 72.0]),
        exploration: random.of(&[Exploration::Uniform, Exploration::Softmax]),
        exploration_percent: random.of(&[0.0, 0.0, 30.0]),
        exploration_most_per_day: 2,
        opt_out_cost: random.between(0.0, 20.0),
        opt_out_probability: random.between(0.0, 0.003),
        fatigue_price: random.between(0.0, 0.02),
        channel_cost: random.between(0.0, 0.01),
        seed: random.below(5),
        ..settings()
    }
}
