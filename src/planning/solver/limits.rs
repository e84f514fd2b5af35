//! What a plan must keep to: limits of campaigns, limits they share, and rules about the sends of one user.

/// The limits of one campaign; none where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CampaignLimits {
    /// Most sends in any minute.
    pub throttle_per_minute: Option<u32>,
    /// Most sends at all.
    pub max_sends: Option<u32>,
}

/// The limits of all campaigns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// One for each campaign, in order; a campaign without an entry has none.
    pub campaigns: Vec<CampaignLimits>,
    /// Most sends of all campaigns in any minute.
    pub throttle_per_minute: Option<u32>,
    /// Most sends of all campaigns in any hour (UTC).
    pub most_per_hour: Option<u32>,
}

impl Limits {
    /// The limits of a campaign.
    pub fn of(&self, campaign: usize) -> CampaignLimits {
        self.campaigns.get(campaign).copied().unwrap_or_default()
    }
}

/// A send to a user that is chosen or considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its campaign.
    pub campaign: usize,
    /// The first minute after the origin in which it may be sent.
    pub first: usize,
    /// The last such minute; the same when the minute is decided.
    pub last: usize,
    /// What the caller gave with the option.
    pub payload: u32,
}

/// Rules about the sends of one user across campaigns: caps, gaps, quotas.
pub trait JointRules: Sync {
    /// The number of a rule that these sends (one a campaign at most) break together, whatever their minutes.
    ///
    /// While minutes are open (`first < last`) a rule that *can* be kept counts as kept; once all are decided the
    /// answer must be exact. Taking a send away, or leaving its minutes more open, must never break a rule.
    fn refused_by(&self, user: usize, chosen: &[Chosen]) -> Option<u16>;

    /// A number of sends the user can never exceed; a small one makes planning many campaigns much faster.
    fn most_sends(&self, _user: usize) -> usize {
        usize::MAX
    }
}

/// No rule at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRules;

impl JointRules for NoRules {
    fn refused_by(&self, _user: usize, _chosen: &[Chosen]) -> Option<u16> {
        None
    }
}
