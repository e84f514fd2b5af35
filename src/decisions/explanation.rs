//! Why a decision came out as it did: what weighed how much, what was refused, what came second, in words.

use serde::{Deserialize, Serialize};

use super::allowed::greedy;
use super::board::{Arm, Board};
use super::context::DecisionContext;
use super::policy::Policy;
use super::scorer::{Contribution, Scorer};
use super::sentences::{Language, fill, local_time, of_reason, title_of};
use super::situation::Situation;
use domain::decision::{Action, Decision, Reason};
use domain::time::Instant;

/// Inputs that a sentence names.
const MOST_NAMED: usize = 3;

/// An explanation of one decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The decision.
    pub decision_id: String,
    /// What it says to do.
    pub action: Action,
    /// The arm explained: what is sent, else the best that might have been; `None` without any.
    pub arm: Option<ExplainedArm>,
    /// Each input's share of the arm's raw logit; they sum to it.
    pub contributions: Vec<Contribution>,
    /// Refusals by rule, with the instant from which each ends.
    pub refusals: Vec<Reason>,
    /// The same content in the best other slot.
    pub second_best_slot: Option<Alternative>,
    /// The best arm with another content.
    pub second_best_content: Option<Alternative>,
    /// The same content in the same slot over the best other channel.
    pub second_best_channel: Option<Alternative>,
    /// How decisions like this one explore; `None`: they do not.
    pub exploration: Option<Explored>,
    /// The same for people.
    pub sentences: Sentences,
}

/// The arm that an explanation is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedArm {
    /// Content.
    pub content_id: String,
    /// Channel.
    pub channel: String,
    /// Start of its send slot.
    pub slot_start: Instant,
    /// The same on the user's clock.
    pub slot_start_local: String,
    /// ln(share of the slot's hour of the week / the user's largest share), ≤ 0.
    pub activity: f64,
    /// Raw logit.
    pub raw_logit: f64,
    /// What calibration makes of it: P(goal | user, arm).
    pub response_probability: f64,
    /// The same at the user's best hour of the week: what `score` gives for him with this content.
    pub propensity: f64,
    /// Expected value, all prices paid.
    pub value: f64,
}

/// What is given up for the sake of learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explored {
    /// Share of decisions that explore, in percent.
    pub percent: f64,
    /// Arms that are allowed and worth sending.
    pub arms: usize,
    /// Value that this costs on average.
    pub expected_loss: f64,
    /// Explored sends of the campaign that this UTC day still allowed.
    pub left_today: u32,
}

/// What came second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// Content.
    pub content_id: String,
    /// Channel.
    pub channel: String,
    /// Start of its send slot.
    pub slot_start: Instant,
    /// The same on the user's clock.
    pub slot_start_local: String,
    /// Expected value.
    pub value: f64,
    /// By how much the explained arm is worth more.
    pub behind: f64,
}

/// What a marketer reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sentences {
    /// English.
    pub en: Vec<String>,
    /// Chinese.
    pub zh: Vec<String>,
}

/// Explains a decision from the context and with the scorer that it was made with.
pub fn explain(context: &DecisionContext, scorer: &dyn Scorer, decision: &Decision) -> Explanation {
    let situation = Situation::of(context);
    let board = Board::lay(&situation, scorer);
    let arm = subject(&board, decision);
    let mut explanation = Explanation {
        decision_id: decision.decision_id.clone(),
        action: decision.action,
        arm: arm.map(|arm| explained(&board, arm)),
        contributions: arm.map_or_else(Vec::new, |arm| contributions(&board, arm)),
        refusals: decision.reasons.clone(),
        second_best_slot: arm.and_then(|arm| second_best_slot(&board, arm)),
        second_best_content: arm.and_then(|arm| second_best_content(&board, arm)),
        second_best_channel: arm.and_then(|arm| second_best_channel(&board, arm)),
        exploration: exploration(&board, decision),
        sentences: Sentences::default(),
    };
    explanation.sentences.en = sentences(&situation, decision, &explanation, Language::English);
    explanation.sentences.zh = sentences(&situation, decision, &explanation, Language::Chinese);
    explanation
}

/// The arm that is sent, else the first candidate.
fn subject(board: &Board, decision: &Decision) -> Option<Arm> {
    let first = decision.candidates.first();
    let content_id = decision.content_id.as_ref().or(first.map(|candidate| &candidate.content_id))?;
    let at = decision.send_at.or(first.map(|candidate| candidate.slot_start))?;
    let offer = board.offers.iter().position(|offer| offer.content.content_id == *content_id)?;
    let slot = board.slots.iter().position(|slot| slot.slot.start <= at && at < slot.slot.end)?;
    let name = decision.channel.as_ref().or(first.map(|candidate| &candidate.channel))?;
    let channel = board.situation.context.channels.iter().position(|channel| channel.name == *name)?;
    board.arm(offer, channel, slot)
}

fn explained(board: &Board, arm: Arm) -> ExplainedArm {
    let slot = &board.slots[arm.slot];
    ExplainedArm {
        content_id: board.offers[arm.offer].content.content_id.clone(),
        channel: board.situation.context.channels[arm.channel].name.clone(),
        slot_start: slot.slot.start,
        slot_start_local: board.situation.zone.local_text(slot.slot.start),
        activity: slot.activity,
        raw_logit: arm.logit,
        response_probability: arm.probability,
        propensity: propensity(board, arm),
        value: arm.value,
    }
}

/// The parts of the logit but for the hour's, in the order in which a score sums them.
fn propensity(board: &Board, arm: Arm) -> f64 {
    let (context, scorer) = (board.situation.context, board.scorer);
    let content = &context.contents[board.offers[arm.offer].index];
    let (user, about, pair) = (&context.user_inputs, &content.content_inputs, &content.pair_inputs);
    let logit = scorer.user(user) + scorer.content(about) + scorer.pair(pair);
    let logit = logit + scorer.joint(user, about, pair);
    scorer.probability(content.prior.as_ref().map_or(logit, |prior| logit + prior.offset))
}

fn contributions(board: &Board, arm: Arm) -> Vec<Contribution> {
    let context = board.situation.context;
    let content = &context.contents[board.offers[arm.offer].index];
    let activity = board.slots[arm.slot].activity;
    let (user, pair) = (&context.user_inputs, &content.pair_inputs);
    let mut all = board.scorer.contributions(user, &content.content_inputs, pair, activity);
    all.extend(content.prior.as_ref().map(|prior| Contribution {
        input: "content.prior".to_string(),
        value: prior.offset,
        contribution: prior.offset,
    }));
    all
}

fn second_best_slot(board: &Board, arm: Arm) -> Option<Alternative> {
    let offers = arm.offer..arm.offer + 1;
    let others = arms(board, offers).filter(|other| other.slot != arm.slot);
    best_of(board, arm, others)
}

fn second_best_content(board: &Board, arm: Arm) -> Option<Alternative> {
    let others = arms(board, 0..board.offers.len()).filter(|other| other.offer != arm.offer);
    best_of(board, arm, others)
}

fn second_best_channel(board: &Board, arm: Arm) -> Option<Alternative> {
    let others = arms(board, arm.offer..arm.offer + 1);
    best_of(board, arm, others.filter(|other| other.channel != arm.channel && other.slot == arm.slot))
}

/// What exploring costs on average, in decisions that send.
fn exploration(board: &Board, decision: &Decision) -> Option<Explored> {
    let context = board.situation.context;
    let percent = context.exploration_share() * 100.0;
    if decision.action != Action::Send || percent <= 0.0 {
        return None;
    }
    let (best, at) = greedy(board)?;
    let policy = Policy::of(board, best, at);
    let left_today = context.settings.exploration_most_per_day.saturating_sub(context.explored_today);
    Some(Explored {
        percent,
        arms: policy.arms.len(),
        expected_loss: policy.expected_loss(&best),
        left_today,
    })
}

/// Every arm of some offers that the rules of channels, contents and slots allow.
fn arms<'a>(board: &'a Board<'a>, offers: std::ops::Range<usize>) -> impl Iterator<Item = Arm> + 'a {
    let triples = offers.flat_map(move |offer| {
        board
            .channels()
            .flat_map(move |channel| (0..board.slots.len()).map(move |slot| (offer, channel, slot)))
    });
    let allowed = |(offer, channel, slot): &(usize, usize, usize)| {
        board.allowed_minutes(&board.offers[*offer], *channel, *slot) != 0
    };
    triples.filter(allowed).filter_map(|(offer, channel, slot)| board.arm(offer, channel, slot))
}

fn best_of(board: &Board, arm: Arm, others: impl Iterator<Item = Arm>) -> Option<Alternative> {
    let best = others.min_by(|one, other| board.order(one, other))?;
    let start = board.slots[best.slot].slot.start;
    Some(Alternative {
        content_id: board.offers[best.offer].content.content_id.clone(),
        channel: board.situation.context.channels[best.channel].name.clone(),
        slot_start: start,
        slot_start_local: board.situation.zone.local_text(start),
        value: best.value,
        behind: arm.value - best.value,
    })
}

// ---- sentences ----

fn sentences(
    situation: &Situation,
    decision: &Decision,
    explanation: &Explanation,
    language: Language,
) -> Vec<String> {
    let mut sentences = vec![what(situation, decision, language)];
    if let Some(arm) = &explanation.arm {
        sentences.push(why(situation, arm, decision.action, &explanation.contributions, language));
        let other_slot = explanation.second_best_slot.as_ref();
        sentences.extend(other_slot.map(|other| instead(situation, other, language, OTHER_SLOT)));
        let other_content = explanation.second_best_content.as_ref();
        sentences.extend(other_content.map(|other| instead(situation, other, language, OTHER_CONTENT)));
        let other_channel = explanation.second_best_channel.as_ref();
        sentences.extend(other_channel.map(|other| instead(situation, other, language, OTHER_CHANNEL)));
    }
    let exploration = explanation.exploration.as_ref();
    sentences.extend(exploration.map(|explored| explores(explored, decision.explored, language)));
    let reasons = decision.reasons.iter().filter(|reason| still_stands(reason, decision));
    sentences.extend(reasons.map(|reason| of_reason(situation, reason, language)));
    sentences
}

/// Does a refusal matter to people? Of a send, one that hours before its own were refused for, or that has ended by then, does not.
fn still_stands(reason: &Reason, decision: &Decision) -> bool {
    let Some(send_at) = decision.send_at.filter(|_| decision.action == Action::Send) else { return true };
    let is_of_hours = reason.subject.starts_with("slot:");
    !is_of_hours && reason.allowed_from.is_none_or(|from| from > send_at)
}

/// Who gets what, when, how; or that he gets nothing.
fn what(situation: &Situation, decision: &Decision, language: Language) -> String {
    let template = match decision.action {
        Action::Send => language.of(
            "Send {content} to {user} on {time} ({zone}) over {channel}.",
            "{time}（{zone}）通过 {channel} 向 {user} 推送{content}。",
        ),
        Action::Hold => language.of(
            "Wait with {user} and ask again on {time} ({zone}).",
            "暂缓推送 {user}，{time}（{zone}）再次询问。",
        ),
        Action::NoSend => language.of("Push nothing to {user}.", "不向 {user} 推送。"),
    };
    let at = decision.send_at.or(decision.retry_at);
    fill(template, |name| match name {
        "content" => title_of(situation, decision.content_id.as_deref().unwrap_or_default(), language),
        "user" => decision.user_id.clone(),
        "time" => at.map_or_else(String::new, |at| local_time(situation.zone, at, language)),
        "zone" => situation.zone.name().to_string(),
        _ => decision.channel.clone().unwrap_or_default(),
    })
}

/// How likely he responds, and what that rests on most.
fn why(
    situation: &Situation,
    arm: &ExplainedArm,
    action: Action,
    contributions: &[Contribution],
    language: Language,
) -> String {
    let template = match action {
        Action::Send => language.of(
            "A response is expected with probability {probability}, which makes it worth {value}; most of it comes from {inputs}.",
            "预计响应概率 {probability}，期望价值 {value}；主要依据：{inputs}。",
        ),
        _ => language.of(
            "It would have been {content} on {time}: probability {probability}, worth {value}; most of it comes from {inputs}.",
            "原本会在 {time} 推送{content}：响应概率 {probability}，期望价值 {value}；主要依据：{inputs}。",
        ),
    };
    fill(template, |name| match name {
        "content" => title_of(situation, &arm.content_id, language),
        "time" => local_time(situation.zone, arm.slot_start, language),
        "probability" => format!("{:.2} %", arm.response_probability * 100.0),
        "value" => format!("{:.4}", arm.value),
        _ => largest(contributions, language),
    })
}

/// The inputs that move the logit most, with how far.
fn largest(contributions: &[Contribution], language: Language) -> String {
    let mut named: Vec<&Contribution> =
        contributions.iter().filter(|one| one.input != "intercept" && one.contribution != 0.0).collect();
    named.sort_by(|one, other| other.contribution.abs().total_cmp(&one.contribution.abs()));
    let texts: Vec<String> = named
        .iter()
        .take(MOST_NAMED)
        .map(|one| format!("{} ({:+.2})", one.input, one.contribution))
        .collect();
    if texts.is_empty() {
        return language.of("the average alone", "总体平均水平").to_string();
    }
    texts.join(language.of(", ", "、"))
}

/// Two templates: one for each language.
type Templates = (&'static str, &'static str);
const OTHER_SLOT: Templates = (
    "The next best hour for it is {time}, worth {behind} less.",
    "该内容的次优时段是 {time}，价值低 {behind}。",
);
const OTHER_CONTENT: Templates = (
    "The next best content is {content} on {time}, worth {behind} less.",
    "次优内容是{content}（{time}），价值低 {behind}。",
);

const OTHER_CHANNEL: Templates = (
    "The next best channel for it is {channel}, worth {behind} less.",
    "该内容的次优渠道是 {channel}，价值低 {behind}。",
);

/// That an arm was, or might have been, drawn for the sake of learning, and what that costs.
fn explores(explored: &Explored, was_drawn: bool, language: Language) -> String {
    let template = if was_drawn {
        language.of(
            "This was drawn among {arms} choices to learn from, as {percent} % of decisions are; that costs {loss} each on average.",
            "本次为探索：{percent} % 的决策会在 {arms} 个选项中随机抽取，平均每次损失价值 {loss}。",
        )
    } else {
        language.of(
            "{percent} % of decisions are drawn among {arms} choices to learn from, which costs {loss} each on average; this one is the best.",
            "{percent} % 的决策会在 {arms} 个选项中随机抽取以供学习，平均每次损失价值 {loss}；本次选择的是最优项。",
        )
    };
    fill(template, |name| match name {
        "arms" => explored.arms.to_string(),
        "percent" => format!("{}", explored.percent),
        _ => format!("{:.4}", explored.expected_loss),
    })
}

fn instead(situation: &Situation, other: &Alternative, language: Language, templates: Templates) -> String {
    fill(language.of(templates.0, templates.1), |name| match name {
        "content" => title_of(situation, &other.content_id, language),
        "time" => local_time(situation.zone, other.slot_start, language),
        "channel" => other.channel.clone(),
        _ => format!("{:.4}", other.behind),
    })
}
