//! The world as a person would export it: own names, naive stamps of one zone, rows twice, rows that are broken.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::acts::Act;
use crate::content::{CATEGORIES, Content};
use crate::reader::Reader;
use crate::support::draws::Draws;
use crate::world::World;

/// The zone in which the exporting product writes its stamps.
pub(crate) const EXPORT_ZONE: &str = "Asia/Shanghai";

/// Rows that occur a second time.
pub(crate) const REPEATS: usize = 400;

const HEADER: &[u8] = b"uid,what,thing,when,tz,paid,visit\n";

/// Broken rows: how many, what is wrong, the row.
const BROKEN: [(usize, &str, &[u8]); 9] = [
    (8, "no user", b",read,politics-01,2025-03-14 09:26:53,Asia/Shanghai,,"),
    (7, "no event", b"r00001,,politics-01,2025-03-14 09:26:53,Asia/Shanghai,,"),
    (7, "no stamp", b"r00001,read,politics-01,,Asia/Shanghai,,"),
    (7, "a word for a stamp", b"r00001,read,politics-01,yesterday,Asia/Shanghai,,"),
    (6, "no such day", b"r00001,read,politics-01,2025-02-30 09:26:53,Asia/Shanghai,,"),
    (6, "in the future", b"r00001,read,politics-01,2093-03-14 09:26:53,Asia/Shanghai,,"),
    (5, "before 1970", b"r00001,read,politics-01,1953-03-14 09:26:53,Asia/Shanghai,,"),
    (5, "not UTF-8", b"r00001,read,politics-\xff\xfe,2025-03-14 09:26:53,Asia/Shanghai,,"),
    (4, "a control character", b"r0\x0700001,read,politics-01,2025-03-14 09:26:53,Asia/Shanghai,,"),
];

/// Broken rows in all.
pub(crate) fn broken() -> usize {
    BROKEN.iter().map(|(count, _, _)| count).sum()
}

/// Writes all files of the export.
pub(crate) fn write(world: &World, folder: &Path, draws: &mut Draws) {
    fs::write(folder.join("events.csv"), events(world, draws)).unwrap();
    fs::write(folder.join("users.csv"), users(&world.readers)).unwrap();
    fs::write(folder.join("contents.jsonl"), contents(&world.contents)).unwrap();
    fs::write(folder.join("campaigns.jsonl"), campaigns(&world.contents)).unwrap();
}

fn events(world: &World, draws: &mut Draws) -> Vec<u8> {
    let zone = TimeZone::get(EXPORT_ZONE).unwrap();
    let mut rows: Vec<Vec<u8>> = world.acts.iter().map(|act| row(act, world, &zone).into_bytes()).collect();
    let mut extra: Vec<Vec<u8>> = (0..REPEATS).map(|_| rows[index(rows.len(), draws)].clone()).collect();
    for (count, _, broken) in BROKEN {
        extra.extend((0..count).map(|_| broken.to_vec()));
    }
    // From the back, so that each place is one between rows that are not extra.
    let mut places: Vec<usize> = extra.iter().map(|_| index(rows.len(), draws)).collect();
    places.sort_unstable();
    let shuffled = extra.len();
    for last in (1..shuffled).rev() {
        extra.swap(last, index(last + 1, draws));
    }
    let mut file = HEADER.to_vec();
    let mut extra = places.into_iter().zip(extra).peekable();
    for (place, row) in rows.drain(..).enumerate() {
        while let Some((_, broken)) = extra.next_if(|(at, _)| *at == place) {
            line(&mut file, &broken);
        }
        line(&mut file, &row);
    }
    file
}

fn line(file: &mut Vec<u8>, row: &[u8]) {
    file.extend_from_slice(row);
    file.push(b'\n');
}

fn index(length: usize, draws: &mut Draws) -> usize {
    (draws.uniform() * length as f64) as usize
}

fn row(act: &Act, world: &World, zone: &TimeZone) -> String {
    let reader = &world.readers[act.reader];
    let thing = act.content.map_or("", |content| &world.contents[content].content_id);
    let paid = act.cents.map(|cents| format!("{}.{:02}", cents / 100, cents % 100)).unwrap_or_default();
    let visit = act.visit.map(|visit| format!("v{visit}")).unwrap_or_default();
    let when = naive(act.at, zone);
    format!("{},{},{thing},{when},{},{paid},{visit}", reader.user_id, act.what, reader.zone)
}

fn naive(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn users(readers: &[Reader]) -> String {
    let mut file = "uid,zone,lang,land,joined,may_push,tier,first_name\n".to_string();
    for reader in readers {
        let zone = if reader.zone_is_declared { reader.zone } else { "" };
        let Reader { user_id, language, country, joined, consent, tier, .. } = reader;
        let name = reader.first_name.unwrap_or_default();
        writeln!(file, "{user_id},{zone},{language},{country},{joined},{consent},{tier},{name}").unwrap();
    }
    file
}

fn contents(contents: &[Content]) -> String {
    let object = |content: &Content| {
        let category = CATEGORIES[content.category].name;
        json!({
            "content_id": content.content_id,
            "category": category,
            "tags": content.tags,
            "published_at": content.published_at.to_string(),
            "variants": [{
                "variant_id": "main",
                "title": format!("{{{{first_name|Hello}}}}, something new about {category}"),
                "body": format!("Our latest on {category}, for you"),
            }],
        })
    };
    contents.iter().map(|content| format!("{}\n", object(content))).collect()
}

/// One campaign of all fresh contents, and one of each.
fn campaigns(contents: &[Content]) -> String {
    let campaign = |id: &str, contents: &[&str]| {
        let of = json!({
            "campaign_id": id, "status": "running", "audience": "gold", "contents": contents,
            "channels": ["push"], "horizon_hours": 24,
        });
        format!("{of}\n")
    };
    let fresh: Vec<&str> =
        contents.iter().filter(|content| content.fresh).map(|content| content.content_id.as_str()).collect();
    let each: String = fresh.iter().map(|id| campaign(id, &[id])).collect();
    campaign("all-fresh", &fresh) + &each
}
