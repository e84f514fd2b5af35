//! What the models of a snapshot know of users and contents: the same inputs, by the same functions, as in training.

use std::collections::BTreeMap;

use super::priors::{self, Peers};
use super::scorer::{LearnedScorer, SnapshotScorer};
use decisions::context::DecisionContext;
use domain::content::Content;
use domain::goal::Unit;
use domain::user::User;
use models::inputs::{AsOf, Item, UserAsOf};
use models::material::Material;
use profiles::ProfileError;
use profiles::recent::Recent;
use registry::model::InputBlock;

/// The material of a snapshot, and what each goal's model needs of it.
#[derive(Debug)]
pub(super) struct Knowledge {
    material: Material,
    by_goal: BTreeMap<String, AsOf>,
    /// By goal, contents with a history as its model sees them, where it tells contents apart.
    peers: BTreeMap<String, Peers>,
    /// The same by popularity.
    popular_peers: Peers,
}

impl Knowledge {
    /// Gathers what the learned scorers among these need.
    pub(super) fn gather(
        material: Material,
        scorers: &BTreeMap<String, SnapshotScorer>,
        recent: &Recent,
        least_evidence: f64,
    ) -> Result<Knowledge, ProfileError> {
        let (mut by_goal, mut peers) = (BTreeMap::new(), BTreeMap::new());
        for (goal, scorer) in scorers {
            if let SnapshotScorer::Learned(learned) = scorer {
                let sources = material.sources(&learned.model.profile_settings);
                let as_of = AsOf::new(&sources, &learned.model.definition, material.as_of)?;
                if learned.model.definition.unit == Unit::UserContent {
                    let of_goal = Peers::of_model(&material, recent, &as_of, &learned.model, least_evidence);
                    peers.insert(goal.clone(), of_goal);
                }
                by_goal.insert(goal.clone(), as_of);
            }
        }
        let popular_peers = Peers::of_popularity(&material, recent, least_evidence);
        Ok(Knowledge { material, by_goal, peers, popular_peers })
    }

    /// Events and declarations.
    pub(super) fn material(&self) -> &Material {
        &self.material
    }

    /// What a goal's model knows of a user; `None` without a model, of a user without events, and of one whose acts may not
    /// decide what he gets.
    pub(super) fn of_user<'a>(
        &'a self,
        goal: &str,
        scorer: &'a SnapshotScorer,
        user: &User,
    ) -> Option<UserAsOf<'a>> {
        let SnapshotScorer::Learned(learned) = scorer else { return None };
        let code = self.material.timeline.user(&user.user_id).filter(|_| user.personalisation)?;
        let as_of = self.by_goal.get(goal)?;
        Some(as_of.user(&self.material.sources(&learned.model.profile_settings), code))
    }

    /// Contents that the user's own past suggests, at most `most`, by id.
    pub(super) fn candidates(&self, known: &UserAsOf<'_>, most: usize) -> Vec<&str> {
        // What he comes back to is half as much again.
        let codes = known.candidates(most * 2 / 3, false);
        codes.into_iter().map(|code| self.material.timeline.contents()[code].as_str()).collect()
    }

    /// Fills the blocks of model inputs of a context: user, and content and pair of each content. A block that cannot be
    /// known stays empty, and counts as the mean.
    pub(super) fn fill(
        &self,
        goal: &str,
        scorer: &SnapshotScorer,
        recent: &Recent,
        known: Option<&UserAsOf<'_>>,
        context: &mut DecisionContext,
    ) {
        match scorer {
            SnapshotScorer::Popularity(_) => {
                for content in &mut context.contents {
                    content.content_inputs = vec![recent.popularity(&content.content.content_id)];
                }
                priors::fill_popularity(&self.popular_peers, recent, context);
            }
            SnapshotScorer::Learned(learned) => {
                if let Some(as_of) = self.by_goal.get(goal) {
                    self.fill_learned(as_of, learned, known, context);
                    if let Some(peers) = self.peers.get(goal) {
                        priors::fill_model(peers, (as_of, &learned.model), recent, known, context);
                    }
                }
            }
        }
    }

    fn fill_learned(
        &self,
        as_of: &AsOf,
        learned: &LearnedScorer,
        known: Option<&UserAsOf<'_>>,
        context: &mut DecisionContext,
    ) {
        let campaign = context.campaign.as_ref().map(|campaign| campaign.campaign_id.clone());
        context.user_inputs =
            known.map(|known| known.block(InputBlock::User, Item::Nothing)).unwrap_or_default();
        for content in &mut context.contents {
            let code = self.material.timeline.content(&content.content.content_id);
            let item = match (learned.model.definition.unit, code, &campaign) {
                (Unit::UserContent, Some(code), _) => Item::Content(code),
                (Unit::UserCampaign, _, Some(id)) => Item::Campaign(id),
                _ => Item::Nothing,
            };
            content.content_inputs = about(as_of, &content.content, item);
            content.pair_inputs = known.map(|known| known.block(InputBlock::Pair, item)).unwrap_or_default();
        }
    }
}

/// The content block of an item, whoever the user is.
fn about(as_of: &AsOf, content: &Content, item: Item<'_>) -> Vec<f64> {
    match item {
        Item::Nothing => as_of.untouched(content.published_at),
        item => as_of.about(item),
    }
}
