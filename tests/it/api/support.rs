//! What tests of the API share: a server in this process, its client, and a made-up workspace.

#[path = "../support/client.rs"]
pub mod client;
#[path = "local_server.rs"]
pub mod server;
#[path = "../support/world.rs"]
pub mod world;

use std::path::Path;

use config::Config;
use domain::time::Instant;
use events::ingest::ingest;
use events::mapping::Renames;
use events::request::{FilesRequest, InputKind};
use files::workspace::Workspace;

/// Ingests a text as a file of some kind.
pub fn take(workspace: &Path, kind: &str, name: &str, text: &str) {
    let inbox = tempfile::tempdir().unwrap();
    let file = inbox.path().join(name);
    std::fs::write(&file, text).unwrap();
    let kind = match kind {
        "users" => InputKind::Users,
        "contents" => InputKind::Contents,
        "campaigns" => InputKind::Campaigns,
        _ => InputKind::Events,
    };
    let now = Instant::parse_rfc3339("2030-01-01T00:00:00Z").unwrap();
    let (files, renames) = (&[file][..], Renames::default());
    let request = FilesRequest { files, kind, format: None, renames, zone: None, now };
    let workspace = Workspace::create(workspace).unwrap();
    let summary = ingest(&workspace, &Config::defaults().ingest, &request, &|_| ()).unwrap();
    assert_eq!((summary.rejected, summary.refused.len()), (0, 0), "{summary:?}");
}
