//! What a request for a decision says.

use serde::Deserialize;

use engine::DecisionQuestion;

/// "What and when for this user?"
#[derive(Clone, Debug, Default, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Who.
    #[schema(min_length = 1, max_length = 128)]
    pub user_id: String,
    /// For this campaign; without one, the running campaigns compete.
    #[serde(default)]
    pub campaign_id: Option<String>,
    /// Only these contents. Repetitions count once.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 500)]
    pub content_ids: Option<Vec<String>>,
    /// How far ahead the send may lie, 1 … 168.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 168)]
    pub horizon_hours: Option<u32>,
    /// Over this channel.
    #[serde(default)]
    pub channel: Option<String>,
}

impl From<Question> for DecisionQuestion {
    fn from(question: Question) -> DecisionQuestion {
        let Question { user_id, campaign_id, content_ids, horizon_hours, channel } = question;
        DecisionQuestion { user_id, campaign_id, content_ids, horizon_hours, channel }
    }
}
