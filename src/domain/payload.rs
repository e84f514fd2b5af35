//! How large a push is on its way to a device.

use serde_json::json;

/// Most bytes of a push's payload.
///
/// Apple refuses larger ones with `PayloadTooLarge` ("Generating a remote notification": 4 KB, 4096 bytes), Firebase with
/// `MessageTooBig` ("Maximum message size": 4096 bytes).
pub const LARGEST_PAYLOAD: usize = 4096;

/// The rule that refuses a content whose push would be larger than push services accept.
pub const PAYLOAD_FITS: &str = "payload_fits";

/// Does a message over this channel go through a push service? `push`, `web_push`, and channels of one's own such as `android_push`.
pub fn is_push(channel: &str) -> bool {
    channel.ends_with("push")
}

/// Bytes of a push's payload: the alert and the link as JSON in UTF-8, as a push service counts them.
pub fn payload_bytes(title: &str, body: &str, deep_link: Option<&str>) -> usize {
    let alert = json!({ "aps": { "alert": { "title": title, "body": body } } });
    let link = deep_link.map(|link| json!({ "deep_link": link }).to_string().len());
    alert.to_string().len() + link.unwrap_or_default()
}

/// Bytes that a text takes within a payload.
pub fn text_bytes(text: &str) -> usize {
    json!(text).to_string().len() - "\"\"".len()
}
