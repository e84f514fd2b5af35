//! What a push reaches a user on.

use serde::{Deserialize, Serialize};

/// A device, or another address at which a user can be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its id.
    pub device_id: String,
    /// The channel that reaches it.
    #[serde(default = "push")]
    pub channel: String,
    /// The vendor whose push service (厂商通道) delivers to it: huawei, xiaomi, oppo, vivo, honor …
    #[serde(default)]
    pub vendor: Option<String>,
    /// Can it be reached at present?
    #[serde(default = "yes")]
    pub active: bool,
}

fn push() -> String {
    "push".to_string()
}

fn yes() -> bool {
    true
}
