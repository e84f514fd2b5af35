//! How long one decision takes: a user, 100 contents, 24 send slots, a logistic model of 50 + 12 + 12 inputs.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use smartpush::config::Config;
use smartpush::decisions::context::{ChannelContext, ContentContext, DecisionContext, FORMAT, PastSend};
use smartpush::decisions::decide;
use smartpush::decisions::scorer::{Contribution, Scorer};
use smartpush::domain::campaign::{Campaign, CampaignStatus};
use smartpush::domain::content::{Content, MessageClass, Variant};
use smartpush::domain::time::{HOUR, Instant};
use smartpush::domain::user::{Consent, MinuteOfDay, QuietHours, User};

/// Inputs of user, content and pair.
const BLOCKS: [usize; 3] = [50, 12, 12];

/// 2026-06-10T16:20:00Z, a Wednesday.
const NOW: Instant = Instant::from_micros(1_781_108_400_000_000);

/// A logistic model: four dot products and a sigmoid.
struct Logistic {
    weights: [Vec<f64>; 3],
}

fn dot(weights: &[f64], inputs: &[f64]) -> f64 {
    weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum()
}

impl Scorer for Logistic {
    fn user(&self, inputs: &[f64]) -> f64 {
        dot(&self.weights[0], inputs) - 3.0
    }

    fn content(&self, inputs: &[f64]) -> f64 {
        dot(&self.weights[1], inputs)
    }

    fn pair(&self, inputs: &[f64]) -> f64 {
        dot(&self.weights[2], inputs)
    }

    fn time(&self, activity: f64) -> f64 {
        0.4 * activity
    }

    fn probability(&self, logit: f64) -> f64 {
        1.0 / (1.0 + libm::exp(-logit))
    }

    fn contributions(&self, _: &[f64], _: &[f64], _: &[f64], _: f64) -> Vec<Contribution> {
        Vec::new()
    }
}

/// Numbers between −0.5 and 0.5 that look random.
fn numbers(count: usize, seed: usize) -> Vec<f64> {
    (0..count).map(|at| ((at * 7_919 + seed * 104_729) % 1_009) as f64 / 1_009.0 - 0.5).collect()
}

fn content(index: usize) -> ContentContext {
    let variant = |locale: &str| Variant {
        variant_id: format!("variant-{locale}"),
        locale: Some(locale.into()),
        ..Variant::default()
    };
    let content = Content {
        content_id: format!("content-{index:03}"),
        category: Some(format!("category-{}", index % 9)),
        published_at: Some(NOW.plus(-(index as i64) * HOUR)),
        // One in ten lives for a few more hours only.
        expires_at: index.is_multiple_of(10).then(|| NOW.plus((index as i64 / 10 + 2) * HOUR)),
        variants: vec![variant("en"), variant("zh")],
        ..Content::default()
    };
    ContentContext {
        content,
        evidence: 40.0,
        sent: 100,
        content_inputs: numbers(BLOCKS[1], index),
        pair_inputs: numbers(BLOCKS[2], index + 1_000),
        prior: None,
    }
}

/// A user with quiet hours, a muted category, a campaign and ten pushes behind him.
fn context(contents: usize, horizon_hours: u32) -> DecisionContext {
    let time = |text: &str| MinuteOfDay::parse(text).unwrap_or_else(|| panic!("{text} is a time"));
    let send = |days: i64| PastSend {
        at: NOW.plus(-days * 24 * HOUR),
        campaign_id: Some("spring".into()),
        content_id: Some("content-007".into()),
        channel: Some("push".into()),
        campaign_tags: Vec::new(),
        message_class: MessageClass::Marketing,
    };
    DecisionContext {
        format: FORMAT,
        decision_id: "0197a1b2-0000-7000-8000-000000000001".into(),
        send_id: "0197a1b2-0000-7000-8000-000000000002".into(),
        occurrence: "2026-06-10".into(),
        now: NOW,
        clock_trusted: true,
        horizon_hours,
        user: User {
            user_id: "1510".into(),
            known: true,
            consent: Consent::Granted,
            time_zone: Some("America/New_York".into()),
            locale: Some("en-US".into()),
            quiet_hours: Some(QuietHours { from: time("22:00"), until: time("08:00") }),
            muted_categories: vec!["category-8".into()],
            personalisation: true,
            ..User::default()
        },
        audience: None,
        campaign: Some(Campaign {
            campaign_id: "spring".into(),
            window_start: Some(NOW.plus(-24 * HOUR)),
            window_end: Some(NOW.plus(240 * HOUR)),
            status: CampaignStatus::Running,
            ..Campaign::default()
        }),
        channels: vec![ChannelContext { name: "push".into(), cost: Some(0.0) }],
        campaign_sends: 0,
        explored_today: 0,
        contents: (0..contents).map(content).collect(),
        user_inputs: numbers(BLOCKS[0], 3),
        curve: numbers(168, 5).into_iter().map(|number| (number + 0.6) / 168.0).collect(),
        sends: (1..=10).map(send).collect(),
        planned: Vec::new(),
        plan: None,
        settings: Config::defaults().decisions,
        fatigue_half_life_days: 3.0,
        fallback: Vec::new(),
        versions: ["model", "features", "config", "tz_database", "build", "profiles_as_of"]
            .map(|key| (key.to_string(), "0123456789ab".to_string()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    }
}

fn decisions(criterion: &mut Criterion) {
    let weights = [1, 2, 3].map(|block| numbers(BLOCKS[block - 1], block));
    let scorer = Logistic { weights };
    let mut group = criterion.benchmark_group("decide");
    for (contents, hours) in [(1, 24), (100, 24), (100, 168), (500, 168)] {
        let context = context(contents, hours);
        let name = format!("{contents} contents x {hours} h");
        group.bench_function(name, |bencher| bencher.iter(|| decide(black_box(&context), &scorer)));
    }
    group.finish();
}

/// Users of a batch.
const USERS: usize = 100_000;

/// Decisions about many users, on one thread and on two: how many a second, and what the second thread brings.
fn batch(criterion: &mut Criterion) {
    let weights = [1, 2, 3].map(|block| numbers(BLOCKS[block - 1], block));
    let scorer = Logistic { weights };
    let user = |number: usize| {
        let mut context = context(100, 24);
        context.user.user_id = format!("user-{number}");
        context.user_inputs = numbers(BLOCKS[0], number);
        context
    };
    let contexts: Vec<DecisionContext> = (0..64).map(user).collect();
    let decide_share = |share: usize| {
        (0..share).for_each(|user| drop(black_box(decide(&contexts[user % contexts.len()], &scorer))));
    };
    let mut group = criterion.benchmark_group("batch");
    group.sample_size(10).throughput(Throughput::Elements(USERS as u64));
    for threads in [1, 2] {
        group.bench_function(format!("{USERS} users, {threads} threads"), |bencher| {
            bencher.iter(|| {
                std::thread::scope(|scope| {
                    (0..threads).for_each(|_| drop(scope.spawn(|| decide_share(USERS / threads))));
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decisions, batch);
criterion_main!(benches);
