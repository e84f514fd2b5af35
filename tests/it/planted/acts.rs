//! What readers do and what is pushed to them, drawn from what is true of them.

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::content::{CATEGORIES, Content};
use crate::reader::Reader;
use crate::support::draws::Draws;

/// The exporting product's words for what happened, and what they mean.
pub(crate) const WORDS: [(&str, &str); 9] = [
    ("open_app", "session_start"),
    ("read", "view"),
    ("tap", "click"),
    ("heart", "like"),
    ("keep", "bookmark"),
    ("buy", "purchase"),
    ("look_up", "search"),
    ("push_out", "push_sent"),
    ("push_tap", "push_clicked"),
];

/// One row of the export.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Act {
    pub(crate) at: Timestamp,
    pub(crate) reader: usize,
    /// One of [`WORDS`].
    pub(crate) what: &'static str,
    pub(crate) content: Option<usize>,
    pub(crate) cents: Option<u32>,
    pub(crate) visit: Option<u32>,
}

impl Act {
    /// Is it the reader's own, rather than something that a push did?
    pub(crate) fn is_own(&self) -> bool {
        !self.what.starts_with("push_")
    }
}

/// Everything that happened before the end of a date; no two rows are equal.
pub(crate) fn draw_all(
    readers: &[Reader],
    contents: &[Content],
    end: (Date, Timestamp),
    days: i64,
    draws: &mut Draws,
) -> Vec<Act> {
    let mut drawn = Drawn { contents, end: end.1, acts: BTreeSet::new(), visits: 0 };
    for (index, reader) in readers.iter().enumerate() {
        let zone = TimeZone::get(reader.zone).unwrap();
        // The last day goes on where it is still yesterday, and is cut at the end.
        for before in (0..160).rev().filter(|before| *before < days || *before >= 120) {
            if reader.reads(before) {
                let date = end.0 - Span::new().days(before + 1);
                drawn.day((index, reader), &zone, date, before < days, draws);
            }
        }
        if reader.reads(0) {
            drawn.day((index, reader), &zone, end.0, false, draws);
        }
    }
    drawn.acts.into_iter().collect()
}

struct Drawn<'a> {
    contents: &'a [Content],
    end: Timestamp,
    acts: BTreeSet<Act>,
    visits: u32,
}

impl Drawn<'_> {
    fn day(
        &mut self,
        reader: (usize, &Reader),
        zone: &TimeZone,
        date: Date,
        is_pushed: bool,
        draws: &mut Draws,
    ) {
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        let usual = reader.1.visits * if weekend { reader.1.weekend } else { 1.0 };
        for _ in 0..draws.poisson(usual) {
            let hour = draws.choice(reader.1.hours(weekend));
            let at = moment(zone, date, hour, draws);
            self.visit(reader, at, draws);
        }
        if is_pushed && draws.uniform() < 0.25 {
            let hour = 8 + (14.0 * draws.uniform()) as usize;
            self.push(reader, moment(zone, date, hour, draws), (hour, weekend), draws);
        }
    }

    /// Opens the app, reads some contents, and does something with some of them.
    fn visit(&mut self, (index, reader): (usize, &Reader), mut at: Timestamp, draws: &mut Draws) {
        self.visits += 1;
        let visit = Some(self.visits);
        let act = |at, what, content, cents| Act { at, reader: index, what, content, cents, visit };
        self.keep(act(at, "open_app", None, None));
        if draws.uniform() < 0.05 {
            self.keep(act(later(at, 20.0, draws), "look_up", None, None));
        }
        for _ in 0..1 + draws.poisson(0.62) {
            at = later(at, 90.0, draws);
            let Some(content) = self.choose(reader, at, draws) else { continue };
            let content = Some(content);
            self.keep(act(at, "read", content, None));
            let further = draws.uniform();
            let what = ["tap", "heart", "keep", "buy"][draws.choice(&[0.62, 0.18, 0.10, 0.10])];
            if further < 0.30 {
                let cents = (what == "buy").then(|| (100.0 * draws.between(1.0, 80.0)) as u32);
                self.keep(act(later(at, 40.0, draws), what, content, cents));
            }
        }
    }

    /// A push at an hour that does not depend on the reader, and the tap that may follow.
    fn push(
        &mut self,
        (index, reader): (usize, &Reader),
        at: Timestamp,
        (hour, weekend): (usize, bool),
        draws: &mut Draws,
    ) {
        let alive: Vec<usize> =
            (0..self.contents.len()).filter(|content| self.contents[*content].published_at <= at).collect();
        let content = alive[draws.choice(&vec![1.0; alive.len()])];
        let act =
            |at, what| Act { at, reader: index, what, content: Some(content), cents: None, visit: None };
        self.keep(act(at, "push_out"));
        let Content { quality, category, .. } = self.contents[content];
        if draws.uniform() < reader.tap_probability(quality, category, hour, weekend) {
            let tapped = later(at, 900.0, draws);
            self.keep(act(tapped, "push_tap"));
            self.keep(act(later(tapped, 20.0, draws), "read"));
        }
    }

    /// A content by taste, then by popularity; one of five by popularity alone.
    fn choose(&self, reader: &Reader, at: Timestamp, draws: &mut Draws) -> Option<usize> {
        let category = (draws.uniform() < 0.8).then(|| draws.choice(&reader.tastes));
        let weight = |content: &Content| {
            let fits = category.is_none_or(|category| category == content.category);
            let scale = if category.is_none() { CATEGORIES[content.category].likers } else { 1.0 };
            if fits && content.published_at <= at && !content.fresh {
                scale * content.popularity
            } else {
                0.0
            }
        };
        let weights: Vec<f64> = self.contents.iter().map(weight).collect();
        (weights.iter().sum::<f64>() > 0.0).then(|| draws.choice(&weights))
    }

    /// Keeps what happened before the end.
    fn keep(&mut self, act: Act) {
        if act.at < self.end {
            self.acts.insert(act);
        }
    }
}

/// A moment in an hour of a local day.
fn moment(zone: &TimeZone, date: Date, hour: usize, draws: &mut Draws) -> Timestamp {
    let second = (3600.0 * draws.uniform()) as i64;
    let hour = i8::try_from(hour).unwrap();
    let start = date.at(hour, 0, 0, 0).to_zoned(zone.clone()).unwrap();
    start.timestamp() + jiff::SignedDuration::from_secs(second)
}

/// Some seconds later, so many at most.
fn later(at: Timestamp, most: f64, draws: &mut Draws) -> Timestamp {
    at + jiff::SignedDuration::from_secs(1 + (most * draws.uniform()) as i64)
}
