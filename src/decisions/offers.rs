//! Contents on offer: each once, scored, with the time in which it may be sent.

use std::collections::HashSet;

use super::context::PastSend;
use super::lanes::LaneKind;
use super::pacing::{Limit, Measure};
use super::prior::{self, ContentPrior};
use super::run::Run;
use super::scorer::Scorer;
use super::situation::Situation;
use domain::content::{Content, Variant};
use domain::numeric::decay_factor;
use domain::settings::DecisionSettings;
use domain::time::{HOUR, Instant};
use domain::variant::{Fitting, Reader};

/// A content to choose.
pub(super) struct Offer<'a> {
    /// The content.
    pub(super) content: &'a Content,
    /// Its index in the context.
    pub(super) index: usize,
    /// Index of its kind among the situation's.
    pub(super) kind: usize,
    /// What user, content and pair add to the logit of each of its arms.
    pub(super) shift: f64,
    /// What is assumed of it while it has little history.
    pub(super) prior: Option<&'a ContentPrior>,
    /// Which of the levels of its prior it is drawn at for this user.
    pub(super) level: usize,
    /// Does it tire the user, and may it lose his consent? Service messages are sent because he needs them.
    pub(super) is_marketing: bool,
    /// The variants that the user may get.
    pub(super) fitting: Fitting<'a>,
    /// How long it sleeps after it was sent to the user; `None`: it was not.
    pub(super) sleep: Option<Limit>,
    /// When it wakes up, from when its value comes back.
    wakes: Option<Instant>,
    /// The time within the horizon in which its own rules allow it first; `None`: never.
    pub(super) life: Option<Run>,
    /// Further such times: a push that is planned ahead may cut a life in two.
    pub(super) later: Vec<Run>,
}

/// The offers of a context, their lives still to be asked of the rules; of contents with the same id the first counts.
pub(super) fn of<'a>(situation: &Situation<'a>, scorer: &dyn Scorer) -> Vec<Offer<'a>> {
    let contents = &situation.context.contents;
    let mut seen = HashSet::with_capacity(contents.len());
    let user = scorer.user(&situation.context.user_inputs);
    let reader = situation.context.reader();
    let mut offers = Vec::with_capacity(contents.len());
    for (index, candidate) in contents.iter().enumerate() {
        if !seen.insert(candidate.content.content_id.as_str()) {
            continue;
        }
        let (about, pair) = (&candidate.content_inputs, &candidate.pair_inputs);
        let joint = scorer.joint(&situation.context.user_inputs, about, pair);
        let shift = user + scorer.content(about) + scorer.pair(pair) + joint;
        let shift = candidate.prior.as_ref().map_or(shift, |prior| shift + prior.offset);
        offers.push(Offer::new(situation, index, shift, &reader));
    }
    offers
}

impl<'a> Offer<'a> {
    fn new(situation: &Situation<'a>, index: usize, shift: f64, reader: &Reader<'_>) -> Offer<'a> {
        let context = situation.context;
        let content = &context.contents[index].content;
        let kind = LaneKind::of(content, context);
        let is_marketing = !kind.is_service;
        let sleep = i64::from(context.settings.repeat_sleep_hours) * HOUR;
        let newest = if is_marketing { newest_send(situation, content) } else { None };
        let prior = context.contents[index].prior.as_ref();
        let mut counted = sends_of(context.counted_sends(), content).peekable();
        Offer {
            content,
            index,
            kind: situation.kinds.binary_search(&kind).unwrap_or_default(),
            shift,
            prior,
            level: prior.filter(|prior| prior.spread > 0.0).map_or(0, |_| prior::level(context, content)),
            is_marketing,
            fitting: reader.fitting(content),
            sleep: (is_marketing && sleep > 0 && counted.peek().is_some())
                .then(|| Limit::new(1, Measure::Rolling(sleep), counted)),
            wakes: newest.map(|at| at.plus(sleep)),
            life: None,
            later: Vec::new(),
        }
    }

    /// Is it tried at several levels of what it may be?
    pub(super) fn is_tried(&self) -> bool {
        self.prior.is_some_and(|prior| prior.spread > 0.0)
    }

    /// What a level of its prior adds to the logit.
    pub(super) fn lift(&self, level: usize) -> f64 {
        self.prior.map_or(0.0, |prior| prior.lift(level))
    }

    /// What user, content, pair and the drawn level add to the logit.
    pub(super) fn drawn_shift(&self) -> f64 {
        self.shift + self.lift(self.level)
    }

    /// Does its value still come back, so that it differs from hour to hour?
    pub(super) fn is_recovering(&self) -> bool {
        self.wakes.is_some()
    }

    /// The share of its value that has come back at `at`, in [0, 1]: 1 − 2^(−time awake / half-life).
    pub(super) fn recovery(&self, settings: &DecisionSettings, at: Instant) -> f64 {
        self.wakes.map_or(1.0, |wakes| recovered(settings, wakes, at))
    }

    /// The variant that goes to the user.
    pub(super) fn variant(&self, situation: &Situation) -> Option<&'a Variant> {
        let reader = situation.context.reader();
        reader.choice(&self.fitting, self.content, situation.campaign_id())
    }
}

/// The share of a content's value for a user that has come back at `at`, when it was pushed to him last at `last`: what
/// decisions multiply its worth by, and what its outcomes must be read with.
pub fn recovery(settings: &DecisionSettings, last: Instant, at: Instant) -> f64 {
    recovered(settings, last.plus(i64::from(settings.repeat_sleep_hours) * HOUR), at)
}

fn recovered(settings: &DecisionSettings, wakes: Instant, at: Instant) -> f64 {
    let awake = at.micros().saturating_sub(wakes.micros()).max(0) as f64;
    let half_life = settings.repeat_half_life_hours * HOUR as f64;
    if half_life > 0.0 { 1.0 - decay_factor(awake, half_life) } else { 1.0 }
}

fn sends_of<'a>(
    sends: impl Iterator<Item = &'a PastSend>,
    content: &'a Content,
) -> impl Iterator<Item = Instant> {
    let is_of = |send: &&PastSend| send.content_id.as_ref() == Some(&content.content_id);
    sends.filter(is_of).map(|send| send.at)
}

fn newest_send(situation: &Situation, content: &Content) -> Option<Instant> {
    sends_of(situation.context.sends.iter(), content).max()
}
