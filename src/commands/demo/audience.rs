//! The demo's audience: who a campaign might be for, and whom of them a push would reach.

use super::super::output::thousands;
use super::heading;
use files::workspace::Workspace;
use operations::demo::{SEGMENT_DESCRIPTION, SEGMENT_ID, SEGMENT_WHERE};
use segments::answers::count::Counted;
use segments::people::reach::Reach;

/// Whom of the members a push would reach.
pub(super) fn lines(workspace: &Workspace, counted: &Counted) -> Vec<String> {
    let reach = counted.breakdowns.iter().find(|breakdown| breakdown.by == "reach");
    let groups = reach.map(|breakdown| breakdown.groups.as_slice()).unwrap_or_default();
    let count = |part: Reach| {
        groups.iter().find(|(name, _)| name == part.as_str()).map_or(0, |(_, members)| *members)
    };
    let parts = Reach::ALL.into_iter().filter(|part| is_always_shown(*part) || count(*part) > 0);
    let parts: Vec<String> =
        parts.map(|part| format!("{} {}", name_of(part), thousands(count(part)))).collect();
    let members = thousands(counted.members);
    let mut lines = heading(8, &format!("Who: {SEGMENT_DESCRIPTION} → {members} · {}", parts.join(" · ")));
    lines.push(format!("   segment {SEGMENT_ID}: {SEGMENT_WHERE}"));
    let root = workspace.root().display();
    lines.push(format!(
        "   next: smartpush --workspace {root} segment count --segment {SEGMENT_ID} --by best_hour"
    ));
    lines
}

/// A zero of these is an answer too.
const fn is_always_shown(part: Reach) -> bool {
    matches!(
        part,
        Reach::Reachable | Reach::OptedOut | Reach::UnknownConsent | Reach::Holdout | Reach::Capped
    )
}

const fn name_of(part: Reach) -> &'static str {
    match part {
        Reach::Reachable => "reachable",
        Reach::UntrustedClock => "clock untrusted",
        Reach::OptedOut => "opted out",
        Reach::UnknownConsent => "consent unknown",
        Reach::UnreadablePreferences => "preferences unreadable",
        Reach::UnknownZone => "zone unknown",
        Reach::Holdout => "holdout",
        Reach::NoChannel => "no channel",
        Reach::NoDevice => "no device",
        Reach::Capped => "capped",
    }
}
