//! Campaign and pair blocks of goals about campaigns: what the campaign covers, how such campaigns fared, how the user
//! answered earlier ones, and how much of what it covers he cares for.

use std::collections::{BTreeMap, BTreeSet};

use super::Sources;
use super::decay::{decay, log_odds};
use crate::timeline::TimedEvent;
use domain::event::TARGETED;
use domain::goal::Goal;
use domain::time::{DAY, Instant};

/// Inputs of a campaign.
pub(super) const CAMPAIGN_INPUTS: &[&str] =
    &["contents", "days", "rate_of_campaigns", "rate_of_like_campaigns"];

/// Inputs of a user with a campaign.
pub(super) const PAIR_INPUTS: &[&str] = &[
    "response_to_campaigns",
    "response_to_like_campaigns",
    "covered_events_30d",
    "covered_contents_30d",
    "covered_share_30d",
    "covered_lift_30d",
    "covered_rarity_30d",
    "covered_cosine_30d",
    "covered_signals",
    "narrow_covered_events_30d",
    "narrow_covered_share_30d",
];

/// Window of the user's interest in what a campaign covers.
const INTEREST: i64 = 30 * DAY;
/// Half-life of his signals on it, in days.
const SIGNAL_HALF_LIFE: f64 = 60.0;
/// A campaign's rate behaves as if this many users at the overall rate had been targeted before.
const RATE_PRIOR: f64 = 20.0;
/// The same for the rate of campaigns that share a tag.
const LIKE_PRIOR: f64 = 50.0;
/// Responses beside expected responses behave as if half of one had happened and been expected.
const RESPONSE_PRIOR: f64 = 0.5;
/// A user's share behaves as if this many events at everybody's share had come before.
const SHARE_PRIOR: f64 = 5.0;

/// An earlier campaign, as it stood at a moment.
#[derive(Debug)]
struct Earlier {
    tags: BTreeSet<String>,
    /// Users targeted, sorted.
    audience: Vec<u32>,
    /// Those of them who have reached the goal, sorted.
    reached: Vec<u32>,
}

/// Campaigns that began before a moment, with what was known of them by then.
///
/// A campaign that still runs counts with the rate seen so far, on both sides of "responses beside expected responses": what
/// is yet to come cancels out.
#[derive(Debug)]
pub struct CampaignHistory {
    earlier: Vec<Earlier>,
    overall: f64,
    signals: Vec<bool>,
}

impl CampaignHistory {
    /// What was known before a moment.
    pub fn new(sources: &Sources<'_>, goal: &Goal, at: Instant) -> CampaignHistory {
        let timeline = sources.timeline;
        let names = timeline.names();
        let is_targeted: Vec<bool> = names.iter().map(|name| name == TARGETED).collect();
        let is_goal: Vec<bool> = names.iter().map(|name| goal.takes(name)).collect();
        let mut by_campaign: BTreeMap<u32, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        for user in 0..timeline.users().len() {
            for event in timeline.events_before(user, at) {
                let Some(campaign) = event.campaign else { continue };
                let (audience, reached) = by_campaign.entry(campaign).or_default();
                let name = event.name as usize;
                let list = if is_targeted[name] {
                    audience
                } else if is_goal[name] {
                    reached
                } else {
                    continue;
                };
                // Users come in order, so a repetition is the last entry.
                if list.last() != Some(&(user as u32)) {
                    list.push(user as u32);
                }
            }
        }
        let started = |code: u32| {
            let campaign = sources.catalogue.campaigns.get(&timeline.campaigns()[code as usize]);
            campaign.and_then(|campaign| campaign.window_start).is_none_or(|start| start < at)
        };
        let earlier: Vec<Earlier> = by_campaign
            .into_iter()
            .filter(|(code, (audience, _))| !audience.is_empty() && started(*code))
            .map(|(code, (audience, reached))| Earlier {
                tags: tags_of(sources, &timeline.campaigns()[code as usize]),
                reached: reached.into_iter().filter(|user| audience.binary_search(user).is_ok()).collect(),
                audience,
            })
            .collect();
        let total = |count: fn(&Earlier) -> usize| earlier.iter().map(count).sum::<usize>() as f64;
        let overall = (total(|campaign| campaign.reached.len()) + 1.0)
            / (total(|campaign| campaign.audience.len()) + 10.0);
        let signals = names.iter().map(|name| goal.is_signal(name)).collect();
        CampaignHistory { earlier, overall, signals }
    }

    /// Rate of the campaigns that share a tag with these, smoothed.
    fn like_rate(&self, tags: &BTreeSet<String>) -> f64 {
        let like = || self.earlier.iter().filter(|campaign| !campaign.tags.is_disjoint(tags));
        let reached = like().map(|campaign| campaign.reached.len()).sum::<usize>() as f64;
        let targeted = like().map(|campaign| campaign.audience.len()).sum::<usize>() as f64;
        (reached + LIKE_PRIOR * self.overall) / (targeted + LIKE_PRIOR)
    }

    /// ln((responses + ½) / (expected responses + ½)) of a user. A mere count of campaigns would grow with the months, and what
    /// was learned of small counts would not hold for large ones.
    fn response(&self, user: u32, counts: impl Fn(&Earlier) -> bool) -> f64 {
        let (mut got, mut expected) = (0.0, 0.0);
        for campaign in self.earlier.iter().filter(|campaign| counts(campaign)) {
            if campaign.audience.binary_search(&user).is_err() {
                continue;
            }
            let (reached, targeted) = (campaign.reached.len() as f64, campaign.audience.len() as f64);
            expected += (reached + RATE_PRIOR * self.overall) / (targeted + RATE_PRIOR);
            got += f64::from(u8::from(campaign.reached.binary_search(&user).is_ok()));
        }
        libm::log((got + RESPONSE_PRIOR) / (expected + RESPONSE_PRIOR))
    }
}

fn tags_of(sources: &Sources<'_>, campaign_id: &str) -> BTreeSet<String> {
    let campaign = sources.catalogue.campaigns.get(campaign_id);
    campaign.map(|campaign| campaign.tags.iter().cloned().collect()).unwrap_or_default()
}

/// What a campaign covers.
#[derive(Debug, Default)]
struct Covered {
    tags: BTreeSet<String>,
    /// How many contents; 0: nothing is known of what it covers.
    count: usize,
    /// Codes of those that are known, sorted.
    contents: Vec<u32>,
    days: f64,
    /// Share of all recent events that lies on its contents.
    population_share: f64,
    /// √ of the sum of squared rarities.
    norm: f64,
}

/// Everything about campaigns at one moment.
#[derive(Debug)]
pub struct CampaignInputs {
    at: Instant,
    history: CampaignHistory,
    /// By content: −ln of the share of users with a recent own event on it.
    rarity: Vec<f64>,
    /// The same of a content that nobody has touched.
    untouched_rarity: f64,
    /// Declared campaigns.
    covered: BTreeMap<String, Covered>,
    /// What a campaign covers that was never declared.
    nothing: Covered,
    /// Contents that are declared or were touched before, for the share that a campaign covers.
    contents: usize,
}

impl CampaignInputs {
    pub(super) fn new(sources: &Sources<'_>, history: CampaignHistory, at: Instant) -> CampaignInputs {
        let timeline = sources.timeline;
        // Who and what comes later may not show: the same events before the moment, the same numbers.
        let known = |user: &usize| !timeline.events_before(*user, at).is_empty();
        let users = (0..timeline.users().len()).filter(known).count() as f64;
        let rarity_of = |people: usize| -libm::log((people as f64 + 1.0) / (users + 2.0));
        let contents = timeline.contents().len();
        let (mut recent, mut rarity, mut counted) = (vec![0_usize; contents], vec![0.0; contents], 0);
        for content in 0..contents {
            let touches = timeline.touches_before(content, at);
            let is_declared = sources.declared.content(&timeline.contents()[content]).is_some();
            counted += usize::from(is_declared || !touches.is_empty());
            let touches = &touches[touches.partition_point(|touch| touch.at < at.plus(-INTEREST))..];
            let people: BTreeSet<u32> = touches.iter().map(|touch| touch.user).collect();
            recent[content] = touches.len();
            rarity[content] = rarity_of(people.len());
        }
        let mut inputs = CampaignInputs {
            at,
            history,
            rarity,
            untouched_rarity: rarity_of(0),
            covered: BTreeMap::new(),
            nothing: Covered::default(),
            contents: counted,
        };
        inputs.nothing = inputs.cover(sources, "", &recent);
        for id in sources.catalogue.campaigns.keys() {
            let covered = inputs.cover(sources, id, &recent);
            inputs.covered.insert(id.clone(), covered);
        }
        inputs
    }

    fn cover(&self, sources: &Sources<'_>, id: &str, recent: &[usize]) -> Covered {
        let campaign = sources.catalogue.campaigns.get(id);
        let ids: BTreeSet<&String> = campaign.iter().flat_map(|campaign| &campaign.contents).collect();
        let contents: Vec<u32> =
            ids.iter().filter_map(|id| sources.timeline.content(id)).map(|code| code as u32).collect();
        let on_covered: usize = contents.iter().map(|code| recent[*code as usize]).sum();
        let total: usize = recent.iter().sum();
        let rarities = ids.iter().map(|id| {
            sources.timeline.content(id).map_or(self.untouched_rarity, |content| self.rarity[content])
        });
        let squares: f64 = rarities.map(|rare| rare * rare).sum();
        let window = campaign.and_then(|campaign| Some((campaign.window_start?, campaign.window_end?)));
        Covered {
            tags: tags_of(sources, id),
            count: ids.len(),
            contents,
            days: window.map_or(f64::NAN, |(start, end)| (end.micros() - start.micros()) as f64 / DAY as f64),
            population_share: (on_covered as f64 + 1.0) / (total as f64 + 2.0),
            norm: libm::sqrt(squares),
        }
    }

    fn covered(&self, id: &str) -> &Covered {
        self.covered.get(id).unwrap_or(&self.nothing)
    }

    /// The campaign's block, by `CAMPAIGN_INPUTS`.
    pub(super) fn campaign(&self, id: &str) -> Vec<f64> {
        let covered = self.covered(id);
        vec![
            libm::log1p(covered.count as f64),
            // A window that nobody declared stays unknown.
            libm::log1p(covered.days.clamp(0.0, f64::MAX)),
            log_odds(self.history.overall),
            log_odds(self.history.like_rate(&covered.tags)),
        ]
    }

    /// The pair's block, by `PAIR_INPUTS`.
    pub(super) fn pair(&self, sources: &Sources<'_>, user: usize, id: &str) -> Vec<f64> {
        let covered = self.covered(id);
        let all = self.history.response(user as u32, |_| true);
        let like = self.history.response(user as u32, |earlier| !earlier.tags.is_disjoint(&covered.tags));
        let interest = self.interest(sources, user, covered);
        let mut inputs = vec![all, like];
        inputs.extend(interest);
        inputs.push(libm::log1p(self.signals(sources, user, covered)));
        // A campaign for nearly everything says little by what it covers; a narrow one says much.
        let narrow = 1.0 - covered.count as f64 / self.contents.max(1) as f64;
        inputs.extend([narrow * interest[0], narrow * interest[3]]);
        inputs
    }

    /// Recent own events on what the campaign covers: how many, on how many contents, share, lift, rarity, cosine.
    fn interest(&self, sources: &Sources<'_>, user: usize, covered: &Covered) -> [f64; 6] {
        let events = sources.timeline.events_within(user, self.at.plus(-INTEREST), self.at);
        let mut contents: Vec<u32> =
            events.iter().filter(|event| event.is_own).filter_map(|event| event.content).collect();
        contents.sort_unstable();
        let total = contents.len() as f64;
        let (mut on, mut distinct, mut rare, mut dot, mut squares) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for group in contents.chunk_by(|a, b| a == b) {
            let (content, count) = (group[0], group.len() as f64);
            let rarity = self.rarity[content as usize];
            let strength = libm::log1p(count) * rarity;
            squares += strength * strength;
            if covered.contents.binary_search(&content).is_ok() {
                on += count;
                distinct += 1.0;
                rare += rarity;
                dot += strength * rarity;
            }
        }
        let share = (on + SHARE_PRIOR * covered.population_share) / (total + SHARE_PRIOR);
        let norm = (libm::sqrt(squares) * covered.norm).max(1e-9);
        [
            libm::log1p(on),
            libm::log1p(distinct),
            share,
            libm::log(share / covered.population_share),
            libm::log1p(rare),
            dot / norm,
        ]
    }

    /// Decayed signals of the goal on what the campaign covers.
    fn signals(&self, sources: &Sources<'_>, user: usize, covered: &Covered) -> f64 {
        let weight = |event: &TimedEvent| {
            let is_on = event.content.is_some_and(|content| covered.contents.binary_search(&content).is_ok());
            let counts = is_on && self.history.signals[event.name as usize];
            if counts { decay(self.at, event.at, SIGNAL_HALF_LIFE) } else { 0.0 }
        };
        sources.timeline.events_before(user, self.at).iter().map(weight).sum()
    }
}
