//! Model inputs, as of a moment: one function for training and for serving, in blocks user(u), content(c), pair(u, c).
//!
//! For goals about campaigns the campaign stands where the content does. Everything uses events before the moment, and of
//! what was declared only what does not change: a campaign's window, tags and contents, a content's publication.

pub mod campaign;
pub mod content;
mod decay;
mod sparse_sums;
pub mod user;

use campaign::{CampaignHistory, CampaignInputs};
use content::{ContentInputs, ContentView};
use user::UserBlock;

use super::timeline::Timeline;
use config::ProfilesConfig;
use domain::goal::{Goal, Unit};
use domain::identity::sha256_hex;
use domain::time::Instant;
use events::catalogue::Catalogue;
use profiles::ProfileError;
use profiles::declared::Declared;
use registry::model::InputBlock;

/// What inputs are computed from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// All events.
    pub timeline: &'a Timeline,
    /// Declarations that profiles need.
    pub declared: &'a Declared,
    /// Declared users, contents, campaigns.
    pub catalogue: &'a Catalogue,
    /// Half-lives and the like.
    pub profiles: &'a ProfilesConfig,
    /// Whose midnights examples are taken at.
    pub default_time_zone: &'a str,
}

impl Sources<'_> {
    /// Did the user say that what he does may not decide what he gets? Nothing learns from him then.
    pub fn is_opted_out_of_learning(&self, user_id: &str) -> bool {
        self.catalogue.users.get(user_id).is_some_and(|user| !user.personalisation)
    }
}

/// The inputs of a unit, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct InputList {
    names: Vec<(InputBlock, &'static str)>,
}

impl InputList {
    /// The inputs of a unit: user block, then content, then pair.
    pub fn of(unit: Unit) -> InputList {
        let user = user::user_features().into_iter().map(|feature| (InputBlock::User, feature.name));
        let (content, pair): (&[&str], &[&str]) = match unit {
            Unit::UserDay => (&[], &[]),
            Unit::UserCampaign => (campaign::CAMPAIGN_INPUTS, campaign::PAIR_INPUTS),
            Unit::UserContent => (content::CONTENT_INPUTS, content::PAIR_INPUTS),
        };
        let content = content.iter().map(|name| (InputBlock::Content, *name));
        let pair = pair.iter().map(|name| (InputBlock::Pair, *name));
        let user = user.chain(user::SIGNAL_INPUTS.iter().map(|name| (InputBlock::User, *name)));
        InputList { names: user.chain(content).chain(pair).collect() }
    }

    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Blocks and names in order.
    pub fn iter(&self) -> impl Iterator<Item = (InputBlock, &'static str)> {
        self.names.iter().copied()
    }
}

/// Raised when the meaning of an input of the content or pair block changes: models of another revision are refused.
const REVISION: u32 = 2;

/// Identity of a unit's list of inputs.
pub fn inputs_sha256(unit: Unit) -> String {
    let lines: Vec<String> =
        InputList::of(unit).iter().map(|(block, name)| format!("{}.{name}", block.as_str())).collect();
    sha256_hex(format!("r{REVISION}\n{}", lines.join("\n")).as_bytes())
}

/// Everything that the inputs of a goal need at one moment. What it was gathered from is handed in again where one user is
/// looked at, so that a server can keep both.
#[derive(Debug)]
pub struct AsOf {
    at: Instant,
    user: UserBlock,
    items: Items,
}

/// What stands in the content block.
#[derive(Debug)]
enum Items {
    Nothing,
    Campaigns(CampaignInputs),
    Contents(ContentInputs),
}

impl AsOf {
    /// Gathers what was known before a moment.
    pub fn new(sources: &Sources<'_>, goal: &Goal, at: Instant) -> Result<AsOf, ProfileError> {
        let items = match goal.unit {
            Unit::UserDay => Items::Nothing,
            Unit::UserCampaign => {
                Items::Campaigns(CampaignInputs::new(sources, CampaignHistory::new(sources, goal, at), at))
            }
            Unit::UserContent => Items::Contents(ContentInputs::new(sources, at)),
        };
        Ok(AsOf { at, user: UserBlock::new(sources, goal, at)?, items })
    }

    /// The moment.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// One user at this moment, by the sources that this was gathered from.
    pub fn user<'a>(&'a self, sources: &Sources<'a>, user: usize) -> UserAsOf<'a> {
        let view = match &self.items {
            Items::Contents(contents) => Some(contents.view(sources, user)),
            Items::Nothing | Items::Campaigns(_) => None,
        };
        UserAsOf { as_of: self, sources: *sources, user, view }
    }

    /// The content block of an item, whoever the user is.
    pub fn about(&self, item: Item<'_>) -> Vec<f64> {
        match (&self.items, item) {
            (Items::Campaigns(campaigns), Item::Campaign(id)) => campaigns.campaign(id),
            (Items::Contents(contents), Item::Content(content)) => contents.content(content).to_vec(),
            _ => Vec::new(),
        }
    }

    /// The content block of what no event has touched yet: nothing popular, as old as its publication.
    pub fn untouched(&self, published_at: Option<Instant>) -> Vec<f64> {
        match &self.items {
            Items::Contents(_) => content::untouched(self.at, published_at),
            Items::Nothing | Items::Campaigns(_) => Vec::new(),
        }
    }

    /// Is the content published and not expired? False for goals that are not about contents.
    pub fn is_alive(&self, content: usize) -> bool {
        matches!(&self.items, Items::Contents(contents) if contents.is_alive(content))
    }
}

/// What an example or a score is about, beside the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// Nothing.
    Nothing,
    /// A campaign.
    Campaign(&'a str),
    /// A content.
    Content(usize),
}

/// One user at a moment: what his pairs share is computed once.
pub struct UserAsOf<'a> {
    as_of: &'a AsOf,
    sources: Sources<'a>,
    user: usize,
    view: Option<ContentView>,
}

impl UserAsOf<'_> {
    /// One block of inputs of the user with an item.
    pub fn block(&self, block: InputBlock, item: Item<'_>) -> Vec<f64> {
        let as_of = self.as_of;
        match (block, &as_of.items, item) {
            (InputBlock::User, _, _) => as_of.user.of_user(self.user).to_vec(),
            (InputBlock::Content, _, item) => as_of.about(item),
            (InputBlock::Pair, Items::Campaigns(campaigns), Item::Campaign(id)) => {
                campaigns.pair(&self.sources, self.user, id)
            }
            (InputBlock::Pair, Items::Contents(contents), Item::Content(content)) => {
                self.view.as_ref().map(|view| contents.pair(view, content)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// The user's candidates among the contents that are alive, at most `most` and, unless only `unseen` ones are wanted, half
    /// as many again that he comes back to; in order of content. Empty for goals that are not about contents.
    pub fn candidates(&self, most: usize, unseen: bool) -> Vec<usize> {
        match (&self.as_of.items, &self.view) {
            (Items::Contents(contents), Some(view)) => contents.candidates(view, most, unseen),
            _ => Vec::new(),
        }
    }

    /// Candidates that do not depend on what the user did. Empty for goals that are not about contents.
    pub fn popular(&self, most: usize) -> Vec<usize> {
        match &self.as_of.items {
            Items::Contents(contents) => contents.popular(most),
            Items::Nothing | Items::Campaigns(_) => Vec::new(),
        }
    }

    /// Has the user touched the content before the moment?
    pub fn has_touched(&self, content: usize) -> bool {
        self.view.as_ref().is_some_and(|view| view.has_touched(content as u32))
    }
}
