//! Decisions with the response model, which `serve` does not use yet: curves, model and decisions learned again from outcomes.

use std::collections::VecDeque;

use super::PushChoice;
use crate::Stage;
use crate::log::EventLog;
use crate::truth::{Memory, Push, PushAnswer};
use crate::world::World;
use config::Config;
use curves::SendTimeModel;
use curves::history::History;
use decisions::context::{ChannelContext, ContentContext, DecisionContext, PastSend};
use decisions::{decide, recovery};
use domain::content::{Content, MessageClass, Variant};
use domain::settings::{DecisionSettings, Exploration};
use domain::time::{DAY, Instant, LocalHour};
use domain::user::{Consent, User};
use domain::zone::Zone;
use learners::logistic::FitError;
use response::attention::{ClickLevels, FeltPush, Worth, felt_later, price};
use response::choices::Candidate;
use response::evidence::Evidence;
use response::opt_out::OptOuts;
use response::sample::Sample;
use response::{Activity, Inputs, PRIOR_RATE, ResponseModel, ResponseOutcome, activity, lags_of};

/// Coverage of the curves' intervals, which decisions do not read.
const COVERAGE: f64 = 0.9;

/// What is logged of a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    inputs: Inputs,
    recovery: f64,
    action_probability: f64,
    felt: f64,
    click_probability: f64,
}

/// A choice with what came of it.
#[derive(Clone, Copy, Debug)]
struct KnownOutcome {
    day: i32,
    about: [usize; 3],
    felt: f64,
    outcome: ResponseOutcome,
    opted_out: bool,
}

/// Decisions with the response model, and what it has learned.
#[derive(Debug)]
pub struct ResponsePolicy {
    pub(super) log: EventLog,
    evidence: Evidence,
    opt_outs: OptOuts,
    model: ResponseModel,
    /// Each person's send-time curve, as responses see it.
    activities: Vec<Activity>,
    outcomes: Sample,
    click_levels: ClickLevels,
    /// Outcomes that are not known everywhere yet, oldest first.
    waiting: VecDeque<KnownOutcome>,
    /// What is the same in all decisions of the day.
    template: Option<DecisionContext>,
    settings: DecisionSettings,
    /// The shipped setting: what decisions assume of the time in which pushes are felt.
    fatigue_half_life_days: f64,
    categories: Vec<usize>,
}

impl ResponsePolicy {
    /// Before its first day.
    pub fn new(stage: &Stage) -> ResponsePolicy {
        let world = &stage.world;
        let settings = settings(world);
        ResponsePolicy {
            log: EventLog::new(world.people.len()),
            evidence: Evidence::new(
                world.people.len(),
                world.contents.len(),
                world.parameters.contents.categories,
            ),
            opt_outs: OptOuts::new(settings.opt_out_probability),
            model: ResponseModel::default(),
            activities: Vec::new(),
            outcomes: Sample::default(),
            click_levels: ClickLevels::new(world.people.len(), PRIOR_RATE),
            waiting: VecDeque::new(),
            template: None,
            settings,
            fatigue_half_life_days: Config::defaults().profiles.fatigue_half_life_days,
            categories: world.contents.iter().map(|content| content.category).collect(),
        }
    }

    /// The response model in force.
    pub fn model(&self) -> &ResponseModel {
        &self.model
    }

    pub(super) fn begin_day(&mut self, stage: &Stage, day: i32) -> Result<(), FitError> {
        let learning = &stage.world.parameters.smartpush;
        self.absorb_events(stage, day);
        self.absorb_outcomes(stage, day - 2);
        if day % learning.train_every_days == 0 {
            self.evidence.learn_strengths();
            self.model = ResponseModel::learn(self.outcomes.outcomes())?;
        }
        if day % learning.fit_curves_every_days == 0 {
            self.activities = curves(stage, &self.log, day - 1);
        }
        self.template = Some(self.template(stage, day));
        Ok(())
    }

    fn absorb_events(&mut self, stage: &Stage, day: i32) {
        let mut events = self.log.take_until(stage, day);
        // Stable: of one day, by person.
        events.sort_by_key(|(_, act)| act.day);
        for day in events.chunk_by(|(_, one), (_, other)| one.day == other.day) {
            let out: Vec<Candidate> = day.first().map_or(Vec::new(), |(_, act)| candidates(stage, act.day));
            self.evidence.absorb_views(day.iter().map(|(user, act)| (*user, act.content as usize)), &out);
        }
    }

    fn absorb_outcomes(&mut self, stage: &Stage, known: i32) {
        while let Some(next) = self.waiting.pop_front_if(|next| next.day <= known) {
            self.evidence.absorb_outcome(next.about, &next.outcome, &self.model);
            self.opt_outs.absorb(next.felt, next.opted_out);
            self.outcomes.absorb(&stage.world.people[next.about[0]].id, next.outcome);
        }
    }

    pub(super) fn record(&mut self, choice: &PushChoice, answer: PushAnswer) {
        let (Some(logged), push) = (&choice.logged, &choice.push) else { return };
        self.click_levels.absorb(push.user, logged.click_probability);
        self.waiting.push_back(KnownOutcome {
            day: push.day,
            about: [push.user, push.content, self.categories[push.content]],
            felt: logged.felt,
            outcome: ResponseOutcome {
                inputs: logged.inputs,
                recovery: logged.recovery,
                action_probability: logged.action_probability,
                is_clicked: answer.is_clicked,
            },
            opted_out: answer.opted_out,
        });
    }

    /// What is the same in all decisions of a day.
    fn template(&self, stage: &Stage, day: i32) -> DecisionContext {
        let rate = self.opt_outs.rate();
        let percents = &stage.world.parameters.smartpush.exploration_percent;
        let week = (day / 7) as usize;
        let settings = DecisionSettings {
            opt_out_probability: rate.at_rest,
            fatigue_price: rate.per_felt_push * self.settings.opt_out_cost,
            exploration_percent: percents.get(week).or(percents.last()).copied().unwrap_or_default(),
            ..self.settings.clone()
        };
        let content = |content: &usize| self.content(stage, *content, day);
        let user = User { known: true, consent: Consent::Granted, personalisation: true, ..User::default() };
        let channel = ChannelContext { name: settings.channel.clone(), cost: Some(0.0) };
        let now = stage.world.midnight(Zone::shared_utc(), day);
        DecisionContext {
            occurrence: stage.world.calendar_day(day).to_string(),
            horizon_hours: 24,
            contents: stage.alive(day).iter().map(content).collect(),
            fatigue_half_life_days: self.fatigue_half_life_days,
            ..DecisionContext::about(user, channel, now, settings)
        }
    }

    fn content(&self, stage: &Stage, content: usize, day: i32) -> ContentContext {
        let known = &stage.world.contents[content];
        ContentContext {
            content: Content {
                content_id: content_id(content),
                category: Some(known.category.to_string()),
                variants: vec![Variant::of_title(content_id(content))],
                ..Content::default()
            },
            evidence: f64::from(self.evidence.views(content)),
            sent: 0,
            content_inputs: self.evidence.content_inputs(content, day - known.published).to_vec(),
            pair_inputs: Vec::new(),
            prior: None,
        }
    }

    pub(super) fn choose(&self, stage: &Stage, user: usize, day: i32, memory: &Memory) -> Option<PushChoice> {
        let (person, activity) = (&stage.world.people[user], &self.activities[user]);
        let mut context = self.template.clone()?;
        context.now = stage.world.midnight(person.zone, day);
        context.user.user_id = person.id.clone();
        context.user.time_zone = Some(person.zone.name().to_string());
        context.sends = memory.sends().map(|(at, content)| past_send(at, content)).collect();
        let felt = memory.felt(context.now);
        let own = self.evidence.user_inputs(user, felt);
        let pairs = self.evidence.pair_inputs(user);
        let curve = self.model.curve(activity);
        context.user_inputs = own.into_iter().chain([curve.best]).collect();
        context.curve = curve.share.to_vec();
        let price = Some(self.price_of_attention(&context.settings, user));
        context.channels.iter_mut().for_each(|channel| channel.cost = price);
        let alive = stage.alive(day);
        for (candidate, content) in context.contents.iter_mut().zip(alive) {
            candidate.pair_inputs = pairs[self.categories[*content]].to_vec();
        }
        let decision = decide(&context, &self.model);
        let (at, chosen) = (decision.send_at?, decision.content_id?);
        let index = context.contents.iter().position(|candidate| candidate.content.content_id == chosen)?;
        let content = alive[index];
        let hour = person.zone.local_hour(at);
        let about = self.evidence.content_inputs(content, day - stage.world.contents[content].published);
        let inputs = Inputs {
            values: Evidence::row(own, about, pairs[self.categories[content]]),
            lags: lags_of(activity, hour.hour_of_week()),
        };
        let action_probability = decision.action_probability.unwrap_or(1.0);
        let last = memory.last_push_of(content);
        let recovery = last.map_or(1.0, |last| recovery(&context.settings, last, at));
        let push = Push { user, content, day, hour: hour.hour_of_day(), at };
        let click_probability = self.model.click_probability(&inputs, recovery);
        let logged = Logged { inputs, recovery, action_probability, felt, click_probability };
        Some(PushChoice { push, logged: Some(Box::new(logged)) })
    }

    /// What sending costs a user: what the push takes from his later ones, were he pushed every day.
    fn price_of_attention(&self, settings: &DecisionSettings, user: usize) -> f64 {
        let felt =
            FeltPush { opt_out: self.opt_outs.rate().per_felt_push, logit: self.model.per_felt_push() };
        let worth = Worth { click: settings.goal_value, opt_out: settings.opt_out_cost };
        let later = felt_later(DAY as f64, self.fatigue_half_life_days * DAY as f64);
        price(felt, worth, later, self.click_levels.of(user))
    }
}

/// The settings of decisions, as the rules of the world want them.
fn settings(world: &World) -> DecisionSettings {
    let rules = &world.parameters.rules;
    DecisionSettings {
        max_per_day: 1,
        quiet_from: rules.quiet_from.clone(),
        quiet_until: rules.quiet_until.clone(),
        repeat_sleep_hours: rules.repeat_sleep_hours,
        goal_value: rules.click_value,
        opt_out_cost: rules.opt_out_cost,
        exploration: Exploration::Softmax,
        exploration_temperature: world.parameters.smartpush.exploration_temperature,
        exploration_most_per_day: u32::MAX,
        seed: world.seed,
        ..Config::defaults().decisions
    }
}

/// Contents that are out on a day.
fn candidates(stage: &Stage, day: i32) -> Vec<Candidate> {
    let candidate = |content: &usize| {
        let known = &stage.world.contents[*content];
        Candidate { content: *content, category: known.category, age_days: day - known.published }
    };
    stage.alive(day).iter().map(candidate).collect()
}

/// Each person's send-time curve from events before a day, as responses see it.
fn curves(stage: &Stage, log: &EventLog, cut: i32) -> Vec<Activity> {
    let world = &stage.world;
    let cut_day = world.calendar_day(cut).0;
    let histories: Vec<History> = parallel::map(world.people.len(), |user| {
        let attribute = world.people[user].zone_index as u32;
        let mut history = History { units: Vec::new(), attribute };
        // Of a day that is not over its late hours would seem to be rare.
        for act in log.active_hours(stage, user).into_iter().filter(|act| act.day < cut) {
            let hour = LocalHour(world.calendar_day(act.day).0 * 24 + i32::from(act.hour));
            history.push(hour, f64::from(act.fraction), cut_day);
        }
        history
    });
    let model = SendTimeModel::fit(&histories, COVERAGE);
    parallel::map(histories.len(), |user| activity(&model.probability(user, &histories[user])))
}

fn content_id(content: usize) -> String {
    format!("content-{content:06}")
}

fn past_send(at: Instant, content: usize) -> PastSend {
    PastSend {
        at,
        campaign_id: None,
        content_id: Some(content_id(content)),
        channel: None,
        campaign_tags: Vec::new(),
        message_class: MessageClass::Marketing,
    }
}
