//! Wire types describe exactly the bytes that are sent: an answer read into its type and written again is the same text.

use api::wire::content_preview::ContentPreviewBody;
use api::wire::decision::DecisionBody;
use api::wire::explanation::ExplanationBody;
use domain::identity::sha256_hex;
use engine::DecisionQuestion;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::support::client::Reply;
use crate::support::server::Server;
use crate::support::world::{NOW, workspace};

/// Reads an answer into its type and writes it again.
fn again<T: Serialize + DeserializeOwned>(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    serde_json::to_string(&serde_json::from_str::<T>(&reply.text).unwrap()).unwrap()
}

#[test]
fn decisions_explanations_and_previews_are_what_their_types_say() {
    let workspace = workspace();
    let server = Server::start(workspace.path(), &["--now", NOW]);
    let mut actions = Vec::new();
    for user in ["morning", "evening", "plain", "denied", "muted", "off", "nowhere", "stranger"] {
        let decision = server.ask(&json!({ "user_id": user }));
        assert_eq!(again::<DecisionBody>(&decision), decision.text);
        actions.push(decision.json()["action"].as_str().unwrap().to_string());
        let id = decision.json()["decision_id"].as_str().unwrap().to_string();
        let explanation = server.get(&format!("/v1/decisions/{id}/explain"));
        assert_eq!(again::<ExplanationBody>(&explanation), explanation.text);
    }
    assert!(
        actions.iter().any(|action| action == "send") && actions.iter().any(|action| action == "no_send")
    );
    for query in ["", "?user_id=plain&locale=en-GB&channel=in_app"] {
        let preview = server.get(&format!("/v1/contents/news-1/preview{query}"));
        assert_eq!(again::<ContentPreviewBody>(&preview), preview.text);
    }
}

#[test]
fn a_question_has_the_hash_that_old_logs_have_of_it() {
    let question = DecisionQuestion {
        user_id: "u".into(),
        campaign_id: None,
        content_ids: Some(vec!["a".into(), "b".into()]),
        horizon_hours: Some(24),
        channel: None,
    };
    let logged = "{\"user_id\":\"u\",\"campaign_id\":null,\"content_ids\":[\"a\",\"b\"],\"horizon_hours\":24,\"channel\":null}";
    assert_eq!(question.hash(), sha256_hex(logged.as_bytes())[..16]);
}
