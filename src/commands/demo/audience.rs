//! The demo's audience: who a campaign might be for, and whom of them a push would reach.

use serde_json::Value;

use super::super::output::thousands;
use super::super::{Context, Failure};
use super::heading;
use files::workspace::{Workspace, WriteLock};
use profiles::table::ProfileFile;
use segments::answers::count::{By, Counted};
use segments::answers::desk::Desk;
use segments::answers::privacy::Reader;
use segments::people::reach::{self, Reach};

/// The segment that the demo saves.
pub(super) const ID: &str = "produce-cooling";
const WHERE: &str = "lifecycle = \"cooling\" and interest(\"PRODUCE\") > 0.02";
const DESCRIPTION: &str = "produce buyers cooling off";

/// What the demo says of an audience.
pub(super) struct Told {
    pub(super) lines: Vec<String>,
    pub(super) json: Value,
}

/// Saves the segment and counts it.
pub(super) fn tell(context: &Context, workspace: &Workspace, lock: &WriteLock) -> Result<Told, Failure> {
    let (config, as_of) = (&context.config, ProfileFile::find(workspace, None)?.as_of);
    let desk = Desk::open(workspace, config)?;
    let (expression, _) =
        desk.compile_text(WHERE, as_of, Some(ID)).map_err(|error| Failure::ours(error.render(WHERE)))?;
    desk.saved.save(ID, &expression, Some(DESCRIPTION), context.now, lock)?;
    let (desk, reader) = (Desk::open(workspace, config)?, Reader::DataTeam);
    let asked = desk.saved_one(ID, as_of)?;
    let by = By::read(&desk, &[], as_of, reader).map_err(|(_, error)| error)?;
    let evaluated = desk.evaluate(std::slice::from_ref(&asked), as_of, reader, &by.keys())?;
    let (people, mask) = (&evaluated.people, &evaluated.masks[0]);
    let reached = reach::reach(people, workspace, &config.decisions, &desk.zone)?;
    let counted = Counted {
        asked: &asked,
        as_of,
        users: people.len() as u64,
        reader,
        members: evaluated.count(),
        breakdowns: by.breakdowns(&desk.catalogue, people, mask, &reached)?,
        change: None,
    };
    let of_members: Vec<Reach> =
        reached.iter().zip(mask).filter(|(_, taken)| **taken).map(|(reach, _)| *reach).collect();
    Ok(Told { lines: lines(workspace, counted.members, &of_members), json: counted.to_json() })
}

fn lines(workspace: &Workspace, members: u64, reached: &[Reach]) -> Vec<String> {
    let count = |part: Reach| reached.iter().filter(|reach| **reach == part).count() as u64;
    let parts = Reach::ALL.into_iter().filter(|part| *part != Reach::NoDevice || count(*part) > 0);
    let parts: Vec<String> =
        parts.map(|part| format!("{} {}", name_of(part), thousands(count(part)))).collect();
    let mut lines =
        heading(8, &format!("Who: {DESCRIPTION} → {} · {}", thousands(members), parts.join(" · ")));
    lines.push(format!("   segment {ID}: {WHERE}"));
    let root = workspace.root().display();
    lines.push(format!("   next: smartpush --workspace {root} segment count --segment {ID} --by best_hour"));
    lines
}

const fn name_of(part: Reach) -> &'static str {
    match part {
        Reach::Reachable => "reachable",
        Reach::OptedOut => "opted out",
        Reach::UnknownConsent => "consent unknown",
        Reach::Holdout => "holdout",
        Reach::NoDevice => "no device",
        Reach::Capped => "capped",
    }
}
