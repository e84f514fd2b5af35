//! What a content of little history is taken for: the response of the user at hand to contents like it.

use std::collections::BTreeMap;

use decisions::context::{ContentContext, DecisionContext};
use decisions::prior::{
    ContentPrior, LevelOfContents, ResponseLevels, TrialResults, after_trials, usual_rate,
};
use decisions::scorer::Scorer;
use domain::content::Content;
use models::inputs::{AsOf, Item, UserAsOf};
use models::material::Material;
use profiles::recent::Recent;
use registry::model::{InputBlock, Model};

/// Contents of a category, spread over its response, that stand for all of it.
const MOST_PEERS: usize = 8;
/// With fewer contents a category is represented by those of all.
const LEAST_PEERS: usize = 3;

/// Contents with a history, by category, and how far responses to them differ.
#[derive(Debug)]
pub(super) struct Peers {
    levels: ResponseLevels,
    categories: BTreeMap<String, usize>,
    by_category: Vec<Group>,
    all: Group,
    /// Clicks of each push of a usual content.
    usual_rate: f64,
}

/// Some of the contents of one category, by their codes, and their mean log-odds.
#[derive(Debug, Default)]
struct Group {
    codes: Vec<usize>,
    mean: f64,
}

/// A content with a history, as a scorer without a user sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer<'a> {
    pub(super) category: Option<&'a str>,
    /// Its code in the timeline, if the scorer needs it.
    pub(super) code: usize,
    pub(super) log_odds: f64,
}

impl Peers {
    /// Learns how far contents differ, and what pushes of a usual one come to.
    pub(super) fn learn(peers: &[Peer<'_>], recent: &Recent) -> Peers {
        let mut categories = BTreeMap::new();
        for category in peers.iter().filter_map(|peer| peer.category) {
            let next = categories.len();
            categories.entry(category.to_string()).or_insert(next);
        }
        let index = |peer: &Peer<'_>| peer.category.and_then(|category| categories.get(category)).copied();
        let values: Vec<(Option<usize>, f64)> =
            peers.iter().map(|peer| (index(peer), peer.log_odds)).collect();
        let of =
            |category: usize| peers.iter().filter(|peer| index(peer) == Some(category)).copied().collect();
        let levels = ResponseLevels::learn(categories.len(), &values);
        Peers {
            usual_rate: usual_rate(&recent.pushes_by_content(), levels.of(None).spread),
            levels,
            by_category: (0..categories.len()).map(|category| Group::of(of(category))).collect(),
            all: Group::of(peers.to_vec()),
            categories,
        }
    }

    /// The peers of popularity alone: every content that is lately looked at.
    pub(super) fn of_popularity(material: &Material, recent: &Recent, least: f64) -> Peers {
        let category =
            |id: &str| material.catalogue.contents.get(id).and_then(|content| content.category.as_deref());
        let one = |id| Peer { category: category(id), code: 0, log_odds: recent.popularity(id) };
        let ids: Vec<&str> = recent.contents().map(|(id, _)| id).collect();
        let peers: Vec<Peer<'_>> = established(&ids, recent, least).into_iter().map(one).collect();
        Peers::learn(&peers, recent)
    }

    /// The peers of a model: contents that are alive and lately looked at, as it sees them for the mean user.
    pub(super) fn of_model(
        material: &Material,
        recent: &Recent,
        as_of: &AsOf,
        model: &Model,
        least: f64,
    ) -> Peers {
        let timeline = &material.timeline;
        let code = |id: &str| timeline.content(id).filter(|code| as_of.is_alive(*code));
        let ids: Vec<&str> = recent.contents().map(|(id, _)| id).filter(|id| code(id).is_some()).collect();
        let one = |id: &str| {
            let code = code(id)?;
            let about = as_of.about(Item::Content(code));
            let category =
                material.catalogue.contents.get(id).and_then(|content| content.category.as_deref());
            let log_odds = model.content(&about) + model.joint(&[], &about, &[]);
            Some(Peer { category, code, log_odds })
        };
        let peers: Vec<Peer<'_>> = established(&ids, recent, least).into_iter().filter_map(one).collect();
        Peers::learn(&peers, recent)
    }

    fn group(&self, content: &Content) -> (LevelOfContents, &Group, Option<String>) {
        let index = content.category.as_ref().and_then(|category| self.categories.get(category)).copied();
        let own = index.map(|index| &self.by_category[index]).filter(|own| own.codes.len() >= LEAST_PEERS);
        let category = content.category.clone().filter(|_| index.is_some());
        (self.levels.of(index), own.unwrap_or(&self.all), category)
    }
}

impl Peers {
    fn prior(
        &self,
        level: LevelOfContents,
        category: Option<String>,
        offset: f64,
        part: f64,
        recent: &Recent,
        content: &ContentContext,
    ) -> ContentPrior {
        let results = results(self, recent, &content.content.content_id);
        let (moved, spread) = after_trials(level.spread, results);
        ContentPrior {
            category,
            contents: level.contents,
            offset: part * (offset + moved),
            spread: part * spread,
        }
    }
}

impl Group {
    fn of(mut peers: Vec<Peer<'_>>) -> Group {
        peers.sort_by(|one, other| one.log_odds.total_cmp(&other.log_odds).then(one.code.cmp(&other.code)));
        let count = peers.len().min(MOST_PEERS);
        let spread = (0..count).map(|index| peers[(2 * index + 1) * peers.len() / (2 * count)]);
        let chosen: Vec<Peer<'_>> = spread.collect();
        let sum: f64 = chosen.iter().map(|peer| peer.log_odds).sum();
        Group { codes: chosen.iter().map(|peer| peer.code).collect(), mean: sum / count.max(1) as f64 }
    }
}

/// Contents with a history: those that are looked at these days, else all that ever were.
fn established<'a>(ids: &[&'a str], recent: &Recent, least: f64) -> Vec<&'a str> {
    let lately: Vec<&str> = ids.iter().copied().filter(|id| recent.evidence(id) >= least).collect();
    if lately.len() >= LEAST_PEERS {
        return lately;
    }
    ids.iter().copied().filter(|id| recent.user_days(id) >= least).collect()
}

/// How much of a content's prior still counts: all before its first user-day, nothing from `least` on.
///
/// Days that a push brought do not count: how many there are is the planner's choice, not what the content is worth. What they
/// tell is in the results of its pushes.
fn unknown_part(content: &ContentContext, recent: &Recent, least: f64) -> f64 {
    let id = &content.content.content_id;
    let known = (recent.user_days(id) - recent.clicked_of_content(id) as f64).max(0.0);
    if least > 0.0 { (1.0 - known / least).max(0.0) } else { 0.0 }
}

/// What pushes of a content came to, beside as many of a usual content.
fn results(peers: &Peers, recent: &Recent, content_id: &str) -> TrialResults {
    TrialResults {
        clicked: recent.clicked_of_content(content_id) as f64,
        expected: recent.sent_of_content(content_id) as f64 * peers.usual_rate,
    }
}

/// Sets the priors of a context's contents where popularity alone scores.
pub(super) fn fill_popularity(peers: &Peers, recent: &Recent, context: &mut DecisionContext) {
    let least = context.settings.cold_start_evidence;
    for content in &mut context.contents {
        let part = unknown_part(content, recent, least);
        if part > 0.0 && !peers.all.codes.is_empty() {
            let (level, _, category) = peers.group(&content.content);
            let own = recent.popularity(&content.content.content_id);
            content.prior = Some(peers.prior(level, category, level.mean - own, part, recent, content));
        }
    }
}

/// Sets them where a model does: what it gives the user for contents of the category, on average.
pub(super) fn fill_model(
    peers: &Peers,
    (as_of, model): (&AsOf, &Model),
    recent: &Recent,
    known: Option<&UserAsOf<'_>>,
    context: &mut DecisionContext,
) {
    let least = context.settings.cold_start_evidence;
    let mut expected: BTreeMap<Option<String>, f64> = BTreeMap::new();
    let user = &context.user_inputs;
    for content in &mut context.contents {
        let part = unknown_part(content, recent, least);
        if part <= 0.0 || peers.all.codes.is_empty() {
            continue;
        }
        let (level, group, category) = peers.group(&content.content);
        let shift = *expected.entry(category.clone()).or_insert_with(|| {
            let of_peer = |code: &usize| {
                let item = Item::Content(*code);
                let pair = known.map(|known| known.block(InputBlock::Pair, item)).unwrap_or_default();
                model.logit(user, &as_of.about(item), &pair)
            };
            mean_response(model, &group.codes.iter().map(of_peer).collect::<Vec<f64>>())
        });
        let own = model.logit(user, &content.content_inputs, &content.pair_inputs);
        let offset = shift + level.mean - group.mean - own;
        content.prior = Some(peers.prior(level, category, offset, part, recent, content));
    }
}

/// The logit whose probability is the mean of those of some logits, by halving.
fn mean_response(model: &Model, logits: &[f64]) -> f64 {
    const HALVINGS: u32 = 40;
    let sum: f64 = logits.iter().map(|logit| model.probability(*logit)).sum();
    let mean = sum / logits.len() as f64;
    let mut low = logits.iter().copied().fold(f64::INFINITY, f64::min);
    let mut high = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2.0;
        if model.probability(middle) < mean { low = middle } else { high = middle }
    }
    low + (high - low) / 2.0
}
