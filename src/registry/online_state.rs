//! Where a model that is learned online may go on: `online.json` beside its `model.json`.

use serde::{Deserialize, Serialize};

use learners::ftrl::Ftrl;

/// Version of online.json.
pub const FORMAT: u32 = 1;

/// online.json beside a model.json: where its learning may go on. A model without it can be scored, not continued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnlineState {
    /// Version of this file.
    pub format: u32,
    /// One of so many negative examples was kept.
    pub one_kept_of: u32,
    /// What was learned, before the intercept is moved for the negatives that were left out.
    pub learner: Ftrl,
}
