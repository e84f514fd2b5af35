//! What it takes to look at one user after another of a town of many users and contents: CPU seconds of the views that
//! inputs about contents come from.
//!
//! `cargo bench --bench neighbours [-- USERS CONTENTS LOOKED_AT]`; each user touches twenty contents.

use std::error::Error;
use std::fmt::Write;

use smartpush::config::Config;
use smartpush::domain::time::{DAY, HOUR, Instant};
use smartpush::events::catalogue::Catalogue;
use smartpush::events::ingest::ingest;
use smartpush::events::lake::Lake;
use smartpush::events::mapping::Renames;
use smartpush::events::request::{FilesRequest, InputKind};
use smartpush::files::workspace::Workspace;
use smartpush::models::inputs::{AsOf, Sources};
use smartpush::models::timeline::Timeline;
use smartpush::profiles::declared::Declared;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 2024-01-01.
const FIRST: Instant = Instant::from_micros(1_704_067_200_000_000);
const DAYS: u64 = 28;
const TOUCHES: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    // cargo hands `--bench` on to whatever it runs.
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let mut next = |default: usize| numbers.next().unwrap_or(default);
    let (users, contents, looked_at) = (next(100_000), next(20_000), next(20_000));
    let directory = tempfile::TempDir::new()?;
    let workspace = Workspace::create(directory.path())?;
    fill(&workspace, users, contents)?;
    let (config, at) = (Config::defaults(), FIRST.plus(DAYS as i64 * DAY));
    let (lake, declared) = (Lake::open(&workspace)?, Declared::read(&workspace, &config.default_time_zone)?);
    let (timeline, catalogue) =
        (Timeline::read(&lake, &declared, at, &|_, _| ())?, Catalogue::read(&workspace)?);
    let sources = Sources {
        timeline: &timeline,
        declared: &declared,
        catalogue: &catalogue,
        profiles: &config.profiles,
        default_time_zone: &config.default_time_zone,
    };
    let as_of = AsOf::new(&sources, &config.goals["engage_24h"], at)?;
    let start = cpu_seconds()?;
    let mut candidates = 0;
    for user in 0..looked_at.min(timeline.users().len()) {
        candidates += as_of.user(&sources, user).candidates(config.training.candidates, false).len();
    }
    let seconds = cpu_seconds()? - start;
    println!(
        "{users} users, {contents} contents: {looked_at} users looked at in {seconds:.2} CPU s, {candidates} candidates"
    );
    Ok(())
}

/// Seconds that this thread has been running on a processor (Linux).
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().ok_or("an empty schedstat")?.parse()?;
    Ok(nanoseconds / 1e9)
}

/// Twenty touches a user, of contents of which the early ones are the popular ones.
fn fill(workspace: &Workspace, users: usize, contents: usize) -> Result<(), Box<dyn Error>> {
    let declared: String =
        (0..contents).map(|content| format!("c{content:06},k{}\n", content % 50)).collect();
    take(workspace, InputKind::Contents, &format!("content_id,category\n{declared}"))?;
    let (mut events, mut draws) = ("user_id,event,timestamp,content_id\n".to_string(), Draws(1));
    for user in 0..users {
        for _ in 0..TOUCHES {
            let (share, hours) = (draws.share(), (draws.share() * (DAYS * 24) as f64) as i64);
            let content = (contents as f64 * share * share * share) as usize;
            let at = FIRST.plus(hours * HOUR);
            writeln!(events, "u{user:07},view,{at},c{content:06}")?;
        }
    }
    take(workspace, InputKind::Events, &events)
}

fn take(workspace: &Workspace, kind: InputKind, text: &str) -> Result<(), Box<dyn Error>> {
    let path = workspace.root().join("taken.csv");
    std::fs::write(&path, text)?;
    let request = FilesRequest {
        files: &[path],
        kind,
        format: None,
        renames: Renames::default(),
        zone: None,
        now: FIRST.plus(365 * DAY),
    };
    ingest(workspace, &Config::defaults().ingest, &request, &|_| ())?;
    Ok(())
}

/// Numbers between 0 and 1 that look random.
struct Draws(u64);

impl Draws {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((bits ^ (bits >> 31)) >> 11) as f64) / (1_u64 << 53) as f64
    }
}
